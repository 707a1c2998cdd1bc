"""What an expression of a template names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

PLACEHOLDER = re.compile(r"\$\{(!?)\s*([^}]+?)\s*\}")
REF = "Ref"


def references(node: Any) -> Iterator[tuple[str, str]]:
    """Every name below `node` with the attribute asked of it ("Ref" for its reference value), Fn::Sub's included."""
    if isinstance(node, list):
        for entry in node:
            yield from references(entry)
    elif isinstance(node, dict):
        if len(node) == 1:
            key, value = next(iter(node.items()))
            if key == REF and isinstance(value, str):
                yield value, REF
                return
            if key == "Fn::GetAtt":
                yield attribute_of(value)
                return
            if key == "Fn::Sub":
                yield from _substituted(value)
                return
        for value in node.values():
            yield from references(value)


def attribute_of(value: Any) -> tuple[str, str]:
    """The two halves of Fn::GetAtt, written as a list or as "Vpc.CidrBlock"."""
    if isinstance(value, str):
        value = value.split(".", 1)
    if isinstance(value, list) and value and isinstance(value[0], str):
        return value[0], ".".join(entry for entry in value[1:] if isinstance(entry, str))
    return "", ""


def placeholder(name: str) -> tuple[str, str]:
    """`${Vpc}` and `${Vpc.CidrBlock}` of Fn::Sub."""
    logical_id, dot, attribute = name.partition(".")
    return (logical_id, attribute) if dot else (name, REF)


def _substituted(value: Any) -> Iterator[tuple[str, str]]:
    text, variables = (value[0], value[1]) if isinstance(value, list) and len(value) > 1 else (value, {})
    yield from references(variables)
    if isinstance(text, str):
        for literal, name in PLACEHOLDER.findall(text):
            if not literal and name not in variables:
                yield placeholder(name)
