"""Creating stacks: order, events, outputs, failure and what becomes of it."""

from __future__ import annotations

import json
import threading

import pytest
from botocore.exceptions import ClientError

from localaws.providers.base import ProviderError

TOPIC = "AWS::SNS::Topic"
VPC = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
SUBNET = {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24"}}
NESTED = "AWS::CloudFormation::Stack"


def body(resources, **sections):
    return json.dumps({"Resources": resources, **sections})


def nested(url, **properties):
    return {"Type": NESTED, "Properties": {"TemplateURL": url, **properties}}


def test_resources_are_made_after_what_they_name(world):
    status = world.deploy("one", body({"Subnet": SUBNET, "Vpc": VPC}))
    assert status == "CREATE_COMPLETE"
    assert world.memory.calls == [("create", "Vpc"), ("create", "Subnet")]
    assert world.memory.things["subnet-2"]["VpcId"] == "vpc-1"


def test_the_history_of_a_creation(world):
    world.deploy("one", body({"Subnet": SUBNET, "Vpc": VPC}), Tags=[{"Key": "Team", "Value": "a"}])
    assert world.events("one") == [
        "one CREATE_IN_PROGRESS",
        "Vpc CREATE_IN_PROGRESS",
        "Vpc CREATE_IN_PROGRESS",
        "Vpc CREATE_COMPLETE",
        "Subnet CREATE_IN_PROGRESS",
        "Subnet CREATE_IN_PROGRESS",
        "Subnet CREATE_COMPLETE",
        "one CREATE_COMPLETE",
    ]
    events = world.cf.describe_stack_events(StackName="one")["StackEvents"]
    assert len({event["EventId"] for event in events}) == len(events)
    assert len({event["Timestamp"] for event in events}) == 1
    done = events[1]
    assert json.loads(done["ResourceProperties"]) == {"VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"}
    assert done["PhysicalResourceId"] == "subnet-2"
    assert events[-1]["ResourceStatusReason"] == "User Initiated"


def test_depends_on_orders_what_no_reference_does(world):
    world.deploy(
        "one",
        body({"A": {"Type": TOPIC, "DependsOn": "B"}, "B": {"Type": TOPIC, "DependsOn": ["C"]}, "C": {"Type": TOPIC}}),
    )
    assert [name for _, name in world.memory.calls] == ["C", "B", "A"]


def test_a_resource_carries_the_tags_of_its_stack_and_the_three_of_cloudformation(world):
    world.deploy("one", body({"A": {"Type": TOPIC}}), Tags=[{"Key": "Team", "Value": "a"}])
    assert world.memory.tags["a-1"] == {
        "Team": "a",
        "aws:cloudformation:logical-id": "A",
        "aws:cloudformation:stack-id": world.stack("one")["StackId"],
        "aws:cloudformation:stack-name": "one",
    }


def test_conditions_decide_what_is_there(world):
    sections = {
        "Parameters": {"Env": {"Type": "String"}},
        "Conditions": {"Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}},
        "Outputs": {
            "Only": {"Condition": "Prod", "Value": "x"},
            "All": {"Value": {"Ref": "A"}, "Description": "every"},
        },
    }
    resources = {"A": {"Type": TOPIC}, "B": {"Type": TOPIC, "Condition": "Prod"}}
    given = [{"ParameterKey": "Env", "ParameterValue": "dev"}]
    world.deploy("one", body(resources, **sections), Parameters=given)
    assert world.memory.calls == [("create", "A")]
    stack = world.stack("one")
    assert stack["Outputs"] == [{"OutputKey": "All", "OutputValue": "a-1", "Description": "every"}]
    assert stack["Parameters"] == [{"ParameterKey": "Env", "ParameterValue": "dev"}]


def test_what_depends_on_an_absent_resource_fails(world):
    sections = {"Conditions": {"No": {"Fn::Equals": ["a", "b"]}}}
    resources = {
        "A": {"Type": TOPIC, "Properties": {"DisplayName": {"Ref": "B"}}},
        "B": {"Type": TOPIC, "Condition": "No"},
    }
    assert world.deploy("one", body(resources, **sections)) == "ROLLBACK_COMPLETE"
    assert "Unresolved resource dependencies [B]" in world.reason("one", "A", "CREATE_FAILED")


def test_the_zones_are_those_of_the_emulated_region(world):
    zone = {"Fn::Select": [0, {"Fn::GetAZs": ""}]}
    resources = {name: {"Type": TOPIC, "Properties": {"DisplayName": zone}} for name in ("A", "B")}
    world.deploy("one", body(resources))
    assert world.memory.things["a-1"] == {"DisplayName": "eu-central-1a"}


def test_an_attribute_that_a_resource_does_not_have_fails_it(world):
    resources = {
        "A": {"Type": TOPIC},
        "B": {"Type": TOPIC, "Properties": {"DisplayName": {"Fn::GetAtt": ["A", "Nope"]}}},
    }
    assert world.deploy("one", body(resources)) == "ROLLBACK_COMPLETE"
    assert world.reason("one", "B", "CREATE_FAILED") == "Resource A does not support attribute type Nope in Fn::GetAtt"


def test_an_output_that_is_a_list_fails_the_stack(world):
    sections = {"Outputs": {"Bad": {"Value": {"Fn::Split": [",", "a,b"]}}}}
    assert world.deploy("one", body({"A": {"Type": TOPIC}}, **sections)) == "ROLLBACK_COMPLETE"
    assert "Output Bad is malformed" in world.reason("one", "one", "ROLLBACK_IN_PROGRESS")


def test_a_stored_parameter_that_is_missing_fails_the_stack(world):
    sections = {"Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/none"}}}
    assert world.deploy("one", body({"A": {"Type": TOPIC}}, **sections)) == "ROLLBACK_COMPLETE"
    assert "Unable to fetch parameters [/none]" in world.reason("one", "one", "ROLLBACK_IN_PROGRESS")


