"""What a person decides about a cutover: start, approve or reject what it asks, go back, resume; and where it stands.

A question is answered to Step Functions, which waits for it. Going back and resuming start another execution for the
same run, once none is at work for it: every step finds out by itself what is done.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutover.errors import RefusedError
from cutover.steps.approval import NAME
from cutover.steps.common import record
from cutover.steps.common.cloud import client, is_code
from cutover.steps.common.errors import translate
from validator.errors import UsageError, ValidatorError

# Outputs of the stack tree, as deploy.py writes them.
_BUCKET, _PHASE, _MACHINE = "Validation.ReportBucketName", "Cutover.PhaseName", "Cutover.StateMachineArn"
_PREFIX = "cutover/"
# Of the 80 characters of an execution's name.
_LONGEST_RUN = 50
_RUN_ID = re.compile(rf"[A-Za-z0-9_-]{{1,{_LONGEST_RUN}}}")
# From here on, resuming is going on to watch: nothing of the steps before is to be done again.
_OPEN = ("reopened", "watching", "done")
_CLOSED = ("rolled_back", "replicating")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a system's cutovers are kept: bucket of runs, parameter of the phase, ARN of the state machine."""

    bucket: str
    phase_parameter: str
    machine: str


def read_place(file: Path) -> Place:
    """From flat-outputs.json; raises `UsageError`."""
    try:
        outputs = json.loads(file.read_text(encoding="utf-8"))
        return Place(outputs[_BUCKET], outputs[_PHASE], outputs[_MACHINE])
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}", hint="python deploy.py outputs writes it") from None
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{file} has not the outputs of a cutover: {error}", hint="deploy the cutover tier") from None


@contextmanager
def _told() -> Iterator[None]:
    """Errors of AWS as sentences."""
    try:
        yield
    except ValidatorError:
        raise
    except Exception as error:
        if (known := translate(error)) is None:
            raise
        raise known from None


