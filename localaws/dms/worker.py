"""The life of one task while it is not at rest: a thread that begins it, watches it, and brings it to an end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localaws.dms import objects
from localaws.dms.beginning import Beginning
from localaws.dms.disturbances import Disturbances
from localaws.dms.load import Halted
from localaws.dms.metrics import Metrics
from localaws.dms.places import UnresolvedError
from localaws.dms.postgres import Link, LostError, Place, RefusedError
from localaws.dms.runs import NOT_ENABLED, Run
from localaws.dms.selection import MappingError
from localaws.dms.store import Item
from localaws.dms.task_settings import read_settings
from localaws.dms.validation import Validator
from localaws.dms.watch import look_at_target
from localaws.dms.watcher import Watcher

POLL_SECONDS = 0.25
_STATEMENT_SECONDS = 30.0
_START_TRIES = 3
_FIRST_PAUSE_SECONDS = 0.1
_FIRST_SIGN_SECONDS = 5.0
_FATAL = "Stop Reason FATAL_ERROR Error Level FATAL"
_Trouble = (LostError, RefusedError, UnresolvedError, MappingError)
log = logging.getLogger("localaws")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker needs of its service: `places` finds source and target anew, `lock` guards every document."""

    lock: threading.RLock
    places: Callable[[], tuple[Place, Place]]
    metrics: Metrics
    changed: Callable[[], None]


