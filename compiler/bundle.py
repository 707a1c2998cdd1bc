"""The linked bundle: every template of the tree as data, before anything is judged or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TEMPLATE_SUFFIX = ".template.json"


@dataclass(frozen=True, slots=True)
class Connection:
    """A wire of the tree: `producer`'s output feeds `consumer`'s parameter of the same kind."""

    producer: str
    output: str
    consumer: str
    parameter: str
    kind: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """`templates` holds each template as JSON-ready data by tier name, the root under "root"."""

    suffix: str
    templates: Mapping[str, Mapping[str, Any]]
    connections: tuple[Connection, ...]

    def resources(self) -> dict[str, Mapping[str, Any]]:
        """Every resource of the tree by "tier.LogicalId"."""
        return {
            f"{tier}.{logical_id}": resource
            for tier, template in self.templates.items()
            for logical_id, resource in template["Resources"].items()
        }


def file_name(tier: str) -> str:
    """`load_balancer` → `load_balancer.template.json`, beside the root that names it."""
    return tier + TEMPLATE_SUFFIX
