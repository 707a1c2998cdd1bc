"""Where two sets of properties differ, and what the registry says of changing that place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from contract.resource_types import ResourceType
from localaws.language import normal, text

Path = tuple[str, ...]
ABSENT: Final = object()


def differences(before: Any, after: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """(path, before, after) of every place that differs, as deep as both sides have one shape; ABSENT where none."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from differences(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            old = before[index] if index < len(before) else ABSENT
            new = after[index] if index < len(after) else ABSENT
            yield from differences(old, new, (*path, str(index)))
    elif before is ABSENT or after is ABSENT or normal(before) != normal(after):
        yield path, before, after


def requires_recreation(facts: ResourceType, path: Path) -> str:
    """Always, Conditionally or Never: whether changing this place makes the resource anew.

    A change of a whole (its addition, say) changes what lies in it, so a pattern below the path counts as well.
    """
    if any(_overlaps(pattern, path) for pattern in facts.create_only):
        return "Always"
    if any(_overlaps(pattern, path) for pattern in facts.conditional_create_only):
        return "Conditionally"
    return "Never"


def _overlaps(pattern: str, path: Path) -> bool:
    return all(wanted in ("*", given) for wanted, given in zip(pattern.split("/"), path, strict=False))


def replaces(facts: ResourceType, before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether going from `before` to `after` makes the resource anew for certain."""
    return any(requires_recreation(facts, path) == "Always" for path, _, _ in differences(before, after))


def shown(value: Any) -> str | None:
    """A value as the API shows it: a scalar's text, JSON for anything else."""
    if value is ABSENT:
        return None
    if isinstance(value, dict | list):
        return json.dumps(normal(value), separators=(",", ":"))
    return text(value)
