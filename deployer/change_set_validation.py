"""Early validation: what AWS has checked of a change set beside the template, and warns of or fails on.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deployer.aws import Aws
from deployer.aws_failures import describe, failures

MARK = "AWS::EarlyValidation"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found; `fails` where it keeps the change set from being created. `logical_id` is "" for no resource."""

    logical_id: str
    text: str
    fails: bool


@dataclass(slots=True)
class Validation:
    """Reads the findings of a tree's change sets; where the first call is refused, no other is made.

    Nothing depends on them: an endpoint that lacks the operation, or missing permission, costs a warning only.
    """

    aws: Aws
    unavailable: str = field(default="", init=False)

    def findings(self, arn: str) -> list[Finding]:
        """The findings of one change set, every page; none when they cannot be had, which `unavailable` then tells."""
        if self.unavailable:
            return []
        found: list[Finding] = []
        arguments: dict[str, Any] = {"ChangeSetName": arn, "Filters": {"FailedEvents": True}}
        try:
            while True:
                page = self.aws.cloudformation.describe_events(**arguments)
                found += [
                    _finding(event)
                    for event in page.get("OperationEvents", [])
                    if event.get("EventType") == "VALIDATION_ERROR"
                ]
                if not page.get("NextToken"):
                    return found
                arguments["NextToken"] = page["NextToken"]
        except failures() as error:
            what, _ = describe(error)
            self.unavailable = f"early validation: its warnings, if there are any, cannot be read: {what}"
            return found


def _finding(event: Mapping[str, Any]) -> Finding:
    name = event.get("ValidationName", "validation")
    reason = event.get("ValidationStatusReason") or event.get("ResourceStatusReason") or "AWS gives no reason"
    path = event.get("ValidationPath", "")
    if event.get("ValidationStatus") == "SKIPPED":
        reason = f"was skipped: {reason}"
    text = f"{name}: {reason}" + (f" (at {path})" if path else "")
    return Finding(event.get("LogicalResourceId", ""), text, event.get("ValidationFailureMode", "FAIL") == "FAIL")
