"""Drift detection."""

from __future__ import annotations

import json
import threading

from localaws.providers.base import ProviderError

TOPIC = "AWS::SNS::Topic"


def body(resources, **sections):
    return json.dumps({"Resources": resources, **sections})


def topic(**properties):
    return {"Type": TOPIC, "Properties": properties}


def detect(world, name="one", **more):
    made = world.cf.detect_stack_drift(StackName=name, **more)
    assert world.plane.settle(10)
    return world.cf.describe_stack_drift_detection_status(StackDriftDetectionId=made["StackDriftDetectionId"])


def drifts(world, **more):
    found = world.cf.describe_stack_resource_drifts(StackName="one", **more)["StackResourceDrifts"]
    return {one["LogicalResourceId"]: one for one in found}


def test_what_is_as_it_was_made_is_in_sync(world):
    world.deploy(
        "one", body({"A": topic(DisplayName=1, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])})
    )
    world.memory.things["a-1"]["Tags"].reverse()
    world.memory.things["a-1"] |= {"DisplayName": "1", "Policy": "of the service"}
    status = detect(world)
    assert (status["DetectionStatus"], status["StackDriftStatus"]) == ("DETECTION_COMPLETE", "IN_SYNC")
    assert status["DriftedStackResourceCount"] == 0
    assert drifts(world)["A"]["StackResourceDriftStatus"] == "IN_SYNC"
    assert world.stack("one")["DriftInformation"]["StackDriftStatus"] == "IN_SYNC"


def test_what_was_changed_behind_is_told_place_by_place(world):
    world.deploy(
        "one", body({"A": topic(DisplayName="x", Tags=[{"Key": "a", "Value": "1"}]), "B": topic(), "C": topic()})
    )
    world.memory.things["a-1"] |= {"DisplayName": "y", "Tags": [{"Key": "a", "Value": "1"}, {"Key": "z", "Value": "9"}]}
    del world.memory.things["b-2"]
    status = detect(world)
    assert (status["StackDriftStatus"], status["DriftedStackResourceCount"]) == ("DRIFTED", 2)
    found = drifts(world)
    assert found["A"]["PropertyDifferences"] == [
        {"PropertyPath": "/DisplayName", "ExpectedValue": "x", "ActualValue": "y", "DifferenceType": "NOT_EQUAL"},
        {
            "PropertyPath": "/Tags/1",
            "ExpectedValue": "null",
            "ActualValue": '{"Key":"z","Value":"9"}',
            "DifferenceType": "ADD",
        },
    ]
    assert json.loads(found["A"]["ActualProperties"])["DisplayName"] == "y"
    assert found["B"]["StackResourceDriftStatus"] == "DELETED"
    assert list(drifts(world, StackResourceDriftStatusFilters=["IN_SYNC"])) == ["C"]
    assert len(drifts(world, MaxResults=1)) == 1
    detail = world.cf.describe_stack_resource(StackName="one", LogicalResourceId="A")["StackResourceDetail"]
    assert detail["DriftInformation"]["StackResourceDriftStatus"] == "MODIFIED"
    world.memory.things["a-1"]["Tags"] = []
    assert detect(world, LogicalResourceIds=["A"])["DriftedStackResourceCount"] == 1
    assert drifts(world)["A"]["PropertyDifferences"][1]["DifferenceType"] == "REMOVE"
    assert drifts(world)["B"]["StackResourceDriftStatus"] == "DELETED", "what was not asked for stays as it was found"


def test_what_a_service_never_tells_is_no_drift(world):
    world.clients.values["/p"] = "1"
    resources = {
        "S": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"SecretString": "x", "Description": "{{resolve:ssm:/p}}"},
        },
        "F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "x"}}},
        "Child": {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateURL": world.put("child", {"A": topic()})},
        },
    }
    world.deploy("one", body(resources))
    world.memory.things["s-1"] = {"SecretString": "other", "Description": "1"}
    world.memory.things["f-2"] = {"Code": {"ZipFile": "other"}}
    assert detect(world)["StackDriftStatus"] == "IN_SYNC"
    assert sorted(drifts(world)) == ["F", "S"], "a nested stack has a detection of its own"


def test_a_service_that_refuses_fails_the_detection(world, refusal):
    world.deploy("one", body({"A": topic(), "B": topic()}))

    def refuse(operation, logical_id):
        if logical_id == "A":
            raise ProviderError("not now")

    world.memory.before = refuse
    status = detect(world)
    assert status["DetectionStatus"] == "DETECTION_FAILED"
    assert status["DetectionStatusReason"].startswith('A: Resource handler returned message: "not now"')
    assert list(drifts(world)) == ["B"]
    told = refusal(
        world.cf.describe_stack_drift_detection_status, StackDriftDetectionId="00000000-0000-0000-0000-000000000000"
    )
    assert "does not exist" in told


def test_a_stack_that_is_not_settled_cannot_be_asked(world, refusal):
    world.change_set("one", "c", body({"A": topic()}), "CREATE")
    assert "REVIEW_IN_PROGRESS" in refusal(world.cf.detect_stack_drift, StackName="one")


def test_a_detection_under_way_knows_nothing_yet(world):
    world.deploy("one", body({"A": topic()}))
    held = threading.Event()
    world.memory.before = lambda operation, name: held.wait(10)
    made = world.cf.detect_stack_drift(StackName="one")
    status = world.cf.describe_stack_drift_detection_status(StackDriftDetectionId=made["StackDriftDetectionId"])
    assert status["DetectionStatus"] == "DETECTION_IN_PROGRESS"
    assert "StackDriftStatus" not in status
    held.set()


def test_an_update_may_drop_what_a_detection_is_reading(world):
    world.deploy("one", body({"A": topic(), "B": topic()}))
    held = threading.Event()
    world.memory.before = lambda operation, name: held.wait(60) if operation == "read" else None
    made = world.cf.detect_stack_drift(StackName="one")
    world.cf.update_stack(StackName="one", TemplateBody=body({"B": topic()}))
    while world.stack("one")["StackStatus"] != "UPDATE_COMPLETE":
        pass
    held.set()
    assert world.plane.settle(60)
    status = world.cf.describe_stack_drift_detection_status(StackDriftDetectionId=made["StackDriftDetectionId"])
    assert status["DetectionStatus"] == "DETECTION_COMPLETE"
