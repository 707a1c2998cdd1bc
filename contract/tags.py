"""Tags: what every taggable resource carries, in the form that its type wants.

Which types take tags, under which property and in which form, is read from the CloudFormation registry schemas
(`contract/registry.json`, distilled from those that cfn-lint ships by `python -m compiler.registry`); a type that is
not in the table is an error, never a guess.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from settings.errors import UserError
from settings.model import Settings

REGISTRY_FILE = Path(__file__).with_name("registry.json")


@cache
def registry() -> dict[str, dict[str, Any]]:
    """Resource type → {"tags": "list" | "map" | null, "property": name of the tag property, ...}."""
    types: dict[str, dict[str, Any]] = json.loads(REGISTRY_FILE.read_text())["types"]
    return types


def tag_values(settings: Settings) -> dict[str, str]:
    """The tags of an environment, in the order of their keys; optional ones only when set."""
    given = {
        "Author": settings.tags.author,
        "CostCenter": settings.tags.cost_center,
        "Environment": settings.env,
        "EnvironmentSuffix": settings.suffix,
        "MigrationPhase": settings.tags.migration_phase,
        "PRNumber": settings.tags.pr_number,
        "Repository": settings.tags.repository,
        "Team": settings.tags.team,
    }
    return {key: value for key, value in given.items() if value is not None}


def tag_property(resource_type: str, values: dict[str, str]) -> dict[str, Any]:
    """The tag property to set on a resource of this type: `{}` for a type that takes none."""
    try:
        entry = registry()[resource_type]
    except KeyError:
        raise UserError(
            f"{resource_type} is not in {REGISTRY_FILE.name}: whether and how it is tagged is not known",
            hint=f"run: python -m compiler.registry {resource_type}",
        ) from None
    if entry["tags"] == "list":
        return {entry["property"]: [{"Key": key, "Value": value} for key, value in sorted(values.items())]}
    if entry["tags"] == "map":
        return {entry["property"]: dict(sorted(values.items()))}
    return {}
