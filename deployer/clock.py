"""Time, given from outside: whoever waits for AWS waits by a clock that a test can turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """`now` in seconds from no particular start (durations), `epoch` in seconds since 1970 (ages), `sleep` seconds."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    epoch: Callable[[], float] = time.time


CLOCK = Clock()


def polls(clock: Clock, seconds: float, *, first: float = 0.5, most: float = 5.0) -> Iterator[float]:
    """Seconds passed, at each of the times to ask: at once, then ever more rarely, for the last time at the end.

    The pauses grow by half from `first` to `most` seconds. Exhausted after `seconds`; with 0 there is one time to ask.
    """
    start, pause = clock.now(), first
    passed = 0.0
    yield passed
    while passed < seconds:
        clock.sleep(min(pause, seconds - passed))
        pause = min(pause * 1.5, most)
        passed = clock.now() - start
        yield passed