# --- failure ---------------------------------------------------------------------------------------------------------
def test_a_failure_cancels_what_had_begun_and_removes_what_was_made(world):
    world.fault("one/B", "create", "no room")
    resources = {
        "Z": {"Type": TOPIC},
        "A": {"Type": TOPIC, "DependsOn": "Z"},
        "B": {"Type": TOPIC, "DependsOn": "Z"},
        "C": {"Type": TOPIC, "DependsOn": "Z"},
        "D": {"Type": TOPIC, "DependsOn": "A"},
    }
    assert world.deploy("one", body(resources)) == "ROLLBACK_COMPLETE"
    assert "no room" in world.reason("one", "B", "CREATE_FAILED")
    assert "HandlerErrorCode: GeneralServiceException" in world.reason("one", "B", "CREATE_FAILED")
    assert world.reason("one", "C", "CREATE_FAILED") == "Resource creation cancelled"
    assert world.reason("one", "one", "ROLLBACK_IN_PROGRESS") == (
        "The following resource(s) failed to create: [B, C, D]. Rollback requested by user."
    )
    assert world.memory.things == {}
    assert [call for call in world.memory.calls if call[0] == "delete"] == [("delete", "A"), ("delete", "Z")]
    assert world.stack("one").get("Outputs") is None


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (ProviderError("not that", "InvalidRequest"), 'message: "not that" (RequestToken: '),
        (ProviderError("not that", "InvalidRequest"), "HandlerErrorCode: InvalidRequest"),
        (
            ClientError(
                {"Error": {"Code": "Throttling", "Message": "slow"}, "ResponseMetadata": {"HTTPStatusCode": 400}},
                "CreateTopic",
            ),
            "slow (Service: CreateTopic, Status Code: 400)",
        ),
        (KeyError("Name"), "KeyError: 'Name'"),
    ],
)
def test_every_failure_of_a_provider_is_the_reason_of_its_resource(world, raised, told, caplog):
    def fail(operation, logical_id):
        raise raised

    world.memory.before = fail
    assert world.deploy("one", body({"A": {"Type": TOPIC}})) == "ROLLBACK_COMPLETE"
    assert told in world.reason("one", "A", "CREATE_FAILED")
    assert bool(caplog.records) == isinstance(raised, KeyError)


def test_a_provider_that_is_gone_fails_its_resource(world):
    world.deploy("one", body({"A": {"Type": TOPIC}}))
    world.unknown.add(TOPIC)
    world.cf.delete_stack(StackName="one")
    assert world.settled(world.stack("one")["StackId"]) == "DELETE_FAILED"
    assert "AWS::SNS::Topic is not emulated" in world.reason("one", "A", "DELETE_FAILED")
    world.unknown.clear()


