"""Stacks as they are deployed, and waiting for busy ones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deployer.errors import AwsError, BusyError, StackStateError
from deployer.stack_status import StackStatus
from deployer.stacks import (
    deployed_templates,
    describe_stack,
    nested_stacks,
    nothing_to_change,
    template_of,
    wait_until_settled,
)

MISSING = "Stack with id payments-dev does not exist"
AN_UPDATE = datetime(2026, 11, 24, 17, 40, 7, 250000, tzinfo=UTC)


def test_a_stack_is_told_whole(script, stack, stack_arn):
    answer = stack(
        "UPDATE_ROLLBACK_COMPLETE",
        LastUpdatedTime=AN_UPDATE,
        StackStatusReason="because",
        EnableTerminationProtection=True,
        Outputs=[{"OutputKey": "VPCId", "OutputValue": "vpc-1"}],
        Tags=[{"Key": "Environment", "Value": "dev"}, {"Key": "aws:cloudformation:x", "Value": "AWS's own"}],
        ParentId=stack_arn("parent"),
        RootId=stack_arn("root"),
    )
    script("describe_stacks", {"Stacks": [answer]}, StackName="payments-dev")
    state = describe_stack(script.aws, "payments-dev")
    assert (state.name, state.id, str(state.status)) == (
        "payments-dev",
        stack_arn("payments-dev"),
        "UPDATE_ROLLBACK_COMPLETE",
    )
    assert state.outputs == {"VPCId": "vpc-1"}
    assert state.tags == {"Environment": "dev"}
    assert (state.reason, state.termination_protection) == ("because", True)
    assert (state.created, state.last_updated, state.since) == (
        "2026-11-01T08:00:00.000Z",
        "2026-11-24T17:40:07.250Z",
        "2026-11-24T17:40:07.250Z",
    )
    assert (state.parent_id, state.root_id) == (stack_arn("parent"), stack_arn("root"))
    assert state.account == "123456789012"


def test_a_stack_never_updated_has_no_time_of_it(script, stack):
    script("describe_stacks", {"Stacks": [stack("CREATE_COMPLETE")]})
    state = describe_stack(script.aws, "payments-dev")
    assert (state.last_updated, state.since, state.parent_id) == ("", "2026-11-01T08:00:00.000Z", "")


def test_only_a_missing_stack_is_none(script):
    script.fail("describe_stacks", "ValidationError", MISSING)
    assert describe_stack(script.aws, "payments-dev") is None


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("AccessDenied", "User: x is not authorized; the role does not exist"),
        ("ValidationError", "1 validation error detected"),
    ],
)
def test_no_other_refusal_looks_like_a_missing_stack(script, code, text):
    script.fail("describe_stacks", code, text, status=403)
    with pytest.raises(AwsError, match="cannot describe stack payments-dev"):
        describe_stack(script.aws, "payments-dev")


def test_nested_stacks_of_every_page(script, resource, stack_arn):
    nested = "AWS::CloudFormation::Stack"
    script(
        "list_stack_resources",
        {
            "StackResourceSummaries": [
                resource("Database", nested, physical_id=stack_arn("database")),
                resource("Topic"),
                resource("Old", nested, "DELETE_COMPLETE", physical_id=stack_arn("old")),
            ],
            "NextToken": "2",
        },
        StackName="root-id",
    )
    more = [resource("Network", nested, physical_id=stack_arn("network")), resource("Begun", nested, physical_id="")]
    script("list_stack_resources", {"StackResourceSummaries": more}, NextToken="2")
    assert nested_stacks(script.aws, "root-id") == {"Database": stack_arn("database"), "Network": stack_arn("network")}


def test_templates_by_tier_in_the_order_asked_for(script):
    script("get_template", {"TemplateBody": '{"Resources": {"B": {}}}'}, StackName="b-id", TemplateStage="Original")
    script("get_template", {"TemplateBody": '{"Resources": {"A": {}}}'}, StackName="a-id", TemplateStage="Original")
    templates = deployed_templates(script.aws, {"a": "a-id", "b": "b-id"})
    assert list(templates.items()) == [("a", {"Resources": {"A": {}}}), ("b", {"Resources": {"B": {}}})]
    assert type(templates["a"]) is dict


def test_a_yaml_template_of_another_tool(script):
    body = """\
