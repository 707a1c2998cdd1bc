"""Scripts of AWS-shaped answers: botocore checks each against the service model, and each call finds its own.

Unlike botocore's Stubber, of which it borrows the checks, a script does not care in which order threads ask.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.stub import Stubber

from deployer.aws import Aws
from deployer.clock import Clock

ACCOUNT = "123456789012"
EPOCH = datetime(2026, 11, 24, 17, 45, 7, tzinfo=UTC).timestamp()


@cache
def clients() -> dict[str, Any]:
    """Real clients, made once: loading the models takes longer than most tests."""
    session = boto3.Session("AKIDEXAMPLE", "secret", region_name="us-east-1")
    made = {name: session.client(name) for name in ("cloudformation", "s3", "sts")}
    for client in made.values():
        client.meta.events.register_first("before-parameter-build", lambda **event: Script.current._choose(**event))  # noqa: PLW0108  # the current one changes
        client.meta.events.register("before-call", lambda **event: Script.current._answer(**event))  # noqa: PLW0108  # as above
    return made


@dataclass
class Entry:
    operation: str
    response: tuple[AWSResponse, dict[str, Any]] | None
    expected: dict[str, Any]
    times: int | None
    raises: Exception | None = None
    used: int = 0


@dataclass
class Script:
    """What AWS answers; `calls` are (method, arguments) as they were made."""

    current: ClassVar[Script]
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    time: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._clients = clients()
        self._checks = {name: Stubber(client) for name, client in self._clients.items()}
        Script.current = self
        self.aws = Aws("us-east-1", self._clients.__getitem__)
        self.clock = Clock(lambda: self.time, self._sleep, lambda: EPOCH + self.time)

    def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += seconds

    def __call__(
        self, method: str, answer: dict[str, Any] | None = None, *, times: int | None = 1, **expected: Any
    ) -> None:
        """Answer `method`, called with at least the `expected` arguments; `times` None: as often as it is asked."""
        service, operation = self._operation(method)
        answer = {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}} | (answer or {})
        self._checks[service]._validate_operation_response(operation, answer)
        self.entries.append(Entry(operation, (AWSResponse(None, 200, {}, None), answer), expected, times))

    def fail(
        self, method: str, code: str, text: str = "", *, status: int = 400, times: int | None = 1, **expected: Any
    ) -> None:
        """Refuse `method`."""
        parsed = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}
        _, operation = self._operation(method)
        self.entries.append(Entry(operation, (AWSResponse(None, status, {}, None), parsed), expected, times))

    def breaks(self, method: str, error: Exception, **expected: Any) -> None:
        """Never answer `method`."""
        self.entries.append(Entry(self._operation(method)[1], None, expected, 1, error))

    def count(self, method: str) -> int:
        return sum(name == method for name, _ in self.calls)

    def arguments(self, method: str) -> list[dict[str, Any]]:
        return [arguments for name, arguments in self.calls if name == method]

    def _operation(self, method: str) -> tuple[str, str]:
        for service, client in self._clients.items():
            if method in client.meta.method_to_api_mapping:
                return service, client.meta.method_to_api_mapping[method]
        raise LookupError(method)

    def _choose(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        with self._lock:
            methods = {v: k for c in self._clients.values() for k, v in c.meta.method_to_api_mapping.items()}
            arguments = {key: value.getvalue() if key == "Body" else value for key, value in params.items()}
            self.calls.append((methods[model.name], arguments))
            for entry in self.entries:
                fits = all(arguments.get(key) == value for key, value in entry.expected.items())
                if entry.operation == model.name and fits and entry.used != entry.times:
                    entry.used += 1
                    context["entry"] = entry
                    return
        raise AssertionError(f"unexpected call: {model.name} {arguments}")

    def _answer(self, context: dict[str, Any], **_: Any) -> Any:
        entry: Entry = context["entry"]
        if entry.raises is not None:
            raise entry.raises
        return entry.response

    def check_finished(self) -> None:
        left = [(e.operation, e.expected) for e in self.entries if e.times is not None and e.used < e.times]
        assert not left, f"never asked for: {left}"


@pytest.fixture
def script():
    made = Script()
    yield made
    made.check_finished()


@pytest.fixture
def stack():
    """A stack as DescribeStacks tells it."""

    def make(status="UPDATE_COMPLETE", name="payments-dev", **more):
        return {
            "StackName": name,
            "StackId": stack_arn(name),
            "CreationTime": datetime(2026, 11, 1, 8, 0, tzinfo=UTC),
            "StackStatus": status,
        } | more

    return make


@pytest.fixture
def resource():
    """A resource as ListStackResources tells it."""

    def make(logical_id, kind="AWS::SNS::Topic", status="CREATE_COMPLETE", physical_id="id", reason=""):
        return (
            {
                "LogicalResourceId": logical_id,
                "ResourceType": kind,
                "ResourceStatus": status,
                "LastUpdatedTimestamp": datetime(2026, 11, 1, 8, 0, tzinfo=UTC),
            }
            | ({"PhysicalResourceId": physical_id} if physical_id else {})
            | ({"ResourceStatusReason": reason} if reason else {})
        )

    return make


def stack_arn(name):
    return f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/{name}/0a1b2c3d-0000-1111-2222-333344445555"


@pytest.fixture(name="stack_arn")
def stack_arn_fixture():
    return stack_arn
