"""Roll back: from wherever the cutover is, to where the data centre takes the payments, with all that AWS took.

Ends with exactly one gate open, the source's, and the pointer at the data centre.
"""

from __future__ import annotations

from cutover.steps.common import databases, fence, record
from cutover.steps.common.door import Call, Done, step
from cutover.steps.common.returning import hand_over, rest, tidy


@step("rollback", uses=("dms", "elbv2"), budgeted=False)
def handle(call: Call) -> Done:
    """Payments first, replication afterwards. No budget: the way back is gone to its end."""
    record.announce(call.run_id, "rolling_back")
    rested = rest(call)
    hand_over(call, weights=not rested.before)
    told = tidy(call, opened=rested.opened)
    with databases.on("target") as target, fence.owned(target, call.run_id, force=True) as owned:
        owned.write("returned")
    record.release(call.run_id)
    return Done({"opened": rested.opened, "terminated": rested.terminated, **told}, phase="rolled_back")
