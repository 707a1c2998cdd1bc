"""Looks on while a rehearsal runs: phases as they come, states as they are entered, and the line that moves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from rehearsal.clock import now
from rehearsal.measures import Interval
from rehearsal.rehearse.account import Account
from rehearsal.rehearse.execution import Cutover
from rehearsal.rehearse.screen import Screen
from rehearsal.timeline import Lag, Phase

_LOOK_SECONDS = 0.5
_RATE_SECONDS = 2.0
_ACCEPTED = b'"event":"accepted"'


class Counter:
    """How many payments the clients' file of events says were accepted, read as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = 0
        self.total = 0

    def read(self) -> int:
        """Read what is new."""
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            file.seek(self._place)
            new = file.read()
            end = new.rfind(b"\n") + 1
            self._place += end
            self.total += new.count(_ACCEPTED, 0, end)
        return self.total


class Observer:
    """A thread that looks twice a second until it is closed; `phases` are told by name and since when."""

    def __init__(self, cutover: Cutover, counter: Counter, screen: Screen) -> None:
        self._cutover = cutover
        self._counter = counter
        self._screen = screen
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)
        self._marks: list[tuple[float, str]] = []
        self._shown = ""
        self._rates: list[tuple[float, int]] = []
        self._follows = False

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()

    def mark(self, phase: str) -> None:
        """A phase begins, which is not the cutover's own."""
        self._marks.append((now(), phase))
        self._screen.say(phase, strong=True)

    def follow(self) -> None:
        """From now on tell of the phases that the cutover shows, too."""
        self._follows = True

    def phases(self) -> tuple[Phase, ...]:
        """All of them, each until the next one: those that were marked, and the cutover's by their history."""
        begun = sorted([*self._marks, *self._cutover.phases()])
        marks = [mark for before, mark in pairwise([(0.0, ""), *begun]) if mark[1] != before[1]]
        return tuple(Phase(name, Interval(at, until)) for (at, name), (until, _) in pairwise([*marks, (now(), "")]))

    def _run(self) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        while not self._ending.wait(_LOOK_SECONDS):
            with suppress(BotoCoreError, ClientError):
                if self._follows and (phase := self._cutover.phase()) not in ("replicating", self._shown):
                    self._shown = phase
                    self._screen.say(phase, strong=True)
            self._screen.live(self._line())

    def _line(self) -> str:
        at, total = time.monotonic(), self._counter.read()
        self._rates.append((at, total))
        while len(self._rates) > 2 and at - self._rates[1][0] > _RATE_SECONDS:  # noqa: PLR2004 - this one, one before
            del self._rates[0]
        then, count = self._rates[0]
        rate = (total - count) / (at - then) if at > then else 0.0
        return f"{total:,} payments accepted, {rate:.0f} a second"


def read_lags(account: Account, window: Interval) -> tuple[Lag, ...]:
    """The replication lag that DMS has measured in a time: of the forward task, then of the reverse one, in order."""
    import datetime as dt

    instance = {"Name": "ReplicationInstanceIdentifier", "Value": account["Migration.ReplicationInstanceId"]}
    lags = []
    for output in ("Migration.ForwardTaskId", "Migration.ReverseTaskId"):
        answer = account.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/DMS",
            MetricName="CDCLatencyTarget",
            Dimensions=[instance, {"Name": "ReplicationTaskIdentifier", "Value": account[output]}],
            StartTime=dt.datetime.fromtimestamp(window.start, dt.UTC),
            EndTime=dt.datetime.fromtimestamp(window.end, dt.UTC),
            Period=1,
            Statistics=["Maximum"],
        )
        lags += [Lag(point["Timestamp"].timestamp(), float(point["Maximum"])) for point in answer["Datapoints"]]
    return tuple(sorted(lags, key=lambda lag: lag.at))


def wait_until(look: Callable[[], object], seconds: float, check: Callable[[], object], pause: float = 0.1) -> bool:
    """Look until it is so, or until `seconds` are over: whether it is. `check` raises what ends the waiting."""
    until = time.monotonic() + seconds
    while not look():
        check()
        if time.monotonic() > until:
            return False
        time.sleep(pause)
    return True
