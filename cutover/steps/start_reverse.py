"""Start the reverse task, from now on, and see that what is written on the target arrives on the source.

Only after the forward task is at rest: else each would carry what the other brought. And never once a way back has
begun, which brings it to rest.
"""

from __future__ import annotations

import time
from functools import partial

from cutover.steps.common import databases, fence, gates, markers, settings, tasks
from cutover.steps.common.aside import together
from cutover.steps.common.door import Call, Done, step
from cutover.steps.common.errors import Blocked


@step("start_reverse", uses=("dms",))
def handle(call: Call) -> Done:
    """A task that runs already was started by an earlier call: preflight has seen it at rest."""
    began = time.monotonic()
    call.deadline.check("starting the reverse task")
    with databases.on_both() as both:
        moving = together(
            lambda: gates.check_frozen(both.source, call.run_id, settings.roles()),
            lambda: gates.check_drained(both.target, call.run_id),
            lambda: tasks.is_moving(settings.text("FORWARD_TASK_ARN")),
        )[2]
        if moving:
            raise Blocked("the forward task is not at rest: stop it first")
        guard = partial(fence.going_on, both.target, call.run_id)
        tasks.start(settings.text("REVERSE_TASK_ARN"), "start-replication", call.deadline, guard)
        doing = "waiting for a marker of the target on the source"
        seen = markers.prove_flow(both.target, both.source, call.run_id, gates.REVERSE, call.deadline, doing)
    return Done({"marker": seen.id, "seconds": round(time.monotonic() - began, 3)}, phase="reversed")
