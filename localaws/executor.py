"""Operations on stacks: creation, update, deletion, rollback, each through its statuses, for a tree of nested stacks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html#cfn-console-view-stack-data-resources-status-codes
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from localaws import quotas
from localaws.api_errors import ApiError, invalid
from localaws.core import GONE, Core
from localaws.deletion import Remover
from localaws.events import Log
from localaws.hands import Hands, Refusal
from localaws.language import text
from localaws.parameters import chosen
from localaws.provision import Provisioner, outputs_of
from localaws.rollback import Undoer
from localaws.stacks import ChangeSet, Resource, Stack, Wanted
from localaws.template import load
from localaws.template_checks import check, check_capabilities, refuse_strange_properties

STOPPED = "The embedded AWS stopped during this operation. "


class Executor:
    """Carries out operations; every method runs to the end, in whatever thread calls it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.log = Log(core)
        self.hands = Hands(core)
        self.remover = Remover(core, self.log, self.hands)
        self._undoer = Undoer(core, self.log, self.hands, self.remover)
        self._provisioner = Provisioner(core, self.log, self.hands, self)

    # --- creation -----------------------------------------------------------------------------------------------------
    def create(self, stack: Stack) -> str:
        """Make a stack, CREATE_IN_PROGRESS already, of what it wants; "" or why it failed."""
        failure = self._provision(stack)
        if not failure:
            self.log.stack(stack, "CREATE_COMPLETE")
        elif stack.disable_rollback or stack.on_failure == "DO_NOTHING":
            self.log.stack(stack, "CREATE_FAILED", failure)
        elif stack.on_failure == "DELETE":
            self.log.stack(stack, "CREATE_FAILED", failure)
            self.log.stack(stack, "DELETE_IN_PROGRESS", f"{failure}Delete requested by user.")
            self.remover.delete_stack(stack)
        else:
            self.undo_creation(stack, f"{failure}Rollback requested by user.")
        return failure

    def undo_creation(self, stack: Stack, reason: str) -> None:
        """Delete what a creation has made; the stack itself stays, as ROLLBACK_COMPLETE."""
        if stack.status != "ROLLBACK_IN_PROGRESS":
            self.log.stack(stack, "ROLLBACK_IN_PROGRESS", reason)
        failed = self.remover.remove_resources(stack, set(), rolling_back=True)
        if failed:
            told = f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
            self.log.stack(stack, "ROLLBACK_FAILED", told)
        else:
            self.log.stack(stack, "ROLLBACK_COMPLETE")

    def _provision(self, stack: Stack) -> str:
        try:
            failed = self._provisioner.run(stack)
            if not failed and not self._core.root(stack).cancelled:
                outputs = outputs_of(self._provisioner.scope(stack))
                with self._core.lock:
                    stack.outputs = outputs
        except ApiError as wrong:
            return f"{wrong.message} "
        if self._core.root(stack).cancelled and not failed:
            return "User Initiated"
        return failed.reason()

    # --- update -------------------------------------------------------------------------------------------------------
    def open_update(self, stack: Stack, wanted: Wanted, reason: str = "") -> None:
        """Begin an update: what the stack was is kept, what it is to be is noted."""
        with self._core.lock:
            stack.remember()
            stack.wanted = wanted
            stack.cancelled = False
            self.log.stack(stack, "UPDATE_IN_PROGRESS", reason)

    def update(self, stack: Stack) -> str:
        """Bring a root stack whose update was opened to what is wanted, or back; "" or why it failed."""
        failure = self._advance(stack)
        if not failure:
            self.remover.clean_up(stack)
        elif not stack.disable_rollback:
            self._finish_rollback(stack)
        return failure

    def _advance(self, stack: Stack) -> str:
        """The first half, of a root or a nested stack: the cleanup waits until the whole tree is updated.

        https://repost.aws/knowledge-center/cloudformation-nested-stacks-stuck
        """
        failure = self._provision(stack)
        if not failure:
            self._drop_absent(stack)
            self.log.stack(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        elif stack.disable_rollback:
            self.log.stack(stack, "UPDATE_FAILED", failure)
        else:
            self._undoer.undo(stack, failure)
        return failure

    def _drop_absent(self, stack: Stack) -> None:
        """Take out of the stack what its template no longer holds; the cleanup removes it."""
        scope = self._provisioner.scope(stack)
        bodies = scope.template.resources
        kept = stack.before.resources if stack.before else {}
        with self._core.lock:
            for name in list(stack.resources):
                if name in bodies and scope.present(bodies[name]):
                    continue
                resource = stack.resources.pop(name)
                if name not in kept or kept[name].physical_id != resource.physical_id:
                    self.remover.discard(stack, resource)

    def _finish_rollback(self, stack: Stack) -> None:
        if stack.status == "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS":
            self.remover.clean_up(stack)

    def undo_update(self, stack: Stack, reason: str, skip: frozenset[str] = frozenset()) -> None:
        """Roll a root stack's update back, from wherever it stands."""
        self._undoer.undo(stack, reason, skip)
        self._finish_rollback(stack)

    # --- nested stacks ------------------------------------------------------------------------------------------------
    def create_nested(self, parent: Stack, resource: Resource) -> None:
        """Make a nested stack; its ARN is the resource's id, its outputs are attributes."""
        wanted, change_set = self._wanted_nested(parent, resource, None)
        with self._core.lock:
            child = self._core.state.stacks.get(change_set.stack_id) if change_set is not None else None
            if child is None or child.status != "REVIEW_IN_PROGRESS":
                name = resource.unique_name
                stack_id = self._core.stack_id(parent.region, name)
                child = Stack(stack_id, name, parent.region, wanted, self._core.clock.now())
                child.parent_id, child.root_id = parent.id, self._core.root(parent).id
                child.parent_logical_id = resource.logical_id
                self._core.state.stacks[stack_id] = child
            child.wanted = wanted
            resource.physical_id = child.id
            self._inherit(parent, child, change_set)
        self.log.begin(child, "CREATE", parent.token, parent.operation_id)
        self.log.resource(parent, resource, "CREATE_IN_PROGRESS", "Resource creation Initiated")
        self.log.stack(child, "CREATE_IN_PROGRESS")
        failure = self.create(child)
        if failure:
            raise Refusal(f"Embedded stack {child.id} was not successfully created: {failure}")
        self._take_outputs(resource, child)

    def update_nested(self, parent: Stack, resource: Resource) -> None:
        """Bring a nested stack to its template and parameters; one that has nothing to change is not touched."""
        child = self._core.state.stacks[resource.physical_id]
        wanted, change_set = self._wanted_nested(parent, resource, child)
        if wanted == child.wanted and not load(wanted.body).nests and not child.status.endswith("_FAILED"):
            return
        with self._core.lock:
            self._inherit(parent, child, change_set)
        self.log.begin(child, "UPDATE", parent.token, parent.operation_id)
        self.open_update(child, wanted)
        failure = self._advance(child)
        if failure:
            status = "UPDATE_FAILED" if child.disable_rollback else "UPDATE_ROLLBACK_IN_PROGRESS"
            raise Refusal(
                f"Embedded stack {child.id} was not successfully updated. Currently in {status} with reason: {failure}"
            )
        self._take_outputs(resource, child)

    def _inherit(self, parent: Stack, child: Stack, change_set: ChangeSet | None) -> None:
        child.disable_rollback = parent.disable_rollback or parent.on_failure == "DO_NOTHING"
        child.retain_except_on_create = parent.retain_except_on_create
        child.executing = change_set.id if change_set is not None else ""
        if change_set is not None:
            child.change_set_id = change_set.id

    def _take_outputs(self, resource: Resource, child: Stack) -> None:
        with self._core.lock:
            resource.attributes = {f"Outputs.{output['OutputKey']}": output["OutputValue"] for output in child.outputs}

    def _wanted_nested(self, parent: Stack, resource: Resource, child: Stack | None) -> tuple[Wanted, ChangeSet | None]:
        """What a resource's properties ask of its nested stack, with the template that was reviewed, if one was."""
        executing = self._core.state.change_sets.get(parent.executing)
        change_set = None
        if executing is not None:
            change_set = self._core.state.change_sets.get(executing.children.get(resource.logical_id, ""))
        try:
            wanted = nested_wanted(self._core, parent.wanted, resource.properties, change_set, child)
        except ApiError as wrong:
            raise Refusal(wrong.message) from None
        self._check_tree(parent, child, wanted)
        return wanted, change_set

    def _check_tree(self, parent: Stack, child: Stack | None, wanted: Wanted) -> None:
        root = self._core.root(parent)
        tree = [s for s in self._core.stacks() if root.id in (s.id, s.root_id) and s.status != GONE]
        others = sum(len(load(stack.wanted.body).resources) for stack in tree if stack is not child)
        if others + len(load(wanted.body).resources) > quotas.TREE_RESOURCES:
            raise Refusal(f"The stacks of one operation may hold at most {quotas.TREE_RESOURCES} resources")

    # --- after a restart ----------------------------------------------------------------------------------------------
    def resume(self, stack: Stack) -> None:
        """End a root stack's operation that was cut off: creation and update are undone, the rest goes on."""
        status = stack.status
        if status == "CREATE_IN_PROGRESS":
            self._fail_interrupted(stack)
            self.undo_creation(stack, STOPPED)
        elif status == "ROLLBACK_IN_PROGRESS":
            self.undo_creation(stack, STOPPED)
        elif status == "DELETE_IN_PROGRESS":
            self.remover.delete_stack(stack)
        elif status in ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"):
            self.undo_update(stack, STOPPED)
        else:
            self.remover.clean_up(stack)

    def _fail_interrupted(self, stack: Stack) -> None:
        for resource in stack.resources.values():
            if resource.status.endswith("_IN_PROGRESS"):
                self.log.resource(stack, resource, "CREATE_FAILED", STOPPED)


def nested_wanted(
    core: Core,
    parent: Wanted,
    properties: dict[str, Any],
    reviewed: ChangeSet | None = None,
    child: Stack | None = None,
) -> Wanted:
    """What the properties of an AWS::CloudFormation::Stack ask for; ValidationError where its template does not stand.

    Stack tags go down the tree; the nested stack's own Tags win. `reviewed` spares fetching the template again.
    """
    if "TemplateURL" not in properties:
        raise invalid("Properties validation failed: #: required key [TemplateURL] not found")
    body = reviewed.wanted.body if reviewed is not None else core.fetch(properties["TemplateURL"])
    template = load(body)
    check(template, core.known_type)
    refuse_strange_properties(template)
    check_capabilities(template, parent.capabilities)
    given = [
        {"ParameterKey": name, "ParameterValue": ",".join(map(text, value)) if isinstance(value, list) else text(value)}
        for name, value in properties.get("Parameters", {}).items()
    ]
    own = {entry["Key"]: text(entry["Value"]) for entry in properties.get("Tags", ())}
    base = child.wanted if child is not None else Wanted("", {}, {}, [])
    return replace(
        base,
        body=body,
        parameters=chosen(template, given),
        tags={**parent.tags, **own},
        capabilities=parent.capabilities,
        notification_arns=list(properties.get("NotificationARNs", ())),
    )
