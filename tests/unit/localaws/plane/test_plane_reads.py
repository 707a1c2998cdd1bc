"""The operations that tell, and what is refused before anything begins."""

from __future__ import annotations

import json
import urllib.request

import pytest

TOPIC = "AWS::SNS::Topic"
ROLE = {"Type": "AWS::IAM::Role", "Properties": {}}


def body(resources, **sections):
    return json.dumps({"Resources": resources, **sections})


def topic(**properties):
    return {"Type": TOPIC, "Properties": properties}


def test_stacks_are_listed_page_by_page(world):
    for number in range(101):
        world.cf.create_stack(StackName=f"s{number}", TemplateBody=body({"A": topic()}, Description=f"d{number}"))
    assert world.plane.settle(30)
    pages = list(world.cf.get_paginator("describe_stacks").paginate())
    assert [len(page["Stacks"]) for page in pages] == [100, 1]
    assert pages[0]["Stacks"][0]["StackName"] == "s100"
    world.cf.delete_stack(StackName="s0")
    assert world.plane.settle(10)
    pages = list(world.cf.get_paginator("list_stacks").paginate())
    assert [len(page["StackSummaries"]) for page in pages] == [100, 1]
    assert pages[0]["StackSummaries"][0]["TemplateDescription"] == "d100"
    (gone,) = world.cf.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert (gone["StackName"], "DeletionTime" in gone) == ("s0", True)


def test_regions_are_apart(world):
    import boto3

    world.deploy("one", body({"A": topic()}))
    other = boto3.client(
        "cloudformation",
        endpoint_url=f"http://127.0.0.1:{world.port}",
        region_name="us-west-2",
        aws_access_key_id="x",
        aws_secret_access_key="y",
    )
    assert other.describe_stacks()["Stacks"] == []
    made = other.create_stack(StackName="one", TemplateBody=body({"A": topic()}))
    assert ":us-west-2:" in made["StackId"]
    assert world.plane.settle(10)
    assert len(other.list_stacks()["StackSummaries"]) == 1
    other.close()


def test_the_history_comes_in_pages_that_stand_still(world):
    world.deploy("one", body({f"T{number}": topic() for number in range(60)}))
    first = world.cf.describe_stack_events(StackName="one")
    assert len(first["StackEvents"]) == 100
    world.deploy("one", body({f"T{number}": topic(DisplayName="x") for number in range(60)}))
    second = world.cf.describe_stack_events(StackName="one", NextToken=first["NextToken"])
    assert len(second["StackEvents"]) == 82
    assert "NextToken" not in second
    ids = {event["EventId"] for event in (*first["StackEvents"], *second["StackEvents"])}
    assert len(ids) == 182
    assert second["StackEvents"][-1]["ResourceStatus"] == "CREATE_IN_PROGRESS"


@pytest.mark.parametrize("token", ["!", "bm90IGEgcG9zaXRpb24="])
def test_a_strange_token_is_refused(world, refusal, token):
    world.deploy("one", body({"A": topic()}))
    told = refusal(world.cf.describe_stack_events, StackName="one", NextToken=token)
    assert told == "ValidationError: The NextToken is not valid"


def test_events_of_an_operation_reach_over_the_tree(world, refusal):
    child = world.put("child", {"A": topic()})
    world.fault("Child/A", "create", "no")
    made = world.cf.create_stack(
        StackName="one",
        TemplateBody=body({"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": child}}}),
        ClientRequestToken="mine",
    )
    assert world.settled("one") == "ROLLBACK_COMPLETE"
    events = world.cf.describe_events(OperationId=made["OperationId"])["OperationEvents"]
    assert len({event["StackId"] for event in events}) == 2
    assert {event["ClientRequestToken"] for event in events} == {"mine"}
    failed = world.cf.describe_events(OperationId=made["OperationId"], Filters={"FailedEvents": True})[
        "OperationEvents"
    ]
    assert {(one["LogicalResourceId"], one["EventType"]) for one in failed} == {
        ("A", "PROVISIONING_ERROR"),
        ("Child", "PROVISIONING_ERROR"),
    }
    own = world.cf.describe_events(StackName="one", OperationId=made["OperationId"])["OperationEvents"]
    assert {event["StackId"] for event in own} == {made["StackId"]}
    assert world.cf.describe_events(StackName="one", OperationId="other")["OperationEvents"] == []
    assert "One of ChangeSetName" in refusal(world.cf.describe_events)
    assert world.stack("one")["LastOperations"] == [
        {"OperationType": "CREATE_STACK", "OperationId": made["OperationId"]}
    ]


