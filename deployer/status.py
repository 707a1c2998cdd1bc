"""Status: where every stack of the tree stands, what waits to be executed, why the last operation failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deployer.aws import Aws, in_parallel, translate
from deployer.changes import ROOT
from deployer.execution.diagnose import Failure, ended
from deployer.execution.follow import past_operation
from deployer.execution.result import Result
from deployer.moved import CUTOVER, DATABASE, PHASE_OUTPUT, POINTER_OUTPUT, read_parameters
from deployer.stacks import StackState, describe_stack, iso, nested_stacks
from deployer.tiers import tier_name

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

_PHASE_TAG = "MigrationPhase"
_DRIFT = {"NOT_CHECKED": "not checked", "IN_SYNC": "none", "DRIFTED": "drifted", "UNKNOWN": "unknown"}


@dataclass(frozen=True, slots=True)
class TierStatus:
    """One stack of the tree. `since` is when its last operation began, `drift` what the last check found."""

    tier: str
    stack_id: str
    status: str
    reason: str
    since: str
    drift: str
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WaitingChangeSet:
    """A change set that could be executed; `reviewed` is whether it is the one that review.json binds."""

    name: str
    arn: str
    created: str
    description: str
    reviewed: bool


@dataclass(frozen=True, slots=True)
class Status:
    """The tree as it stands. `stack` is None where nothing of that name exists; `tiers` has the root first.

    `result` tells of the last operation where that failed. `phase` is that of the cutover, `pointer` the database that
    the application uses, each "" where nothing says so.
    """

    stack_name: str
    stack: StackState | None
    tiers: tuple[TierStatus, ...] = ()
    waiting: tuple[WaitingChangeSet, ...] = ()
    result: Result | None = None
    phase: str = ""
    pointer: str = ""

    @property
    def in_progress(self) -> bool:
        """Whether something works on the stack, so that there is something to follow."""
        return self.stack is not None and self.stack.status.is_in_progress

    @property
    def failed(self) -> bool:
        """Whether the last operation ended otherwise than it was meant to."""
        return self.stack is not None and self.stack.status.is_failed

    @property
    def migration_phase(self) -> str:
        """The MigrationPhase tag."""
        return self.stack.tags.get(_PHASE_TAG, "") if self.stack is not None else ""


def read_status(aws: Aws, stack_name: str, reviewed_arn: str = "") -> Status:
    """Ask AWS: the root, its nested stacks, its change sets, and the events of the last operation where that failed."""
    stack = describe_stack(aws, stack_name)
    if stack is None:
        return Status(stack_name, None)
    nested = nested_stacks(aws, stack.id)
    names = {ROOT: stack.id} | {tier_name(logical_id): stack_id for logical_id, stack_id in sorted(nested.items())}
    tiers = tuple(in_parallel(lambda item: _tier_status(aws, *item), names.items()))
    told = {tier.tier: tier.outputs for tier in tiers}
    phase, pointer = (
        told.get(tier, {}).get(output, "") for tier, output in ((CUTOVER, PHASE_OUTPUT), (DATABASE, POINTER_OUTPUT))
    )
    values = read_parameters(aws, [phase, pointer])
    return Status(
        stack_name,
        stack,
        tiers,
        _waiting(aws, stack, reviewed_arn),
        past_operation(aws, stack) if stack.status.is_failed else None,
        values.get(phase, "none yet" if phase else ""),
        values.get(pointer, ""),
    )


def _tier_status(aws: Aws, tier: str, stack_id: str) -> TierStatus:
    with translate("describe", f"stack {stack_id}"):
        stack: StackTypeDef = aws.cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
    drift = stack.get("DriftInformation", {}).get("StackDriftStatus", "NOT_CHECKED")
    return TierStatus(
        tier=tier,
        stack_id=stack_id,
        status=stack["StackStatus"],
        reason=stack.get("StackStatusReason", ""),
        since=iso(stack.get("LastUpdatedTime") or stack["CreationTime"]),
        drift=_DRIFT.get(drift, drift),
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
    )


def _waiting(aws: Aws, stack: StackState, reviewed_arn: str) -> tuple[WaitingChangeSet, ...]:
    with translate("list the change sets of", f"stack {stack.name}"):
        pages = aws.cloudformation.get_paginator("list_change_sets").paginate(StackName=stack.id)
        found = [summary for page in pages for summary in page["Summaries"]]
    return tuple(
        WaitingChangeSet(
            name=summary["ChangeSetName"],
            arn=summary["ChangeSetId"],
            created=iso(summary.get("CreationTime")),
            description=summary.get("Description", ""),
            reviewed=summary["ChangeSetId"] == reviewed_arn,
        )
        for summary in found
        if summary.get("ExecutionStatus") == "AVAILABLE"
    )


def render_status(status: Status) -> str:
    """The status as text, without a final newline."""
    stack = status.stack
    if stack is None:
        return f"{status.stack_name}: no such stack"
    width = max((len(tier.tier) for tier in status.tiers), default=0)
    longest = max((len(tier.status) for tier in status.tiers), default=0)
    rows = [
        ("status", _outcome(stack)),
        ("since", stack.since),
        ("termination protection", "on" if stack.termination_protection else "off"),
        ("migration phase", status.migration_phase or "not told by any tag"),
        *([("cutover", status.phase)] if status.phase else []),
        *([("database in use", status.pointer)] if status.pointer else []),
        *(("change set", _change_set(change_set)) for change_set in status.waiting),
    ]
    lines = [
        stack.name,
        *(f"  {name:<22}  {value}" for name, value in rows),
        "",
        f"  {'tier':<{width}}  {'status':<{longest}}  {'since':<24}  drift",
        *(
            f"  {tier.tier:<{width}}  {tier.status:<{longest}}  {tier.since:<24}  {tier.drift}"
            + (f"  {tier.reason}" if tier.reason else "")
            for tier in status.tiers
        ),
    ]
    if status.result is not None:
        failures = [*status.result.failures, *status.result.blocked]
        lines += ["", *(line for failure in failures for line in failure.lines())]
        lines += [f"next: {hint}" for hint in dict.fromkeys(failure.hint for failure in failures) if hint]
    return "\n".join(lines)


def status_document(status: Status) -> dict[str, Any]:
    """The status as JSON data; `status` is null where there is no stack."""
    stack, result = status.stack, status.result
    return {
        "stack": status.stack_name,
        "id": stack.id if stack else None,
        "status": str(stack.status) if stack else None,
        "reason": stack.reason if stack else "",
        "since": stack.since if stack else "",
        "in_progress": status.in_progress,
        "failed": status.failed,
        "termination_protection": stack.termination_protection if stack else False,
        "migration_phase": status.migration_phase,
        "cutover_phase": status.phase,
        "database_in_use": status.pointer,
        "tiers": [
            {
                "tier": tier.tier,
                "id": tier.stack_id,
                "status": tier.status,
                "reason": tier.reason,
                "since": tier.since,
                "drift": tier.drift,
            }
            for tier in status.tiers
        ],
        "change_sets": [
            {
                "name": change_set.name,
                "arn": change_set.arn,
                "created": change_set.created,
                "description": change_set.description,
                "reviewed": change_set.reviewed,
            }
            for change_set in status.waiting
        ],
        "failures": [_failure(failure) for failure in result.failures] if result else [],
        "blocked": [_failure(failure) for failure in result.blocked] if result else [],
    }


def _failure(failure: Failure) -> Mapping[str, Any]:
    return {
        "address": failure.address,
        "type": failure.type,
        "physical_id": failure.physical_id,
        "status": failure.status,
        "reason": failure.reason,
        "details": list(failure.details),
        "hint": failure.hint,
    }


def _outcome(stack: StackState) -> str:
    if stack.status.is_review:
        return f"{stack.status}: nothing has been created yet, a change set waits to be executed"
    if stack.status.is_in_progress:
        return f"{stack.status}: busy with {stack.status.operation}"
    if stack.status.is_failed:
        return ended(str(stack.status))
    return str(stack.status)


def _change_set(change_set: WaitingChangeSet) -> str:
    what = "the reviewed one, can be executed" if change_set.reviewed else "left by another review"
    when = f", created {change_set.created}" if change_set.created else ""
    return f"{change_set.name}{when}: {what}"
