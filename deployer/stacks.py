"""Stacks as they are deployed: state, nested stacks, templates; and waiting until nobody works on one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from deployer.aws import READERS, Aws, error_code, error_text, in_parallel, translate
from deployer.changes import NESTED_STACK
from deployer.clock import CLOCK, Clock, polls
from deployer.errors import BusyError
from deployer.execution.durations import duration
from deployer.stack_status import StackStatus
from deployer.template_text import read_template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackResourceSummaryTypeDef, StackTypeDef

_RETELL_SECONDS = 60.0
_POLL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as DescribeStacks tells it.

    `id` is its ARN. Times are ISO 8601 in UTC; `last_updated` is "" when it never was. `tags` are without AWS's own
    (aws:…). `parent_id` and `root_id` are "" for a stack that is not nested.
    """

    name: str
    id: str
    status: StackStatus
    reason: str
    outputs: Mapping[str, str]
    tags: Mapping[str, str]
    last_updated: str
    termination_protection: bool
    parent_id: str
    root_id: str
    created: str = ""

    @property
    def since(self) -> str:
        """When the last operation began; DescribeStacks tells no more than that."""
        return self.last_updated or self.created

    @property
    def account(self) -> str:
        """The account of the stack: its id has it, so that nobody need ask."""
        return self.id.split(":")[4]


def describe_stack(aws: Aws, name_or_id: str) -> StackState | None:
    """The stack, None where there is none of this name or id; any other refusal is an `AwsError`."""
    from botocore.exceptions import ClientError

    with translate("describe", f"stack {name_or_id}"):
        try:
            answer = aws.cloudformation.describe_stacks(StackName=name_or_id)
        except ClientError as error:
            # Missing permissions, say, must never look like a missing stack: https://github.com/aws/aws-cdk-cli/pull/1845
            if error_code(error) == "ValidationError" and error_text(error).endswith("does not exist"):
                return None
            raise
        return _state(answer["Stacks"][0])


def _state(stack: StackTypeDef) -> StackState:
    return StackState(
        name=stack["StackName"],
        id=stack.get("StackId", ""),
        status=StackStatus(stack["StackStatus"]),
        reason=stack.get("StackStatusReason", ""),
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        tags={tag["Key"]: tag["Value"] for tag in stack.get("Tags", []) if not tag["Key"].startswith("aws:")},
        last_updated=iso(stack.get("LastUpdatedTime")),
        termination_protection=stack.get("EnableTerminationProtection", False),
        parent_id=stack.get("ParentId", ""),
        root_id=stack.get("RootId", ""),
        created=iso(stack["CreationTime"]),
    )


def iso(time: datetime | None) -> str:
    """A time as ISO 8601 in UTC with milliseconds, "" for none."""
    return "" if time is None else time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stack_resources(aws: Aws, name_or_id: str) -> list[StackResourceSummaryTypeDef]:
    """Every resource of a stack, every page; a deleted stack needs its id."""
    with translate("list the resources of", f"stack {name_or_id}"):
        pages = aws.cloudformation.get_paginator("list_stack_resources").paginate(StackName=name_or_id)
        return [resource for page in pages for resource in page["StackResourceSummaries"]]


def nested_stacks(aws: Aws, stack_id: str) -> dict[str, str]:
    """The stack's own nested stacks that exist: physical id (their ARN) by logical id; not those of its children."""
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in stack_resources(aws, stack_id)
        if resource["ResourceType"] == NESTED_STACK
        and resource.get("PhysicalResourceId")
        and resource["ResourceStatus"] != "DELETE_COMPLETE"
    }


def template_of(aws: Aws, stack_id: str) -> dict[str, Any]:
    """The template that a stack was deployed from, as it was given to AWS."""
    with translate("read the template of", f"stack {stack_id}"):
        answer = aws.cloudformation.get_template(StackName=stack_id, TemplateStage="Original")
    return read_template(answer["TemplateBody"], f"stack {stack_id}")


def deployed_templates(aws: Aws, ids: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The deployed template of each tier; `ids` are stack ids by tier."""
    templates = in_parallel(lambda stack_id: template_of(aws, stack_id), ids.values(), READERS)
    return dict(zip(ids, templates, strict=True))


def wait_until_settled(
    aws: Aws, name: str, seconds: float, say: Callable[[str], None], clock: Clock = CLOCK
) -> StackState | None:
    """The stack once nobody works on it, None where it is gone by then; `BusyError` when `seconds` have passed.

    A stack that nobody works on costs one call. `say` gets a line when the wait begins, when the status changes, and
    every minute.
    """
    told, told_at, busy = "", 0.0, ""
    for passed in polls(clock, seconds, first=_POLL_SECONDS, most=_POLL_SECONDS):
        state = describe_stack(aws, name)
        if state is None or state.status.ended:
            return None if state is None or state.status.is_deleted else state
        busy = _busy(state, clock)
        if seconds and (state.status.text != told or passed - told_at >= _RETELL_SECONDS):
            told, told_at = state.status.text, passed
            say(f"{busy}; waiting for it, {duration(seconds - passed)} more at most")
    raise BusyError(
        busy,
        hint="run the command again when it has ended, or wait for it with --wait SECONDS; "
        "deploy.py status shows how it gets on",
    )


def _busy(state: StackState, clock: Clock) -> str:
    age = clock.epoch() - datetime.fromisoformat(state.since).timestamp()
    return (
        f"stack {state.name} is busy with {state.status.operation} ({state.status}) "
        f"since {state.since} ({duration(age)})"
    )


def nothing_to_change(
    state: StackState | None,
    deployed_root: Mapping[str, Any],
    packaged_root: Mapping[str, Any],
    tags: Mapping[str, str],
) -> bool:
    """Whether a deployment would change nothing: the packaged root names the whole tree by content.

    The roots' Metadata says nothing of what is deployed, and AWS changes it only together with a resource: a change set
    of it alone is refused as one without changes.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/metadata-section-structure.html

    A stack that an operation left unfinished or rolled back never counts: a rollback may have left a nested stack
    different from what the root's template says.
    """
    return (
        state is not None
        and state.status.is_good
        and _without_metadata(deployed_root) == _without_metadata(packaged_root)
        and dict(state.tags) == dict(tags)
    )


def _without_metadata(root: Mapping[str, Any]) -> dict[str, Any]:
    return {section: body for section, body in root.items() if section != "Metadata"}
