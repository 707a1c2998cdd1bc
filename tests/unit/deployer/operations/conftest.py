"""A cloud of handlers: real boto3 clients, whose calls are answered by functions, and a time that only sleeping moves.

botocore checks arguments and answers against its service models, as its Stubber does.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
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
EPOCH = 1_795_000_000.0
SERVICES = ("cloudformation", "dms", "elbv2", "iam", "kms", "logs", "rds", "s3", "secretsmanager", "ssm", "sts")


class Refused(Exception):
    """What a handler raises to be answered as an error."""

    def __init__(self, code, text=""):
        super().__init__(code)
        self.code, self.text = code, text


@cache
def clients() -> dict[str, Any]:
    session = boto3.Session("AKIDEXAMPLE", "secret", region_name="us-east-1")
    made = {name: session.client(name) for name in SERVICES}
    for client in made.values():
        client.meta.events.register("before-parameter-build", _note)
        client.meta.events.register("before-call", _answer)
    return made


def _note(**event):
    Cloud.current.note(**event)


def _answer(**event):
    return Cloud.current.answer(**event)


class Cloud:
    """`on(Operation=handler)`: a handler gets the arguments by name, and returns the answer or raises `Refused`."""

    current: ClassVar[Cloud]

    def __init__(self):
        self.handlers = {"GetCallerIdentity": lambda: {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/x"}}
        self.calls = defaultdict(list)
        self.order = []
        self.time = 0.0
        self.aws = Aws("us-east-1", clients().__getitem__)
        self.clock = Clock(lambda: self.time, self.sleep, lambda: EPOCH + self.time)
        self._lock = threading.Lock()
        self._checks = {name: Stubber(client) for name, client in clients().items()}
        Cloud.current = self

    def sleep(self, seconds):
        self.time += seconds

    def on(self, **handlers):
        self.handlers |= handlers

    def note(self, params, model, context, **_):
        context["arguments"] = dict(params)

    def answer(self, model, context, **_):
        name, service = model.name, model.service_model.service_name
        with self._lock:
            self.calls[name].append(context["arguments"])
            self.order.append(name)
            assert name in self.handlers, f"unexpected call: {name} {context['arguments']}"
            try:
                answer = self.handlers[name](**context["arguments"])
            except Refused as refused:
                error = {"Code": refused.code, "Message": refused.text}
                return AWSResponse(None, 400, {}, None), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}}
        answer = {"ResponseMetadata": {"HTTPStatusCode": 200}} | (answer or {})
        self._checks[service]._validate_operation_response(name, answer)
        return AWSResponse(None, 200, {}, None), answer


@pytest.fixture
def cloud():
    return Cloud()


@pytest.fixture
def refused():
    return Refused


def arn(name, account=ACCOUNT):
    return f"arn:aws:cloudformation:us-east-1:{account}:stack/{name}/00000000-0000-4000-8000-000000000000"


TIME = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


class Stacks:
    """Stacks with resources, templates and events, for the handlers of the read calls."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.stacks = {}
        self.resources = defaultdict(list)
        self.templates = {}
        self.events = defaultdict(list)
        cloud.on(
            DescribeStacks=self._describe,
            ListStackResources=self._list,
            GetTemplate=lambda StackName, TemplateStage: {"TemplateBody": json.dumps(self.templates[StackName])},
            DescribeEvents=lambda **_: {"OperationEvents": []},
            DescribeStackEvents=lambda StackName: {"StackEvents": self.events[StackName][::-1]},
        )

    def add(self, name, status="UPDATE_COMPLETE", template=None, **more):
        self.stacks[arn(name)] = {
            "StackName": name, "StackId": arn(name), "StackStatus": status, "CreationTime": TIME, **more,
        }  # fmt: skip
        self.templates[arn(name)] = template or {"Resources": {}}
        return arn(name)

    def hold(self, name, logical_id, kind, physical_id="id", status="CREATE_COMPLETE"):
        self.resources[arn(name)].append(
            {
                "LogicalResourceId": logical_id,
                "ResourceType": kind,
                "ResourceStatus": status,
                "LastUpdatedTimestamp": TIME,
            }
            | ({"PhysicalResourceId": physical_id} if physical_id else {})
        )

    def tell(self, name, status, logical_id="", kind="AWS::CloudFormation::Stack", physical_id="", reason=""):
        number = sum(map(len, self.events.values()))
        self.events[arn(name)].append(
            {
                "StackId": arn(name),
                "StackName": name,
                "EventId": f"event-{number}",
                "LogicalResourceId": logical_id or name,
                "PhysicalResourceId": physical_id or arn(name),
                "ResourceType": kind,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
                "Timestamp": datetime.fromtimestamp(EPOCH + number, UTC),
            }
        )

    def _describe(self, StackName):
        found = [stack for stack in self.stacks.values() if StackName in (stack["StackName"], stack["StackId"])]
        if not found:
            raise Refused("ValidationError", f"Stack with id {StackName} does not exist")
        return {"Stacks": found}

    def _list(self, StackName, **_):
        return {"StackResourceSummaries": self.resources[StackName]}


@pytest.fixture
def stacks(cloud):
    return Stacks(cloud)
