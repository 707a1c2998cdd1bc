"""Diagnose: root causes first, no echoes."""

from __future__ import annotations

import pytest

from deployer.execution.diagnose import deployment_failed, diagnose, ended, orphans, stuck
from deployer.execution.hints import hint_for


@pytest.fixture
def found(world):
    return lambda look=diagnose: [(failure.address, failure.reason) for failure in look(world.parsed())]


def test_the_deepest_real_failure_comes_first_and_echoes_do_not_count(world, found, names):
    child = names.arn("payments-dev-Database")
    world.tell(0, "CREATE_IN_PROGRESS")
    world.nested(1, "CREATE_IN_PROGRESS", "Database")
    world.tell(2, "CREATE_FAILED", "Alarm", reason="Alarm names a metric that is none")
    world.inside(3, "CREATE_FAILED", "Database", "Subnets", reason="Resource creation cancelled")
    world.inside(3, "CREATE_FAILED", "Database", "Cluster", reason="Cannot find version 1.2 for aurora-postgresql")
    world.inside(4, "ROLLBACK_IN_PROGRESS", "Database", reason="The following resource(s) failed to create: [Cluster].")
    world.inside(5, "DELETE_FAILED", "Database", "Key", reason="in use")
    world.nested(6, "CREATE_FAILED", "Database",
                 reason=f"Embedded stack {child} was not successfully created: The following resource(s) failed")  # fmt: skip
    world.nested(6, "CREATE_FAILED", "Network", reason="Resource creation cancelled")
    world.tell(7, "ROLLBACK_IN_PROGRESS")
    assert found() == [
        ("database.Cluster", "Cannot find version 1.2 for aurora-postgresql"),
        ("root.Alarm", "Alarm names a metric that is none"),
    ]


@pytest.mark.parametrize(
    "reason",
    ["Resource creation cancelled", "Resource update cancelled", "Resource deletion cancelled",
     "Resource creation was canceled", "Vpc cancelled by user"],
)  # fmt: skip
def test_cancellations_are_no_causes(world, found, reason):
    world.tell(0, "CREATE_FAILED", "A", reason=reason)
    world.tell(1, "CREATE_FAILED", "B", reason="real")
    assert found() == [("root.B", "real")]


def test_several_real_failures_of_one_stack_are_all_told_the_first_marked(world):
    world.tell(0, "CREATE_FAILED", "A", reason="quota")
    world.tell(1, "CREATE_FAILED", "B", reason="denied")
    world.tell(2, "CREATE_FAILED", "A", reason="quota, again")
    failures = diagnose(world.parsed())
    assert [(failure.logical_id, failure.reason, failure.first) for failure in failures] == [
        ("A", "quota", True), ("B", "denied", False)
    ]  # fmt: skip


def test_a_nested_stack_that_tells_nothing_is_told_by_its_parent(world, found, names):
    child = names.arn("payments-dev-Network")
    world.nested(0, "CREATE_FAILED", "Network",
                 reason=f"Embedded stack {child} was not successfully created: Template error: no such bucket")  # fmt: skip
    assert found() == [("root.Network", "Template error: no such bucket")]


def test_where_no_resource_failed_the_stack_itself_is_the_cause(world, found):
    world.tell(0, "UPDATE_IN_PROGRESS")
    world.tell(1, "UPDATE_ROLLBACK_IN_PROGRESS", reason="User requested cancellation of the update")
    world.tell(2, "UPDATE_ROLLBACK_COMPLETE", reason="again")
    [failure] = diagnose(world.parsed())
    assert (failure.address, failure.reason, failure.physical_id) == (
        "root.payments-dev", "User requested cancellation of the update", ""
    )  # fmt: skip


def test_without_any_failure_there_is_none(world, found):
    world.tell(0, "UPDATE_IN_PROGRESS")
    world.tell(1, "UPDATE_COMPLETE", reason="")
    assert found() == []


def test_a_hook_speaks_for_the_resource_that_it_refused(world):
    world.tell(0, "CREATE_IN_PROGRESS", "Bucket", HookType="Acme::Guard", HookStatus="HOOK_COMPLETE_FAILED",
               HookStatusReason="no encryption")  # fmt: skip
    world.tell(
        1, "CREATE_IN_PROGRESS", "Bucket", HookType="Acme::Other", HookStatus="HOOK_FAILED", HookStatusReason="late"
    )
    world.tell(2, "CREATE_FAILED", "Bucket", reason="The following hook(s) failed: [Acme::Guard]")
    [failure] = diagnose(world.parsed())
    assert failure.reason == "refused by hook Acme::Guard: no encryption"
    assert failure.details == ("Acme::Other: late",)
    assert "hook" in failure.hint


def test_a_hook_stands_beside_a_reason_of_the_resource_itself(world):
    world.tell(0, "CREATE_IN_PROGRESS", "Bucket", HookType="Acme::Guard", HookStatus="HOOK_FAILED")
    world.tell(2, "CREATE_FAILED", "Bucket", reason="quota reached")
    [failure] = diagnose(world.parsed())
    assert (failure.reason, failure.details) == ("quota reached", ("Acme::Guard: failed",))


