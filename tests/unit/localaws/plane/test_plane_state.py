"""Saving and restoring the state; faults; the clock."""

from __future__ import annotations

import json
import pickle
import threading
import time

import pytest

from localaws.api_errors import ApiError
from localaws.clock import Clock

TOPIC = "AWS::SNS::Topic"


def body(resources, **sections):
    return json.dumps({"Resources": resources, **sections})


def topic(name=None, display=None, **attributes):
    properties = {"TopicName": name, "DisplayName": display}
    return {"Type": TOPIC, "Properties": {k: v for k, v in properties.items() if v is not None}, **attributes}


def restart(world, at=None):
    """Take the state as it stands when an operation on `at` is under way, and go on with it in a new plane."""
    dumped = []
    if at is not None:
        operation, logical_id = at

        def save(*asked):
            if asked == (operation, logical_id) and not dumped:
                dumped.append(world.plane.dump())

        world.memory.before = save
        return dumped
    return [world.plane.dump()]


def resume(world, dumped):
    world.memory.before = lambda *_: None
    world.restarted().load(dumped[0])


def test_a_settled_account_survives(world):
    world.deploy("one", body({"A": topic()}, Outputs={"O": {"Value": {"Ref": "A"}}}))
    made = world.change_set("one", "c", body({"A": topic(display="x")}))
    world.cf.detect_stack_drift(StackName="one")
    world.plane.settle()
    before = (
        world.stack("one"),
        world.events("one"),
        world.cf.describe_stack_resource_drifts(StackName="one")["StackResourceDrifts"],
    )
    resume(world, restart(world))
    after = (
        world.stack("one"),
        world.events("one"),
        world.cf.describe_stack_resource_drifts(StackName="one")["StackResourceDrifts"],
    )
    assert after == before
    assert world.execute(made) == "UPDATE_COMPLETE"


