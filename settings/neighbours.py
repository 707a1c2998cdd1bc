"""What an environment may not share with its neighbours: the data centre's database and application.

A rehearsal's reverse task, or the application of a development environment, would write into live payments; and live
card data have no place before production (PCI DSS 6.5.5). So a durable and a disposable environment share neither.
Copies of one environment under other suffixes are no neighbours: they share the data centre of their environment.

Every environment's VPC may have the same block. The data centre cannot tell two such VPCs apart, if its routers reach
both by VPN; that is for its network to keep apart, and nothing here refuses it: docs/runbooks/database-users.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from settings.document import Entries
from settings.problems import Place, Problem

_NEVER_SHARED = ("data_center.database_host", "data_center.database_address", "data_center.application_ips")


def shared(entries: Entries, neighbours: Mapping[str, Entries]) -> Iterator[Problem]:
    """What an environment's merged entries have in common with neighbours' of the other protection, by their names.

    A neighbour's own mistakes are for its own build: what was refused or is missing there is not compared.
    """
    (protection,) = _values(entries, "protection") or ("",)
    for name, others in neighbours.items():
        (other,) = _values(others, "protection") or ("",)
        if {protection, other} != {"durable", "disposable"}:
            continue
        for key in _NEVER_SHARED:
            theirs = _values(others, key)
            for value, place in _values(entries, key).items():
                if value in theirs:
                    found = f"{value} is also that of {name} ({theirs[value]}), which is {other}"
                    yield Problem(place, key, found, f"one of its own: this environment is {protection}")


def _values(entries: Entries, key: str) -> dict[str, Place]:
    """The strings of a key, and where each stands; none where the value was refused or is missing."""
    entry = entries.get(key)
    if entry is not None and isinstance(entry.value, str):
        return {entry.value: entry.place}
    if entry is not None and isinstance(entry.value, tuple):
        return dict(zip(entry.value, entry.items, strict=True))
    return {}