def test_what_blocks_a_rollback_is_what_failed_in_it_last(world, found):
    world.tell(0, "UPDATE_IN_PROGRESS")
    world.tell(1, "UPDATE_FAILED", "Before", reason="the cause")
    world.tell(2, "UPDATE_ROLLBACK_IN_PROGRESS")
    world.tell(3, "UPDATE_FAILED", "Mended", reason="at first")
    world.tell(4, "UPDATE_COMPLETE", "Mended")
    world.tell(4, "UPDATE_FAILED", "Echo", reason="Resource update cancelled")
    world.tell(5, "UPDATE_FAILED", "Role", reason="denied")
    world.nested(5, "UPDATE_FAILED", "Network", reason="Embedded stack x was not successfully updated.")
    world.inside(2, "UPDATE_ROLLBACK_IN_PROGRESS", "Network")
    world.inside(4, "UPDATE_FAILED", "Network", "Vpc", reason="limit")
    assert found(stuck) == [("network.Vpc", "limit"), ("root.Role", "denied")]


def test_orphans_are_what_a_cleanup_tried_in_vain(world, found):
    world.tell(0, "UPDATE_IN_PROGRESS")
    world.tell(1, "DELETE_FAILED", "Early", physical_id="early", reason="not of the cleanup")
    world.tell(2, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    world.tell(3, "DELETE_FAILED", "Slow", physical_id="slow", reason="in use")
    world.tell(3, "DELETE_FAILED", "Bucket", physical_id="old", reason="not empty")
    world.tell(4, "DELETE_IN_PROGRESS", "Slow", physical_id="slow")
    world.tell(4, "DELETE_COMPLETE", "Slow", physical_id="slow")
    world.nested(5, "DELETE_FAILED", "Network", reason="its own")
    world.inside(2, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "Network")
    world.inside(4, "DELETE_FAILED", "Network", "Eni", reason="in use")
    assert found(orphans) == [("root.Bucket", "not empty"), ("network.Eni", "in use")]


def test_the_error_tells_of_at_most_five_and_of_the_rest_by_number(world):
    for number in range(7):
        world.tell(number, "CREATE_FAILED", f"R{number}", reason="" if number else "quota exceeded", physical_id="")
    error = deployment_failed("payments-dev", "ROLLBACK_COMPLETE", diagnose(world.parsed()))
    assert error.problems[0] == "root.R0 (EC2::VPC): create failed: quota exceeded"
    assert error.problems[1] == "root.R1 (EC2::VPC): create failed: AWS gives no reason"
    assert error.problems[-2:] == [
        "and 2 more", "payments-dev: the creation failed and was rolled back (ROLLBACK_COMPLETE)"
    ]  # fmt: skip
    assert len(error.problems) == 7
    assert error.hint.startswith("raise the quota")


def test_a_failed_rollback_names_the_next_command(world):
    error = deployment_failed("s", "UPDATE_ROLLBACK_FAILED", [], [], "deploy.py status --env dev")
    assert error.hint == "mend what blocks it, then: deploy.py status --env dev --continue-rollback"
    assert deployment_failed("s", "UPDATE_ROLLBACK_FAILED", []).hint == ""
    assert ended("IMPORT_ROLLBACK_COMPLETE") == "ended (IMPORT_ROLLBACK_COMPLETE)"


@pytest.mark.parametrize(
    ("reason", "part"),
    [
        ("ECS Deployment Circuit Breaker was triggered.", "do not stay up"),
        ("The maximum number of VPCs has been reached. (Service: Ec2, Status Code: 400)", "quota"),
        ("Cannot create more than 5 (Service: Rds, Error Code: DBInstanceQuotaExceeded)", "quota"),
        ("payments-dev already exists in stack arn:…", "--suffix"),
        ("User: arn:aws:iam::123456789012:role/ci is not authorized to perform: ecs:CreateService", "deploying role"),
        ("Access Denied (Service: S3)", "deploying role"),
        ("InsufficientDBInstanceCapacity: db.r6g.large", "no room"),
        ("The KMS key is disabled (KMSKeyNotAccessibleFault)", "key's policy"),
        ("The CIDR '10.0.0.0/24' conflicts with another subnet", "network.*"),
        ("DB subnet group doesn't meet Availability Zone coverage", "zones"),
        ("The IAM Role arn:aws:iam::123456789012:role/dms-vpc-role is not configured properly.", "deploy.py account"),
        ("You can't create this secret because a secret with this name is already scheduled for deletion.", "restore"),
        ("Cannot delete protected Cluster: deletion protection is on", "protected"),
        ("resource sg-1 has a dependent object", "outside of the stack"),
        ("Cannot find version 12.1 for aurora-postgresql", "versions --live"),
        ("Rate exceeded", "throttled"),
        ("Unable to assume the service linked role", "service-linked"),
        ("Certificate 'arn:…' not found", "certificate"),
        ("Exceeded attempts to wait", "in time"),
        ("Model validation failed: Invalid request (ValidationException)", "params/"),
        ("The security token included in the request is expired (ExpiredToken)", "sign in"),
        ("something nobody has seen", ""),
    ],
)
def test_well_known_reasons_have_a_next_step(reason, part):
    assert part in hint_for(reason)
    assert bool(hint_for(reason)) == bool(part)
