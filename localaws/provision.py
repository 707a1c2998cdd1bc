"""Bringing a stack's resources to its template: in the order of their references, all that can start started at once.

Resources that are ready begin together, as they do on AWS, and are then made one after the other; when one fails,
those that had begun are cancelled.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol

from contract import resource_types
from localaws import stack_policy
from localaws.api_errors import ApiError, invalid
from localaws.core import Core
from localaws.differences import replaces
from localaws.events import Log
from localaws.hands import Hands, Refusal
from localaws.language import NO_VALUE, Scope, evaluate, normal
from localaws.references import REF
from localaws.stacks import Discarded, Resource, Stack
from localaws.template import NESTED_STACK
from localaws.waves import Waves

_ANEW = "Requested update requires the creation of a new physical resource; hence creating one."
_NOTED = ("DeletionPolicy", "Metadata", "UpdateReplacePolicy")


class Nested(Protocol):
    """What carries out a nested stack."""

    def create_nested(self, parent: Stack, resource: Resource) -> None:
        """Make the nested stack that a resource asks for; a Refusal where it fails."""
        ...

    def update_nested(self, parent: Stack, resource: Resource) -> None:
        """Bring it to what the resource asks for now; a Refusal where it fails."""
        ...


@dataclass(slots=True)
class Step:
    """What is to be done to one resource: create, replace, update, or note (nothing but its attributes changed).

    `resource` is the new one for create and replace. `body` and `properties` are what it gets, `applied` the properties
    that the service is known to hold.
    """

    action: str
    resource: Resource
    body: dict[str, Any]
    properties: dict[str, Any]
    applied: dict[str, Any]
    started: float


@dataclass(slots=True)
class Failed:
    """The resources that failed, the cancelled ones included, by what was being done."""

    create: list[str]
    update: list[str]

    def __bool__(self) -> bool:
        return bool(self.create or self.update)

    def reason(self) -> str:
        """As a stack says it."""
        told = [
            f"The following resource(s) failed to {verb}: [{', '.join(names)}]. "
            for verb, names in (("create", self.create), ("update", self.update))
            if names
        ]
        return "".join(told)


class Provisioner:
    """Creates and updates; what is no longer in the template is left for the cleanup."""

    def __init__(self, core: Core, log: Log, hands: Hands, nested: Nested) -> None:
        self._core = core
        self._log = log
        self._hands = hands
        self._nested = nested

    def run(self, stack: Stack) -> Failed:
        """Bring the resources of a stack to its template and parameters."""
        scope = self.scope(stack)
        bodies = scope.template.resources
        present = [name for name in scope.template.order if scope.present(bodies[name])]
        failed = Failed([], [])
        if self._denied_removals(stack, present, failed):
            return failed
        waves = Waves(present, scope.template.dependencies)
        started: deque[Step] = deque()
        while not failed:
            self._start_all(stack, scope, waves, started, failed)
            if failed or not started or self._core.root(stack).cancelled:
                break
            step = started.popleft()
            if self._carry_out(stack, step, failed):
                waves.done(step.resource.logical_id)
        self._cancel(stack, started, failed)
        return failed

    def _start_all(self, stack: Stack, scope: Scope, waves: Waves, started: deque[Step], failed: Failed) -> None:
        """Begin every resource that can; one that has nothing to change is done with at once."""
        while not failed and (name := waves.next()) is not None:
            step = self._start(stack, scope, name, failed)
            if step is not None:
                started.append(step)
            elif not failed:
                waves.done(name)

    def scope(self, stack: Stack) -> Scope:
        """What names mean in a stack's template, with its resources as they stand."""
        template = self._core.template(stack)
        return self._core.scope(stack, template, stack.wanted.parameters, lambda *asked: value_of(stack, *asked))

    # --- one resource -------------------------------------------------------------------------------------------------
    def _start(self, stack: Stack, scope: Scope, name: str, failed: Failed) -> Step | None:
        body = scope.template.resources[name]
        current = stack.resources.get(name)
        exists = current is not None and bool(current.physical_id)
        try:
            properties = evaluate(body.get("Properties", {}), scope)
            step = self._decide(stack, current if exists else None, name, body, properties)
        except ApiError as wrong:
            resource = current or self._new(stack, name, body, {})
            with self._core.lock:
                stack.resources[name] = resource
            self._fail(stack, resource, wrong.message, failed, creating=not exists)
            return None
        if step is None:
            return None
        if step.action == "create":
            with self._core.lock:
                stack.resources[name] = step.resource
            self._log.resource(stack, step.resource, "CREATE_IN_PROGRESS")
            return step
        shown = stack.resources[name]
        if denial := self._denied(stack, step):
            self._fail(stack, shown, denial, failed, creating=False)
            return None
        self._log.resource(
            stack, shown, "UPDATE_IN_PROGRESS", _ANEW if step.action == "replace" else "", step.properties
        )
        return step

    def _decide(
        self, stack: Stack, current: Resource | None, name: str, body: dict[str, Any], properties: dict[str, Any]
    ) -> Step | None:
        now = self._core.clock.now().timestamp()
        if current is None:
            return Step("create", self._new(stack, name, body, properties), body, properties, {}, now)
        if body["Type"] != current.type:
            raise invalid(
                "Update of resource type is not permitted. The new template modifies resource type of the following "
                f"resources: [{name}]"
            )
        facts = resource_types.find(current.type)
        same = normal(properties) == normal(current.properties)
        tagged = facts is not None and facts.tag_property is not None and current.tags != stack.wanted.tags
        if not same and facts is not None and replaces(facts, current.properties, properties):
            return Step("replace", self._new(stack, name, body, properties), body, properties, {}, now)
        failed = current.status == "UPDATE_FAILED" and stack.before is not None
        kept = stack.before.resources.get(name) if failed and stack.before else None
        applied = current.properties if kept is None else kept.properties
        if not same or tagged or failed or current.type == NESTED_STACK:
            return Step("update", current, body, properties, applied, now)
        if any(body.get(key) != current.body.get(key) for key in _NOTED):
            return Step("note", current, body, properties, applied, now)
        self._adopt(stack, current, body, properties)
        return None

    def _adopt(self, stack: Stack, resource: Resource, body: dict[str, Any], properties: dict[str, Any]) -> None:
        with self._core.lock:
            resource.body = body
            resource.properties = properties
            resource.tags = dict(stack.wanted.tags)

    def _new(self, stack: Stack, name: str, body: dict[str, Any], properties: dict[str, Any]) -> Resource:
        return Resource(
            logical_id=name,
            type=body["Type"],
            body=body,
            unique_name=self._core.unique_name(stack.name, name),
            updated=self._core.clock.now(),
            properties=properties,
            tags=dict(stack.wanted.tags),
        )

    def _carry_out(self, stack: Stack, step: Step, failed: Failed) -> bool:
        resource = step.resource
        creating = step.action == "create"
        self._adopt(stack, resource, step.body, step.properties)
        try:
            if resource.type == NESTED_STACK:
                (self._nested.create_nested if creating else self._nested.update_nested)(stack, resource)
            elif step.action == "update":
                self._hands.update(stack, resource, step.applied)
            elif step.action != "note":
                self._hands.create(stack, resource)
        except Refusal as refusal:
            shown = stack.resources[resource.logical_id]
            self._fail(stack, shown, str(refusal), failed, creating=creating)
            return False
        if step.action == "replace":
            self._exchange(stack, resource)
        if resource.type != NESTED_STACK:
            if step.action in ("create", "replace"):
                verb = "CREATE" if creating else "UPDATE"
                self._log.resource(stack, resource, f"{verb}_IN_PROGRESS", "Resource creation Initiated")
            self._core.clock.sleep(self._core.delay - (self._core.clock.now().timestamp() - step.started))
        self._log.resource(stack, resource, "CREATE_COMPLETE" if creating else "UPDATE_COMPLETE")
        return True

    def _exchange(self, stack: Stack, resource: Resource) -> None:
        """Let the new resource stand for its name; the cleanup finds the old one in what the stack was before."""
        with self._core.lock:
            old = stack.resources[resource.logical_id]
            kept = stack.before.resources.get(resource.logical_id) if stack.before else None
            if kept is None or kept.physical_id != old.physical_id:
                stack.discarded.append(Discarded(old, 0))  # made by an update that failed and was not rolled back
            stack.resources[resource.logical_id] = resource

    # --- failure ------------------------------------------------------------------------------------------------------
    def _fail(self, stack: Stack, resource: Resource, reason: str, failed: Failed, *, creating: bool) -> None:
        self._log.resource(stack, resource, "CREATE_FAILED" if creating else "UPDATE_FAILED", reason)
        (failed.create if creating else failed.update).append(resource.logical_id)

    def _cancel(self, stack: Stack, started: deque[Step], failed: Failed) -> None:
        for step in started:
            creating = step.action == "create"
            reason = "Resource creation cancelled" if creating else "Resource update cancelled"
            self._fail(stack, stack.resources[step.resource.logical_id], reason, failed, creating=creating)

    # --- stack policy -------------------------------------------------------------------------------------------------
    def _denied(self, stack: Stack, step: Step) -> str:
        action = "Update:Replace" if step.action == "replace" else "Update:Modify"
        policy = stack.policy_during_update or stack.policy
        return stack_policy.denied(policy, action, step.resource.logical_id, step.resource.type)

    def _denied_removals(self, stack: Stack, present: list[str], failed: Failed) -> bool:
        policy = stack.policy_during_update or stack.policy
        for name, resource in stack.resources.items():
            if name not in present:
                denial = stack_policy.denied(policy, "Update:Delete", name, resource.type)
                if denial:
                    self._fail(stack, resource, denial, failed, creating=False)
        return bool(failed)


def value_of(stack: Stack, name: str, attribute: str) -> Any:
    """A resource's reference value or attribute, as it stands."""
    resource = stack.resources.get(name)
    if resource is None or not resource.physical_id:
        raise invalid(f"Template format error: Unresolved resource dependencies [{name}] in the template")
    if attribute == REF:
        return resource.physical_id
    if attribute not in resource.attributes:
        raise invalid(f"Resource {name} does not support attribute type {attribute} in Fn::GetAtt")
    return resource.attributes[attribute]


def outputs_of(scope: Scope) -> list[dict[str, Any]]:
    """The outputs of a stack whose resources stand; ValidationError where one is no text."""
    found = []
    for name, body in scope.template.outputs.items():
        if not scope.present(body):
            continue
        value = evaluate(body["Value"], scope)
        if isinstance(value, dict | list) or value is NO_VALUE:
            raise invalid(
                f"Template format error: Output {name} is malformed. The Value field must evaluate to a String."
            )
        output = {"OutputKey": name, "OutputValue": normal(value)}
        if body.get("Description"):
            output["Description"] = body["Description"]
        found.append(output)
    return found
