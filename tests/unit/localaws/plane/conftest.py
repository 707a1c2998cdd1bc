"""A control plane over real HTTP on loopback, with resources that live in memory; every answer is parsed by botocore."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localaws.api import Plane
from localaws.clock import Clock
from localaws.providers.base import Context, Handle, ProviderError

URL = "https://templates.s3.eu-central-1.amazonaws.com/{}"


class Memory:
    """A provider of every type: what it made is in `things` by physical id, what it was asked in `calls`."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.tags: dict[str, dict[str, str]] = {}
        self.seen: dict[str, dict[str, Any]] = {}
        self.before: Callable[[str, str], None] = lambda operation, logical_id: None
        self.count = 0

    def _note(self, operation: str, logical_id: str) -> None:
        self.calls.append((operation, logical_id))
        self.before(operation, logical_id)

    def create(self, clients: Any, properties: Any, context: Context) -> Handle:
        self._note("create", context.logical_id)
        self.count += 1
        physical_id = properties.get("BucketName") or f"{context.logical_id.lower()}-{self.count}"
        self.things[physical_id] = dict(properties)
        self.tags[physical_id] = dict(context.tags)
        return self._handle(physical_id)

    def update(self, clients: Any, physical_id: str, before: Any, after: Any, context: Context) -> Handle:
        self._note("update", context.logical_id)
        self.seen[context.logical_id] = {"before": dict(before), "after": dict(after)}
        self.things[physical_id] = dict(after)
        self.tags[physical_id] = dict(context.tags)
        return self._handle(physical_id)

    def delete(self, clients: Any, physical_id: str, properties: Any, context: Context) -> None:
        self._note("delete", context.logical_id)
        self.things.pop(physical_id, None)

    def read(self, clients: Any, physical_id: str, properties: Any, context: Context) -> Any:
        self._note("read", context.logical_id)
        return self.things.get(physical_id)

    def _handle(self, physical_id: str) -> Handle:
        return Handle(
            physical_id, {"Arn": f"arn:{physical_id}", "TopicArn": f"arn:{physical_id}", "VpcId": physical_id}
        )


class Clients:
    """The services that dynamic references, zones and the emptiness of buckets ask."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.values: dict[str, str] = {}
        self.filled: set[str] = set()
        self.asked: list[dict[str, Any]] = []

    def __call__(self, service: str) -> Clients:
        return self

    def describe_availability_zones(self) -> Any:
        return {"AvailabilityZones": [{"ZoneName": f"eu-central-1{letter}"} for letter in "cab"]}

    def get_secret_value(self, **asked: str) -> Any:
        self.asked.append(asked)
        return {"SecretString": self.secrets[asked["SecretId"]]}

    def get_parameter(self, Name: str, WithDecryption: bool = False) -> Any:
        if Name not in self.values:
            raise ClientError({"Error": {"Code": "ParameterNotFound", "Message": Name}}, "GetParameter")
        return {"Parameter": {"Value": self.values[Name]}}

    def list_objects_v2(self, Bucket: str, MaxKeys: int) -> Any:
        if Bucket == "closed":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "ListObjectsV2")
        return {"KeyCount": 1 if Bucket in self.filled else 0}


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, *parts: Any) -> None:
        pass


class _Switch:
    """One server for all tests; which plane answers is the test's own."""

    plane: Plane | None = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        assert self.plane is not None
        return self.plane(environ, start_response)


@pytest.fixture(scope="session")
def _switched() -> Iterator[tuple[_Switch, Any, int]]:
    switch = _Switch()
    server = make_server("127.0.0.1", 0, switch, _Server, _Silent)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    client = boto3.client(
        "cloudformation",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        region_name="eu-central-1",
        aws_access_key_id="example",
        aws_secret_access_key="example",
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )
    yield switch, client, server.server_port
    client.close()
    server.shutdown()
    server.server_close()
    thread.join()


