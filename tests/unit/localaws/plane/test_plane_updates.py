"""Updating stacks: in place, by replacement, cleanup, rollback, its failure and its continuation."""

from __future__ import annotations

import json
import threading

import pytest

TOPIC = "AWS::SNS::Topic"
NESTED = "AWS::CloudFormation::Stack"


def body(resources, **sections):
    return json.dumps({"Resources": resources, **sections})


def topic(name=None, display=None, **attributes):
    properties = {"TopicName": name, "DisplayName": display}
    return {"Type": TOPIC, "Properties": {k: v for k, v in properties.items() if v is not None}, **attributes}


def follower(of="A", **attributes):
    return {"Type": TOPIC, "Properties": {"DisplayName": {"Ref": of}}, **attributes}


def changes(world):
    return [call for call in world.memory.calls if call[0] != "read"]


def test_an_update_in_place_touches_only_what_changed(world):
    world.deploy("one", body({"A": topic(display="x"), "B": follower()}))
    world.memory.calls.clear()
    assert world.deploy("one", body({"A": topic(display="y"), "B": follower()})) == "UPDATE_COMPLETE"
    assert changes(world) == [("update", "A")]
    assert world.memory.seen["A"] == {"before": {"DisplayName": "x"}, "after": {"DisplayName": "y"}}
    assert world.events("one")[-5:] == [
        "one UPDATE_IN_PROGRESS",
        "A UPDATE_IN_PROGRESS",
        "A UPDATE_COMPLETE",
        "one UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "one UPDATE_COMPLETE",
    ]
    events = world.cf.describe_stack_events(StackName="one")["StackEvents"]
    assert json.loads(events[3]["ResourceProperties"]) == {"DisplayName": "y"}
    assert "LastUpdatedTime" in world.stack("one")


def test_numbers_and_their_texts_are_the_same(world):
    world.deploy("one", body({"A": topic(display=20)}))
    world.memory.calls.clear()
    world.deploy("one", body({"A": topic(display="20")}, Outputs={"O": {"Value": "1"}}))
    assert changes(world) == []


def test_a_replacement_is_made_before_the_old_one_goes(world):
    world.deploy("one", body({"A": topic(name="x"), "B": follower()}))
    world.memory.calls.clear()
    assert world.deploy("one", body({"A": topic(name="y"), "B": follower()})) == "UPDATE_COMPLETE"
    assert changes(world) == [("create", "A"), ("update", "B"), ("delete", "A")]
    assert world.memory.things["b-2"] == {"DisplayName": "a-3"}
    assert "a-1" not in world.memory.things
    assert world.reason("one", "A", "UPDATE_IN_PROGRESS").startswith("Requested update requires the creation of a new")
    assert world.events("one")[-4:] == [
        "one UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "A DELETE_IN_PROGRESS",
        "A DELETE_COMPLETE",
        "one UPDATE_COMPLETE",
    ]


@pytest.mark.parametrize(
    ("policy", "kept", "snapshots"), [("Retain", True, []), ("Snapshot", False, [("A", "a-1")]), ("Delete", False, [])]
)
def test_update_replace_policy_decides_over_the_old_one(world, policy, kept, snapshots):
    world.deploy("one", body({"A": topic(name="x")}))
    world.deploy("one", body({"A": topic(name="y", UpdateReplacePolicy=policy)}))
    assert ("a-1" in world.memory.things) == kept
    assert ("A DELETE_SKIPPED" in world.events("one")) == kept
    assert next(iter(world.plane._core.state.stacks.values())).snapshots == snapshots


def test_what_the_template_drops_goes_in_the_cleanup_dependents_first(world):
    world.deploy("one", body({"A": topic(), "B": follower(), "C": topic(DeletionPolicy="Retain"), "D": topic()}))
    world.memory.calls.clear()
    world.deploy("one", body({"D": topic()}))
    assert changes(world) == [("delete", "B"), ("delete", "A")]
    assert "C DELETE_SKIPPED" in world.events("one")
    assert [
        one["LogicalResourceId"] for one in world.cf.describe_stack_resources(StackName="one")["StackResources"]
    ] == ["D"]


def test_what_the_cleanup_cannot_delete_is_told_and_left(world):
    world.deploy("one", body({"A": topic(), "B": topic()}))
    world.fault("one/A", "delete", "in use")
    assert world.deploy("one", body({"B": topic()})) == "UPDATE_COMPLETE"
    assert "in use" in world.reason("one", "A", "DELETE_FAILED")
    assert "a-1" in world.memory.things


