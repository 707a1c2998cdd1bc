"""Tally: how far an execution has come, counted per tier from its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from deployer.changes import NESTED_STACK, ROOT, ChangeSet
from deployer.execution.events import Event


class Phase(StrEnum):
    """What a stack is doing, in words for people."""

    WAITING = "waiting"
    WORKING = "at work"
    DONE = "done"
    FAILED = "failed"
    ROLLING_BACK = "rolling back"
    ROLLED_BACK = "rolled back"
    CLEANING_UP = "cleaning up"
    DELETING = "deleting"
    DELETED = "deleted"


def phase_of(status: str) -> Phase:
    """The phase that a stack status stands for."""
    if "CLEANUP" in status:
        return Phase.CLEANING_UP
    if status.endswith("_FAILED"):
        return Phase.FAILED
    if "ROLLBACK" in status:
        return Phase.ROLLING_BACK if status.endswith("_IN_PROGRESS") else Phase.ROLLED_BACK
    if status.startswith("DELETE"):
        return Phase.DELETING if status.endswith("_IN_PROGRESS") else Phase.DELETED
    return Phase.WORKING if status.endswith("_IN_PROGRESS") else Phase.DONE


def expected_resources(tree: ChangeSet) -> dict[str, int]:
    """How many resources of each tier a change set touches. Nested stacks are no resources here: their tiers are."""
    return dict(Counter(change.tier for change in tree.resource_changes() if change.type != NESTED_STACK))


@dataclass(slots=True)
class TierTally:
    """The count of one stack.

    A resource counts once, however often it comes up, so that a total is never overshot (aws-cdk-cli#1856). What was
    expected and never came up is forgotten when the stack is done. `running` holds when each resource at work began,
    `took` how many seconds each finished one needed; both in AWS's time.
    """

    name: str
    expected: int = 0
    phase: Phase = Phase.WAITING
    began: float | None = None
    ended: float | None = None
    done: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    running: dict[str, float] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many resources there are to do, as far as is known."""
        known = len(self.done | self.failed | self.running.keys())
        return known if self.phase in (Phase.DONE, Phase.ROLLED_BACK, Phase.DELETED) else max(self.expected, known)

    def add_stack(self, event: Event) -> None:
        """Count what the stack says of itself."""
        phase = phase_of(event.status)
        if phase is Phase.ROLLING_BACK and self.phase is not Phase.ROLLING_BACK:
            # What was touched is what must go back, and it is counted anew.
            self.expected = len(self.done | self.failed | self.running.keys())
            self.done, self.failed = set(), set()
            self.running.clear()
        self.phase = phase
        if self.began is None:
            self.began = event.at
        self.ended = None if event.running else event.at
        if not event.running:
            self.running.clear()

    def add_resource(self, event: Event) -> None:
        """Count what became of one resource."""
        name = event.logical_id
        if event.running:
            self.running.setdefault(name, event.at)
            return
        began = self.running.pop(name, event.at)
        self.took[name] = max(self.took.get(name, 0.0), event.at - began)
        if event.failed:
            self.failed.add(name)
            self.done.discard(name)
        else:
            self.done.add(name)
            self.failed.discard(name)


class Tally:
    """The count of the whole tree."""

    def __init__(self, stack_name: str, expected: Mapping[str, int]) -> None:
        self.stack_name = stack_name
        self.root = TierTally(ROOT, expected.get(ROOT, 0))
        self.tiers = {ROOT: self.root} | {
            name: TierTally(name, count) for name, count in expected.items() if name != ROOT
        }
        self.ahead = 0.0

    def add(self, events: Iterable[Event], now: float) -> None:
        """Count new events; `now` is our clock's time of reading them."""
        for event in events:
            tier = self.tiers.setdefault(event.tier, TierTally(event.tier))
            if event.of_stack:
                tier.add_stack(event)
                if tier is self.root and tier.phase is not Phase.WORKING:
                    self._forget_waiting()
            elif not event.nested:
                tier.add_resource(event)
            # Where AWS's clock runs ahead of ours (an embedded one simulates time), ages are told by AWS's.
            self.ahead = max(self.ahead, event.at - now)

    def _forget_waiting(self) -> None:
        """Expect nothing more of tiers that have not begun: nobody will come to them now."""
        for tier in self.tiers.values():
            if tier.phase is Phase.WAITING:
                tier.expected = 0

    def age(self, since: float | None, now: float) -> float:
        """Seconds from an event's time to now."""
        return 0.0 if since is None else max(0.0, now + self.ahead - since)

    @property
    def rows(self) -> list[TierTally]:
        """The tiers worth a line: all but a root that only holds nested stacks."""
        return [tier for tier in self.tiers.values() if tier.name != ROOT or tier.total]

    @property
    def done(self) -> int:
        """Resources that are done, of the whole tree."""
        return sum(len(tier.done) for tier in self.tiers.values())

    @property
    def total(self) -> int:
        """Resources that there are to do, of the whole tree."""
        return sum(tier.total for tier in self.tiers.values())

    def elapsed(self, now: float) -> float:
        """Seconds since the operation began."""
        ended = self.root.ended
        if ended is not None and self.root.began is not None:
            return ended - self.root.began
        return self.age(self.root.began, now)

    def slowest(self, now: float) -> tuple[str, float] | None:
        """Address and seconds of the resource that takes or took longest."""
        times = [
            (seconds, f"{tier.name}.{name}")
            for tier in self.tiers.values()
            for name, seconds in (
                *tier.took.items(),
                *((name, self.age(began, now)) for name, began in tier.running.items()),
            )
        ]
        if not times:
            return None
        seconds, address = max(times)
        return address, seconds
