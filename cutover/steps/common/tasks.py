"""DMS's replication tasks: started and stopped by what they say of themselves, and waited for."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from cutover.steps.common.cloud import client, is_code
from cutover.steps.common.deadline import Deadline
from cutover.steps.common.errors import Blocked

# A task that is at rest; nothing moves.
RESTING = ("ready", "stopped", "failed")
_PAUSE_SECONDS = 0.1
# So long after a start DMS may still tell how the task was before.
_LATE_SECONDS = 5.0
_REFUSED_NOW = "InvalidResourceStateFault"
# Around each request that moves a task: see `fence.going_on`.
Guard = Callable[[], AbstractContextManager[None]]


def describe(arn: str) -> dict[str, Any]:
    """A task as DMS describes it; raises `Blocked` where there is none."""
    from botocore.exceptions import ClientError

    wanted = [{"Name": "replication-task-arn", "Values": [arn]}]
    try:
        found = client("dms").describe_replication_tasks(Filters=wanted, WithoutSettings=True)["ReplicationTasks"]
    except ClientError as error:
        if not is_code(error, "ResourceNotFoundFault"):
            raise
        found = []
    if not found:
        raise Blocked(f"there is no replication task {arn}", hint="deploy the migration tier")
    task: dict[str, Any] = found[0]
    return task


def is_moving(arn: str) -> bool:
    """Whether it is anything but at rest."""
    return describe(arn)["Status"] not in RESTING


def stop(arn: str, deadline: Deadline, guard: Guard = nullcontext) -> str:
    """Bring it to rest, from whatever it does; its status then. Raises what `guard` raises where it has to be asked."""
    asked = False

    def look() -> str | None:
        nonlocal asked
        status: str = describe(arn)["Status"]
        if status in RESTING:
            return status
        if status == "running" and not asked:
            with guard():
                asked = _ask("stop_replication_task", arn)
        return None

    return deadline.wait(look, f"waiting for {_name(arn)} to stop", _PAUSE_SECONDS)


def start(arn: str, kind: str, deadline: Deadline, guard: Guard = nullcontext) -> bool:
    """Bring it to run by a start of `kind`; False where it ran already. Raises `Blocked` when it fails.

    Also what `guard` raises where it has to be asked.
    """
    asked_at: float | None = None
    before = ""

    def look() -> bool | None:
        nonlocal asked_at, before
        task = describe(arn)
        status = task["Status"]
        if status == "running":
            return asked_at is not None
        if status not in RESTING:
            before = status
        elif asked_at is None:
            before = status
            with guard():
                asked_at = (
                    time.monotonic() if _ask("start_replication_task", arn, StartReplicationTaskType=kind) else None
                )
        elif status != before or time.monotonic() > asked_at + _LATE_SECONDS:
            why = task.get("LastFailureMessage") or task.get("StopReason") or "no reason given"
            raise Blocked(f"{_name(arn)} does not run, it is {status}: {why}")
        return None

    return deadline.wait(look, f"waiting for {_name(arn)} to run", _PAUSE_SECONDS)


def _ask(operation: str, arn: str, **more: str) -> bool:
    """Whether DMS took it; it refuses what its state does not allow, which the next look tells."""
    from botocore.exceptions import ClientError

    try:
        getattr(client("dms"), operation)(ReplicationTaskArn=arn, **more)
    except ClientError as error:
        if not is_code(error, _REFUSED_NOW):
            raise
        return False
    return True


def _name(arn: str) -> str:
    return f"the replication task {arn.rpartition(':')[2]}"
