"""The record of settings that a root template carries, so that a review can name the params key behind a change."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from settings.document import FROM_COMMAND_LINE
from settings.model import Settings

# Section of the root's Metadata.
SETTINGS = "Settings"


def settings_record(settings: Settings) -> dict[str, Any]:
    """Every value that params may set, in the structure of params: sections → keys, lists for tuples.

    Of a certificate it is the file's path: the text stands in the templates that use it. What is null is left out,
    because CloudFormation takes no null anywhere in a template. Params hold no secrets, so neither does this.
    """
    return {name: value for name, value in _values(settings).items() if name not in FROM_COMMAND_LINE}


def _values(section: Any) -> dict[str, Any]:
    values = {field.name: getattr(section, field.name) for field in fields(section)}
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return _values(value)
    return list(value) if isinstance(value, tuple) else value
