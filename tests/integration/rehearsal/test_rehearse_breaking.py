"""What breaks in a rehearsal really breaks, in an account and on a server of this machine; and what is mended again."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import threading
import time
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import psycopg
import pytest
from botocore.stub import Stubber

from localaws import process
from rehearsal.errors import RehearsalError
from rehearsal.postgres import find_programs
from rehearsal.rehearse import account as account_module
from rehearsal.rehearse import breaking, machine, migration, observer, screen, stage
from rehearsal.rehearse.account import Account
from rehearsal.rehearse.arguments import parse
from rehearsal.rehearse.breaking import Breaker
from rehearsal.rehearse.execution import Cutover, Look
from rehearsal.rehearse.faults import Fault
from rehearsal.rehearse.processes import ROOT
from rehearsal.rehearse.servers import Server, make_server
from tests.integration.rehearsal.conftest import Aws

_ROLE = "arn:aws:iam::123456789012:role/role"
_SLOW = "import time\ndef handle(event, context):\n    time.sleep(event.get('sleep', 0))\n    return {'ok': True}\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = make_server("aurora", find_programs())
    yield made
    made.remove()


@pytest.fixture
def known(aws: Aws, tmp_path: Path) -> Account:
    """An account with a state machine that calls one function and waits for a person, and a bucket of its runs."""
    made = Account(tmp_path, "dev", None)
    made.url = aws.url
    name = f"rehearsed-{uuid.uuid4().hex[:8]}"
    made.__dict__["outputs"] = {"Cutover.StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:none"}
    if not made.client("iam").list_roles()["Roles"]:
        made.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("code.py", _SLOW)
    function = made.client("lambda").create_function(
        FunctionName=name, Runtime="python3.13", Role=_ROLE, Handler="code.handle", Timeout=60,
        Code={"ZipFile": buffer.getvalue()},
        Environment={"Variables": {"SOURCE_CA": "a", "TARGET_CA": "b", "OTHER": "c", "SMOKE_URL": ""}},
    )["FunctionArn"]  # fmt: skip
    invoke = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    drain = {**invoke, "Parameters": {"FunctionName": function, "Payload": {"sleep": 30}}}
    approve = {"Type": "Wait", "Seconds": 600, "Next": "Drain"}
    definition = {"StartAt": "Approve", "States": {"Approve": approve, "Drain": drain}}
    arn = made.client("stepfunctions").create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=_ROLE
    )["stateMachineArn"]
    made.client("s3").create_bucket(Bucket=name)
    made.__dict__["outputs"] = {
        "Cutover.StateMachineArn": arn,
        "Cutover.PhaseName": f"/{name}/phase",
        "Database.PointerName": f"/{name}/database",
        "Validation.ReportBucketName": name,
        "Validation.StateMachineArn": arn,
        "Migration.ForwardTaskArn": "arn:aws:dms:us-east-1:123456789012:task:forward",
        "Migration.ReplicationInstanceId": "instance",
        "Migration.ForwardTaskId": "forward",
        "Migration.ReverseTaskId": "reverse",
    }
    made.outputs_file.parent.mkdir(parents=True)
    made.outputs_file.write_text(json.dumps(made.outputs))
    return made


def entered(*states: str, failures: tuple[str, ...] = ()) -> Look:
    return Look("RUNNING", "", "", states, (), failures)


def breaker(fault: str, known: Any, **stage: Any) -> Breaker:
    kind, _, state = fault.partition("@")
    return Breaker(
        Fault(kind, state),
        SimpleNamespace(account=known, check=lambda: None, **stage),
        Cutover(known, known.folder),  # type: ignore[arg-type]
    )


def test_nothing_breaks_where_nothing_is_to() -> None:
    quiet = Breaker(None, None, None)  # type: ignore[arg-type]
    quiet.prepare()
    assert not quiet.pending
    assert not quiet.is_away
    assert not quiet.watch(entered("Drain"))


@pytest.mark.parametrize(("fault", "side"), [("source-killed", "data_center"), ("target-killed", "aurora")])
def test_a_killed_server_comes_back(server: Server, monkeypatch: pytest.MonkeyPatch, fault: str, side: str) -> None:
    monkeypatch.setattr(breaking, "_AWAY_SECONDS", 0)
    asked: list[str] = []
    databases = SimpleNamespace(of=lambda name: asked.append(name) or server)
    broken = breaker(f"{fault}@Drain", SimpleNamespace(folder=Path()), databases=databases)
    before = server.run("SELECT pg_postmaster_start_time()")
    assert not broken.watch(entered("Freeze"))
    assert broken.pending
    assert broken.watch(entered("Freeze", "WatchOn", "Drain"))
    assert (broken.pending, broken.seen_before, asked) == (False, 1, [side])
    assert broken.struck_at is not None
    assert server.run("SELECT pg_postmaster_start_time()") > before
    assert "immediate shutdown request" in server.log.read_text()
    assert not broken.watch(entered("Drain"))  # once


def test_a_stage_cuts_the_way_and_the_applications_own_connections(server: Server) -> None:
    options = parse(["--env", "dev"])
    assert options is not None
    cut = stage.Stage(Path("/nowhere"), options)
    signals: list[int] = []
    cut.account = SimpleNamespace(system="payments")  # type: ignore[assignment]
    cut.gateway = SimpleNamespace(process=SimpleNamespace(send_signal=signals.append))  # type: ignore[assignment]
    cut.databases = SimpleNamespace(of=lambda _: server)  # type: ignore[assignment]
    server.run("CREATE ROLE payments_application LOGIN PASSWORD 'p'")
    with psycopg.connect(server.dsn("payments_application", "p"), autocommit=True) as connection:
        connection.execute("SELECT 1")
        cut.cut()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert signals == [signal.SIGUSR1]


def test_a_stage_keeps_the_logs_of_its_servers(tmp_path: Path) -> None:
    options = parse(["--env", "dev"])
    assert options is not None
    ends = stage.Stage(tmp_path, options)
    ends.logs.mkdir()
    removed: list[str] = []
    for name, log in (("data center", tmp_path / "log"), ("aurora", tmp_path / "none")):
        ends._remove(SimpleNamespace(name=name, log=log, remove=lambda name=name: removed.append(name)))  # type: ignore[arg-type]
        (tmp_path / "log").write_text("told")
    ends._remove(SimpleNamespace(name="data center", log=tmp_path / "log", remove=lambda: removed.append("again")))  # type: ignore[arg-type]
    assert [path.name for path in ends.logs.iterdir()] == ["postgres-data-center.log"]
    assert removed == ["data center", "aurora", "again"]


def test_connections_are_cut_by_the_stage() -> None:
    cuts: list[int] = []
    broken = breaker("connection-cut@Drain", SimpleNamespace(folder=Path()), cut=lambda: cuts.append(1))
    assert broken.watch(entered("Drain"))
    assert cuts == [1]


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        ("replication-stalled", {"stall": True}),
        ("row-corrupted", {"corrupt": {"table": "public.payment", "column": "amount"}}),
    ],
)
def test_replication_is_disturbed(
    known: Account, monkeypatch: pytest.MonkeyPatch, fault: str, asked: dict[str, Any]
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(Account, "ask", lambda _, *what: told.append(what))
    assert breaker(f"{fault}@Approve", known).watch(entered("Approve"))
    assert told == [("replication", {"task": known["Migration.ForwardTaskArn"], **asked})]


def test_what_does_not_run_cannot_be_disturbed_and_is_tried_again(known: Account) -> None:
    broken = breaker("replication-stalled@Approve", known)
    for _ in range(2):
        assert not broken.watch(entered("Approve"))
        assert broken.pending


def test_a_function_hangs_until_its_time_is_up_and_has_as_much_time_as_before_the_next_time(
    known: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaking, "_PATIENCE_SECONDS", 3)
    functions = known.client("lambda")
    broken = breaker("function-timeout@Drain", known)
    broken.prepare()
    name = broken._function("Drain")

    def seconds() -> int:
        return int(functions.get_function_configuration(FunctionName=name)["Timeout"])

    assert seconds() == 3
    answers: list[Any] = []

    def invoke() -> None:
        answers.append(functions.invoke(FunctionName=name, Payload=b'{"sleep": 1}')["Payload"].read())

    thread = threading.Thread(target=invoke)
    thread.start()
    assert broken.watch(entered("Drain"))
    thread.join()
    assert json.loads(answers[0])["errorType"] == "Sandbox.Timedout"
    assert not broken.watch(entered("Drain", failures=("Retry",)))
    assert seconds() == 3
    broken.watch(entered("Drain", failures=("Sandbox.Timedout",)))
    assert seconds() == 60
    broken.watch(entered("Drain", failures=("Sandbox.Timedout",)))


def test_a_function_that_has_ended_before_it_hangs_is_no_error(known: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaking, "find_processes", lambda _: [2**22 + 1])
    breaker("function-timeout@Drain", known)._hang("nobody")


def test_a_stopped_execution_has_stopped_and_one_that_is_over_can_be_closed(known: Account) -> None:
    broken = breaker("machine-stopped@Approve", known)
    cutover = broken._cutover
    assert cutover.record() == {}
    assert cutover.question() == ""
    cutover.begin()
    assert observer.wait_until(lambda: "Approve" in cutover.look().entered, 60, lambda: None)
    assert broken.watch(cutover.look())
    assert observer.wait_until(lambda: cutover.look().status == "ABORTED", 60, lambda: None)
    cutover.arns.append(f"{cutover.arns[0]}-nobody")
    cutover.close()


def test_everything_can_be_given_more_time(known: Account) -> None:
    definition = machine.read_definition(known)
    definition["States"]["Take"] = {
        "Type": "Pass",
        "Parameters": {"freeze_seconds": 60, "most_seconds": 50},
        "Next": "Drain",
    }
    definition["States"]["Drain"]["TimeoutSeconds"] = 40
    inner = {"StartAt": "In", "States": {"In": {**definition["States"]["Drain"]}}}
    definition["States"]["Both"] = {"Type": "Parallel", "Branches": [inner], "End": True}
    machine.write_definition(known, definition)
    functions, name = known.client("lambda"), known["Validation.ReportBucketName"]
    for factor, seconds in ((1, 60), (5, 300), (9, 900)):
        machine.stretch(known, factor)
        assert functions.get_function_configuration(FunctionName=name)["Timeout"] == seconds
    found = machine.read_definition(known)["States"]
    assert found["Take"]["Parameters"] == {"freeze_seconds": 60 * 45, "most_seconds": 50 * 45}
    assert found["Drain"]["TimeoutSeconds"] == found["Both"]["Branches"][0]["States"]["In"]["TimeoutSeconds"] == 1800
    assert "TimeoutSeconds" not in found["Approve"]


def test_nobody_is_away_for_hours(known: Account) -> None:
    broken = breaker("operator-away@Approve", known)
    assert broken.is_away
    broken.prepare()
    found = machine.read_definition(known)["States"]
    assert found["Approve"]["TimeoutSeconds"] == breaking._PATIENCE_SECONDS
    assert "TimeoutSeconds" not in found["Drain"]
    assert broken.watch(entered("Approve"))


# --- what a cutover is asked and told ------------------------------------------------------------------------------------
def test_an_answer_to_nothing_is_not_taken(known: Account) -> None:
    cutover = Cutover(known, known.folder)
    assert not cutover.decide("approve")
    assert "no cutover was ever begun here" in (known.folder / "decisions.log").read_text()


def test_what_was_begun_after_the_first_execution_is_followed(known: Account) -> None:
    cutover = Cutover(known, known.folder)
    cutover.begin()
    known.client("stepfunctions").start_execution(stateMachineArn=known["Cutover.StateMachineArn"], name="second")
    cutover._follow()
    cutover._follow()
    assert [arn.rpartition(":")[2] for arn in cutover.arns][1:] == ["second"]
    run = cutover.arns[0].rpartition(":")[2]
    for name, body in (("freeze", {"seconds": 1.5}), ("open_approval", {"question": "stay", "task_token": "x"})):
        key = f"cutover/{run}/{name}.json"
        known.client("s3").put_object(
            Bucket=known["Validation.ReportBucketName"], Key=key, Body=json.dumps(body).encode()
        )
    assert cutover.record()["freeze"] == {"seconds": 1.5}
    assert cutover.question() == "stay"
    assert (cutover.phase(), cutover.phases(), cutover.steps()) == ("replicating", [], ())
    began = time.time()
    for phase in ("preflight", "frozen", "drained"):
        known.client("ssm").put_parameter(Name=known["Cutover.PhaseName"], Value=phase, Type="String", Overwrite=True)
    assert [name for _, name in cutover.phases()] == ["preflight", "frozen", "drained"]
    assert all(began - 1 < at < time.time() + 1 for at, _ in cutover.phases())
    watching = observer.Observer(cutover, observer.Counter(Path("/nowhere")), screen.Screen(io.StringIO(), {}))
    watching.mark("replicating")
    watching.mark("replicating")
    assert [phase.name for phase in watching.phases()] == ["preflight", "frozen", "drained", "replicating"]
    assert watching.phases()[0].when.end == watching.phases()[1].when.start
    watching.close()  # it never began to look
    cutover.close()


def test_what_was_not_deployed_is_named(known: Account) -> None:
    with pytest.raises(RehearsalError, match="the deployed tree has no output Other.Thing"):
        known["Other.Thing"]


def test_functions_are_told_of_this_rehearsals_authority_and_front_door(known: Account) -> None:
    migration.adapt_functions(known, Path("/ca.pem"), "http://127.0.0.1:1/health")
    told = known.client("lambda").get_function_configuration(FunctionName=known["Validation.ReportBucketName"])[
        "Environment"
    ]["Variables"]
    assert told == {
        "SOURCE_CA": "/ca.pem", "TARGET_CA": "/ca.pem", "OTHER": "c", "SMOKE_URL": "http://127.0.0.1:1/health",
    }  # fmt: skip
    functions = known.client("lambda")
    with Stubber(functions):  # nothing is changed where nothing is to: a call would have no answer
        functions.get_paginator = lambda _: SimpleNamespace(
            paginate=lambda: [
                {"Functions": [{"FunctionName": "f", "Handler": "h", "Environment": {"Variables": told}}]}
            ]
        )
        migration.adapt_functions(known, Path("/ca.pem"), "http://127.0.0.1:1/health")


# --- waiting -------------------------------------------------------------------------------------------------------------
def test_waiting_ends() -> None:
    with pytest.raises(RehearsalError, match="the full load did not happen within -1 s"):
        migration.wait(lambda: None, -1, "the full load", lambda: None)
    with pytest.raises(RehearsalError, match="gone"):
        migration.wait(lambda: None, 60, "it", lambda: (_ for _ in ()).throw(RehearsalError("gone")))
    assert not observer.wait_until(lambda: False, -1, lambda: None)


def test_a_failed_task_and_a_failed_validation_are_told(known: Account) -> None:
    dms = boto3.client("dms", region_name="us-east-1")
    known._clients["dms"] = dms
    with Stubber(dms) as stubbed:
        task = {"Status": "failed", "LastFailureMessage": "Last Error no way"}
        stubbed.add_response("describe_replication_tasks", {"ReplicationTasks": [task]})
        with pytest.raises(RehearsalError, match="the forward task failed: Last Error no way"):
            migration._is(known, "stopped")
    states = known.client("stepfunctions")
    fails = {"StartAt": "Bad", "States": {"Bad": {"Type": "Fail", "Error": "Mismatch", "Cause": "they differ"}}}
    known.__dict__["outputs"]["Validation.StateMachineArn"] = states.create_state_machine(
        name=f"bad-{uuid.uuid4().hex[:8]}", definition=json.dumps(fails), roleArn=_ROLE
    )["stateMachineArn"]
    with pytest.raises(RehearsalError, match="the first validation ended as FAILED: they differ"):
        migration.validate(known, lambda: None)


# --- the account -----------------------------------------------------------------------------------------------------------
def test_an_account_that_was_never_started_is_closed_without_being_started(tmp_path: Path) -> None:
    made = Account(tmp_path, "dev", "pr-1")
    made.close()
    assert list(tmp_path.iterdir()) == []
    assert made.package == tmp_path / "out" / "pr-1"
    assert made._where()[2:4] == ("--suffix", "pr-1")


def test_an_account_is_kept_for_another_rehearsal_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = tmp_path / "first"
    (first / "out" / "dev").mkdir(parents=True)
    (first / "out" / "dev" / "flat-outputs.json").write_text(
        '{"Cutover.StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:x"}'
    )
    made = Account(first, "dev", None)
    made.start()
    made.client("s3").create_bucket(Bucket="kept")
    made.preserve(tmp_path / "prepared")
    # It takes a moment to end.
    find, there = process.find, process.find(ROOT, made._state)
    looks = iter([there] * 3)
    with monkeypatch.context() as patch:
        patch.setattr(account_module.process, "find", lambda *given: next(looks, None) or find(*given))
        made.close()
    assert process.find(ROOT, made._state) is None

    options = parse(["--env", "dev"])
    assert options is not None
    second = stage.Stage(tmp_path / "second", options, tmp_path / "prepared")
    second.folder.mkdir()
    second.account = Account(second.folder, "dev", None)
    said: list[str] = []
    second._deploy(said.append)
    assert said == ["the embedded AWS, as it was deployed before"]
    names = [bucket["Name"] for bucket in second.account.client("s3").list_buckets()["Buckets"]]
    assert names == ["kept"]
    # One that does not end when it is told to is ended.
    told: list[int] = []
    kill = os.kill

    def deaf(pid: int, number: int) -> None:
        told.append(number)
        if number == signal.SIGKILL:
            kill(pid, number)

    monkeypatch.setattr(account_module.os, "kill", deaf)
    monkeypatch.setattr(account_module, "_END_SECONDS", 0.0)
    second.account.close()
    assert told == [signal.SIGTERM, signal.SIGKILL]
    assert process.find(ROOT, second.account._state) is None
    shutil.rmtree(second.folder)


def test_an_account_is_asked_again_until_it_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Account(tmp_path / "first", "dev", None)
    (made.folder / "out").mkdir(parents=True)
    (made.folder / "localaws").mkdir()
    (made.folder / "localaws" / "state.account").write_text("saved")
    answers: list[Any] = [{"bytes": None}, RehearsalError("at work"), {"bytes": 5}]

    def ask(*_: Any) -> Any:
        if isinstance(answer := answers.pop(0), Exception):
            raise answer
        return answer

    monkeypatch.setattr(Account, "ask", ask)
    monkeypatch.setattr(account_module, "_PAUSE_SECONDS", 0)
    made.preserve(tmp_path / "prepared")
    assert (tmp_path / "prepared" / "localaws" / "state.account").read_text() == "saved"
    assert not answers
    answers.append({"bytes": None})
    monkeypatch.setattr(account_module, "_END_SECONDS", -1.0)
    with pytest.raises(RehearsalError, match="cannot be saved") as failed:
        made.preserve(tmp_path / "again")
    assert "state.log" in failed.value.hint


def test_the_first_of_a_series_deploys_and_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = parse(["--env", "dev"])
    assert options is not None
    done: list[str] = []
    for name in ("start", "build", "deploy"):
        monkeypatch.setattr(Account, name, lambda _, name=name: done.append(name))
    monkeypatch.setattr(Account, "preserve", lambda _, folder: done.append(folder.name))
    for prepared in (None, tmp_path / "prepared"):
        first = stage.Stage(tmp_path, options, prepared)
        first.account = Account(tmp_path, "dev", None)
        first._deploy(lambda _: None)
    assert done == ["start", "build", "deploy", "start", "build", "deploy", "prepared"]
