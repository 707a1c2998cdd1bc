"""Change sets of a tree of stacks: made, executed, deleted.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/change-sets-for-nested-stacks.html
"""

from __future__ import annotations

from typing import Any

from localaws import quotas
from localaws.api_errors import ApiError
from localaws.core import GONE, Core
from localaws.early_validation import Validator
from localaws.events import Log
from localaws.executor import nested_wanted
from localaws.planner import Plan, Planner, only_automatic
from localaws.stacks import NO_CHANGES, ChangeSet, Stack, nothing

ONLY_FROM_ROOT = "Only executable from the root change set."
STOPPED = "The embedded AWS stopped while it made this change set."


class Builder:
    """Fills in change sets that were asked for."""

    def __init__(self, core: Core, logger: Log) -> None:
        self._core = core
        self._log = logger

    def build(self, change_set: ChangeSet) -> None:
        """Plan a root change set and, where it includes nested stacks, theirs."""
        self._core.clock.sleep(self._core.delay)
        self._set(change_set, "CREATE_IN_PROGRESS")
        self._core.clock.sleep(self._core.delay)
        self._build(change_set)

    def _set(self, change_set: ChangeSet, status: str, reason: str = "") -> None:
        with self._core.lock:
            change_set.status, change_set.reason = status, reason
            executable = status == "CREATE_COMPLETE" and not change_set.parent_id
            change_set.execution_status = "AVAILABLE" if executable else "UNAVAILABLE"

    def _build(self, change_set: ChangeSet) -> None:
        stack = self._core.state.stacks[change_set.stack_id]
        creating = change_set.type == "CREATE"
        try:
            planner = Planner(self._core, stack, change_set.wanted, creating=creating)
            plan = planner.plan()
        except ApiError as wrong:
            self._set(change_set, "FAILED", wrong.message)
            return
        with self._core.lock:
            change_set.changes = plan.changes
        reason = (
            Validator(self._core, change_set, stack).run(plan.changes, planner.added) if change_set.validate else ""
        )
        if not reason and change_set.include_nested:
            reason = self._build_nested(change_set, stack, plan)
        if reason:
            self._set(change_set, "FAILED", reason)
        elif not self._changes(change_set, plan):
            self._set(change_set, "FAILED", NO_CHANGES)
        else:
            self._set(change_set, "CREATE_COMPLETE", ONLY_FROM_ROOT if change_set.parent_id else "")

    def _changes(self, change_set: ChangeSet, plan: Plan) -> bool:
        if plan.altered:
            return True
        for change in plan.changes:
            child = self._core.state.change_sets.get(change_set.children.get(change["LogicalResourceId"], ""))
            if not (only_automatic(change) and child is not None and child.unchanged):
                return True
        return False

    # --- nested stacks ------------------------------------------------------------------------------------------------
    def _build_nested(self, change_set: ChangeSet, stack: Stack, plan: Plan) -> str:
        """The change sets of the nested stacks; "" or why the parent's fails."""
        reason = ""
        for name, properties in plan.nested.items():
            try:
                child = self._nested(change_set, stack, name, properties)
            except ApiError as wrong:
                return wrong.message
            change = next(one for one in plan.changes if one["LogicalResourceId"] == name)
            with self._core.lock:
                change_set.children[name] = child.id
                change["ChangeSetId"] = child.id
            if child.status != "FAILED":
                self._build(child)
            if child.status == "FAILED" and not child.unchanged:
                reason = reason or (f"Nested change set {child.id} was not successfully created: Currently in FAILED.")
        return reason

    def _nested(self, change_set: ChangeSet, stack: Stack, name: str, properties: dict[str, Any]) -> ChangeSet:
        """A nested stack's change set, its stack made as a shell where there is none yet."""
        current = stack.resources.get(name) if change_set.type == "UPDATE" else None
        child = self._core.state.stacks.get(current.physical_id) if current is not None else None
        failure = ""
        try:
            wanted = nested_wanted(self._core, change_set.wanted, properties, None, child)
        except ApiError as wrong:
            failure = wrong.message
            wanted = child.wanted if child is not None else nothing()
        creating = child is None
        if child is None:
            child = self._shell(change_set, stack, name)
        check_room(self._core, child)
        made = ChangeSet(
            id=self._core.change_set_id(stack.region, f"{child.name}-{change_set.name}"[:128]),
            name=f"{child.name}-{change_set.name}"[:128],
            stack_id=child.id,
            stack_name=child.name,
            region=stack.region,
            type="CREATE" if creating else "UPDATE",
            wanted=wanted,
            created=self._core.clock.now(),
            status="FAILED" if failure else "CREATE_IN_PROGRESS",
            reason=failure,
            include_nested=True,
            on_stack_failure=change_set.on_stack_failure,
            parent_id=change_set.id,
            root_id=change_set.root_id or change_set.id,
            operation_id=change_set.operation_id,
            validate=change_set.validate,
        )
        with self._core.lock:
            self._core.state.change_sets[made.id] = made
        return made

    def _shell(self, change_set: ChangeSet, stack: Stack, name: str) -> Stack:
        shell_name = self._core.unique_name(stack.name, name)
        shell = Stack(
            id=self._core.stack_id(stack.region, shell_name),
            name=shell_name,
            region=stack.region,
            wanted=nothing(),
            created=self._core.clock.now(),
            parent_id=stack.id,
            root_id=self._core.root(stack).id,
            parent_logical_id=name,
        )
        self._log.begin(shell, "CREATE", "", change_set.operation_id)
        with self._core.lock:
            self._core.state.stacks[shell.id] = shell
            change_set.shells.append(shell.id)
            self._log.stack(shell, "REVIEW_IN_PROGRESS", "User Initiated")
        return shell


def check_room(core: Core, stack: Stack) -> None:
    """LimitExceeded where a stack has as many change sets as it may; those of nested stacks pile up after executions.

    https://github.com/aws/copilot-cli/issues/4426
    """
    count = sum(not listed_no_more(other) for other in core.change_sets(stack))
    if count >= quotas.CHANGE_SETS:
        raise quotas.limit_exceeded(f"ChangeSet limit exceeded for stack {stack.id}")


def listed_no_more(change_set: ChangeSet) -> bool:
    """Whether a change set is gone from the list of its stack: deleted, or carried out."""
    return change_set.deleted or change_set.execution_status in ("EXECUTE_COMPLETE", "EXECUTE_FAILED")


def descendants(core: Core, change_set: ChangeSet) -> list[ChangeSet]:
    """A change set and those below it."""
    found = [change_set]
    for child_id in change_set.children.values():
        found += descendants(core, core.state.change_sets[child_id])
    return found


def mark_executed(core: Core, change_set: ChangeSet, status: str) -> None:
    """Tell of a whole tree that it is being, or was, carried out; what had nothing to change stays FAILED, for good."""
    with core.lock:
        for one in descendants(core, change_set):
            if one.status == "CREATE_COMPLETE":
                one.execution_status = status


def make_obsolete(core: Core, stack: Stack, executed: ChangeSet | None = None) -> None:
    """No other change set of a stack holds once the stack is being changed."""
    for other in core.change_sets(stack):
        if other is not executed and other.execution_status == "AVAILABLE":
            other.execution_status = "OBSOLETE"


def delete(core: Core, logger: Log, change_set: ChangeSet) -> None:
    """Delete a root change set with those below it, and the stacks that were made for it alone."""
    for one in descendants(core, change_set):
        one.deleted = True
        for shell_id in one.shells:
            shell = core.state.stacks[shell_id]
            if shell.status == "REVIEW_IN_PROGRESS":
                logger.stack(shell, GONE)
