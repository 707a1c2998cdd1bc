"""Servers and the embedded AWS itself die and come back; no change is lost, and nothing goes on that should not."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from localaws import process
from localaws.account import Account
from localaws.dms import objects, runner, watcher
from localaws.dms.beginning import Beginning
from localaws.dms.postgres import Place, Session
from localaws.process import ask
from localaws.record import locate, read_record, try_lock
from localaws.server import Server as Application
from localaws.server import listening
from settings.errors import UserError
from tests.integration.localaws.replication.conftest import SETTINGS, World, down, until
from tests.integration.validator.conftest import Server

TABLE = "CREATE TABLE t (id int PRIMARY KEY, v text)"
BRITTLE = {**SETTINGS, "ErrorBehavior": {"RecoverableErrorCount": 2, "RecoverableErrorInterval": 1}}


class TestServers:
    @pytest.mark.parametrize("side", ["source", "target"])
    def test_a_server_that_was_killed_is_gone_on_with(self, world: World, side: str) -> None:
        world.on_both(TABLE)
        task = world.make_task()
        task.start()
        world.on_source("INSERT INTO t VALUES (1, 'before')")
        until(lambda: len(world.rows()) == 1)
        with down(getattr(world, side)):
            assert task.told()["Status"] == "running"
        world.on_source("INSERT INTO t VALUES (2, 'after')")
        until(lambda: world.rows() == [[1, "before"], [2, "after"]])
        until(lambda: task.table()["ValidationState"] == "Validated")
        assert task.told()["Status"] == "running"
        until(lambda: task.table()["Inserts"] >= 1)

    def test_a_stall_outlives_a_lost_connection(self, world: World) -> None:
        world.on_both(TABLE)
        task = world.make_task()
        task.start()
        until(task.is_watched)
        stall = {"task": task.arn, "stall": True}
        ask(world.endpoint, "POST", "/localaws/replication", stall)
        with down(world.source):
            assert task.told()["Status"] == "running"
        world.on_source("INSERT INTO t VALUES (1, 'late')")
        assert ask(world.endpoint, "POST", "/localaws/replication", {"task": task.arn})["stalled"]
        checkpoint = task.told()["RecoveryCheckpoint"]
        until(lambda: task.table()["ValidationState"] == "Pending records")
        assert (world.rows(), task.told()["RecoveryCheckpoint"]) == ([], checkpoint)
        ask(world.endpoint, "POST", "/localaws/replication", {**stall, "stall": False})
        until(lambda: world.rows() == [[1, "late"]])

    def test_a_server_that_dies_during_the_load(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """The load begins anew, from another moment, and what was loaded before is not there twice."""
        world.on_both(TABLE)
        world.on_source("INSERT INTO t SELECT n, 'x' FROM generate_series(1, 5000) n")
        begun, dead = threading.Event(), threading.Event()

        class Slow(Beginning):
            def _load(self, *given: Any) -> None:
                check = self._check

                def wait() -> None:
                    check()
                    if not begun.is_set():
                        begun.set()
                        dead.wait(60)

                self._check = wait
                super()._load(*given)

        monkeypatch.setattr("localaws.dms.worker.Beginning", Slow)
        task = world.make_task()
        task.start(wait="")
        assert begun.wait(60)
        with down(world.source):
            dead.set()
        until(lambda: len(world.rows()) == 5000)
        world.on_source("INSERT INTO t VALUES (5001, 'after')")
        until(lambda: len(world.rows()) == 5001)
        assert task.table()["FullLoadRows"] == 5000

    def test_a_server_that_does_not_come_back_is_given_up(self, world: World) -> None:
        world.on_both(TABLE)
        task = world.make_task(settings={**BRITTLE, "FullLoadSettings": {"TargetTablePrepMode": "DO_NOTHING"}})
        task.start()
        until(task.is_watched)
        with down(world.target):
            message = task.reach("failed")["LastFailureMessage"]
            assert "cannot reach the target database" in message
            assert "(tried 3 times)" in message
        world.on_source("INSERT INTO t VALUES (1, 'a')")
        task.start("resume-processing")
        until(lambda: world.rows() == [[1, "a"]])

    def test_a_stop_waits_for_a_target_that_is_away(self, world: World) -> None:
        world.on_both(TABLE)
        task = world.make_task()
        task.start()
        until(task.is_watched)
        with down(world.target):
            world.dms.stop_replication_task(ReplicationTaskArn=task.arn)
            assert task.told()["Status"] == "stopping"
        task.reach("stopped")
        world.on_source("INSERT INTO t VALUES (1, 'not yet')")
        assert world.on_target("SELECT subenabled FROM pg_subscription") == [[False]]
        assert world.rows() == []

    def test_a_stop_that_cannot_be_done_says_so(self, world: World) -> None:
        world.on_both(TABLE)
        task = world.make_task(settings=BRITTLE)
        world.dms.modify_replication_task(ReplicationTaskArn=task.arn, MigrationType="cdc")
        task.start()
        until(task.is_watched)
        with down(world.target):
            world.dms.stop_replication_task(ReplicationTaskArn=task.arn)
            message = task.reach("failed")["LastFailureMessage"]
        assert "it could not be stopped, and may go on: cannot reach the target database" in message

    def test_what_cannot_be_removed_is_named(
        self, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.on_both(TABLE)
        task = world.make_task(ResourceIdentifier="left-behind")
        task.start()
        task.stop()
        told = task.told()
        monkeypatch.setattr(runner, "_REMOVE_PAUSE_SECONDS", 0.01)
        with down(world.source), caplog.at_level(logging.WARNING):
            task.delete()
        assert "has left dms_left_behind behind: cannot reach the source database" in caplog.text
        assert world.left() == [["dms_left_behind"], ["dms_left_behind"]]
        # The next task of that name takes them for its own.
        again = world.make_task(
            ResourceIdentifier="left-behind",
            SourceEndpointArn=told["SourceEndpointArn"],
            TargetEndpointArn=told["TargetEndpointArn"],
        )
        again.start()
        again.stop()
        again.delete()
        assert world.left() == []

    def test_a_task_whose_secret_is_gone_is_deleted_all_the_same(
        self, world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.on_both(TABLE)
        task = world.make_task()
        task.start()
        task.stop()
        (names,) = world.on_target("SELECT subname::text FROM pg_subscription")
        hosts = ask(world.endpoint, "GET", "/localaws/hosts")
        ask(world.endpoint, "POST", "/localaws/hosts", dict.fromkeys(hosts))
        monkeypatch.setattr(runner, "_REMOVE_PAUSE_SECONDS", 0.01)
        task.delete()
        assert f"has left {names[0]} behind: the embedded AWS does not know where on this machine" in caplog.text
        world.on_target(f"ALTER SUBSCRIPTION {names[0]} SET (slot_name = NONE)")
        world.on_target(f"DROP SUBSCRIPTION {names[0]}")
        world.on_source(f"SELECT pg_drop_replication_slot('{names[0]}')")


class TestWhatIsStuck:
    """An apply worker that waits for a lock does not end, whatever it is asked."""

    def test_is_told_of_and_goes_on_later(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        world.on_both(TABLE)
        task = world.make_task(settings={**SETTINGS, "ValidationSettings": {}})
        task.start()
        until(task.is_watched)
        monkeypatch.setattr(objects, "_SLOT_SECONDS", 0.05)
        monkeypatch.setattr(runner, "_OBEY_SECONDS", 0.3)
        with world.open_transaction(world.target, "LOCK TABLE t"):
            world.on_source("INSERT INTO t VALUES (1, 'stuck')")
            until(lambda: world.on_target("SELECT 1 FROM pg_locks WHERE NOT granted"))
            with pytest.raises(UserError) as no:
                ask(world.endpoint, "POST", "/localaws/replication", {"task": task.arn, "stall": True})
            assert "did not obey within 0.3 s" in str(no.value)
        until(lambda: ask(world.endpoint, "POST", "/localaws/replication", {"task": task.arn})["stalled"])
        ask(world.endpoint, "POST", "/localaws/replication", {"task": task.arn, "stall": False})
        until(lambda: world.rows() == [[1, "stuck"]])

    def test_a_slot_that_stays_in_use_is_left_behind(
        self, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        world.on_both(TABLE)
        task = world.make_task(ResourceIdentifier="in-use")
        task.start()
        task.stop()
        monkeypatch.setattr(objects, "_SLOT_SECONDS", -1)
        monkeypatch.setattr(runner, "_REMOVE_TRIES", 1)
        reader = subprocess.Popen(
            [
                world.source.programs / "pg_recvlogical", "-h", "127.0.0.1", "-p", str(world.source.port), "-U", "postgres",
                "-d", world.database, "--slot", "dms_in_use", "--start", "-f", "-", "-o", "proto_version=1",
                "-o", "publication_names=dms_in_use",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            until(
                lambda: (
                    world.on_source("SELECT active FROM pg_replication_slots WHERE slot_name = 'dms_in_use'")
                    == [[True]]
                )
            )
            task.delete()
            assert "the replication slot dms_in_use on the source is still in use" in caplog.text
        finally:
            reader.kill()
            reader.wait()
        until(
            lambda: (
                world.on_source("SELECT active FROM pg_replication_slots WHERE slot_name = 'dms_in_use'") == [[False]]
            )
        )
        world.on_source("SELECT pg_drop_replication_slot('dms_in_use')")


def test_a_worker_that_is_silent_is_looked_after(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is applied while both sides answer: the credentials are tried, and are not what is wrong."""
    world.on_both(TABLE)
    task = world.make_task()
    task.start()
    until(task.is_watched)
    tried: list[str] = []

    class Tried(Session):
        def __init__(self, place: Place) -> None:
            super().__init__(place)
            tried.append(place.side)

    monkeypatch.setattr(watcher, "Session", Tried)
    monkeypatch.setattr(watcher, "SILENT_SECONDS", 0)
    world.target.run("ALTER SYSTEM SET wal_retrieve_retry_interval = '1s'")
    world.target.run("SELECT pg_reload_conf()")
    try:
        world.source.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'walsender'")
        until(lambda: tried[:2] == ["source", "target"])
    finally:
        world.target.run("ALTER SYSTEM RESET wal_retrieve_retry_interval")
        world.target.run("SELECT pg_reload_conf()")
    world.on_source("INSERT INTO t VALUES (1, 'a')")
    until(lambda: world.rows() == [[1, "a"]])
    assert task.told()["Status"] == "running"


