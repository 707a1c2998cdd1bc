"""An AWS that follows a script: real boto3 clients, answers checked against botocore's own service models, and a time
that passes only when somebody sleeps."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.validate import ParamValidator

from deployer.aws import Aws
from deployer.clock import Clock
from deployer.execution.events import Event, parse_event
from deployer.stacks import StackState, describe_stack

EPOCH = 1_795_000_000.0
ACCOUNT = "123456789012"
NESTED = "AWS::CloudFormation::Stack"


def stack_arn(name: str) -> str:
    return f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/{name}/00000000-0000-4000-8000-{name:0>12.12}"


ROOT_ID = stack_arn("payments-dev")
CHANGE_SET = f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:changeSet/review-1/11111111-2222-4333-8444-555555555555"


class Time:
    """Passes by sleeping; `at` has things happen on the way."""

    def __init__(self) -> None:
        self.now = 0.0
        self.happenings: list[tuple[float, Callable[[], None]]] = []

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        due = [item for item in self.happenings if item[0] <= self.now]
        for item in due:
            self.happenings.remove(item)
            item[1]()

    def clock(self) -> Clock:
        return Clock(now=lambda: self.now + 7_000, sleep=self.sleep, epoch=lambda: EPOCH + self.now)


@dataclass
class World:
    """What AWS will tell: events of stacks with the second from which they are seen, and answers of other calls."""

    time: Time
    page_size: int = 100
    events: dict[str, list[tuple[float, dict[str, Any]]]] = field(default_factory=dict)
    stacks: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, list[Any]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    count: int = 0

    def tell(
        self,
        at: float,
        status: str,
        logical_id: str = "",
        *,
        stack: str = "payments-dev",
        type: str = "AWS::EC2::VPC",  # noqa: A002  # as the API says
        physical_id: str | None = None,
        reason: str = "",
        seen: float | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """An event; of the stack itself where no logical id is given."""
        self.count += 1
        own = not logical_id
        entry = {
            "StackId": stack_arn(stack),
            "StackName": stack,
            "EventId": f"event-{self.count}",
            "LogicalResourceId": logical_id or stack,
            "ResourceType": NESTED if own else type,
            "ResourceStatus": status,
            "Timestamp": datetime.fromtimestamp(EPOCH + at, UTC),
        }
        identity = stack_arn(stack) if own else physical_id
        entry |= {"PhysicalResourceId": identity} if identity is not None else {}
        entry |= {"ResourceStatusReason": reason} if reason else {}
        entry |= more
        self.events.setdefault(stack_arn(stack), []).append((at if seen is None else seen, entry))
        return entry

    def nested(self, at: float, status: str, logical_id: str, **more: Any) -> dict[str, Any]:
        """What the root tells of a nested stack."""
        child = f"payments-dev-{logical_id}"
        return self.tell(at, status, logical_id, type=NESTED, physical_id=stack_arn(child), **more)

    def inside(self, at: float, status: str, logical_id: str, resource: str = "", **more: Any) -> dict[str, Any]:
        """What a nested stack tells."""
        return self.tell(at, status, resource, stack=f"payments-dev-{logical_id}", **more)

    def fail(self, operation: str, *faults: Any) -> None:
        """Let the next calls of an operation fail: with (code, message, HTTP status), or an exception; None passes."""
        self.faults.setdefault(operation, []).extend(faults)

    # --- what botocore asks ------------------------------------------------------------------------------------------
    def answer(self, operation: str, params: dict[str, Any]) -> Any:
        self.calls.append((operation, params))
        fault = self.faults[operation].pop(0) if self.faults.get(operation) else None
        if isinstance(fault, BaseException):
            raise fault
        if fault is not None:
            return fault
        scripted = self.answers.get(operation)
        if scripted is not None:
            return scripted(params) if callable(scripted) else scripted
        return getattr(self, f"_{operation}")(params)

    def _visible(self, stack_id: str) -> list[dict[str, Any]]:
        return [entry for seen, entry in self.events.get(stack_id, []) if seen <= self.time.now]

    def _DescribeStackEvents(self, params: dict[str, Any]) -> Any:
        told = list(reversed(self._visible(params["StackName"])))
        start = int(params.get("NextToken", "0"))
        page = told[start : start + self.page_size]
        more = {"NextToken": str(start + self.page_size)} if start + self.page_size < len(told) else {}
        return {"StackEvents": page} | more

    def _DescribeStacks(self, params: dict[str, Any]) -> Any:
        name = params["StackName"]
        stack_id = name if name.startswith("arn:") else stack_arn(name)
        own = [entry for entry in self._visible(stack_id) if entry.get("PhysicalResourceId") == stack_id]
        if not own and stack_id not in self.stacks:
            return ("ValidationError", f"Stack with id {name} does not exist", 400)
        stack = {
            "StackId": stack_id,
            "StackName": stack_id.split("/")[1],
            "CreationTime": datetime.fromtimestamp(EPOCH, UTC),
            "StackStatus": own[-1]["ResourceStatus"] if own else "CREATE_COMPLETE",
        }
        return {"Stacks": [stack | self.stacks.get(stack_id, {})]}

    def _ExecuteChangeSet(self, params: dict[str, Any]) -> Any:
        return {}

    def _DescribeEvents(self, params: dict[str, Any]) -> Any:
        return {"OperationEvents": []}

    def count_of(self, operation: str) -> int:
        return sum(1 for name, _ in self.calls if name == operation)

    # --- the clients -------------------------------------------------------------------------------------------------
    def aws(self, endpoint: str | None = None) -> Aws:
        def make(service: str) -> Any:
            client = boto3.client(
                service,
                region_name="eu-central-1",
                endpoint_url=endpoint,
                aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
                aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                config=Config(retries={"total_max_attempts": 1}),
            )

            def before_call(model: Any, params: dict[str, Any], **_: Any) -> Any:
                answered = self.answer(model.name, dict(self.asked))
                if isinstance(answered, tuple):
                    code, message, status = answered
                    parsed = {
                        "Error": {"Code": code, "Message": message},
                        "ResponseMetadata": {"HTTPStatusCode": status},
                    }
                    return SimpleNamespace(status_code=status), parsed
                if model.output_shape is not None:
                    report = ParamValidator().validate(answered, model.output_shape)
                    assert not report.has_errors(), report.generate_report()
                return SimpleNamespace(status_code=200), answered | {"ResponseMetadata": {"HTTPStatusCode": 200}}

            client.meta.events.register("provide-client-params.*.*", self._remember)
            client.meta.events.register("before-call.*.*", before_call)
            return client

        return Aws("eu-central-1", make)

    def _remember(self, params: dict[str, Any], **_: Any) -> None:
        self.asked = dict(params)

    def state(self) -> StackState:
        state = describe_stack(self.aws(), ROOT_ID)
        assert state is not None
        self.calls.clear()
        return state

    def parsed(self) -> list[Event]:
        """All events as the reader gives them: merged by time, tiers by the name of the stack."""
        told = []
        for stack_id, entries in self.events.items():
            name = stack_id.split("/")[1].removeprefix("payments-dev").strip("-").lower()
            told += [parse_event(name or "root", entry) for _, entry in entries]
        return sorted(told, key=lambda event: event.at)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def world(time: Time) -> World:
    return World(time)


class Recorder:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.notes: list[str] = []
        self.ticks = 0
        self.closed: list[Any] = []

    def show(self, events: Any, tally: Any) -> None:
        self.events += events

    def tick(self, tally: Any) -> None:
        self.ticks += 1

    def note(self, text: str) -> None:
        self.notes.append(text)

    def close(self, tally: Any) -> None:
        self.closed.append(tally)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with Terminal() as stream:
        yield stream


@pytest.fixture
def names() -> SimpleNamespace:
    return SimpleNamespace(root=ROOT_ID, change_set=CHANGE_SET, arn=stack_arn, epoch=EPOCH)
