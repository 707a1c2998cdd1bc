"""A template as the rules see it: its resources by type, its suffix, whether it must be hard to destroy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from rules._values import Path, at, each, raw, text


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: the path in the template, and a phrase; the rule adds how to mend it."""

    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource. A missing or misshapen Properties is an empty one: other rules of cfn-lint report that."""

    logical_id: str
    type: str
    properties: dict[str, Any]
    body: dict[str, Any]
    template: Template = field(repr=False, compare=False)

    def at(self, *keys: str | int) -> Any:
        """A property: None where missing, UNKNOWN where known at deployment only."""
        return at(self.properties, *keys)

    def raw(self, *keys: str | int) -> Any:
        """A property as it is written, functions included; None where missing."""
        return raw(self.properties, *keys)

    def each(self, *keys: str) -> Iterator[tuple[Path, Any]]:
        """Every value at a path of properties in which "*" stands for the items of a list."""
        return each(self.properties, *keys)

    def finding(self, message: str, *keys: str | int) -> Finding:
        """A finding at a property; one that is missing is shown at what should hold it."""
        return Finding(("Resources", self.logical_id, "Properties", *keys), f"{self.logical_id}: {message}")


class Template:
    """The parts of a template that rules ask for, each made once."""

    def __init__(self, content: Any) -> None:
        self.content: dict[str, Any] = content if isinstance(content, dict) else {}
        resources = self.content.get("Resources")
        self.resources: list[Resource] = []
        self._by_type: dict[str, list[Resource]] = {}
        for logical_id, body in resources.items() if isinstance(resources, dict) else ():
            if isinstance(body, dict) and isinstance(body.get("Type"), str):
                properties = body.get("Properties")
                properties = properties if isinstance(properties, dict) else {}
                resource = Resource(str(logical_id), body["Type"], properties, body, self)
                self.resources.append(resource)
                self._by_type.setdefault(resource.type, []).append(resource)

    def of(self, *types: str) -> Iterator[Resource]:
        """The resources of these types."""
        for name in types:
            yield from self._by_type.get(name, ())

    @cached_property
    def suffix(self) -> str | None:
        """The environment suffix, from the first resource that carries it as a tag."""
        return self._tag("EnvironmentSuffix")

    @cached_property
    def durable(self) -> bool:
        """Whether the environment must be hard to destroy: it is prod, or something of it outlives its stack."""
        kept = ("Retain", "RetainExceptOnCreate", "Snapshot")
        return self._tag("Environment") == "prod" or any(
            resource.body.get("DeletionPolicy") in kept for resource in self.resources
        )

    def _tag(self, key: str) -> str | None:
        for resource in self.resources:
            for _, tag in resource.each("Tags", "*"):
                value = text(at(tag, "Value")) if at(tag, "Key") == key else text(at(tag, key))
                if value:
                    return value
        return None


@lru_cache(maxsize=1)
def template_of(cfn: Any) -> Template:
    """The view of a template that cfn-lint hands to each rule in turn; kept until the next template comes."""
    return Template(cfn.template)
