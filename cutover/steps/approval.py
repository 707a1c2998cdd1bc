"""Approval: keep the token that a person's answer needs, and say that an answer is awaited.

Event: {"run_id", "task_token", "question": "freeze", "switch" or "stay"}. The state machine waits. cutover/decisions.py
gives the answer: yes is a success with {"decision": "approved", "question", "by"}; no is the error `Rejected`, after
which nothing is done (freeze), or the cutover rolls back (switch), or goes back (stay).
"""

from __future__ import annotations

import time

from cutover.steps.common import record
from cutover.steps.common.door import Call, Done, step
from cutover.steps.common.errors import Blocked

QUESTIONS = ("freeze", "switch", "stay")
NAME = "open_approval"


@step("approval")
def handle(call: Call) -> Done:
    """Called again with another token, the newer one counts: the older one's wait is over."""
    question, token = call.event.get("question", "freeze"), call.event.get("task_token")
    if question not in QUESTIONS or not token:
        raise Blocked(f"an approval needs a task_token and a question of {', '.join(QUESTIONS)}")
    asked = {"question": question, "task_token": token, "asked_at": time.time()}
    record.write_object(record.key(call.run_id, NAME), asked)
    return Done({"question": question}, phase="awaiting_approval" if question == "freeze" else "")
