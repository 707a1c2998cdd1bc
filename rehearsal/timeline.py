"""What a report draws: the timeline of a run, and when each phase and step was. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rehearsal.events import Accepted, Event, GaveUp, Read, Refused, Sent, Weighed
from rehearsal.measures import NOTHING, Bucket, Interval, buckets
from rehearsal.tally import Tally

_FINE_SECONDS = 0.1
_MARGIN_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase of the cutover, as everyone could see it."""

    name: str
    when: Interval


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the state machine: how long it took, and how it ended ("done", or what went wrong)."""

    name: str
    when: Interval
    outcome: str = "done"


@dataclass(frozen=True, slots=True)
class Lag:
    """A measured replication lag in seconds."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of the listener from a time on, by target group."""

    at: float
    of: dict[str, int]


@dataclass(frozen=True, slots=True)
class Run:
    """A rehearsal, as its report tells it."""

    title: str
    tally: Tally
    window: Interval
    whole: tuple[Bucket, ...]
    freeze: Interval
    fine: tuple[Bucket, ...]
    phases: tuple[Phase, ...]
    steps: tuple[Step, ...]
    lags: tuple[Lag, ...]
    weights: tuple[Weights, ...]

    def document(self) -> dict[str, Any]:
        """All of it for a machine; times are seconds since the window began, where they are no durations."""
        zero = self.window.start

        def since(at: float) -> float:
            return round(at - zero, 3)

        def spans(parts: Sequence[Phase] | Sequence[Step]) -> list[dict[str, Any]]:
            return [
                {"name": part.name, "at_s": since(part.when.start), "seconds": round(part.when.seconds, 3)}
                for part in parts
            ]

        steps = [{**span, "outcome": step.outcome} for span, step in zip(spans(self.steps), self.steps, strict=True)]
        return {
            "title": self.title,
            **self.tally.document(),
            "seconds": round(self.window.seconds, 3),
            "phases": spans(self.phases),
            "steps": steps,
            "timeline": [{**asdict(bucket), "start": since(bucket.start)} for bucket in self.whole],
            "lag_s": [[since(lag.at), round(lag.seconds, 4)] for lag in self.lags],
            "weights": [[since(weights.at), weights.of] for weights in self.weights],
        }


def tell(
    title: str,
    tally: Tally,
    events: Iterable[Event],
    phases: Sequence[Phase] = (),
    steps: Sequence[Step] = (),
    lags: Sequence[Lag] = (),
) -> Run:
    """Put a run together from all events, the clients' and the load balancer's.

    The window is the time in which clients were at work; the finer picture shows the longest pause of writes, refusals
    included, and a little before and after.
    """
    seen = sorted(events, key=lambda event: event.at)
    work = [event.at for event in seen if isinstance(event, Sent | Accepted | Refused | GaveUp | Read)]
    window = Interval(work[0], work[-1]) if work else Interval(0.0, 1.0)
    pause = max(tally.write_pause, tally.refusal_pause, key=lambda pause: pause.seconds)
    before, after = pause.start - _MARGIN_SECONDS, pause.end + _MARGIN_SECONDS
    freeze = Interval(max(before, window.start), min(after, window.end)) if pause.seconds else NOTHING
    weighed = [event for event in seen if isinstance(event, Weighed)]
    # The listener that production goes through is the one whose weights are told first.
    weights = tuple(Weights(event.at, event.weights) for event in weighed if event.listener == weighed[0].listener)
    return Run(
        title,
        tally,
        window,
        buckets(seen, window, 1.0),
        freeze,
        buckets(seen, freeze, _FINE_SECONDS) if pause.seconds else (),
        tuple(phases),
        tuple(steps),
        tuple(lags),
        weights,
    )
