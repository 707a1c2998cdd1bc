"""What of a tier is shown in full and what in one line, the same for every renderer.

A first deployment is 200 creations, a changed tag touches every resource: neither may be a wall that hides the one
line that matters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from deployer.changes import ROOT
from deployer.review.model import Action, Certainty, Item, Severity, TierReview

_CREATIONS_SHOWN = 3  # as many are listed; more are counted by type
_ALIKE_FROM = 3
_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Arranged:
    """One tier: `shown` are groups of one or of several that change alike, the loudest first.

    `creations` are routine and only counted by type, `noise` is only counted.
    """

    tier: TierReview
    shown: tuple[tuple[Item, ...], ...]
    creations: tuple[Item, ...]
    noise: tuple[Item, ...]


def arrange(tier: TierReview, *, show_noise: bool) -> Arranged:
    """Sort a tier's items by how they are shown; with `show_noise` each stands alone."""
    if show_noise:
        return Arranged(tier, tuple((item,) for item in loudest_first(tier.items)), (), ())
    noise = tuple(item for item in tier.items if is_noise(item))
    rest = [item for item in tier.items if not is_noise(item)]
    creations = tuple(item for item in rest if item.action is Action.CREATE and is_routine(item))
    if len(creations) <= _CREATIONS_SHOWN:
        creations = ()
    counted = {item.address for item in creations}
    groups: dict[object, list[Item]] = {}
    for item in loudest_first(item for item in rest if item.address not in counted):
        groups.setdefault(_likeness(item), []).append(item)
    shown = (
        part
        for group in groups.values()
        for part in ([tuple(group)] if len(group) >= _ALIKE_FROM else [(item,) for item in group])
    )
    return Arranged(tier, tuple(shown), creations, noise)


def tells_nothing(tier: TierReview) -> bool:
    """Whether a tier has nothing to show: unchanged, or a root that only holds the stacks that change."""
    if tier.items or tier.warnings or tier.cause:
        return False
    return tier.outcome in ("unchanged", "created") or (tier.tier == ROOT and tier.outcome == "changed")


def is_all_noise(tier: TierReview) -> bool:
    """Whether there is nothing but noise in a tier, so that it takes no paragraph of its own."""
    told = tier.warnings or tier.cause or tier.outcome not in ("changed", "unchanged")
    return bool(tier.items) and not told and all(map(is_noise, tier.items))


def unchanged(tiers: Iterable[TierReview]) -> tuple[str, ...]:
    """Names of the tiers that are only said to be unchanged."""
    return tuple(tier.tier for tier in tiers if tells_nothing(tier) and tier.outcome == "unchanged")


def is_noise(item: Item) -> bool:
    """Whether an item may be folded as noise; what the review calls loud stays."""
    return item.certainty is Certainty.NOISE and not is_loud(item)


def is_loud(item: Item) -> bool:
    """Whether a reader must look at it."""
    return item.severity in (Severity.STOP, Severity.WARN)


def is_routine(item: Item) -> bool:
    """Whether nothing depends on reading it: no data, traffic, access or protection, and no warning."""
    return not (is_loud(item) or item.concerns or item.warnings)


def loudest_first(items: Iterable[Item]) -> tuple[Item, ...]:
    """The items by severity, those of the same one in the order of the review."""
    return tuple(sorted(items, key=lambda item: _RANKS[item.severity]))


def types(items: Iterable[Item]) -> tuple[tuple[str, int], ...]:
    """How many there are of each type, the commonest first."""
    return tuple(sorted(Counter(item.type for item in items).items(), key=lambda pair: (-pair[1], pair[0])))


def _likeness(item: Item) -> object:
    """Items of which this is the same can be told in one breath; what the gate must be told of stands alone."""
    if item.severity is Severity.STOP:
        return item.address
    edits = tuple(
        (edit.property, edit.certainty, edit.replaces, tuple(link for link in edit.chain if link.kind == "param"))
        for edit in item.edits
    )
    # A tag on everything is one line; of what matters, each type is told apart.
    kind = "" if is_routine(item) and edits else item.type
    told = (item.severity, item.concerns, item.summary, item.keeps, item.warnings)
    return item.action, item.certainty, kind, told, edits
