"""Lookups: what other services know of a failure; whatever they refuse or have forgotten is left out."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from deployer.aws import Aws
from deployer.aws_failures import failures as aws_failures
from deployer.execution.diagnose import Failure

ECS_SERVICE = "AWS::ECS::Service"
_TASKS = 5
_EVENTS = 3
_ERRORS = frozenset({"VALIDATION_ERROR", "PROVISIONING_ERROR", "HOOK_INVOCATION_ERROR"})


def look_closer(
    aws: Aws, failures: Iterable[Failure], since: float, known: Mapping[str, tuple[str, ...]]
) -> tuple[Failure, ...]:
    """`failures` with the details that ECS and CloudFormation's operation events add.

    `since` is AWS's time of the operation's begin: what earlier operations complained of is another story. `known`
    holds details by physical id that were asked for when the failure was seen: a rollback deletes a service, and then
    nobody knows its tasks any more.
    """
    looked = []
    told: dict[str, list[Mapping[str, Any]]] = {}
    for failure in failures:
        details = [*failure.details]
        if failure.type == ECS_SERVICE and failure.physical_id:
            details += known.get(failure.physical_id) or ecs_details(aws, failure.physical_id)
        if failure.stack_id not in told:
            told[failure.stack_id] = _operation_errors(aws, failure.stack_id, since)
        details += [
            text
            for entry in told[failure.stack_id]
            if entry.get("LogicalResourceId") == failure.logical_id
            for text in _error_texts(entry)
            if text not in failure.reason and failure.reason not in text
        ]
        looked.append(replace(failure, details=tuple(dict.fromkeys(details))))
    return tuple(looked)


def ecs_details(aws: Aws, service_arn: str) -> tuple[str, ...]:
    """Why the tasks of a service stopped, or else what the service itself tells.

    ECS keeps a stopped task for about an hour.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-errors.html
    """
    parts = service_arn.rpartition(":service/")[2].split("/")
    if len(parts) != 2:  # noqa: PLR2004  # cluster/service; an ARN of the old form names no cluster
        return ()
    cluster, service = parts
    told: list[str] = []
    with _courtesy():
        told = list(dict.fromkeys(_stopped_tasks(aws, cluster, service)))
    if told:
        return tuple(told)
    with _courtesy():
        found = aws.ecs.describe_services(cluster=cluster, services=[service])["services"]
        told = list(itertools.chain.from_iterable(_service_texts(entry) for entry in found))
    return tuple(told)


def _stopped_tasks(aws: Aws, cluster: str, service: str) -> Iterator[str]:
    arns = aws.ecs.list_tasks(cluster=cluster, serviceName=service, desiredStatus="STOPPED", maxResults=_TASKS)[
        "taskArns"
    ]
    if not arns:
        return
    for task in aws.ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]:
        yield f"task stopped: {task.get('stoppedReason') or 'no reason given'}"
        for container in task.get("containers", []):
            code = container.get("exitCode")
            told = [container["reason"]] if container.get("reason") else []
            told += [f"exit code {code}"] if code else []
            if told:
                yield f"container {container.get('name', '?')}: {', '.join(told)}"


def _service_texts(service: Mapping[str, Any]) -> list[str]:
    rollouts = [
        f"deployment {deployment['rolloutState'].lower()}: {deployment.get('rolloutStateReason', '')}"
        for deployment in service.get("deployments", [])
        if deployment.get("rolloutState") == "FAILED"
    ]
    return rollouts + [f"service: {event['message']}" for event in service.get("events", [])[:_EVENTS]]


def _operation_errors(aws: Aws, stack_id: str, since: float) -> list[Mapping[str, Any]]:
    """Validation, provisioning and hook errors of the stack's operations, newest first; one page is plenty.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeEvents.html
    """
    entries: list[Mapping[str, Any]] = []
    with _courtesy():
        answer = aws.cloudformation.describe_events(StackName=stack_id, Filters={"FailedEvents": True})
        entries = list(answer.get("OperationEvents", []))
    return [entry for entry in entries if entry.get("EventType") in _ERRORS and entry["Timestamp"].timestamp() >= since]


def _error_texts(entry: Mapping[str, Any]) -> Iterator[str]:
    if entry.get("ValidationStatusReason"):
        where = f" at {entry['ValidationPath']}" if entry.get("ValidationPath") else ""
        yield f"{entry.get('ValidationName', 'validation')}{where}: {entry['ValidationStatusReason']}"
    if entry.get("HookStatusReason"):
        yield f"hook {entry.get('HookType', '')}: {entry['HookStatusReason']}"
    if entry.get("EventType") == "PROVISIONING_ERROR" and entry.get("ResourceStatusReason"):
        yield str(entry["ResourceStatusReason"])


@contextmanager
def _courtesy() -> Iterator[None]:
    """Access denied, a cluster that is gone, an operation that is not known: they end a lookup, and nothing else."""
    with suppress(*aws_failures()):
        yield