def test_attributes_alone_are_noted_without_a_call(world):
    world.deploy("one", body({"A": topic()}))
    world.memory.calls.clear()
    world.deploy("one", body({"A": topic(DeletionPolicy="Retain", Metadata={"k": "v"})}))
    assert changes(world) == []
    assert "A UPDATE_COMPLETE" in world.events("one")
    detail = world.cf.describe_stack_resource(StackName="one", LogicalResourceId="A")["StackResourceDetail"]
    assert json.loads(detail["Metadata"]) == {"k": "v"}
    world.cf.delete_stack(StackName="one")
    world.plane.settle()
    assert "a-1" in world.memory.things


def test_stack_tags_reach_every_resource_that_takes_tags(world):
    role = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p"}}
    known = {"Capabilities": ["CAPABILITY_IAM"]}
    world.deploy("one", body({"A": topic(), "P": role}), Tags=[{"Key": "k", "Value": "1"}], **known)
    world.memory.calls.clear()
    assert (
        world.deploy("one", body({"A": topic(), "P": role}), Tags=[{"Key": "k", "Value": "2"}], **known)
        == "UPDATE_COMPLETE"
    )
    assert changes(world) == [("update", "A")]
    assert world.memory.tags["a-1"]["k"] == "2"
    world.memory.calls.clear()
    world.deploy("one", body({"A": topic(display="z"), "P": role}), **known)
    assert world.memory.tags["a-1"]["k"] == "2", "tags that a request does not mention stay"


def test_nothing_to_change_is_refused(world, refusal):
    world.deploy("one", body({"A": topic()}))
    told = refusal(world.cf.update_stack, StackName="one", TemplateBody=body({"A": topic()}))
    assert told == "ValidationError: No updates are to be performed."


def test_previous_template_and_values_can_be_kept(world, refusal):
    sections = {"Parameters": {"P": {"Type": "String"}, "Q": {"Type": "String", "Default": "q"}}}
    resources = {"A": topic(display={"Ref": "P"}), "B": topic(display={"Ref": "Q"})}
    given = [{"ParameterKey": "P", "ParameterValue": "1"}]
    world.deploy("one", body(resources, **sections), Parameters=given)
    keep = {"ParameterKey": "P", "UsePreviousValue": True}
    world.cf.update_stack(
        StackName="one", UsePreviousTemplate=True, Parameters=[keep, {"ParameterKey": "Q", "ParameterValue": "2"}]
    )
    assert world.settled("one") == "UPDATE_COMPLETE"
    assert world.memory.things["a-1"] == {"DisplayName": "1"}
    assert world.memory.things["b-2"] == {"DisplayName": "2"}
    more = {"P": {"Type": "String"}, "R": {"Type": "String"}}
    told = refusal(
        world.cf.update_stack,
        StackName="one",
        TemplateBody=body(resources | {"B": topic()}, Parameters=more),
        Parameters=[keep, {"ParameterKey": "R", "UsePreviousValue": True}],
    )
    assert "Invalid input for parameter key R" in told


def test_a_resource_keeps_its_type(world, refusal):
    world.deploy("one", body({"A": topic()}))
    told = refusal(world.cf.update_stack, StackName="one", TemplateBody=body({"A": {"Type": "AWS::Logs::LogGroup"}}))
    assert "Update of resource type is not permitted" in told
    assert told.endswith("[A]")