@pytest.mark.parametrize(
    "off", [{"DisableRollback": True}, {"OnFailure": "DO_NOTHING"}, {"DeploymentConfig": {"DisableRollback": True}}]
)
def test_without_rollback_what_was_made_stays_until_it_is_asked_for(world, off):
    world.fault("one/B", "create")
    resources = {"A": {"Type": TOPIC}, "B": {"Type": TOPIC, "DependsOn": "A"}}
    assert world.deploy("one", body(resources), **off) == "CREATE_FAILED"
    assert list(world.memory.things) == ["a-1"]
    world.cf.rollback_stack(StackName="one")
    assert world.settled("one") == "ROLLBACK_COMPLETE"
    assert world.memory.things == {}


def test_on_failure_delete_leaves_nothing(world):
    world.fault("one/A", "create")
    made = world.cf.create_stack(StackName="one", TemplateBody=body({"A": {"Type": TOPIC}}), OnFailure="DELETE")
    assert world.settled(made["StackId"]) == "DELETE_COMPLETE"
    assert world.cf.describe_stacks()["Stacks"] == []
    assert "Delete requested by user." in world.reason(made["StackId"], "one", "DELETE_IN_PROGRESS")


def test_a_rollback_that_cannot_delete_stands_as_failed(world):
    world.fault("one/B", "create")
    world.fault("one/A", "delete", "in use")
    resources = {"A": {"Type": TOPIC}, "B": {"Type": TOPIC, "DependsOn": "A"}}
    assert world.deploy("one", body(resources)) == "ROLLBACK_FAILED"
    assert world.stack("one")["StackStatusReason"] == "The following resource(s) failed to delete: [A]. "


@pytest.mark.parametrize(
    ("policy", "more", "kept"),
    [
        ("Retain", {}, True),
        ("Retain", {"RetainExceptOnCreate": True}, False),
        ("RetainExceptOnCreate", {}, False),
        ("Snapshot", {}, False),
    ],
)
def test_what_a_failed_creation_keeps(world, policy, more, kept):
    world.fault("one/B", "create")
    resources = {
        "A": {"Type": TOPIC, "DeletionPolicy": policy},
        "B": {"Type": TOPIC, "DependsOn": "A", "DeletionPolicy": policy},
    }
    assert world.deploy("one", body(resources), **more) == "ROLLBACK_COMPLETE"
    assert bool(world.memory.things) == kept
    assert ("A DELETE_SKIPPED" in world.events("one")) == kept
    assert "B DELETE_COMPLETE" in world.events("one")


# --- nested stacks ---------------------------------------------------------------------------------------------------
def network(world):
    return world.put("network", {"Vpc": VPC}, Outputs={"VpcId": {"Value": {"Ref": "Vpc"}}})


def user(world):
    return world.put(
        "user",
        {
            "Net": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {"VpcId": {"Ref": "Id"}, "CidrBlock": {"Fn::Join": [",", {"Ref": "Many"}]}},
            }
        },
        Parameters={"Id": {"Type": "String"}, "Many": {"Type": "CommaDelimitedList"}},
    )


def tree(world, **properties):
    parameters = {"Id": {"Fn::GetAtt": ["Network", "Outputs.VpcId"]}, "Many": ["a", "b"]}
    return {"User": nested(user(world), Parameters=parameters, **properties), "Network": nested(network(world))}


def test_nested_stacks_are_real_stacks(world):
    own = [{"Key": "Tier", "Value": "user"}, {"Key": "Team", "Value": "b"}]
    tags = [{"Key": "Team", "Value": "a"}]
    assert world.deploy("one", body(tree(world, Tags=own)), Tags=tags) == "CREATE_COMPLETE"
    root, child = world.stack("one"), world.nested("one", "User")
    assert child["StackName"].startswith("one-User-")
    assert (child["ParentId"], child["RootId"]) == (root["StackId"], root["StackId"])
    assert child["StackStatus"] == "CREATE_COMPLETE"
    assert child["Tags"] == [{"Key": "Team", "Value": "b"}, {"Key": "Tier", "Value": "user"}]
    assert {p["ParameterKey"]: p["ParameterValue"] for p in child["Parameters"]} == {"Id": "vpc-1", "Many": "a,b"}
    assert world.memory.things["net-2"] == {"VpcId": "vpc-1", "CidrBlock": "a,b"}
    assert world.memory.tags["net-2"]["Tier"] == "user"
    assert world.events("one").index("Network CREATE_COMPLETE") < world.events("one").index("User CREATE_IN_PROGRESS")


