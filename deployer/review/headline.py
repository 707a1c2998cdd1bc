"""What the whole change does to data, to traffic and to access: one sentence each, and one line for all three."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deployer.review.model import Action, Certainty, Concern, Finding, Item
from deployer.review.values import short


@dataclass(frozen=True, slots=True)
class Headline:
    """The line, and a sentence on each of the three."""

    line: str
    data: str
    traffic: str
    access: str


_FIRST = Headline(
    "data: none yet, this is the first creation; traffic: none yet; access: only what this change creates",
    "nothing exists yet that could be lost",
    "nothing serves requests yet",
    "everything that is opened or allowed belongs to what this change creates",
)


def headline(items: Sequence[Item], *, first: bool, forecast: bool) -> Headline:
    """The headline of a change; a first creation has nothing to lose yet.

    What the gate asks about comes first, in the order of the review else. A forecast says "foreseen": it can miss.
    """
    if first:
        return _FIRST
    data = _told(items, Concern.DATA, Concern.PROTECTION)
    traffic = _told(items, Concern.TRAFFIC)
    access = _told(items, Concern.ACCESS)
    none, nothing = ("none foreseen", "nothing foreseen") if forecast else ("none", "nothing")
    named = (("data", data), ("traffic", traffic), ("access", access))
    return Headline(
        "; ".join(f"{name}: {_first(told) or none}" for name, told in named),
        _all(data) or f"{nothing} that holds data is replaced or deleted, and no protection is weakened",
        _all(traffic) or f"{nothing} changes the way of requests",
        _all(access) or f"{nothing} lets more in or allows more",
    )


def _told(items: Sequence[Item], *concerns: Concern) -> list[tuple[Item, Finding]]:
    """The gravest finding of each item, those with a rule of the gate first."""
    found = []
    for item in items:
        mine = [finding for finding in item.findings if finding.concern in concerns]
        if mine:
            found.append((item, next((finding for finding in mine if finding.rule), mine[0])))
    return sorted(found, key=lambda told: not told[1].rule)


def _first(told: list[tuple[Item, Finding]]) -> str:
    if not told:
        return ""
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    return f"{_brief(*told[0], cut=True)}{more}"


def _all(told: list[tuple[Item, Finding]]) -> str:
    return "; ".join(_brief(item, finding) for item, finding in told)


def _brief(item: Item, finding: Finding, *, cut: bool = False) -> str:
    """`database.Cluster is replaced (old one deleted)`, `load_balancer.MigrationRule: requests move: …`."""
    may = item.certainty is not Certainty.CERTAIN
    if finding.concern is Concern.DATA and item.action is Action.REPLACE:
        return f"{item.address} {'may be' if may else 'is'} replaced (old one {item.keeps})"
    if finding.concern is Concern.DATA and item.action is Action.DELETE:
        return f"{item.address} is deleted" + (f" ({item.keeps})" if item.keeps != "deleted" else "")
    return f"{item.address}{' (possibly)' if may else ''}: {short(finding.text) if cut else finding.text}"
