"""What breaks under a step, and by which name the state machine is told."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cutover.steps import smoke
from cutover.steps.common import cloud, databases, gates, markers, tasks
from cutover.steps.common.deadline import Deadline
from cutover.steps.common.errors import Blocked, BudgetExceeded, Retry
from cutover.steps.freeze import handle as freeze
from tests.integration.cutover_steps.conftest import FORWARD, PASSWORD, Context, World, until


def test_a_database_away_or_with_another_password(world: World) -> None:
    world.go("freeze")
    secrets = world.client("secretsmanager")
    good = json.loads(secrets.get_secret_value(SecretId=world.arns["target-cutover"])["SecretString"])

    def give(**changes: Any) -> None:
        databases.forget()
        text = json.dumps({**good, **changes})
        secrets.put_secret_value(SecretId=world.arns["target-cutover"], SecretString=text)

    for text in ("no JSON", "[]"):
        secrets.put_secret_value(SecretId=world.arns["target-cutover"], SecretString=text)
        databases.forget()
        with pytest.raises(Blocked, match="is not a JSON object"):
            world.call("drain")
    give(port=1)
    with pytest.raises(Retry, match="cannot reach the target database"):
        world.call("drain")
    give(password="wrong")
    with pytest.raises(Blocked, match="refuses user"):
        world.call("drain")
    give()
    with databases.on_both():
        pass
    # A password that changed while the process had the old one is read anew, once.
    world.pair.target.run(f"ALTER ROLE {world.roles.cutover} PASSWORD 'another'")
    text = json.dumps({**good, "password": "another"})
    secrets.put_secret_value(SecretId=world.arns["target-cutover"], SecretString=text)
    world.pair.target.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cutover step'"
    )
    world.call("drain")


def test_settings_and_aws(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.go("drain")
    with monkeypatch.context() as patch:
        patch.setenv("TARGET_CA", "")
        databases.forget()
        with pytest.raises(Blocked, match="the environment variable TARGET_CA is not set"):
            world.call("stop_forward")
        patch.setenv("TARGET_CA", "/nowhere.pem")
        with pytest.raises(Retry, match="cannot read the CA certificates"):
            world.call("stop_forward")
    databases.forget()
    with monkeypatch.context() as patch:
        patch.setenv("FORWARD_TASK_ARN", world.arns["forward"] + "x")
        with pytest.raises(Blocked, match="there is no replication task"):
            world.call("stop_forward")
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        cloud.forget()
        with pytest.raises(Retry, match="AWS cannot be reached"):
            world.call("stop_forward")
    cloud.forget()
    with monkeypatch.context() as patch:
        patch.setenv("POINTER_PARAMETER", "/not/there")
        world.call("stop_forward")
        world.call("sequences")
        world.call("start_reverse")
        with pytest.raises(Blocked, match="AWS refuses: .*ParameterNotFound"):
            world.call("switch")
    assert world.read("cutover/run-1/switch.failed.json")["error"] == "Blocked"
    assert world.gates() == (False, False)
    with pytest.raises(Blocked, match="the pointer is data_center, not aurora: switch first"):
        world.call("reopen")
    with pytest.raises(Blocked, match="the pointer is data_center"):
        world.call("smoke")


def test_reports_that_cannot_be_written_stop_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.call("preflight")
    with monkeypatch.context() as patch:
        patch.setenv("RUN_BUCKET", "not-there")
        patch.setenv("PHASE_PARAMETER", "")
        world.call("freeze")
    assert world.gates() == (False, False)
    said = [line for line in capsys.readouterr().out.splitlines() if "not_recorded" in line]
    assert len(said) == 2
    assert world.phase == "preflight"


def test_replication_that_stalls_costs_the_budget_and_no_more(world: World) -> None:
    world.call("preflight")
    world.stall("forward", on=True)
    world.pay("source", "zz late")
    world.call("freeze")
    world.budget["freeze_seconds"] = time.time() - world.budget["frozen_at"] + 0.5
    with pytest.raises(BudgetExceeded, match="waiting for the marker at .* on the target"):
        world.call("drain")
    for name in ("drain", "stop_forward", "sequences", "start_reverse", "switch", "smoke", "reopen"):
        with pytest.raises((BudgetExceeded, Blocked)):
            world.call(name)
    world.budget["freeze_seconds"] = 60
    with pytest.raises(Retry, match="the function's time is up"):
        world.call("drain", left=2.3)
    with pytest.raises(Blocked, match="it is not drained"):
        world.call("stop_forward")
    world.call("rollback")
    assert world.gates() == (True, False)
    world.stall("forward", on=False)
    until(lambda: world.notes("target")[-1] == "zz late")


def test_the_budget_runs_from_the_freeze_on_also_in_the_freeze(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRITER_SECONDS", "60")
    world.call("preflight")
    with world.pair.source.dial(world.roles.application, PASSWORD) as writer:
        writer.run("BEGIN; INSERT INTO payment (amount) VALUES (1)")
        world.budget["freeze_seconds"] = 1.0
        with pytest.raises(BudgetExceeded, match="waiting for writers in flight on the source"):
            world.call("freeze")
    world.call("rollback")
    assert world.gates() == (True, False)


def test_a_prepared_transaction_is_for_its_owner_to_end(world: World) -> None:
    world.call("preflight")
    world.pair.source.run("BEGIN; INSERT INTO payment (amount) VALUES (1); PREPARE TRANSACTION 'p1'")
    with pytest.raises(Blocked, match="prepared transaction 'p1'"):
        world.call("freeze")
    world.pair.source.run("ROLLBACK PREPARED 'p1'")
    world.call("rollback")


def test_a_task_that_does_not_start(world: World) -> None:
    world.go("drain")
    with pytest.raises(Blocked, match="the forward task is not at rest"):
        world.call("start_reverse")
    world.call("stop_forward")
    world.pair.source.run("DROP TABLE entry")
    with pytest.raises(Blocked, match="task .* does not run, it is failed: .*entry"):
        world.call("start_reverse")
    with pytest.raises(Blocked, match="has not been seen to flow"):
        world.call("switch")
    world.call("rollback")
    assert world.gates() == (True, False)


def test_a_reverse_task_that_carries_nothing(world: World) -> None:
    world.go("stop_forward")
    world.start("reverse")
    world.stall("reverse", on=True)
    with pytest.raises(Retry, match="waiting for a marker of the target on the source"):
        world.call("start_reverse", left=4.2)
    assert len(markers.find(_session(world), [markers.identify("run-1", gates.REVERSE, n) for n in range(9)])) >= 2
    world.stall("reverse", on=False)
    world.call("start_reverse")
    assert world.phase == "reversed"


def _session(world: World) -> Any:
    databases.warm()
    return databases._idle["target"]


def test_a_sequence_that_cannot_be_set(world: World) -> None:
    world.go("drain")
    world.pair.target.run("DROP SEQUENCE entry_id_seq CASCADE")
    with pytest.raises(Blocked, match=r"entry_id_seq is missing on the target"):
        world.call("sequences")
    world.call("rollback")


def test_no_number_is_given_out_twice(world: World) -> None:
    world.pay("source", "a number given out")
    for name in FORWARD[:-1]:
        if name != "sequences":
            world.call(name)
    with pytest.raises(Blocked, match="1 sequences of the target are behind the source's: public.payment_id_seq"):
        world.call("reopen")
    assert world.gates() == (False, False)
    world.call("sequences")
    world.call("reopen")


def test_defects_keep_their_names(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.go("freeze")
    with monkeypatch.context() as patch:
        patch.setattr(databases, "warm", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            freeze({"warm": True}, Context())
    with monkeypatch.context() as patch:
        patch.setattr(markers, "forget", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.call("rollback")
    world.pair.source.run("ALTER TABLE cutover.fence RENAME word TO said")
    with pytest.raises(Blocked, match="the source says: .*42703"):
        world.call("rollback")


def test_what_aws_refuses_for_no_reason_of_ours(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("RUN_BUCKET", "not-there")
        with pytest.raises(Blocked, match="AWS refuses: .*NoSuchBucket"):
            world.call("preflight")
    forward = Deadline({}, Context(2.3))
    assert not tasks._ask("start_replication_task", world.arns["forward"], StartReplicationTaskType="resume-processing")
    assert not tasks.start(world.arns["forward"], "resume-processing", forward)
    with pytest.raises(ClientError, match="no CdcStartPosition"):
        tasks._ask(
            "start_replication_task",
            world.arns["reverse"],
            StartReplicationTaskType="start-replication",
            CdcStartPosition="now",
        )
    monkeypatch.setattr(tasks, "is_code", lambda *_: False)
    with pytest.raises(ClientError, match="ResourceNotFoundFault"):
        tasks.describe(world.arns["forward"] + "x")


def test_requests_are_not_moved_to_where_nobody_is(world: World) -> None:
    world.go("start_reverse")
    world.client("elbv2").deregister_targets(
        TargetGroupArn=world.arns["blue"], Targets=[{"Id": "10.9.0.14", "Port": 80}]
    )
    with pytest.raises(Blocked, match="no healthy target"):
        world.call("switch")
    assert (world.pointer, world.weights()) == ("data_center", {"dc": 100, "blue": 0})


@contextmanager
def service(answers: list[tuple[int, bytes]]) -> Iterator[str]:
    """A web server that gives these answers, the last one for ever."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/health"
    server.shutdown()
    thread.join()
    server.server_close()


