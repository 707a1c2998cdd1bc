"""JSON Schemas of params for editors, from the same annotations that the loader reads.

    python -m settings.schema      write params/schema.json and params/overrides.schema.json

Rules over several fields (settings/checks) are beyond a schema: it accepts whatever the loader does, and more.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from settings.document import FROM_COMMAND_LINE
from settings.model import Settings
from settings.shape import Field, shape

PARAMS_DIR = Path(__file__).parents[1] / "params"
BASE_SCHEMA = "schema.json"
OVERRIDES_SCHEMA = "overrides.schema.json"

# Editors know draft 7 best: https://github.com/redhat-developer/yaml-language-server#json-schema-support
_DRAFT = "http://json-schema.org/draft-07/schema#"
_TYPES = {str: "string", int: "integer", bool: "boolean"}


def schemas() -> dict[str, dict[str, Any]]:
    """File name → schema: of base.yaml, where every key is required, and of overrides, where none is."""
    base = {"$schema": _DRAFT, "title": "params/base.yaml", **_section(Settings, complete=True)}
    overrides = {"$schema": _DRAFT, "title": "params/<env>.yaml: overrides", **_section(Settings, complete=False)}
    overrides["type"] = ["object", "null"]  # a file of comments overrides nothing
    return {BASE_SCHEMA: base, OVERRIDES_SCHEMA: overrides}


def write(folder: Path) -> None:
    """Write both schemas to a folder."""
    for name, schema in schemas().items():
        (folder / name).write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _section(section: type, *, complete: bool) -> dict[str, Any]:
    fields = {name: field for name, field in shape(section).items() if name not in FROM_COMMAND_LINE}
    schema: dict[str, Any] = {
        "type": "object",
        "description": (section.__doc__ or "").partition("\n\n")[0],
        "additionalProperties": False,
        "properties": {name: _field(field, complete=complete) for name, field in fields.items()},
    }
    return schema | ({"required": list(fields)} if complete else {})


def _field(field: Field, *, complete: bool) -> dict[str, Any]:
    if field.is_section:
        schema = _section(field.kind, complete=complete)
    elif field.many:
        count = field.count.schema() if field.count else {}
        schema = {"type": "array", "items": _value(field), "uniqueItems": True} | count
    else:
        schema = _value(field)
    sentence = field.sentence or schema.get("description", "")
    if not field.is_section:
        sentence = f"{sentence} ({field.allowed_list if field.many else field.allowed})"
    described = {"description": sentence}
    return described | ({"anyOf": [{"type": "null"}, schema]} if field.optional else schema | described)


def _value(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": _TYPES[field.kind]}
    for constraint in field.constraints:
        schema |= constraint.schema()
    return schema


if __name__ == "__main__":
    write(PARAMS_DIR)
    sys.exit(0)