def test_resources(world, refusal):
    described = {"Type": TOPIC, "Description": "why"}
    world.deploy("one", body({"A": described, **{f"T{number:03d}": topic() for number in range(120)}}))
    assert len(world.cf.describe_stack_resources(StackName="one")["StackResources"]) == 100
    pages = list(world.cf.get_paginator("list_stack_resources").paginate(StackName="one"))
    assert [len(page["StackResourceSummaries"]) for page in pages] == [100, 21]
    (one,) = world.cf.describe_stack_resources(StackName="one", LogicalResourceId="A")["StackResources"]
    assert (one["PhysicalResourceId"], one["ResourceStatus"], one["Description"]) == ("a-1", "CREATE_COMPLETE", "why")
    same = world.cf.describe_stack_resources(PhysicalResourceId="a-1")["StackResources"]
    assert same[0]["LogicalResourceId"] == "A"
    assert "Stack for none does not exist" in refusal(world.cf.describe_stack_resources, PhysicalResourceId="none")
    assert "must be specified" in refusal(world.cf.describe_stack_resources)
    told = refusal(world.cf.describe_stack_resource, StackName="one", LogicalResourceId="None")
    assert told == "ValidationError: Resource None does not exist for stack one"
    assert (
        "Metadata"
        not in world.cf.describe_stack_resource(StackName="one", LogicalResourceId="A")["StackResourceDetail"]
    )


def test_templates(world, refusal):
    text = "Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties:\n      DisplayName: !Sub '${AWS::Region}'\n"
    world.deploy("one", text)
    found = world.cf.get_template(StackName="one", TemplateStage="Processed")
    assert found["TemplateBody"] == text
    assert found["StagesAvailable"] == ["Original", "Processed"]
    made = world.change_set("one", "c", body({"A": topic(DisplayName="x")}))
    assert world.cf.get_template(ChangeSetName=made["ChangeSetId"])["TemplateBody"]["Resources"]["A"] == topic(
        DisplayName="x"
    )
    assert "must be specified" in refusal(world.cf.get_template)


