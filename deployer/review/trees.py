"""Both sides of a change as trees: what each expression stood for before, and what it will stand for.

A change set names a property of a nested stack and a parameter; what the parameter is fed with stands in the root.
This module derives the wires of a tree from its root template and reads expressions through them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compiler.bundle import Bundle, Connection, file_name
from compiler.resolve import Resource, Target, Tree
from deployer.changes import NESTED_STACK, ROOT
from deployer.review.values import text_of
from deployer.tiers import file_tier, tier_name

Template = Mapping[str, Any]
_OUTPUTS = "Outputs."
_INTRINSICS = frozenset(("Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join"))
_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")
# What the deployer rewrites when it packages; the build's own files name them by relative path.
_PACKAGED = {NESTED_STACK: ("TemplateURL", "Parameters"), "AWS::Lambda::Function": ("Code",)}


@dataclass(frozen=True, slots=True)
class Body:
    """A resource of a template, its expressions resolved: `${network.Vpc.Ref}` for what only AWS knows."""

    type: str
    properties: Mapping[str, Any]
    deletion_policy: str
    update_replace_policy: str


def tier_of(logical_id: str, template_url: str = "", known: Mapping[str, Template] | None = None) -> str:
    """The tier of a nested stack: by the file that it names where it is `known`, else its name in snake case.

    The file is `database.template.json`, or `database.<sha256>.template.json` where it was uploaded.
    """
    name = file_tier(template_url)
    return name if name in (known or {}) else tier_name(logical_id)


class Side:
    """The templates of one side, and the tree that they make."""

    def __init__(self, templates: Mapping[str, Template], names: Mapping[str, str] | None = None) -> None:
        """`names` are the tiers of nested stacks by logical id, as the other side calls them."""
        root = templates[ROOT]
        self.stacks = {
            logical_id: (names or {}).get(logical_id) or tier_of(logical_id, _url(body), templates)
            for logical_id, body in root["Resources"].items()
            if body["Type"] == NESTED_STACK
        }
        self.templates: dict[str, dict[str, Any]] = {
            tier: {**found, "Outputs": dict(found.get("Outputs", {}))}
            for tier in (ROOT, *self.stacks.values())
            for found in (templates.get(tier, {"Resources": {}}),)
        }
        self.tree = Tree(Bundle("", self.templates, tuple(self._wire())))
        self._bodies: dict[str, Body] = {}

    def _wire(self) -> list[Connection]:
        """The wires that the root describes; what it feeds from elsewhere becomes the parameter's default."""
        resources, connections = dict(self.templates[ROOT]["Resources"]), []
        for logical_id, tier in self.stacks.items():
            properties = dict(resources[logical_id].get("Properties", {}))
            for parameter, expression in properties.get("Parameters", {}).items():
                producer, output = self._output(expression)
                if producer and output in self.templates[producer]["Outputs"]:
                    connections.append(Connection(producer, output, tier, parameter, ""))
                else:
                    if producer:  # of a stack whose template is not known
                        self.templates[producer]["Outputs"][output] = {"Value": None}
                    parameters = {**self.templates[tier].get("Parameters", {}), parameter: {"Default": expression}}
                    self.templates[tier] = {**self.templates[tier], "Parameters": parameters}
            # The tree finds a nested stack's tier by its file, wherever the file was uploaded to.
            properties["TemplateURL"] = file_name(tier)
            resources[logical_id] = {**resources[logical_id], "Properties": properties}
        self.templates[ROOT] = {**self.templates[ROOT], "Resources": resources}
        return connections

    def _output(self, expression: Any) -> tuple[str, str]:
        """The producer's tier and output that a parameter is fed with; empty where it is fed with anything else."""
        match expression:
            case {"Fn::GetAtt": [str(logical_id), str(attribute)]} if attribute.startswith(_OUTPUTS):
                return self.stacks.get(logical_id, ""), attribute.removeprefix(_OUTPUTS)
        return "", ""

    def holds(self, address: str) -> bool:
        """Whether the resource at `address` is of this side, as far as its templates are known."""
        return address in self.tree.resources

    def body(self, address: str) -> Body | None:
        """The resource at `address` with its expressions resolved."""
        return self.resolved(self.tree.resources[address]) if self.holds(address) else None

    def resolved(self, resource: Resource) -> Body:
        """A resource of this side's tree with its expressions resolved."""
        if known := self._bodies.get(resource.address):
            return known
        raw = self.templates[resource.tier]["Resources"][resource.logical_id]
        properties = {name: self.resolve(resource.tier, value) for name, value in resource.properties.items()}
        deletion, replacement = (str(raw.get(policy, "")) for policy in _POLICIES)
        body = self._bodies[resource.address] = Body(resource.type, properties, deletion, replacement)
        return body

    def resolve(self, tier: str, value: Any) -> Any:
        """A value whose expressions are replaced by what they stand for; what cannot be told offline stays as it is."""
        if isinstance(value, list):
            return [self.resolve(tier, item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and _INTRINSICS & value.keys():
            return self.tree.text(tier, value) or value
        return {key: self.resolve(tier, item) for key, item in value.items()}

    def follow(self, tier: str, name: str, attribute: str = "Ref") -> Target | None:
        """The resource that `name` (a resource or a parameter of `tier`) comes from."""
        found = self.tree.follow(tier, {"Ref": name} if attribute == "Ref" else {"Fn::GetAtt": [name, attribute]})
        return found if isinstance(found, Target) else None

    def sources(self, address: str, path: str) -> list[Target]:
        """Every resource that feeds the property at `path` (a pointer, or "" for all properties), in template order."""
        if not self.holds(address):
            return []
        wanted = tuple(path.split("/")) if path else ()
        references = self.tree.references(self.tree.resources[address])
        return [found.target for found in references if _meet(found.path, wanted) and found.path != ("DependsOn",)]


class Trees:
    """Both sides; `before` is None where there is nothing yet."""

    def __init__(self, before: Mapping[str, Template], after: Mapping[str, Template]) -> None:
        self.after = Side(after)
        # A tier that was not fetched is one that does not change.
        self.fetched = frozenset(before)
        self.before = Side({**after, **before}, self.after.stacks) if ROOT in before else None

    def before_body(self, address: str) -> Body | None:
        """The resource as it is deployed; None where it is not, or where its tier's template was not fetched."""
        known = self.before and address.partition(".")[0] in self.fetched
        return self.before.body(address) if self.before and known else None

    def after_body(self, address: str) -> Body | None:
        """The resource as it is to be."""
        return self.after.body(address)

    def unlike(self, address: str, path: str) -> bool:
        """Whether the templates feed a property, or the place in it, with different things: other resources or text."""
        before, after = self.before_body(address), self.after_body(address)
        if before is None or after is None:
            return False
        old, new = (_at(body.properties, path) for body in (before, after))
        return text_of(old) != text_of(new)

    def fed_by_others(self, address: str, path: str) -> bool:
        """Whether other resources feed a property than before."""
        if self.before is None:
            return False
        old, new = (
            {(found.resource.address, found.attribute) for found in side.sources(address, path)}
            for side in (self.before, self.after)
        )
        return bool(old) and old != new

    def differences(self, address: str) -> list[tuple[str, str | None, str | None]]:
        """The properties in which both templates differ: (name, before, after), None where a side has not got it."""
        before, after = self.before_body(address), self.after_body(address)
        if before is None or after is None:
            return []
        skipped = _PACKAGED.get(after.type, ())
        found = []
        for name in sorted((before.properties.keys() | after.properties.keys()) - set(skipped)):
            old, new = (body.properties.get(name) for body in (before, after))
            if text_of(old) != text_of(new):
                found.append((name, None if old is None else text_of(old), None if new is None else text_of(new)))
        return found


def _url(body: Mapping[str, Any]) -> str:
    return str(body.get("Properties", {}).get("TemplateURL", ""))


def _at(properties: Mapping[str, Any], path: str) -> Any:
    """The value at a pointer; None where there is none."""
    found: Any = properties
    for name in path.split("/"):
        if isinstance(found, Mapping):
            found = found.get(name)
        else:
            found = (
                found[int(name)] if isinstance(found, list) and name.isdecimal() and int(name) < len(found) else None
            )
    return found


def _meet(path: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Whether one path lies on the way to the other."""
    shorter = min(len(path), len(wanted))
    return path[:shorter] == wanted[:shorter]
