"""Drain: a marker written on the frozen source is on the target, and so is all that was accepted before it."""

from __future__ import annotations

import time

from cutover.steps.common import databases, fence, gates, markers, settings
from cutover.steps.common.door import Call, Done, step


@step("drain")
def handle(call: Call) -> Done:
    """A run writes one marker, after its freeze: called again, this waits for the same one.

    `opened` says that the target takes writes already: whoever resumes the run must not validate and switch again.
    """
    began = time.monotonic()
    call.deadline.check("draining")
    with databases.on_both() as both:
        gates.check_frozen(both.source, call.run_id, settings.roles())
        opened = fence.read(both.target).word == "opened"
        identifier = markers.identify(call.run_id, gates.DRAIN)
        written = markers.write(both.source, identifier)
        doing = f"waiting for the marker at {written.lsn} on the target"
        markers.await_arrival(both.target, identifier, call.deadline, doing)
    seconds = time.monotonic() - began
    answer = {"marker": written.id, "lsn": written.lsn, "seconds": round(seconds, 3), "opened": opened}
    return Done(answer, phase="drained", metrics={"DrainSeconds": seconds})
