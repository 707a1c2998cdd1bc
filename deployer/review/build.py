"""A change set and both sides' templates → the review that a person can judge and the gate reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deployer.changes import NESTED_STACK, ChangeSet, Outcome, ResourceChange
from deployer.review.causes import Causes
from deployer.review.completion import completed, is_kept
from deployer.review.concerns.surroundings import Surroundings
from deployer.review.grading import Grader
from deployer.review.headline import headline
from deployer.review.items import Writer
from deployer.review.model import Certainty, Item, Review, TierReview
from deployer.review.trees import Trees

_UNREAD = "AWS gave no change set for it: what changes in it is not known"


def build_review(  # noqa: PLR0913 - what a review says of itself is handed in one by one, and by name
    change_set: ChangeSet,
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
    *,
    stack: str,
    environment: str,
    suffix: str,
    region: str,
    durable: bool,
    forecast: bool = False,
    params: Sequence[tuple[str, str, str]] = (),
    unknowns: Sequence[str] = (),
) -> Review:
    """The review of a change set of the whole tree.

    `before` and `after` hold templates by tier, the root under "root"; `before` holds those that were fetched, and is
    empty for a first creation. `params` are the changed params keys, each with its value before and after.
    """
    trees = Trees(before, after)
    whole = completed(change_set, trees)
    around = Surroundings(whole, trees)
    grader = Grader(whole, trees)
    writer = Writer(grader, Causes(grader, tuple(params)), around)
    tiers = tuple(_tiers(whole, trees, writer, around))
    items = [item for tier in tiers for item in tier.items]
    told = headline(items, first=around.first, forecast=forecast, unknowns=bool(unknowns))
    return Review(
        stack=stack,
        environment=environment,
        suffix=suffix,
        region=region,
        durable=durable,
        forecast=forecast,
        headline=told.line,
        data=told.data,
        traffic=told.traffic,
        access=told.access,
        tiers=tiers,
        counts=dict(Counter(item.action.value for item in items if item.certainty is not Certainty.NOISE)),
        params=tuple(params),
        unknowns=tuple(unknowns),
    )


def _tiers(change_set: ChangeSet, trees: Trees, writer: Writer, around: Surroundings) -> Iterator[TierReview]:
    """The root, its nested stacks in the order of the change set, then those of which it says nothing."""
    outcome = "created" if around.first else change_set.outcome.value
    yield _tier(change_set, outcome, writer, around)
    seen = set()
    for change in change_set.changes:
        if change.type == NESTED_STACK:
            tier = change.child.tier if change.child else _tier_name(change, trees)
            seen.add(tier)
            outcome = _outcome(change)
            if change.child is not None:
                yield _tier(change.child, outcome, writer, around)
            else:
                kept = change.action == "Remove" and is_kept(change, trees)
                yield TierReview(
                    tier, outcome, "it stays in the account with all that is in it" if kept else _UNREAD, (), ()
                )
    for tier in trees.after.stacks.values():
        if tier not in seen:
            yield TierReview(tier, Outcome.UNCHANGED.value, "", (), ())


def _tier_name(change: ResourceChange, trees: Trees) -> str:
    sides = [side.stacks for side in (trees.after, trees.before) if side is not None]
    return next((stacks[change.logical_id] for stacks in sides if change.logical_id in stacks), change.logical_id)


def _outcome(change: ResourceChange) -> str:
    if change.action == "Remove":
        return "deleted"
    if change.action == "Add":
        return "created"
    return change.child.outcome.value if change.child else Outcome.CHANGED.value


def _tier(change_set: ChangeSet, outcome: str, writer: Writer, around: Surroundings) -> TierReview:
    items = tuple(_items(change_set, writer, around))
    return TierReview(change_set.tier, outcome, change_set.cause, items, change_set.warnings)


def _items(change_set: ChangeSet, writer: Writer, around: Surroundings) -> Iterator[Item]:
    """An item for each resource; a nested stack is its tier's outcome, and an item only where more happens to it."""
    for change in change_set.changes:
        if change.type != NESTED_STACK:
            yield writer.item(change)
        elif not around.first:
            item = writer.item(change)
            if item.certainty is not Certainty.NOISE or item.findings:
                yield item