def test_a_creation_that_was_cut_off_is_rolled_back(world):
    child = world.put("child", {"A": topic(), "B": topic(DependsOn="A")})
    dumped = restart(world, ("create", "B"))
    text = body({"T": topic(), "Child": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": child}}})
    made = world.change_set("one", "c", text, "CREATE", IncludeNestedStacks=True)
    world.execute(made)
    resume(world, dumped)
    assert world.settled("one") == "ROLLBACK_COMPLETE"
    assert list(world.memory.things) == ["b-3"], "what was being made when the state was saved is not in it"
    assert "stopped during this operation" in world.reason("one", "Child", "CREATE_FAILED")
    assert world.cf.describe_change_set(ChangeSetName=made["ChangeSetId"])["ExecutionStatus"] == "EXECUTE_FAILED"
    assert [one["StackName"] for one in world.cf.describe_stacks()["Stacks"]] == ["one"]


def test_a_rollback_that_was_cut_off_goes_on(world):
    world.fault("one/B", "create")
    dumped = restart(world, ("delete", "A"))
    world.deploy("one", body({"A": topic(), "B": topic(DependsOn="A")}))
    resume(world, dumped)
    assert world.settled("one") == "ROLLBACK_COMPLETE"


@pytest.mark.parametrize("at", [("update", "A"), ("create", "N"), ("create", "R")])
def test_an_update_that_was_cut_off_is_rolled_back(world, at):
    world.deploy("one", body({"A": topic(display="1"), "R": topic(name="x")}))
    dumped = restart(world, at)
    world.deploy("one", body({"A": topic(display="2"), "N": topic(), "R": topic(name="y")}))
    resume(world, dumped)
    assert world.settled("one") == "UPDATE_ROLLBACK_COMPLETE"
    assert world.memory.things["a-1"] == {"DisplayName": "1"}
    listed = world.cf.describe_stack_resources(StackName="one")["StackResources"]
    assert {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed} == {"A": "a-1", "R": "r-2"}


def test_a_cleanup_and_a_deletion_that_were_cut_off_go_on(world):
    world.deploy("one", body({"A": topic(), "B": topic()}))
    dumped = restart(world, ("delete", "A"))
    world.deploy("one", body({"B": topic()}))
    resume(world, dumped)
    assert world.settled("one") == "UPDATE_COMPLETE"
    stack_id = world.stack("one")["StackId"]
    dumped = restart(world, ("delete", "B"))
    world.cf.delete_stack(StackName="one")
    world.plane.settle()
    resume(world, dumped)
    assert world.settled(stack_id) == "DELETE_COMPLETE"
    assert world.memory.things == {}


def test_an_update_rollback_that_was_cut_off_goes_on(world):
    world.deploy("one", body({"A": topic(display="1"), "B": topic(display="1", DependsOn="A")}))
    world.fault("one/B", "update")
    seen = []

    def save(operation, logical_id):
        if (operation, logical_id) == ("update", "A"):
            seen.append(world.plane.dump())

    world.memory.before = save
    world.deploy("one", body({"A": topic(display="2"), "B": topic(display="2", DependsOn="A")}))
    resume(world, seen[1:])
    assert world.settled("one") == "UPDATE_ROLLBACK_COMPLETE"
    assert world.memory.things["a-1"] == {"DisplayName": "1"}


def test_change_sets_and_detections_that_were_cut_off_fail(world):
    world.deploy("one", body({"A": topic()}))
    held = threading.Event()
    world.memory.before = lambda operation, name: held.wait(10)
    detection = world.cf.detect_stack_drift(StackName="one")
    sleep = world.clock.sleep
    world.clock.sleep = lambda seconds: held.wait(10)
    made = world.cf.create_change_set(StackName="one", ChangeSetName="c", TemplateBody=body({"A": topic(display="x")}))
    dumped = world.plane.dump()
    held.set()
    world.plane.settle()
    world.clock.sleep = sleep
    resume(world, [dumped])
    described = world.cf.describe_change_set(ChangeSetName=made["Id"])
    assert (described["Status"], described["StatusReason"]) == (
        "FAILED",
        "The embedded AWS stopped while it made this change set.",
    )
    status = world.cf.describe_stack_drift_detection_status(StackDriftDetectionId=detection["StackDriftDetectionId"])
    assert status["DetectionStatus"] == "DETECTION_FAILED"


def test_only_a_state_is_loaded(world):
    with pytest.raises(TypeError, match="not a state"):
        world.plane.load(pickle.dumps({}))


# --- faults ----------------------------------------------------------------------------------------------------------
def test_faults_strike_by_address_as_often_as_they_are_set(world):
    answer = world.plane.inject({"add": [{"address": "one/A", "operation": "create"}]})
    assert answer == {"faults": [{"address": "one/A", "operation": "create", "message": "Injected fault", "times": 1}]}
    assert world.deploy("two", body({"A": topic()})) == "CREATE_COMPLETE"
    assert world.deploy("one", body({"A": topic()})) == "ROLLBACK_COMPLETE"
    assert world.plane.inject({}) == {"faults": []}
    world.fault("two/A", "update", times=None)
    assert world.deploy("two", body({"A": topic(display="x")})) == "UPDATE_ROLLBACK_FAILED"
    assert len(world.plane.inject({})["faults"]) == 1
    assert world.plane.inject({"clear": True}) == {"faults": []}


def test_a_nested_resource_is_addressed_by_logical_ids_or_by_its_stack(world):
    child = world.put("child", {"A": topic()})
    text = body({"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": child}}})
    for address in ("Child/A", "one/Child/A"):
        world.fault(address, "create")
        made = world.cf.create_stack(StackName="one", TemplateBody=text)
        assert world.settled(made["StackId"]) == "ROLLBACK_COMPLETE", address
        world.cf.delete_stack(StackName="one")
        world.plane.settle()
    assert world.deploy("one", text) == "CREATE_COMPLETE"
    world.fault(f"{world.nested('one', 'Child')['StackName']}/A", "delete")
    world.cf.delete_stack(StackName="one")
    assert world.settled("one") == "DELETE_FAILED"


@pytest.mark.parametrize(
    "wrong", [{}, {"address": "a"}, {"address": "a", "operation": "x"}, {"address": "a", "operation": "create", "n": 1}]
)
def test_a_malformed_fault_is_refused(world, wrong):
    with pytest.raises(ApiError, match="A fault is"):
        world.plane.inject({"add": [wrong]})


# --- the clock -------------------------------------------------------------------------------------------------------
def test_simulated_time_goes_on_only_by_sleeping():
    clock = Clock(simulated=True)
    start = clock.now()
    clock.sleep(3600)
    clock.sleep(-1)
    assert (clock.now() - start).total_seconds() == 3600


def test_real_time_is_real(monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    clock = Clock()
    clock.sleep(2)
    clock.sleep(0)
    assert slept == [2]
    assert clock.now() <= clock.now()


# --- many threads ----------------------------------------------------------------------------------------------------
def test_lists_are_copies_as_other_operations_make_more_meanwhile(world):
    world.change_set("one", "first", body({"A": topic()}), "CREATE")
    core = world.plane._core
    (stack,) = core.stacks()
    for number, one in enumerate(core.stacks()):
        core.state.stacks[f"new-{number}"] = one
    for number, one in enumerate(core.change_sets(stack)):
        core.state.change_sets[f"new-{number}"] = one
    assert len(core.stacks()) == len(core.change_sets(stack)) == 2
