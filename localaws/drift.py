"""Drift: what the services say of a stack's resources against what the stack gave them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from contract import resource_types
from contract.resource_types import matches
from localaws.api_errors import invalid
from localaws.core import GONE
from localaws.differences import ABSENT, differences, shown
from localaws.dynamic_references import is_dynamic
from localaws.events import compact
from localaws.hands import Refusal
from localaws.language import normal
from localaws.service import Operation, Service, page, present
from localaws.stacks import Detection, Json, Resource, Stack
from localaws.template import NESTED_STACK

_KINDS = {"Add": "ADD", "Remove": "REMOVE", "Modify": "NOT_EQUAL"}


def detect_stack_drift(service: Service, region: str, given: Json) -> Json:
    """Begin a drift detection."""
    core = service.core
    stack = core.stack(region, given["StackName"])
    if stack.in_progress or stack.status in ("REVIEW_IN_PROGRESS", GONE):
        raise invalid(f"Drift detection cannot be performed on stack [{stack.id}] in status {stack.status}")
    wanted = given.get("LogicalResourceIds") or list(stack.resources)
    detection = Detection(str(uuid.uuid4()), stack.id, core.clock.now())
    core.state.detections[detection.id] = detection
    core.start(lambda: _detect(service, stack, detection, wanted))
    return {"StackDriftDetectionId": detection.id}


def _detect(service: Service, stack: Stack, detection: Detection, wanted: list[str]) -> None:
    """Nested stacks are not followed: each has a detection of its own."""
    core = service.core
    found, problems = {}, []
    for name in wanted:
        resource = stack.resources.get(name)
        if resource is None or resource.type == NESTED_STACK or not resource.physical_id:
            continue
        try:
            found[name] = _compare(stack, resource, service.executor.hands.read(stack, resource))
        except Refusal as refusal:
            problems.append(f"{name}: {refusal}")
    with core.lock:
        now = core.clock.now()
        for name, drift in found.items():
            drift["Timestamp"] = now
            if name in stack.resources:  # an update may have dropped it since
                stack.resources[name].drift = drift["StackResourceDriftStatus"]
                stack.resources[name].drift_checked = now
        core.state.drifts[stack.id] = core.state.drifts.get(stack.id, {}) | found
        drifted = [one for one in found.values() if one["StackResourceDriftStatus"] != "IN_SYNC"]
        stack.drift, stack.drift_checked = "DRIFTED" if drifted else "IN_SYNC", now
        detection.drifted = len(drifted)
        detection.status = "DETECTION_FAILED" if problems else "DETECTION_COMPLETE"
        detection.reason = "; ".join(problems)


def _compare(stack: Stack, resource: Resource, actual: Any) -> Json:
    drift: Json = {
        "StackId": stack.id,
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type,
    }
    if actual is None:
        return drift | {"StackResourceDriftStatus": "DELETED"}
    facts = resource_types.find(resource.type)
    hidden = facts.write_only if facts is not None else ()
    expected = {
        name: value
        for name, value in resource.properties.items()
        if name in actual and name not in hidden and not is_dynamic(value)
    }
    seen = {name: actual[name] for name in expected}
    found = []
    for path, before, after in differences(_sorted(expected), _sorted(seen)):
        if any(matches(pattern, "/".join(path)) for pattern in hidden):
            continue
        kind = "Add" if before is ABSENT else "Remove" if after is ABSENT else "Modify"
        found.append(
            {
                "PropertyPath": "/" + "/".join(path),
                "ExpectedValue": shown(before) or "null",
                "ActualValue": shown(after) or "null",
                "DifferenceType": _KINDS[kind],
            }
        )
    return drift | {
        "StackResourceDriftStatus": "MODIFIED" if found else "IN_SYNC",
        "ExpectedProperties": compact(expected),
        "ActualProperties": compact(seen),
        "PropertyDifferences": found,
    }


def _sorted(value: Any) -> Any:
    """A value whose lists are in an order of their own: services give most of them back in any."""
    if isinstance(value, dict):
        return {key: _sorted(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(entry) for entry in value), key=lambda entry: json.dumps(normal(entry), sort_keys=True))
    return value


def describe_stack_drift_detection_status(service: Service, region: str, given: Json) -> Json:  # noqa: ARG001 - every operation has this form
    """How a drift detection stands."""
    one = service.core.state.detections.get(given["StackDriftDetectionId"])
    if one is None:
        raise invalid(f"DriftDetection with id {given['StackDriftDetectionId']} does not exist")
    stack = service.core.state.stacks[one.stack_id]
    done = one.status != "DETECTION_IN_PROGRESS"
    return present(
        StackId=one.stack_id,
        StackDriftDetectionId=one.id,
        StackDriftStatus=stack.drift if done else None,
        DetectionStatus=one.status,
        DetectionStatusReason=one.reason,
        DriftedStackResourceCount=one.drifted if done else None,
        Timestamp=one.started,
    )


def describe_stack_resource_drifts(service: Service, region: str, given: Json) -> Json:
    """What the last drift detections of a stack found."""
    stack = service.core.stack(region, given["StackName"])
    wanted = given.get("StackResourceDriftStatusFilters", [])
    found = list(service.core.state.drifts.get(stack.id, {}).values())
    found = [one for one in found if not wanted or one["StackResourceDriftStatus"] in wanted]
    entries, following = page(found, given.get("NextToken"), given.get("MaxResults", 100))
    return present(StackResourceDrifts=entries, NextToken=following)


OPERATIONS: dict[str, Operation] = {
    "DescribeStackDriftDetectionStatus": describe_stack_drift_detection_status,
    "DescribeStackResourceDrifts": describe_stack_resource_drifts,
    "DetectStackDrift": detect_stack_drift,
}
