"""Reading property values that may be missing, of any shape, or known at deployment only."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

Path = tuple[str | int, ...]

# What an intrinsic function gives at deployment: no rule may judge it.
UNKNOWN: Final = object()

# Stand-ins of the right length and form, for the values that are the same all over a template.
_PSEUDO_PARAMETERS: Final = {
    "AWS::AccountId": "0" * 12,
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
}
_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")


def is_function(value: Any) -> bool:
    """Whether a value is an intrinsic function: an object of the one key Ref, Condition or Fn::…."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    key = next(iter(value))
    return isinstance(key, str) and (key in ("Ref", "Condition") or key.startswith("Fn::"))


def raw(node: Any, *keys: str | int) -> Any:
    """What stands at a path, as it is written; None where nothing does (`Ref: AWS::NoValue` is nothing).

    UNKNOWN where a function stands on the way.
    """
    for key in keys:
        if is_function(node):
            return UNKNOWN
        in_list = isinstance(node, list) and isinstance(key, int) and key < len(node)
        if not in_list and not (isinstance(node, dict) and key in node):
            return None
        node = node[key]
    return None if node == {"Ref": "AWS::NoValue"} else node


def at(node: Any, *keys: str | int) -> Any:
    """What stands at a path: None where nothing does, UNKNOWN for a function there or on the way."""
    value = raw(node, *keys)
    return UNKNOWN if is_function(value) else value


def each(node: Any, *keys: str) -> Iterator[tuple[Path, Any]]:
    """Every value at a path in which "*" stands for each item of a list (or for the value itself, if it is no list).

    Missing values and functions are left out.
    """
    if not keys:
        if node is not None and not is_function(node):
            yield (), node
        return
    first, *rest = keys
    if first != "*":
        value = at(node, first)
        if value is not None and value is not UNKNOWN:
            for path, item in each(value, *rest):
                yield (first, *path), item
    elif isinstance(node, list):
        for index, value in enumerate(node):
            for path, item in each(value, *rest):
                yield (index, *path), item
    else:
        yield from each(node, *rest)


def listed(value: Any) -> list[Any]:
    """A value as a list: itself, or the one item, as policies write either; nothing for None and UNKNOWN."""
    if isinstance(value, list):
        return value
    return [] if value is None or value is UNKNOWN else [value]


def _plain(value: Any) -> str | None:
    """A scalar as CloudFormation compares it: "true" is true, "7" is 7."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value.lower() if value.lower() in ("true", "false") else value
    return str(value) if isinstance(value, int | float) else None


def equals(value: Any, *wanted: str | float) -> bool:
    """Whether a literal is one of those wanted."""
    plain = _plain(value)
    return plain is not None and any(plain == _plain(one) for one in wanted)


def may_be(value: Any, *wanted: str | float) -> bool:
    """Whether a value is one of those wanted, or may become one at deployment."""
    return value is UNKNOWN or equals(value, *wanted)


def number(value: Any) -> float | None:
    """A literal as a number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def below(value: Any, limit: float) -> bool:
    """Whether a value is missing, or a literal number below the limit."""
    amount = number(value)
    return value is None or (amount is not None and amount < limit)


def text(value: Any) -> str | None:
    """A value as text when it is known, but for account, region and partition, which get stand-ins of their length."""
    return _render(value, None)


def filled(value: Any) -> str | None:
    """A value as text with every unknown part written as 0, which is good inside and outside of JSON strings."""
    return _render(value, "0")


def _render(value: Any, hole: str | None) -> str | None:
    """Literals, Join and Sub as text; `hole` in place of unknown parts, or no text at all where it is None."""
    match value:
        case str():
            return value
        case bool() | None:
            return None
        case int() | float():
            return str(value)
        case {"Ref": str(name)}:
            return _PSEUDO_PARAMETERS.get(name, hole)
        case {"Fn::Join": [separator, [*parts]]}:
            rendered = [_render(part, hole) for part in parts]
            return None if None in rendered else str(separator).join(part for part in rendered if part is not None)
        case {"Fn::Sub": str(template)} | {"Fn::Sub": [str(template)]}:
            return _substitute(template, {}, hole)
        case {"Fn::Sub": [str(template), dict(given)]}:
            return _substitute(template, given, hole)
    return hole if is_function(value) else None


def _substitute(template: str, given: dict[str, Any], hole: str | None) -> str | None:
    parts, end = [], 0
    for match in _PLACEHOLDER.finditer(template):
        literal, name = match.groups()
        part = f"${{{name}}}" if literal else _render(given.get(name, {"Ref": name}), hole)
        if part is None:
            return None
        parts += [template[end : match.start()], part]
        end = match.end()
    return "".join(parts) + template[end:]


def referred(value: Any) -> tuple[str, str] | None:
    """The logical id and attribute ("Ref" for a Ref) that a Ref, GetAtt or Sub of one placeholder names."""
    match value:
        case {"Ref": str(name)}:
            return name, "Ref"
        case {"Fn::GetAtt": str(name)}:
            logical_id, _, attribute = name.partition(".")
            return logical_id, attribute
        case {"Fn::GetAtt": [str(logical_id), str(attribute)]}:
            return logical_id, attribute
        case {"Fn::Sub": str(template)} if (placeholder := _PLACEHOLDER.fullmatch(template)) and not placeholder[1]:
            logical_id, _, attribute = placeholder[2].partition(".")
            return logical_id, attribute or "Ref"
    return None


def names(value: Any, logical_id: str) -> bool:
    """Whether a value refers to a resource of the template."""
    target = referred(value)
    return target is not None and target[0] == logical_id


class MalformedJsonError(ValueError):
    """A text is no JSON, or an object in it gives a key twice."""


def parse(value: str) -> Any:
    """JSON text → value; raises MalformedJsonError, also for a key given twice, of which a service would drop one."""
    try:
        return json.loads(value, object_pairs_hook=_unique, parse_constant=_no_constant)
    except MalformedJsonError:
        raise
    except RecursionError:
        raise MalformedJsonError("nested too deeply") from None
    except ValueError as error:
        raise MalformedJsonError(str(error)) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise MalformedJsonError(f"key {twice!r} given twice")
    return result


def _no_constant(name: str) -> Any:
    raise MalformedJsonError(f"{name} is no JSON")


def embedded(value: Any) -> Any:
    """An embedded JSON document as a value, unknown parts filled; None when missing, UNKNOWN when unknown or malformed.

    Objects are taken as they are: some properties accept both forms.
    """
    if isinstance(value, dict) and not is_function(value):
        return value
    document = filled(value)
    if document is None or (is_function(value) and document == "0"):
        return None if value is None else UNKNOWN
    try:
        return parse(document)
    except MalformedJsonError:
        return UNKNOWN
