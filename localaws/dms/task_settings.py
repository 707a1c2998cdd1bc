"""What a task's settings say about how it moves rows, with DMS's defaults where they say nothing. Pure.

https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TaskSettings.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

_STOP = "STOP_TASK"


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """`retries` lost connections in a row are borne (None: any number), at most `retry_seconds` apart.

    `stop_at` holds what ends the task when a change meets no row of its kind: "update", "delete".
    """

    prep_mode: str
    stop_after_load: bool
    stop_after_cached: bool
    transaction_seconds: int
    validate: bool
    fail_without_tables: bool
    retries: int | None
    retry_seconds: float
    stop_at: frozenset[str]
    truncates: bool


def read_settings(document: str) -> TaskSettings:
    """From the JSON of ReplicationTaskSettings; "" where a task has none."""
    given: dict[str, dict[str, Any]] = json.loads(document or "{}")
    load, errors = given.get("FullLoadSettings", {}), given.get("ErrorBehavior", {})
    retries = int(errors.get("RecoverableErrorCount", -1))
    policies = {"update": "ApplyErrorUpdatePolicy", "delete": "ApplyErrorDeletePolicy"}
    return TaskSettings(
        prep_mode=load.get("TargetTablePrepMode", "DROP_AND_CREATE"),
        stop_after_load=bool(load.get("StopTaskCachedChangesNotApplied", False)),
        stop_after_cached=bool(load.get("StopTaskCachedChangesApplied", False)),
        transaction_seconds=int(load.get("TransactionConsistencyTimeout", 600)),
        validate=bool(given.get("ValidationSettings", {}).get("EnableValidation", False)),
        fail_without_tables=bool(errors.get("FailOnNoTablesCaptured", True)),
        retries=None if retries < 0 else retries,
        retry_seconds=float(errors.get("RecoverableErrorInterval", 5)),
        stop_at=frozenset(kind for kind, policy in policies.items() if errors.get(policy) == _STOP),
        truncates=bool(given.get("ChangeProcessingDdlHandlingPolicy", {}).get("HandleSourceTableTruncated", True)),
    )
