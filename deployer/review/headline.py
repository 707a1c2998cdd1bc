"""What the whole change does to data, to traffic and to access: one sentence each, and one line for all three."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deployer.review.model import Action, Certainty, Concern, Finding, Item


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


# Nothing to tell: that no resource changes is said already where the review stands.
_NOTHING = Headline("", "unchanged", "unchanged", "unchanged")
# The gate's rule → what becomes of the resource; "" is what it does not ask about.
_WORDS = {
    "replace": "replaced",
    "delete": "deleted",
    "weaken": "less protected",
    "access": "wider",
    "traffic": "affected",
    "": "to look at",
}


def headline(items: Sequence[Item], *, first: bool, forecast: bool, unknowns: bool = False) -> Headline:
    """The headline of a change; a first creation has nothing to lose yet.

    What the gate asks about comes first, in the order of the review else. A forecast says "foreseen": it can miss,
    and where there are `unknowns` it never says that nothing changes.
    """
    if first:
        return _FIRST
    if not unknowns and all(item.certainty is Certainty.NOISE and not item.findings for item in items):
        return _NOTHING
    data = _told(items, Concern.DATA, Concern.PROTECTION)
    traffic = _told(items, Concern.TRAFFIC)
    access = _told(items, Concern.ACCESS)
    none, nothing = ("none foreseen", "nothing foreseen") if forecast else ("none", "nothing")
    named = (("data", data), ("traffic", traffic), ("access", access))
    return Headline(
        "; ".join(f"{name}: {_in_short(told) or none}" for name, told in named),
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


def _in_short(told: list[tuple[Item, Finding]]) -> str:
    """Who, and what becomes of it; what exactly, the sentences tell: `database.Cluster and 3 more replaced`."""
    groups: dict[str, list[str]] = {}
    for item, finding in told:
        groups.setdefault(_word(item, finding), []).append(item.address)
    return ", ".join(
        f"{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''} {word}" for word, names in groups.items()
    )


def _word(item: Item, finding: Finding) -> str:
    changed = finding.rule == "replace" and item.action is Action.MODIFY
    word = "given a new value" if changed else _WORDS[finding.rule]
    sure = item.certainty is Certainty.CERTAIN or not finding.rule
    return word if sure else f"perhaps {word}"


def _all(told: list[tuple[Item, Finding]]) -> str:
    return "; ".join(_brief(item, finding) for item, finding in told)


def _brief(item: Item, finding: Finding) -> str:
    """`database.Cluster is replaced (old one deleted)`, `load_balancer.MigrationRule: requests move: …`."""
    may = item.certainty is not Certainty.CERTAIN
    if finding.concern is Concern.DATA and item.action is Action.REPLACE:
        return f"{item.address} {'may be' if may else 'is'} replaced (old one {item.keeps})"
    if finding.concern is Concern.DATA and item.action is Action.DELETE:
        return f"{item.address} is deleted" + (f" ({item.keeps})" if item.keeps != "deleted" else "")
    if finding.text.startswith(f"{item.address} "):  # says itself who it is about
        return f"{'possibly ' if may else ''}{finding.text}"
    return f"{item.address}{' (possibly)' if may else ''}: {finding.text}"
