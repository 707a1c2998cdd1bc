"""The cutover's own state machine, run for real: which step comes after which, whatever a step answers.

The functions are stand-ins that answer what the test has written down for them; what the real ones do is tested with
real databases in tests/integration/cutover_steps.
"""

from __future__ import annotations

import io
import itertools
import json
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from localaws.server import running
from settings.load import load
from settings.moving import Cutover
from templates.cutover_states import REJECTED, VALIDATION, function
from templates.cutover_steps import STEPS
from templates.cutover_workflow import workflow

ROOT = Path(__file__).parents[3]
ROLE = "arn:aws:iam::123456789012:role/role"
# Answers what the script of its run says, a list being one answer for each call, and writes down that it was called.
STAND_IN = """
import json, os
from pathlib import Path
FOLDER = Path(os.environ["FOLDER"])
def handle(event, context):
    step = context.function_name
    if event.get("warm"):
        with (FOLDER / "warm").open("a") as file: print(step, file=file)
        return {"warm": True}
    calls = FOLDER / f"{event['run_id']}.calls"
    done = [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []
    with calls.open("a") as file: print(json.dumps({"step": step, **event}), file=file)
    answers = json.loads((FOLDER / f"{event['run_id']}.json").read_text()).get(step, {})
    if isinstance(answers, list):
        answers = answers[min(sum(call["step"] == step for call in done), len(answers) - 1)]
    if "raise" in answers:
        raise type(answers["raise"], (Exception,), {})("as the script says")
    return answers
"""
GOOD = {
    "freeze": {"frozen_at": 1234.5},
    "drain": {"marker": "good"},
    "sequences": {"seconds_left": 50},
    "watch": {"verdict": "over"},
    "go_back": {"opened": True, "marker": "good"},
    "stuck": {"cause": "this is open, and that can be done"},
}
FREEZE = ["freeze", "drain"]
SIDE_BY_SIDE = {"stop_forward", "start_reverse", "sequences"}
SWITCH = ["switch", "smoke", "reopen"]
BEGIN = ["preflight", "approval", "preflight"]


@dataclass
class Machine:
    """The deployed machine, the one that asks before the switch too, and the folder of scripts."""

    client: Any
    arn: str
    asking: str
    validation: str
    folder: Path
    names: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def start(self, begin: str = "", asks: bool = False, **script: Any) -> Run:
        run = Run(self, f"run-{next(self.names)}")
        (self.folder / f"{run.name}.json").write_text(json.dumps({**GOOD, **script}))
        given = {"begin": begin, "run_id": run.name} if begin else {}
        run.arn = self.client("stepfunctions").start_execution(
            stateMachineArn=self.asking if asks else self.arn, name=f"{run.name}{begin}", input=json.dumps(given)
        )["executionArn"]
        return run