def test_a_defect_fails_the_task_and_is_in_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.on_both(TABLE)
    task = world.make_task()

    def broken(*_: Any) -> None:
        raise KeyError("defect")

    monkeypatch.setattr(objects, "find_tables", broken)
    task.start(wait="failed")
    assert "Last Error  KeyError: 'defect' Stop Reason" in task.told()["LastFailureMessage"]
    assert f"the task {task.arn} broke" in caplog.text


class TestTheEmbeddedAws:
    def test_an_account_that_ends_leaves_nothing_behind(self, servers: tuple[Server, Server], world: World) -> None:
        """A reset, as at the end of every test: the tasks are gone, and what they have made."""
        world.on_both(TABLE)
        world.on_source("INSERT INTO t VALUES (1, 'a')")
        task = world.make_task()
        task.start()
        until(lambda: len(world.rows()) == 1)
        ask(world.endpoint, "POST", "/localaws/reset")
        assert world.left() == []
        assert not task.there()
        names = {thread.name for thread in threading.enumerate()}
        assert not [name for name in names if name.startswith(("replicate", "validate", "load", "remove"))]
        world.tasks.clear()

    def test_a_beginning_that_nobody_lived_to_tell_is_known_again(self, world: World, tmp_path: Path) -> None:
        """The account was saved during the load, and its server killed after it: what was loaded is not loaded twice."""
        world.on_both(TABLE)
        world.on_source("INSERT INTO t VALUES (1, 'a')")
        saved = tmp_path / "account"
        account = Account()
        account.reset()
        account.hosts.change(ask(world.endpoint, "GET", "/localaws/hosts"))
        with listening(Application(account, saved)) as url:
            here = World(world.source, world.target, world.database, url)
            task = here.make_task()
            with here.open_transaction(world.source):
                task.start(wait="")
                until(lambda: account.dms("us-east-1").store.runs[task.arn].may_have_objects)
                account.save(saved)
            until(task.is_watched)
            account.close()
            world.on_source("INSERT INTO t VALUES (2, 'meanwhile')")
            account.restore(saved)
            until(task.is_watched)
            until(lambda: world.rows() == [[1, "a"], [2, "meanwhile"]])
            assert task.told()["ReplicationTaskStats"]["FullLoadProgressPercent"] == 100
            account.reset()
        assert world.left() == []

    @pytest.mark.parametrize("status", ["stopping", "deleting"])
    def test_what_was_about_to_end_ends_after_a_restart(self, world: World, tmp_path: Path, status: str) -> None:
        world.on_both(TABLE)
        account = Account()
        account.reset()
        account.hosts.change(ask(world.endpoint, "GET", "/localaws/hosts"))
        with listening(Application(account)) as url:
            here = World(world.source, world.target, world.database, url)
            task, idle = here.make_task(), here.make_task()
            task.start()
            until(task.is_watched)
            with down(world.target):
                here.dms.stop_replication_task(ReplicationTaskArn=task.arn)
                account.close()
                account.dms("us-east-1").store.tasks[task.arn].document["Status"] = status
                account.save(tmp_path / "account")
            account.restore(tmp_path / "account")
            if status == "stopping":
                task.reach("stopped")
                assert world.on_target("SELECT subenabled FROM pg_subscription") == [[False]]
            else:
                until(lambda: not task.there())
                assert world.left() == []
            assert idle.told()["Status"] == "ready"
            # One that never ended is ended by the reset, and so is one that is being removed.
            if status == "stopping":
                here.dms.delete_replication_task(ReplicationTaskArn=task.arn)
            account.reset()
        assert world.left() == []

    def test_a_task_runs_again_after_a_restart(self, world: World, tmp_path: Path) -> None:
        """The server of the embedded AWS is stopped, and then killed; the servers of the databases go on."""
        world.on_both(TABLE)
        world.on_source("INSERT INTO t VALUES (1, 'a')")
        first = process.up(tmp_path)
        try:
            here = World(world.source, world.target, world.database, first.url)
            hosts = {f"{here.host(one)}:5432": f"127.0.0.1:{one.port}" for one in (world.source, world.target)}
            ask(first.url, "POST", "/localaws/hosts", hosts)
            task = here.make_task()
            task.start()
            until(task.is_watched)
            process.stop(tmp_path)
            world.on_source("INSERT INTO t VALUES (2, 'while stopped')")
            second = process.up(tmp_path)
            assert second.pid != first.pid
            assert ask(second.url, "GET", "/localaws/hosts") == hosts
            task.dms = World(world.source, world.target, world.database, second.url).dms
            assert task.told()["Status"] == "running"
            until(lambda: task.table()["Inserts"] == 1)
            until(lambda: ask(second.url, "POST", "/localaws/save")["bytes"])
            os.kill(second.pid, signal.SIGKILL)
            _ended(tmp_path)
            world.on_source("INSERT INTO t VALUES (3, 'while dead')")
            third = process.up(tmp_path)
            task.dms = World(world.source, world.target, world.database, third.url).dms
            assert task.told()["Status"] == "running"
            world.on_source("INSERT INTO t VALUES (4, 'after')")
            until(lambda: [row[0] for row in world.rows()] == [1, 2, 3, 4])
            until(lambda: task.table()["Inserts"] == 3)
            assert task.table()["FullLoadRows"] == 1
            task.stop()
            task.delete()
            assert world.left() == []
        finally:
            record = read_record(locate(tmp_path))
            if record is not None:
                os.kill(record.pid, signal.SIGKILL)
                _ended(tmp_path)


def _ended(root: Path) -> None:
    until(lambda: (lock := try_lock(locate(root))) is not None and os.close(lock) is None)