AWSTemplateFormatVersion: 2010-09-09
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Condition: IsProd
    Properties:
      BucketName: !Sub "${Prefix}-logs"
      A: !GetAtt Other.Nested.Arn
      B: !Ref Prefix
      C: !Join ["-", [a, !Ref Prefix]]
      D: !Transform {Name: Include}
      E: !Condition IsProd
"""
    script("get_template", {"TemplateBody": body})
    template = template_of(script.aws, "payments-dev")
    assert template["AWSTemplateFormatVersion"] == "2010-09-09"
    assert template["Resources"]["Bucket"]["Properties"] == {
        "BucketName": {"Fn::Sub": "${Prefix}-logs"},
        "A": {"Fn::GetAtt": ["Other", "Nested.Arn"]},
        "B": {"Ref": "Prefix"},
        "C": {"Fn::Join": ["-", ["a", {"Ref": "Prefix"}]]},
        "D": {"Fn::Transform": {"Name": "Include"}},
        "E": {"Condition": "IsProd"},
    }


@pytest.mark.parametrize(("body", "told"), [("a: [", "cannot be read"), ("just text", "no mapping")])
def test_a_template_that_is_none(script, body, told):
    script("get_template", {"TemplateBody": body})
    with pytest.raises(StackStateError, match=f"stack payments-dev: its template .*{told}|{told}"):
        template_of(script.aws, "payments-dev")


# --- waiting ----------------------------------------------------------------------------------------------------------
def test_a_settled_stack_costs_one_call(script, stack):
    script("describe_stacks", {"Stacks": [stack()]})
    said = []
    assert (
        str(wait_until_settled(script.aws, "payments-dev", 600, said.append, script.clock).status) == "UPDATE_COMPLETE"
    )
    assert (said, script.sleeps) == ([], [])


def test_a_shell_is_not_busy(script, stack):
    script("describe_stacks", {"Stacks": [stack("REVIEW_IN_PROGRESS")]})
    assert wait_until_settled(script.aws, "payments-dev", 0, print, script.clock).status.is_review


def test_a_busy_stack_is_waited_for_and_told_of(script, stack):
    update = stack("UPDATE_IN_PROGRESS", LastUpdatedTime=AN_UPDATE)
    script("describe_stacks", {"Stacks": [update]}, times=14)
    script("describe_stacks", {"Stacks": [stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", LastUpdatedTime=AN_UPDATE)]})
    script("describe_stacks", {"Stacks": [stack()]})
    said = []
    state = wait_until_settled(script.aws, "payments-dev", 600, said.append, script.clock)
    assert state.status.is_good
    assert said == [
        "stack payments-dev is busy with an update (UPDATE_IN_PROGRESS) since 2026-11-24T17:40:07.250Z (4m 59s); "
        "waiting for it, 10m 00s more at most",
        "stack payments-dev is busy with an update (UPDATE_IN_PROGRESS) since 2026-11-24T17:40:07.250Z (5m 59s); "
        "waiting for it, 9m 00s more at most",
        "stack payments-dev is busy with the cleanup after an update (UPDATE_COMPLETE_CLEANUP_IN_PROGRESS) since "
        "2026-11-24T17:40:07.250Z (6m 09s); waiting for it, 8m 50s more at most",
    ]
    assert script.sleeps == [5.0] * 15


def test_a_stack_that_goes_while_it_is_waited_for(script, stack):
    script("describe_stacks", {"Stacks": [stack("DELETE_IN_PROGRESS")]})
    script.fail("describe_stacks", "ValidationError", MISSING)
    assert wait_until_settled(script.aws, "payments-dev", 60, lambda _: None, script.clock) is None


def test_a_deleted_stack_asked_for_by_its_id_is_gone(script, stack):
    script("describe_stacks", {"Stacks": [stack("DELETE_COMPLETE")]})
    assert wait_until_settled(script.aws, "arn", 0, print, script.clock) is None


def test_a_stack_that_stays_busy(script, stack):
    script("describe_stacks", {"Stacks": [stack("ROLLBACK_IN_PROGRESS")]}, times=4)
    with pytest.raises(
        BusyError, match=r"busy with the rollback of its creation \(ROLLBACK_IN_PROGRESS\) since 2026-11-01"
    ) as error:
        wait_until_settled(script.aws, "payments-dev", 12, lambda _: None, script.clock)
    assert "--wait" in error.value.hint
    assert script.sleeps == [5.0, 5.0, 2.0]


def test_without_a_wait_a_busy_stack_costs_one_call(script, stack):
    script("describe_stacks", {"Stacks": [stack("DELETE_IN_PROGRESS")]})
    said = []
    with pytest.raises(BusyError, match="its deletion"):
        wait_until_settled(script.aws, "payments-dev", 0, said.append, script.clock)
    assert said == []


# --- what a status means ----------------------------------------------------------------------------------------------
STATUSES = {
    # status: in progress, review, good, failed, can update, failed creation, needs continue, deleted
    "CREATE_IN_PROGRESS": "p",
    "CREATE_COMPLETE": "gu",
    "CREATE_FAILED": "fu",
    "ROLLBACK_IN_PROGRESS": "p",
    "ROLLBACK_COMPLETE": "fc",
    "ROLLBACK_FAILED": "f",
    "DELETE_IN_PROGRESS": "p",
    "DELETE_COMPLETE": "d",
    "DELETE_FAILED": "f",
    "UPDATE_IN_PROGRESS": "p",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "p",
    "UPDATE_COMPLETE": "gu",
    "UPDATE_FAILED": "fu",
    "UPDATE_ROLLBACK_IN_PROGRESS": "p",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "p",
    "UPDATE_ROLLBACK_COMPLETE": "fu",
    "UPDATE_ROLLBACK_FAILED": "fn",
    "REVIEW_IN_PROGRESS": "r",
    "IMPORT_IN_PROGRESS": "p",
    "IMPORT_COMPLETE": "gu",
    "IMPORT_ROLLBACK_IN_PROGRESS": "p",
    "IMPORT_ROLLBACK_COMPLETE": "fu",
    "IMPORT_ROLLBACK_FAILED": "f",
}


@pytest.mark.parametrize(("text", "letters"), STATUSES.items())
def test_status(text, letters):
    status = StackStatus(text)
    found = {
        "p": status.is_in_progress,
        "r": status.is_review,
        "g": status.is_good,
        "f": status.is_failed,
        "u": status.can_update,
        "c": status.is_failed_creation,
        "n": status.needs_continue_rollback,
        "d": status.is_deleted,
    }
    assert {letter for letter, true in found.items() if true} == set(letters)
    assert status.ended is not status.is_in_progress


def test_every_operation_in_progress_has_words(script):
    known = script.aws.cloudformation.meta.service_model.shape_for("StackStatus").enum
    assert set(STATUSES) == set(known)
    for status in map(StackStatus, known):
        if status.is_in_progress:
            assert status.text not in status.operation
    assert StackStatus("NEW_IN_PROGRESS").operation == "an operation (NEW_IN_PROGRESS)"


# --- nothing to change ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "deployed", "tags", "nothing"),
    [
        ("UPDATE_COMPLETE", {"Resources": {"A": 1}}, {"Environment": "dev"}, True),
        ("CREATE_COMPLETE", {"Resources": {"A": 1}}, {"Environment": "dev"}, True),
        ("UPDATE_ROLLBACK_COMPLETE", {"Resources": {"A": 1}}, {"Environment": "dev"}, False),
        ("CREATE_FAILED", {"Resources": {"A": 1}}, {"Environment": "dev"}, False),
        ("UPDATE_COMPLETE", {"Resources": {"A": 2}}, {"Environment": "dev"}, False),
        ("UPDATE_COMPLETE", {"Resources": {"A": 1}}, {"Environment": "prod"}, False),
        ("UPDATE_COMPLETE", {"Resources": {"A": 1}}, {}, False),
        ("UPDATE_COMPLETE", {"Resources": {"A": 1}, "Metadata": {"Settings": {}}}, {"Environment": "dev"}, True),
        ("UPDATE_COMPLETE", {"Resources": {"A": 2}, "Metadata": {"Settings": {}}}, {"Environment": "dev"}, False),
        ("UPDATE_COMPLETE", {"Resources": {"A": 1}, "Outputs": {}}, {"Environment": "dev"}, False),
        ("UPDATE_ROLLBACK_COMPLETE", {"Resources": {"A": 1}, "Metadata": {}}, {"Environment": "dev"}, False),
    ],
)
def test_nothing_to_change(script, stack, status, deployed, tags, nothing):
    script(
        "describe_stacks",
        {"Stacks": [stack(status, Tags=[{"Key": key, "Value": value} for key, value in tags.items()])]},
    )
    state = describe_stack(script.aws, "payments-dev")
    assert nothing_to_change(state, deployed, {"Resources": {"A": 1}}, {"Environment": "dev"}) is nothing


def test_a_missing_stack_has_everything_to_change():
    assert not nothing_to_change(None, {}, {}, {})
