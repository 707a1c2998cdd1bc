"""Freeze: close the source's gate, and let no transaction live on that could still commit a write."""

from __future__ import annotations

import time

from cutover.steps.common import databases, fence, gates, settings
from cutover.steps.common.door import Call, Done, step
from cutover.steps.common.errors import Blocked


@step("freeze")
def handle(call: Call) -> Done:
    """The budget runs from the moment at which the gate began to close, also when this is called again."""
    roles = settings.roles()
    began = time.monotonic()
    with databases.on("source") as source, fence.owned(source, call.run_id) as owned:
        if owned.word not in ("claimed", "closing", "frozen"):
            raise Blocked(f"cutover {call.run_id} closes nothing any more: it has {owned.word}")
        if owned.word == "frozen":
            # What was written through a gate opened from outside came after the marker: it must not pass for drained.
            gates.check_frozen(source, call.run_id, roles)
            return _done(owned, 0, 0.0)
        if owned.word != "closing":
            owned.write("closing")
        call.deadline.freeze(owned.frozen_at or owned.since)
        call.deadline.check("closing the source's gate")
        terminated = gates.close(source, roles, call.deadline)
        owned.write("frozen")
    return _done(owned, terminated, time.monotonic() - began)


def _done(owned: fence.Fence, terminated: int, waited: float) -> Done:
    answer = {"frozen_at": owned.frozen_at, "waited_ms": round(waited * 1000), "terminated": terminated}
    return Done(answer, phase="frozen")
