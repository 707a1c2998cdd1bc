"""What is remembered of a task's replication: its objects on the servers, how far it is, and its tables. Pure data."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
# A task in one of these is at work.
BUSY = ("starting", "running", "stopping", "deleting")
BEFORE_LOAD, FULL_LOAD, COMPLETED, ERROR = "Before load", "Full load", "Table completed", "Table error"
NOT_ENABLED, PENDING, MISMATCHED, VALIDATED, NO_KEY = (
    "Not enabled", "Pending records", "Mismatched records", "Validated", "No primary key",
)  # fmt: skip


@dataclass(slots=True)
class Table:
    """A table of a task.

    `counters` are the target's (inserts, updates, deletes) when last looked at, `applied` those of them that the task
    has made, `touched` updates made by hand. Times are seconds since 1970.
    """

    schema: str
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    estimate: int = 0
    state: str = BEFORE_LOAD
    loaded: int = 0
    load_started: float | None = None
    load_ended: float | None = None
    counters: tuple[int, int, int] | None = None
    applied: tuple[int, int, int] = (0, 0, 0)
    touched: int = 0
    validation: str = NOT_ENABLED
    pending: int = 0
    failed: int = 0
    updated: float | None = None

    @property
    def full_name(self) -> str:
        """schema.name, as DMS writes it."""
        return f"{self.schema}.{self.name}"

    def document(self) -> Json:
        """As DescribeTableStatistics tells it. Ddls and rows of error are left out: nothing here measures them."""
        inserts, updates, deletes = self.applied
        times = {"FullLoadStartTime": self.load_started, "FullLoadEndTime": self.load_ended}
        return {
            "SchemaName": self.schema,
            "TableName": self.name,
            "Inserts": inserts,
            "Updates": updates,
            "Deletes": deletes,
            "AppliedInserts": inserts,
            "AppliedUpdates": updates,
            "AppliedDeletes": deletes,
            "FullLoadRows": self.loaded,
            "TableState": self.state,
            "ValidationState": self.validation,
            "ValidationPendingRecords": self.pending,
            "ValidationFailedRecords": self.failed,
            "ValidationSuspendedRecords": 0,
            "LastUpdateTime": self.updated,
            **times,
        }


@dataclass(slots=True)
class Run:
    """The replication of one task.

    `name` is that of its slot, its publication and its subscription. `applying`: they are there, and the full load is
    over. `cached_until`: the position of the source (bytes of WAL) up to which changes are applied before the task
    stops by itself. `mark`: a position of the source and the time at which it was there. `counted`: what the
    target had counted of errors and conflicts when the task was last started, by name.
    """

    name: str
    kind: str
    began: float
    fresh: float
    applying: bool = False
    may_have_objects: bool = False
    ran: bool = False
    cached_until: int | None = None
    mark: tuple[int, float] | None = None
    confirmed: int | None = None
    load_started: float | None = None
    load_finished: float | None = None
    ended: float | None = None
    counted: dict[str, int] | None = None
    tables: dict[str, Table] = field(default_factory=dict)

    def statistics(self, now: float) -> Json:
        """As DescribeReplicationTasks tells it: ReplicationTaskStats."""
        tables = list(self.tables.values())
        states = [table.state for table in tables]
        loading = sum(table.load_started is not None for table in tables if table.state == FULL_LOAD)
        times = {
            "StartDate": self.began,
            "FreshStartDate": self.fresh,
            "StopDate": self.ended,
            "FullLoadStartDate": self.load_started,
            "FullLoadFinishDate": self.load_finished,
        }
        return {
            "FullLoadProgressPercent": self._percent(tables),
            "ElapsedTimeMillis": int(((self.ended or now) - self.began) * 1000),
            "TablesLoaded": states.count(COMPLETED) if self.load_finished else 0,
            "TablesLoading": loading,
            "TablesQueued": states.count(FULL_LOAD) + states.count(BEFORE_LOAD) - loading,
            "TablesErrored": states.count(ERROR),
            **{name: time for name, time in times.items() if time is not None},
        }

    def _percent(self, tables: list[Table]) -> int:
        if self.load_finished:
            return 100
        rows = sum(max(table.estimate, table.loaded) for table in tables)
        # All of it is one transaction, so all of it is only there when that has ended.
        return min(99, sum(table.loaded for table in tables) * 100 // rows) if rows else 0


def object_name(arn: str) -> str:
    """What a task's objects on the servers are called: a slot's name takes lower case, digits and _, 63 of them.

    https://www.postgresql.org/docs/current/warm-standby.html#STREAMING-REPLICATION-SLOTS-MANIPULATION
    """
    return "dms_" + re.sub(r"[^a-z0-9_]", "_", arn.rpartition(":")[2].lower())[:50]


def checkpoint(lsn: int) -> str:
    """A position of a PostgreSQL source in the form of DMS's RecoveryCheckpoint."""
    return f"checkpoint:V1#1#{lsn >> 32:08X}/{lsn & 0xFFFFFFFF:08X}#0#0#*#0#0"
