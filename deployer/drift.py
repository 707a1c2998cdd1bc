"""Drift: what is deployed against what its templates say, in the whole tree.

CloudFormation detects drift stack by stack and never looks into nested ones, so each is asked by itself.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deployer.aws import Aws, error_code, error_text, in_parallel, translate
from deployer.changes import NESTED_STACK, ROOT
from deployer.clock import CLOCK, Clock, polls
from deployer.drift_by_design import Design
from deployer.errors import AwsError, BusyError
from deployer.forecast.evaluation import Side, tier_of
from deployer.review.values import HIDDEN, is_sensitive
from deployer.stacks import StackState, deployed_templates, stack_resources
from deployer.template_shape import require_deployed_shape
from deployer.tiers import tier_name

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import (
        DescribeStackDriftDetectionStatusOutputTypeDef,
        PropertyDifferenceTypeDef,
        StackResourceDriftTypeDef,
        StackResourceSummaryTypeDef,
    )

_DETECTION_SECONDS = 3600.0  # a stack of some hundred resources takes minutes
_PAGE = 100


@dataclass(frozen=True, slots=True)
class PropertyDrift:
    """One property that is not what the template says.

    `path` is a pointer below the properties. `expected` and `actual` are texts as AWS gives them, "" on the side that
    has none. `kind`: ADD, REMOVE, NOT_EQUAL. `reason` says why it is so by design, "" where it is not.
    """

    path: str
    kind: str
    expected: str
    actual: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ResourceDrift:
    """One resource that differs. `status`: MODIFIED, DELETED, or UNKNOWN where AWS could not tell and `detail` why."""

    tier: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    detail: str
    differences: tuple[PropertyDrift, ...]

    @property
    def address(self) -> str:
        """`database.Cluster`."""
        return f"{self.tier}.{self.logical_id}"

    @property
    def expected(self) -> bool:
        """Whether every difference is there by design."""
        return self.status == "MODIFIED" and all(found.reason for found in self.differences)


@dataclass(frozen=True, slots=True)
class TierDrift:
    """One stack. `unchecked` are resources of types whose drift CloudFormation cannot detect: (logical id, type).

    `failure` is what kept AWS from telling all of it.
    """

    tier: str
    stack_id: str
    checked: int
    resources: tuple[ResourceDrift, ...]
    unchecked: tuple[tuple[str, str], ...]
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Drift:
    """The whole tree, root first."""

    stack: str
    tiers: tuple[TierDrift, ...]

    @property
    def unexpected(self) -> tuple[ResourceDrift, ...]:
        """What nobody meant to be so."""
        return tuple(found for tier in self.tiers for found in tier.resources if not found.expected)

    @property
    def expected(self) -> tuple[ResourceDrift, ...]:
        """What is so by design."""
        return tuple(found for tier in self.tiers for found in tier.resources if found.expected)

    @property
    def exit_code(self) -> int:
        """1 where something drifted that should not have, or AWS could not tell."""
        return 1 if self.unexpected or any(tier.failure for tier in self.tiers) else 0


@dataclass(frozen=True, slots=True)
class _Found:
    """A stack of the tree with its resources."""

    tier: str
    stack_id: str
    resources: tuple[StackResourceSummaryTypeDef, ...]


def detect_drift(aws: Aws, stack: StackState, clock: Clock = CLOCK) -> Drift:
    """Detect and read the drift of a settled stack and all stacks nested in it, several at a time.

    `BusyError` where a stack is being changed or checked by somebody else.
    """
    stacks = _tree(aws, stack.id, ROOT)
    templates = deployed_templates(aws, {found.tier: found.stack_id for found in stacks})
    require_deployed_shape(templates)
    design = Design(_side(templates, stacks, stack.name, aws.region))
    return Drift(stack.name, tuple(in_parallel(lambda found: _stack_drift(aws, found, design, clock), stacks)))


def _tree(aws: Aws, stack_id: str, tier: str) -> list[_Found]:
    resources = [r for r in stack_resources(aws, stack_id) if r["ResourceStatus"] != "DELETE_COMPLETE"]
    below = [(tier_name(r["LogicalResourceId"]), r["PhysicalResourceId"]) for r in resources if _is_nested(r)]
    names = {child: name if tier == ROOT else f"{tier}.{name}" for name, child in below}
    deeper = in_parallel(lambda child: _tree(aws, child, names[child]), names)
    return [_Found(tier, stack_id, tuple(resources)), *(found for stacks in deeper for found in stacks)]


def _is_nested(resource: StackResourceSummaryTypeDef) -> bool:
    return resource["ResourceType"] == NESTED_STACK and bool(resource.get("PhysicalResourceId"))


def _side(templates: Mapping[str, Any], stacks: list[_Found], stack_name: str, region: str) -> Side:
    """The deployed tree, each stack's template under the name that its parent's template has for it."""
    named = {ROOT: templates[ROOT]}
    for found in stacks:
        for logical_id, body in templates[found.tier].get("Resources", {}).items():
            name = tier_name(logical_id)
            tier = name if found.tier == ROOT else f"{found.tier}.{name}"
            if body["Type"] == NESTED_STACK and tier in templates:
                named[tier_of(body)] = templates[tier]
    return Side(named, stack_name=stack_name, region=region)


# --- one stack -------------------------------------------------------------------------------------------------------
def _stack_drift(aws: Aws, found: _Found, design: Design, clock: Clock) -> TierDrift:
    failure = _detect(aws, found, clock)
    entries = _entries(aws, found)
    told = {entry["LogicalResourceId"] for entry in entries if entry["StackResourceDriftStatus"] != "NOT_CHECKED"}
    return TierDrift(
        tier=found.tier,
        stack_id=found.stack_id,
        checked=len(told),
        resources=tuple(
            _resource(found.tier, entry, design)
            for entry in entries
            if entry["StackResourceDriftStatus"] not in ("IN_SYNC", "NOT_CHECKED")
            and entry["ResourceType"] != NESTED_STACK
        ),
        unchecked=tuple(
            (resource["LogicalResourceId"], resource["ResourceType"])
            for resource in found.resources
            if resource["LogicalResourceId"] not in told and resource["ResourceType"] != NESTED_STACK
        ),
        failure=failure,
    )


def _detect(aws: Aws, found: _Found, clock: Clock) -> str:
    """Run a detection to its end; why it could not tell all, "" where it could."""
    from botocore.exceptions import ClientError

    with translate("detect the drift of", f"stack {found.stack_id}"):
        try:
            detection = aws.cloudformation.detect_stack_drift(StackName=found.stack_id)["StackDriftDetectionId"]
        except ClientError as error:
            # "Drift detection is already in progress", or "cannot be performed on stack […] in status […]".
            if error_code(error) == "ValidationError" and "rift detection" in error_text(error):
                raise BusyError(
                    f"tier {found.tier}: {error_text(error)}", hint="run the command again when that has ended"
                ) from error
            raise
    for _ in polls(clock, _DETECTION_SECONDS, first=1.0, most=10.0):
        with translate("ask for the drift detection of", f"stack {found.stack_id}"):
            answer = aws.cloudformation.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if answer["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            return _failure(answer)
    raise AwsError(
        f"tier {found.tier}: drift detection has not ended after {_DETECTION_SECONDS / 60:.0f} minutes",
        hint="run the command again",
    )


def _failure(answer: DescribeStackDriftDetectionStatusOutputTypeDef) -> str:
    if answer["DetectionStatus"] != "DETECTION_FAILED":
        return ""
    return answer.get("DetectionStatusReason", "") or "AWS gives no reason"


def _entries(aws: Aws, found: _Found) -> list[StackResourceDriftTypeDef]:
    """Every entry of the result, every page; boto3 has no paginator for it."""
    entries: list[StackResourceDriftTypeDef] = []
    following: dict[str, Any] = {}
    with translate("read the drift of", f"stack {found.stack_id}"):
        while True:
            answer = aws.cloudformation.describe_stack_resource_drifts(
                StackName=found.stack_id, MaxResults=_PAGE, **following
            )
            entries += answer["StackResourceDrifts"]
            if not answer.get("NextToken"):
                return entries
            following = {"NextToken": answer["NextToken"]}


def _resource(tier: str, entry: StackResourceDriftTypeDef, design: Design) -> ResourceDrift:
    address, kind = f"{tier}.{entry['LogicalResourceId']}", entry["ResourceType"]
    return ResourceDrift(
        tier=tier,
        logical_id=entry["LogicalResourceId"],
        physical_id=entry.get("PhysicalResourceId", ""),
        type=kind,
        status=entry["StackResourceDriftStatus"],
        detail=entry.get("DriftStatusReason", ""),
        differences=tuple(_property(address, kind, found, design) for found in entry.get("PropertyDifferences", [])),
    )


def _property(address: str, kind: str, found: PropertyDifferenceTypeDef, design: Design) -> PropertyDrift:
    path = found["PropertyPath"].removeprefix("/")
    expected, actual = found.get("ExpectedValue", ""), found.get("ActualValue", "")
    reason = design.explain(address, kind, path, expected, actual)
    if is_sensitive(path):
        expected, actual = HIDDEN, HIDDEN
    return PropertyDrift(path, found["DifferenceType"], expected, actual, reason)
