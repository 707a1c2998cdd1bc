"""Figures of a run, from the times at which things happened: pauses, outages, percentiles. Pure; times in seconds."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rehearsal.events import Accepted, Event, Read, Refused

# A read that took longer than this answered too late for whoever waited for it.
SLOW_READ_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Interval:
    """From when to when, in seconds since the epoch."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


NOTHING = Interval(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A slice of time: payments accepted, tries refused, reads that failed, latencies of what was accepted in it."""

    start: float
    accepted: int
    refused: int
    reads: int
    failed_reads: int
    p50: float
    p99: float


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of them do not exceed (nearest rank); 0 of none."""
    return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)] if ordered else 0.0


def write_pause(accepted: Iterable[float], first: float, last: float) -> Interval:
    """The longest time in which no payment was accepted, of all the time in which payments were asked for."""
    times = [first, *sorted(accepted), last]
    return max((Interval(a, b) for a, b in pairwise(times)), key=lambda gap: gap.seconds, default=NOTHING)


def refusal_pause(accepted: Iterable[float], refused: Iterable[float], last: float) -> Interval:
    """The longest time from a refused write to the next accepted one (to `last`, if none was)."""
    taken = [*sorted(accepted), max(last, 0.0)]
    longest = NOTHING
    for time in refused:
        after = min(bisect_right(taken, time), len(taken) - 1)
        if taken[after] - time > longest.seconds:
            longest = Interval(time, taken[after])
    return longest


def read_outage(reads: Iterable[Read]) -> Interval:
    """The longest time in which reads were tried and none succeeded.

    It begins where the first of those reads began, and ends where the next success came. While every read succeeds
    within SLOW_READ_SECONDS there is none; their latency is told elsewhere.
    """
    longest, since, begun, bad = NOTHING, -math.inf, math.inf, False
    at = 0.0
    for read in sorted(reads, key=lambda read: read.at):
        at = read.at
        begun = min(begun, max(read.started, since))
        if not read.right:
            bad = True
            continue
        if bad or at - begun > SLOW_READ_SECONDS:
            longest = max(longest, Interval(begun, at), key=lambda gap: gap.seconds)
        since, begun, bad = at, math.inf, False
    return max(longest, Interval(begun, at), key=lambda gap: gap.seconds) if bad else longest


def buckets(events: Iterable[Event], window: Interval, width: float) -> tuple[Bucket, ...]:
    """What happened in each slice of `width` seconds of a window; latency counts from when a payment was due."""
    count = max(math.ceil(window.seconds / width), 1)
    accepted: list[list[float]] = [[] for _ in range(count)]
    refused, reads, failed = [0] * count, [0] * count, [0] * count
    for event in events:
        if not window.start <= event.at <= window.end:
            continue
        place = min(int((event.at - window.start) // width), count - 1)
        if isinstance(event, Accepted):
            accepted[place].append(event.at - event.due)
        elif isinstance(event, Refused):
            refused[place] += 1
        elif isinstance(event, Read):
            reads[place] += 1
            failed[place] += not event.right
    made = []
    for place, latencies in enumerate(accepted):
        latencies.sort()
        made.append(
            Bucket(
                window.start + place * width, len(latencies), refused[place], reads[place], failed[place],
                percentile(latencies, 50), percentile(latencies, 99),
            )
        )  # fmt: skip
    return tuple(made)