class Worker:
    """Runs a task; `anew`: from its beginning, else from where it was."""

    def __init__(self, task: Item, run: Run, around: Surroundings, *, anew: bool) -> None:
        self.run = run
        self.disturbances = Disturbances(run)
        self._task = task
        self._around = around
        self._anew = anew
        self._settings = read_settings(task.document.get("ReplicationTaskSettings", ""))
        self._beginning = Beginning(run, self._settings, check=self._check, running=self._set_running)
        self._watcher = Watcher(run, self._settings, around.metrics, around.places)
        self._source: Link | None = None
        self._target: Link | None = None
        self._validator: Validator | None = None
        self._halt = threading.Event()
        self._wake = threading.Event()
        self._closing = False
        self._got_on = False
        self._thread = threading.Thread(target=self._live, name=f"replicate {run.name}", daemon=True)

    # --- from other threads -------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the task to stop; it is stopped when its status says so."""
        self._halt.set()
        self._wake.set()
        self._beginning.cancel()

    def close(self) -> None:
        """Leave the task as it is, to be gone on with by another worker; wait until this one has ended."""
        self._closing = True
        while self._thread.is_alive():
            self.stop()  # more than once: what it was just about to wait for could not be ended yet
            self._thread.join(POLL_SECONDS)

    # --- the thread ---------------------------------------------------------------------------------------------------
    def _live(self) -> None:
        try:
            reason = self._bear(self._replicate)
            self._come_to_rest("stopped", StopReason=f"Stop Reason {reason}")
        except Halted:
            self._end_asked()
        except _Trouble as problem:
            self._fail(str(problem))
        except Exception as defect:
            log.exception("the task %s broke", self._task.arn)
            self._fail(f"{type(defect).__name__}: {defect}")
        finally:
            self._disconnect()

    def _bear(self, work: Callable[[], str]) -> str:
        """Do `work`, again and again while servers get lost, as often as the task's settings bear it.

        A task that does not run yet is given up sooner: nobody waits two days for the wrong address.
        """
        tries = 0
        while True:
            try:
                return work()
            except LostError as lost:
                self._disconnect()
                tries = 1 if self._got_on else tries + 1
                self._got_on = False
                most = self._settings.retries
                if not self.run.ran:
                    most = _START_TRIES if most is None else min(most, _START_TRIES)
                if most is not None and tries > most:
                    raise RefusedError(f"{lost} (tried {tries} times)") from None
                pause = _FIRST_PAUSE_SECONDS * 2 ** min(tries - 1, 10)
                self._pause(min(pause, self._settings.retry_seconds))

    def _replicate(self) -> str:
        """From wherever it is to its end: why it stopped by itself."""
        run = self.run
        source, target = self._connect()
        if self._anew or not (run.applying or self._beginning.adopt(source, target)):
            self._begin(source, target)
        self._watcher.count(target)
        if run.kind == "full-load":
            self._remove_objects()
            return "FULL_LOAD_ONLY_FINISHED"
        if run.cached_until is not None and self._settings.stop_after_load:
            run.cached_until = None
            return "STOPPED_AFTER_FULL_LOAD"
        if not self.disturbances.stalled:
            self._enable()
        self._set_running()
        self._validate(source.place, target.place)
        return self._watch(source, target)

    def _begin(self, source: Link, target: Link) -> None:
        self._around.changed()
        try:
            self._beginning.execute(self._task.document["TableMappings"], source, target)
        except BaseException:
            if self.run.may_have_objects and not self.run.applying:
                self._remove_objects()
            raise
        self._anew = False
        self._around.changed()

    def _enable(self) -> None:
        """Let changes flow, and wait a little for the first sign of it."""
        source, target = self._links()
        objects.enable(target, self.run.name, source.place)
        until = time.monotonic() + _FIRST_SIGN_SECONDS
        while not look_at_target(target, self.run.name).working and time.monotonic() < until:
            self._pause(POLL_SECONDS / 5)

    def _validate(self, source: Place, target: Place) -> None:
        if self._settings.validate:
            self._validator = Validator(self.run, source, target)
            self._validator.start()
        else:
            for table in self.run.tables.values():
                table.validation = NOT_ENABLED

    def _watch(self, source: Link, target: Link) -> str:
        while True:
            self.disturbances.carry_out(target, self._enable)
            seen = self._watcher.look(source, target, stalled=self.disturbances.stalled)
            self._got_on = True
            if self.run.cached_until is not None and seen.applied >= self.run.cached_until:
                self.run.cached_until = None
                self._disable()
                return "STOPPED_AFTER_CACHED_EVENTS"
            self._pause(POLL_SECONDS)

    # --- ending -------------------------------------------------------------------------------------------------------
    def _end_asked(self) -> None:
        """A stop: the slot keeps what comes from now on. A target that is away now must not go on when it is back."""
        if self._closing:
            return
        self._disconnect()
        self._halt.clear()
        try:
            if self.run.applying:
                self._bear(self._disable)
        except Halted:
            return  # the account ends: left as it is, in "stopping"
        except _Trouble as problem:
            self._fail(f"it could not be stopped, and may go on: {problem}")
            return
        self._come_to_rest("stopped", StopReason="Stop Reason NORMAL")

    def _disable(self) -> str:
        _, target = self._links()
        objects.disable(target, self.run.name)
        self._watcher.count(target)
        return ""

    def _fail(self, problem: str) -> None:
        """Nothing goes on; what is there stays, so that the task can be resumed once the cause is gone."""
        try:
            if self.run.applying:
                self._disable()
        except _Trouble:
            log.warning("the subscription of %s could not be disabled", self._task.arn)
        self._come_to_rest("failed", StopReason=_FATAL, LastFailureMessage=f"Last Error  {problem} {_FATAL}")

    def _come_to_rest(self, status: str, **told: Any) -> None:
        self._disconnect()
        self.run.ended = time.time()
        self._tell(Status=status, **told)
        self._around.changed()

    def _remove_objects(self) -> None:
        """All that this task has made on either side, as far as the servers can be reached."""
        source, target = self._links()
        problems = objects.remove(source, target, self.run.name)
        self.run.applying, self.run.may_have_objects = False, bool(problems)
        for problem in problems:
            log.warning("left behind by %s: %s", self._task.arn, problem)

    # --- shared -------------------------------------------------------------------------------------------------------
    def _set_running(self) -> None:
        self.run.ran = True
        self._tell(Status="running")
        self._around.changed()

    def _tell(self, **told: Any) -> None:
        with self._around.lock:
            self._task.document.update(told)

    def _pause(self, seconds: float) -> None:
        self._wake.wait(seconds)
        self._wake.clear()
        self._check()

    def _check(self) -> None:
        if self._halt.is_set():
            raise Halted

    def _links(self) -> tuple[Link, Link]:
        """To source and target, each connected when it is used."""
        if self._source is None or self._target is None:
            return self._connect()
        return self._source, self._target

    def _connect(self) -> tuple[Link, Link]:
        source, target = (Link(place, _STATEMENT_SECONDS) for place in self._around.places())
        self._source, self._target = source, target
        return source, target

    def _disconnect(self) -> None:
        if self._validator:
            self._validator.stop()
            self._validator = None
        for link in (self._source, self._target):
            if link:
                link.close()
        self._source = self._target = None
