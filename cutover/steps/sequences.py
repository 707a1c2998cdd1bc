"""Sequences: replication does not carry them, so the target's are moved past where the frozen source's stand.

The state machine waits for what comes next, the final validation or a person, as long as the budget lasts; a definition
cannot subtract, so this step says how long that is. Event: {"most_seconds": the longest, also without a budget}.
"""

from __future__ import annotations

from cutover import sequences
from cutover.steps.common import databases, gates, settings
from cutover.steps.common.door import Call, Done, step


@step("sequences")
def handle(call: Call) -> Done:
    """Never back: called again, it finds them where they should be, and less time left."""
    call.deadline.check("setting the sequences")
    with databases.on_both() as both:
        gates.check_frozen(both.source, call.run_id, settings.roles())
        plan = sequences.advance(both.source, both.target, settings.schemas(), settings.sequence_margin())
    left = call.deadline.hand_on(int(call.event["most_seconds"]), "the final validation")
    return Done({"moved": len(plan.moves), "right": plan.right, "seconds_left": left})