# --- rollback --------------------------------------------------------------------------------------------------------
def test_a_failed_update_goes_back_to_what_was(world):
    before = {"A": topic(display="x"), "R": topic(name="old"), "F": topic(display="f"), "Gone": topic()}
    world.deploy("one", body(before, Outputs={"O": {"Value": "1"}}), Tags=[{"Key": "k", "Value": "1"}])
    things = dict(world.memory.things)
    world.fault("one/F", "update", "no")
    after = {
        "A": topic(display="y"),
        "N": topic(),
        "R": topic(name="new"),
        "F": topic(display="g", DependsOn=["A", "N", "R"]),
        "L": topic(DependsOn="R"),
    }
    status = world.deploy("one", body(after, Outputs={"O": {"Value": "2"}}), Tags=[{"Key": "k", "Value": "2"}])
    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert world.memory.things == things
    stack = world.stack("one")
    assert stack["Outputs"] == [{"OutputKey": "O", "OutputValue": "1"}]
    assert stack["Tags"] == [{"Key": "k", "Value": "1"}]
    assert set(world.cf.get_template(StackName="one")["TemplateBody"]["Resources"]) == set(before)
    assert world.reason("one", "one", "UPDATE_ROLLBACK_IN_PROGRESS") == (
        "The following resource(s) failed to create: [L]. The following resource(s) failed to update: [F]. "
    )
    assert world.reason("one", "L", "CREATE_FAILED") == "Resource creation cancelled"
    tail = world.events("one")[world.events("one").index("one UPDATE_ROLLBACK_IN_PROGRESS") :]
    assert tail[0] == "one UPDATE_ROLLBACK_IN_PROGRESS"
    cleanup = tail.index("one UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    assert {"N DELETE_COMPLETE", "R DELETE_COMPLETE"} <= set(tail[cleanup:])
    assert tail[-1] == "one UPDATE_ROLLBACK_COMPLETE"
    listed = world.cf.describe_stack_resources(StackName="one")["StackResources"]
    assert sorted(one["LogicalResourceId"] for one in listed) == ["A", "F", "Gone", "R"]
    assert {one["PhysicalResourceId"] for one in listed} == set(things)


def test_what_was_cancelled_is_not_changed_and_not_changed_back(world):
    world.deploy("one", body({"A": topic(display="1"), "B": topic(display="1"), "C": topic(name="c")}))
    world.memory.calls.clear()
    world.fault("one/A", "update")
    world.deploy("one", body({"A": topic(display="2"), "B": topic(display="2"), "C": topic(name="d")}))
    assert world.reason("one", "B", "UPDATE_FAILED") == "Resource update cancelled"
    assert changes(world) == [("update", "A")], "the failed one alone is changed back"
    assert world.events("one")[-3:] == [
        "C UPDATE_COMPLETE",
        "one UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "one UPDATE_ROLLBACK_COMPLETE",
    ]


def test_a_rollback_that_fails_can_be_continued(world, refusal):
    world.deploy("one", body({"A": topic(display="1"), "B": topic(display="1", DependsOn="A")}))
    world.fault("one/B", "update", times=2)
    assert (
        world.deploy("one", body({"A": topic(display="2"), "B": topic(display="2", DependsOn="A")}))
        == "UPDATE_ROLLBACK_FAILED"
    )
    assert world.stack("one")["StackStatusReason"] == "The following resource(s) failed to update: [B]. "
    assert "can not be updated" in refusal(world.cf.update_stack, StackName="one", TemplateBody=body({"A": topic()}))
    told = refusal(world.cf.continue_update_rollback, StackName="one", ResourcesToSkip=["A", "Nope"])
    assert "not [A, Nope]" in told
    world.cf.continue_update_rollback(StackName="one")
    assert world.settled("one") == "UPDATE_ROLLBACK_COMPLETE"
    assert [thing["DisplayName"] for thing in world.memory.things.values()] == ["1", "1"]
    assert "can not continue its rollback" in refusal(world.cf.continue_update_rollback, StackName="one")


def test_another_stacks_failures_cannot_be_skipped(world, refusal):
    for name in ("one", "two"):
        world.deploy(name, body({f"A{name}": topic(display="1")}))
        world.fault(f"{name}/A{name}", "update", times=None)
        world.deploy(name, body({f"A{name}": topic(display="2")}))
    told = refusal(world.cf.continue_update_rollback, StackName="one", ResourcesToSkip=["Atwo"])
    assert "not [Atwo]" in told


def test_resources_can_be_skipped_to_end_a_rollback(world):
    world.deploy("one", body({"A": topic(display="1")}))
    world.fault("one/A", "update", times=None)
    assert world.deploy("one", body({"A": topic(display="2")})) == "UPDATE_ROLLBACK_FAILED"
    world.cf.continue_update_rollback(StackName="one")
    assert world.settled("one") == "UPDATE_ROLLBACK_FAILED"
    world.cf.continue_update_rollback(StackName="one", ResourcesToSkip=["A"])
    assert world.settled("one") == "UPDATE_ROLLBACK_COMPLETE"


def test_without_rollback_an_update_can_be_mended_or_rolled_back(world, refusal):
    world.deploy(
        "one", body({"A": topic(display="1"), "R": topic(name="1"), "B": topic(display="1", DependsOn=["A", "R"])})
    )
    assert "can not be rolled back" in refusal(world.cf.rollback_stack, StackName="one")

    def second(value):
        return body(
            {
                "A": topic(display=value),
                "R": topic(name=value),
                "N": topic(display=value),
                "B": topic(display=value, DependsOn=["A", "R", "N"]),
            }
        )

    world.fault("one/B", "update")
    assert world.deploy("one", second("2"), DisableRollback=True) == "UPDATE_FAILED"
    world.memory.calls.clear()
    world.fault("one/B", "update")
    assert world.deploy("one", second("2"), DisableRollback=True) == "UPDATE_FAILED", "the same template tries again"
    assert changes(world) == []
    world.fault("one/B", "update")
    assert world.deploy("one", second("3"), DisableRollback=True) == "UPDATE_FAILED"
    world.cf.rollback_stack(StackName="one")
    assert world.settled("one") == "UPDATE_ROLLBACK_COMPLETE"
    left = world.memory.things
    assert sorted(left) == ["a-1", "b-3", "r-2"]
    assert left["a-1"] == left["b-3"] == {"DisplayName": "1"}


def test_an_update_left_failed_can_be_completed(world):
    world.deploy("one", body({"A": topic(display="1")}))
    world.fault("one/N", "create")
    second = {"A": topic(display="2"), "N": topic(DependsOn="A"), "M": topic(DependsOn="A")}
    assert world.deploy("one", body(second), DisableRollback=True) == "UPDATE_FAILED"
    assert world.deploy("one", body({"A": topic(display="2"), "M": topic()})) == "UPDATE_COMPLETE"
    assert sorted(one["DisplayName"] if one else "" for one in world.memory.things.values()) == ["", "2"]
    world.fault("one/A", "update")
    assert (
        world.deploy("one", body({"A": topic(display="3"), "M": topic(), "T": topic()}), DisableRollback=True)
        == "UPDATE_FAILED"
    )
    assert world.deploy("one", body({"A": topic(display="3"), "M": topic()})) == "UPDATE_COMPLETE"
    assert world.memory.seen["A"] == {"before": {"DisplayName": "2"}, "after": {"DisplayName": "3"}}


def test_an_update_can_be_cancelled(world, refusal):
    world.deploy("one", body({"A": topic(display="1"), "B": topic(display="1", DependsOn="A")}))
    assert "cannot be called" in refusal(world.cf.cancel_update_stack, StackName="one")
    begun, go_on = threading.Event(), threading.Event()

    def wait(operation, logical_id):
        begun.set()
        assert go_on.wait(10)

    world.memory.before = wait
    world.cf.update_stack(
        StackName="one", TemplateBody=body({"A": topic(display="2"), "B": topic(display="2", DependsOn="A")})
    )
    assert begun.wait(10)
    assert world.stack("one")["StackStatus"] == "UPDATE_IN_PROGRESS"
    told = refusal(world.cf.delete_stack, StackName="one")
    assert "cannot be deleted while in status UPDATE_IN_PROGRESS" in told
    assert "in UPDATE_IN_PROGRESS state and can not be updated" in refusal(
        world.cf.update_stack, StackName="one", TemplateBody=body({"A": topic()})
    )
    world.cf.cancel_update_stack(StackName="one")
    go_on.set()
    assert world.settled("one") == "UPDATE_ROLLBACK_COMPLETE"
    assert world.memory.things["a-1"] == {"DisplayName": "1"}
    assert world.reason("one", "B", "UPDATE_FAILED") == "Resource update cancelled"


def test_a_cancellation_at_the_last_resource_still_rolls_back(world):
    world.deploy("one", body({"A": topic(display="1")}))

    def cancel(operation, logical_id):
        world.memory.before = lambda *_: None
        world.cf.cancel_update_stack(StackName="one")

    world.memory.before = cancel
    assert world.deploy("one", body({"A": topic(display="2")})) == "UPDATE_ROLLBACK_COMPLETE"
    assert world.reason("one", "one", "UPDATE_ROLLBACK_IN_PROGRESS") == "User Initiated"
    assert world.deploy("one", body({"A": topic(display="3")})) == "UPDATE_COMPLETE"


def test_what_a_failed_attempt_made_and_the_next_one_drops_is_removed(world):
    world.deploy("one", body({"A": topic(display="1")}))
    world.fault("one/A", "update")
    first = {"A": topic(display="2", DependsOn="N"), "N": topic()}
    assert world.deploy("one", body(first), DisableRollback=True) == "UPDATE_FAILED"
    assert len(world.memory.things) == 2
    assert world.deploy("one", body({"A": topic(display="2")})) == "UPDATE_COMPLETE"
    assert list(world.memory.things) == ["a-1"]


def test_what_a_failed_update_made_goes_dependents_first(world):
    world.deploy("one", body({"A": topic(name="x"), "B": topic(name={"Ref": "A"}), "F": topic(display="1")}))
    world.memory.calls.clear()
    world.fault("one/F", "update")
    after = {"A": topic(name="y"), "B": topic(name={"Ref": "A"}), "F": topic(display="2", DependsOn="B")}
    assert world.deploy("one", body(after)) == "UPDATE_ROLLBACK_COMPLETE"
    assert [name for operation, name in changes(world) if operation == "delete"] == ["B", "A"]


def test_a_cancelled_update_without_rollback_does_not_cancel_the_next(world):
    world.deploy("one", body({"A": topic(display="1")}))

    def cancel(operation, logical_id):
        world.memory.before = lambda *_: None
        world.cf.cancel_update_stack(StackName="one")

    world.memory.before = cancel
    assert world.deploy("one", body({"A": topic(display="2")}), DisableRollback=True) == "UPDATE_FAILED"
    assert world.deploy("one", body({"A": topic(display="3")})) == "UPDATE_COMPLETE"


def test_a_stack_left_failed_is_deleted_with_what_it_replaced(world):
    world.deploy("one", body({"A": topic(name="x"), "B": topic(display="1")}))
    world.fault("one/B", "update")
    second = {"A": topic(name="y"), "B": topic(display="2", DependsOn="A")}
    assert world.deploy("one", body(second), DisableRollback=True) == "UPDATE_FAILED"
    assert len(world.memory.things) == 3
    stack_id = world.stack("one")["StackId"]
    world.cf.delete_stack(StackName="one")
    assert world.settled(stack_id) == "DELETE_COMPLETE"
    assert world.memory.things == {}


# --- stack policies --------------------------------------------------------------------------------------------------
def policy(*statements):
    return json.dumps({"Statement": list(statements)})


ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}


