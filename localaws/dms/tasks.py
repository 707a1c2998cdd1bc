"""DMS's replication tasks and connection tests.

https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from localaws.dms.places import Places, UnresolvedError
from localaws.dms.postgres import LostError, RefusedError, Session
from localaws.dms.runner import Runner
from localaws.dms.runs import BUSY, checkpoint
from localaws.dms.selection import MappingError, read_rules
from localaws.dms.store import (
    DmsError,
    Item,
    Json,
    Store,
    find,
    page,
    random_identifier,
    refuse_now,
    refuse_second,
    taken,
)
from localaws.dms.task_settings import read_settings

_TASK = (
    "ReplicationTaskIdentifier", "SourceEndpointArn", "TargetEndpointArn", "ReplicationInstanceArn", "MigrationType",
    "TableMappings", "ReplicationTaskSettings", "CdcStartPosition", "CdcStopPosition", "TaskData",
)  # fmt: skip
_NO_STATISTICS = {
    "FullLoadProgressPercent": 0,
    "ElapsedTimeMillis": 0,
    "TablesLoaded": 0,
    "TablesLoading": 0,
    "TablesQueued": 0,
    "TablesErrored": 0,
}
_TABLE_FILTERS = {"schema-name": "SchemaName", "table-name": "TableName", "table-state": "TableState"}


class Tasks:
    """The operations; `runner` does what they ask for."""

    def __init__(self, store: Store, runner: Runner, places: Places, arn: Callable[[str, str], str]) -> None:
        self._store = store
        self._runner = runner
        self._places = places
        self._arn = arn

    def create_replication_task(self, request: Json) -> Json:
        """It is told as "creating", and ready when it is described."""
        store = self._store
        refuse_second(store.tasks, "ReplicationTaskIdentifier", request["ReplicationTaskIdentifier"])
        find(store.instances, request["ReplicationInstanceArn"], "Replication instance")
        find(store.endpoints, request["SourceEndpointArn"], "Endpoint")
        find(store.endpoints, request["TargetEndpointArn"], "Endpoint")
        _check_documents(request)
        arn = self._arn("task", request.get("ResourceIdentifier") or random_identifier())
        document = {
            **taken(request, _TASK),
            "ReplicationTaskArn": arn,
            "ReplicationTaskCreationDate": time.time(),
            "Status": "ready",
            "ReplicationTaskStats": dict(_NO_STATISTICS),
        }
        store.tasks[arn] = Item(arn, document)
        store.tag(arn, request)
        return {"ReplicationTask": {**document, "Status": "creating"}}

    def modify_replication_task(self, request: Json) -> Json:
        """Refused while it runs."""
        task = self._task(request)
        self._check_rests(task)
        changes = taken(request, _TASK)
        if name := changes.get("ReplicationTaskIdentifier"):
            refuse_second(self._store.tasks, "ReplicationTaskIdentifier", name, task.arn)
        _check_documents(request)
        task.document.update(changes)
        return {"ReplicationTask": {**task.document, "Status": "modifying"}}

    def describe_replication_tasks(self, request: Json) -> Json:
        """Filters replication-task-arn and -id, migration-type, endpoint-arn, replication-instance-arn."""
        found = [self._described(item) for item in self._store.tasks.values()]
        rest = []
        for one in request.get("Filters", ()):
            if one["Name"] == "endpoint-arn":
                ends = ("SourceEndpointArn", "TargetEndpointArn")
                found = [task for task in found if any(task[end] in one["Values"] for end in ends)]
            else:
                rest.append(one)
        if request.get("WithoutSettings"):
            found = [{key: value for key, value in task.items() if key != "ReplicationTaskSettings"} for task in found]
        return page(found, {**request, "Filters": rest}, "ReplicationTasks")

    def delete_replication_task(self, request: Json) -> Json:
        """Refused while it runs; one that has left something on a server is gone once that is removed."""
        task = self._task(request)
        self._check_rests(task)
        told = {**self._described(task), "Status": "deleting"}
        self._runner.delete(task)
        return {"ReplicationTask": told}

    def start_replication_task(self, request: Json) -> Json:
        """From its beginning, or from where it was stopped; it is told as "starting", and runs when it does.

        https://docs.aws.amazon.com/dms/latest/APIReference/API_StartReplicationTask.html
        """
        task = self._task(request)
        self._check_rests(task)
        kind, run = request["StartReplicationTaskType"], self._store.runs.get(task.arn)
        loads = task.document["MigrationType"] != "cdc"
        if kind != "start-replication" and run is None:
            refuse_now(f"Replication task {task.arn} has never run: {kind} is not valid.")
        if kind == "start-replication" and run and run.ran and loads:
            _refuse_kind("START_REPLICATION, valid only for tasks running for the first time")
        if kind == "reload-target" and not loads:
            _refuse_kind("RELOAD_TARGET, valid only for tasks that load")
        if given := [name for name in ("CdcStartPosition", "CdcStartTime", "CdcStopPosition") if name in request]:
            raise DmsError(
                "InvalidParameterValueException",
                f"the embedded AWS captures changes from now on, or from where the task was stopped: no {given[0]}",
            )
        for member in ("StopReason", "LastFailureMessage"):
            task.document.pop(member, None)
        task.document.update(Status="starting", ReplicationTaskStartDate=time.time())
        told = {**self._described(task)}
        self._runner.start(task, anew=kind != "resume-processing")
        return {"ReplicationTask": told}

    def stop_replication_task(self, request: Json) -> Json:
        """Refused where it does not run."""
        task = self._task(request)
        if task.document["Status"] != "running":
            refuse_now(f"Replication task {task.arn} is not running.")
        task.document["Status"] = "stopping"
        self._runner.stop(task)
        return {"ReplicationTask": self._described(task)}

    def describe_table_statistics(self, request: Json) -> Json:
        """What has been measured of each table; filters schema-name, table-name, table-state."""
        task = self._task(request)
        run = self._store.runs.get(task.arn)
        tables = [table.document() for table in run.tables.values()] if run else []
        for one in request.get("Filters", ()):
            member = _TABLE_FILTERS.get(one["Name"])
            if member is None:
                raise DmsError("InvalidParameterValueException", f"The filter name {one['Name']} is not valid.")
            tables = [table for table in tables if table[member] in one["Values"]]
        told = [{name: value for name, value in table.items() if value is not None} for table in tables]
        rest = {name: value for name, value in request.items() if name != "Filters"}
        return {"ReplicationTaskArn": task.arn, **page(told, rest, "TableStatistics")}

    # --- connections --------------------------------------------------------------------------------------------------
    def test_connection(self, request: Json) -> Json:
        """Sign in to the endpoint's database; it is told as "testing", and described as it came out."""
        store = self._store
        instance = find(store.instances, request["ReplicationInstanceArn"], "Replication instance")
        endpoint = find(store.endpoints, request["EndpointArn"], "Endpoint")
        connection = {
            "ReplicationInstanceArn": instance.arn,
            "ReplicationInstanceIdentifier": instance.document["ReplicationInstanceIdentifier"],
            "EndpointArn": endpoint.arn,
            "EndpointIdentifier": endpoint.document["EndpointIdentifier"],
        }
        try:
            Session(self._places.find(endpoint)).close()
        except (LostError, RefusedError, UnresolvedError) as problem:
            outcome = {"Status": "failed", "LastFailureMessage": f"Test Endpoint failed: {problem}"}
        else:
            outcome = {"Status": "successful", "LastFailureMessage": ""}
        store.connections[instance.arn, endpoint.arn] = {**connection, **outcome}
        return {"Connection": {**connection, "Status": "testing", "LastFailureMessage": ""}}

    def describe_connections(self, request: Json) -> Json:
        """Filters endpoint-arn and replication-instance-arn."""
        return page(self._store.connections.values(), request, "Connections")

    # --- shared -------------------------------------------------------------------------------------------------------
    def _task(self, request: Json) -> Item:
        return find(self._store.tasks, request["ReplicationTaskArn"], "Replication task")

    def _described(self, task: Item) -> Json:
        """Its document, with what its replication says of itself now."""
        run = self._store.runs.get(task.arn)
        if run is None:
            return task.document
        told = {**task.document, "ReplicationTaskStats": run.statistics(time.time())}
        return {**told, "RecoveryCheckpoint": checkpoint(run.confirmed)} if run.confirmed else told

    @staticmethod
    def _check_rests(task: Item) -> None:
        if (status := task.document["Status"]) in BUSY:
            refuse_now(f"Replication task {task.arn} is currently {status}.")


def _check_documents(request: Json) -> None:
    """That both are JSON of the right form; whether the embedded AWS can follow them is told at the start."""
    for member, read in (("TableMappings", read_rules), ("ReplicationTaskSettings", read_settings)):
        try:
            json.loads(request.get(member) or "{}")
        except ValueError as error:
            raise DmsError("InvalidParameterValueException", f"{member} is not JSON: {error}") from error
        try:
            with suppress(MappingError):
                read(request.get(member) or "{}")
        except (ValueError, TypeError, AttributeError) as error:
            text = f"{member} has a value of the wrong type: {error}"
            raise DmsError("InvalidParameterValueException", text) from error


def _refuse_kind(what: str) -> NoReturn:
    raise DmsError("InvalidParameterCombinationException", f"Start Type : {what}")
