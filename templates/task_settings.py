"""Settings and table mappings of DMS tasks. Pure: plain data in, plain data out.

Every default of DMS that could lose or change a row without stopping is overridden here; nothing else is set, so that
what stands here is what matters.
https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TaskSettings.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

# Where DMS keeps its own tables on both sides: apart from the payments, so that neither task nor validator takes them
# for data. The runbook creates the schema; DMS does not.
ARTIFACTS_SCHEMA = "awsdms"
# Schema and table (cutover/marker.py).
MARKER = ("cutover", "marker")

_STOP = "STOP_TASK"
# DEFAULT holds informational messages and errors. DEBUG would hold values of rows: card data in a log.
_SEVERITY = "LOGGER_SEVERITY_DEFAULT"
_LOGGED = (
    "METADATA_MANAGER",
    "SORTER",
    "SOURCE_CAPTURE",
    "SOURCE_UNLOAD",
    "TABLES_MANAGER",
    "TARGET_APPLY",
    "TARGET_LOAD",
    "TASK_MANAGER",
    "TRANSFORMATION",
    "VALIDATOR",
)


def forward_settings(max_lob_kib: int) -> dict[str, Any]:
    """The forward task: everything there is, then every change."""
    return {
        **_common(max_lob_kib),
        "ErrorBehavior": _error_behavior(full_load=True),
        "FullLoadSettings": _full_load(),
    }


def reverse_settings(max_lob_kib: int) -> dict[str, Any]:
    """The reverse task: changes alone, from the moment it is started, inside the write freeze.

    With validation on it compares all rows that both sides already hold before those that change: the proof, at the
    moment of the switch, that there is a way back.
    """
    return {**_common(max_lob_kib), "ErrorBehavior": _error_behavior(full_load=False)}


def table_mappings(schemas: Iterable[str], excluded: Iterable[str]) -> dict[str, Any]:
    """Every table of the schemas, but those that DMS makes for itself and the `excluded`, each "schema.table".

    `%` takes partitioned tables together with their partitions: the rows would be loaded twice. Of the two, exclude the
    partitioned table, because later changes come under the names of its partitions. DMS moves nothing of what is
    excluded, and says so nowhere; the validator knows of no exclusion and compares these tables like all others.

    `_` in a name matches any character, and DMS documents no escape that works for PostgreSQL: a schema `my-data`
    beside `my_data` would move too, and a table `my-table` would be excluded with `my_table`. The exclusion of DMS's
    own has no `_` for the same reason.
    https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TableMapping.SelectionTransformation.Wildcards.html
    """
    selected = [("include", schema, "%") for schema in schemas]
    # The marker shows the cutover that all before it has arrived. Of its schema nothing else may go over: each side
    # keeps for itself which run holds it.
    selected.append(("include", *MARKER))
    selected.append(("exclude", "%", "awsdms%"))
    for name in excluded:
        schema, _, table = name.partition(".")
        selected.append(("exclude", schema, table))
    return {"rules": [_selection(number, *words) for number, words in enumerate(selected, start=1)]}


def _selection(number: int, action: str, schema: str, table: str) -> dict[str, Any]:
    return {
        "rule-type": "selection",
        "rule-id": str(number),
        "rule-name": str(number),
        "rule-action": action,
        "object-locator": {"schema-name": schema, "table-name": table},
        "filters": [],
    }


def _common(max_lob_kib: int) -> dict[str, Any]:
    return {
        "ChangeProcessingDdlHandlingPolicy": _ddl_handling(),
        "ControlTablesSettings": _control_tables(),
        "Logging": _logging(),
        "TargetMetadata": _target_metadata(max_lob_kib),
        "ValidationSettings": _validation(),
    }


def _target_metadata(max_lob_kib: int) -> dict[str, Any]:
    """Large values whole or not at all, transactions one by one.

    LOBs (json, text, bytea) move inline up to `max_lob_kib` KiB; `FailTasksOnLobTruncation` of the source endpoint
    stops the task at a larger one, instead of cutting it. Batch apply would merge the changes of several
    transactions, which breaks their order and forbids a unique index beside the primary key. The recovery table on
    the target says which transaction was applied last, so that a restart neither repeats nor drops one.
    """
    return {
        "BatchApplyEnabled": False,
        "FullLobMode": False,
        "LimitedSizeLobMode": True,
        "LobMaxSize": max_lob_kib,
        "SupportLobs": True,
        "TaskRecoveryTableEnabled": True,
    }


def _full_load() -> dict[str, Any]:
    """Into tables that exist: `pg_dump --schema-only` made them, with every type and constraint as in the source.

    DMS itself would make tables and primary keys alone. The task stops once the load and the changes cached during it
    are applied: then the runbook builds the secondary indexes and foreign keys, and resumes. It waits ten minutes for
    open transactions of the source, whose changes would otherwise be in neither the load nor the stream.
    """
    return {
        "CreatePkAfterFullLoad": False,
        "StopTaskCachedChangesApplied": True,
        "StopTaskCachedChangesNotApplied": False,
        "TargetTablePrepMode": "DO_NOTHING",
        "TransactionConsistencyTimeout": 600,
    }


def _logging() -> dict[str, Any]:
    """To CloudWatch, in the log group that the tier makes beforehand. Off by default."""
    return {
        "EnableLogging": True,
        "LogComponents": [{"Id": component, "Severity": _SEVERITY} for component in _LOGGED],
    }


def _control_tables() -> dict[str, Any]:
    """All of DMS's own tables on the target: what failed, what is suspended, how far the task is. Off by default."""
    return {
        "ControlSchema": ARTIFACTS_SCHEMA,
        "FullLoadExceptionTableEnabled": True,
        "HistoryTableEnabled": True,
        "HistoryTimeslotInMinutes": 5,
        "StatusTableEnabled": True,
        "SuspendedTablesTableEnabled": True,
    }


