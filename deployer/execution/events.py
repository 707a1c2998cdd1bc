"""Events: what CloudFormation tells of a stack and of every stack nested in it, each event once, oldest first."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deployer.changes import NESTED_STACK, ROOT
from deployer.tiers import tier_name

Fetch = Callable[[str, str | None], Mapping[str, Any]]  # stack id, NextToken → one page of DescribeStackEvents

_STARTS = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS"})
_REVIEW = "REVIEW_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class Event:
    """One StackEvent, without its ResourceProperties: they hold values that are nobody's business.

    `at` is AWS's time of it, in seconds since the epoch. `hook_failure` is what a hook that failed said, "" for
    any other event.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html
    """

    id: str
    stack_id: str
    stack_name: str
    tier: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    at: float
    token: str = ""
    hook_failure: str = ""

    @property
    def address(self) -> str:
        """`database.Cluster`; a nested stack of the root stands at `root.Database`."""
        return f"{self.tier}.{self.logical_id}"

    @property
    def of_stack(self) -> bool:
        """Whether the stack tells of itself."""
        return self.physical_id == self.stack_id

    @property
    def nested(self) -> bool:
        """Whether a stack tells of one that is nested in it."""
        return self.type == NESTED_STACK and not self.of_stack

    @property
    def running(self) -> bool:
        """Whether more is to come of the same resource."""
        return self.status.endswith("_IN_PROGRESS")

    @property
    def failed(self) -> bool:
        """Whether something went wrong with it."""
        return self.status.endswith("_FAILED")


def plain(text: str) -> str:
    """`text` in one line and without control characters: it comes from services and hooks, and goes to a terminal."""
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())


def parse_event(tier: str, entry: Mapping[str, Any]) -> Event:
    """The event that an entry of `StackEvents` describes."""
    hook_failed = entry.get("HookStatus") in ("HOOK_COMPLETE_FAILED", "HOOK_FAILED")
    hook = f"{entry.get('HookType', 'a hook')}: {plain(entry.get('HookStatusReason', 'failed'))}" if hook_failed else ""
    return Event(
        id=entry["EventId"],
        stack_id=entry["StackId"],
        stack_name=entry["StackName"],
        tier=tier,
        logical_id=entry.get("LogicalResourceId", ""),
        physical_id=entry.get("PhysicalResourceId", ""),
        type=entry.get("ResourceType", ""),
        status=entry.get("ResourceStatus", ""),
        reason=plain(entry.get("ResourceStatusReason", "")),
        at=entry["Timestamp"].timestamp(),
        token=entry.get("ClientRequestToken", ""),
        hook_failure=hook,
    )


class Tail:
    """The events of one stack, read again and again: only new ones, by EventId.

    Times tell nothing: several events share one (github-deploy#195). `after` is the newest event that is known before
    the first read, `since` a time of AWS's clock before which nothing is wanted. With neither, the stack's last
    operation is read, its rollback included.
    """

    def __init__(self, stack_id: str, tier: str, *, after: str | None = None, since: float | None = None) -> None:
        self.stack_id = stack_id
        self.tier = tier
        self.parent_running = True
        self.due = True
        self.status = ""
        self._seen = set() if after is None else {after}
        self._since = since
        self._whole_operation = after is None and since is None

    def read(self, fetch: Fetch) -> list[Event]:
        """New events, oldest first. Pages are followed until a known event, so a failure on the way loses none."""
        fresh: dict[str, Event] = {}
        token: str | None = None
        while True:
            page = fetch(self.stack_id, token)
            token = page.get("NextToken")
            if self._take(page["StackEvents"], fresh) or token is None:
                break
        self._seen |= fresh.keys()
        self._whole_operation = self._whole_operation and not fresh
        events = list(reversed(fresh.values()))
        for event in events:
            if event.of_stack:
                self.status = event.status
        self.due = False
        return events

    @property
    def running(self) -> bool:
        """Whether the stack, by its own word or its parent's, is still at work."""
        return self.parent_running or self.status.endswith("_IN_PROGRESS")

    def _take(self, entries: Iterable[Mapping[str, Any]], fresh: dict[str, Event]) -> bool:
        """Take new events of a page, newest first; returns whether older ones are known or not wanted."""
        for entry in entries:
            event = parse_event(self.tier, entry)
            if event.id in self._seen or (self._since is not None and event.at < self._since):
                return True
            if self._whole_operation and event.of_stack and event.status == _REVIEW:
                return True
            fresh[event.id] = event  # a page may repeat the end of the one before, as new events push them down
            if self._whole_operation and event.of_stack and _begins(event):
                return True
        return False


def _begins(event: Event) -> bool:
    """Whether an operation starts here. A deletion that follows a failed creation (OnStackFailure) belongs to it."""
    if event.status == "DELETE_IN_PROGRESS":
        return event.reason in ("", "User Initiated")
    return event.status in _STARTS


def depth(tier: str) -> int:
    """How many stacks a tier is nested in: 0 for the root."""
    return 0 if tier == ROOT else 1 + tier.count(".")


class TreeEvents:
    """The events of a stack and of all stacks nested in it, which are found by their events in their parents.

    A nested stack is read while it or its parent says that it is at work, and all of them while the root cleans up:
    the nested ones then delete what was replaced, and their parent says nothing of it.
    """

    def __init__(self, stack_id: str, *, after: str | None = None) -> None:
        self.root = Tail(stack_id, ROOT, after=after)
        self.nested: dict[str, Tail] = {}
        self.events: list[Event] = []
        self._sweep = False
        self._began: float | None = None
        self._pending: list[Event] = []

    def read(self, fetch: Fetch) -> list[Event]:
        """What is new in the whole tree. Where a call fails, what those before it brought comes with the next read.

        One stack after the other: a poll of all tiers takes less than a second, and Ctrl-C waits for no thread.
        """
        self._collect(self.root.read(fetch))
        sweeping = self._sweep or "CLEANUP" in self.root.status
        done: set[str] = set()
        while due := [
            tail
            for tail in self.nested.values()
            if tail.stack_id not in done and (tail.due or tail.running or sweeping)
        ]:
            done |= {tail.stack_id for tail in due}
            for tail in due:
                self._collect(tail.read(fetch))
        self._sweep = False
        # Per stack the order is AWS's own; between stacks that of their times, at one time the nested one's before its
        # parent's, which ends after it.
        by_stack: dict[str, list[Event]] = {}
        for event in self._pending:
            by_stack.setdefault(event.stack_id, []).append(event)
        self._pending = []
        deepest_first = sorted(by_stack.values(), key=lambda events: depth(events[0].tier), reverse=True)
        merged = list(heapq.merge(*deepest_first, key=lambda event: event.at))
        self.events += merged
        return merged

    def sweep(self) -> None:
        """Have the next read look at every nested stack, at work or not."""
        self._sweep = True

    def _collect(self, events: list[Event]) -> None:
        self._pending += events
        for event in events:
            if self._began is None:
                self._began = event.at
            if event.nested and event.physical_id.startswith("arn:"):  # created first without an id, then with it
                self._note(event, self._began)

    def _note(self, event: Event, began: float) -> None:
        tail = self.nested.get(event.physical_id)
        if tail is None:
            name = tier_name(event.logical_id)
            tier = name if event.tier == ROOT else f"{event.tier}.{name}"
            tail = self.nested[event.physical_id] = Tail(event.physical_id, tier, since=began)
        tail.parent_running = event.running
        tail.due = True
