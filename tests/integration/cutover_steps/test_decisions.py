"""Decisions: a real state machine waits for them, in the embedded AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from cutover.__main__ import main
from cutover.decisions import Desk, Place, read_place
from cutover.errors import RefusedError
from cutover.steps.approval import handle as approval
from cutover.steps.common import cloud
from cutover.steps.common.errors import Blocked, Retry
from tests.integration.cutover_steps.conftest import Context, until

_ROLE = "arn:aws:iam::123456789012:role/role"


def _machine(queue: str) -> str:
    """It asks, and ends by the answer."""
    ask = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": queue, "MessageBody.$": "$$.Task.Token"},
        "TimeoutSeconds": 1000,
        "Catch": [{"ErrorEquals": ["Rejected"], "ResultPath": "$.rejected", "Next": "No"}],
        "Next": "Yes",
    }
    choose = {
        "Type": "Choice",
        "Choices": [
            {"Variable": "$.begin", "StringEquals": "ask", "Next": "Ask"},
            {"Variable": "$.begin", "StringEquals": "wait", "Next": "Wait"},
        ],
        "Default": "Yes",
    }
    wait = {"Type": "Wait", "Seconds": 1000, "Next": "Yes"}
    states = {"Start": choose, "Wait": wait, "Ask": ask, "Yes": {"Type": "Succeed"}, "No": {"Type": "Succeed"}}
    return json.dumps({"StartAt": "Start", "States": states})


class Office:
    """A machine, a bucket, a phase; `ask` begins a run that asks a question."""

    def __init__(self, aws: str, name: str, folder: Path) -> None:
        self.aws, self.name = aws, name
        self.queue = self.client("sqs").create_queue(QueueName=name)["QueueUrl"]
        if not self.client("iam").list_roles()["Roles"]:
            self.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
        self.machine = self.client("stepfunctions").create_state_machine(
            name=f"{name}-cutover", definition=_machine(self.queue), roleArn=_ROLE
        )["stateMachineArn"]
        self.client("s3").create_bucket(Bucket=name)
        self.file = folder / "flat-outputs.json"
        self.file.write_text(
            json.dumps(
                {
                    "Validation.ReportBucketName": name,
                    "Cutover.PhaseName": f"/{name}/phase",
                    "Cutover.StateMachineArn": self.machine,
                }
            )
        )
        self.phase = "replicating"
        self.desk = Desk(read_place(self.file))

    def client(self, service: str) -> Any:
        make: Any = boto3.client
        return make(service, region_name="us-east-1", endpoint_url=self.aws)

    @property
    def phase(self) -> str:
        return str(self.client("ssm").get_parameter(Name=f"/{self.name}/phase")["Parameter"]["Value"])

    @phase.setter
    def phase(self, value: str) -> None:
        self.client("ssm").put_parameter(Name=f"/{self.name}/phase", Value=value, Type="String", Overwrite=True)

    def put(self, key: str, document: dict[str, Any]) -> None:
        self.client("s3").put_object(Bucket=self.name, Key=f"cutover/{key}.json", Body=json.dumps(document).encode())

    def read(self, key: str) -> dict[str, Any]:
        body = self.client("s3").get_object(Bucket=self.name, Key=f"cutover/{key}.json")["Body"].read()
        found: dict[str, Any] = json.loads(body)
        return found

    def begin(self, run: str, how: str) -> str:
        states, given = self.client("stepfunctions"), json.dumps({"begin": how, "run_id": run})
        return str(states.start_execution(stateMachineArn=self.machine, name=run, input=given)["executionArn"])

    def ask(self, question: str, run: str = "run-1") -> str:
        """The execution that waits for the answer, its token kept by the step itself."""
        execution = self.begin(run, "ask")
        found = until(lambda: self.client("sqs").receive_message(QueueUrl=self.queue).get("Messages"))
        self.client("sqs").delete_message(QueueUrl=self.queue, ReceiptHandle=found[0]["ReceiptHandle"])
        self.put("lock", {"run_id": run})
        approval({"run_id": run, "task_token": found[0]["Body"], "question": question}, Context())
        return execution

    def ended(self, execution: str) -> dict[str, Any]:
        states = self.client("stepfunctions")
        until(lambda: states.describe_execution(executionArn=execution)["status"] != "RUNNING")
        found: dict[str, Any] = states.describe_execution(executionArn=execution)
        return found

    def executions(self) -> dict[str, str]:
        listed = self.client("stepfunctions").list_executions(stateMachineArn=self.machine)["executions"]
        return {execution["name"]: execution["executionArn"] for execution in listed}


_number = iter(range(1, 1000))


@pytest.fixture
def office(aws: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Office]:
    name = f"office-{next(_number)}"
    environment = {
        "AWS_ENDPOINT_URL": aws,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "RUN_BUCKET": name,
        "PHASE_PARAMETER": f"/{name}/phase",
        "METRIC_NAMESPACE": name,
    }
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    cloud.forget()
    yield Office(aws, name, tmp_path)
    cloud.forget()


def command(office: Office, *arguments: str) -> int:
    return main([arguments[0], "--outputs", str(office.file), *arguments[1:]])


def test_yes(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    execution = office.ask("freeze")
    assert command(office, "status") == 0
    said = capsys.readouterr().out
    assert said.startswith('{"step": "approval"')
    assert "awaiting_approval: cutover run-1" in said
    assert "at work: run-1" in said
    assert "asks: freeze? python -m cutover approve, or reject" in said
    assert command(office, "approve", "--by", "ann") == 0
    assert capsys.readouterr().out == "approved: freeze\n"
    answer = json.loads(office.ended(execution)["output"])
    assert answer == {"decision": "approved", "question": "freeze", "by": "ann"}
    kept = office.read("run-1/open_approval")
    assert "task_token" not in kept
    assert (kept["decision"], kept["by"]) == ("approved", "ann")
    assert command(office, "approve", "--by", "bob") == 1
    assert "error: cutover run-1 asks nothing" in capsys.readouterr().err
    assert office.desk.status()["question"] == ""


def test_no(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    execution = office.ask("switch")
    assert command(office, "reject", "--by", "ann", "--reason", "not today") == 0
    assert capsys.readouterr().out.endswith("rejected: switch\n")
    # The embedded AWS forgets the cause, so what was decided is read from what is kept.
    assert json.loads(office.ended(execution)["output"])["rejected"]["Error"] == "Rejected"
    kept = office.read("run-1/open_approval")
    assert (kept["decision"], kept["by"], kept["reason"]) == ("rejected", "ann", "not today")


def test_a_question_that_is_not_open_any_more(office: Office) -> None:
    execution = office.ask("freeze")
    asked = office.read("run-1/open_approval")
    office.desk.approve("ann")
    office.ended(execution)
    office.put("run-1/open_approval", asked)  # as if the answer had not been written down
    with pytest.raises(RefusedError, match="the question 'freeze' is not open any more"):
        office.desk.approve("ann")


def test_go_back_answers_the_question_that_is_open(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    execution = office.ask("stay")
    assert command(office, "go-back", "--by", "ann") == 0
    assert capsys.readouterr().out.endswith("going back: rejected the question 'stay'\n")
    assert json.loads(office.ended(execution)["output"])["rejected"]["Error"] == "Rejected"
    assert office.read("run-1/open_approval")["reason"] == "go back"
    assert list(office.executions()) == ["run-1"]


def test_go_back_stops_what_works_for_the_run_and_starts_the_way_back(office: Office) -> None:
    execution = office.begin("run-1", "wait")
    office.put("lock", {"run_id": "run-1"})
    office.put("run-1/freeze", {"at": 1.0})
    office.phase = "frozen"
    started = office.desk.go_back("ann")
    assert started.startswith("run-1-go_back-")
    assert office.ended(execution)["status"] == "ABORTED"
    back = office.ended(office.executions()[started])
    assert json.loads(back["input"]) == {"begin": "go_back", "run_id": "run-1", "by": "ann"}
    office.phase = "rolled_back"
    office.desk.go_back("ann")  # while the lock is held, it is not over
    office.client("s3").delete_object(Bucket=office.name, Key="cutover/lock.json")
    with pytest.raises(RefusedError, match="cutover run-1 is back already"):
        office.desk.go_back("ann")


def test_resume(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(office, "status") == 0
    assert capsys.readouterr().out == "replicating: cutover never begun\n"
    assert command(office, "resume", "--by", "ann") == 1
    assert "no cutover was ever begun here" in capsys.readouterr().err
    execution = office.ask("freeze")
    with pytest.raises(RefusedError, match="cutover run-1 is at work: run-1"):
        office.desk.resume("ann")
    office.desk.approve("ann")
    office.ended(execution)
    for phase, action in (("frozen", "resume"), ("switched", "resume"), ("watching", "watch"), ("stuck", "resume")):
        office.phase = phase
        started = office.desk.resume("ann")
        assert json.loads(office.ended(office.executions()[started])["input"])["begin"] == action
    office.phase = "rolled_back"
    with pytest.raises(RefusedError, match="there is nothing to resume: the phase is rolled_back"):
        office.desk.resume("ann")
    office.phase = "frozen"
    capsys.readouterr()
    assert command(office, "resume", "--by", "ann", "--run", "run-1") == 0
    assert capsys.readouterr().out.startswith("resumed: run-1-resume-")


def test_start(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(office, "start", "--by", "ann", "--run", "night-1") == 0
    assert capsys.readouterr().out.splitlines() == [
        "started: night-1",
        f"follow it: python -m cutover status --outputs {office.file}",
        f"answer it: python -m cutover approve --outputs {office.file} --by ann",
    ]
    assert json.loads(office.ended(office.executions()["night-1"])["input"]) == {"by": "ann"}
    run = office.desk.start("ann")
    assert re.fullmatch(r"cutover-[0-9]{8}-[0-9]{6}", run)
    office.ended(office.executions()[run])
    # A name is used once, whether Step Functions still knows it or only the bucket does.
    with pytest.raises(RefusedError, match="there was a cutover night-1 already"):
        office.desk.start("ann", "night-1")
    office.put("night-0/preflight", {"at": 1.0})
    assert command(office, "start", "--by", "ann", "--run", "night-0") == 1
    assert "there was a cutover night-0 already" in capsys.readouterr().err
    assert command(office, "start", "--by", "ann", "--run", "a b") == 2
    assert command(office, "start", "--by", "ann", "--run", "x" * 51) == 2
    # One at a time: by the lock, or before it is taken by what runs.
    office.put("lock", {"run_id": "run-9"})
    with pytest.raises(RefusedError, match="cutover run-9 is under way"):
        office.desk.start("ann")
    office.client("s3").delete_object(Bucket=office.name, Key="cutover/lock.json")
    office.begin("run-8", "wait")
    with pytest.raises(RefusedError, match="cutover run-8 is under way"):
        office.desk.start("ann")


def test_what_aws_refuses_for_another_reason_is_told_as_it_is(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.ended(office.begin("night-1", "ask-nothing"))
    office.client("ssm").delete_parameter(Name=f"/{office.name}/phase")
    monkeypatch.setattr("cutover.decisions.is_code", lambda *_: False)
    with pytest.raises(Blocked, match="AWS refuses: .*ExecutionAlreadyExists"):
        office.desk.start("ann", "night-1")
    with pytest.raises(Blocked, match="AWS refuses: .*ParameterNotFound"):
        office.desk.status()


def test_before_the_first_cutover_there_is_no_phase(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.client("ssm").delete_parameter(Name=f"/{office.name}/phase")
    assert command(office, "status") == 0
    assert capsys.readouterr().out.startswith("replicating: ")


def test_a_phase_that_may_not_be_read_is_told(office: Office) -> None:
    with pytest.raises(Blocked, match="Invalid length for parameter Name"):
        Desk(replace(office.desk._place, phase_parameter="")).status()


def test_status_tells_what_each_step_did(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    office.put("old/freeze", {"at": 1.0})
    office.put("run-7/freeze", {"at": 3600.0, "seconds": 0.25, "answer": {"frozen_at": 3599, "terminated": 0}})
    office.put("run-7/drain.failed", {"at": 3601.0, "seconds": 2, "error": "Retry", "message": "the source is away"})
    assert command(office, "status") == 0
    assert capsys.readouterr().out.splitlines() == [
        "replicating: cutover run-7",
        "  01:00:00  freeze                    0.25 s  frozen_at 3599, terminated 0",
        "  01:00:01  drain.failed              2.00 s  the source is away",
    ]
    assert command(office, "status", "--run", "old", "--json") == 0
    assert json.loads(capsys.readouterr().out)["steps"] == {"freeze": {"at": 1.0}}


def test_what_cannot_be_asked(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["status", "--env", "dev"]) == 2
    assert "cannot read out/dev/flat-outputs.json: No such file" in capsys.readouterr().err
    office.file.write_text("{}")
    assert command(office, "status") == 2
    assert "has not the outputs of a cutover" in capsys.readouterr().err
    desk = Desk(Place("not-there", "/not/there", office.machine))
    with pytest.raises(Blocked, match="AWS refuses"):
        desk.status()
    with monkeypatch.context() as patch:
        patch.setattr("cutover.decisions.record.lock_holder", lambda bucket: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            office.desk.status()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    cloud.forget()
    with pytest.raises(Retry, match="AWS cannot be reached"):
        office.desk.status()
    office.put("lock", {"run_id": "run-1"})


def test_an_answer_that_aws_refuses_for_another_reason(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.ask("freeze")
    monkeypatch.setattr("cutover.decisions.is_code", lambda *_: False)
    office.put("run-1/open_approval", {"question": "freeze", "task_token": "none of ours"})
    with pytest.raises(Blocked, match="AWS refuses"):
        office.desk.approve("ann")
