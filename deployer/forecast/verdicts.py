"""What becomes of each resource: replaced, modified or left alone, followed through the tree until nothing moves.

A replaced resource gives its dependants another id, which may replace them in turn, across stacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from deployer.changes import NESTED_STACK
from deployer.forecast.attributes import may_move, outlives
from deployer.forecast.comparison import Difference, Fed, compare
from deployer.forecast.evaluation import Resource, Side
from deployer.forecast.replacement import NEVER, recreation
from deployer.forecast.values import Attribute, attributes_in


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a resource that both sides have, for certain or perhaps: a change set tells no difference.

    `touched` are the top-level properties that change.
    """

    replaced: bool
    touched: frozenset[str]


UNTOUCHED = Verdict(replaced=False, touched=frozenset())


@dataclass(frozen=True, slots=True)
class Pair:
    """A resource that both sides have, with every place where its properties differ, or may."""

    before: Resource
    after: Resource
    places: tuple[Difference | Fed, ...]

    @property
    def other_type(self) -> bool:
        """Whether another type stands under the same logical id."""
        return self.before.type != self.after.type


class Verdicts:
    """The verdicts of a tree; `before` may have no stack at all."""

    def __init__(self, before: Side, after: Side) -> None:
        self.pairs = {pair.after.address: pair for pair in _pairs(before, after)}
        self._after = after
        self._verdicts: dict[str, Verdict] = {}
        self._settle()

    def of(self, address: str) -> Verdict:
        """The verdict on a resource that both sides have."""
        return self._verdicts.get(address, UNTOUCHED)

    def moves(self, value: Any) -> bool:
        """Whether a value that looks the same on both sides becomes another one, or may."""
        return any(self._moves(attribute) for attribute in attributes_in(value))

    def _settle(self) -> None:
        moving = True
        while moving:  # verdicts only ever get worse, so this ends
            moving = False
            for address, pair in self.pairs.items():
                verdict = self._judge(pair)
                if verdict != self.of(address):
                    self._verdicts[address] = verdict
                    moving = True

    def _judge(self, pair: Pair) -> Verdict:
        changes = [place for place in pair.places if isinstance(place, Difference) or self.moves(place.value)]
        forced = any(_recreates(pair.after.type, place) for place in changes)
        return Verdict(pair.other_type or forced, frozenset(place.path[0] for place in changes))

    def _moves(self, attribute: Attribute) -> bool:
        pair = self.pairs.get(attribute.address)
        if pair is None:
            # Another resource than before if there was one at all, or none that this template holds.
            return self._after.resource(attribute.address) is not None
        kind, verdict = pair.after.type, self.of(attribute.address)
        if kind == NESTED_STACK and attribute.name != "Ref":
            return True  # an output of a stack whose template is not known
        if verdict.replaced:
            return not outlives(kind, attribute.name, pair.after.properties, verdict.touched)
        return bool(verdict.touched) and may_move(kind, attribute.name, verdict.touched)


def _recreates(kind: str, place: Difference | Fed) -> bool:
    old, new = (place.value, place.value) if isinstance(place, Fed) else (place.before, place.after)
    return recreation(kind, place.path, old, new) != NEVER


def same_stack(before: Side, after: Side, tier: str) -> bool:
    """Whether a tier is the same stack on both sides: nested under the same logical id, up to the root."""
    old, new = before.stacks.get(tier), after.stacks.get(tier)
    if old is None or new is None or old.owner != new.owner:
        return False
    return new.owner is None or same_stack(before, after, new.owner[0])


def _pairs(before: Side, after: Side) -> Iterable[Pair]:
    for tier, stack in after.stacks.items():
        if not same_stack(before, after, tier):
            continue
        for logical_id, new in stack.resources.items():
            old = before.stacks[tier].resources.get(logical_id)
            if old is not None:
                yield Pair(old, new, tuple(_places(old, new)))


def _places(old: Resource, new: Resource) -> Iterator[Difference | Fed]:
    """Where the properties differ; a nested stack's template is compared by its content, not by its address."""
    for place in compare(new.type, old.properties, new.properties):
        if new.type != NESTED_STACK or place.path[0] != "TemplateURL":
            yield place
