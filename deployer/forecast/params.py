"""Which params keys changed, by the record of settings that a root template carries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.settings_record import SETTINGS
from deployer.review.values import text_of

NOT_SET = "(not set)"


def changed_params(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """(key, before, after) of every key that differs: ("database.engine_version", "17.7", "17.10").

    Both are root templates; nothing where there is no `before`, or where it carries no record: then there is nothing
    to compare with, and "everything is new" would tell a reader nothing.
    """
    old, new = (dict(_keys(template.get("Metadata", {}).get(SETTINGS, {}), "")) for template in (before or {}, after))
    if not old:
        return ()
    keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return tuple((key, _readable(old.get(key)), _readable(new.get(key))) for key in keys)


def _keys(section: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in section.items():
        if isinstance(value, Mapping):
            yield from _keys(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _readable(value: Any) -> str:
    """A list as a person writes it in params, "a, b"; "(none)" where it is empty."""
    if value is None:
        return NOT_SET
    if isinstance(value, list):
        return ", ".join(map(text_of, value)) or "(none)"
    return text_of(value)