@pytest.mark.parametrize(
    ("action", "after"),
    [
        ("Update:Modify", {"A": topic(name="x", display="2"), "B": topic()}),
        ("Update:Replace", {"A": topic(name="y", display="1"), "B": topic()}),
        ("Update:Delete", {"B": topic()}),
    ],
)
def test_a_stack_policy_denies(world, action, after):
    deny = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "LogicalResourceId/A"}
    world.deploy("one", body({"A": topic(name="x", display="1"), "B": topic()}), StackPolicyBody=policy(ALLOW, deny))
    world.memory.calls.clear()
    assert json.loads(world.cf.get_stack_policy(StackName="one")["StackPolicyBody"])["Statement"][1] == deny
    assert world.deploy("one", body(after)) == "UPDATE_ROLLBACK_COMPLETE"
    assert world.reason("one", "A", "UPDATE_FAILED") == (
        f"Action denied by stack policy: Statement [#2] denies [{action}] for resource [A]"
    )
    assert ("delete", "A") not in changes(world)
    assert world.memory.things["a-1"] == {"TopicName": "x", "DisplayName": "1"}
    assert world.deploy("one", body(after), StackPolicyDuringUpdateBody=policy(ALLOW)) == "UPDATE_COMPLETE"
    assert world.cf.get_stack_policy(StackName="one")["StackPolicyBody"]