class Desk:
    """The decisions about the cutovers of one system."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def status(self, run_id: str = "") -> dict[str, Any]:
        """{"phase", "run_id", "question", "executions", "steps": {name: {"at", "seconds", "answer" or "error"}}}."""
        with _told():
            run = run_id or self._run()
            listed = self._keys(f"{_PREFIX}{run}/") if run else {}
            steps = {key.rpartition("/")[2].removesuffix(".json"): self._read(key) or {} for key in listed}
            asked = steps.pop(NAME, {})
            return {
                "phase": self._phase(),
                "run_id": run,
                "question": asked.get("question", "") if "task_token" in asked else "",
                "executions": [execution["name"] for execution in self._at_work(run)],
                "steps": dict(sorted(steps.items(), key=lambda item: item[1].get("at", 0.0))),
            }

    def start(self, by: str, run_id: str = "") -> str:
        """Start a new cutover; its run, by default named after the time. Raises `RefusedError` where one is at work.

        A name is never used twice: markers are named after the run, and those of an earlier one prove nothing.
        """
        from botocore.exceptions import ClientError

        run = run_id or time.strftime("cutover-%Y%m%d-%H%M%S", time.gmtime())
        if not _RUN_ID.fullmatch(run):
            raise UsageError(f"--run {run!r} is not up to {_LONGEST_RUN} letters, digits, - and _")
        taken = RefusedError(f"there was a cutover {run} already", hint="give this one another name: --run")
        with _told():
            if holder := self._holder() or next((one["name"] for one in self._running()), ""):
                raise RefusedError(f"cutover {holder} is under way", hint="python -m cutover status")
            if self._keys(f"{_PREFIX}{run}/"):
                raise taken
            try:
                client("stepfunctions").start_execution(
                    stateMachineArn=self._place.machine, name=run, input=json.dumps({"by": by})
                )
            except ClientError as error:
                if not is_code(error, "ExecutionAlreadyExists"):
                    raise
                raise taken from None
        return run

    def approve(self, by: str) -> str:
        """Yes to what is asked; the question. Raises `RefusedError` where nothing is, or not any more."""
        return self._answer("approved", by, "")

    def reject(self, by: str, reason: str) -> str:
        """No: before the freeze nothing is done, later the cutover goes back."""
        return self._answer("rejected", by, reason)

    def go_back(self, by: str, run_id: str = "") -> str:
        """Bring the payments back to the data centre; what was started for it, or the question that was rejected."""
        with _told():
            run = self._demand(run_id)
            if "task_token" in (self._read(record.key(run, NAME)) or {}) and self._at_work(run):
                return f"rejected the question {self.reject(by, 'go back')!r}"
            if self._phase() in _CLOSED and not self._holder():
                raise RefusedError(f"cutover {run} is back already", hint="python -m cutover status")
            return self._start(run, "go_back", by)

    def resume(self, by: str, run_id: str = "") -> str:
        """Go on with a cutover whose execution ended halfway; the new execution."""
        with _told():
            run = self._demand(run_id)
            if working := self._at_work(run):
                raise RefusedError(f"cutover {run} is at work: {working[0]['name']}", hint="python -m cutover status")
            phase = self._phase()
            if phase in _CLOSED:
                raise RefusedError(f"there is nothing to resume: the phase is {phase}", hint="python -m cutover start")
            return self._start(run, "watch" if phase in _OPEN else "resume", by)

    # --- what is there ------------------------------------------------------------------------------------------------
    def _demand(self, run_id: str) -> str:
        if not (run := run_id or self._run()):
            raise RefusedError("no cutover was ever begun here", hint="python -m cutover start")
        return run

    def _run(self) -> str:
        """The run under way, else the last one there was; "" for none."""
        if holder := self._holder():
            return holder
        keys = {key: at for key, at in self._keys(_PREFIX).items() if key.count("/") > 1}
        return max(keys, key=lambda key: (keys[key], key)).split("/")[1] if keys else ""

    def _holder(self) -> str:
        return record.lock_holder(self._place.bucket)

    def _phase(self) -> str:
        """The phase; the parameter is made by the first cutover."""
        try:
            answer = client("ssm").get_parameter(Name=self._place.phase_parameter)
        except Exception as error:
            if is_code(error, "ParameterNotFound"):
                return "replicating"
            raise
        return str(answer["Parameter"]["Value"])

    def _keys(self, prefix: str) -> dict[str, Any]:
        pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=self._place.bucket, Prefix=prefix)
        return {item["Key"]: item["LastModified"] for page in pages for item in page.get("Contents", ())}

    def _read(self, key: str) -> dict[str, Any] | None:
        return record.read_object(key, self._place.bucket)

    def _at_work(self, run: str) -> list[Mapping[str, Any]]:
        """The executions for a run."""
        names = (run, f"{run[:_LONGEST_RUN]}-")
        return [one for one in self._running() if one["name"] == names[0] or one["name"].startswith(names[1])]

    def _running(self) -> list[Mapping[str, Any]]:
        pages = client("stepfunctions").get_paginator("list_executions")
        found = pages.paginate(stateMachineArn=self._place.machine, statusFilter="RUNNING")
        return [execution for page in found for execution in page["executions"]]

    # --- what is done -------------------------------------------------------------------------------------------------
    def _answer(self, decision: str, by: str, reason: str) -> str:
        with _told():
            run = self._demand("")
            asked = self._read(record.key(run, NAME)) or {}
            question, token = asked.get("question", ""), asked.get("task_token")
            if not token:
                raise RefusedError(f"cutover {run} asks nothing", hint="python -m cutover status")
            self._send(token, question, decision, by, reason)
            told = {"question": question, "decision": decision, "by": by, "reason": reason, "at": time.time()}
            record.write_object(record.key(run, NAME), told, self._place.bucket)
            return str(question)

    def _send(self, token: str, question: str, decision: str, by: str, reason: str) -> None:
        from botocore.exceptions import ClientError

        states = client("stepfunctions")
        try:
            if decision == "approved":
                output = json.dumps({"decision": decision, "question": question, "by": by})
                states.send_task_success(taskToken=token, output=output)
            else:
                states.send_task_failure(
                    taskToken=token, error="Rejected", cause=f"{by}: {reason or 'no reason given'}"
                )
        except ClientError as error:
            if not is_code(error, "TaskTimedOut", "TaskDoesNotExist", "InvalidToken"):
                raise
            raise RefusedError(
                f"the question {question!r} is not open any more", hint="python -m cutover status"
            ) from None

    def _start(self, run: str, action: str, by: str) -> str:
        """Another execution for the run; what still works for it is stopped, for it would go on as this goes back."""
        states = client("stepfunctions")
        for execution in self._at_work(run):
            states.stop_execution(executionArn=execution["executionArn"], error="Superseded", cause=f"{by}: {action}")
        name = f"{run[:_LONGEST_RUN]}-{action}-{time.time_ns() // 1_000_000}"
        given = json.dumps({"begin": action, "run_id": run, "by": by})
        states.start_execution(stateMachineArn=self._place.machine, name=name, input=given)
        return name


# --- the commands ----------------------------------------------------------------------------------------------------
def add_commands(command: Callable[..., Any]) -> None:
    """Add them to a command line; `command(name, run, purpose)` gives the parser of one."""
    for name, run, purpose in (
        ("start", _begin, "start a cutover: it looks whether all is ready, then asks before it freezes anything"),
        ("status", _status, "where a cutover stands: its phase, what it asks, what each step did"),
        ("approve", _approve, "yes to what the cutover asks"),
        ("reject", _reject, "no to what the cutover asks: before the freeze nothing is done, later it goes back"),
        ("go-back", _go_back, "bring the payments back to the data centre, with all that AWS took"),
        ("resume", _resume, "go on with a cutover whose execution ended halfway"),
    ):
        parser = command(name, run, purpose)
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--env", metavar="NAME", help="the environment: out/NAME/flat-outputs.json says where it is")
        where.add_argument("--outputs", type=Path, metavar="FILE", help="another file of outputs")
        if name not in ("approve", "reject"):
            new = "what to call it (default: after the time)"
            parser.add_argument(
                "--run", default="", metavar="ID", help=new if name == "start" else "another run than the last one"
            )
        if name == "status":
            parser.add_argument("--json", action="store_true", help="all of it, as JSON")
        else:
            parser.add_argument("--by", required=True, metavar="NAME", help="who decides")
        if name == "reject":
            parser.add_argument("--reason", default="", metavar="TEXT", help="why")


def _desk(options: Any) -> Desk:
    return Desk(read_place(options.outputs or Path("out", options.env, "flat-outputs.json")))


def _begin(options: Any) -> int:
    where = f"--env {options.env}" if options.env else f"--outputs {options.outputs}"
    print(f"started: {_desk(options).start(options.by, options.run)}")
    print(f"follow it: python -m cutover status {where}")
    print(f"answer it: python -m cutover approve {where} --by {options.by}")
    return 0


def _status(options: Any) -> int:
    found = _desk(options).status(options.run)
    print(json.dumps(found, indent=1) if options.json else "\n".join(_lines(found)))
    return 0


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['phase']}: cutover {found['run_id'] or 'never begun'}"
    for name, step in found["steps"].items():
        what = step.get("message") or ", ".join(f"{key} {value}" for key, value in step.get("answer", {}).items())
        at = time.strftime("%H:%M:%S", time.gmtime(step.get("at", 0.0)))
        yield f"  {at}  {name:<22} {step.get('seconds', 0.0):7.2f} s  {what}".rstrip()
    if found["executions"]:
        yield f"at work: {', '.join(found['executions'])}"
    if found["question"]:
        yield f"asks: {found['question']}? python -m cutover approve, or reject"


def _approve(options: Any) -> int:
    print(f"approved: {_desk(options).approve(options.by)}")
    return 0


def _reject(options: Any) -> int:
    print(f"rejected: {_desk(options).reject(options.by, options.reason)}")
    return 0


def _go_back(options: Any) -> int:
    print(f"going back: {_desk(options).go_back(options.by, options.run)}")
    return 0


def _resume(options: Any) -> int:
    print(f"resumed: {_desk(options).resume(options.by, options.run)}")
    return 0
