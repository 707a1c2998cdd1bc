"""Stuck: neither on nor back by itself. Nothing is touched; the answer says what is open and what a person can do."""

from __future__ import annotations

import json
from typing import Any

from cutover.steps.common import databases, fence, gates, settings
from cutover.steps.common.door import Call, Done, step
from cutover.steps.common.errors import Blocked, BudgetExceeded, NotReady, Retry, translate

_OURS = {kind.__name__ for kind in (NotReady, Retry, BudgetExceeded, Blocked)}


@step("stuck")
def handle(call: Call) -> Done:
    """Event: {"error", "cause"} of what failed last. The metric `Stuck` is what an alarm stands on."""
    seen = "; ".join(_look(side) for side in databases.SIDES)
    failed = _failed(str(call.event.get("error", "an unknown error")), call.event.get("cause"))
    cause = (
        f"cutover {call.run_id} is stuck after {failed}. {seen}. Once what failed works again: "
        "python -m cutover go-back (to the data centre, with all that AWS took), or python -m cutover resume"
    )
    return Done({"cause": cause}, phase="stuck", metrics={"Stuck": 1.0})


def _failed(error: str, cause: Any) -> str:
    """With what a step has said, from the document that Lambda makes of it. What others say may hold values of rows."""
    if error not in _OURS:
        return error
    try:
        return f"{error} ({json.loads(cause)['errorMessage']})"
    except (ValueError, TypeError, LookupError):
        return error


def _look(side: str) -> str:
    try:
        with databases.on(side) as session:
            state = "open" if gates.is_open(session, settings.roles()) else "closed"
            return f"the {side}'s gate is {state} ({fence.read(session).word or 'unclaimed'})"
    except Exception as error:
        if translate(error) is None:
            raise
        return f"the {side} cannot be looked at"
