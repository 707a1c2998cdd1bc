"""DMS's replication tasks and connection tests.

https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

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
_SECRET = {"username", "password", "host", "port"}


class Tasks:
    """The operations; `clients` are those of the account's other services."""

    def __init__(self, store: Store, clients: Any, arn: Callable[[str, str], str]) -> None:
        self._store = store
        self._clients = clients
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
        found = [item.document for item in self._store.tasks.values()]
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
        """Refused while it runs."""
        task = self._task(request)
        self._check_rests(task)
        self._store.forget(self._store.tasks, task.arn)
        return {"ReplicationTask": {**task.document, "Status": "deleting"}}

    def start_replication_task(self, request: Json) -> Json:
        """A task runs until it is stopped; it moves no rows here."""
        task = self._task(request)
        self._check_rests(task)
        kind = request["StartReplicationTaskType"]
        if kind != "start-replication" and "ReplicationTaskStartDate" not in task.document:
            refuse_now(f"Replication task {task.arn} has never run: {kind} is not valid.")
        now = time.time()
        task.document.pop("StopReason", None)
        task.document.update(taken(request, ("CdcStartPosition", "CdcStopPosition")))
        task.document.update(Status="running", ReplicationTaskStartDate=now)
        task.document["ReplicationTaskStats"] = {**_NO_STATISTICS, "StartDate": now, "FreshStartDate": now}
        return {"ReplicationTask": {**task.document, "Status": "starting"}}

    def stop_replication_task(self, request: Json) -> Json:
        """Refused where it does not run."""
        task = self._task(request)
        if task.document["Status"] != "running":
            refuse_now(f"Replication task {task.arn} is not running.")
        task.document.update(Status="stopped", StopReason="Stop Reason NORMAL")
        task.document["ReplicationTaskStats"]["StopDate"] = time.time()
        return {"ReplicationTask": {**task.document, "Status": "stopping"}}

    def describe_table_statistics(self, request: Json) -> Json:
        """No table has been read yet, whatever the task's mappings say."""
        task = self._task(request)
        return {"ReplicationTaskArn": task.arn, "TableStatistics": []}

    # --- connections --------------------------------------------------------------------------------------------------
    def test_connection(self, request: Json) -> Json:
        """Whether the endpoint says all that a connection needs; a secret is read and has to hold it."""
        store = self._store
        instance = find(store.instances, request["ReplicationInstanceArn"], "Replication instance")
        endpoint = find(store.endpoints, request["EndpointArn"], "Endpoint")
        problem = self._problem(endpoint)
        connection = {
            "ReplicationInstanceArn": instance.arn,
            "ReplicationInstanceIdentifier": instance.document["ReplicationInstanceIdentifier"],
            "EndpointArn": endpoint.arn,
            "EndpointIdentifier": endpoint.document["EndpointIdentifier"],
            "Status": "failed" if problem else "successful",
            "LastFailureMessage": problem,
        }
        store.connections[instance.arn, endpoint.arn] = connection
        return {"Connection": {**connection, "Status": "testing", "LastFailureMessage": ""}}

    def describe_connections(self, request: Json) -> Json:
        """Filters endpoint-arn and replication-instance-arn."""
        return page(self._store.connections.values(), request, "Connections")

    def _problem(self, endpoint: Item) -> str:
        from botocore.exceptions import ClientError

        settings = endpoint.document.get("PostgreSQLSettings", {})
        if not (name := settings.get("SecretsManagerSecretId")):
            given = {**endpoint.document, **endpoint.secret}
            missing = [member for member in ("Username", "Password", "ServerName", "Port") if not given.get(member)]
            return f"Test Endpoint failed: {', '.join(missing)} not given" if missing else ""
        try:
            text = self._clients("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
            missing = sorted(_SECRET - set(json.loads(text)))
        except (ClientError, KeyError, ValueError, TypeError) as error:
            return f"Test Endpoint failed: the secret cannot be read ({type(error).__name__})"
        return f"Test Endpoint failed: the secret has no {', '.join(missing)}" if missing else ""

    # --- shared -------------------------------------------------------------------------------------------------------
    def _task(self, request: Json) -> Item:
        return find(self._store.tasks, request["ReplicationTaskArn"], "Replication task")

    @staticmethod
    def _check_rests(task: Item) -> None:
        if task.document["Status"] == "running":
            refuse_now(f"Replication task {task.arn} is currently running.")


def _check_documents(request: Json) -> None:
    for member in ("TableMappings", "ReplicationTaskSettings"):
        try:
            json.loads(request.get(member, "{}"))
        except ValueError as error:
            raise DmsError("InvalidParameterValueException", f"{member} is not JSON: {error}") from error