class World:
    """A plane, its client, and the short ways in which the tests talk about stacks."""

    def __init__(self, switch: _Switch, client: Any, port: int) -> None:
        self._switch = switch
        self.cf = client
        self.port = port
        self.memory = Memory()
        self.clients = Clients()
        self.objects: dict[str, bytes] = {}
        self.unknown: set[str] = {"AWS::Nowhere::Thing"}
        self.clock = Clock(simulated=True)
        self.plane = self.restarted()

    def restarted(self, **more: Any) -> Plane:
        """A new plane on the same services, in the place of the old one."""
        self.plane = Plane(
            lambda kind: None if kind in self.unknown else self.memory,
            self.clients,
            read_object=lambda bucket, key: self.objects[key],
            clock=self.clock,
            **more,
        )
        self._switch.plane = self.plane
        return self.plane

    # --- asking ---
    def put(self, key: str, resources: Any, **sections: Any) -> str:
        """Store a template; its URL."""
        self.objects[key] = template(resources, **sections).encode()
        return URL.format(key)

    def deploy(self, name: str, body: str, **more: Any) -> str:
        """Create or update directly, and wait; the stack's status."""
        exists = any(s["StackName"] == name for s in self.cf.describe_stacks()["Stacks"])
        (self.cf.update_stack if exists else self.cf.create_stack)(StackName=name, TemplateBody=body, **more)
        return self.settled(name)

    def change_set(self, stack: str, name: str, body: str, kind: str = "UPDATE", **more: Any) -> Any:
        """Make a change set, and wait; its description with values."""
        made = self.cf.create_change_set(
            StackName=stack, ChangeSetName=name, ChangeSetType=kind, TemplateBody=body, **more
        )
        assert self.plane.settle(10)
        return self.cf.describe_change_set(ChangeSetName=made["Id"], IncludePropertyValues=True)

    def execute(self, change_set: Any, **more: Any) -> str:
        """Carry out a described change set; the stack's status."""
        self.cf.execute_change_set(ChangeSetName=change_set["ChangeSetId"], **more)
        return self.settled(change_set["StackId"])

    def settled(self, name: str) -> str:
        """Wait; the stack's status."""
        assert self.plane.settle(10)
        return self.stack(name)["StackStatus"]

    def stack(self, name: str) -> Any:
        return self.cf.describe_stacks(StackName=name)["Stacks"][0]

    def nested(self, name: str, logical_id: str) -> Any:
        """The nested stack that stands for a logical id."""
        found = self.cf.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
        return self.stack(found["StackResourceDetail"]["PhysicalResourceId"])

    def events(self, name: str) -> list[str]:
        """A stack's history from its beginning: "LogicalId STATUS"."""
        pages = self.cf.get_paginator("describe_stack_events").paginate(StackName=name)
        found = [event for page in pages for event in page["StackEvents"]]
        return [f"{event['LogicalResourceId']} {event['ResourceStatus']}" for event in reversed(found)]

    def reason(self, name: str, logical_id: str, status: str) -> str:
        """The reason that the first such event gives."""
        found = self.cf.describe_stack_events(StackName=name)["StackEvents"]
        for event in reversed(found):
            if (event["LogicalResourceId"], event["ResourceStatus"]) == (logical_id, status):
                return event.get("ResourceStatusReason", "")
        raise AssertionError(f"no {status} of {logical_id}")

    def fault(self, address: str, operation: str, message: str = "no", times: int | None = 1) -> None:
        self.plane.inject({"add": [{"address": address, "operation": operation, "message": message, "times": times}]})


def template(resources: Any, **sections: Any) -> str:
    """A template's text."""
    return json.dumps({"Resources": resources, **sections})


def topic(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": properties}


@pytest.fixture
def world(_switched: tuple[_Switch, Any, int]) -> Iterator[World]:
    made = World(*_switched)
    yield made
    made.memory.before = lambda operation, logical_id: None
    assert made.plane.settle(10), "something is still under way"


@pytest.fixture
def refusal() -> Callable[..., str]:
    """Call an operation that is refused; "Code: message"."""

    def call(operation: Callable[..., Any], **given: Any) -> str:
        with pytest.raises(ClientError) as caught:
            operation(**given)
        error = caught.value.response["Error"]
        return f"{error['Code']}: {error['Message']}"

    return call


__all__ = ["ProviderError"]
