"""Makes things break: the faults of a rehearsal, done to what really runs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from rehearsal.rehearse.databases import AURORA, DATA_CENTER
from rehearsal.rehearse.execution import Cutover, Look
from rehearsal.rehearse.faults import Fault
from rehearsal.rehearse.machine import called, read_definition, write_definition
from rehearsal.rehearse.observer import wait_until
from rehearsal.rehearse.stage import Stage
from settings.errors import UserError

_AWAY_SECONDS = 2.0
_PATIENCE_SECONDS = 5
_HANG_SECONDS = 10.0
_TIMED_OUT = "Sandbox.Timedout"


class Breaker:
    """Brings one fault about, at its time; `None` brings about nothing."""

    def __init__(self, fault: Fault | None, stage: Stage, cutover: Cutover) -> None:
        self._fault = fault
        self._stage = stage
        self._cutover = cutover
        self._mend: Callable[[], object] | None = None
        self.struck_at: float | None = None
        self.seen_before = 0

    @property
    def pending(self) -> bool:
        """Whether something is still to break."""
        return self._fault is not None and self.struck_at is None

    @property
    def is_away(self) -> bool:
        """Whether nobody answers."""
        return self._fault is not None and self._fault.kind == "operator-away"

    def prepare(self) -> None:
        """What has to be so before the cutover begins."""
        if self._fault is None:
            return
        if self._fault.kind == "operator-away":
            self._shorten_the_wait(self._fault.state)
        if self._fault.kind == "function-timeout":
            name = self._function(self._fault.state)
            functions = self._stage.account.client("lambda")
            before = functions.get_function_configuration(FunctionName=name)["Timeout"]
            functions.update_function_configuration(FunctionName=name, Timeout=_PATIENCE_SECONDS)
            self._mend = lambda: functions.update_function_configuration(FunctionName=name, Timeout=before)

    def watch(self, look: Look) -> bool:
        """Break it once its state has been entered, and mend what is to break only once: whether it broke now."""
        if self._mend and any(_TIMED_OUT in failure for failure in look.failures):
            self._mend()
            self._mend = None
        if self._fault is None or not self.pending or self._fault.state not in look.entered:
            return False
        time.sleep(self._fault.delay_seconds)
        self.seen_before = look.entered.count("WatchOn")
        if self._strike(self._fault):
            self.struck_at = time.time()
        return not self.pending

    def _strike(self, fault: Fault) -> bool:
        """Whether it could be brought about."""
        stage = self._stage
        if fault.kind in ("source-killed", "target-killed"):
            server = stage.databases.of(DATA_CENTER if fault.kind == "source-killed" else AURORA)
            server.stop("immediate")
            time.sleep(_AWAY_SECONDS)
            server.start()
        elif fault.kind == "connection-cut":
            stage.cut()
        elif fault.kind == "replication-stalled":
            return self._disturb(stall=True)
        elif fault.kind == "row-corrupted":
            return self._disturb(corrupt={"table": "public.payment", "column": "amount"})
        elif fault.kind == "function-timeout":
            self._hang(self._function(fault.state))
        elif fault.kind == "machine-stopped":
            self._cutover.stop()
        return True

    def _disturb(self, **what: Any) -> bool:
        """Only a task that runs can be disturbed."""
        account = self._stage.account
        try:
            account.ask("replication", {"task": account["Migration.ForwardTaskArn"], **what})
        except UserError:
            return False
        return True

    # --- functions and the state machine ------------------------------------------------------------------------------
    def _hang(self, name: str) -> None:
        """Let the function that runs now hang, until its runtime ends it."""
        marks = (f"AWS_LAMBDA_FUNCTION_NAME={name}", f"AWS_ENDPOINT_URL={self._stage.account.url}")
        found: list[int] = []

        def look() -> bool:
            found[:] = find_processes(marks)
            return bool(found)

        wait_until(look, _HANG_SECONDS, self._stage.check, pause=0.02)
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def _function(self, state: str) -> str:
        """The name of the function that a state calls."""
        arn = dict(called(read_definition(self._stage.account)))[state]
        return arn.rpartition(":")[2]

    def _shorten_the_wait(self, state: str) -> None:
        """Nobody is away for hours in a rehearsal: the state waits for seconds, all else is as it was deployed."""
        definition = read_definition(self._stage.account)
        definition["States"][state]["TimeoutSeconds"] = _PATIENCE_SECONDS
        write_definition(self._stage.account, definition)


def find_processes(marks: tuple[str, ...]) -> list[int]:
    """The processes of this machine whose environment has all of these."""
    wanted = {mark.encode() for mark in marks}
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if wanted <= set(place.read_bytes().split(b"\0")):
                found.append(int(place.parent.name))
    return found
