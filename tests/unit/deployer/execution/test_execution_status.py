"""Status: the whole tree at a glance, and why the last operation failed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from deployer.status import read_status, render_status, status_document


@pytest.fixture
def tree(world, time, names):
    """A stack with two nested ones and three change sets."""
    time.now = 100.0
    child = names.arn("payments-dev-LoadBalancer")
    world.answers["ListStackResources"] = {
        "StackResourceSummaries": [
            {
                "LogicalResourceId": logical_id, "PhysicalResourceId": names.arn(f"payments-dev-{logical_id}"),
                "ResourceType": "AWS::CloudFormation::Stack", "ResourceStatus": "CREATE_COMPLETE",
                "LastUpdatedTimestamp": datetime.fromtimestamp(names.epoch, UTC),
            }
            for logical_id in ("LoadBalancer", "Network")
        ]
    }  # fmt: skip
    world.stacks[names.arn("payments-dev-Network")] = {"DriftInformation": {"StackDriftStatus": "DRIFTED"}}
    world.stacks[child] = {
        "StackStatusReason": "why", "LastUpdatedTime": datetime.fromtimestamp(names.epoch + 50, UTC)
    }  # fmt: skip
    world.stacks[names.root] = {
        "EnableTerminationProtection": True,
        "Tags": [{"Key": "MigrationPhase", "Value": "active"}],
        "DriftInformation": {"StackDriftStatus": "SOMETHING_NEW"},
    }
    world.answers["ListChangeSets"] = {
        "Summaries": [
            {"ChangeSetName": "review-1", "ChangeSetId": names.change_set, "ExecutionStatus": "AVAILABLE",
             "CreationTime": datetime.fromtimestamp(names.epoch + 60, UTC), "Description": "ours"},
            {"ChangeSetName": "review-0", "ChangeSetId": names.change_set + "0", "ExecutionStatus": "AVAILABLE"},
            {"ChangeSetName": "broken", "ChangeSetId": names.change_set + "1", "ExecutionStatus": "UNAVAILABLE"},
        ]
    }  # fmt: skip
    return world


@pytest.fixture
def read(tree, names):
    return lambda: read_status(tree.aws(), "payments-dev", names.change_set)


def test_a_stack_at_rest_is_shown_with_its_tree(read):
    status = read()
    assert (status.in_progress, status.failed, status.result) == (False, False, None)
    assert render_status(status).split("\n") == (
        [
            "payments-dev",
            "  status                  CREATE_COMPLETE",
            "  since                   2026-11-18T11:06:40.000Z",
            "  termination protection  on",
            "  migration phase         active",
            "  change set              review-1, created 2026-11-18T11:07:40.000Z: the reviewed one, can be executed",
            "  change set              review-0: left by another review",
            "",
            "  tier           status           since                     drift",
            "  root           CREATE_COMPLETE  2026-11-18T11:06:40.000Z  SOMETHING_NEW",
            "  load_balancer  CREATE_COMPLETE  2026-11-18T11:07:30.000Z  not checked  why",
            "  network        CREATE_COMPLETE  2026-11-18T11:06:40.000Z  drifted",
        ]
    )


def test_a_stack_at_rest_is_asked_for_no_events(read, tree):
    read()
    assert tree.count_of("DescribeStackEvents") == 0


def test_json_says_the_same(read):
    document = json.loads(json.dumps(status_document(read())))
    assert document["status"] == "CREATE_COMPLETE"
    assert (document["termination_protection"], document["migration_phase"]) == (True, "active")
    assert [tier["drift"] for tier in document["tiers"]] == ["SOMETHING_NEW", "not checked", "drifted"]
    assert [change_set["reviewed"] for change_set in document["change_sets"]] == [True, False]
    assert document["failures"] == document["blocked"] == []


def test_a_stack_that_is_not_there(world):
    status = read_status(world.aws(), "payments-dev")
    assert render_status(status) == "payments-dev: no such stack"
    assert (status.in_progress, status.failed, status.migration_phase) == (False, False, "")
    document = status_document(status)
    assert (document["id"], document["status"], document["tiers"]) == (None, None, [])


def test_a_failed_stack_shows_the_diagnosis_again(read, tree):
    tree.tell(1, "UPDATE_IN_PROGRESS")
    tree.tell(2, "UPDATE_FAILED", "Rule", reason="something new")
    tree.tell(3, "UPDATE_FAILED", "Cluster", reason="the KMS key is disabled", physical_id="c-1")
    tree.tell(4, "UPDATE_ROLLBACK_IN_PROGRESS")
    tree.tell(5, "UPDATE_FAILED", "Role", reason="also the KMS key")
    tree.tell(6, "UPDATE_ROLLBACK_FAILED")
    status = read()
    assert status.failed
    assert render_status(status).splitlines()[-4:] == [
        "root.Rule (EC2::VPC): update failed: something new",
        "root.Cluster (EC2::VPC, c-1): update failed: the KMS key is disabled",
        "root.Role (EC2::VPC): update failed: also the KMS key",
        "next: check the key's policy, that the key is enabled, and that it lies in the same region",
    ]
    assert "the update failed, and so did its rollback" in render_status(status)
    document = status_document(status)
    assert document["failures"][1] == {
        "address": "root.Cluster", "type": "AWS::EC2::VPC", "physical_id": "c-1", "status": "UPDATE_FAILED",
        "reason": "the KMS key is disabled", "details": [],
        "hint": "check the key's policy, that the key is enabled, and that it lies in the same region",
    }  # fmt: skip
    assert [failure["address"] for failure in document["blocked"]] == ["root.Role"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS: busy with an update"),
        ("REVIEW_IN_PROGRESS", "REVIEW_IN_PROGRESS: nothing has been created yet, a change set waits to be executed"),
    ],
)
def test_a_stack_that_is_not_at_rest(read, tree, names, status, words):
    tree.stacks[names.root] = {"StackStatus": status, "StackStatusReason": "x"}
    tree.answers["ListChangeSets"] = {"Summaries": []}
    found = read()
    assert found.in_progress == (status == "UPDATE_IN_PROGRESS")
    text = render_status(found)
    assert f"  status                  {words}" in text
    assert "  termination protection  off\n  migration phase         not told by any tag\n\n" in text
