"""Lookups: what ECS and CloudFormation's operation events add, and what they refuse."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from botocore.exceptions import EndpointConnectionError

from deployer.execution.diagnose import diagnose
from deployer.execution.lookups import ecs_details, look_closer

SERVICE = "arn:aws:ecs:eu-central-1:123456789012:service/payments/web"
TASKS = [
    "arn:aws:ecs:eu-central-1:123456789012:task/payments/1",
    "arn:aws:ecs:eu-central-1:123456789012:task/payments/2",
]


def test_stopped_tasks_tell_why_and_repetitions_are_told_once(world):
    stopped = {
        "stoppedReason": "Essential container in task exited",
        "containers": [
            {"name": "web", "exitCode": 137, "reason": "OutOfMemoryError"},
            {"name": "log", "exitCode": 0},
            {"exitCode": 1},
        ],
    }
    world.answers["ListTasks"] = {"taskArns": TASKS}
    world.answers["DescribeTasks"] = {"tasks": [stopped, stopped, {}]}
    assert ecs_details(world.aws(), SERVICE) == (
        "task stopped: Essential container in task exited",
        "container web: OutOfMemoryError, exit code 137",
        "container ?: exit code 1",
        "task stopped: no reason given",
    )
    assert world.calls[0] == (
        "ListTasks", {"cluster": "payments", "serviceName": "web", "desiredStatus": "STOPPED", "maxResults": 5}
    )  # fmt: skip


@pytest.mark.parametrize("tasks", [{"taskArns": []}, ("AccessDeniedException", "no", 400)])
def test_without_tasks_the_service_tells(world, tasks):
    world.answers["ListTasks"] = tasks
    world.answers["DescribeServices"] = {
        "services": [
            {
                "deployments": [
                    {"rolloutState": "FAILED", "rolloutStateReason": "tasks failed to start"},
                    {"rolloutState": "COMPLETED"},
                    {},
                ],
                "events": [{"message": f"unable to place a task {n}"} for n in range(5)],
            }
        ]
    }
    assert ecs_details(world.aws(), SERVICE) == (
        "deployment failed: tasks failed to start",
        "service: unable to place a task 0",
        "service: unable to place a task 1",
        "service: unable to place a task 2",
    )


@pytest.mark.parametrize(
    "refusal",
    [("ClusterNotFoundException", "gone", 400), ("AccessDeniedException", "no", 400),
     EndpointConnectionError(endpoint_url="https://ecs")],
)  # fmt: skip
def test_refusals_cost_the_details_and_nothing_else(world, refusal):
    world.fail("ListTasks", refusal)
    world.fail("DescribeServices", refusal)
    assert ecs_details(world.aws(), SERVICE) == ()


def test_a_service_whose_cluster_is_not_known_is_not_asked_for(world):
    assert ecs_details(world.aws(), "arn:aws:ecs:eu-central-1:123456789012:service/web") == ()
    assert world.calls == []


@pytest.fixture
def failures(world):
    world.tell(1, "CREATE_FAILED", "Web", type="AWS::ECS::Service", physical_id=SERVICE, reason="circuit breaker")
    world.tell(2, "CREATE_FAILED", "Vpc", reason="limit")
    world.tell(3, "CREATE_FAILED", "Unborn", type="AWS::ECS::Service", reason="never created")
    return diagnose(world.parsed())


def test_what_was_asked_when_it_failed_is_not_asked_again(world, failures, names):
    found = look_closer(world.aws(), failures, names.epoch, {SERVICE: ("task stopped: x",)})
    assert [failure.details for failure in found] == [("task stopped: x",), (), ()]
    assert [name for name, _ in world.calls] == ["DescribeEvents"]  # one stack, one call


def test_what_was_not_known_then_is_asked_now(world, failures, names):
    world.answers["ListTasks"] = {"taskArns": TASKS}
    world.answers["DescribeTasks"] = {"tasks": [{"stoppedReason": "y"}]}
    assert look_closer(world.aws(), failures, names.epoch, {SERVICE: ()})[0].details == ("task stopped: y",)


def test_errors_of_the_operation_stand_beside_their_resource(world, failures, names):
    def entry(kind, at=1.0, logical_id="Vpc", **more):
        return {
            "EventId": "1", "StackId": names.root, "EventType": kind, "LogicalResourceId": logical_id,
            "Timestamp": datetime.fromtimestamp(names.epoch + at, UTC),
        } | more  # fmt: skip

    world.answers["DescribeEvents"] = {
        "OperationEvents": [
            entry(
                "VALIDATION_ERROR",
                ValidationName="QUOTA",
                ValidationPath="/Resources/Vpc",
                ValidationStatusReason="5 of 5",
            ),
            entry("VALIDATION_ERROR", ValidationStatusReason="bare"),
            entry("HOOK_INVOCATION_ERROR", HookType="Acme::Guard", HookStatusReason="denied"),
            entry("PROVISIONING_ERROR", ResourceStatusReason="more about it"),
            entry("PROVISIONING_ERROR", ResourceStatusReason="limit"),  # said already
            entry("PROVISIONING_ERROR", ResourceStatusReason="Embedded stack x was not successfully created: limit"),
            entry("PROVISIONING_ERROR"),
            entry("STACK_EVENT", ResourceStatusReason="no error"),
            entry("PROVISIONING_ERROR", logical_id="Other", ResourceStatusReason="of another"),
            entry("PROVISIONING_ERROR", at=-50, ResourceStatusReason="of an earlier operation"),
        ]
    }
    found = look_closer(world.aws(), failures, names.epoch, {SERVICE: ("known",)})
    assert found[1].details == (
        "QUOTA at /Resources/Vpc: 5 of 5", "validation: bare", "hook Acme::Guard: denied", "more about it"
    )  # fmt: skip
    assert world.calls[0][1]["Filters"] == {"FailedEvents": True}


def test_an_aws_that_does_not_know_the_call_is_no_error(world, failures, names):
    world.answers["DescribeEvents"] = ("InvalidAction", "unknown", 400)
    assert len(look_closer(world.aws(), failures, names.epoch, {SERVICE: ("known",)})) == 3
