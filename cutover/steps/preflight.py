"""Preflight: may the cutover begin? Every reason against it at once, and nothing is done while there is one.

What it does where there is none: it takes the lock of cutovers, and claims the fence of both sides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from cutover.readiness.report import examine
from cutover.steps.common import databases, fence, gates, health, markers, record, settings, tasks, traffic
from cutover.steps.common.aside import together
from cutover.steps.common.cloud import client
from cutover.steps.common.completeness import missing_on_target
from cutover.steps.common.databases import Both
from cutover.steps.common.door import Call, Done, step
from cutover.steps.common.errors import Blocked, NotReady, Retry, translate

_MOST_LAG_SECONDS = 5.0
_VALID_HOURS = 24.0
_WAL_SECONDS, _LONG_SECONDS = 1.0, 60.0
_EXECUTIONS = 20

Check = Callable[[], list[str]]


@step("preflight", uses=("dms", "elbv2", "stepfunctions"))
def handle(call: Call) -> Done:
    """Called again before the freeze it looks anew; once the run has frozen something, it is `Blocked`."""
    began = time.monotonic()
    facts: dict[str, Any] = {}
    holder, taken = record.take_lock(call.run_id)
    if holder != call.run_id:
        raise NotReady([f"cutover {holder} is under way"])
    try:
        reasons = _reasons(call, facts) or _claim(call)
    except Exception:
        if taken:
            record.release(call.run_id)
        raise
    if reasons:
        record.release(call.run_id)
        raise NotReady(reasons)
    return Done({**facts, "seconds": round(time.monotonic() - began, 3)}, phase="preflight")


def _reasons(call: Call, facts: dict[str, Any]) -> list[str]:
    """All of them; what cannot be looked at is one. Raises `Blocked` for a run that has begun."""

    def attempt(check: Check) -> list[str]:
        try:
            return check()
        except Exception as error:
            if (known := translate(error)) is None:
                raise
            return [str(known)]

    checks: list[Check] = [
        partial(_databases, call, facts),
        partial(_forward, facts),
        _reverse,
        _pointer,
        partial(_validation, facts),
        health.alarms,
        _live_targets,
    ]
    try:
        found = together(*(partial(attempt, check) for check in checks))
    except _BegunError as begun:
        raise Blocked(str(begun), hint="go on with it or roll it back; a new one needs a new run_id") from None
    return [reason for reasons in found for reason in reasons]


class _BegunError(Exception):
    """The run is past the point where it can be refused."""


# --- the databases ---------------------------------------------------------------------------------------------------
def _databases(call: Call, facts: dict[str, Any]) -> list[str]:
    with databases.on_both() as both:
        reasons = _standing(call, both)
        schemas, roles = settings.schemas(), settings.roles()
        reasons += missing_on_target(both.source, both.target, schemas)
        found = examine(
            both.source, both.target, schemas, roles, interval_seconds=_WAL_SECONDS, long_seconds=_LONG_SECONDS
        )
        reasons += [f"{one.text} ({one.object or one.code})" for one in found if one.severity in ("blocker", "unread")]
        facts["findings"] = len(found)
        facts["lag_seconds"], late = _lag(call, both)
        return reasons + late


def _standing(call: Call, both: Both) -> list[str]:
    """Exactly the source's gate is open, and no other run is at work. Raises `Blocked` when this one is."""
    roles, reasons = settings.roles(), []
    for session in (both.source, both.target):
        found, side = fence.read(session), session.endpoint.side
        if found.run_id == call.run_id and found.word != "claimed":
            raise _BegunError(f"cutover {call.run_id} is beyond its preflight: the {side} is {found.word}")
        if found.run_id != call.run_id and found.word not in fence.IDLE:
            reasons.append(f"cutover {found.run_id} has not ended on the {side} ({found.word})")
    if not gates.is_open(both.source, roles):
        reasons.append(f"the source's gate is closed: {roles.application} is no member of {roles.writer}")
    if gates.is_open(both.target, roles):
        reasons.append("the target's gate is open: the application could write on both sides")
    return reasons


def _lag(call: Call, both: Both) -> tuple[float | None, list[str]]:
    """How long a marker takes to the target: a metric reads 0 when nothing moves."""
    most = settings.number("MOST_LAG_SECONDS", _MOST_LAG_SECONDS)
    identifier = markers.identify(call.run_id, "preflight", time.time_ns())
    began = time.monotonic()
    markers.write(both.source, identifier)
    try:
        markers.await_arrival(both.target, identifier, call.deadline.within(most), "waiting for the marker")
    except Retry:
        return None, [f"replication is more than {most:g} s behind: a marker has not arrived"]
    return round(time.monotonic() - began, 3), []


def _claim(call: Call) -> list[str]:
    with databases.on_both() as both:
        # The source first: whoever had it can freeze it no more, before the target is taken from them.
        for session in (both.source, both.target):
            if other := fence.claim(session, call.run_id):
                return [other]
    return []


# --- what AWS says ---------------------------------------------------------------------------------------------------
def _forward(facts: dict[str, Any]) -> list[str]:
    reasons, facts["tables"] = health.forward()
    return reasons


def _reverse() -> list[str]:
    status = tasks.describe(settings.text("REVERSE_TASK_ARN"))["Status"]
    return [] if status in ("ready", "stopped") else [f"the reverse task is {status}, not at rest"]


def _pointer() -> list[str]:
    found = traffic.read_pointer()
    return [] if found == traffic.DATA_CENTER else [f"the pointer is {found}, not {traffic.DATA_CENTER}"]


def _validation(facts: dict[str, Any]) -> list[str]:
    """The last comparison of all tables that has ended is a success, and not old."""
    hours = settings.number("VALIDATION_HOURS", _VALID_HOURS)
    machine, states = settings.text("VALIDATION_STATE_MACHINE_ARN"), client("stepfunctions")
    for execution in states.list_executions(stateMachineArn=machine, maxResults=_EXECUTIONS)["executions"]:
        if execution["status"] in ("RUNNING", "ABORTED"):
            continue  # one that was stopped, as what a cutover compares beforehand is, has found out nothing
        if '"tables"' in states.describe_execution(executionArn=execution["executionArn"]).get("input", "{}"):
            continue  # of some tables only
        facts["validation"] = execution["name"]
        if execution["status"] != "SUCCEEDED":
            return [f"the last validation, {execution['name']}, ended as {execution['status']}"]
        if datetime.now(UTC) - execution["stopDate"] > timedelta(hours=hours):
            return [f"the last validation, {execution['name']}, is older than {hours:g} hours"]
        return []
    return ["no validation of all tables has ended"]


def _live_targets() -> list[str]:
    """Where requests still go to the data centre, there must be somebody on AWS to take them."""
    weights, live = traffic.read_weights()
    if not weights or traffic.are_same(weights, traffic.all_to(live, weights)) or traffic.healthy_targets(live):
        return []
    return ["the live target group has no healthy target, and requests are to be moved there"]
