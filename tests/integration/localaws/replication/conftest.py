"""Two real PostgreSQL servers that replicate, a database of its own on each for every test, and DMS over HTTP."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pg8000.native
import pytest

from localaws.dms import validation, watcher, worker
from localaws.process import ask
from localaws.server import running
from tests.integration.postgres import programs
from tests.integration.validator.conftest import Server, start_cluster

__all__ = ["programs"]
OPTIONS = {"wal_level": "logical", "wal_retrieve_retry_interval": "100ms", "max_replication_slots": "20"}
PATIENCE_SECONDS = 60
_numbers = itertools.count(1)
SETTINGS = {
    "FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"},
    "ErrorBehavior": {"ApplyErrorUpdatePolicy": "STOP_TASK", "ApplyErrorDeletePolicy": "STOP_TASK"},
    "ValidationSettings": {"EnableValidation": True},
}


def until(holds: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """The first answer that is true."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return found


@pytest.fixture(scope="session")
def servers(programs: Path) -> Iterator[tuple[Server, Server]]:
    started = [start_cluster(side, programs, OPTIONS) for side in ("source", "target")]
    yield started[0], started[1]
    for server in started:
        server.remove()


@dataclass
class Task:
    """A replication task, driven through boto3."""

    dms: Any
    arn: str

    def start(self, kind: str = "start-replication", wait: str = "running") -> None:
        self.dms.start_replication_task(ReplicationTaskArn=self.arn, StartReplicationTaskType=kind)
        if wait:
            self.reach(wait)

    def is_watched(self) -> bool:
        """Whether the load is over, and changes have been looked at."""
        return "RecoveryCheckpoint" in self.told()

    def stop(self) -> None:
        until(self.is_watched)
        self.dms.stop_replication_task(ReplicationTaskArn=self.arn)
        self.reach("stopped")

    def delete(self) -> None:
        self.dms.delete_replication_task(ReplicationTaskArn=self.arn)
        until(lambda: not self.there())

    def there(self) -> bool:
        try:
            self.told()
        except self.dms.exceptions.ResourceNotFoundFault:
            return False
        return True

    def told(self) -> dict[str, Any]:
        filters = [{"Name": "replication-task-arn", "Values": [self.arn]}]
        return self.dms.describe_replication_tasks(Filters=filters)["ReplicationTasks"][0]

    def reach(self, status: str) -> dict[str, Any]:
        def reached() -> bool:
            found = self.told()
            assert found["Status"] != "failed" or status == "failed", found
            return found["Status"] == status

        until(reached)
        return self.told()

    def table(self, name: str = "t") -> dict[str, Any]:
        found = self.dms.describe_table_statistics(ReplicationTaskArn=self.arn)["TableStatistics"]
        return next(table for table in found if table["TableName"] == name)