def _ddl_handling() -> dict[str, Any]:
    """What the source does to a table the target follows, but for dropping it: that is left to a person."""
    return {
        "HandleSourceTableAltered": True,
        "HandleSourceTableDropped": False,
        "HandleSourceTableTruncated": True,
    }


def _error_behavior(*, full_load: bool) -> dict[str, Any]:
    """Stop at the first row that cannot be moved.

    The defaults log it and go on (`LOG_ERROR`), or drop it (`IGNORE_RECORD` for deletes). Suspending one table would
    go on with the others, and a payment would be without its ledger entry; a stopped task resumes where it was, for
    the slot keeps the changes. Lost connections are retried for about two days, at growing intervals of at most half
    an hour: the VPN may be down for longer than the nine tries of the default.

    Conflicts are ignored in one place only: while changes cached during the full load are applied to rows that the
    load has read already. There a repeated insert is the expected case, and validation compares the row afterwards.
    """
    return {
        "ApplyErrorDeletePolicy": _STOP,
        "ApplyErrorEscalationCount": 0,
        "ApplyErrorEscalationPolicy": _STOP,
        "ApplyErrorFailOnTruncationDdl": False,
        "ApplyErrorInsertPolicy": _STOP,
        "ApplyErrorUpdatePolicy": _STOP,
        "DataErrorEscalationCount": 0,
        "DataErrorEscalationPolicy": _STOP,
        "DataErrorPolicy": _STOP,
        "DataMaskingErrorPolicy": _STOP,
        "DataTruncationErrorPolicy": _STOP,
        "FailOnNoTablesCaptured": True,
        "FailOnTransactionConsistencyBreached": True,
        "FullLoadIgnoreConflicts": full_load,
        "RecoverableErrorCount": 100,
        "RecoverableErrorInterval": 5,
        "RecoverableErrorStopRetryAfterThrottlingMax": False,
        "RecoverableErrorThrottling": True,
        "RecoverableErrorThrottlingMax": 1800,
        "TableErrorEscalationCount": 0,
        "TableErrorEscalationPolicy": _STOP,
        "TableErrorPolicy": _STOP,
    }


def _validation() -> dict[str, Any]:
    """Every row compared after it was moved, LOBs included, whatever the collations of both sides. Off by default.

    Validation itself gives up on a table after `TableFailureMaxCount` mismatches; the rows that it gave up count as
    suspended in the task's metrics and table statistics.
    """
    return {
        "EnableValidation": True,
        "FailureMaxCount": 10000,
        "HandleCollationDiff": True,
        "RecordFailureDelayInMinutes": 5,
        "SkipLobColumns": False,
        "TableFailureMaxCount": 1000,
        "ThreadCount": 5,
        "ValidationMode": "ROW_LEVEL",
        "ValidationOnly": False,
        "ValidationPartialLobSize": 0,
    }
