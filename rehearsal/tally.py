"""The tally: what the clients were told, against what the databases hold. Pure.

A payment is lost when a client was told that it was accepted and the database that the system uses in the end does not
have it. It is doubled when one order was paid for by two payments: in that database, across both, or as clients heard.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.books import Books, Held
from rehearsal.events import Accepted, Event, GaveUp, Read, Refused, Sent
from rehearsal.measures import NOTHING, Interval, percentile, read_outage, refusal_pause, write_pause

_NAMED = 20


@dataclass(frozen=True, slots=True)
class Tally:
    """The result of a run. Tuples hold order numbers, or ids of payments where said; times are in seconds."""

    accepted: int
    present: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    altered: tuple[str, ...]  # told or held otherwise than it was asked for
    unasked: tuple[str, ...]  # in the database, and nobody asked for it
    unbalanced: tuple[int, ...]  # payments whose ledger entries do not cancel out
    noted_wrongly: tuple[int, ...]  # payments whose history has not one first status
    given_up: int
    refused: int
    write_pause: Interval
    refusal_pause: Interval
    reads: int
    failed_reads: Mapping[str, int]  # how many by status (0: no answer) and what was said with it
    wrong_reads: int  # answered, with another payment or with none: of these
    read_outage: Interval
    slowest_read: float
    p50: float
    p99: float
    slowest_write: float
    beyond: tuple[str, ...] = ()  # what else must not be, in sentences: of the system, not of its payments

    @property
    def findings(self) -> tuple[str, ...]:
        """Everything that must not be, one sentence each; none: the run has passed."""
        return tuple(_findings(self))

    @property
    def passed(self) -> bool:
        return not self.findings

    @property
    def verdict(self) -> str:
        """One line."""
        if self.passed:
            return f"passed: {self.accepted} payments accepted, none lost, none doubled"
        return f"failed: {'; '.join(self.findings)}"

    def document(self) -> dict[str, Any]:
        """The figures for a machine."""
        return {
            "verdict": self.verdict,
            "passed": self.passed,
            "accepted": self.accepted,
            "present": self.present,
            "lost": len(self.lost),
            "doubled": len(self.doubled),
            "altered": len(self.altered),
            "unasked": len(self.unasked),
            "unbalanced": len(self.unbalanced),
            "noted_wrongly": len(self.noted_wrongly),
            "given_up": self.given_up,
            "refused": self.refused,
            "write_pause_s": round(self.write_pause.seconds, 3),
            "refusal_pause_s": round(self.refusal_pause.seconds, 3),
            "read_outage_s": round(self.read_outage.seconds, 3),
            "reads": self.reads,
            "failed_reads": sum(self.failed_reads.values()),
            "failed_reads_by_answer": dict(self.failed_reads),
            "wrong_reads": self.wrong_reads,
            "slowest_read_s": round(self.slowest_read, 3),
            "latency_s": {
                "p50": round(self.p50, 4), "p99": round(self.p99, 4), "longest": round(self.slowest_write, 3),
            },
            "examples": {
                "lost": list(self.lost[:_NAMED]),
                "doubled": list(self.doubled[:_NAMED]),
                "altered": list(self.altered[:_NAMED]),
                "unasked": list(self.unasked[:_NAMED]),
                "unbalanced": list(self.unbalanced[:_NAMED]),
                "noted_wrongly": list(self.noted_wrongly[:_NAMED]),
            },
        }  # fmt: skip


def count(events: Iterable[Event], books: Books, others: Sequence[Books] = ()) -> Tally:
    """Compare. `books` are of the database that the system uses in the end, `others` of those that it does not."""
    seen = _Seen(events)
    here, elsewhere = _by_order([books]), _by_order(others)
    doubled, altered = set[str](), set[str]()
    for order in seen.asked.keys() | here.keys() | elsewhere.keys():
        held, told = here.get(order, []), seen.told.get(order, set())
        numbers = {row.payment for row in [*held, *elsewhere.get(order, [])]}
        if len(held) > 1 or len(numbers) > 1 or len(told) > 1:
            doubled.add(order)
        elif held and order in seen.asked and _differs(held[0], seen.asked[order], told):
            altered.add(order)
    lost = seen.told.keys() - here.keys()
    times = [event.at for event in seen.accepted]
    latencies = sorted(seen.first_answer(order) for order in seen.told)
    return Tally(
        accepted=len(seen.told),
        present=len(seen.told.keys() & here.keys()),
        lost=tuple(sorted(lost)),
        doubled=tuple(sorted(doubled)),
        altered=tuple(sorted(altered)),
        unasked=tuple(sorted(here.keys() - seen.asked.keys())),
        unbalanced=books.unbalanced,
        noted_wrongly=books.noted_wrongly,
        given_up=len({event.order for event in seen.given_up} - seen.told.keys()),
        refused=len(seen.refused),
        write_pause=write_pause(times, seen.first, seen.last) if seen.asked else NOTHING,
        refusal_pause=refusal_pause(times, (event.at for event in seen.refused), seen.last),
        reads=len(seen.reads),
        failed_reads=Counter(f"{read.status} {read.reason}".strip() for read in seen.reads if not read.right),
        wrong_reads=sum(not read.right and _answered(read) for read in seen.reads),
        read_outage=read_outage(seen.reads),
        slowest_read=max((read.at - read.started for read in seen.reads), default=0.0),
        p50=percentile(latencies, 50),
        p99=percentile(latencies, 99),
        slowest_write=latencies[-1] if latencies else 0.0,
    )


class _Seen:
    """The events of clients, sorted out."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.asked: dict[str, tuple[int, str, str]] = {}
        self.told: dict[str, set[int]] = defaultdict(set)
        self.accepted: list[Accepted] = []
        self.refused: list[Refused] = []
        self.given_up: list[GaveUp] = []
        self.reads: list[Read] = []
        self.first, self.last = math.inf, 0.0
        self._answers: dict[str, float] = {}
        for event in events:
            if isinstance(event, Accepted | Refused | GaveUp):
                self.last = max(self.last, event.at)
            if isinstance(event, Sent):
                self.asked[event.order] = (event.account, event.amount, event.currency)
                self.first = min(self.first, event.at)
            elif isinstance(event, Accepted):
                self.accepted.append(event)
                self.told[event.order].add(event.payment)
                latency = event.at - event.due
                self._answers[event.order] = min(latency, self._answers.get(event.order, latency))
            elif isinstance(event, Refused):
                self.refused.append(event)
            elif isinstance(event, GaveUp):
                self.given_up.append(event)
            elif isinstance(event, Read):
                self.reads.append(event)

    def first_answer(self, order: str) -> float:
        """Seconds from when a payment was due until a client knew that it was accepted."""
        return self._answers[order]


