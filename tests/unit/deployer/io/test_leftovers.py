"""Nothing is left behind, and nothing of anybody else is touched."""

from __future__ import annotations

import dataclasses
import os
from datetime import UTC, datetime, timedelta

import pytest

from deployer import change_set_name
from deployer.change_set_name import Purpose, maker_of
from deployer.errors import AwsError, StackStateError
from deployer.leftovers import delete_stack, discard, is_left_behind, sweep
from deployer.stack_status import StackStatus
from deployer.stacks import describe_stack

ARN = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/deploy/0a1b"
MISSING = "Stack with id x does not exist"
NOW = datetime(2026, 11, 24, 17, 45, 7, tzinfo=UTC)
GONE = 2**22 + 1  # above any process number of Linux


def name(purpose="up", process=GONE, machine=None):
    made = f"deploy-{purpose}-20261124T174507Z-{machine or change_set_name.machine()}-{process}-9f8e7d"
    assert maker_of(made)
    return made


def summary(change_set=None, status="CREATE_COMPLETE", execution="AVAILABLE", age=timedelta(), **more):
    change_set = change_set or name()
    return {
        "ChangeSetName": change_set,
        "ChangeSetId": f"arn:aws:cloudformation:us-east-1:123456789012:changeSet/{change_set}/0a1b",
        "Status": status,
        "ExecutionStatus": execution,
        "CreationTime": NOW - age,
    } | more


@pytest.fixture
def state(script, stack):
    script("describe_stacks", {"Stacks": [stack("REVIEW_IN_PROGRESS")]})
    return describe_stack(script.aws, "payments-dev")


@pytest.fixture
def gone(script):
    script("delete_change_set", {}, ChangeSetName=ARN)
    script.fail("describe_change_set", "ChangeSetNotFound", status=404)


# --- discard ----------------------------------------------------------------------------------------------------------
def test_an_update_that_is_not_wanted_leaves_the_stack(script, stack, gone):
    script("describe_stacks", {"Stacks": [stack()]})
    assert not discard(script.aws, "payments-dev", ARN, script.clock)


def test_a_stack_that_is_gone_already(script, gone):
    script.fail("describe_stacks", "ValidationError", MISSING)
    assert not discard(script.aws, "payments-dev", ARN, script.clock)


def test_a_first_deployment_that_is_not_wanted_leaves_no_shell(script, stack, stack_arn, gone):
    script("describe_stacks", {"Stacks": [stack("REVIEW_IN_PROGRESS")]}, StackName="payments-dev")
    script(
        "list_change_sets", {"Summaries": [summary(status="DELETE_IN_PROGRESS")]}, StackName=stack_arn("payments-dev")
    )
    script("list_stack_resources", {"StackResourceSummaries": []})
    script("delete_stack", {}, StackName=stack_arn("payments-dev"))
    script("describe_stacks", {"Stacks": [stack("DELETE_IN_PROGRESS")]}, StackName=stack_arn("payments-dev"))
    script("describe_stacks", {"Stacks": [stack("DELETE_COMPLETE")]}, StackName=stack_arn("payments-dev"))
    assert discard(script.aws, "payments-dev", ARN, script.clock)
    assert script.sleeps == [0.5]


def test_a_shell_in_which_somebody_elses_change_set_waits_stays(script, stack, gone):
    script("describe_stacks", {"Stacks": [stack("REVIEW_IN_PROGRESS")]})
    script("list_change_sets", {"Summaries": [summary("theirs", execution="EXECUTE_IN_PROGRESS")]})
    assert not discard(script.aws, "payments-dev", ARN, script.clock)


def test_a_stack_that_only_reads_as_a_shell_stays(script, stack, resource, gone):
    script("describe_stacks", {"Stacks": [stack("REVIEW_IN_PROGRESS")]})
    script("list_change_sets", {"Summaries": []})
    script("list_stack_resources", {"StackResourceSummaries": [resource("Network")]})
    assert not discard(script.aws, "payments-dev", ARN, script.clock)


# --- deleting a stack -------------------------------------------------------------------------------------------------
def test_a_stack_that_is_forgotten_is_deleted(script, state):
    script("delete_stack")
    script.fail("describe_stacks", "ValidationError", MISSING)
    delete_stack(script.aws, state, script.clock)


