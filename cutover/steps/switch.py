"""Switch: the application is pointed at Aurora, all requests at AWS. Nobody can write yet: both gates are closed."""

from __future__ import annotations

from typing import Any

from cutover.steps.common import databases, fence, gates, record, settings, traffic
from cutover.steps.common.aside import together
from cutover.steps.common.door import Call, Done, step
from cutover.steps.common.errors import Blocked

# What stood before, for the way back.
BEFORE = "before"


@step("switch", uses=("elbv2",))
def handle(call: Call) -> Done:
    """What stood before is kept once, so that a second call does not take its own work for it.

    Under the target's lock: a way back that has begun waits for it, and undoes it afterwards.
    """
    call.deadline.check("switching")
    with databases.on_both() as both, fence.owned(both.target, call.run_id) as owned:
        if owned.word == "opened":
            raise Blocked("the target takes writes already: there is nothing to switch")
        if owned.word != "claimed":
            raise Blocked(f"cutover {call.run_id} is on its way back: it has {owned.word}")
        _, pointer, (weights, live) = together(
            lambda: gates.check_reversed(both, call.run_id, settings.roles()),
            traffic.read_pointer,
            traffic.read_weights,
        )
        wanted = traffic.all_to(live, weights) if weights else {}
        moves = bool(weights) and not traffic.are_same(weights, wanted)
        if moves and not traffic.healthy_targets(live):
            raise Blocked(
                "the live target group has no healthy target: moving the requests there would end all reads",
                hint="look at the service's tasks",
            )
        previous = record.keep_first(
            record.key(call.run_id, BEFORE), {"pointer": pointer, "weights": weights if moves else {}}
        )
        works: list[Any] = [lambda: traffic.point_at(traffic.AURORA)]
        if moves:
            works.append(lambda: traffic.set_weights(wanted))
        together(*works)
    return Done({"previous": previous, "weights": wanted if moves else weights}, phase="switched")
