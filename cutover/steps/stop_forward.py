"""Stop the forward task: nothing of the source is applied to the target any more."""

from __future__ import annotations

from functools import partial

from cutover.steps.common import databases, fence, gates, settings, tasks
from cutover.steps.common.door import Call, Done, step


@step("stop_forward", uses=("dms",))
def handle(call: Call) -> Done:
    """Only once the target has everything; and never after a way back, which lets it run again."""
    call.deadline.check("stopping the forward task")
    with databases.on("target") as target:
        gates.check_drained(target, call.run_id)
        guard = partial(fence.going_on, target, call.run_id)
        status = tasks.stop(settings.text("FORWARD_TASK_ARN"), call.deadline, guard)
    return Done({"status": status})
