"""DMS carries rows and changes between two real servers, and tells what it has measured."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.dms import worker
from localaws.process import ask
from tests.integration.localaws.replication.conftest import SETTINGS, World, until

TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)"


def _settings(**load: Any) -> dict[str, Any]:
    return {**SETTINGS, "FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING", **load}}


class TestFullLoadAndChanges:
    def test_loads_then_follows(self, world: World) -> None:
        world.on_both(f"{TABLE}; CREATE TABLE other (a int, b int, PRIMARY KEY (a, b))")
        world.on_source(r"INSERT INTO t SELECT n, E'tab\t\\' || n FROM generate_series(1, 500) n")
        world.on_source("INSERT INTO other VALUES (1, 2)")
        task = world.make_task()
        assert "ReplicationTaskStats" in task.told()
        task.start()
        world.on_source("INSERT INTO t VALUES (501, NULL)")
        world.on_source("UPDATE t SET v = 'new' WHERE id = 1; DELETE FROM t WHERE id = 2")
        until(lambda: world.rows() == world.on_source("SELECT * FROM t ORDER BY 1"))
        assert (world.rows()[0], world.rows()[-1]) == ([1, "new"], [501, None])
        assert world.rows("other") == [[1, 2]]
        found = until(lambda: (table := task.table()) if task.table()["AppliedDeletes"] else None)
        assert (found["FullLoadRows"], found["Inserts"], found["Updates"], found["Deletes"]) == (500, 1, 1, 1)
        assert (found["AppliedInserts"], found["AppliedUpdates"], found["AppliedDeletes"]) == (1, 1, 1)
        assert found["TableState"] == "Table completed"
        assert found["FullLoadStartTime"] <= found["FullLoadEndTime"] <= found["LastUpdateTime"]
        assert task.table("other")["FullLoadRows"] == 1
        for name in ("t", "other"):
            until(lambda name=name: task.table(name)["ValidationState"] == "Validated")
        told = task.told()
        stats = told["ReplicationTaskStats"]
        assert (stats["FullLoadProgressPercent"], stats["TablesLoaded"]) == (100, 2)
        assert stats["TablesLoading"] == stats["TablesQueued"] == stats["TablesErrored"] == 0
        assert (
            stats["FreshStartDate"] == stats["StartDate"] <= stats["FullLoadStartDate"] <= stats["FullLoadFinishDate"]
        )
        assert stats["ElapsedTimeMillis"] > 0
        assert told["RecoveryCheckpoint"].startswith("checkpoint:V1#1#0000000")

    def test_goes_on_where_it_was_stopped(self, world: World) -> None:
        world.on_both(TABLE)
        world.on_source("INSERT INTO t VALUES (1, 'loaded')")
        task = world.make_task()
        task.start()
        until(world.rows)
        task.stop()
        told = task.told()
        assert told["StopReason"] == "Stop Reason NORMAL"
        assert told["ReplicationTaskStats"]["StopDate"]
        world.on_source("INSERT INTO t VALUES (2, 'while stopped'); DELETE FROM t WHERE id = 1")
        assert world.rows() == [[1, "loaded"]]
        with pytest.raises(ClientError, match=r"Start Type : START_REPLICATION, valid only for .* the first time"):
            task.start("start-replication")
        task.start("resume-processing")
        until(lambda: world.rows() == [[2, "while stopped"]])
        assert "StopReason" not in task.told()
        assert task.told()["ReplicationTaskStats"]["StartDate"] > told["ReplicationTaskStats"]["StartDate"]
        assert task.told()["ReplicationTaskStats"]["FreshStartDate"] == told["ReplicationTaskStats"]["FreshStartDate"]

    def test_leaves_nothing_behind(self, world: World) -> None:
        world.on_both(TABLE)
        task = world.make_task()
        task.start()
        until(task.is_watched)
        assert len(world.left()) == 3
        task.stop()
        assert len(world.left()) == 3
        dms = world.dms
        task.delete()
        assert world.left() == []
        names = {thread.name for thread in threading.enumerate()}
        assert not [name for name in names if name.startswith(("replicate", "validate", "load", "remove"))]
        assert dms.describe_replication_tasks()["ReplicationTasks"] == [] or not task.there()

    def test_every_kind_of_table_and_name(self, world: World) -> None:
        world.on_both(
            "CREATE SCHEMA \"odd Schema\"; CREATE TYPE mood AS ENUM ('good', 'bad');"
            'CREATE TABLE "odd Schema"."Ta""ble" ("Ke:y" text, n int, PRIMARY KEY ("Ke:y", n), m mood,'
            " doubled int GENERATED ALWAYS AS (n * 2) STORED, id int GENERATED ALWAYS AS IDENTITY, j jsonb, b bytea);"
            "CREATE TABLE parts (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
            "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
            "CREATE TABLE child (id int PRIMARY KEY, parent int);"
            "CREATE TABLE parent (id int PRIMARY KEY);"
            "ALTER TABLE child ADD FOREIGN KEY (parent) REFERENCES parent;"
            "CREATE TABLE keyless (v text); ALTER TABLE keyless REPLICA IDENTITY FULL;"
            "CREATE TABLE awsdms_status (v text)"
        )
        fill = (
            'INSERT INTO "odd Schema"."Ta""ble" ("Ke:y", n, m, j, b) VALUES (\'k%d\', %d, \'bad\', \'{"a": 1.10}\', \'\\x00ff\');'
            "INSERT INTO parts VALUES (%d, '2026-05-05'); INSERT INTO parent VALUES (%d); INSERT INTO child VALUES (%d, %d);"
            "INSERT INTO keyless VALUES ('%d')"
        )
        world.on_source(fill.replace("%d", "1"))
        rules = [("include", "%", "%"), ("exclude", "%", "awsdms%"), ("exclude", "public", "parts")]
        task = world.make_task(rules=rules)
        task.start()
        world.on_source(fill.replace("%d", "2"))
        world.on_source("INSERT INTO awsdms_status VALUES ('own')")
        for table in ('"odd Schema"."Ta""ble"', "parts", "child", "keyless"):
            until(lambda table=table: len(world.rows(table)) == 2)
            assert world.rows(table) == world.on_source(f"SELECT * FROM {table} ORDER BY 1")
        for name in ('Ta"ble', "parts_1", "child"):
            until(lambda name=name: task.table(name)["ValidationState"] == "Validated")
        assert task.table("keyless")["ValidationState"] == "No primary key"
        assert world.rows("awsdms_status") == []
        listed = world.dms.describe_table_statistics(
            ReplicationTaskArn=task.arn, Filters=[{"Name": "schema-name", "Values": ["odd Schema"]}]
        )["TableStatistics"]
        assert [table["TableName"] for table in listed] == ['Ta"ble']
        with pytest.raises(ClientError, match="The filter name colour is not valid"):
            world.dms.describe_table_statistics(
                ReplicationTaskArn=task.arn, Filters=[{"Name": "colour", "Values": ["red"]}]
            )

    def test_truncates_where_it_is_told_to(self, world: World) -> None:
        world.on_both(TABLE)
        world.on_target("INSERT INTO t VALUES (1, 'old'), (9, 'old')")
        world.on_source("INSERT INTO t VALUES (1, 'new')")
        settings = _settings(TargetTablePrepMode="TRUNCATE_BEFORE_LOAD")
        settings["ChangeProcessingDdlHandlingPolicy"] = {"HandleSourceTableTruncated": True}
        task = world.make_task(settings=settings)
        task.start()
        until(lambda: world.rows() == [[1, "new"]])
        world.on_source("TRUNCATE t")
        until(lambda: world.rows() == [])

    def test_reload_target_begins_anew(self, world: World) -> None:
        world.on_both(TABLE)
        world.on_source("INSERT INTO t VALUES (1, 'a')")
        task = world.make_task(settings=_settings(TargetTablePrepMode="TRUNCATE_BEFORE_LOAD"))
        task.start()
        until(world.rows)
        task.stop()
        world.on_target("INSERT INTO t VALUES (5, 'stray')")
        task.start("reload-target")
        until(lambda: world.rows() == [[1, "a"]])
        world.on_source("INSERT INTO t VALUES (2, 'b')")
        until(lambda: world.rows() == [[1, "a"], [2, "b"]])

    def test_stops_after_cached_changes(self, world: World) -> None:
        world.on_both(TABLE)
        world.on_source("INSERT INTO t VALUES (1, 'a')")
        task = world.make_task(settings=_settings(StopTaskCachedChangesApplied=True))
        task.start(wait="stopped")
        assert task.told()["StopReason"] == "Stop Reason STOPPED_AFTER_CACHED_EVENTS"
        assert world.rows() == [[1, "a"]]
        world.on_target("CREATE INDEX ON t (v)")
        world.on_source("INSERT INTO t VALUES (2, 'b')")
        task.start("resume-processing")
        until(lambda: world.rows() == [[1, "a"], [2, "b"]])
        assert task.told()["Status"] == "running"

    def test_stops_before_cached_changes(self, world: World) -> None:
        world.on_both(TABLE)
        world.on_source("INSERT INTO t VALUES (1, 'a')")
        task = world.make_task(settings=_settings(StopTaskCachedChangesNotApplied=True))
        task.start(wait="stopped")
        assert task.told()["StopReason"] == "Stop Reason STOPPED_AFTER_FULL_LOAD"
        world.on_source("INSERT INTO t VALUES (2, 'b')")
        task.start("resume-processing")
        until(lambda: world.rows() == [[1, "a"], [2, "b"]])

    def test_a_full_load_alone_ends(self, world: World) -> None:
        world.on_both(TABLE)
        world.on_source("INSERT INTO t VALUES (1, 'a')")
        task = world.make_task(MigrationType="full-load")
        task.start(wait="stopped")
        assert task.told()["StopReason"] == "Stop Reason FULL_LOAD_ONLY_FINISHED"
        assert world.rows() == [[1, "a"]]
        assert world.left() == []

    def test_what_a_full_load_leaves_behind_is_told(
        self, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.on_both(TABLE)
        task = world.make_task(MigrationType="full-load")
        monkeypatch.setattr(worker.objects, "remove", lambda *_: ["the slot is in use"])
        with caplog.at_level(logging.WARNING):
            task.start(wait="stopped")
        assert f"left behind by {task.arn}: the slot is in use" in caplog.text
        monkeypatch.undo()
        task.delete()
        assert world.left() == []

    def test_every_commit_that_the_source_took_arrives_once(self, world: World) -> None:
        world.on_both("CREATE TABLE t (id bigint PRIMARY KEY, v text); CREATE TABLE other (id bigint PRIMARY KEY)")
        world.on_source("INSERT INTO t SELECT n, 'before' FROM generate_series(1, 20000) n")
        ended = threading.Event()
        written = []

        def write() -> None:
            number = 100_000
            while not ended.is_set():
                number += 1
                world.on_source(f"INSERT INTO t VALUES ({number}, 'live'); INSERT INTO other VALUES ({number})")
                written.append(number)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            task = world.make_task()
            task.start()
            until(lambda: task.table()["ValidationState"] == "Validated")
        finally:
            ended.set()
            writer.join()
        until(lambda: world.rows("other") == [[number] for number in written])
        assert world.rows() == world.on_source("SELECT * FROM t ORDER BY 1")
        until(lambda: task.table()["FullLoadRows"] + task.table()["Inserts"] == 20000 + len(written))


class TestChangesAlone:
    def test_begin_at_the_start_and_make_no_loop(self, world: World) -> None:
        world.on_both(TABLE)
        world.on_source("INSERT INTO t VALUES (1, 'a')")
        forward, back = world.make_task(), world.make_task(back=True)
        forward.start()
        until(lambda: world.rows() == [[1, "a"]])
        back.start()
        world.on_source("INSERT INTO t VALUES (2, 'forward')")
        until(lambda: len(world.rows()) == 2)
        forward.stop()
        world.on_target("INSERT INTO t VALUES (3, 'back'); UPDATE t SET v = 'changed' WHERE id = 2")
        until(lambda: world.on_source("SELECT * FROM t ORDER BY 1") == world.rows())
        assert world.on_source("SELECT * FROM t WHERE id > 1 ORDER BY 1") == [[2, "changed"], [3, "back"]]
        until(lambda: back.table()["Updates"] == 1)
        assert back.table()["FullLoadRows"] == 0
        forward.start("resume-processing")
        world.on_source("INSERT INTO t VALUES (4, 'forward again')")
        until(lambda: len(world.rows()) == 4)
        until(lambda: back.table()["ValidationState"] == "Validated")
        assert (back.told()["Status"], forward.told()["Status"]) == ("running", "running")

    def test_can_begin_again(self, world: World) -> None:
        world.on_both(TABLE)
        back = world.make_task(back=True)
        back.start()
        back.stop()
        world.on_target("INSERT INTO t VALUES (1, 'left out')")
        back.start("start-replication")
        world.on_target("INSERT INTO t VALUES (2, 'taken')")
        until(lambda: world.on_source("SELECT * FROM t") == [[2, "taken"]])
        back.stop()
        with pytest.raises(ClientError, match="RELOAD_TARGET, valid only for tasks that load"):
            back.start("reload-target")
        with pytest.raises(ClientError, match="no CdcStartPosition"):
            world.dms.start_replication_task(
                ReplicationTaskArn=back.arn, StartReplicationTaskType="start-replication", CdcStartPosition="0/1"
            )


class TestMetrics:
    def test_latency_grows_while_it_is_stalled_and_is_none_when_idle(self, world: World) -> None:
        world.on_both(TABLE)
        task = world.make_task(ResourceIdentifier="watched-task")
        instance = world.dms.describe_replication_instances(
            Filters=[{"Name": "replication-instance-arn", "Values": [task.told()["ReplicationInstanceArn"]]}]
        )["ReplicationInstances"][0]["ReplicationInstanceIdentifier"]

        def values(name: str) -> list[float]:
            found = world.client("cloudwatch").get_metric_data(
                MetricDataQueries=[
                    {
                        "Id": "m",
                        "MetricStat": {
                            "Metric": {
                                "Namespace": "AWS/DMS",
                                "MetricName": name,
                                "Dimensions": [
                                    {"Name": "ReplicationInstanceIdentifier", "Value": instance},
                                    {"Name": "ReplicationTaskIdentifier", "Value": "watched-task"},
                                ],
                            },
                            "Period": 1,
                            "Stat": "Maximum",
                        },
                    }
                ],
                StartTime=datetime.now(UTC) - timedelta(minutes=5),
                EndTime=datetime.now(UTC) + timedelta(minutes=1),
                ScanBy="TimestampAscending",
            )
            return found["MetricDataResults"][0]["Values"]

        assert instance == instance.lower()
        task.start()
        until(lambda: values("CDCIncomingChanges"))
        assert values("CDCIncomingChanges")[-1] == 0
        found = ask(world.endpoint, "POST", "/localaws/replication", {"task": "watched-task", "stall": True})
        assert found["stalled"] is True
        world.on_source("INSERT INTO t VALUES (1, 'late')")
        until(lambda: max(values("CDCLatencyTarget")) >= 1)
        assert max(values("CDCLatencySource")) > 0
        assert task.told()["Status"] == "running"
        assert world.rows() == []
        found = ask(world.endpoint, "POST", "/localaws/replication", {"task": "watched-task", "stall": False})
        assert found["stalled"] is False
        until(lambda: world.rows() == [[1, "late"]])
        until(lambda: values("CDCLatencyTarget")[-1] == 0)
        until(lambda: max(values("CDCThroughputRowsTarget")) > 0)


class TestValidation:
    def test_a_corrupted_row_is_found(self, world: World) -> None:
        world.on_both("CREATE TABLE t (id int PRIMARY KEY, amount numeric(12, 2) CHECK (amount < 100), v text)")
        world.on_source("INSERT INTO t SELECT n, 1, 'x' FROM generate_series(1, 300) n")
        task = world.make_task()
        task.start()
        until(lambda: task.table()["ValidationState"] == "Validated")
        name = task.told()["ReplicationTaskIdentifier"]
        fault = {"task": name, "corrupt": {"table": "public.t"}}
        assert ask(world.endpoint, "POST", "/localaws/replication", fault)["armed"] == ["public.t"]
        assert world.rows() == world.on_source("SELECT * FROM t ORDER BY 1")
        world.on_source("INSERT INTO t VALUES (301, 99.5, 'y')")
        until(lambda: task.table()["ValidationState"] == "Mismatched records")
        assert task.table()["ValidationFailedRecords"] == 1
        told = ask(world.endpoint, "POST", "/localaws/replication", {"task": task.arn})
        # The constraint keeps the amount as it is.
        assert told["corrupted"] == [{"table": "public.t", "column": "v", "key": "(301)"}]
        (altered,) = world.on_target("SELECT amount::text, v FROM t WHERE id = 301")
        assert altered[0] == "99.50"
        assert altered[1] != "y"
        assert task.table()["Updates"] == 0
        world.on_source("UPDATE t SET v = 'z' WHERE id = 301")
        until(lambda: task.table()["ValidationState"] == "Validated")
        assert task.table()["ValidationFailedRecords"] == 0

    def test_rows_too_many_and_too_few_are_found(self, world: World) -> None:
        world.on_both(TABLE)
        world.on_source("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
        task = world.make_task()
        task.start()
        until(lambda: task.table()["ValidationState"] == "Validated")
        world.on_target("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (3, 'stray')")
        until(lambda: task.table()["ValidationState"] == "Mismatched records")
        assert task.table()["ValidationFailedRecords"] == 2

    def test_is_pending_while_the_target_lags(self, world: World) -> None:
        world.on_both(TABLE)
        task = world.make_task()
        task.start()
        until(lambda: task.table()["ValidationState"] == "Validated")
        ask(world.endpoint, "POST", "/localaws/replication", {"task": task.arn, "stall": True})
        world.on_source("INSERT INTO t VALUES (1, 'a')")
        until(lambda: task.table()["ValidationState"] == "Pending records")
        assert task.table()["ValidationPendingRecords"] == 1
        ask(world.endpoint, "POST", "/localaws/replication", {"task": task.arn, "stall": False})
        until(lambda: task.table()["ValidationState"] == "Validated")

    def test_is_not_done_unasked(self, world: World) -> None:
        world.on_both(TABLE)
        task = world.make_task(settings={**SETTINGS, "ValidationSettings": {"EnableValidation": False}})
        task.start()
        assert task.table()["ValidationState"] == "Not enabled"


class TestDisturbances:
    def test_what_is_not_there_cannot_be_disturbed(self, world: World) -> None:
        world.on_both(TABLE)
        task = world.make_task()

        def refused(**request: Any) -> str:
            import http.client
            import json

            connection = http.client.HTTPConnection(world.endpoint.removeprefix("http://"), timeout=30)
            connection.request("POST", "/localaws/replication", json.dumps(request))
            answer = connection.getresponse()
            text = json.loads(answer.read())["message"]
            connection.close()
            assert answer.status == 400
            return str(text)

        assert "there is no replication task absent" in refused(task="absent")
        assert "is not running" in refused(task=task.arn, stall=True)
        task.start()
        assert "absent.table is no table of the task" in refused(task=task.arn, corrupt={"table": "absent.table"})
        assert refused() == "'task'"

    @pytest.mark.parametrize(
        ("kind", "value", "altered"),
        [("boolean", "true", False), ("date", "'2026-01-01'", "2026-01-02"), ("int", "41", 42)],
    )
    def test_a_column_of_any_kind_is_altered(self, world: World, kind: str, value: str, altered: Any) -> None:
        world.on_both(f"CREATE TABLE t (id int PRIMARY KEY, v {kind}, w {kind})")
        task = world.make_task(settings={**SETTINGS, "ValidationSettings": {}})
        task.start()
        fault = {"task": task.arn, "corrupt": {"table": "public.t", "column": "w"}}
        ask(world.endpoint, "POST", "/localaws/replication", fault)
        world.on_source(f"INSERT INTO t VALUES (1, {value}, {value})")
        until(lambda: [str(row[2]) for row in world.rows()] == [str(altered)])
        assert str(world.rows()[0][1]) == str(world.on_source("SELECT v FROM t")[0][0])

    def test_a_row_with_nothing_to_alter_is_passed_over(self, world: World) -> None:
        world.on_both("CREATE TABLE t (id int PRIMARY KEY, v text, doubled int GENERATED ALWAYS AS (id * 2) STORED)")
        task = world.make_task(settings={**SETTINGS, "ValidationSettings": {}})
        task.start()
        ask(world.endpoint, "POST", "/localaws/replication", {"task": task.arn, "corrupt": {"table": "public.t"}})
        world.on_source("INSERT INTO t VALUES (1, NULL)")
        until(lambda: task.table()["Inserts"] == 1)
        told = ask(world.endpoint, "POST", "/localaws/replication", {"task": task.arn})
        assert (told["armed"], told["corrupted"]) == (["public.t"], [])