def test_a_stack_policy_can_be_set_later(world, refusal):
    world.deploy("one", body({"A": topic(display="1")}))
    assert "StackPolicyBody" not in world.cf.get_stack_policy(StackName="one")
    assert "StackPolicyURL is not emulated" in refusal(world.cf.set_stack_policy, StackName="one")
    assert "Invalid stack policy" in refusal(world.cf.set_stack_policy, StackName="one", StackPolicyBody="{}")
    world.cf.set_stack_policy(StackName="one", StackPolicyBody=policy(ALLOW | {"Resource": "LogicalResourceId/B"}))
    assert world.deploy("one", body({"A": topic(display="2")})) == "UPDATE_ROLLBACK_COMPLETE"
    assert "no statement allows [Update:Modify] for resource [A]" in world.reason("one", "A", "UPDATE_FAILED")


# --- nested stacks ---------------------------------------------------------------------------------------------------
def nested(url, **parameters):
    return {"Type": NESTED, "Properties": {"TemplateURL": url, "Parameters": parameters}}


class Tree:
    """A root with Lower and Upper; Upper takes Lower's output."""

    def __init__(self, world):
        self.world = world
        self.count = 0

    def body(self, lower, upper=None, **root):
        self.count += 1
        outputs = {"Id": {"Value": {"Ref": "A"}}}
        low = self.world.put(f"lower{self.count}", lower, Outputs=outputs)
        parts = {"Lower": nested(low)}
        if upper is not None:
            high = self.world.put(f"upper{self.count}", upper, Parameters={"Id": {"Type": "String"}})
            parts["Upper"] = nested(high, Id={"Fn::GetAtt": ["Lower", "Outputs.Id"]})
        return body(parts | root)


