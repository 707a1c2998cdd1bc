"""Looks at a replication that runs: what has come over, how far behind it is, and whether it can go on."""

from __future__ import annotations

import time
from collections.abc import Callable

from localaws.dms import objects
from localaws.dms.lag import Lag
from localaws.dms.metrics import Metrics
from localaws.dms.postgres import Link, Place, RefusedError, Session
from localaws.dms.runs import Run
from localaws.dms.task_settings import TaskSettings
from localaws.dms.watch import CLASHES, MISSES, Source, Target, count_rows, look_at_source, look_at_target

METRIC_SECONDS = 2.0
SILENT_SECONDS = 5.0
_ERRORS_IN_A_ROW = 3
_ANEW = "reload-target begins anew"


class Watcher:
    """Watches `run`; `places` finds source and target anew."""

    def __init__(
        self, run: Run, settings: TaskSettings, metrics: Metrics, places: Callable[[], tuple[Place, Place]]
    ) -> None:
        self._run = run
        self._settings = settings
        self._metrics = metrics
        self._places = places
        self._lag = Lag()
        if run.mark:
            self._lag.note(*run.mark)
        self._silent_since: float | None = None
        self._errors: tuple[int, int] | None = None
        self._rows = 0
        self._measured: tuple[float, int] | None = None

    def look(self, source: Link, target: Link, *, stalled: bool) -> Source:
        """Once; RefusedError where it cannot go on."""
        run = self._run
        seen, there = look_at_source(source, run.name), look_at_target(target, run.name)
        self._judge(seen, there, target, stalled=stalled)
        self.count(target)
        now = time.time()
        self._lag.note(seen.at, now)
        run.mark, run.confirmed = (seen.at, now), seen.confirmed
        self._measure(seen, now)
        self._probe(silent=not (there.working or stalled))
        return seen

    def count(self, target: Link) -> None:
        """Take over what the target has counted."""
        self._rows += count_rows(target, self._run, time.time())

    def _judge(self, seen: Source, there: Target, target: Link, *, stalled: bool) -> None:
        run = self._run
        if not seen.there:
            raise RefusedError(f"the replication slot {run.name} is gone from the source: {_ANEW}")
        if seen.lost:
            raise RefusedError(
                f"the replication slot {run.name} is lost: the source has removed WAL that was still needed"
                f" (max_slot_wal_keep_size); {_ANEW}"
            )
        if not there.there:
            raise RefusedError(f"the subscription {run.name} is gone from the target: {_ANEW}")
        if not there.enabled and not stalled:
            raise RefusedError(f"somebody has disabled the subscription {run.name} on the target")
        if run.counted is None:
            run.counted = there.counted
        fresh = {name: count - run.counted.get(name, 0) for name, count in there.counted.items()}
        if problem := self._problem(seen, fresh):
            objects.disable(target, run.name)
            told = ", ".join(f"{name} {count}" for name, count in fresh.items() if count)
            raise RefusedError(f"{problem} ({told}); the target's log says which and why")

    def _problem(self, seen: Source, fresh: dict[str, int]) -> str:
        """What is wrong with a change, from what the target has counted since the start; "" for nothing.

        A lost connection counts as an error too, but then something is applied between one and the next.
        """
        if any(fresh.get(name, 0) for name in CLASHES):
            return "the target cannot apply a change, for rows that are there already"
        for kind in sorted(self._settings.stop_at):
            if fresh.get(MISSES[kind], 0):
                return f"the target has no row for a change of kind {kind}"
        errors = fresh.get("apply_error_count", 0)
        if self._errors is None or seen.applied > self._errors[0]:
            self._errors = seen.applied, errors
        if errors - self._errors[1] >= _ERRORS_IN_A_ROW:
            return "the target cannot apply a change"
        return ""

    def _probe(self, *, silent: bool) -> None:
        """Where nothing is applied though both sides answer: sign in anew, as the target's server has to."""
        now = time.monotonic()
        if not silent:
            self._silent_since = None
        elif self._silent_since is None:
            self._silent_since = now
        elif now - self._silent_since > SILENT_SECONDS:
            self._silent_since = None
            for place in self._places():
                Session(place).close()

    def _measure(self, seen: Source, now: float) -> None:
        """Metrics, now and then. Nobody counts the changes that wait: that there are none is all that is known."""
        passed = now - self._measured[0] if self._measured else None
        if passed is not None and passed < METRIC_SECONDS:
            return
        values = {
            "CDCLatencySource": self._lag.seconds(seen.captured, now),
            "CDCLatencyTarget": self._lag.seconds(seen.applied, now),
        }
        if self._measured and passed:
            values["CDCThroughputRowsTarget"] = (self._rows - self._measured[1]) / passed
        if seen.applied >= seen.at:
            values["CDCIncomingChanges"] = 0
        self._measured = now, self._rows
        self._metrics.put(values)
