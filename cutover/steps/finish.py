"""Finish: the payments stay on AWS. The reverse task runs on, and so the way back stays open until it is deleted."""

from __future__ import annotations

from cutover.steps.common import databases, fence, gates, record, settings
from cutover.steps.common.door import Call, Done, step
from cutover.steps.common.errors import Blocked


@step("finish")
def handle(call: Call) -> Done:
    """Only where the payments are on AWS, and nowhere else."""
    with (
        databases.on_both() as both,
        fence.owned(both.target, call.run_id) as there,
        fence.owned(both.source, call.run_id) as here,
    ):
        _check(there, ("opened", "ended"), opened=True)
        _check(here, ("frozen", "ended"), opened=False)
        for owned in (there, here):
            if owned.word != "ended":
                owned.write("ended")
    record.release(call.run_id)
    return Done({"finished": True}, phase="done")


def _check(owned: fence.Fence, words: tuple[str, ...], *, opened: bool) -> None:
    found = gates.is_open(owned.session, settings.roles())
    if owned.word not in words or found != opened:
        side, state = owned.session.endpoint.side, "open" if found else "closed"
        raise Blocked(f"the {side} is {owned.word}, its gate {state}: the payments are not on AWS alone")
