"""One YAML node → one typed value, or what is wrong with it in words that a person can act on.

YAML 1.1, which PyYAML reads, turns unquoted words into other types: 17.10 into the number 17.1, no into false, 010 into
eight, 10:30 into 630. Params take none of these readings: what an editor's YAML 1.2 would read differently is refused.
https://yaml.org/spec/1.2.2/ext/changes/
"""

from __future__ import annotations

import re
from datetime import date

import yaml

from settings.fields import Between, Cidr
from settings.problems import quote
from settings.shape import Field

_TAG = "tag:yaml.org,2002:"
# Python refuses to read numbers of thousands of digits; nothing here is longer than this many.
_LONGEST_NUMBER = 20

_TIME = {"ms": 1, "s": 1000, "sec": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_TIME |= {"seconds": 1000, "minutes": 60_000, "hours": 3_600_000, "days": 86_400_000, "weeks": 604_800_000}
_TIME |= {"second": 1000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}
# GB and MB are left out: a decimal and a binary reading differ, so a person has to choose.
_SIZE = {"kib": 1, "mib": 1024, "gib": 1024**2, "tib": 1024**3}
_SHARE = {"%": 1, "percent": 1}
# The last word of a key → its unit as people say it, what one of it is worth, and the units that convert to it.
_UNITS: dict[str, tuple[str, int, dict[str, int]]] = {
    "ms": ("milliseconds", 1, _TIME),
    "seconds": ("seconds", _TIME["s"], _TIME),
    "minutes": ("minutes", _TIME["m"], _TIME),
    "days": ("days", _TIME["d"], _TIME),
    "kib": ("KiB", _SIZE["kib"], _SIZE),
    "mib": ("MiB", _SIZE["mib"], _SIZE),
    "gib": ("GiB", _SIZE["gib"], _SIZE),
    "percent": ("percent", 1, _SHARE),
    "weight": ("percent", 1, _SHARE),
}


class RefusedError(Exception):
    """A node is not what its field takes: what was found, what is allowed."""

    def __init__(self, found: str, allowed: str) -> None:
        super().__init__(found, allowed)
        self.found = found
        self.allowed = allowed


def is_null(node: yaml.Node) -> bool:
    """Whether a node is YAML's null: written out, or nothing at all after the colon."""
    return node.tag == _TAG + "null"


def describe(node: yaml.Node) -> str:
    """What stands there, as a message says it."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    text = str(node.value)
    if is_null(node):
        return text or "nothing"
    return quote(text) if node.tag == _TAG + "str" else text


def read_scalar(node: yaml.Node, field: Field) -> str | int | bool:
    """The value of a node, for a field (or an item of one) of kind str, int or bool; raises `RefusedError`."""
    if not isinstance(node, yaml.ScalarNode) or is_null(node):
        raise RefusedError(describe(node), field.allowed)
    if not node.tag.startswith(_TAG):
        raise RefusedError(f"the tag {node.tag}", f"a plain value without a tag: {field.allowed}")
    if field.kind is bool:
        return _read_flag(node, field)
    value = _read_number(node, field) if field.kind is int else _read_text(node, field)
    if not field.accepts(value):
        raise RefusedError(describe(node), field.allowed + _advice(value, field))
    return value


def _read_text(node: yaml.ScalarNode, field: Field) -> str:
    text = str(node.value)
    if node.tag == _TAG + "str":
        return text
    remedy = f': write "{text}"' if field.accepts(text) else ""
    raise RefusedError(f"{text}{_reading(node) or ', without quotes'}", field.allowed + remedy)


def _read_number(node: yaml.ScalarNode, field: Field) -> int:
    text = str(node.value)
    decimal = re.fullmatch(r"[-+]?(0|[1-9][0-9]*)", text) is not None
    if node.tag == _TAG + "int" and decimal and len(text) < _LONGEST_NUMBER:
        return int(text)
    if node.tag == _TAG + "str":
        raise RefusedError(describe(node), field.allowed + _without_unit(text, field))
    remedy = ": write it in plain decimal digits" if node.tag == _TAG + "int" and not decimal else ""
    raise RefusedError(f"{text}{_reading(node)}", field.allowed + remedy)


def _read_flag(node: yaml.ScalarNode, field: Field) -> bool:
    text = str(node.value)
    plain = text.lower() in ("true", "false")
    if node.tag == _TAG + "bool" and plain:
        return text.lower() == "true"
    remedy = ", without quotes" if node.tag == _TAG + "str" and plain else ""
    raise RefusedError(f"{describe(node)}{_reading(node)}", field.allowed + remedy)


def _reading(node: yaml.ScalarNode) -> str:
    """What YAML made of an unquoted word, where that is not what stands there."""
    try:
        value = yaml.constructor.SafeConstructor().construct_object(node)
    except (ValueError, KeyError, yaml.YAMLError):  # an explicit tag on a word that does not fit it; 2026-02-31
        return ""
    what = str(value).lower() if isinstance(value, bool) else f"the number {value}"
    if isinstance(value, date):
        what = "a date"
    elif isinstance(value, str) or str(value).lower() == node.value.lower():
        return ""
    return f", which YAML reads as {what}"


def _advice(value: str | int, field: Field) -> str:
    for constraint in field.constraints:
        if isinstance(constraint, Cidr) and isinstance(value, str) and (nearest := constraint.nearest(value)):
            return f": {nearest}"
    return ""


def _without_unit(text: str, field: Field) -> str:
    """How to write a number that was given as text: without its quotes, or in the unit that the key names."""
    if re.fullmatch(r"[0-9]+", text):
        return f": write {text}, without quotes"
    unit, worth, table = _UNITS.get(field.name.rpartition("_")[2], ("", 1, {}))
    match = re.fullmatch(r"([0-9]{1,12})(?:\.[0-9]+)?\s*([A-Za-z%]+)", text)
    if match and match[2].lower() in table and "." not in text:
        amount, rest = divmod(int(match[1]) * table[match[2].lower()], worth)
        if rest == 0 and any(c.accepts(amount) for c in field.constraints if isinstance(c, Between)):
            return f": write {amount}, the key already says {unit}"
    if match and unit:
        return f": write the number alone, the key already says {unit}"
    return ": write the number alone" if match else ""
