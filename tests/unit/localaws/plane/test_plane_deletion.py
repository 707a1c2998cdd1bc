"""Deleting stacks: order, policies, protection, failure and force."""

from __future__ import annotations

import json

import pytest

TOPIC = "AWS::SNS::Topic"
NESTED = "AWS::CloudFormation::Stack"


def body(resources, **sections):
    return json.dumps({"Resources": resources, **sections})


def topic(of=None, **attributes):
    properties = {} if of is None else {"Properties": {"DisplayName": {"Ref": of}}}
    return {"Type": TOPIC, **properties, **attributes}


def deleted(world):
    return [name for operation, name in world.memory.calls if operation == "delete"]


def delete(world, name="one", **more):
    stack_id = world.stack(name)["StackId"]
    world.cf.delete_stack(StackName=name, **more)
    return world.settled(stack_id)


def test_dependents_go_first(world):
    world.deploy("one", body({"A": topic(), "B": topic("A"), "C": topic("B")}))
    stack_id = world.stack("one")["StackId"]
    assert delete(world) == "DELETE_COMPLETE"
    assert deleted(world) == ["C", "B", "A"]
    assert world.events(stack_id)[-3:] == ["A DELETE_IN_PROGRESS", "A DELETE_COMPLETE", "one DELETE_COMPLETE"]
    gone = world.stack(stack_id)
    assert "DeletionTime" in gone
    listed = world.cf.list_stack_resources(StackName=stack_id)["StackResourceSummaries"]
    assert {one["ResourceStatus"] for one in listed} == {"DELETE_COMPLETE"}


def test_a_deleted_stack_is_found_by_its_id_alone_and_its_name_is_free(world, refusal):
    world.deploy("one", body({"A": topic()}))
    delete(world)
    told = refusal(world.cf.describe_stacks, StackName="one")
    assert told == "ValidationError: Stack with id one does not exist"
    assert world.deploy("one", body({"A": topic()})) == "CREATE_COMPLETE"


def test_deleting_what_is_not_there_is_no_error(world):
    world.cf.delete_stack(StackName="none")
    world.deploy("one", body({"A": topic()}))
    stack_id = world.stack("one")["StackId"]
    delete(world)
    count = len(world.events(stack_id))
    world.cf.delete_stack(StackName=stack_id)
    world.plane.settle()
    assert len(world.events(stack_id)) == count


@pytest.mark.parametrize(
    ("policy", "kept"), [("Retain", True), ("RetainExceptOnCreate", True), ("Snapshot", False), ("Delete", False)]
)
def test_deletion_policies(world, policy, kept):
    world.deploy("one", body({"A": topic(DeletionPolicy=policy)}))
    stack_id = world.stack("one")["StackId"]
    assert delete(world) == "DELETE_COMPLETE"
    assert bool(world.memory.things) == kept
    assert ("A DELETE_SKIPPED" in world.events(stack_id)) == kept
    assert bool(world.plane._core.state.stacks[stack_id].snapshots) == (policy == "Snapshot")


def test_termination_protection_is_enforced(world, refusal):
    child = world.put("child", {"A": topic()})
    world.deploy(
        "one", body({"Child": {"Type": NESTED, "Properties": {"TemplateURL": child}}}), EnableTerminationProtection=True
    )
    nested = world.nested("one", "Child")["StackId"]
    assert world.stack("one")["EnableTerminationProtection"]
    told = refusal(world.cf.delete_stack, StackName="one")
    assert told == "ValidationError: Stack [one] cannot be deleted while TerminationProtection is enabled"
    told = refusal(world.cf.delete_stack, StackName=nested)
    assert told.endswith("cannot be deleted while TerminationProtection is enabled on the root stack")
    told = refusal(world.cf.update_termination_protection, StackName=nested, EnableTerminationProtection=False)
    assert "nested stack" in told
    answer = world.cf.update_termination_protection(StackName="one", EnableTerminationProtection=False)
    assert answer["StackId"] == world.stack("one")["StackId"]
    assert delete(world) == "DELETE_COMPLETE"


