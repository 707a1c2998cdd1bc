"""Change sets: what they tell, how they are carried out, what they leave behind."""

from __future__ import annotations

import json
import threading

import pytest

from localaws.language import UNKNOWN

TOPIC = "AWS::SNS::Topic"
NESTED = "AWS::CloudFormation::Stack"
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
ONLY_ROOT = "Only executable from the root change set."


def body(resources, **sections):
    return json.dumps({"Resources": resources, **sections})


def topic(name=None, display=None, tags=None, **attributes):
    properties = {"TopicName": name, "DisplayName": display, "Tags": tags}
    return {"Type": TOPIC, "Properties": {k: v for k, v in properties.items() if v is not None}, **attributes}


def change(described, name):
    found = [one["ResourceChange"] for one in described["Changes"]]
    return next(one for one in found if one["LogicalResourceId"] == name)


def names(described):
    return [one["ResourceChange"]["LogicalResourceId"] for one in described["Changes"]]


def detail(described, name):
    """The one detail of a resource's change: its target's members joined with its own."""
    (found,) = change(described, name)["Details"]
    return {**found["Target"], **{key: value for key, value in found.items() if key != "Target"}}


# --- creation --------------------------------------------------------------------------------------------------------
def test_a_change_set_of_a_new_stack(world):
    made = world.change_set("one", "first", body({"B": topic(), "A": topic(display=1, Metadata={"m": 1})}), "CREATE")
    assert (made["Status"], made["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert names(made) == ["A", "B"]
    found = change(made, "A")
    assert (found["Action"], found["ResourceType"], found["Details"]) == ("Add", TOPIC, [])
    assert "Replacement" not in found
    assert json.loads(found["AfterContext"]) == {
        "Properties": {"DisplayName": "1"},
        "Metadata": {"m": "1"},
        "DeletionPolicy": "Delete",
    }
    assert world.stack("one")["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert world.cf.get_template(StackName="one")["TemplateBody"] == ""
    assert world.stack("one").keys() & {"Parameters", "Outputs", "Capabilities"} == set()
    assert world.events("one") == ["one REVIEW_IN_PROGRESS"]
    assert world.memory.calls == []
    assert world.execute(made) == "CREATE_COMPLETE"
    assert world.stack("one")["ChangeSetId"] == made["ChangeSetId"]
    done = world.cf.describe_change_set(ChangeSetName=made["ChangeSetId"])
    assert done["ExecutionStatus"] == "EXECUTE_COMPLETE"
    assert world.cf.list_change_sets(StackName="one")["Summaries"] == []


def test_the_statuses_of_a_change_set_in_the_making(world):
    world.restarted(delay=1)
    held, seen = threading.Event(), []
    sleep = world.clock.sleep

    def watched(seconds):
        described = world.cf.describe_change_set(ChangeSetName="first", StackName="one")
        seen.append((described["Status"], described["ExecutionStatus"]))
        assert held.wait(10)
        sleep(seconds)

    world.clock.sleep = watched
    made = world.cf.create_change_set(
        StackName="one", ChangeSetName="first", TemplateBody=body({"A": topic()}), ChangeSetType="CREATE"
    )
    with pytest.raises(world.cf.exceptions.InvalidChangeSetStatusException):
        world.cf.execute_change_set(ChangeSetName=made["Id"])
    with pytest.raises(world.cf.exceptions.InvalidChangeSetStatusException):
        world.cf.delete_change_set(ChangeSetName=made["Id"])
    held.set()
    assert world.plane.settle(10)
    assert seen == [("CREATE_PENDING", "UNAVAILABLE"), ("CREATE_IN_PROGRESS", "UNAVAILABLE")]


def test_types_and_states_that_do_not_fit(world, refusal):
    given = {"ChangeSetName": "first", "TemplateBody": body({"A": topic()})}
    create = world.cf.create_change_set
    assert refusal(create, StackName="one", **given) == "ValidationError: Stack [one] does not exist"
    assert "IMPORT is not emulated" in refusal(create, StackName="one", ChangeSetType="IMPORT", **given)
    world.change_set("one", "other", given["TemplateBody"], "CREATE")
    assert "is in REVIEW_IN_PROGRESS state and can not be updated" in refusal(create, StackName="one", **given)
    world.cf.delete_stack(StackName="one")
    world.deploy("one", given["TemplateBody"])
    told = refusal(create, StackName="one", ChangeSetType="CREATE", **given)
    assert "Stack [one] already exists and cannot be created again with the changeSet [first]." in told
    told = refusal(create, StackName="one", OnStackFailure="DELETE", **given)
    assert "only valid for change sets of type CREATE" in told


def test_names_are_unique_among_those_that_were_not_carried_out(world, refusal):
    text = body({"A": topic()})
    made = world.change_set("one", "first", text, "CREATE")
    told = refusal(
        world.cf.create_change_set, StackName="one", ChangeSetName="first", TemplateBody=text, ChangeSetType="CREATE"
    )
    assert told.startswith("AlreadyExistsException: ChangeSet [first] already exists")
    world.execute(made)
    again = world.change_set("one", "first", body({"A": topic(display="x")}))
    assert again["Status"] == "CREATE_COMPLETE"
    assert world.cf.describe_change_set(ChangeSetName="first", StackName="one")["ChangeSetId"] == again["ChangeSetId"]


def test_a_token_makes_a_request_repeatable(world, refusal):
    given = {
        "StackName": "one",
        "ChangeSetName": "first",
        "TemplateBody": body({"A": topic()}),
        "ChangeSetType": "CREATE",
    }
    first = world.cf.create_change_set(ClientToken="t", **given)
    second = world.cf.create_change_set(ClientToken="t", **given)
    assert (first["Id"], first["StackId"]) == (second["Id"], second["StackId"])
    assert world.plane.settle(10)
    told = refusal(world.cf.create_stack, StackName="two", TemplateBody=given["TemplateBody"], ClientRequestToken="t")
    assert told.startswith("TokenAlreadyExistsException")


def test_change_sets_have_a_quota(world, refusal, monkeypatch):
    monkeypatch.setattr("localaws.quotas.CHANGE_SETS", 1)
    world.change_set("one", "first", body({"A": topic()}), "CREATE")
    told = refusal(
        world.cf.create_change_set,
        StackName="one",
        ChangeSetName="b",
        TemplateBody=body({"A": topic()}),
        ChangeSetType="CREATE",
    )
    assert told == f"LimitExceededException: ChangeSet limit exceeded for stack {world.stack('one')['StackId']}"


# --- what an update tells --------------------------------------------------------------------------------------------
def test_a_direct_change_in_place(world):
    world.deploy("one", body({"A": topic(display="x"), "B": topic()}))
    made = world.change_set("one", "c", body({"A": topic(display="y"), "B": topic()}), Description="why")
    assert made["Description"] == "why"
    assert names(made) == ["A"]
    found = change(made, "A")
    assert (found["Action"], found["Replacement"], found["Scope"]) == ("Modify", "False", ["Properties"])
    assert "PolicyAction" not in found
    assert found["PhysicalResourceId"] == "a-1"
    assert json.loads(found["BeforeContext"])["Properties"] == {"DisplayName": "x"}
    assert json.loads(found["AfterContext"])["Properties"] == {"DisplayName": "y"}
    assert detail(made, "A") == {
        "Attribute": "Properties",
        "Name": "DisplayName",
        "RequiresRecreation": "Never",
        "Path": "/Properties/DisplayName",
        "BeforeValue": "x",
        "AfterValue": "y",
        "AttributeChangeType": "Modify",
        "Evaluation": "Static",
        "ChangeSource": "DirectModification",
    }


def test_without_values_a_change_names_properties_only(world):
    before, after = (
        [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "1"}],
        [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "2"}],
    )
    world.deploy("one", body({"A": topic(tags=before)}))
    made = world.change_set("one", "c", body({"A": topic(tags=after)}))
    assert [one["Target"]["Path"] for one in change(made, "A")["Details"]] == [
        "/Properties/Tags/0/Value",
        "/Properties/Tags/1/Value",
    ]
    bare = world.cf.describe_change_set(ChangeSetName=made["ChangeSetId"])
    found = bare["Changes"][0]["ResourceChange"]
    assert "BeforeContext" not in found
    assert "AfterContext" not in found
    assert found["Details"] == [
        {
            "Target": {"Attribute": "Tags", "RequiresRecreation": "Never"},
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }
    ]


@pytest.mark.parametrize(
    ("policy", "action"),
    [(None, "ReplaceAndDelete"), ("Retain", "ReplaceAndRetain"), ("Snapshot", "ReplaceAndSnapshot")],
)
def test_a_create_only_property_replaces(world, policy, action):
    attributes = {} if policy is None else {"UpdateReplacePolicy": policy}
    world.deploy("one", body({"A": topic(name="x", **attributes)}))
    made = world.change_set("one", "c", body({"A": topic(name="y", **attributes)}))
    found = change(made, "A")
    assert (found["Replacement"], found["PolicyAction"]) == ("True", action)
    assert detail(made, "A")["RequiresRecreation"] == "Always"


def test_a_conditional_property_may_replace(world):
    def cluster(engine):
        return body({"C": {"Type": "AWS::RDS::DBCluster", "Properties": {"Engine": engine}}})

    world.deploy("one", cluster("aurora"))
    made = world.change_set("one", "c", cluster("other"))
    assert change(made, "C")["Replacement"] == "Conditional"
    assert detail(made, "C")["RequiresRecreation"] == "Conditionally"
    assert json.loads(change(made, "C")["BeforeContext"])["DeletionPolicy"] == "Snapshot"
    assert world.execute(made) == "UPDATE_COMPLETE"
    assert world.memory.calls == [("create", "C"), ("update", "C")]


@pytest.mark.parametrize(
    ("policy", "action"),
    [("Delete", "Delete"), ("Retain", "Retain"), ("RetainExceptOnCreate", "Retain"), ("Snapshot", "Snapshot")],
)
def test_a_removal_tells_what_becomes_of_the_resource(world, policy, action):
    world.deploy("one", body({"A": topic(DeletionPolicy=policy), "B": topic()}))
    found = change(world.change_set("one", "c", body({"B": topic()})), "A")
    assert (found["Action"], found["PolicyAction"], found["PhysicalResourceId"]) == ("Remove", action, "a-1")
    assert json.loads(found["BeforeContext"])["DeletionPolicy"] == policy


def test_a_database_is_snapshot_by_default(world):
    resources = {
        "Cluster": {"Type": "AWS::RDS::DBCluster"},
        "Member": {"Type": "AWS::RDS::DBInstance", "Properties": {"DBClusterIdentifier": "x"}},
        "Lone": {"Type": "AWS::RDS::DBInstance"},
        "B": topic(),
    }
    world.deploy("one", body(resources))
    made = world.change_set("one", "c", body({"B": topic()}))
    assert {name: change(made, name)["PolicyAction"] for name in ("Cluster", "Member", "Lone")} == {
        "Cluster": "Snapshot",
        "Member": "Delete",
        "Lone": "Snapshot",
    }


def test_attributes_of_a_resource_are_told(world):
    world.deploy("one", body({"A": topic(Metadata={"k": "1"})}))
    after = topic(Metadata={"k": "2"}, DeletionPolicy="Retain", UpdateReplacePolicy="Retain")
    found = change(world.change_set("one", "c", body({"A": after})), "A")
    assert found["Scope"] == ["Metadata", "DeletionPolicy", "UpdateReplacePolicy"]
    assert found["Replacement"] == "False"
    paths = [(one["Target"]["Path"], one["Target"]["AttributeChangeType"]) for one in found["Details"]]
    assert paths == [("/Metadata/k", "Modify"), ("/DeletionPolicy", "Add"), ("/UpdateReplacePolicy", "Add")]


def test_stack_tags_are_told_of_every_resource_that_takes_them(world):
    resources = {"A": topic(), "P": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p"}}}
    known = {"Capabilities": ["CAPABILITY_IAM"]}
    world.deploy("one", body(resources), Tags=[{"Key": "k", "Value": "1"}], **known)
    made = world.change_set("one", "c", body(resources), Tags=[{"Key": "k", "Value": "2"}], **known)
    assert names(made) == ["A"]
    assert change(made, "A")["Scope"] == ["Tags"]
    assert (detail(made, "A")["BeforeValue"], detail(made, "A")["AfterValue"]) == ("1", "2")
    assert world.execute(made) == "UPDATE_COMPLETE"


def test_a_parameter_is_named_as_the_cause(world):
    sections = {
        "Parameters": {"P": {"Type": "String"}, "Q": {"Type": "String", "Default": "q"}},
        "Conditions": {
            "Big": {"Fn::Equals": [{"Ref": "P"}, "2"]},
            "Also": {"Fn::And": [{"Condition": "Big"}, {"Condition": "Big"}]},
        },
    }
    resources = {
        "A": topic(display={"Fn::Sub": "${P} and ${Q}"}),
        "B": topic(name={"Fn::If": ["Also", "big", "small"]}),
        "C": topic(display={"Ref": "Q"}),
    }
    world.deploy("one", body(resources, **sections), Parameters=[{"ParameterKey": "P", "ParameterValue": "1"}])
    made = world.change_set(
        "one", "c", body(resources, **sections), Parameters=[{"ParameterKey": "P", "ParameterValue": "2"}]
    )
    assert names(made) == ["A", "B"]
    found = detail(made, "A")
    assert (found["Evaluation"], found["ChangeSource"], found["CausingEntity"]) == ("Static", "ParameterReference", "P")
    assert (found["BeforeValue"], found["AfterValue"]) == ("1 and q", "2 and q")
    assert detail(made, "B")["CausingEntity"] == "P"
    assert change(made, "B")["Replacement"] == "True"


def test_a_place_below_a_function_has_the_functions_cause(world):
    sections = {"Parameters": {"P": {"Type": "String"}}}
    resources = {"A": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": {"Fn::Split": [",", {"Ref": "P"}]}}}}
    known = {"Capabilities": ["CAPABILITY_IAM"]}
    text = body(resources, **sections)
    world.deploy("one", text, Parameters=[{"ParameterKey": "P", "ParameterValue": "a,b"}], **known)
    made = world.change_set("one", "c", text, Parameters=[{"ParameterKey": "P", "ParameterValue": "a,c"}], **known)
    found = detail(made, "A")
    assert (found["Path"], found["CausingEntity"]) == ("/Properties/Roles/1", "P")


def test_references_to_what_changes_are_dynamic(world):
    resources = {
        "A": topic(name="x"),
        "ByRef": topic(display={"Ref": "A"}),
        "Anew": topic(name={"Ref": "A"}),
        "Attribute": topic(display={"Fn::Sub": "${Still}${A.TopicArn}!"}),
        "Still": topic(display="same"),
    }
    world.deploy("one", body(resources))
    made = world.change_set("one", "c", body(resources | {"A": topic(name="y")}))
    assert names(made) == ["A", "Anew", "Attribute", "ByRef"]
    found = detail(made, "ByRef")
    assert (found["Evaluation"], found["ChangeSource"], found["CausingEntity"]) == ("Dynamic", "ResourceReference", "A")
    assert found["AfterValue"] == UNKNOWN
    found = detail(made, "Attribute")
    assert (found["ChangeSource"], found["CausingEntity"]) == ("ResourceAttribute", "A.TopicArn")
    assert found["AfterValue"] == f"still-2{UNKNOWN}!"
    assert change(made, "Anew")["Replacement"] == "Conditional"
    assert change(made, "Anew")["PolicyAction"] == "ReplaceAndDelete"


def test_an_attribute_of_what_changes_in_place_may_change_its_reference_does_not(world):
    resources = {
        "A": topic(display="1"),
        "R": topic(display={"Ref": "A"}),
        "G": topic(display={"Fn::GetAtt": ["A", "TopicArn"]}),
    }
    world.deploy("one", body(resources))
    made = world.change_set("one", "c", body(resources | {"A": topic(display="2")}))
    assert names(made) == ["A", "G"]
    assert world.execute(made) == "UPDATE_COMPLETE"
    assert world.memory.calls[3:] == [("update", "A")], "what did not come to pass is not carried out"


def test_a_reference_to_what_is_new_is_direct(world):
    world.deploy("one", body({"A": topic(name="x")}))
    made = world.change_set("one", "c", body({"A": topic(name={"Ref": "N"}), "N": topic()}))
    found = detail(made, "A")
    assert (found["Evaluation"], found["ChangeSource"]) == ("Static", "DirectModification")
    assert found["AfterValue"] == UNKNOWN
    assert change(made, "A")["Replacement"] == "True"


def test_lists_are_told_place_by_place(world):
    def tags(*keys):
        return [{"Key": key, "Value": "v"} for key in keys]

    world.deploy("one", body({"A": topic(tags=tags("a", "b", "c"))}))
    found = change(world.change_set("one", "c", body({"A": topic(tags=tags("a", "x"))})), "A")
    told = [(one["Target"]["Path"], one["Target"]["AttributeChangeType"]) for one in found["Details"]]
    assert told == [("/Properties/Tags/1/Key", "Modify"), ("/Properties/Tags/2", "Remove")]
    assert found["Details"][1]["Target"]["BeforeValue"] == '{"Key":"c","Value":"v"}'
    assert "AfterValue" not in found["Details"][1]["Target"]


def test_no_change_fails_with_the_words_of_aws(world):
    text = body({"A": topic(display=1)})
    world.deploy("one", text)
    made = world.change_set("one", "c", body({"A": topic(display="1")}, Description="other"))
    assert (made["Status"], made["ExecutionStatus"], made["StatusReason"]) == ("FAILED", "UNAVAILABLE", NO_CHANGES)
    assert made["Changes"] == []


def test_outputs_alone_can_be_carried_out(world):
    world.deploy("one", body({"A": topic()}))
    made = world.change_set("one", "c", body({"A": topic()}, Outputs={"O": {"Value": {"Ref": "A"}}}))
    assert (made["Status"], made["Changes"]) == ("CREATE_COMPLETE", [])
    assert world.execute(made) == "UPDATE_COMPLETE"
    assert world.stack("one")["Outputs"] == [{"OutputKey": "O", "OutputValue": "a-1"}]


@pytest.mark.parametrize(
    "more", [{"Tags": [{"Key": "k", "Value": "2"}]}, {"Parameters": [{"ParameterKey": "P", "ParameterValue": "2"}]}]
)
def test_what_reaches_no_resource_can_still_be_carried_out(world, more):
    known = {"Capabilities": ["CAPABILITY_IAM"]}
    policy = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p"}}
    text = body({"P1": policy}, Parameters={"P": {"Type": "String", "Default": "1"}})
    world.deploy("one", text, Tags=[{"Key": "k", "Value": "1"}], **known)
    made = world.change_set("one", "c", text, **known, **more)
    assert (made["Status"], made["Changes"]) == ("CREATE_COMPLETE", [])
    assert world.execute(made) == "UPDATE_COMPLETE"
    stack = world.stack("one")
    assert (stack["Tags"][0]["Value"], stack["Parameters"][0]["ParameterValue"]).count("2") == 1


def test_an_expression_that_cannot_be_evaluated_fails_the_change_set(world):
    world.deploy("one", body({"A": topic()}))
    made = world.change_set("one", "c", body({"A": topic(display={"Fn::Select": [3, ["a"]]})}))
    assert made["Status"] == "FAILED"
    assert made["StatusReason"] == "Template error: Fn::Select cannot select nonexistent value at index 3"
    sections = {"Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/none"}}}
    made = world.change_set("two", "c", body({"A": topic()}, **sections), "CREATE")
    assert "Unable to fetch parameters [/none]" in made["StatusReason"]
    conditions = {"Conditions": {"No": {"Fn::Equals": ["a", "b"]}}}
    made = world.change_set(
        "three", "c", body({"A": topic(display={"Ref": "B"}), "B": topic(Condition="No")}, **conditions), "CREATE"
    )
    assert "Unresolved resource dependencies [B]" in made["StatusReason"]


def test_a_type_that_changes_fails_the_change_set(world):
    world.deploy("one", body({"A": topic()}))
    made = world.change_set("one", "c", body({"A": {"Type": "AWS::Logs::LogGroup"}}))
    assert "Update of resource type is not permitted" in made["StatusReason"]


def test_pages(world):
    resources = {f"T{number:03d}": topic() for number in range(150)}
    made = world.change_set("one", "c", body(resources), "CREATE")
    assert len(made["Changes"]) == 100
    rest = world.cf.describe_change_set(ChangeSetName=made["ChangeSetId"], NextToken=made["NextToken"])
    assert len(rest["Changes"]) == 50
    assert "NextToken" not in rest
    for number in range(100):
        world.change_set("one", f"c{number}", body({"A": topic()}), "CREATE")
    pages = list(world.cf.get_paginator("list_change_sets").paginate(StackName="one"))
    assert [len(page["Summaries"]) for page in pages] == [100, 1]
    assert {one["Status"] for page in pages for one in page["Summaries"]} == {"CREATE_COMPLETE"}


# --- execution and what remains --------------------------------------------------------------------------------------
def test_the_others_are_obsolete_once_one_was_carried_out(world, refusal):
    world.deploy("one", body({"A": topic()}))
    first = world.change_set("one", "first", body({"A": topic(display="1")}))
    second = world.change_set("one", "second", body({"A": topic(display="2")}))
    assert world.execute(first) == "UPDATE_COMPLETE"
    told = refusal(world.cf.execute_change_set, ChangeSetName=second["ChangeSetId"])
    assert told.startswith("InvalidChangeSetStatus")
    assert "current execution status of [OBSOLETE]" in told
    (listed,) = world.cf.list_change_sets(StackName="one")["Summaries"]
    assert (listed["ChangeSetName"], listed["ExecutionStatus"]) == ("second", "OBSOLETE")
    world.cf.delete_change_set(ChangeSetName=second["ChangeSetId"])
    assert world.cf.list_change_sets(StackName="one")["Summaries"] == []
    told = refusal(world.cf.describe_change_set, ChangeSetName=second["ChangeSetId"])
    assert told.startswith("ChangeSetNotFound: ")


def test_a_direct_update_makes_change_sets_obsolete_too(world):
    world.deploy("one", body({"A": topic()}))
    made = world.change_set("one", "first", body({"A": topic(display="1")}))
    world.deploy("one", body({"A": topic(display="2")}))
    described = world.cf.describe_change_set(ChangeSetName=made["ChangeSetId"])
    assert described["ExecutionStatus"] == "OBSOLETE"


def test_what_was_carried_out_cannot_be_deleted_or_carried_out_again(world, refusal):
    made = world.change_set("one", "first", body({"A": topic()}), "CREATE")
    world.execute(made)
    assert "[EXECUTE_COMPLETE]" in refusal(world.cf.delete_change_set, ChangeSetName=made["ChangeSetId"])
    assert "[EXECUTE_COMPLETE]" in refusal(world.cf.execute_change_set, ChangeSetName=made["ChangeSetId"])


def test_a_name_is_looked_for_in_its_stack(world):
    for stack in ("one", "two"):
        for name in ("a", "b"):
            world.change_set(stack, name, body({"A": topic()}), "CREATE")
    found = world.cf.describe_change_set(ChangeSetName="a", StackName="one")
    assert (found["StackName"], found["ChangeSetName"]) == ("one", "a")


def test_deleting_what_is_not_there_is_no_error(world, refusal):
    world.deploy("one", body({"A": topic()}))
    world.cf.delete_change_set(ChangeSetName="none", StackName="one")
    assert refusal(world.cf.describe_change_set, ChangeSetName="none", StackName="one").startswith("ChangeSetNotFound")
    assert "StackName must be specified" in refusal(world.cf.delete_change_set, ChangeSetName="none")
    assert "StackName must be specified" in refusal(world.cf.describe_change_set, ChangeSetName="none")


def test_an_execution_that_fails_is_told(world):
    world.fault("one/A", "create")
    made = world.change_set("one", "first", body({"A": topic()}), "CREATE")
    assert world.execute(made) == "ROLLBACK_COMPLETE"
    assert world.cf.describe_change_set(ChangeSetName=made["ChangeSetId"])["ExecutionStatus"] == "EXECUTE_FAILED"


@pytest.mark.parametrize(
    ("option", "create", "update"),
    [
        ("ROLLBACK", "ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"),
        ("DO_NOTHING", "CREATE_FAILED", "UPDATE_FAILED"),
        ("DELETE", "DELETE_COMPLETE", None),
    ],
)
def test_on_stack_failure(world, refusal, option, create, update):
    world.fault("one/A", "create")
    made = world.change_set("one", "first", body({"A": topic()}), "CREATE", OnStackFailure=option)
    assert made["OnStackFailure"] == option
    told = refusal(world.cf.execute_change_set, ChangeSetName=made["ChangeSetId"], DisableRollback=True)
    assert "cannot be specified" in told
    assert world.execute(made) == create
    if update is not None:
        world.deploy("two", body({"A": topic()}))
        world.fault("two/A", "update")
        changed = world.change_set("two", "c", body({"A": topic(display="x")}), OnStackFailure=option)
        assert world.execute(changed) == update


def test_a_stack_that_moved_on_refuses_the_execution(world, refusal):
    world.deploy("one", body({"A": topic()}))
    made = world.change_set("one", "c", body({"A": topic(display="x")}))
    world.fault("one/A", "delete")
    world.cf.delete_stack(StackName="one")
    assert world.settled("one") == "DELETE_FAILED"
    told = refusal(world.cf.execute_change_set, ChangeSetName=made["ChangeSetId"])
    assert "is in DELETE_FAILED state and can not be updated" in told


# --- nested stacks ---------------------------------------------------------------------------------------------------
def nested(url, **parameters):
    return {"Type": NESTED, "Properties": {"TemplateURL": url, "Parameters": parameters}}


class Tree:
    """Base makes an id; User takes it, into a property that replaces; Lone stands apart."""

    def __init__(self, world):
        self.world = world
        self.count = 0

    def body(self, base="1", lone="1", user=None, **root):
        self.count += 1
        put = self.world.put
        made = put(f"base{self.count}-{base}", {"A": topic(display=base)}, Outputs={"Id": {"Value": {"Ref": "A"}}})
        resources = {"U": topic(name={"Ref": "Id"}), "V": topic()} if user is None else user
        used = put(f"user{self.count}", resources, Parameters={"Id": {"Type": "String"}})
        alone = put(f"lone{self.count}", {"L": topic(display=lone)})
        parts = {
            "Base": nested(made),
            "User": nested(used, Id={"Fn::GetAtt": ["Base", "Outputs.Id"]}),
            "Lone": nested(alone),
        }
        return body(parts | root)


def below(world, described, name):
    return world.cf.describe_change_set(
        ChangeSetName=change(described, name)["ChangeSetId"], IncludePropertyValues=True
    )


def test_a_change_set_of_a_new_tree(world, refusal):
    made = world.change_set("one", "first", Tree(world).body(), "CREATE", IncludeNestedStacks=True)
    assert made["Status"] == "CREATE_COMPLETE"
    assert made["IncludeNestedStacks"]
    child = below(world, made, "User")
    assert (child["Status"], child["StatusReason"]) == ("CREATE_COMPLETE", ONLY_ROOT)
    assert child["ExecutionStatus"] == "UNAVAILABLE"
    assert (child["ParentChangeSetId"], child["RootChangeSetId"]) == (made["ChangeSetId"], made["ChangeSetId"])
    assert names(child) == ["U", "V"]
    assert json.loads(change(child, "U")["AfterContext"])["Properties"] == {"TopicName": UNKNOWN}
    shell = world.stack(child["StackId"])
    assert shell["StackName"].startswith("one-User-")
    assert (shell["StackStatus"], shell["ParentId"], shell["RootId"]) == (
        "REVIEW_IN_PROGRESS",
        made["StackId"],
        made["StackId"],
    )
    told = refusal(world.cf.execute_change_set, ChangeSetName=child["ChangeSetId"])
    assert told.startswith("InvalidChangeSetStatus")
    assert ONLY_ROOT in told
    assert "only be deleted from the root" in refusal(world.cf.delete_change_set, ChangeSetName=child["ChangeSetId"])
    assert world.execute(made) == "CREATE_COMPLETE"
    assert world.nested("one", "User")["StackId"] == child["StackId"]
    assert world.stack(child["StackId"])["ChangeSetId"] == child["ChangeSetId"]
    done = world.cf.describe_change_set(ChangeSetName=child["ChangeSetId"])
    assert done["ExecutionStatus"] == "EXECUTE_COMPLETE"


def test_the_template_that_was_reviewed_is_the_one_that_is_made(world):
    made = world.change_set("one", "first", Tree(world).body(), "CREATE", IncludeNestedStacks=True)
    world.objects.clear()
    assert world.execute(made) == "CREATE_COMPLETE"


def test_a_deleted_change_set_takes_its_shells_along(world):
    made = world.change_set("one", "first", Tree(world).body(), "CREATE", IncludeNestedStacks=True)
    shell = below(world, made, "User")["StackId"]
    world.cf.delete_change_set(ChangeSetName=made["ChangeSetId"])
    assert world.stack(shell)["StackStatus"] == "DELETE_COMPLETE"
    assert world.stack("one")["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert [one["StackName"] for one in world.cf.describe_stacks()["Stacks"]] == ["one"]


def test_a_shell_that_was_deleted_before_is_left_alone(world):
    made = world.change_set("one", "first", Tree(world).body(), "CREATE", IncludeNestedStacks=True)
    shell = below(world, made, "User")["StackId"]
    world.cf.delete_stack(StackName=shell)
    assert world.settled(shell) == "DELETE_COMPLETE"
    count = len(world.events(shell))
    world.cf.delete_change_set(ChangeSetName=made["ChangeSetId"])
    assert len(world.events(shell)) == count


def test_a_deleted_shell_takes_those_below_along(world):
    made = world.change_set("one", "first", Tree(world).body(), "CREATE", IncludeNestedStacks=True)
    world.cf.delete_stack(StackName="one")
    assert world.settled(made["StackId"]) == "DELETE_COMPLETE"
    assert world.cf.describe_stacks()["Stacks"] == []


def test_unchanged_nested_stacks_fail_changed_ones_do_not(world):
    tree = Tree(world)
    world.deploy("one", tree.body())
    made = world.change_set("one", "c", tree.body(lone="2"), IncludeNestedStacks=True)
    assert made["Status"] == "CREATE_COMPLETE"
    assert names(made) == ["Base", "Lone", "User"]
    base = below(world, made, "Base")
    assert (base["Status"], base["StatusReason"]) == ("FAILED", NO_CHANGES)
    assert names(below(world, made, "Lone")) == ["L"]
    assert (change(made, "Lone")["Replacement"], change(made, "Lone")["Action"]) == ("False", "Modify")
    automatic = [one for one in change(made, "Base")["Details"] if one["ChangeSource"] == "Automatic"]
    assert automatic == [
        {
            "Target": {"Attribute": "Properties", "RequiresRecreation": "Never"},
            "Evaluation": "Dynamic",
            "ChangeSource": "Automatic",
        }
    ]


def test_values_of_siblings_are_not_known_and_raise_false_alarms(world):
    tree = Tree(world)
    world.deploy("one", tree.body())
    made = world.change_set("one", "c", tree.body(lone="2"), IncludeNestedStacks=True)
    causes = {one.get("CausingEntity") for one in change(made, "User")["Details"]}
    assert "Base.Outputs.Id" in causes
    child = below(world, made, "User")
    assert child["Status"] == "CREATE_COMPLETE"
    assert {p["ParameterKey"]: p["ParameterValue"] for p in child["Parameters"]} == {"Id": UNKNOWN}
    assert names(child) == ["U"]
    found = detail(child, "U")
    assert change(child, "U")["Replacement"] == "Conditional"
    assert (found["Evaluation"], found["ChangeSource"], found["CausingEntity"]) == (
        "Dynamic",
        "ParameterReference",
        "Id",
    )
    world.memory.calls.clear()
    assert world.execute(made) == "UPDATE_COMPLETE"
    assert world.memory.calls == [("update", "L")], "nothing is replaced after all"


def test_a_list_that_is_not_known_fails_the_nested_change_set(world):
    tree = Tree(world)
    chosen = {"U": topic(display={"Fn::Select": [1, {"Fn::Split": ["-", {"Ref": "Id"}]}]})}
    world.deploy("one", tree.body(user=chosen))
    made = world.change_set("one", "c", tree.body(user=chosen), IncludeNestedStacks=True)
    child = below(world, made, "User")
    assert (made["Status"], made["StatusReason"]) == (
        "FAILED",
        f"Nested change set {child['ChangeSetId']} was not successfully created: Currently in FAILED.",
    )
    assert "Fn::Select cannot select nonexistent value at index 1" in child["StatusReason"]


def test_a_tree_without_any_change_fails_as_a_whole(world):
    text = body({"Lone": nested(world.put("lone", {"L": topic()}))})
    world.deploy("one", text)
    made = world.change_set("one", "c", text, IncludeNestedStacks=True)
    assert (made["Status"], made["StatusReason"]) == ("FAILED", NO_CHANGES)
    apart = world.change_set("one", "d", text)
    assert apart["Status"] == "CREATE_COMPLETE", "without its nested stacks a change set cannot tell"
    assert "ChangeSetId" not in change(apart, "Lone")


def test_a_nested_template_that_does_not_stand_fails_the_tree(world):
    text = body({"Lone": nested(world.put("lone", {"L": topic()}))})
    world.deploy("one", text)
    world.put("lone", {"L": {"Type": "AWS::Nowhere::Thing"}})
    made = world.change_set("one", "c", text, IncludeNestedStacks=True)
    assert "was not successfully created: Currently in FAILED" in made["StatusReason"]
    assert "Unrecognized resource types" in below(world, made, "Lone")["StatusReason"]
    made = world.change_set("two", "c", text, "CREATE", IncludeNestedStacks=True)
    assert "Unrecognized resource types" in below(world, made, "Lone")["StatusReason"]


def test_of_two_nested_failures_the_first_is_named(world):
    bad = world.put("bad", {"L": {"Type": "AWS::Nowhere::Thing"}})
    made = world.change_set("one", "c", body({"X": nested(bad), "Y": nested(bad)}), "CREATE", IncludeNestedStacks=True)
    assert change(made, "X")["ChangeSetId"] in made["StatusReason"]
    assert below(world, made, "Y")["Status"] == "FAILED"


def test_leftovers_of_nested_stacks_pile_up_until_they_are_too_many(world, refusal, monkeypatch):
    tree = Tree(world)
    world.deploy("one", tree.body())
    base = world.nested("one", "Base")["StackId"]
    for number in range(3):
        assert (
            world.execute(world.change_set("one", f"c{number}", tree.body(lone=f"x{number}"), IncludeNestedStacks=True))
            == "UPDATE_COMPLETE"
        )
    left = world.cf.list_change_sets(StackName=base)["Summaries"]
    assert [one["Status"] for one in left] == ["FAILED"] * 3
    assert "only be deleted from the root" in refusal(world.cf.delete_change_set, ChangeSetName=left[0]["ChangeSetId"])
    monkeypatch.setattr("localaws.quotas.CHANGE_SETS", 3)
    made = world.change_set("one", "last", tree.body(lone="y"), IncludeNestedStacks=True)
    assert made["StatusReason"] == f"ChangeSet limit exceeded for stack {base}"


def test_nested_stacks_that_come_and_go(world):
    tree = Tree(world)
    world.deploy("one", body({"Lone": nested(world.put("lone", {"L": topic()})), "T": topic()}))
    made = world.change_set("one", "c", tree.body(), IncludeNestedStacks=True)
    assert [change(made, name)["Action"] for name in names(made)] == ["Add", "Modify", "Remove", "Add"]
    assert "ChangeSetId" not in change(made, "T")
    assert world.execute(made) == "UPDATE_COMPLETE"
    gone = world.change_set("one", "d", body({"T": topic()}), IncludeNestedStacks=True)
    assert change(gone, "User")["PolicyAction"] == "Delete"
    assert world.execute(gone) == "UPDATE_COMPLETE"
    assert [one["StackName"] for one in world.cf.describe_stacks()["Stacks"]] == ["one"]


def test_trees_of_three_storeys(world):
    low = world.put("low", {"L": topic(display="1")}, Outputs={"Id": {"Value": {"Ref": "L"}}})
    high = world.put("low2", {"L": topic(display="2")}, Outputs={"Id": {"Value": {"Ref": "L"}}})
    made = world.change_set(
        "one", "c", body({"Mid": nested(world.put("mid", {"Low": nested(low)}))}), "CREATE", IncludeNestedStacks=True
    )
    lowest = below(world, below(world, made, "Mid"), "Low")
    assert (lowest["RootChangeSetId"], lowest["ParentChangeSetId"]) == (
        made["ChangeSetId"],
        change(made, "Mid")["ChangeSetId"],
    )
    assert world.execute(made) == "CREATE_COMPLETE"
    middle = world.nested("one", "Mid")
    assert world.nested(middle["StackId"], "Low")["RootId"] == world.stack("one")["StackId"]
    assert world.deploy("one", body({"Mid": nested(world.put("mid", {"Low": nested(high)}))})) == "UPDATE_COMPLETE"
    assert world.memory.things["l-1"] == {"DisplayName": "2"}
    world.put("low2", {"L": topic(display="3")})
    assert world.deploy("one", body({"Mid": nested(world.put("mid", {"Low": nested(high)}))})) == "UPDATE_COMPLETE"
    assert world.memory.things["l-1"] == {"DisplayName": "3"}, "a template may change behind its address"
    world.cf.delete_stack(StackName="one")
    assert world.settled(made["StackId"]) == "DELETE_COMPLETE"
    assert world.memory.things == {}


# --- early validation ------------------------------------------------------------------------------------------------
def validations(world, made, **more):
    found = world.cf.describe_events(ChangeSetName=made["ChangeSetId"], **more)["OperationEvents"]
    return [(one["LogicalResourceId"], one["ValidationName"], one["ValidationFailureMode"]) for one in found]


def test_an_unknown_property_fails_and_is_named(world):
    made = world.change_set("one", "c", body({"A": {"Type": TOPIC, "Properties": {"Nope": 1}}}), "CREATE")
    assert made["Status"] == "FAILED"
    assert made["StatusReason"] == (
        "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]. To troubleshoot Early "
        "Validation errors, use the DescribeEvents API for detailed failure information."
    )
    (event,) = world.cf.describe_events(ChangeSetName="c", StackName="one", Filters={"FailedEvents": True})[
        "OperationEvents"
    ]
    assert event["EventType"] == "VALIDATION_ERROR"
    assert (event["DetailedStatus"], event["ValidationStatus"]) == ("VALIDATION_FAILED", "FAILED")
    assert event["ValidationPath"] == "/Resources/A/Properties/Nope"
    assert "[Nope]" in event["ValidationStatusReason"]
    assert world.cf.describe_events(OperationId=event["OperationId"])["OperationEvents"] == [event]
    unchecked = world.change_set(
        "one", "d", body({"A": {"Type": TOPIC, "Properties": {"Nope": 1}}}), "CREATE", DisableValidation=True
    )
    assert unchecked["Status"] == "CREATE_COMPLETE"


def test_a_name_that_is_taken_fails(world):
    world.memory.things["taken"] = {}
    world.unknown.add("AWS::Lambda::Function")

    def bucket(name):
        return body({"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}, "C": topic()})

    made = world.change_set("one", "c", bucket("taken"), "CREATE")
    assert "AWS::EarlyValidation::ResourceExistenceCheck" in made["StatusReason"]
    assert validations(world, made) == [("B", "AWS::EarlyValidation::ResourceExistenceCheck", "FAIL")]
    assert world.change_set("one", "d", bucket("free"), "CREATE")["Status"] == "CREATE_COMPLETE"
    unknown = world.change_set("one", "e", bucket({"Fn::Sub": "x-${C}"}), "CREATE")
    assert unknown["Status"] == "CREATE_COMPLETE"


def test_a_service_that_will_not_tell_does_not_fail_the_change_set(world):
    from localaws.providers.base import ProviderError

    def refuse(operation, logical_id):
        raise ProviderError("denied")

    world.memory.before = refuse
    made = world.change_set(
        "one", "c", body({"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "x"}}}), "CREATE"
    )
    assert made["Status"] == "CREATE_COMPLETE"


@pytest.mark.parametrize(("name", "warned"), [("full", True), ("empty", False), ("closed", False)])
def test_a_bucket_that_goes_and_is_not_empty_is_warned_of(world, name, warned):
    world.clients.filled.add("full")
    world.deploy("one", body({"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}, "A": topic()}))
    made = world.change_set("one", "c", body({"A": topic()}))
    assert made["Status"] == "CREATE_COMPLETE"
    expected = [("B", "AWS::EarlyValidation::S3BucketEmptinessCheck", "WARN")] if warned else []
    assert validations(world, made) == expected


def test_validation_can_be_injected(world):
    world.fault("one/A", "warn", "close to a quota")
    made = world.change_set("one", "c", body({"A": topic()}), "CREATE")
    assert made["Status"] == "CREATE_COMPLETE"
    assert validations(world, made) == [("A", "AWS::EarlyValidation::ServiceQuotaCheck", "WARN")]
    world.fault("one/A", "validate", "wrong")
    failed = world.change_set("one", "d", body({"A": topic()}), "CREATE")
    assert failed["Status"] == "FAILED"
    assert validations(world, failed) == [("A", "AWS::EarlyValidation::PropertyValidation", "FAIL")]


def test_the_types_whose_names_are_looked_up_have_that_property():
    from localaws.early_validation import named_types_are_known

    assert named_types_are_known()
