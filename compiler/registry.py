"""Distil `contract/registry.json` from the registry schemas that cfn-lint ships.

    python -m compiler.registry [TYPE ...]      add TYPEs, refresh all

Reading the schemas themselves costs half a second of imports. A build needs one fact of each type, how it is tagged;
a forecast needs which of its properties cannot change in place. A test compares the file with the schemas.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from contract.tags import REGISTRY_FILE
from settings.errors import UsageError

_POINTER = "/properties/"
_POINTERS = {
    "create_only": "createOnlyProperties",
    "conditional_create_only": "conditionalCreateOnlyProperties",
    "read_only": "readOnlyProperties",
    "write_only": "writeOnlyProperties",
    "primary_identifier": "primaryIdentifier",
}


def distil(resource_type: str) -> dict[str, Any]:
    """What the registry says of a type, in the form of `contract.resource_types.ResourceType`.

    {"tags": "list" | "map" | null, "property": "Tags", "properties": [names], and for each of `_POINTERS` a list like
    ["KmsKeyId", "Endpoint/Address"], left out where it is empty}. `tagging` metadata decides on tags; legacy types
    without it (AWS::DMS::ReplicationInstance) by their property "Tags".
    """
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError  # half a second, not needed by a build

    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    except ResourceNotFoundError:
        raise UsageError(
            f"{resource_type}: the schemas of this cfn-lint know no such type",
            hint="mind upper and lower case, as in AWS::EC2::VPC; a type newer than cfn-lint needs a newer cfn-lint",
        ) from None
    facts: dict[str, Any] = {"properties": sorted(schema["properties"])}
    for name, source in _POINTERS.items():
        if schema.get(source):
            pointers = sorted(pointer.removeprefix(_POINTER) for pointer in schema[source])
            facts[name] = pointers
    return _tagging(schema) | facts


def _tagging(schema: dict[str, Any]) -> dict[str, Any]:
    tagging = schema.get("tagging", {})
    name = tagging.get("tagProperty", "/properties/Tags").removeprefix("/properties/")
    shape = schema["properties"].get(name)
    if shape is None or not tagging.get("taggable", True):
        return {"tags": None}
    if "$ref" in shape:
        shape = schema["definitions"][shape["$ref"].removeprefix("#/definitions/")]
    kind = shape.get("type")
    return {
        "tags": "map" if kind == "object" or "object" in (kind if isinstance(kind, list) else ()) else "list",
        "property": name,
    }


def main(arguments: list[str]) -> int:
    """Rewrite the file with the types it has and those named."""
    known = json.loads(REGISTRY_FILE.read_text())["types"] if REGISTRY_FILE.exists() else {}
    try:
        types = {name: distil(name) for name in sorted({*known, *arguments})}
    except UsageError as error:
        print(f"error: {error}\nnext: {error.hint}", file=sys.stderr)
        return error.exit_code
    REGISTRY_FILE.write_text(
        json.dumps({"source": "registry schemas of cfn-lint", "types": types}, indent=1, sort_keys=True) + "\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
