"""What a task cannot do it says in words, and leaves nothing behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.dms import watcher
from localaws.dms.postgres import Place, RefusedError, Session
from localaws.process import ask
from tests.integration.localaws.replication.conftest import Task, World, until
from tests.integration.validator.conftest import Server, start_cluster

TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)"
FATAL = "Stop Reason FATAL_ERROR Error Level FATAL"


def _failure(task: Task, kind: str = "start-replication") -> str:
    task.start(kind, wait="failed")
    return _message(task)


def _message(task: Task) -> str:
    told = task.reach("failed")
    assert told["StopReason"] == FATAL
    message = told["LastFailureMessage"]
    assert "Traceback" not in message
    assert "secret" not in message.replace("the secret", "").replace("secretsmanager", "")
    assert message.startswith("Last Error  ")
    assert message.endswith(FATAL)
    return str(message)


class TestWhatCannotBegin:
    @pytest.mark.parametrize(
        ("prepare", "more", "expected"),
        [
            ((TABLE, ""), {}, "the target has no table public.t; TargetTablePrepMode makes none"),
            ((TABLE, "CREATE TABLE t (id int)"), {}, "the target's table public.t has no column v"),
            (("CREATE TABLE t (v text)",) * 2, {}, "no primary key and no replica identity: public.t; ALTER TABLE"),
            ((f"{TABLE}; ALTER TABLE t REPLICA IDENTITY NOTHING", TABLE), {}, "no replica identity: public.t"),
            (("", ""), {}, "No tables were found at task initialization"),
            ((TABLE, TABLE), {"rules": [("exclude", "public", "t")]}, "No tables were found at task initialization"),
            ((TABLE, TABLE), {"settings": {}}, "TargetTablePrepMode DROP_AND_CREATE is not emulated"),
            ((TABLE, TABLE), {"TableMappings": '{"rules": [{"rule-type": "transformation"}]}'}, "rule ? of the table"),
            (
                (f"{TABLE}; INSERT INTO t VALUES (1)", f"{TABLE}; INSERT INTO t VALUES (1, 'old')"),
                {},
                'duplicate key value violates unique constraint "t_pkey" (23505)',
            ),
        ],
    )
    def test_says_why(self, world: World, prepare: tuple[str, str], more: Any, expected: str) -> None:
        world.on_source(prepare[0] or "SELECT 1")
        world.on_target(prepare[1] or "SELECT 1")
        before = world.on_target("SELECT * FROM t") if "INSERT" in prepare[1] else None
        task = world.make_task(**more)
        assert expected in _failure(task)
        assert world.left() == []
        if before:
            assert world.on_target("SELECT * FROM t") == before
            assert task.table()["TableState"] == "Table error"
            assert task.told()["ReplicationTaskStats"]["TablesErrored"] == 1

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"password": "wrong"}, 'says: password authentication failed for user "replicator" (28P01)'),
            ({"username": "nobody-here"}, 'password authentication failed for user "nobody-here" (28P01)'),
            ({"host": "127.0.0.1", "port": 1}, "127.0.0.1:1: Connection refused"),
            ({"host": "real.example"}, "does not know where on this machine real.example:5432 listens"),
            ({"port": "x"}, "the port 'x' is no number"),
            ({"port": None}, "the secret has no port"),
        ],
    )
    @pytest.mark.parametrize("side", ["Source", "Target"])
    def test_an_endpoint_that_leads_nowhere(self, world: World, side: str, changes: Any, expected: str) -> None:
        world.on_both(TABLE)
        server = world.source if side == "Source" else world.target
        arn = world.make_endpoint(server, side.lower(), **changes)
        task = world.make_task(**{f"{side}EndpointArn": arn})
        instance = world.make_instance()
        world.dms.test_connection(ReplicationInstanceArn=instance, EndpointArn=arn)
        filters = [{"Name": "replication-instance-arn", "Values": [instance]}]
        (tested,) = world.dms.describe_connections(Filters=filters)["Connections"]
        assert tested["Status"] == "failed"
        assert tested["LastFailureMessage"].startswith("Test Endpoint failed: ")
        assert expected in tested["LastFailureMessage"]
        assert expected in _failure(task)
        assert world.left() == []

    def test_a_connection_that_works_is_successful(self, world: World) -> None:
        instance, arn = world.make_instance(), world.make_endpoint(world.source, "source")
        assert world.dms.test_connection(ReplicationInstanceArn=instance, EndpointArn=arn)["Connection"]["Status"] == (
            "testing"
        )
        filters = [{"Name": "endpoint-arn", "Values": [arn]}]
        (tested,) = world.dms.describe_connections(Filters=filters)["Connections"]
        assert (tested["Status"], tested["LastFailureMessage"]) == ("successful", "")

    def test_a_script_that_cannot_run_leaves_no_connection(self, world: World) -> None:
        place = Place("source", "127.0.0.1", world.source.port, world.database, "postgres", "", script="nonsense")
        with pytest.raises(RefusedError, match="syntax error"):
            Session(place)
        until(lambda: not world.on_source("SELECT 1 FROM pg_stat_activity WHERE application_name = 'dms'"))

    def test_no_tables_are_fine_where_the_settings_say_so(self, world: World) -> None:
        settings = {
            "FullLoadSettings": {"TargetTablePrepMode": "TRUNCATE_BEFORE_LOAD"},
            "ErrorBehavior": {"FailOnNoTablesCaptured": False},
            "ChangeProcessingDdlHandlingPolicy": {"HandleSourceTableTruncated": False},
        }
        task = world.make_task(settings=settings)
        task.start()
        assert task.told()["ReplicationTaskStats"]["TablesLoaded"] == 0

    def test_transactions_that_do_not_end(self, world: World) -> None:
        world.on_both(TABLE)
        settings = {"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING", "TransactionConsistencyTimeout": 1}}
        forward, back = world.make_task(settings=settings), world.make_task(back=True, settings=settings)
        with world.open_transaction(world.source), world.open_transaction(world.target):
            for task in (forward, back):
                assert "have not ended within 1 s (TransactionConsistencyTimeout)" in _failure(task)
        until(lambda: world.left() == [])

    def test_a_first_start_that_failed_can_be_tried_again(self, world: World) -> None:
        world.on_source(f"{TABLE}; INSERT INTO t VALUES (1, 'a')")
        task = world.make_task()
        assert "the target has no table public.t" in _failure(task)
        assert "the target has no table public.t" in _failure(task, "resume-processing")
        world.on_target(TABLE)
        task.start()
        until(lambda: world.rows() == [[1, "a"]])
        assert "LastFailureMessage" not in task.told()


@pytest.fixture(scope="module")
def replica_only(programs: Path) -> Iterator[Server]:
    server = start_cluster("source", programs, {"wal_level": "replica"})
    yield server
    server.remove()


def test_a_source_without_logical_wal(world: World, replica_only: Server) -> None:
    replica_only.run("CREATE ROLE replicator SUPERUSER LOGIN PASSWORD 'it''s a secret'")
    replica_only.run(f"CREATE DATABASE {world.database}")
    arn = world.make_endpoint(world.source, "source", host="127.0.0.1", port=replica_only.port)
    task = world.make_task(SourceEndpointArn=arn)
    assert "the source has wal_level=replica: set wal_level=logical there and restart it" in _failure(task)


class TestWhatCannotGoOn:
    def running(self, world: World, **more: Any) -> Task:
        world.on_both(TABLE)
        world.on_source("INSERT INTO t VALUES (1, 'a')")
        task = world.make_task(**more)
        task.start()
        until(lambda: world.rows() == [[1, "a"]])
        until(lambda: "RecoveryCheckpoint" in task.told())
        return task

    def stalled(self, world: World) -> tuple[Task, str]:
        task = self.running(world)
        ask(world.endpoint, "POST", "/localaws/replication", {"task": task.arn, "stall": True})
        (slots,) = world.on_source(
            f"SELECT slot_name::text FROM pg_replication_slots WHERE database = '{world.database}'"
        )
        return task, slots[0]

    def test_a_slot_that_is_gone(self, world: World) -> None:
        task, slot = self.stalled(world)
        until(
            lambda: world.on_source(f"SELECT active FROM pg_replication_slots WHERE slot_name = '{slot}'") == [[False]]
        )
        world.on_source(f"SELECT pg_drop_replication_slot('{slot}')")
        assert f"the replication slot {slot} is gone from the source: reload-target begins anew" in _message(task)
        assert "is gone from the source" in _failure(task, "resume-processing")
        world.on_target("TRUNCATE t")
        task.start("reload-target")
        until(lambda: world.rows() == [[1, "a"]])

    def test_a_slot_whose_wal_is_gone(self, world: World) -> None:
        task, slot = self.stalled(world)
        world.source.run("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        world.source.run("SELECT pg_reload_conf()")
        try:
            world.on_source("CREATE TABLE filler AS SELECT repeat('x', 500) FROM generate_series(1, 5000)")
            for _ in range(3):
                world.source.run("SELECT pg_switch_wal()")
                world.on_source("INSERT INTO filler VALUES ('x')")
            world.source.run("CHECKPOINT")
            assert f"the replication slot {slot} is lost: the source has removed WAL" in _message(task)
        finally:
            world.source.run("ALTER SYSTEM RESET max_slot_wal_keep_size")
            world.source.run("SELECT pg_reload_conf()")

    def test_a_subscription_that_is_gone(self, world: World) -> None:
        task, slot = self.stalled(world)
        world.on_target(f"ALTER SUBSCRIPTION {slot} SET (slot_name = NONE)")
        world.on_target(f"DROP SUBSCRIPTION {slot}")
        assert f"the subscription {slot} is gone from the target" in _message(task)

    def test_a_subscription_that_somebody_has_disabled(self, world: World) -> None:
        task = self.running(world)
        (names,) = world.on_target("SELECT subname::text FROM pg_subscription")
        world.on_target(f"ALTER SUBSCRIPTION {names[0]} DISABLE")
        assert f"somebody has disabled the subscription {names[0]} on the target" in _message(task)

    def test_a_row_that_is_there_already(self, world: World) -> None:
        task = self.running(world)
        world.on_target("INSERT INTO t VALUES (2, 'in the way')")
        world.on_source("INSERT INTO t VALUES (2, 'b')")
        message = _message(task)
        assert "the target cannot apply a change, for rows that are there already" in message
        assert re.search(r"apply_error_count \d+, confl_insert_exists \d+", message)
        world.on_target("DELETE FROM t WHERE id = 2")
        task.start("resume-processing")
        until(lambda: world.rows() == [[1, "a"], [2, "b"]])

    @pytest.mark.parametrize(("kind", "sql"), [("update", "UPDATE t SET v = 'b'"), ("delete", "DELETE FROM t")])
    def test_a_row_that_is_missing(self, world: World, kind: str, sql: str) -> None:
        task = self.running(world)
        world.on_target("DELETE FROM t")
        world.on_source(sql)
        assert f"the target has no row for a change of kind {kind}" in _message(task)
        task.start("resume-processing")
        world.on_source("INSERT INTO t VALUES (2, 'b')")
        until(lambda: world.rows() == [[2, "b"]])

    def test_a_row_that_is_missing_where_the_settings_bear_it(self, world: World) -> None:
        task = self.running(world, settings={"FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}})
        world.on_target("DELETE FROM t")
        world.on_source("UPDATE t SET v = 'b'; INSERT INTO t VALUES (2, 'b')")
        until(lambda: world.rows() == [[2, "b"]])
        assert task.told()["Status"] == "running"

    def test_a_password_that_has_changed(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(watcher, "SILENT_SECONDS", 0.3)
        world.source.run("CREATE ROLE changing SUPERUSER LOGIN PASSWORD 'first'")
        arn = world.make_endpoint(world.source, "source", username="changing", password="first")
        task = self.running(world, SourceEndpointArn=arn)
        world.source.run("ALTER ROLE changing PASSWORD 'second'")
        world.source.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender'")
        assert 'password authentication failed for user "changing"' in _message(task)
        name = world.dms.describe_endpoints(Filters=[{"Name": "endpoint-arn", "Values": [arn]}])["Endpoints"][0][
            "PostgreSQLSettings"
        ]["SecretsManagerSecretId"]
        import json

        secret = {"username": "changing", "password": "second", "host": world.host(world.source), "port": 5432}
        world.client("secretsmanager").put_secret_value(SecretId=name, SecretString=json.dumps(secret))
        task.start("resume-processing")
        world.on_source("INSERT INTO t VALUES (2, 'b')")
        until(lambda: world.rows() == [[1, "a"], [2, "b"]])
        task.stop()
        task.delete()
        world.source.run("DROP ROLE changing")

    def test_a_table_that_is_gone_from_the_target(self, world: World) -> None:
        task = self.running(world)
        world.on_target("DROP TABLE t")
        world.on_source("INSERT INTO t VALUES (2, 'b')")
        assert re.search(r"the target cannot apply a change \(apply_error_count \d+\)", _message(task))


class TestStates:
    def test_what_a_state_does_not_allow_is_refused(self, world: World) -> None:
        world.on_both(TABLE)
        task = world.make_task()
        told = task.told()
        assert told["Status"] == "ready"

        def refused(call: Any, **parameters: Any) -> str:
            with pytest.raises(ClientError) as caught:
                call(**parameters)
            return str(caught.value.response["Error"]["Code"])

        dms, this = world.dms, {"ReplicationTaskArn": task.arn}
        start = {**this, "StartReplicationTaskType": "start-replication"}
        assert refused(dms.stop_replication_task, **this) == "InvalidResourceStateFault"
        for kind in ("resume-processing", "reload-target"):
            again = {**this, "StartReplicationTaskType": kind}
            assert refused(dms.start_replication_task, **again) == "InvalidResourceStateFault"
        with world.open_transaction(world.source):
            assert dms.start_replication_task(**start)["ReplicationTask"]["Status"] == "starting"
            assert task.told()["Status"] == "starting"
            for call, more in (
                (dms.stop_replication_task, this),
                (dms.start_replication_task, start),
                (dms.modify_replication_task, {**this, "TableMappings": "{}"}),
                (dms.delete_replication_task, this),
                (dms.modify_endpoint, {"EndpointArn": told["SourceEndpointArn"], "DatabaseName": "d"}),
            ):
                assert refused(call, **more) == "InvalidResourceStateFault"
        task.reach("running")
        for call, more in (
            (dms.start_replication_task, start),
            (dms.modify_replication_task, {**this, "TableMappings": "{}"}),
            (dms.delete_replication_task, this),
            (dms.modify_endpoint, {"EndpointArn": told["TargetEndpointArn"], "DatabaseName": "d"}),
        ):
            assert refused(call, **more) == "InvalidResourceStateFault"
        assert dms.stop_replication_task(**this)["ReplicationTask"]["Status"] == "stopping"
        task.reach("stopped")
        assert dms.modify_replication_task(**this, MigrationType="cdc")["ReplicationTask"]["Status"] == "modifying"
        dms.modify_endpoint(EndpointArn=told["TargetEndpointArn"], EngineName="aurora-postgresql")
        assert dms.delete_replication_task(**this)["ReplicationTask"]["Status"] == "deleting"
        until(lambda: not task.there())
        assert world.left() == []

    def test_a_load_is_stopped_and_begun_again(self, world: World) -> None:
        """The load waits for a lock that somebody holds on the target; nothing of it is there after the stop."""
        world.on_both(TABLE)
        world.on_source("INSERT INTO t SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) n")
        task = world.make_task()
        with world.open_transaction(world.target, "LOCK TABLE t"):
            task.start()
            stats = task.told()["ReplicationTaskStats"]
            assert stats["TablesLoaded"] == 0
            assert stats["FullLoadProgressPercent"] < 100
            world.dms.stop_replication_task(ReplicationTaskArn=task.arn)
        task.reach("stopped")
        assert world.rows() == []
        assert world.left() == []
        task.start("resume-processing")
        until(lambda: len(world.rows()) == 20000)
        assert task.table()["FullLoadRows"] == 20000
