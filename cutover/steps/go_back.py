"""Go back, first half: the target takes no writes any more, and all that it took is on the source, sequences too.

Both gates are closed when it is done: there is time for a validation, with the answer's marker, before `rollback` opens
the source's.
"""

from __future__ import annotations

from cutover.steps.common import record
from cutover.steps.common.door import Call, Done, step
from cutover.steps.common.returning import rest


@step("go_back", uses=("dms",), budgeted=False)
def handle(call: Call) -> Done:
    """No budget: the way back is gone to its end."""
    record.announce(call.run_id, "rolling_back")
    rested = rest(call)
    return Done({"opened": rested.opened, "marker": rested.marker, "terminated": rested.terminated})
