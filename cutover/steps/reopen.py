"""Reopen: the target's gate opens. From its first payment on, the way back leads through the reverse task."""

from __future__ import annotations

import time

from cutover import gate
from cutover.steps.common import databases, fence, gates, settings, traffic
from cutover.steps.common.aside import together
from cutover.steps.common.door import Call, Done, step
from cutover.steps.common.errors import Blocked


@step("reopen")
def handle(call: Call) -> Done:
    """The word and the gate change in one transaction: whoever goes back later knows for sure whether it was open.

    That the source stays closed is sure as well: only a way back opens it, and that writes its word here before.
    """
    roles = settings.roles()
    with databases.on_both() as both, fence.owned(both.target, call.run_id) as owned:
        if owned.word not in ("claimed", "opened"):
            raise Blocked(f"cutover {call.run_id} opens nothing any more: it has {owned.word}")
        if owned.word == "claimed":
            call.deadline.check("opening the target's gate")
            gates.check_reversed(both, call.run_id, roles)
            _, pointer = together(lambda: gates.check_sequences(both), traffic.read_pointer)
            if pointer != traffic.AURORA:
                raise Blocked(f"the pointer is {pointer}, not {traffic.AURORA}: switch first")
            with both.target.transaction():
                owned.write("opened")
                gate.open(both.target, roles.application, roles.writer)
        frozen_at, opened_at = fence.read(both.source).frozen_at, owned.opened_at or time.time()
        if not gates.is_open(both.target, roles):
            raise Blocked("the target's gate was closed from outside after it was opened")
    pause = max(opened_at - (frozen_at or opened_at), 0.0)
    return Done({"write_pause_seconds": round(pause, 3)}, phase="reopened", metrics={"WritePauseSeconds": pause})