def test_a_failure_below_is_told_above_and_leaves_nothing(world):
    world.fault("User/Net", "create", "no room")
    made = world.cf.create_stack(StackName="one", TemplateBody=body(tree(world)))
    assert world.settled("one") == "ROLLBACK_COMPLETE"
    told = world.reason("one", "User", "CREATE_FAILED")
    assert told.startswith("Embedded stack arn:aws:cloudformation:eu-central-1:123456789012:stack/one-User-")
    assert told.endswith("was not successfully created: The following resource(s) failed to create: [Net]. ")
    assert world.memory.things == {}
    others = world.cf.list_stacks()["StackSummaries"]
    assert {one["StackStatus"] for one in others if one["StackId"] != made["StackId"]} == {"DELETE_COMPLETE"}
    child = next(one["StackId"] for one in others if one["StackName"].startswith("one-User-"))
    assert world.events(child)[-3:] == [
        f"{name} {status}"
        for name, status in [
            (child.split("/")[1], "ROLLBACK_COMPLETE"),
            (child.split("/")[1], "DELETE_IN_PROGRESS"),
            (child.split("/")[1], "DELETE_COMPLETE"),
        ]
    ]


def test_a_nested_stack_keeps_what_it_made_where_rollback_is_off(world):
    world.fault("User/Net", "create")
    assert world.deploy("one", body(tree(world)), OnFailure="DO_NOTHING") == "CREATE_FAILED"
    assert world.nested("one", "User")["StackStatus"] == "CREATE_FAILED"
    assert list(world.memory.things) == ["vpc-1"]


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        (None, "S3 error: The specified key does not exist."),
        ({"A": {"Type": "AWS::Nowhere::Thing"}}, "Unrecognized resource types: [AWS::Nowhere::Thing]"),
        ({"A": {"Type": TOPIC, "Properties": {"Nope": 1}}}, "extraneous key [Nope] is not permitted"),
        ({"A": {"Type": "AWS::IAM::Role"}}, "Requires capabilities : [CAPABILITY_IAM]"),
    ],
)
def test_a_nested_template_that_does_not_stand_fails_its_resource(world, stored, told):
    if stored is not None:
        world.put("child", stored)
    url = "http://127.0.0.1:5000/templates/child"
    assert world.deploy("one", body({"Child": nested(url)})) == "ROLLBACK_COMPLETE"
    assert told in world.reason("one", "Child", "CREATE_FAILED")


def test_a_nested_stack_needs_a_template(world):
    assert world.deploy("one", body({"Child": {"Type": NESTED}})) == "ROLLBACK_COMPLETE"
    assert "required key [TemplateURL] not found" in world.reason("one", "Child", "CREATE_FAILED")


def test_a_tree_has_a_quota_of_its_own(world, monkeypatch):
    monkeypatch.setattr("localaws.quotas.TREE_RESOURCES", 3)
    assert world.deploy("one", body(tree(world))) == "ROLLBACK_COMPLETE"
    assert "may hold at most 3 resources" in world.reason("one", "User", "CREATE_FAILED")


# --- while it runs ---------------------------------------------------------------------------------------------------
def test_deleting_a_stack_that_is_being_created_stops_it(world):
    begun, go_on = threading.Event(), threading.Event()

    def wait(operation, logical_id):
        if operation == "create":
            begun.set()
            assert go_on.wait(10)

    world.memory.before = wait
    made = world.cf.create_stack(StackName="one", TemplateBody=body({"A": {"Type": TOPIC}, "B": {"Type": TOPIC}}))
    assert begun.wait(10)
    assert world.plane.busy
    assert not world.plane.settle(0.001)
    assert world.stack("one")["StackStatus"] == "CREATE_IN_PROGRESS"
    world.cf.delete_stack(StackName="one")
    go_on.set()
    assert world.settled(made["StackId"]) == "DELETE_COMPLETE"
    assert world.memory.calls == [("create", "A"), ("delete", "A")]
    assert not world.plane.busy


def test_time_passes_for_each_wave_not_for_each_resource(world):
    world.restarted(delay=60)
    start = world.clock.now()
    world.deploy("one", body({"A": {"Type": TOPIC}, "B": {"Type": TOPIC}, "C": {"Type": TOPIC, "DependsOn": "A"}}))
    assert (world.clock.now() - start).total_seconds() == 120
