"""A template: its text read as JSON or YAML, its sections, and the order that its references ask for.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
"""

from __future__ import annotations

import json
from functools import cached_property, lru_cache
from typing import Any

from localaws.api_errors import invalid
from localaws.references import references

NESTED_STACK = "AWS::CloudFormation::Stack"


def load(body: str) -> Template:
    """The template of a text; read once for each text, and never to be changed by who reads it."""
    return _load(body)


@lru_cache(maxsize=512)
def _load(body: str) -> Template:
    return Template(parse(body), body)


def parse(body: str) -> dict[str, Any]:
    """The document: JSON where it begins as JSON does, YAML (with short function tags) otherwise."""
    document = _json(body) if body.lstrip().startswith("{") else _yaml(body)
    if not isinstance(document, dict):
        raise invalid("Template format error: unsupported structure.")
    return document


def _json(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as wrong:
        where = f"(line {wrong.lineno}, column {wrong.colno})" if isinstance(wrong, json.JSONDecodeError) else ""
        raise invalid(f"Template format error: JSON not well-formed. {where}".rstrip()) from None


def _yaml(body: str) -> Any:
    import yaml

    from contract.short_tags import Loader

    try:
        return yaml.load(body, Loader)  # noqa: S506 - a SafeLoader that knows the short tags
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark
        where = f"(line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise invalid(f"Template format error: YAML not well-formed. {where}".rstrip()) from None
    except yaml.YAMLError as wrong:
        raise invalid(f"Template format error: YAML not well-formed. {wrong}") from None


class Template:
    """The sections of a template, each a dictionary, and what its references come to."""

    def __init__(self, document: dict[str, Any], body: str) -> None:
        self.document = document
        self.body = body
        self.description: str | None = document.get("Description")
        self.parameters: dict[str, dict[str, Any]] = document.get("Parameters") or {}
        self.mappings: dict[str, dict[str, dict[str, Any]]] = document.get("Mappings") or {}
        self.conditions: dict[str, Any] = document.get("Conditions") or {}
        self.resources: dict[str, dict[str, Any]] = document.get("Resources") or {}
        self.outputs: dict[str, dict[str, Any]] = document.get("Outputs") or {}

    @cached_property
    def dependencies(self) -> dict[str, frozenset[str]]:
        """Resource → the resources that must stand before it: what it names, and its DependsOn."""
        found = {}
        for logical_id, body in self.resources.items():
            names = {name for name, _ in references(body.get("Properties", {}))}
            first = body.get("DependsOn", ())
            names.update((first,) if isinstance(first, str) else first)
            found[logical_id] = frozenset(name for name in names if name in self.resources)
        return found

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The resources, each after what it depends on, otherwise as they are written; ValidationError for a circle."""
        placed: dict[str, None] = {}
        left = list(self.resources)
        while left:
            ready = [name for name in left if self.dependencies[name] <= placed.keys()]
            if not ready:
                raise invalid(f"Circular dependency between resources: [{', '.join(sorted(left))}]")
            placed.update(dict.fromkeys(ready))
            left = [name for name in left if name not in placed]
        return tuple(placed)

    @cached_property
    def nests(self) -> bool:
        """Whether a resource is a nested stack."""
        return any(body.get("Type") == NESTED_STACK for body in self.resources.values())