@dataclass
class Run:
    machine: Machine
    name: str
    arn: str = ""

    def calls(self) -> list[dict[str, Any]]:
        path = self.machine.folder / f"{self.name}.calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def steps(self) -> list[str]:
        return [call["step"] for call in self.calls()]

    def answer(self, question: str, *, yes: bool = True) -> Run:
        """Wait until it is asked, and answer it."""
        states, until = self.machine.client("stepfunctions"), time.monotonic() + 60
        while not (asked := [call for call in self.calls() if call.get("question") == question]):
            assert time.monotonic() < until, self.calls()
            time.sleep(0.05)
        if yes:
            states.send_task_success(taskToken=asked[-1]["task_token"], output="{}")
        else:
            states.send_task_failure(taskToken=asked[-1]["task_token"], error=REJECTED, cause="somebody: no")
        return self

    def end(self) -> tuple[str, str | None, str | None]:
        states, until = self.machine.client("stepfunctions"), time.monotonic() + 60
        while (found := states.describe_execution(executionArn=self.arn))["status"] == "RUNNING":
            assert time.monotonic() < until, self.calls()
            time.sleep(0.05)
        return found["status"], found.get("error"), found.get("cause")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("scripts")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("code.py", STAND_IN)
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
    settings = load(ROOT / "params", "dev", None, {})
    with running() as endpoint:

        def client(service: str) -> Any:
            return boto3.client(service, region_name="us-east-1", endpoint_url=endpoint, **keys)  # type: ignore[call-overload]

        client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
        functions, arns = client("lambda"), {}
        for step in STEPS:
            made = functions.create_function(
                FunctionName=step.module,
                Runtime=settings.validation.runtime,
                Role=ROLE,
                Handler="code.handle",
                Code={"ZipFile": buffer.getvalue()},
                Timeout=30,
                Environment={"Variables": {"FOLDER": str(folder)}},
            )
            arns[function(step.module)] = made["FunctionArn"]
        arns[VALIDATION] = _validation(client)

        def create(name: str, chosen: Cutover) -> str:
            definition = json.dumps(workflow(chosen))
            for substitution, arn in arns.items():
                definition = definition.replace(substitution, arn)
            assert "${" not in definition
            states = client("stepfunctions")
            return str(states.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"])

        asking = create("asking", replace(settings.cutover, approve_switch=True))
        yield Machine(client, create("cutover", settings.cutover), asking, arns[VALIDATION], folder)


_THERE = {"Variable": "$.marker", "IsPresent": True}


def _validation(client: Any) -> str:
    """In its place: the marker says how it ends."""
    ends = {"bad": "Mismatch", "unknown": "Inconclusive"}
    ways = {**ends, "slow": "Slow"}
    definition = {
        "StartAt": "Judge",
        "States": {
            "Judge": {
                "Type": "Choice",
                "Choices": [
                    {"And": [_THERE, {"Variable": "$.marker", "StringEquals": marker}], "Next": way}
                    for marker, way in ways.items()
                ],
                "Default": "Equal",
            },
            **{error: {"Type": "Fail", "Error": error, "Cause": "The report says why"} for error in ends.values()},
            "Slow": {"Type": "Wait", "Seconds": 1000, "Next": "Equal"},
            "Equal": {"Type": "Succeed"},
        },
    }
    made = client("stepfunctions").create_state_machine(
        name="validation", definition=json.dumps(definition), roleArn=ROLE
    )
    return str(made["stateMachineArn"])


def in_order(steps: list[str]) -> list[str]:
    """Those that do not run side by side."""
    return [step for step in steps if step not in SIDE_BY_SIDE]


def test_all_goes_well(machine: Machine) -> None:
    run = machine.start(drain=[{"raise": "Retry"}, {"marker": "good"}]).answer("freeze")
    assert run.end() == ("SUCCEEDED", None, None)
    assert in_order(run.steps()) == [*BEGIN, "freeze", "drain", "drain", *SWITCH, "watch", "finish"]
    assert set(run.steps()) > SIDE_BY_SIDE
    assert run.steps().index("stop_forward") < run.steps().index("start_reverse")
    frozen = {call["step"]: call["budget"] for call in run.calls() if "budget" in call}
    assert frozen.pop("freeze") == {"freeze_seconds": 60, "frozen_at": None}
    assert set(frozen) == SIDE_BY_SIDE | {"drain", *SWITCH}
    assert list(frozen.values()) == [{"freeze_seconds": 60, "frozen_at": 1234.5}] * len(frozen)
    # Whatever is called in the freeze was called once before, so that it is ready.
    warmed = set((machine.folder / "warm").read_text().split())
    assert warmed == {"freeze", "rollback", *frozen}
    # So was the validation: what has changed is compared before, and what changes then in the freeze.
    states = machine.client("stepfunctions")
    listed = states.list_executions(stateMachineArn=machine.validation)["executions"]
    asked = [json.loads(states.describe_execution(executionArn=one["executionArn"])["input"]) for one in listed]
    (before,) = [one for one in asked if "marker" not in one]
    (inside,) = [one for one in asked if one.get("marker") == "good"]
    assert (before["incremental"], inside["incremental"]) == (True, True)


def test_what_is_compared_before_the_freeze_decides_nothing(machine: Machine) -> None:
    states, arn = machine.client("stepfunctions"), machine.validation
    good = states.describe_state_machine(stateMachineArn=arn)["definition"]
    bad = {
        "StartAt": "Judge",
        "States": {"Judge": {"Type": "Fail", "Error": "Inconclusive", "Cause": "rows in flight"}},
    }
    states.update_state_machine(stateMachineArn=arn, definition=json.dumps(bad))
    run = machine.start().answer("freeze")
    until = time.monotonic() + 60
    while "freeze" not in run.steps():
        assert time.monotonic() < until
        time.sleep(0.02)
    states.update_state_machine(stateMachineArn=arn, definition=good)
    assert "freeze" in run.steps()
    run.end()


def test_who_is_not_ready_does_nothing(machine: Machine) -> None:
    run = machine.start(preflight={"raise": "NotReady"})
    status, error, cause = run.end()
    assert (status, error) == ("FAILED", "NotReady")
    assert "as the script says" in str(cause)
    assert run.steps() == ["preflight"]


def test_who_is_refused_gives_up_his_claims(machine: Machine) -> None:
    run = machine.start().answer("freeze", yes=False)
    status, error, cause = run.end()
    assert (status, error) == ("FAILED", "NotBegun")
    assert "Nothing was done" in str(cause)
    assert run.steps() == ["preflight", "approval", "cancel"]


def test_what_was_ready_may_not_be_any_more_when_the_answer_comes(machine: Machine) -> None:
    run = machine.start(preflight=[{}, {"raise": "NotReady"}]).answer("freeze")
    assert run.end()[:2] == ("FAILED", "NotReady")
    assert run.steps() == BEGIN


@pytest.mark.parametrize("step", ["freeze", "drain", "stop_forward", "start_reverse", "sequences", "switch", "smoke"])
def test_whatever_fails_in_the_freeze_rolls_back(machine: Machine, step: str) -> None:
    run = machine.start(begin="resume", **{step: {"raise": "Blocked"}})
    assert run.end()[:2] == ("FAILED", "RolledBack")
    # A function that works in the other branch may tell of itself later.
    assert "rollback" in run.steps()
    assert not {"go_back", "reopen", "finish", "stuck"} & set(run.steps())


@pytest.mark.parametrize("marker", ["bad", "unknown"])
def test_what_is_not_proven_equal_rolls_back(machine: Machine, marker: str) -> None:
    run = machine.start(begin="resume", drain={"marker": marker})
    assert run.end()[:2] == ("FAILED", "RolledBack")
    assert in_order(run.steps()) == [*FREEZE, "rollback"]


def test_a_validation_has_what_is_left_of_the_budget_and_no_more(machine: Machine) -> None:
    run = machine.start(begin="resume", drain={"marker": "slow"}, sequences={"seconds_left": 1})
    assert run.end()[:2] == ("FAILED", "RolledBack")
    assert in_order(run.steps()) == [*FREEZE, "rollback"]
    (asked,) = (call for call in run.calls() if call["step"] == "sequences")
    assert asked["most_seconds"] == 60


def test_a_person_has_what_is_left_of_the_budget_when_asked(machine: Machine) -> None:
    left = [{"seconds_left": 50}, {"seconds_left": 1}]
    silent = machine.start(begin="resume", asks=True, sequences=left)
    answered = machine.start(begin="resume", asks=True).answer("switch")
    assert silent.end()[:2] == ("FAILED", "RolledBack")
    assert in_order(silent.steps()) == [*FREEZE, "approval", "rollback"]
    assert silent.steps().count("sequences") == 2
    assert answered.end() == ("SUCCEEDED", None, None)
    assert in_order(answered.steps()) == [*FREEZE, "approval", *SWITCH, "watch", "finish"]


def test_resumed_it_goes_on_at_the_freeze_without_a_budget(machine: Machine) -> None:
    run = machine.start(begin="resume")
    assert run.end() == ("SUCCEEDED", None, None)
    assert in_order(run.steps()) == [*FREEZE, *SWITCH, "watch", "finish"]
    assert {call["budget"]["freeze_seconds"] for call in run.calls() if "budget" in call} == {0}


@pytest.mark.parametrize("opened", [True, False])
def test_a_gate_that_may_have_opened_leads_back_by_what_it_took(machine: Machine, opened: bool) -> None:
    run = machine.start(begin="resume", reopen={"raise": "Blocked"}, go_back={"opened": opened, "marker": ""})
    assert run.end()[:2] == ("FAILED", "RolledBack")
    assert in_order(run.steps()) == [*FREEZE, *SWITCH, "go_back", "rollback"]


def test_an_alarm_asks_and_staying_is_the_end(machine: Machine) -> None:
    run = machine.start(begin="watch", watch={"verdict": "alarm"}).answer("stay")
    assert run.end() == ("SUCCEEDED", None, None)
    assert run.steps() == ["watch", "approval", "finish"]


def test_what_cannot_be_watched_asks_too_and_who_refuses_goes_back(machine: Machine) -> None:
    run = machine.start(begin="watch", watch={"raise": "Blocked"}).answer("stay", yes=False)
    assert run.end()[:2] == ("FAILED", "RolledBack")
    assert run.steps() == ["watch", "approval", "go_back", "rollback"]


def test_going_back_as_wanted_succeeds(machine: Machine) -> None:
    run = machine.start(begin="go_back")
    assert run.end() == ("SUCCEEDED", None, None)
    assert run.steps() == ["go_back", "rollback"]


def test_a_way_back_that_cannot_be_validated_in_time_is_gone_to_its_end(machine: Machine) -> None:
    run = machine.start(begin="go_back", go_back={"opened": True, "marker": "unknown"})
    assert run.end() == ("SUCCEEDED", None, None)
    assert run.steps() == ["go_back", "rollback"]


@pytest.mark.parametrize(
    ("script", "steps"),
    [
        ({"go_back": {"opened": True, "marker": "bad"}}, ["go_back"]),
        ({"go_back": {"raise": "Blocked"}}, ["go_back"]),
        ({"rollback": {"raise": "Blocked"}}, ["go_back", "rollback"]),
    ],
)
def test_what_goes_neither_on_nor_back_is_stuck_and_says_so(
    machine: Machine, script: dict[str, Any], steps: list[str]
) -> None:
    run = machine.start(begin="go_back", **script)
    assert run.end() == ("FAILED", "Stuck", GOOD["stuck"]["cause"])
    assert run.steps() == [*steps, "stuck"]
    told = run.calls()[-1]
    assert told["error"] in ("Blocked", "States.TaskFailed")


def test_stuck_even_without_words(machine: Machine) -> None:
    run = machine.start(begin="watch", finish={"raise": "Blocked"}, stuck={"raise": "Blocked"})
    status, error, cause = run.end()
    assert (status, error) == ("FAILED", "Stuck")
    assert "python -m cutover status" in str(cause)
