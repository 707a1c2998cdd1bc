"""Intrinsic functions on values that may be unknown in parts.

A function of something unknown is a `Call` that keeps its arguments: it is the same as long as they are.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from deployer.forecast.values import NO_VALUE, Call, is_known, is_unknown, join, scalar_text

_PLACEHOLDER = re.compile(r"\$\{([^!}][^}]*)\}")


class Scope(Protocol):
    """What a function asks of the template that it stands in."""

    def evaluate(self, node: Any) -> Any:
        """A value of the template."""

    def named(self, name: str, attribute: str) -> Any:
        """A reference ("Ref") or an attribute, by name."""

    def condition(self, name: str) -> Any:
        """A named condition."""

    @property
    def mappings(self) -> Mapping[str, Any]:
        """Section Mappings."""


class Conditions:
    """The conditions of one template: True, False, or a `Call` where they hang on what is not known."""

    def __init__(self, definitions: Mapping[str, Any], evaluate: Callable[[Any], Any]) -> None:
        self._definitions = definitions
        self._evaluate = evaluate
        self._values: dict[str, Any] = {}

    def value(self, name: str) -> Any:
        """A named condition; one that is not defined, or hangs on itself, is not known."""
        if name not in self._values:
            self._values[name] = Call("Condition", name)
            if name in self._definitions:
                self._values[name] = self._of(self._definitions[name])
        return self._values[name]

    def _of(self, node: Any) -> Any:
        if isinstance(node, Mapping) and len(node) == 1:
            ((function, argument),) = node.items()
            if function == "Condition":
                return self.value(str(argument))
            if function == "Fn::Not":
                found = self._of(argument[0])
                return not found if isinstance(found, bool) else Call(function, found)
            if function in ("Fn::And", "Fn::Or"):
                return _all_or_any(function, [self._of(part) for part in argument])
            if function == "Fn::Equals":
                left, right = (self._evaluate(side) for side in argument)
                return _equal(left, right)
        return Call("Condition", self._evaluate(node))


def _all_or_any(function: str, parts: list[Any]) -> Any:
    decisive = function == "Fn::Or"
    if any(part is decisive for part in parts):
        return decisive
    unknown = [part for part in parts if not isinstance(part, bool)]
    return Call(function, unknown) if unknown else not decisive


def _equal(left: Any, right: Any) -> Any:
    if is_known(left) and is_known(right):
        return scalar_text(left) == scalar_text(right)
    return True if left == right else Call("Fn::Equals", [left, right])


def _join(argument: Any, scope: Scope) -> Any:
    delimiter, parts = argument[0], scope.evaluate(argument[1])
    if not isinstance(parts, list):
        return Call("Fn::Join", [delimiter, parts])
    pieces: list[Any] = []
    for index, part in enumerate(parts):
        pieces += [delimiter, part] if index else [part]
    return join(pieces)


def _sub(argument: Any, scope: Scope) -> Any:
    text, variables = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
    pieces: list[Any] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        pieces.append(text[end : match.start()].replace("${!", "${"))
        name, _, attribute = match[1].strip().partition(".")
        whole = match[1].strip()
        pieces.append(scope.evaluate(variables[whole]) if whole in variables else scope.named(name, attribute or "Ref"))
        end = match.end()
    return join([*pieces, text[end:].replace("${!", "${")])


def _select(argument: Any, scope: Scope) -> Any:
    index, items = scope.evaluate(argument[0]), scope.evaluate(argument[1])
    if isinstance(items, list) and str(index).isdecimal() and int(index) < len(items):
        return items[int(index)]
    return Call("Fn::Select", [index, items])


def _split(argument: Any, scope: Scope) -> Any:
    delimiter, text = argument[0], scope.evaluate(argument[1])
    if isinstance(text, str):
        return text.split(delimiter)
    return Call("Fn::Split", [delimiter, text])


def _if(argument: Any, scope: Scope) -> Any:
    name, yes, no = argument
    holds = scope.condition(str(name))
    if isinstance(holds, bool):
        return scope.evaluate(yes if holds else no)
    return Call("Fn::If", [holds, scope.evaluate(yes), scope.evaluate(no)])


def _find_in_map(argument: Any, scope: Scope) -> Any:
    keys = [scope.evaluate(key) for key in argument[:3]]
    found: Any = scope.mappings
    for key in keys:
        if is_unknown(key):
            return Call("Fn::FindInMap", keys)
        found = found.get(str(key)) if isinstance(found, Mapping) else None
    if found is None and len(argument) > 3:  # noqa: PLR2004  # the fourth holds DefaultValue
        return scope.evaluate(argument[3]["DefaultValue"])
    return Call("Fn::FindInMap", keys) if found is None else found


def _base64(argument: Any, scope: Scope) -> Any:
    text = scope.evaluate(argument)
    return base64.b64encode(text.encode()).decode() if isinstance(text, str) else Call("Fn::Base64", text)


def _length(argument: Any, scope: Scope) -> Any:
    items = scope.evaluate(argument)
    return len(items) if isinstance(items, list) else Call("Fn::Length", items)


def _to_json(argument: Any, scope: Scope) -> Any:
    value = scope.evaluate(argument)
    if value is NO_VALUE or not is_known(value):
        return Call("Fn::ToJsonString", value)
    return json.dumps(value, separators=(",", ":"))


def _only_aws(function: str) -> Callable[[Any, Scope], Any]:
    """A function that only AWS evaluates, and whose result stays the same while its arguments do.

    Fn::ImportValue too: an exported value cannot be changed while a stack imports it.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
    """
    return lambda argument, scope: Call(function, scope.evaluate(argument))


FUNCTIONS: dict[str, Callable[[Any, Scope], Any]] = {
    "Fn::Base64": _base64,
    "Fn::Cidr": _only_aws("Fn::Cidr"),
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _only_aws("Fn::GetAZs"),
    "Fn::If": _if,
    "Fn::ImportValue": _only_aws("Fn::ImportValue"),
    "Fn::Join": _join,
    "Fn::Length": _length,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": _to_json,
}