def test_a_deletion_that_fails(script, stack, state):
    script("delete_stack")
    script("describe_stacks", {"Stacks": [stack("DELETE_FAILED", StackStatusReason="[Bucket]")]})
    with pytest.raises(StackStateError, match=r"payments-dev cannot be deleted: \[Bucket\]"):
        delete_stack(script.aws, state, script.clock)


def test_a_deletion_that_never_ends(script, stack, state):
    script("delete_stack")
    script("describe_stacks", {"Stacks": [stack("DELETE_IN_PROGRESS")]}, times=None)
    with pytest.raises(StackStateError, match="still being deleted after 15 minutes"):
        delete_stack(script.aws, state, script.clock)


def test_a_deletion_that_is_refused(script, state):
    script.fail("delete_stack", "ValidationError", "Stack [x] cannot be deleted while TerminationProtection is enabled")
    with pytest.raises(AwsError, match="cannot delete stack payments-dev: .*TerminationProtection"):
        delete_stack(script.aws, state, script.clock)


# --- sweep ------------------------------------------------------------------------------------------------------------
def test_what_killed_runs_left_is_swept_on_every_page(script, state):
    first, second, other = summary(), summary(name(process=GONE + 1)), summary("theirs")
    script("list_change_sets", {"Summaries": [first, other], "NextToken": "2"})
    script("list_change_sets", {"Summaries": [second]}, NextToken="2")
    script("delete_change_set", {}, ChangeSetName=first["ChangeSetId"])
    script("delete_change_set", {}, ChangeSetName=second["ChangeSetId"])
    said = []
    assert sweep(script.aws, state, said.append, script.clock) == 2
    assert said == ["stack payments-dev: 2 change sets of ended runs deleted"]


def test_nothing_left_behind_costs_one_call(script, state):
    script("list_change_sets", {"Summaries": [summary("theirs")]})
    said = []
    assert sweep(script.aws, state, said.append, script.clock) == 0
    assert said == []


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", None])
def test_what_is_gone_by_then_is_not_asked_for(script, state, status):
    gone = status and dataclasses.replace(state, status=StackStatus(status))
    assert sweep(script.aws, gone, print, script.clock) == 0  # and no call, which the script would refuse


def test_one_that_aws_still_works_on_is_left_to_the_next_run(script, state):
    script("list_change_sets", {"Summaries": [summary(status="CREATE_IN_PROGRESS")]})
    script.fail("delete_change_set", "InvalidChangeSetStatus", "in progress")
    assert sweep(script.aws, state, print, script.clock) == 0


def test_a_refusal_is_told(script, state):
    script("list_change_sets", {"Summaries": [summary()]})
    script.fail("delete_change_set", "AccessDenied", status=403)
    with pytest.raises(AwsError, match="cannot delete change set .* access denied"):
        sweep(script.aws, state, print, script.clock)


@pytest.mark.parametrize(
    ("left", "whose"),
    [
        (True, summary(name("up"))),
        (False, summary(name("up", os.getpid()))),
        (False, summary(name("up", machine="00000000"), age=timedelta(hours=23))),
        (True, summary(name("up", machine="00000000"), age=timedelta(hours=25))),
        (False, summary(name("review"), age=timedelta(days=29))),
        (True, summary(name("review"), age=timedelta(days=31))),
        (False, summary(name("review"), execution="OBSOLETE", age=timedelta(minutes=9))),
        (True, summary(name("review"), execution="OBSOLETE", age=timedelta(minutes=11))),
        (True, summary(name("review"), execution="EXECUTE_FAILED", age=timedelta(minutes=11))),
        (True, summary(name("review"), status="FAILED", execution="UNAVAILABLE", age=timedelta(minutes=11))),
        (True, summary(name("review"), status="DELETE_FAILED", age=timedelta(minutes=11))),
        (False, summary("theirs", execution="OBSOLETE", age=timedelta(days=99))),
        (False, summary(RootChangeSetId="arn:of:the:root")),
    ],
)
def test_is_left_behind(left, whose):
    assert is_left_behind(whose, NOW.timestamp()) is left


def test_purposes_are_those_of_names():
    assert [maker_of(name(purpose)).purpose for purpose in ("up", "review")] == [Purpose.UP, Purpose.REVIEW]
