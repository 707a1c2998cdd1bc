"""Resolve: the resource graph of the whole tree, followed through the wires between its stacks.

A template names another stack's resource only as a parameter. This module follows Ref → parameter → connection → the
producer's output → resource, so that a reader of the tree (a picture, the cause chain of a failed deployment) sees
resources that name resources. Pure reading: nothing here judges or changes a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from compiler.bundle import Bundle, Connection, file_name

NESTED = "AWS::CloudFormation::Stack"
_OUTPUTS = "Outputs."
_PLACEHOLDER = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the tree; two are the same when they stand at the same address."""

    tier: str
    logical_id: str
    type: str = field(compare=False)
    properties: Mapping[str, Any] = field(compare=False, repr=False)

    @property
    def address(self) -> str:
        return f"{self.tier}.{self.logical_id}"


@dataclass(frozen=True, slots=True)
class Target:
    """What an expression stands for: `attribute` of a resource ("Ref" for its reference value).

    `wires` are the connections crossed on the way, the consumer's own first.
    """

    resource: Resource
    attribute: str
    wires: tuple[Connection, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """A place where `source` names another resource: `path` leads from the resource's properties to it.

    A DependsOn has the path ("DependsOn",) and the attribute "DependsOn".
    """

    source: Resource
    path: tuple[str, ...]
    target: Target


class Tree:
    """Every resource of a bundle, and what each expression in it stands for."""

    def __init__(self, bundle: Bundle) -> None:
        self._templates = bundle.templates
        self._wires = {(wire.consumer, wire.parameter): wire for wire in bundle.connections}
        self._stacks = {file_name(tier): tier for tier in bundle.templates}
        self._open: set[tuple[str, Any]] = set()  # what is being followed: a circle comes to nothing
        self._references: dict[str, tuple[Reference, ...]] = {}  # of the resources that were asked about
        self.resources: dict[str, Resource] = {}
        for tier, template in bundle.templates.items():
            for logical_id, body in template["Resources"].items():
                resource = Resource(tier, logical_id, body["Type"], body.get("Properties", {}))
                self.resources[resource.address] = resource

    def of_type(self, *types: str) -> list[Resource]:
        """The resources of these types, in the order of tiers and templates."""
        return [resource for resource in self.resources.values() if resource.type in types]

    # --- one expression ----------------------------------------------------------------------------------------------
    def follow(self, tier: str, expression: Any) -> Target | Any:
        """What an expression in `tier` comes to: a `Target`, a literal, or None where it cannot be told offline."""
        if not isinstance(expression, dict):
            return expression
        named = _name_in(expression)
        return None if named is None else self._named(tier, *named)

    def target(self, tier: str, expression: Any) -> Resource | None:
        """The resource that an expression stands for, if it stands for one."""
        found = self.follow(tier, expression)
        return found.resource if isinstance(found, Target) else None

    def text(self, tier: str, expression: Any) -> str:
        """An expression as a person reads it: literals joined, `${…}` left for what only AWS knows; "" for no text."""
        if isinstance(expression, str):
            return expression
        if isinstance(expression, int | float):
            return str(expression).lower() if isinstance(expression, bool) else str(expression)
        key = tier, id(expression)
        if not isinstance(expression, dict) or key in self._open:
            return ""
        self._open.add(key)
        try:
            return self._text(tier, expression)
        finally:
            self._open.remove(key)

    def _text(self, tier: str, expression: dict[str, Any]) -> str:
        match expression:
            case {"Fn::Sub": str() | [str(), dict()] as sub}:
                return self._substituted(tier, *_substitution(sub))
            case {"Fn::Join": [delimiter, [*parts]]}:
                return str(delimiter).join(self.text(tier, part) for part in parts)
            case {"Ref": str(name)} if name.startswith("AWS::"):
                return f"${{{name}}}"
        found = self.follow(tier, expression)
        if isinstance(found, Target):
            return f"${{{found.resource.address}.{found.attribute}}}"
        return "" if found is None else self.text(tier, found)

    def _substituted(self, tier: str, text: str, variables: Mapping[str, Any]) -> str:
        def fill(match: re.Match[str]) -> str:
            name = match[1]
            return self.text(tier, variables[name]) if name in variables else self.text(tier, _expression(name))

        return _PLACEHOLDER.sub(fill, text).replace("${!", "${")

    def _named(self, tier: str, name: str, attribute: str) -> Target | Any:
        resource = self.resources.get(f"{tier}.{name}")
        if resource is None:
            return self._parameter(tier, name)
        if resource.type == NESTED and attribute.startswith(_OUTPUTS):
            nested = self._stacks.get(str(resource.properties.get("TemplateURL")), "")
            return self._output(nested, attribute.removeprefix(_OUTPUTS))
        return Target(resource, attribute)

    def _parameter(self, tier: str, name: str) -> Target | Any:
        wire = self._wires.get((tier, name))
        if wire is None:
            return self._templates[tier].get("Parameters", {}).get(name, {}).get("Default")
        found = self._output(wire.producer, wire.output)
        if isinstance(found, Target):
            return Target(found.resource, found.attribute, (wire, *found.wires))
        return found

    def _output(self, tier: str, name: str) -> Target | Any:
        output = self._templates.get(tier, {}).get("Outputs", {}).get(name)
        key = tier, name
        if output is None or key in self._open:
            return None
        self._open.add(key)
        try:
            return self.follow(tier, output.get("Value"))
        finally:
            self._open.remove(key)

    # --- the whole graph ---------------------------------------------------------------------------------------------
    def references(self, resource: Resource) -> tuple[Reference, ...]:
        """Every other resource that this one names in its properties or DependsOn, across stacks, in template order."""
        if (known := self._references.get(resource.address)) is None:
            known = self._references[resource.address] = tuple(self._leaving(resource))
        return known

    def referrers(self, resource: Resource) -> tuple[Reference, ...]:
        """The same edges seen from their other end: every resource that names this one."""
        return self._referrers.get(resource.address, ())

    @cached_property
    def _referrers(self) -> dict[str, tuple[Reference, ...]]:
        found: dict[str, list[Reference]] = {}
        for resource in self.resources.values():
            for reference in self.references(resource):
                found.setdefault(reference.target.resource.address, []).append(reference)
        return {address: tuple(references) for address, references in found.items()}

    def _leaving(self, resource: Resource) -> Iterator[Reference]:
        for path, expression in _expressions(resource.properties, ()):
            found = self.follow(resource.tier, expression)
            if isinstance(found, Target) and found.resource != resource:
                yield Reference(resource, path, found)
        body = self._templates[resource.tier]["Resources"][resource.logical_id]
        before = body.get("DependsOn", ())
        for logical_id in (before,) if isinstance(before, str) else before:
            awaited = self.resources.get(f"{resource.tier}.{logical_id}")
            if awaited is not None:
                yield Reference(resource, ("DependsOn",), Target(awaited, "DependsOn"))


def _expressions(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every Ref and Fn::GetAtt below `node`, those inside Fn::Sub included, with the path to it."""
    if isinstance(node, dict):
        if _name_in(node) is not None:
            yield path, node
        elif _is_substitution(node):
            text, variables = _substitution(node["Fn::Sub"])
            for name in _PLACEHOLDER.findall(text):
                if name not in variables:
                    yield path, _expression(name)
            yield from _expressions(variables, path)
        else:
            for key, value in node.items():
                yield from _expressions(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _expressions(value, (*path, str(index)))


def _name_in(expression: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a Ref or Fn::GetAtt names, with the attribute; None for anything else, a malformed one too."""
    match expression:
        case {"Ref": str(name)}:
            return name, "Ref"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return name, attribute
        case {"Fn::GetAtt": str(dotted)}:
            name, _, attribute = dotted.partition(".")
            return name, attribute
    return None


def _is_substitution(node: Mapping[str, Any]) -> bool:
    match node:
        case {"Fn::Sub": str() | [str(), dict()]}:
            return True
    return False


def _substitution(sub: str | list[Any]) -> tuple[str, Mapping[str, Any]]:
    """Text and variables of a Fn::Sub."""
    return (sub, {}) if isinstance(sub, str) else (sub[0], sub[1])


def _expression(name: str) -> dict[str, Any]:
    """`${Vpc}` and `${Vpc.CidrBlock}` of Fn::Sub as Ref and Fn::GetAtt."""
    logical_id, dot, attribute = name.partition(".")
    return {"Fn::GetAtt": [logical_id, attribute]} if dot else {"Ref": logical_id}
