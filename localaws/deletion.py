"""Removing resources, as their policies say: of a stack that goes, and of an update that is done or undone.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from localaws.core import GONE, Core
from localaws.events import Log
from localaws.hands import Hands, Refusal
from localaws.stacks import Before, Discarded, Resource, Stack
from localaws.template import NESTED_STACK, load


def default_policy(resource_type: str, properties: dict[str, Any]) -> str:
    """The DeletionPolicy of a resource that states none: a snapshot of a database, deletion of all else."""
    if resource_type == "AWS::RDS::DBCluster":
        return "Snapshot"
    if resource_type == "AWS::RDS::DBInstance" and "DBClusterIdentifier" not in properties:
        return "Snapshot"
    return "Delete"


def deletion_policy(resource: Resource) -> str:
    """What becomes of a resource when it leaves its stack."""
    policy: str = resource.body.get("DeletionPolicy") or default_policy(resource.type, resource.properties)
    return policy


def replace_policy(resource: Resource) -> str:
    """What becomes of the old resource when a new one takes its place."""
    policy: str = resource.body.get("UpdateReplacePolicy") or "Delete"
    return policy


class Remover:
    """Deletes what has to go."""

    def __init__(self, core: Core, log: Log, hands: Hands) -> None:
        self._core = core
        self._log = log
        self._hands = hands

    # --- one resource -------------------------------------------------------------------------------------------------
    def remove(self, stack: Stack, resource: Resource, policy: str) -> bool:
        """Delete one unless its policy keeps it; False where that fails."""
        if policy.startswith("Retain"):
            self._log.resource(stack, resource, "DELETE_SKIPPED")
            return True
        self._log.resource(stack, resource, "DELETE_IN_PROGRESS")
        try:
            if resource.type == NESTED_STACK:
                self._remove_nested(stack, resource)
            elif resource.physical_id:
                self._hands.delete(stack, resource)
                self._core.clock.sleep(self._core.delay)
        except Refusal as refusal:
            self._log.resource(stack, resource, "DELETE_FAILED", str(refusal))
            return False
        if policy == "Snapshot":
            with self._core.lock:
                stack.snapshots.append((resource.logical_id, resource.physical_id))
        self._log.resource(stack, resource, "DELETE_COMPLETE")
        return True

    def _remove_nested(self, stack: Stack, resource: Resource) -> None:
        child = self._core.state.stacks.get(resource.physical_id)
        if child is None or child.status == GONE:
            return
        self._log.begin(child, "DELETE", stack.token, stack.operation_id)
        with self._core.lock:
            child.deletion_mode = stack.deletion_mode
            self._log.stack(child, "DELETE_IN_PROGRESS")
        reason = self.delete_stack(child)
        if reason:
            raise Refusal(f"Embedded stack {child.id} was not successfully deleted: {reason}")

    # --- a whole stack ------------------------------------------------------------------------------------------------
    def delete_stack(self, stack: Stack, retain: Iterable[str] = ()) -> str:
        """Delete a stack, DELETE_IN_PROGRESS already, with all that is in it; "" or why it stands as DELETE_FAILED."""
        failed = self.remove_resources(stack, set(retain))
        if failed:
            told = f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
            self._log.stack(stack, "DELETE_FAILED", told)
            return told
        with self._core.lock:
            stack.before = None
            for change_set in self._core.change_sets(stack):
                change_set.deleted = True
            for shell in self._core.children(stack):
                if shell.status == "REVIEW_IN_PROGRESS":
                    self._log.stack(shell, GONE)
        self._log.stack(stack, GONE)
        return ""

    def remove_resources(self, stack: Stack, retain: set[str], *, rolling_back: bool = False) -> list[str]:
        """Delete what a stack holds, dependents first; the names of those that cannot be deleted.

        What a resource that stays depends on stays with it, untried. A creation that is rolled back deletes
        RetainExceptOnCreate, and Retain where the request said RetainExceptOnCreate.
        """
        template = self._core.template(stack)
        order = [*template.order, *(name for name in stack.resources if name not in template.resources)]
        failed: list[str] = []
        staying: set[str] = set()
        leftovers = [*((entry.resource.logical_id, entry.resource) for entry in stack.discarded)]
        if stack.before is not None:
            leftovers += [(name, old) for name, old in stack.before.resources.items() if _differs(stack, name, old)]
        current = [(name, stack.resources[name]) for name in reversed(order) if name in stack.resources]
        for name, resource in (*leftovers, *current):
            if resource.status in (GONE, "DELETE_SKIPPED"):
                continue
            dependents = {other for other, needs in template.dependencies.items() if name in needs}
            if dependents & staying:
                staying.add(name)
                continue
            policy = "Retain" if name in retain else deletion_policy(resource)
            if rolling_back and (policy == "RetainExceptOnCreate" or stack.retain_except_on_create):
                policy = "Delete"
            if not resource.physical_id and policy.startswith("Retain") and name not in retain:
                policy = "Delete"  # there is nothing to keep
            if self.remove(stack, resource, policy):
                continue
            if stack.deletion_mode == "FORCE_DELETE_STACK":
                self._log.resource(stack, resource, "DELETE_SKIPPED", "Resource deletion failed and was forced")
                continue
            failed.append(name)
            staying.add(name)
        return failed

    def discard(self, stack: Stack, resource: Resource, rank: int = 0) -> None:
        """Let the cleanup remove a resource that no longer stands for its name; `rank` is its place in its template."""
        with self._core.lock:
            stack.discarded.append(Discarded(resource, rank))

    # --- after an update ----------------------------------------------------------------------------------------------
    def clean_up(self, stack: Stack) -> None:
        """Remove what an update replaced or dropped, in the whole tree; what cannot be removed is left, and told."""
        before = stack.before
        rolled_back = stack.status.startswith("UPDATE_ROLLBACK")
        items: list[tuple[int, Resource, str]] = [(entry.rank, entry.resource, "") for entry in stack.discarded]
        if before is not None and not rolled_back:
            items += _outdated(stack, before)
        ranks = {name: rank for rank, name in enumerate(self._core.template(stack).order)}
        for name, resource in stack.resources.items():
            if resource.type == NESTED_STACK:
                items.append((ranks.get(name, 0), resource, "nested"))
        for _, resource, policy in sorted(items, key=lambda item: item[0], reverse=True):
            if policy == "nested":
                child = self._core.state.stacks.get(resource.physical_id)
                if child is not None and child.status.endswith("_CLEANUP_IN_PROGRESS"):
                    self.clean_up(child)
            else:
                self.remove(stack, resource, policy or "Delete")
        with self._core.lock:
            stack.before = None
            stack.discarded = []
            stack.policy_during_update = ""
            stack.cancelled = False
        self._log.stack(stack, "UPDATE_ROLLBACK_COMPLETE" if rolled_back else "UPDATE_COMPLETE")


def _differs(stack: Stack, name: str, old: Resource) -> bool:
    current = stack.resources.get(name)
    return current is None or current.physical_id != old.physical_id


def _outdated(stack: Stack, before: Before) -> list[tuple[int, Resource, str]]:
    """What an update left: replaced resources by their new UpdateReplacePolicy, dropped ones by DeletionPolicy."""
    found = []
    ranks = {name: rank for rank, name in enumerate(load(before.wanted.body).order)}
    for name, old in before.resources.items():
        current = stack.resources.get(name)
        if current is None:
            found.append((ranks.get(name, 0), old, deletion_policy(old)))
        elif current.physical_id != old.physical_id:
            found.append((ranks.get(name, 0), old, replace_policy(current)))
    return found