def test_what_cannot_be_deleted_keeps_what_it_needs(world, refusal):
    world.deploy("one", body({"A": topic(), "B": topic("A"), "C": topic(), "D": topic("B")}))
    refused = refusal(world.cf.delete_stack, StackName="one", RetainResources=["B"])
    assert "DELETE_FAILED state" in refused
    world.fault("one/B", "delete", "in use", times=2)
    assert delete(world) == "DELETE_FAILED"
    assert world.stack("one")["StackStatusReason"] == "The following resource(s) failed to delete: [B]. "
    assert deleted(world) == ["D", "C"]
    assert "Unknown: [Nope]" in refusal(world.cf.delete_stack, StackName="one", RetainResources=["Nope"])
    world.memory.calls.clear()
    stack_id = world.stack("one")["StackId"]
    assert delete(world, RetainResources=["B"]) == "DELETE_COMPLETE"
    assert deleted(world) == ["A"]
    assert list(world.memory.things) == ["b-3"]
    assert "B DELETE_SKIPPED" in world.events(stack_id)


def test_force_leaves_behind_what_cannot_be_deleted(world):
    child = world.put("child", {"A": topic()})
    world.deploy("one", body({"Child": {"Type": NESTED, "Properties": {"TemplateURL": child}}}))
    nested = world.nested("one", "Child")["StackId"]
    world.fault("Child/A", "delete", "in use", times=None)
    assert delete(world) == "DELETE_FAILED"
    told = world.reason("one", "Child", "DELETE_FAILED")
    assert (
        told
        == f"Embedded stack {nested} was not successfully deleted: The following resource(s) failed to delete: [A]. "
    )
    assert world.stack(nested)["StackStatus"] == "DELETE_FAILED"
    stack_id = world.stack("one")["StackId"]
    assert delete(world, DeletionMode="FORCE_DELETE_STACK") == "DELETE_COMPLETE"
    assert world.stack(stack_id)["DeletionMode"] == "FORCE_DELETE_STACK"
    assert world.stack(nested)["StackStatus"] == "DELETE_COMPLETE"
    assert len(world.memory.things) == 1


def test_a_nested_stack_that_is_gone_already_counts_as_deleted(world):
    child = world.put("child", {"A": topic()})
    world.deploy("one", body({"Child": {"Type": NESTED, "Properties": {"TemplateURL": child}}}))
    nested = world.nested("one", "Child")["StackId"]
    world.cf.delete_stack(StackName=nested)
    assert world.settled(nested) == "DELETE_COMPLETE"
    assert delete(world) == "DELETE_COMPLETE"


def test_a_retained_nested_stack_lives_on(world):
    child = world.put("child", {"A": topic()})
    world.deploy(
        "one", body({"Child": {"Type": NESTED, "DeletionPolicy": "Retain", "Properties": {"TemplateURL": child}}})
    )
    nested = world.nested("one", "Child")["StackId"]
    assert delete(world) == "DELETE_COMPLETE"
    assert world.stack(nested)["StackStatus"] == "CREATE_COMPLETE"


def test_a_stack_whose_rollback_failed_can_be_deleted_with_all_it_made(world):
    world.deploy(
        "one",
        body(
            {
                "A": {"Type": TOPIC, "Properties": {"TopicName": "x"}},
                "B": {"Type": TOPIC, "Properties": {"DisplayName": "1"}},
            }
        ),
    )
    world.fault("one/B", "update", times=2)
    after = {
        "A": {"Type": TOPIC, "Properties": {"TopicName": "y"}},
        "N": topic(),
        "B": {"Type": TOPIC, "DependsOn": ["A", "N"], "Properties": {"DisplayName": "2"}},
    }
    assert world.deploy("one", body(after)) == "UPDATE_ROLLBACK_FAILED"
    assert len(world.memory.things) == 4
    assert delete(world) == "DELETE_COMPLETE"
    assert world.memory.things == {}


def test_change_sets_go_with_their_stack(world, refusal):
    world.deploy("one", body({"A": topic()}))
    made = world.change_set("one", "c", body({"A": topic(), "B": topic()}))
    delete(world)
    assert refusal(world.cf.describe_change_set, ChangeSetName=made["ChangeSetId"]).startswith("ChangeSetNotFound")


def test_a_rolled_back_stack_has_nothing_left_to_delete(world):
    world.fault("one/B", "create")
    world.deploy("one", body({"A": topic(), "B": topic("A")}))
    world.memory.calls.clear()
    assert delete(world) == "DELETE_COMPLETE"
    assert world.memory.calls == []