def _by_order(books: Iterable[Books]) -> dict[str, list[Held]]:
    found: dict[str, list[Held]] = defaultdict(list)
    for row in (row for book in books for row in book.held):
        found[row.order].append(row)
    return found


def _differs(row: Held, asked: tuple[int, str, str], told: set[int]) -> bool:
    """Whether a payment is another than was asked for, or than the client was told, or has lost its key."""
    return (row.account, row.amount, row.currency) != asked or row.keys != 1 or not told <= {row.payment}


def _answered(read: Read) -> bool:
    """Whether the application itself answered: with what is not the payment, or that there is none."""
    return read.status in (200, 404)


def _findings(tally: Tally) -> Iterable[str]:
    named = (
        (len(tally.lost), "lost"),
        (len(tally.doubled), "doubled"),
        (len(tally.altered), "altered"),
        (len(tally.unasked), "in the database that nobody asked for"),
        (len(tally.unbalanced), "whose ledger does not sum to zero"),
        (len(tally.noted_wrongly), "whose history is wrong"),
    )
    if not tally.accepted:
        yield "no payment was accepted: the run proves nothing"
    yield from (f"{number} payment{'s'[: number != 1]} {what}" for number, what in named if number)
    if tally.wrong_reads:
        yield f"{tally.wrong_reads} read{'s'[: tally.wrong_reads != 1]} of an accepted payment did not find it"
    yield from tally.beyond
