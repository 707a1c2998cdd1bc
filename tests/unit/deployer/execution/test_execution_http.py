"""Execute, follow, diagnose and read outputs over real HTTP: boto3, sockets, and a control plane that does what AWS does."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from deployer.aws import connect
from deployer.clock import CLOCK
from deployer.execution.execute import execute
from deployer.execution.progress import PlainLines
from deployer.execution.start import request_token
from deployer.outputs import read_outputs
from deployer.stacks import describe_stack, nested_stacks
from deployer.status import read_status, render_status
from localaws.api import Plane
from localaws.clock import Clock
from localaws.providers.base import Handle

RESUME = "python deploy.py status --env dev"


class Things:
    """A provider of anything: keeps nothing, refuses nothing."""

    def __init__(self):
        self.count = 0

    def create(self, clients, properties, context):
        self.count += 1
        return Handle(f"{context.logical_id}-{self.count}")

    def update(self, clients, physical_id, before, after, context):
        return Handle(physical_id)

    def delete(self, clients, physical_id, properties, context):
        return None

    def read(self, clients, physical_id, properties, context):
        return properties


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Silent(WSGIRequestHandler):
    def log_message(self, *_):
        return None


@pytest.fixture
def objects():
    """Templates in buckets."""
    return {}


@pytest.fixture
def plane(objects):
    things = Things()
    made = Plane(
        lambda _: things,
        None,
        read_object=lambda bucket, key: objects[bucket, key],
        clock=Clock(simulated=True),
        delay=2,
    )
    yield made
    assert made.settle(10)


@pytest.fixture
def aws(plane, monkeypatch):
    with make_server("127.0.0.1", 0, plane, Server, Silent) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            monkeypatch.setenv(name, value)
        yield connect("eu-central-1")
        server.shutdown()
        thread.join()


@pytest.fixture
def reviewed(aws, objects, plane):
    """The ARN of a change set that gives the two tiers these retention times."""

    def call(web, database, kind="UPDATE"):
        resources = {}
        for tier, days in (("Web", web), ("Database", database)):
            objects["templates", f"{tier}{days}"] = json.dumps(
                {
                    "Resources": {
                        f"{tier}Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}},
                        f"{tier}Name": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": f"n{days}"}},
                    },
                    "Outputs": {"LogName": {"Value": {"Ref": f"{tier}Log"}}},
                }
            ).encode()
            resources[tier] = {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": f"https://s3.eu-central-1.amazonaws.com/templates/{tier}{days}"},
            }
        template = {
            "Resources": resources,
            "Outputs": {"WebLog": {"Value": {"Fn::GetAtt": ["Web", "Outputs.LogName"]}}},
        }
        answer = aws.cloudformation.create_change_set(
            StackName="payments-dev", ChangeSetName=f"review-{web}-{database}", ChangeSetType=kind,
            TemplateBody=json.dumps(template), IncludeNestedStacks=True,
        )  # fmt: skip
        assert plane.settle(10)
        return answer["Id"]

    return call


@pytest.fixture
def run(aws, plane):
    """Execute to the end; returns the result and the lines of the log. Nobody waits: sleeping is waiting for the plane."""

    def call(arn):
        stream = io.StringIO()
        clock = replace(CLOCK, sleep=lambda _: plane.settle(10))
        result = execute(
            aws, describe_stack(aws, "payments-dev"), arn, expected={"web": 2, "database": 2},
            say=PlainLines(stream, clock, grouped=False), resume=RESUME, clock=clock,
        )  # fmt: skip
        return result, stream.getvalue().splitlines()

    return call


@pytest.fixture
def deployed(run, reviewed):
    return run(reviewed(7, 7, "CREATE"))


def test_a_creation_is_followed_and_its_outputs_are_flat(deployed, aws):
    result, log = deployed
    assert (result.status, result.resources, result.failures) == ("CREATE_COMPLETE", 4, ())
    told = [line.split(maxsplit=1)[1].split("  ")[0] for line in log if "created" in line]
    assert sorted(told) == ["database.DatabaseLog", "database.DatabaseName", "web.WebLog", "web.WebName"]
    assert log[-1].startswith("payments-dev: done, 4 resources in")
    nested = nested_stacks(aws, result.stack_id)
    flat = read_outputs(aws, result.stack, nested)
    assert set(flat) == {"WebLog", "Web.LogName", "Database.LogName"}
    assert flat["WebLog"] == flat["Web.LogName"]


def test_an_update_tells_of_itself_and_not_of_the_creation_before(deployed, run, reviewed):
    result, log = run(reviewed(14, 7))
    assert result.status == "UPDATE_COMPLETE"
    assert not [line for line in log if "DatabaseLog" in line]
    assert [line for line in log if "web.WebLog  updated" in line]


def test_a_failed_update_is_rolled_back_and_its_cause_found_again_by_status(deployed, run, reviewed, plane, aws):
    plane.inject({"add": [{"address": "Web/WebLog", "operation": "update", "message": "the KMS key is disabled"}]})
    result, log = run(reviewed(30, 7))
    assert result.status == "UPDATE_ROLLBACK_COMPLETE"
    assert [(failure.address, failure.first) for failure in result.failures] == [("web.WebLog", True)]
    assert "the KMS key is disabled" in result.error(RESUME).problems[0]
    assert [line for line in log if "web.WebLog  FAILED to update: " in line]
    text = render_status(read_status(aws, "payments-dev"))
    assert "web.WebLog" in text
    assert "the update failed and was rolled back: what ran before runs again" in text


def test_what_the_cleanup_leaves_behind_is_told(deployed, run, reviewed, plane):
    plane.inject(
        {"add": [{"address": "Web/WebName", "operation": "delete", "message": "it is still in use", "times": None}]}
    )
    result, _ = run(reviewed(14, 7))
    assert result.succeeded
    assert [orphan.address for orphan in result.orphans] == ["web.WebName"]
    plane.inject({"clear": True})


def test_a_second_execution_of_the_same_change_set_tells_the_same_story(deployed, run, reviewed, aws):
    arn = reviewed(14, 7)
    first, _ = run(arn)
    second, log = run(arn)
    assert (second.status, second.resources) == (first.status, first.resources)
    assert [line for line in log if "web.WebLog  updated" in line]
    events = aws.cloudformation.describe_stack_events(StackName="payments-dev")["StackEvents"]
    assert events[0]["ClientRequestToken"] == request_token(arn)
