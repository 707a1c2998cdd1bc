"""What a deployment would do to one stack, as a change set tells it, property by property.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from contract import resource_types
from contract.resource_types import ResourceType
from localaws.api_errors import invalid
from localaws.core import Core
from localaws.deletion import default_policy, deletion_policy
from localaws.differences import ABSENT, Path, differences, requires_recreation, shown
from localaws.events import compact
from localaws.language import FUNCTIONS, UNKNOWN, Scope, evaluate, holds_unknown
from localaws.provision import value_of
from localaws.references import REF, references
from localaws.stacks import Json, Resource, Stack, Wanted
from localaws.template import NESTED_STACK, Template, load

_ATTRIBUTES = ("Metadata", "DeletionPolicy", "UpdateReplacePolicy")


@dataclass
class Plan:
    """The changes of a stack in the order of their names, and what its nested stacks are to be.

    `nested` holds the evaluated properties of every nested stack that is to be there.
    """

    changes: list[Json] = field(default_factory=list)
    nested: dict[str, Json] = field(default_factory=dict)
    altered: bool = False


class Planner:
    """Compares a stack as it stands with what is wanted of it; `added` are the properties of what it would add."""

    def __init__(self, core: Core, stack: Stack, wanted: Wanted, *, creating: bool) -> None:
        self._stack = stack
        self._wanted = wanted
        self._creating = creating
        self._template: Template = load(wanted.body)
        self._old: Template = load(stack.wanted.body) if not creating else load('{"Resources": {}}')
        self._planned: dict[str, Json] = {}
        self.added: dict[str, Json] = {}
        self._scope: Scope = core.scope_of(
            stack.region, stack.name, stack.id, wanted, self._template, wanted.parameters, self._value
        )

    def plan(self) -> Plan:
        """All changes; ValidationError where an expression cannot be evaluated."""
        found = Plan()
        present = [name for name in self._template.order if self._scope.present(self._template.resources[name])]
        for name in present:
            body = self._template.resources[name]
            properties = evaluate(body.get("Properties", {}), self._scope)
            if body["Type"] == NESTED_STACK:
                found.nested[name] = properties
            current = None if self._creating else self._stack.resources.get(name)
            change = self._add(name, body, properties) if current is None else self._modify(current, body, properties)
            if change is not None:
                self._planned[name] = change
        for name, resource in [] if self._creating else list(self._stack.resources.items()):
            if name not in present:
                self._planned[name] = self._remove(resource)
        found.changes = [self._planned[name] for name in sorted(self._planned)]
        found.altered = self._altered()
        return found

    def _altered(self) -> bool:
        """Whether what is no resource differs: an output, a parameter, a tag of the stack."""
        now = self._stack.wanted
        return self._creating or (
            self._old.outputs != self._template.outputs
            or now.parameters != self._wanted.parameters
            or now.tags != self._wanted.tags
        )

    # --- values -------------------------------------------------------------------------------------------------------
    def _value(self, name: str, attribute: str) -> Any:
        if self._cause(name, attribute):
            return UNKNOWN
        return value_of(self._stack, name, attribute)

    def _cause(self, name: str, attribute: str) -> bool:
        """Whether a value of a resource is not known yet: it is made anew, or an attribute of it may change with it."""
        change = self._planned.get(name)
        if change is None:
            return False
        anew = change["Action"] == "Add" or change.get("Replacement") in ("True", "Conditional")
        return anew or attribute != REF

    # --- changes ------------------------------------------------------------------------------------------------------
    def _add(self, name: str, body: Json, properties: Json) -> Json:
        self.added[name] = properties
        return {
            "Action": "Add",
            "LogicalResourceId": name,
            "ResourceType": body["Type"],
            "Scope": [],
            "Details": [],
            "AfterContext": context(body, properties),
        }

    def _remove(self, resource: Resource) -> Json:
        policy = deletion_policy(resource)
        return {
            "PolicyAction": "Retain" if policy.startswith("Retain") else policy,
            "Action": "Remove",
            "LogicalResourceId": resource.logical_id,
            "PhysicalResourceId": resource.physical_id,
            "ResourceType": resource.type,
            "Scope": [],
            "Details": [],
            "BeforeContext": context(resource.body, resource.properties),
        }

    def _modify(self, current: Resource, body: Json, properties: Json) -> Json | None:
        name = current.logical_id
        if current.type != body["Type"]:
            raise invalid(
                "Update of resource type is not permitted. The new template modifies resource type of the following "
                f"resources: [{name}]"
            )
        facts = resource_types.find(current.type)
        assert facts is not None
        details = [
            *self._property_details(facts, current, body, properties),
            *self._tag_details(facts, current),
            *self._attribute_details(current, body),
        ]
        if current.type == NESTED_STACK:
            details.append(_AUTOMATIC)
        if not details:
            return None
        scope = list(dict.fromkeys(detail["Target"]["Attribute"] for detail in details))
        change = {
            "Action": "Modify",
            "LogicalResourceId": name,
            "PhysicalResourceId": current.physical_id,
            "ResourceType": current.type,
            "Replacement": _replacement(details),
            "Scope": scope,
            "Details": details,
            "BeforeContext": context(current.body, current.properties),
            "AfterContext": context(body, properties),
        }
        if change["Replacement"] != "False":
            policy = body.get("UpdateReplacePolicy", "Delete")
            change["PolicyAction"] = f"ReplaceAnd{policy}"
        return change

    def _property_details(self, facts: ResourceType, current: Resource, body: Json, properties: Json) -> Iterable[Json]:
        for path, before, after in differences(current.properties, properties):
            tags = path[0] == facts.tag_property
            target = {
                "Attribute": "Tags" if tags else "Properties",
                "Name": None if tags else path[0],
                "RequiresRecreation": requires_recreation(facts, path),
                "Path": "/" + "/".join(("Properties", *path)),
                **_values(before, after),
            }
            old = self._old.resources.get(current.logical_id, current.body).get("Properties", {})
            for evaluation, source, entity in self._causes(old, body.get("Properties", {}), path, after):
                detail = {"Target": target, "Evaluation": evaluation, "ChangeSource": source}
                yield detail | ({"CausingEntity": entity} if entity else {})

    def _causes(self, old: Any, new: Any, path: Path, after: Any) -> list[tuple[str, str, str]]:
        """(evaluation, source, causing entity) of a changed place: the references in its expression that changed."""
        before_text, after_text = _expression(old, path), _expression(new, path)
        if before_text != after_text:
            return [("Static", "DirectModification", "")]
        found = []
        for name, attribute in dict.fromkeys(self._named(after_text)):
            if name in self._template.parameters:
                if self._stack.wanted.parameters.get(name) != self._wanted.parameters[name]:
                    unknown = UNKNOWN in self._wanted.parameters[name]
                    found.append(("Dynamic" if unknown else "Static", "ParameterReference", name))
            elif name in self._template.resources and self._cause(name, attribute):
                if attribute == REF:
                    found.append(("Dynamic", "ResourceReference", name))
                else:
                    found.append(("Dynamic", "ResourceAttribute", f"{name}.{attribute}"))
        return found or [("Dynamic" if holds_unknown(after) else "Static", "DirectModification", "")]

    def _named(self, expression: Any) -> Iterable[tuple[str, str]]:
        """What an expression names, the parameters that its conditions read included."""
        yield from references(expression)
        for condition in _conditions(expression):
            yield from self._named(self._template.conditions.get(condition))

    def _tag_details(self, facts: ResourceType, current: Resource) -> Iterable[Json]:
        """Stack tags that changed reach every resource that takes tags."""
        if facts.tag_property is None:
            return
        for path, before, after in differences(current.tags, self._wanted.tags):
            target = {"Attribute": "Tags", "RequiresRecreation": "Never", "Path": "/Tags/" + "/".join(path)}
            yield {
                "Target": target | _values(before, after),
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }

    def _attribute_details(self, current: Resource, body: Json) -> Iterable[Json]:
        for attribute in _ATTRIBUTES:
            old, new = current.body.get(attribute, ABSENT), body.get(attribute, ABSENT)
            for path, before, after in differences(old, new) if old != new else ():
                pointer = "/" + "/".join((attribute, *path))
                target = {"Attribute": attribute, "RequiresRecreation": "Never", "Path": pointer}
                yield {
                    "Target": target | _values(before, after),
                    "Evaluation": "Static",
                    "ChangeSource": "DirectModification",
                }


# A parent always tells of its nested stacks, whether or not anything below them changes.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChangeDetail.html
_AUTOMATIC: Json = {
    "Target": {"Attribute": "Properties", "RequiresRecreation": "Never"},
    "Evaluation": "Dynamic",
    "ChangeSource": "Automatic",
}


def only_automatic(change: Json) -> bool:
    """Whether a change says no more than that a nested stack may change."""
    return bool(change["Details"]) and all(detail["ChangeSource"] == "Automatic" for detail in change["Details"])


def context(body: Json, properties: Json) -> str:
    """A resource as a change set shows the whole of it."""
    shown_body: Json = {"Properties": properties}
    for attribute in _ATTRIBUTES:
        if attribute in body:
            shown_body[attribute] = body[attribute]
    shown_body.setdefault("DeletionPolicy", default_policy(body["Type"], properties))
    return compact(shown_body)


def _replacement(details: list[Json]) -> str:
    """True where a change certainly recreates; a dynamic one, or one of some values only, makes it Conditional."""
    found = {(detail["Target"]["RequiresRecreation"], detail["Evaluation"]) for detail in details}
    if ("Always", "Static") in found:
        return "True"
    if any(recreation != "Never" for recreation, _ in found):
        return "Conditional"
    return "False"


def _values(before: Any, after: Any) -> Json:
    kind = "Add" if before is ABSENT else "Remove" if after is ABSENT else "Modify"
    return {"BeforeValue": shown(before), "AfterValue": shown(after), "AttributeChangeType": kind}


def _expression(node: Any, path: Path) -> Any:
    """The expression that decides about a place: what is written there, or the function above it."""
    for step in path:
        if isinstance(node, dict) and len(node) == 1 and next(iter(node)) in (REF, *FUNCTIONS):
            return node
        try:
            node = node[int(step)] if isinstance(node, list) else node[step]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return node


def _conditions(node: Any) -> Iterable[str]:
    if isinstance(node, list):
        for entry in node:
            yield from _conditions(entry)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Fn::If":
                yield value[0]
            elif key == "Condition" and isinstance(value, str):
                yield value
            yield from _conditions(value)
