"""E9205: a JSON document that is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import MalformedJsonError, Path, filled, is_function, listed, parse, raw
from rules.data.json_properties import JSON_PROPERTIES


class MalformedDocument(HouseRule):
    """Unknown parts (a Sub's placeholders) are taken for 0, which is good both inside and outside of a JSON string."""

    id = "E9205"
    shortdesc = "Malformed embedded JSON"
    description = "Dashboards, state machines, DMS settings and mappings, secret templates: parsed at deployment only"
    source_url = "https://www.rfc-editor.org/rfc/rfc8259"
    tags = ["house", "json"]
    fix = "write it by json.dumps, with placeholders inside of strings"
    types = tuple(JSON_PROPERTIES)

    def check(self, resource: Resource) -> Iterator[Finding]:
        for property_path in JSON_PROPERTIES[resource.type]:
            for path, value in _texts(resource.properties, property_path.split(".")):
                document = filled(value)
                if document is None:
                    continue
                try:
                    parse(document)
                except MalformedJsonError as error:
                    yield resource.finding(f"{property_path} is no JSON: {error}", *path)


def _texts(node: Any, keys: list[str]) -> Iterator[tuple[Path, Any]]:
    """Like `each`, but with functions at the end of the path: a document is often a Sub."""
    if not keys:
        yield (), node
    elif keys[0] == "*":
        for index, item in enumerate(listed(node)):
            for path, value in _texts(item, keys[1:]):
                yield (index, *path), value
    elif not is_function(node):
        for path, value in _texts(raw(node, keys[0]), keys[1:]):
            yield (keys[0], *path), value
