"""The door of every step: errors by the names that the machine knows, what was done written down, one line logged."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from cutover.steps.common import databases, record
from cutover.steps.common.cloud import client
from cutover.steps.common.deadline import Context, Deadline
from cutover.steps.common.errors import Blocked, translate

Event = Mapping[str, Any]
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a step: the run, what it was given, and until when."""

    run_id: str
    event: Event
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class Done:
    """What a step has done: its answer, the phase that the cutover is in now ("": as before), metrics."""

    answer: dict[str, Any] = field(default_factory=dict)
    phase: str = ""
    metrics: dict[str, float] = field(default_factory=dict)


Step = Callable[[Call], Done]
Handler = Callable[[Event, Context], dict[str, Any]]


def step(name: str, *, uses: tuple[str, ...] = (), budgeted: bool = True) -> Callable[[Step], Handler]:
    """Make a handler of a step; `uses` are the services of AWS that it asks, for a warm start.

    One that is not `budgeted` goes on however long writes are refused: it is the way to take them again.
    """

    def decorate(run: Step) -> Handler:
        @wraps(run)
        def handle(event: Event, context: Context) -> dict[str, Any]:
            if event.get("warm") is True:
                return _warm(uses)
            began, run_id = time.monotonic(), _run_of(event)
            deadline = Deadline(event if budgeted else {}, context)

            def tell(name: str, done: Done, **told: Any) -> None:
                took = {"seconds": round(time.monotonic() - began, 3), "waited_seconds": round(deadline.waited, 3)}
                print(json.dumps({"step": name, "run_id": run_id, **took}))
                record.tell(run_id, name, {**took, **told}, done.phase, done.metrics)

            try:
                done = run(Call(run_id, event, deadline))
            except Exception as error:
                known = translate(error)
                message = str(known or "a defect: see the function's log")
                tell(f"{name}.failed", Done(), error=type(known or error).__name__, message=message)
                if known is None or known is error:
                    raise
                raise known from None
            tell(name, done, answer=done.answer)
            return done.answer

        return handle

    return decorate


def _run_of(event: Event) -> str:
    run_id = str(event.get("run_id", ""))
    if not _RUN_ID.fullmatch(run_id):
        raise Blocked(f"run_id is {run_id!r}, not up to 80 letters, digits, - and _")
    return run_id


def _warm(uses: tuple[str, ...]) -> dict[str, Any]:
    """Import, connect and sign in, so that the next call of this process need not; what fails is for that to say."""
    for service in ("s3", "ssm", "cloudwatch", *uses):
        client(service)
    try:
        databases.warm()
    except Exception as error:
        if translate(error) is None:
            raise
        return {"warm": False}
    return {"warm": True}
