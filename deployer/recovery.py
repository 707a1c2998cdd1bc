"""States from which nothing can be deployed: what a stack needs before a change set, and who must decide it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deployer.aws import Aws, in_parallel, translate
from deployer.change_set import Kind
from deployer.changes import NESTED_STACK, ROOT
from deployer.clock import CLOCK, Clock
from deployer.errors import StackStateError
from deployer.leftovers import delete_stack
from deployer.stacks import StackState, stack_resources
from deployer.tiers import tier_name

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackResourceSummaryTypeDef


@dataclass(frozen=True, slots=True)
class StuckResource:
    """A resource that is in the way. `skip_as` is its name in ContinueUpdateRollback's ResourcesToSkip.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ContinueUpdateRollback.html
    """

    address: str
    type: str
    physical_id: str
    status: str
    reason: str
    skip_as: str

    def __str__(self) -> str:
        where = f"{self.address} ({self.type}" + (f", {self.physical_id})" if self.physical_id else ")")
        return f"{where} is {self.status}: {self.reason or 'AWS gives no reason'}"


def make_ready(
    aws: Aws, state: StackState | None, *, durable: bool, say: Callable[[str], None], clock: Clock = CLOCK
) -> Kind:
    """The type of change set that the stack can take; `StackStateError` where a person must decide first.

    `state` is settled (`wait_until_settled`). A creation that was rolled back is deleted where it holds nothing and the
    environment is not durable: that loses no data, and nothing else can be done with it.
    """
    if state is None or state.status.is_review:
        return "CREATE"
    if state.parent_id:
        raise StackStateError(
            f"stack {state.name} is nested in {state.root_id}", hint="deploy the root: its change sets reach this one"
        )
    if state.status.can_update:
        return "UPDATE"
    if state.status.is_failed_creation:
        _clear(aws, state, durable=durable, say=say, clock=clock)
        return "CREATE"
    raise explain(aws, state)


def _clear(aws: Aws, state: StackState, *, durable: bool, say: Callable[[str], None], clock: Clock) -> None:
    """Delete a rolled back creation, or say what keeps it."""
    remains = remaining_resources(aws, state)
    if not remains and not durable:
        say(f"stack {state.name}: its creation was rolled back and it holds nothing; deleting it")
        delete_stack(aws, state, clock)
        return
    problems = [
        f"stack {state.name} is {state.status}: its creation failed, and it can only be deleted",
        *(f"what remains of it: {resource}" for resource in remains),
    ]
    command = f"aws cloudformation delete-stack --stack-name {state.name}"
    if state.termination_protection:
        command = (
            f"aws cloudformation update-termination-protection --stack-name {state.name} "
            f"--no-enable-termination-protection, then {command}"
        )
    keep = " (what was retained stays in the account and keeps its name: save or delete it first)" if remains else ""
    raise StackStateError(problems, hint=f"{command}{keep}, then run the command again")


def explain(aws: Aws, state: StackState) -> StackStateError:
    """The error that says why nothing can be deployed to the stack, naming every resource that is in the way."""
    stuck = stuck_resources(aws, state)
    problems = [
        f"stack {state.name} is {state.status}" + (f": {state.reason}" if state.reason else ""),
        *(str(resource) for resource in stuck),
    ]
    if state.status.needs_continue_rollback:
        hint = (
            "remove the cause, then: deploy.py status --continue-rollback; --skip ADDRESS leaves a resource as it is, "
            "and its template no longer tells the truth"
        )
    elif state.status.text == "DELETE_FAILED":
        hint = "remove the cause, then run deploy.py destroy again"
    elif state.status.text == "ROLLBACK_FAILED":
        hint = (
            "nothing but deletion is left to it: remove the cause, then "
            f"aws cloudformation delete-stack --stack-name {state.name}"
        )
    else:
        hint = f"see: aws cloudformation describe-stack-events --stack-name {state.name}"
    return StackStateError(problems, hint=hint)


def continue_rollback(aws: Aws, state: StackState, skip: Collection[str] = ()) -> tuple[StuckResource, ...]:
    """Go on with the rollback of an update that failed to roll back; returns what it had failed at.

    `skip` are addresses (`database.Cluster`) among those, and only what is named is skipped: CloudFormation then takes
    them for rolled back, whatever they are. Follow the stack's events afterwards.
    """
    if not state.status.needs_continue_rollback:
        raise StackStateError(
            f"stack {state.name} is {state.status}: there is no rollback to continue",
            hint="deploy.py status shows more",
        )
    stuck = stuck_resources(aws, state)
    known = {resource.address: resource.skip_as for resource in stuck}
    unknown = [address for address in skip if address not in known]
    if unknown:
        raise StackStateError(
            [f"{address}: not among the resources that the rollback failed at" for address in unknown],
            hint=f"they are: {', '.join(known) or 'none that AWS names'}",
        )
    with translate("continue the rollback of", f"stack {state.name}"):
        aws.cloudformation.continue_update_rollback(
            StackName=state.id, ResourcesToSkip=[known[address] for address in dict.fromkeys(skip)]
        )
    return stuck


def stuck_resources(aws: Aws, state: StackState) -> tuple[StuckResource, ...]:
    """The resources that an operation failed at, in the whole tree; a nested stack only where none in it is named."""
    return _walk(aws, state.id, ROOT, lambda resource: resource["ResourceStatus"].endswith("_FAILED"))


def remaining_resources(aws: Aws, state: StackState) -> tuple[StuckResource, ...]:
    """What a rolled back creation left in the account, retained resources of deleted nested stacks included."""
    return _walk(aws, state.id, ROOT, lambda resource: resource["ResourceStatus"] != "DELETE_COMPLETE", everywhere=True)


def _walk(
    aws: Aws,
    stack_id: str,
    tier: str,
    wanted: Callable[[StackResourceSummaryTypeDef], bool],
    *,
    everywhere: bool = False,
) -> tuple[StuckResource, ...]:
    """The wanted resources of a stack and of its nested ones: the wanted ones of these, or `everywhere` all of them."""
    resources = stack_resources(aws, stack_id)
    below = [r for r in resources if _is_nested(r) and (everywhere or wanted(r))]
    found_below = in_parallel(
        lambda r: _walk(aws, r["PhysicalResourceId"], _tier(tier, r), wanted, everywhere=everywhere), below
    )
    inside = dict(zip((r["LogicalResourceId"] for r in below), found_below, strict=True))
    found: list[StuckResource] = []
    for resource in resources:
        nested: Iterable[StuckResource] = inside.get(resource["LogicalResourceId"], ())
        if not nested and wanted(resource):
            nested = (_stuck(resource, stack_id, tier),)
        found += nested
    return tuple(found)


def _is_nested(resource: StackResourceSummaryTypeDef) -> bool:
    return resource["ResourceType"] == NESTED_STACK and bool(resource.get("PhysicalResourceId"))


def _tier(parent: str, resource: StackResourceSummaryTypeDef) -> str:
    name = tier_name(resource["LogicalResourceId"])
    return name if parent == ROOT else f"{parent}.{name}"


def _stuck(resource: StackResourceSummaryTypeDef, stack_id: str, tier: str) -> StuckResource:
    logical_id = resource["LogicalResourceId"]
    # The nested stack is named by its own name, not by its logical id in the root.
    stack_name = stack_id.partition("stack/")[2].partition("/")[0]
    return StuckResource(
        address=f"{tier}.{logical_id}",
        type=resource["ResourceType"],
        physical_id=resource.get("PhysicalResourceId", ""),
        status=resource["ResourceStatus"],
        reason=resource.get("ResourceStatusReason", ""),
        skip_as=logical_id if tier == ROOT else f"{stack_name}.{logical_id}",
    )