@dataclass
class World:
    """A database of the same name on both servers, and endpoints for it whose hosts are made up."""

    source: Server
    target: Server
    database: str
    endpoint: str
    tasks: list[Task] = field(default_factory=list)
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
            self.clients[service] = boto3.client(service, region_name="us-east-1", endpoint_url=self.endpoint, **keys)
        return self.clients[service]

    @property
    def dms(self) -> Any:
        return self.client("dms")

    def host(self, server: Server) -> str:
        return f"{server.side}.{self.database.replace('_', '-')}.example"

    def on_source(self, sql: str) -> list[list[Any]]:
        return self.source.run(sql, self.database)

    def on_target(self, sql: str) -> list[list[Any]]:
        return self.target.run(sql, self.database)

    def on_both(self, sql: str) -> None:
        self.on_source(sql)
        self.on_target(sql)

    @contextmanager
    def open_transaction(self, server: Server, sql: str = "INSERT INTO t VALUES (77, 'open')") -> Iterator[None]:
        """One that has done this, and ends with the block, undone."""
        connection = pg8000.native.Connection(
            "postgres", host="127.0.0.1", port=server.port, database=self.database, ssl_context=False
        )
        connection.run("BEGIN")
        connection.run(sql)
        try:
            yield
        finally:
            connection.run("ROLLBACK")
            connection.close()

    def rows(self, name: str = "t") -> list[list[Any]]:
        return self.on_target(f"SELECT * FROM {name} ORDER BY 1")

    def secret(self, server: Server, **changes: Any) -> str:
        given = {"username": "replicator", "password": "it's a secret", "host": self.host(server), "port": 5432}
        name = f"{self.database}-{next(_numbers)}"
        self.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps({**given, **changes}))
        return name

    def make_endpoint(self, server: Server, kind: str, **changes: Any) -> str:
        settings = {"SecretsManagerSecretId": self.secret(server, **changes)}
        if kind == "target":
            settings["AfterConnectScript"] = "SET session_replication_role = replica"
        return self.dms.create_endpoint(
            EndpointIdentifier=f"{kind}-{next(_numbers)}",
            EndpointType=kind,
            EngineName="postgres",
            DatabaseName=self.database,
            SslMode="verify-full",
            PostgreSQLSettings=settings,
        )["Endpoint"]["EndpointArn"]

    def make_instance(self) -> str:
        return self.dms.create_replication_instance(
            ReplicationInstanceIdentifier=f"Instance-{next(_numbers)}", ReplicationInstanceClass="dms.t3.medium"
        )["ReplicationInstance"]["ReplicationInstanceArn"]

    def make_task(self, *, back: bool = False, settings: Any = SETTINGS, rules: Any = None, **more: Any) -> Task:
        sides = (self.target, self.source) if back else (self.source, self.target)
        rules = rules or [("include", "public", "%")]
        mappings = [
            {
                "rule-type": "selection",
                "rule-id": str(number),
                "rule-name": str(number),
                "rule-action": action,
                "object-locator": {"schema-name": schema, "table-name": table},
            }
            for number, (action, schema, table) in enumerate(rules, 1)
        ]
        given = {
            "ReplicationTaskIdentifier": f"task-{next(_numbers)}",
            "ReplicationInstanceArn": self.make_instance(),
            "MigrationType": "cdc" if back else "full-load-and-cdc",
            "TableMappings": json.dumps({"rules": mappings}),
            "ReplicationTaskSettings": json.dumps(settings),
            **more,
        }
        for end, server, kind in zip(("Source", "Target"), sides, ("source", "target"), strict=True):
            given.setdefault(f"{end}EndpointArn", self.make_endpoint(server, kind))
        task = Task(self.dms, self.dms.create_replication_task(**given)["ReplicationTask"]["ReplicationTaskArn"])
        self.tasks.append(task)
        return task

    def left(self) -> list[list[Any]]:
        """What replication has on either server, of this database."""
        return [
            *self.on_source(f"SELECT slot_name FROM pg_replication_slots WHERE database = '{self.database}'"),
            *self.on_target(f"SELECT slot_name FROM pg_replication_slots WHERE database = '{self.database}'"),
            *self.on_source("SELECT pubname FROM pg_publication"),
            *self.on_target("SELECT pubname FROM pg_publication"),
            *self.on_source("SELECT subname FROM pg_subscription"),
            *self.on_target("SELECT subname FROM pg_subscription"),
        ]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running() as url:
        yield url


@pytest.fixture
def world(servers: tuple[Server, Server], endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(watcher, "METRIC_SECONDS", 0.1)
    monkeypatch.setattr(validation, "LEAST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(validation, "SHARE", 0.5)
    monkeypatch.setattr(validation, "APPLIED_SECONDS", 0.3)
    made = World(*servers, f"payments_{next(_numbers)}", endpoint)
    for server in servers:
        server.run(f"CREATE DATABASE {made.database}")
        server.run(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'replicator') THEN"
            " CREATE ROLE replicator SUPERUSER LOGIN PASSWORD 'it''s a secret'; END IF; END $$"
        )
    ask(endpoint, "POST", "/localaws/hosts", {f"{made.host(one)}:5432": f"127.0.0.1:{one.port}" for one in servers})
    yield made
    for task in made.tasks:
        if task.there():
            if task.told()["Status"] in ("starting", "running", "stopping"):
                until(lambda task=task: task.told()["Status"] in ("running", "stopped", "failed"))
            if task.told()["Status"] == "running":
                task.stop()
            task.delete()
    for server in servers:
        server.run(f"DROP DATABASE {made.database} WITH (FORCE)")


@contextmanager
def down(server: Server) -> Iterator[None]:
    """The server dies without a farewell, and is back at the end."""
    server.stop("immediate")
    try:
        yield
    finally:
        server.start()