def health(database: str) -> bytes:
    return json.dumps({"components": {"db": {"details": {"database": database}}}}).encode()


def test_smoke(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.go("switch")
    assert world.call("smoke")["url"] == "none to ask"
    for answers in (
        [(503, b""), (200, health("data_center")), (200, health("aurora"))],
        [(200, b"UP")],
        [(200, b"[]")],
    ):
        with service(answers) as url:
            monkeypatch.setenv("SMOKE_URL", url)
            assert world.call("smoke")["url"] == "serves from Aurora"
            assert len(answers) == 1
    monkeypatch.setenv("SMOKE_URL", url)  # nobody is there any more
    with pytest.raises(Retry, match="waiting for .* to serve from Aurora"):
        world.call("smoke", left=2.2)
    monkeypatch.setenv("SMOKE_URL", "file:///etc/passwd")
    with pytest.raises(Blocked, match="no URL of a web server"):
        world.call("smoke")
    monkeypatch.delenv("SMOKE_URL")

    target, roles = world.pair.target, world.roles
    target.run(
        f"REVOKE DELETE ON entry FROM {roles.writer}; REVOKE USAGE ON SEQUENCE payment_id_seq FROM {roles.writer}"
    )
    with pytest.raises(
        Blocked, match="lacks privileges on 2 objects of the target: public.entry, public.payment_id_seq"
    ):
        world.call("smoke")
    target.run(f"GRANT DELETE ON entry TO {roles.writer}; GRANT USAGE ON SEQUENCE payment_id_seq TO {roles.writer}")
    target.run(f"GRANT {roles.writer} TO {roles.application}")
    with pytest.raises(Blocked, match="open before its time"):
        world.call("smoke")


def test_smoke_refuses_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    session = type("Session", (), {"value": lambda self, sql: True})()
    with pytest.raises(Blocked, match="the target is a reader"):
        smoke.check_database(session, None, [])  # type: ignore[arg-type]


def test_watch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.go("reopen")
    with pytest.raises(Blocked, match="there is nothing to switch"):
        world.call("switch")
    world.client("cloudwatch").set_alarm_state(AlarmName=world.arns["alarm"], StateValue="ALARM", StateReason="lag")
    world.pair.source.run(f"GRANT {world.roles.writer} TO {world.roles.application}")
    world.stop("reverse")
    monkeypatch.setattr("cutover.steps.watch._MOST_LAG_SECONDS", 0.2)
    answer = world.call("watch")
    assert answer["verdict"] == "alarm"
    assert answer["reverse_lag_seconds"] is None
    for said in ("is in alarm", "the source's gate is open as well", "the reverse task is stopped", "0.2 s behind"):
        assert sum(said in reason for reason in answer["reasons"]) == 1, said
    with pytest.raises(Blocked, match="the source is frozen, its gate open: the payments are not on AWS alone"):
        world.call("finish")
    world.pair.source.run(f"REVOKE {world.roles.writer} FROM {world.roles.application}")
    world.pair.target.run(
        f"REVOKE {world.roles.writer} FROM {world.roles.application} GRANTED BY {world.roles.cutover}"
    )
    assert any("the target's gate is closed" in reason for reason in world.call("watch")["reasons"])
    with pytest.raises(Blocked, match="closed from outside after it was opened"):
        world.call("reopen")


def test_approval(world: World) -> None:
    assert world.call("approval", task_token="T", question="freeze") == {"question": "freeze"}
    assert world.phase == "awaiting_approval"
    world.call("approval", task_token="T2", question="stay")
    assert world.read("cutover/run-1/open_approval.json")["task_token"] == "T2"
    wrong: list[dict[str, Any]] = [{"question": "freeze"}, {"task_token": "T", "question": "lunch"}]
    for given in wrong:
        with pytest.raises(Blocked, match="an approval needs a task_token and a question of freeze, switch, stay"):
            world.call("approval", **given)


def test_stuck_with_a_database_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_SECRET_ARN", "")
    said = json.dumps({"errorMessage": "the source is away", "errorType": "Retry"})
    cause = world.call("stuck", error="Retry", cause=said)["cause"]
    assert cause.startswith("cutover run-1 is stuck after Retry (the source is away). the source cannot be looked at; ")
    assert "after Retry. the source" in world.call("stuck", error="Retry", cause="{}")["cause"]
    assert "after KeyError. the source" in world.call("stuck", error="KeyError", cause=said)["cause"]
    monkeypatch.setattr(gates, "is_open", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.call("stuck")


def test_a_run_needs_a_name(world: World) -> None:
    world.run_id = "../x"
    with pytest.raises(Blocked, match="run_id is '../x'"):
        world.call("freeze")


def test_a_stop_that_comes_at_the_wrong_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """DMS refuses what the task's state does not allow: the next look tells what became of it."""
    world.go("drain")
    states = iter(["running", "running", "stopping", "stopped"])
    asked: list[str] = []
    monkeypatch.setattr(tasks, "describe", lambda arn: {"Status": next(states)})

    def ask(operation: str, arn: str) -> bool:
        asked.append(operation)
        return len(asked) > 1

    monkeypatch.setattr(tasks, "_ask", ask)
    assert world.call("stop_forward") == {"status": "stopped"}
    assert asked == ["stop_replication_task", "stop_replication_task"]
    monkeypatch.undo()