def test_summaries(world):
    parameters = {
        "P": {"Type": "Number", "Default": 1, "AllowedValues": [1, 2], "Description": "d"},
        "Q": {"Type": "String", "NoEcho": True},
    }
    text = body(
        {"A": topic(), "R": ROLE, "B": topic()},
        Parameters=parameters,
        Description="all",
        AWSTemplateFormatVersion="2010-09-09",
    )
    found = world.cf.get_template_summary(TemplateBody=text)
    assert found["Parameters"][0] == {
        "ParameterKey": "P",
        "DefaultValue": "1",
        "ParameterType": "Number",
        "NoEcho": False,
        "Description": "d",
        "ParameterConstraints": {"AllowedValues": ["1", "2"]},
    }
    assert found["ResourceTypes"] == ["AWS::IAM::Role", TOPIC]
    assert found["ResourceIdentifierSummaries"][1] == {
        "ResourceType": TOPIC,
        "LogicalResourceIds": ["A", "B"],
        "ResourceIdentifiers": ["TopicArn"],
    }
    assert (found["Description"], found["Version"]) == ("all", "2010-09-09")
    assert found["Capabilities"] == ["CAPABILITY_IAM"]
    assert found["CapabilitiesReason"] == "The following resource(s) require capabilities: [AWS::IAM::Role]"
    valid = world.cf.validate_template(TemplateBody=text)
    assert valid["Parameters"][1] == {"ParameterKey": "Q", "NoEcho": True}
    child = world.put("child", {"A": topic()})
    world.deploy("one", body({"C": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": child}}}))
    found = world.cf.get_template_summary(StackName="one")
    assert found["ResourceTypes"] == ["AWS::CloudFormation::Stack"]
    assert "Capabilities" not in found


def test_no_echo_hides_a_value_everywhere(world):
    text = body({"A": topic(DisplayName={"Ref": "P"})}, Parameters={"P": {"Type": "String", "NoEcho": "true"}})
    given = [{"ParameterKey": "P", "ParameterValue": "secret"}]
    made = world.change_set("one", "c", text, "CREATE", Parameters=given)
    assert made["Parameters"] == [{"ParameterKey": "P", "ParameterValue": "****"}]
    world.execute(made)
    assert world.stack("one")["Parameters"] == [{"ParameterKey": "P", "ParameterValue": "****"}]
    assert world.memory.things["a-1"] == {"DisplayName": "secret"}


def test_small_answers(world):
    assert world.cf.list_exports()["Exports"] == []
    assert world.cf.describe_account_limits()["AccountLimits"] == [{"Name": "StackLimit", "Value": 2000}]


def test_what_a_stack_tells_of_itself(world):
    made = world.cf.create_stack(
        StackName="one",
        TemplateBody=body({"A": topic()}),
        TimeoutInMinutes=5,
        NotificationARNs=["arn:aws:sns:eu-central-1:123456789012:t"],
        RoleARN="arn:aws:iam::123456789012:role/deployer",
        RollbackConfiguration={"MonitoringTimeInMinutes": 3},
    )
    world.settled("one")
    stack = world.stack("one")
    assert stack["TimeoutInMinutes"] == 5
    assert stack["RoleARN"] == "arn:aws:iam::123456789012:role/deployer"
    assert stack["RollbackConfiguration"] == {"MonitoringTimeInMinutes": 3}
    assert stack["NotificationARNs"] == ["arn:aws:sns:eu-central-1:123456789012:t"]
    assert stack["DriftInformation"] == {"StackDriftStatus": "NOT_CHECKED"}
    world.cf.update_stack(StackName="one", TemplateBody=body({"A": topic(DisplayName="x")}))
    world.settled("one")
    assert world.stack("one")["RoleARN"] == stack["RoleARN"]
    assert made["StackId"] == stack["StackId"]


# --- refusals --------------------------------------------------------------------------------------------------------
def test_requests_that_are_refused(world, refusal, monkeypatch):
    create = world.cf.create_stack
    text = body({"A": topic()})
    assert "Either Template URL or Template Body" in refusal(create, StackName="one")
    url = "https://templates.s3.eu-central-1.amazonaws.com/none"
    assert "S3 error: The specified key does not exist." in refusal(create, StackName="one", TemplateURL=url)
    assert "must be a supported URL" in refusal(create, StackName="one", TemplateURL="https://example.com/a/b")
    told = refusal(create, StackName="one", TemplateBody=text, OnFailure="DELETE", DisableRollback=True)
    assert "not both" in told
    assert "ResourceTypes is not emulated" in refusal(
        create, StackName="one", TemplateBody=text, ResourceTypes=["AWS::*"]
    )
    told = refusal(create, StackName="one", TemplateBody=text, DeploymentConfig={"Mode": "EXPRESS"})
    assert "EXPRESS is not emulated" in told
    assert "needs a stack" in refusal(
        world.cf.create_change_set, StackName="one", ChangeSetName="c", UsePreviousTemplate=True, ChangeSetType="CREATE"
    )
    told = refusal(create, StackName="one", TemplateBody=body({"A": topic(Nope=1)}))
    assert told.endswith("resource A with message: #: extraneous key [Nope] is not permitted")
    assert "[AWS::Nowhere::Thing]" in refusal(
        create, StackName="one", TemplateBody=body({"A": {"Type": "AWS::Nowhere::Thing"}})
    )
    assert world.cf.describe_stacks()["Stacks"] == []
    world.deploy("one", text)
    assert refusal(create, StackName="one", TemplateBody=text) == "AlreadyExistsException: Stack [one] already exists"
    monkeypatch.setattr("localaws.quotas.STACKS", 1)
    assert refusal(create, StackName="two", TemplateBody=text).startswith("LimitExceededException")
    told = refusal(
        world.cf.create_change_set, StackName="two", ChangeSetName="c", TemplateBody=text, ChangeSetType="CREATE"
    )
    assert told.startswith("LimitExceededException")


@pytest.mark.parametrize(
    ("resource", "given", "told"),
    [
        (ROLE, [], "[CAPABILITY_IAM]"),
        (ROLE, ["CAPABILITY_IAM"], None),
        (ROLE, ["CAPABILITY_NAMED_IAM"], None),
        ({"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}}, ["CAPABILITY_IAM"], "[CAPABILITY_NAMED_IAM]"),
        ({"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r"}}, ["CAPABILITY_NAMED_IAM"], None),
    ],
)
def test_capabilities(world, refusal, resource, given, told):
    text = body({"A": resource})
    if told is None:
        assert world.deploy("one", text, Capabilities=given) == "CREATE_COMPLETE"
    else:
        refused = refusal(world.cf.create_stack, StackName="one", TemplateBody=text, Capabilities=given)
        assert refused == f"InsufficientCapabilitiesException: Requires capabilities : {told}"


def test_bodies_have_a_size(world, refusal):
    def sized(count):
        return body({"A": topic()}, Metadata={"x": "y" * count})

    told = refusal(world.cf.create_stack, StackName="one", TemplateBody=sized(51_200))
    assert "Member must have length less than or equal to 51200" in told
    world.objects["big"] = sized(51_200).encode()
    made = world.cf.create_stack(StackName="one", TemplateURL="https://s3.eu-central-1.amazonaws.com/templates/big")
    assert world.settled(made["StackId"]) == "CREATE_COMPLETE"
    world.objects["big"] = sized(1_000_000).encode()
    told = refusal(world.cf.validate_template, TemplateURL="http://127.0.0.1:1/templates/big")
    assert "may not exceed 1000000 bytes" in told
    world.objects["big"] = b"\xff"
    assert "not UTF-8" in refusal(world.cf.validate_template, TemplateURL="http://127.0.0.1:1/templates/big")


def test_a_bucket_may_stand_in_the_host_or_in_the_path(world):
    asked = []
    world.plane._core._read_object = lambda bucket, key: asked.append((bucket, key)) or body({"A": topic()}).encode()
    for url in (
        "https://my.bucket.s3.eu-central-1.amazonaws.com/a/b%20c",
        "https://my.bucket.s3.amazonaws.com/a/b%20c",
        "https://s3.eu-central-1.amazonaws.com/my.bucket/a/b%20c",
        "https://s3-eu-central-1.amazonaws.com/my.bucket/a/b%20c",
        "https://s3.amazonaws.com/my.bucket/a/b%20c",
        "http://localhost:1/my.bucket/a/b%20c",
    ):
        world.cf.validate_template(TemplateURL=url)
    assert set(asked) == {("my.bucket", "a/b c")}
    assert len(asked) == 6


# --- the protocol ----------------------------------------------------------------------------------------------------
def test_members_are_judged_by_the_model(world, refusal):
    told = refusal(
        world.cf.create_change_set, StackName="9 lives", ChangeSetName="c", TemplateBody="{}", OnStackFailure="MAYBE"
    )
    assert told.startswith(
        "ValidationError: 2 validation errors detected: Value '9 lives' at 'stackName' failed to satisfy"
    )
    told = refusal(world.cf.create_stack, StackName="one", TemplateBody="{}", OnFailure="MAYBE")
    assert (
        "Value 'MAYBE' at 'onFailure' failed to satisfy constraint: Member must satisfy enum value set: [DO_NOTHING"
        in told
    )
    told = refusal(world.cf.create_stack, TemplateBody="{}")
    assert (
        "1 validation error detected: Value null at 'stackName' failed to satisfy constraint: Member must not be null"
        in told
    )
    told = refusal(world.cf.create_stack, StackName="a" * 129, TemplateBody="{}")
    assert told.endswith(
        "at 'stackName' failed to satisfy constraint: Member must have length less than or equal to 128"
    )
    told = refusal(world.cf.create_stack, StackName="a_b", TemplateBody="{}")
    assert told.endswith("Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*")
    told = refusal(world.cf.create_change_set, StackName="a", ChangeSetName="c" * 129, TemplateBody="{}")
    assert "at 'changeSetName' failed to satisfy constraint: Member must have length less than or equal to 128" in told
    told = refusal(world.cf.create_stack, StackName="a", TemplateBody="{}", Tags=[{"Key": "k"}])
    assert "Value null at 'tags.1.member.value'" in told


def raw(world, data, **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{world.port}/?Version=2010-05-15", data.encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_an_operation_that_is_not_emulated_is_named(world, refusal):
    assert refusal(world.cf.list_stack_sets).startswith("InvalidAction: Could not find operation ListStackSets")
    status, answer = raw(world, "Action=DescribeStacks")
    assert (status, "<Stacks></Stacks>" in answer) == (200, True)
    assert "<RequestId>" in answer
    assert raw(world, "")[0] == 400


def test_a_defect_is_a_server_error_that_botocore_reads(world, refusal, caplog):
    world.plane._core.state.stacks = None
    assert (
        refusal(world.cf.list_stacks) == "InternalFailure: AttributeError: 'NoneType' object has no attribute 'values'"
    )
    assert caplog.records[0].levelname == "ERROR"
    status, answer = raw(world, "Action=ListStacks")
    assert (status, "<Type>Receiver</Type>" in answer) == (500, True)


def test_texts_that_xml_cannot_carry_arrive_without_breaking(world):
    told = "a\x00b\r\n<&>\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")
    world.fault("one/A", "create", told)
    world.deploy("one", body({"A": topic()}))
    assert 'message: "a?b\r\n<&>\U0001f600"' in world.reason("one", "A", "CREATE_FAILED")


def test_an_answer_that_the_model_does_not_know_is_a_defect():
    from localaws import protocol

    operation = protocol.service_model().operation_model("DescribeStacks")
    with pytest.raises(KeyError, match="Nope"):
        protocol.render(operation, {"Stacks": [{"Nope": 1}]}, "id")
    empty = protocol.service_model().operation_model("CancelUpdateStack")
    assert b"<CancelUpdateStackResponse" in protocol.render(empty, {}, "id")


# --- tokens ----------------------------------------------------------------------------------------------------------
def test_a_repeated_request_is_answered_once(world, refusal):
    given = {"StackName": "one", "TemplateBody": body({"A": topic()}), "ClientRequestToken": "t"}
    first, second = world.cf.create_stack(**given), world.cf.create_stack(**given)
    assert first["StackId"] == second["StackId"]
    world.settled("one")
    assert world.memory.calls == [("create", "A")]
    told = refusal(world.cf.delete_stack, StackName="one", ClientRequestToken="t")
    assert told.startswith("TokenAlreadyExistsException")