UPPER = {"U": {"Type": TOPIC, "Properties": {"DisplayName": {"Ref": "Id"}}}}


def test_nested_stacks_are_updated_in_place(world):
    tree = Tree(world)
    world.deploy("one", tree.body({"A": topic(name="x")}, UPPER))
    lower, upper = world.nested("one", "Lower")["StackId"], world.nested("one", "Upper")["StackId"]
    world.memory.calls.clear()
    assert world.deploy("one", tree.body({"A": topic(name="y")}, UPPER)) == "UPDATE_COMPLETE"
    assert changes(world) == [("create", "A"), ("update", "U"), ("delete", "A")]
    assert world.nested("one", "Lower")["StackId"] == lower
    assert world.stack(lower)["StackStatus"] == world.stack(upper)["StackStatus"] == "UPDATE_COMPLETE"
    names = [event.split()[1] for event in world.events(lower) if event.startswith("one-Lower")]
    assert names[2:] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]


def test_the_cleanup_below_waits_for_the_whole_tree(world):
    tree = Tree(world)
    world.deploy("one", tree.body({"A": topic(name="x")}, UPPER))
    lower = world.nested("one", "Lower")["StackId"]
    seen = []
    world.memory.before = lambda operation, name: seen.append((operation, name, world.stack(lower)["StackStatus"]))
    world.deploy("one", tree.body({"A": topic(name="y")}, UPPER))
    assert ("update", "U", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS") in seen


def test_a_nested_stack_without_changes_is_not_touched(world):
    tree = Tree(world)
    world.deploy("one", tree.body({"A": topic()}, UPPER))
    lower = world.nested("one", "Lower")["StackId"]
    count = len(world.events(lower))
    world.deploy("one", tree.body({"A": topic()}, UPPER, New=topic()))
    assert len(world.events(lower)) == count
    assert world.events("one").count("Lower UPDATE_COMPLETE") == 1


def test_a_failure_above_undoes_what_was_done_below(world):
    tree = Tree(world)
    world.deploy("one", tree.body({"A": topic(name="x", display="1"), "G": topic()}, UPPER))
    things = dict(world.memory.things)
    lower = world.nested("one", "Lower")["StackId"]
    world.fault("Upper/U", "update", "no")
    assert world.deploy("one", tree.body({"A": topic(name="y"), "N": topic()}, UPPER)) == "UPDATE_ROLLBACK_COMPLETE"
    assert world.memory.things == things
    told = world.reason("one", "Upper", "UPDATE_FAILED")
    assert told.endswith(
        "was not successfully updated. Currently in UPDATE_ROLLBACK_IN_PROGRESS with reason: "
        "The following resource(s) failed to update: [U]. "
    )
    assert world.stack(lower)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert world.stack(world.nested("one", "Upper")["StackId"])["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert world.events("one")[-3:-1] == ["Upper UPDATE_COMPLETE", "one UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"]


def test_a_nested_resource_keeps_its_type(world):
    tree = Tree(world)
    world.deploy("one", tree.body({"A": topic()}))
    lower = world.nested("one", "Lower")["StackId"]
    assert world.deploy("one", tree.body({"A": {"Type": "AWS::Logs::LogGroup"}})) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Update of resource type is not permitted" in world.reason(lower, "A", "UPDATE_FAILED")


def test_a_nested_stack_that_failed_is_rolled_back_once(world):
    tree = Tree(world)
    world.deploy("one", tree.body({"A": topic(name="x")}, UPPER))
    upper = world.nested("one", "Upper")
    world.fault("Upper/U", "update")
    world.deploy("one", tree.body({"A": topic(name="y")}, UPPER))
    assert world.events(upper["StackId"]).count(f"{upper['StackName']} UPDATE_ROLLBACK_IN_PROGRESS") == 1


def test_outputs_of_nested_stacks_are_rolled_back_too(world):
    tree = Tree(world)
    world.deploy("one", tree.body({"A": topic(name="x")}, UPPER))
    world.fault("Upper/U", "update")
    assert world.deploy("one", tree.body({"A": topic(name="y")}, UPPER)) == "UPDATE_ROLLBACK_COMPLETE"
    reader = topic(display={"Fn::GetAtt": ["Lower", "Outputs.Id"]})
    text = json.loads(tree.body({"A": topic(name="x")}, UPPER, Reader=reader))
    known = world.cf.get_template(StackName="one")["TemplateBody"]["Resources"]
    text["Resources"]["Lower"] = known["Lower"]
    assert world.deploy("one", json.dumps(text)) == "UPDATE_COMPLETE"
    (read,) = [thing for name, thing in world.memory.things.items() if name.startswith("reader")]
    assert read == {"DisplayName": "a-1"}


def test_a_new_nested_stack_goes_with_the_rollback(world):
    tree = Tree(world)
    world.deploy("one", tree.body({"A": topic()}))
    world.fault("Upper/U", "create")
    assert world.deploy("one", tree.body({"A": topic()}, UPPER)) == "UPDATE_ROLLBACK_COMPLETE"
    assert list(world.memory.things) == ["a-1"]
    assert [s["StackStatus"] for s in world.cf.list_stacks()["StackSummaries"] if "Upper" in s["StackName"]] == [
        "DELETE_COMPLETE"
    ]


def test_a_dropped_nested_stack_goes_with_the_cleanup(world):
    tree = Tree(world)
    world.deploy("one", tree.body({"A": topic()}, UPPER))
    assert world.deploy("one", tree.body({"A": topic()})) == "UPDATE_COMPLETE"
    assert list(world.memory.things) == ["a-1"]


def test_a_failed_rollback_below_can_be_continued_from_the_root(world, refusal):
    tree = Tree(world)
    world.deploy("one", tree.body({"A": topic(display="1")}, UPPER, Z=topic(display="1")))
    lower = world.nested("one", "Lower")
    world.fault("Lower/A", "update", "no", times=3)
    assert (
        world.deploy("one", tree.body({"A": topic(display="2")}, UPPER, Z=topic(display="2")))
        == "UPDATE_ROLLBACK_FAILED"
    )
    assert world.stack(lower["StackId"])["StackStatus"] == "UPDATE_ROLLBACK_FAILED"
    assert "use the root stack" in refusal(world.cf.continue_update_rollback, StackName=lower["StackId"])
    skip = f"{lower['StackName']}.A"
    world.cf.continue_update_rollback(StackName="one", ResourcesToSkip=[skip])
    assert world.settled("one") == "UPDATE_ROLLBACK_COMPLETE"
    assert world.stack(lower["StackId"])["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def test_without_rollback_a_nested_stack_stays_failed_and_is_rolled_back_with_its_root(world):
    tree = Tree(world)
    world.deploy("one", tree.body({"A": topic(display="1")}))
    lower = world.nested("one", "Lower")["StackId"]
    world.fault("Lower/A", "update")
    assert world.deploy("one", tree.body({"A": topic(display="2")}), DisableRollback=True) == "UPDATE_FAILED"
    assert world.stack(lower)["StackStatus"] == "UPDATE_FAILED"
    assert "Currently in UPDATE_FAILED" in world.reason("one", "Lower", "UPDATE_FAILED")
    world.cf.rollback_stack(StackName="one")
    assert world.settled("one") == "UPDATE_ROLLBACK_COMPLETE"
    assert world.stack(lower)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert world.memory.things["a-1"] == {"DisplayName": "1"}


def test_a_nested_stack_left_failed_is_tried_again_with_the_same_template(world):
    tree = Tree(world)
    world.deploy("one", tree.body({"A": topic(display="1")}))
    world.fault("Lower/A", "update")
    second = tree.body({"A": topic(display="2")})
    world.deploy("one", second, DisableRollback=True)
    assert world.deploy("one", second) == "UPDATE_COMPLETE"
    assert world.memory.things["a-1"] == {"DisplayName": "2"}
