"""Resource types: what the CloudFormation registry says of each, without loading the schemas.

`contract/registry.json` holds every type that the templates use; `find` returns None for any other, so that a reader
decides what not knowing means to him. Property paths are pointers below the properties: "KmsKeyId",
"Endpoint/Address", "Actions/*/AuthenticateOidcConfig" (`*` stands for any index or key).
https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from contract.tags import registry


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A type of the registry.

    `create_only`: changing one replaces the resource. `conditional_create_only`: some changes of it do.
    `read_only`: attributes that the service gives. `write_only`: what no read call returns. `primary_identifier`:
    what names a resource of the type; its physical id where it is a single one, for most types.
    """

    name: str
    properties: frozenset[str]
    create_only: tuple[str, ...]
    conditional_create_only: tuple[str, ...]
    read_only: tuple[str, ...]
    write_only: tuple[str, ...]
    primary_identifier: tuple[str, ...]
    tag_property: str | None


def resource_type(name: str, facts: dict[str, Any]) -> ResourceType:
    """The type that a distilled entry describes, one of `contract/registry.json` or of `compiler.registry.distil`."""
    return ResourceType(
        name=name,
        properties=frozenset(facts["properties"]),
        create_only=tuple(facts.get("create_only", ())),
        conditional_create_only=tuple(facts.get("conditional_create_only", ())),
        read_only=tuple(facts.get("read_only", ())),
        write_only=tuple(facts.get("write_only", ())),
        primary_identifier=tuple(facts.get("primary_identifier", ())),
        tag_property=facts.get("property"),
    )


@cache
def find(name: str) -> ResourceType | None:
    """The type of this name, None where the table does not hold it."""
    facts = registry().get(name)
    return None if facts is None else resource_type(name, facts)


def matches(pattern: str, path: str) -> bool:
    """Whether `path` is what `pattern` names, or lies below it: "Actions/*/Order" names "Actions/0/Order"."""
    wanted, given = pattern.split("/"), path.split("/")
    return len(given) >= len(wanted) and all(a in ("*", b) for a, b in zip(wanted, given, strict=False))
