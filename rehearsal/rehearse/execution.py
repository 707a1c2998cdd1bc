"""The executions of the cutover's state machine: what they have entered and left, and what a person decides of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.errors import RehearsalError
from rehearsal.measures import Interval
from rehearsal.rehearse.account import Account
from rehearsal.rehearse.processes import run_command
from rehearsal.timeline import Step

_FAILED = ("TaskFailed", "TaskTimedOut", "LambdaFunctionFailed", "LambdaFunctionTimedOut")
WHO = "rehearsal"


@dataclass(frozen=True, slots=True)
class Look:
    """How an execution stands: `status` as Step Functions says it, `entered` all states so far, in order."""

    status: str
    error: str
    cause: str
    entered: tuple[str, ...]
    steps: tuple[Step, ...]
    failures: tuple[str, ...]

    @property
    def state(self) -> str:
        """The state entered last; "" before the first."""
        return self.entered[-1] if self.entered else ""


@dataclass(slots=True)
class Cutover:
    """The cutover of a rehearsal: its executions, the first one and those that a person has started since."""

    account: Account
    logs: Path
    arns: list[str] = field(default_factory=list)

    # --- what is done -------------------------------------------------------------------------------------------------
    def begin(self) -> None:
        """Start it, as docs/runbooks/cutover.md says; RehearsalError where that is refused."""
        self._command("start")

    def decide(self, word: str) -> bool:
        """approve, reject, go-back or resume, by the command that a person would use: whether it was taken.

        It is refused where the question is not open any more, for example.
        """
        try:
            self._command(word)
        except RehearsalError:
            return False
        return True

    def _command(self, word: str) -> None:
        place = ("--outputs", str(self.account.outputs_file), "--by", WHO)
        log = self.logs / "decisions.log"
        run_command(f"python -m cutover {word}", log, self.account.environment(), "-m", "cutover", word, *place)
        self._follow()

    def stop(self) -> None:
        """Stop the execution that is at work, as somebody by mistake would."""
        self.account.client("stepfunctions").stop_execution(executionArn=self.arns[-1], error="Stopped", cause=WHO)

    def close(self) -> None:
        """Leave none at work."""
        from botocore.exceptions import BotoCoreError, ClientError

        for arn in self.arns:
            with suppress(BotoCoreError, ClientError):
                self.account.client("stepfunctions").stop_execution(executionArn=arn)

    # --- what is seen -------------------------------------------------------------------------------------------------
    def look(self) -> Look:
        """How the last execution stands."""
        states = self.account.client("stepfunctions")
        told = states.describe_execution(executionArn=self.arns[-1])
        return read_history(told, self._history(self.arns[-1]))

    def steps(self) -> tuple[Step, ...]:
        """All steps of all executions, in order."""
        found = [step for arn in self.arns for step in read_history({}, self._history(arn)).steps if _is_told(step)]
        return tuple(sorted(found, key=lambda step: step.when.start))

    def phase(self) -> str:
        """The phase as everyone sees it; "replicating" before the first one is set."""
        from botocore.exceptions import ClientError

        try:
            answer = self.account.client("ssm").get_parameter(Name=self.account["Cutover.PhaseName"])
        except ClientError:
            return "replicating"
        return str(answer["Parameter"]["Value"])

    def phases(self) -> list[tuple[float, str]]:
        """When each phase was set, by the history of the parameter: none is missed, however short it was."""
        from botocore.exceptions import ClientError

        pages = self.account.client("ssm").get_paginator("get_parameter_history")
        try:
            found = [
                version
                for page in pages.paginate(Name=self.account["Cutover.PhaseName"])
                for version in page["Parameters"]
            ]
        except ClientError:
            return []
        return [(version["LastModifiedDate"].timestamp(), str(version["Value"])) for version in found]

    def pointer(self) -> str:
        """The database that the application is to use."""
        answer = self.account.client("ssm").get_parameter(Name=self.account["Database.PointerName"])
        return str(answer["Parameter"]["Value"])

    def question(self) -> str:
        """What the cutover waits for an answer to; "" for nothing."""
        from botocore.exceptions import ClientError

        try:
            asked = self._read(f"cutover/{self._run()}/open_approval.json") if self.arns else {}
        except ClientError:  # nothing was asked yet
            return ""
        return str(asked["question"]) if "task_token" in asked else ""

    def _run(self) -> str:
        return self.arns[0].rpartition(":")[2]

    def _read(self, key: str) -> dict[str, Any]:
        bucket, s3 = self.account["Validation.ReportBucketName"], self.account.client("s3")
        found: dict[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return found

    def record(self) -> dict[str, dict[str, Any]]:
        """What each step has written down of the run, by its name: {"at", "seconds", "answer"} or {…, "error"}."""
        if not self.arns:
            return {}
        bucket, s3 = self.account["Validation.ReportBucketName"], self.account.client("s3")
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=f"cutover/{self._run()}/").get("Contents", [])
        keys = [item["Key"] for item in listed]
        return {key.rpartition("/")[2].removesuffix(".json"): self._read(key) for key in keys}

    def validating(self) -> dict[str, dict[str, float]]:
        """The same of the validation inside the freeze, by the log of its function; nothing where there was none."""
        states, logs = self.account.client("stepfunctions"), self.account.client("logs")
        listed = states.list_executions(stateMachineArn=self.account["Validation.StateMachineArn"])["executions"]
        told = [states.describe_execution(executionArn=one["executionArn"]) for one in listed]
        # Only the one inside compares sequences too.
        runs = {one["name"] for one in told if json.loads(one["input"]).get("sequences")}
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=self.account["Validation.FunctionLogGroupName"]
        )
        lines = (event["message"] for page in pages for event in page["events"])
        calls = [json.loads(line) for line in lines if line.startswith('{"action":')]
        seconds = sum(call["seconds"] for call in calls if call.get("run_id") in runs)
        return {"validate": {"seconds": round(seconds, 3)}} if runs else {}

    def _follow(self) -> None:
        """Notice the execution that a decision has started."""
        machine = self.account["Cutover.StateMachineArn"]
        listed = self.account.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        new = [one["executionArn"] for one in listed if one["executionArn"] not in self.arns]
        self.arns += reversed(new)

    def _history(self, arn: str) -> list[dict[str, Any]]:
        pages = self.account.client("stepfunctions").get_paginator("get_execution_history")
        return [event for page in pages.paginate(executionArn=arn) for event in page["events"]]


def read_history(told: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Look:
    """An execution from its description and its history. Pure.

    The end of a state that nobody left is that of the history, or now while it goes on.
    """
    entered: list[str] = []
    failures: list[str] = []
    running = told.get("status", "") == "RUNNING"
    last = time.time() if running else max((event["timestamp"].timestamp() for event in events), default=0.0)
    for event in events:
        if details := event.get("stateEnteredEventDetails"):
            entered.append(details["name"])
        failures += [_failure(event, kind) for kind in _FAILED if event["type"] == kind]
    return Look(
        str(told.get("status", "")),
        str(told.get("error", "")),
        str(told.get("cause", "")),
        tuple(entered),
        tuple(_steps(events, last)),
        tuple(failures),
    )


def _steps(events: Sequence[Mapping[str, Any]], last: float) -> Iterator[Step]:
    """A step for each state that does something, by what entered and left it; those that wait or choose are none."""
    since: dict[str, float] = {}
    wrong: dict[str, str] = {}
    owner: dict[int, str] = {}
    for event in events:
        at, before = event["timestamp"].timestamp(), event.get("previousEventId", 0)
        name = owner.get(before, "")
        if (details := event.get("stateEnteredEventDetails")) and event["type"] in _DOING:
            name = details["name"]
            since[name] = at
        elif details := event.get("stateExitedEventDetails"):
            name = details["name"]
            if name in since:
                yield Step(name, Interval(since.pop(name), at), wrong.pop(name, "done"))
        elif event["type"] in _FAILED and name in since:
            wrong[name] = _failure(event, event["type"])
        owner[event["id"]] = name
    for name, start in since.items():
        yield Step(name, Interval(start, max(last, start)), wrong.get(name, "not left"))


_DOING = ("TaskStateEntered", "ParallelStateEntered")


def _failure(event: Mapping[str, Any], kind: str) -> str:
    details = event.get(f"{kind[0].lower()}{kind[1:]}EventDetails", {})
    return str(details.get("error") or kind)


def _is_told(step: Step) -> bool:
    """The functions are warmed side by side, in branches that nobody has to read of."""
    return step.name == "Warm" or not step.name.startswith("Warm")
