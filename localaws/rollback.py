"""Undoing an update: every resource back to what it was, from nothing but what the stack remembers of before.

Because it reads only the state, it can be run again: after ContinueUpdateRollback, and after a restart.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-continueupdaterollback.html
"""

from __future__ import annotations

from dataclasses import replace

from localaws.core import Core
from localaws.deletion import Remover
from localaws.events import Log
from localaws.hands import Hands, Refusal
from localaws.language import normal
from localaws.stacks import Before, Resource, Stack
from localaws.template import NESTED_STACK, load

_CLEANUP = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"


class Undoer:
    """Rolls updates back."""

    def __init__(self, core: Core, log: Log, hands: Hands, remover: Remover) -> None:
        self._core = core
        self._remover = remover
        self._log = log
        self._hands = hands

    def undo(self, stack: Stack, reason: str, skip: frozenset[str] = frozenset()) -> str:
        """Bring a stack back; "" or why it stands as UPDATE_ROLLBACK_FAILED. What was made is left to the cleanup.

        `skip` names resources to take as they are: "LogicalId" of the root, "NestedStackName.LogicalId" below it.
        """
        before = stack.before
        if before is None or stack.status == _CLEANUP:
            return ""
        if stack.status != "UPDATE_ROLLBACK_IN_PROGRESS":
            self._log.stack(stack, "UPDATE_ROLLBACK_IN_PROGRESS", reason)
        self._settle_interrupted(stack)
        order = load(before.wanted.body).order
        for name in (*order, *(other for other in before.resources if other not in order)):
            if name in before.resources and not self._restore(stack, before, name, skip):
                told = f"The following resource(s) failed to update: [{name}]. "
                self._log.stack(stack, "UPDATE_ROLLBACK_FAILED", told)
                return told
        self._drop_new(stack, before)
        with self._core.lock:
            stack.wanted = before.wanted
            stack.outputs = before.outputs
        self._log.stack(stack, _CLEANUP)
        return ""

    def _settle_interrupted(self, stack: Stack) -> None:
        """What was under way when the update stopped counts as failed."""
        for resource in stack.resources.values():
            if resource.status.endswith("_IN_PROGRESS"):
                verb = "CREATE" if resource.status.startswith("CREATE") else "UPDATE"
                self._log.resource(stack, resource, f"{verb}_FAILED", "Resource update cancelled")

    def _restore(self, stack: Stack, before: Before, name: str, skip: frozenset[str]) -> bool:
        old, current = before.resources[name], stack.resources.get(name)
        if current is None:  # dropped by the update, and still there: the cleanup had not begun
            with self._core.lock:
                stack.resources[name] = replace(old)
            return True
        address = f"{stack.name}.{name}" if stack.parent_id else name
        if address in skip:
            self._log.resource(stack, current, "UPDATE_COMPLETE")
            return True
        if current.physical_id != old.physical_id:
            with self._core.lock:
                rank = self._core.template(stack).order.index(name)
                self._remover.discard(stack, current, rank)
                stack.resources[name] = replace(old)
            self._log.resource(stack, stack.resources[name], "UPDATE_COMPLETE")
            return True
        if current.type == NESTED_STACK:
            return self._restore_nested(stack, old, current, skip)
        changed = normal(current.properties) != normal(old.properties) or current.tags != old.tags
        if changed or current.status.endswith("_FAILED"):
            self._log.resource(stack, current, "UPDATE_IN_PROGRESS", "", old.properties)
            applied, current.properties, current.tags = current.properties, old.properties, old.tags
            try:
                if changed:
                    self._hands.update(stack, current, applied)
            except Refusal as refusal:
                with self._core.lock:
                    current.properties = applied
                self._log.resource(stack, current, "UPDATE_FAILED", str(refusal))
                return False
            self._log.resource(stack, current, "UPDATE_COMPLETE")
        with self._core.lock:
            current.body = old.body
        return True

    def _restore_nested(self, stack: Stack, old: Resource, current: Resource, skip: frozenset[str]) -> bool:
        child = self._core.state.stacks[current.physical_id]
        touched = child.before is not None
        if touched or current.status.endswith("_FAILED"):
            self._log.resource(stack, current, "UPDATE_IN_PROGRESS", "", old.properties)
        reason = self.undo(child, "", skip) if touched else ""
        if reason:
            told = (
                f"Embedded stack {child.id} was not successfully updated. Currently in {child.status} with reason: "
                f"{child.reason}"
            )
            self._log.resource(stack, current, "UPDATE_FAILED", told)
            return False
        with self._core.lock:
            current.body, current.properties, current.tags = old.body, old.properties, old.tags
            current.attributes = old.attributes
        if current.status.endswith(("_FAILED", "_IN_PROGRESS")):
            self._log.resource(stack, current, "UPDATE_COMPLETE")
        return True

    def _drop_new(self, stack: Stack, before: Before) -> None:
        ranks = {name: rank for rank, name in enumerate(self._core.template(stack).order)}
        with self._core.lock:
            for name in [name for name in stack.resources if name not in before.resources]:
                resource = stack.resources.pop(name)
                if resource.physical_id:
                    self._remover.discard(stack, resource, ranks.get(name, 0))
