"""A made-up run of ten seconds, whose freeze lasts from second 4 to second 6."""

from __future__ import annotations

from rehearsal.books import Books, Held
from rehearsal.events import Accepted, Read, Refused, Routed, Sent, Weighed
from rehearsal.measures import Interval
from rehearsal.tally import count
from rehearsal.timeline import Lag, Phase, Run, Step, tell

START = 1_800_000_000.0
RATE = 10
_PHASES = (
    ("replicating", 0, 3.5),
    ("preflight", 3.5, 4),
    ("frozen", 4, 4.4),
    ("drained", 4.4, 5),
    ("switched", 5, 6),
    ("watching", 6, 10),
)


def events():
    yield Weighed(START - 1, "production", {"dc": 100, "blue": 0})
    yield Weighed(START - 1, "test", {"green": 1})
    yield Weighed(START + 2, "production", {"dc": 0, "blue": 100})
    for number in range(10 * RATE):
        due = START + number / RATE
        order = f"order-{number}"
        yield Sent(due, order, 7, "1.00", "EUR")
        at = due
        if START + 4 <= at < START + 6:
            yield Refused(at, order, 503, "writes are refused")
            at += 2
        yield Accepted(at + 0.01, order, number, due)
        yield Read(due + 0.005, due, number, 200, right=True)
    yield Read(START + 8.2, START + 8.1, 1, 0, right=False)
    yield Routed(START + 1, 10, {"dc": 10}, {"201": 10}, 0.001, 0.002)


def books(without=()):
    numbers = [number for number in range(10 * RATE) if number not in without]
    return Books("aurora", tuple(Held(f"order-{number}", number, 7, "1.00", "EUR") for number in numbers))


def run(without=(), title="Rehearsal of payments-dev") -> Run:
    phases = [Phase(name, Interval(START + begin, START + end)) for name, begin, end in _PHASES]
    steps = [Step(phase.name, phase.when) for phase in phases[1:]]
    lags = [Lag(START + number / 2, number / 100) for number in range(9)]
    return tell(title, count(events(), books(without)), events(), phases, steps, lags)


def bare(seen=()) -> Run:
    """A run of which nothing is known but its events."""
    return tell("bare", count(seen, Books("aurora", ())), seen)
