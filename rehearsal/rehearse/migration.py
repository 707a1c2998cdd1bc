"""The forward replication and the first validation: what has to be so before a cutover may begin."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rehearsal.errors import RehearsalError
from rehearsal.rehearse.account import Account

_PAUSE_SECONDS = 0.2
_LOAD_SECONDS, _VALIDATION_SECONDS = 600.0, 600.0


def wait(look: Callable[[], Any], seconds: float, what: str, check: Callable[[], object]) -> Any:
    """The first answer that is true; RehearsalError after `seconds`. `check` raises when waiting makes no sense."""
    until = time.monotonic() + seconds
    while not (found := look()):
        check()
        if time.monotonic() > until:
            raise RehearsalError(
                f"{what} did not happen within {seconds:g} s", hint="run it with --keep, read its logs"
            )
        time.sleep(_PAUSE_SECONDS)
    return found


def describe_task(account: Account, output: str) -> dict[str, Any]:
    """A replication task as DMS tells of it."""
    wanted = [{"Name": "replication-task-arn", "Values": [account[output]]}]
    answer = account.client("dms").describe_replication_tasks(Filters=wanted, WithoutSettings=True)
    found: dict[str, Any] = answer["ReplicationTasks"][0]
    return found


def load_everything(account: Account, then: Callable[[], None], check: Callable[[], object]) -> None:
    """Start the forward task; when it stops after its full load, call `then`, and let it go on with the changes."""
    _start(account, "start-replication")
    # Its settings say so: what is made after the load, must be there before the changes (templates/task_settings.py).
    wait(lambda: _is(account, "stopped"), _LOAD_SECONDS, "the full load", check)
    then()
    _start(account, "resume-processing")
    wait(lambda: _is(account, "running"), _LOAD_SECONDS, "the replication of changes", check)


def validate(account: Account, check: Callable[[], object]) -> dict[str, Any]:
    """Compare all tables by the validation's state machine: its report. RehearsalError when it finds a difference."""
    states = account.client("stepfunctions")
    machine = account["Validation.StateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine, input="{}")["executionArn"]

    def look() -> Any:
        found = states.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    ended = wait(look, _VALIDATION_SECONDS, "the validation of all tables", check)
    name = execution.rpartition(":")[2]
    if ended["status"] != "SUCCEEDED":
        why = str(ended.get("cause") or ended.get("error") or "no cause given")[:300]
        raise RehearsalError(
            f"the first validation ended as {ended['status']}: {why}", hint=f"its report is runs/{name}/ in the bucket"
        )
    bucket = account["Validation.ReportBucketName"]
    body = account.client("s3").get_object(Bucket=bucket, Key=f"runs/{name}/report.json")["Body"].read()
    report: dict[str, Any] = json.loads(body)
    return report


def adapt_functions(account: Account, ca: Path, smoke_url: str) -> None:
    """Let the functions verify both databases by the CA of this rehearsal, and ask its front door.

    All else of theirs is as it was deployed. Nobody but AWS can sign for Aurora's names, so its roots cannot hold here.
    """
    functions = account.client("lambda")
    for page in functions.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            variables = dict(function.get("Environment", {}).get("Variables", {}))
            wanted = {**variables, **{name: str(ca) for name in ("SOURCE_CA", "TARGET_CA") if name in variables}}
            if "SMOKE_URL" in variables or function["Handler"] == "cutover.steps.smoke.handle":
                wanted["SMOKE_URL"] = smoke_url
            if wanted != variables:
                functions.update_function_configuration(
                    FunctionName=function["FunctionName"], Environment={"Variables": wanted}
                )


def _start(account: Account, kind: str) -> None:
    account.client("dms").start_replication_task(
        ReplicationTaskArn=account["Migration.ForwardTaskArn"], StartReplicationTaskType=kind
    )


def _is(account: Account, status: str) -> bool:
    """Whether the forward task has this status; RehearsalError when it has failed."""
    task = describe_task(account, "Migration.ForwardTaskArn")
    if task["Status"] == "failed":
        raise RehearsalError(
            f"the forward task failed: {task.get('LastFailureMessage', 'no reason given')}",
            hint="run it with --keep, and read localaws/state.log in its folder",
        )
    return bool(task["Status"] == status)
