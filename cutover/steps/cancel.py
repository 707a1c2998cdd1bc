"""Cancel: a run that has frozen nothing gives up its claims; the next one can begin."""

from __future__ import annotations

from cutover.steps.common import databases, fence, record
from cutover.steps.common.door import Call, Done, step
from cutover.steps.common.errors import Blocked


@step("cancel")
def handle(call: Call) -> Done:
    """After a refusal, or an approval that nobody gave in time."""
    with databases.on_both() as both:
        for session, word in ((both.source, "ended"), (both.target, "returned")):
            with fence.held(session):
                found = fence.read(session)
                if found.run_id != call.run_id or found.word == word:
                    continue
                if found.word != "claimed":
                    raise Blocked(f"the {session.endpoint.side} is {found.word}: roll back instead")
                found.write(word)
    record.release(call.run_id)
    return Done({"cancelled": True}, phase="replicating")
