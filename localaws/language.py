"""The intrinsic functions: what an expression comes to, given parameters and the resources that stand.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from localaws.api_errors import invalid
from localaws.references import PLACEHOLDER, REF, attribute_of, placeholder
from localaws.template import Template

# What AWS writes where it will know a value only when it has applied the change.
UNKNOWN: Final = "{{changeSet:KNOWN_AFTER_APPLY}}"
NO_VALUE: Final = object()
"""What { "Ref": "AWS::NoValue" } comes to: the property that holds it is left out."""

CONDITION_FUNCTIONS = frozenset({"Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"})


@dataclass
class Scope:
    """What names mean: `parameters` typed (a list for a list type), `resource` gives Ref and attributes of one.

    `zones` are the availability zones of a region.
    """

    template: Template
    parameters: Mapping[str, Any]
    pseudo: Mapping[str, Any]
    resource: Callable[[str, str], Any]
    zones: Callable[[], list[str]]
    _conditions: dict[str, bool] = field(default_factory=dict)

    def holds(self, name: str) -> bool:
        """Whether a condition of the template is met."""
        if name not in self._conditions:
            if name not in self.template.conditions:
                raise invalid(f"Template format error: Unresolved condition dependency {name}")
            self._conditions[name] = self._decide(self.template.conditions[name])
        return self._conditions[name]

    def present(self, body: Mapping[str, Any]) -> bool:
        """Whether a resource or an output with this body is there at all."""
        return "Condition" not in body or self.holds(body["Condition"])

    def _decide(self, node: Any) -> bool:
        if isinstance(node, dict) and len(node) == 1:
            key, value = next(iter(node.items()))
            if key == "Condition":
                return self.holds(value)
            if key == "Fn::Equals":
                left, right = (text(evaluate(side, self)) for side in value)
                return left == right
            if key == "Fn::Not":
                return not self._decide(value[0])
            if key in ("Fn::And", "Fn::Or"):
                return (all if key == "Fn::And" else any)(self._decide(part) for part in value)
        raise invalid("Template format error: Every Conditions member must be a condition function.")

    def named(self, name: str, attribute: str) -> Any:
        """The value of a Ref or an attribute."""
        if attribute == REF:
            if name in self.pseudo:
                return self.pseudo[name]
            if name in self.parameters:
                return self.parameters[name]
        return self.resource(name, attribute)


def text(value: Any) -> str:
    """A scalar as CloudFormation writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def evaluate(node: Any, scope: Scope) -> Any:
    """What an expression comes to; NO_VALUE where it is to be left out."""
    if isinstance(node, dict):
        if len(node) == 1:
            key, value = next(iter(node.items()))
            if key == REF:
                return scope.named(value, REF)
            if key in FUNCTIONS:
                return FUNCTIONS[key](value, scope)
        found = {key: evaluate(value, scope) for key, value in node.items()}
        return {key: value for key, value in found.items() if value is not NO_VALUE}
    if isinstance(node, list):
        entries = [evaluate(entry, scope) for entry in node]
        return [entry for entry in entries if entry is not NO_VALUE]
    return node


def _listed(value: Any, scope: Scope, function: str) -> list[Any]:
    found = evaluate(value, scope)
    if found == UNKNOWN:
        # A list that is not known yet counts as one of one entry: Fn::Select beyond it fails the change set, as AWS's
        # does: https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/759
        return [UNKNOWN]
    if not isinstance(found, list):
        raise invalid(f"Template error: {function} requires a list argument")
    return found


def _pair(value: Any, function: str, shape: str) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - a pair
        raise invalid(f"Template error: every {function} object requires two parameters, {shape}.")
    return value[0], value[1]


def _base64(value: Any, scope: Scope) -> Any:
    found = text(evaluate(value, scope))
    return found if UNKNOWN in found else base64.b64encode(found.encode()).decode()


def _cidr(value: Any, scope: Scope) -> list[str]:
    block, count, bits = (text(evaluate(part, scope)) for part in (*value, "8")[:3])
    if UNKNOWN in (block, count, bits):
        return [UNKNOWN]
    network = ipaddress.ip_network(block)
    blocks = network.subnets(new_prefix=network.max_prefixlen - int(bits))
    found = [str(subnet) for subnet, _ in zip(blocks, range(int(count)), strict=False)]
    if len(found) < int(count):
        raise invalid(f"Template error: Fn::Cidr cannot make {count} blocks of {block}")
    return found


def _find_in_map(value: Any, scope: Scope) -> Any:
    name, first, second = (text(evaluate(part, scope)) for part in value[:3])
    try:
        return scope.template.mappings[name][first][second]
    except KeyError:
        raise invalid(f"Template error: Unable to get mapping for {name}::{first}::{second}") from None


def _get_att(value: Any, scope: Scope) -> Any:
    name, written = attribute_of(value)
    attribute = written if isinstance(value, str) or written else value[-1]  # the attribute may be a Ref of a parameter
    return scope.resource(name, text(evaluate(attribute, scope)))


def _get_azs(value: Any, scope: Scope) -> list[str]:
    region = evaluate(value, scope)
    if region not in ("", scope.pseudo["AWS::Region"]):
        raise invalid(f"Template error: Fn::GetAZs of another region is not supported here: {region}")
    return scope.zones()


def _if(value: Any, scope: Scope) -> Any:
    condition, yes, no = value
    return evaluate(yes if scope.holds(condition) else no, scope)


def _join(value: Any, scope: Scope) -> str:
    delimiter, parts = _pair(value, "Fn::Join", "a string delimiter and a list of strings")
    entries = _listed(parts, scope, "Fn::Join")
    if any(isinstance(entry, dict | list) for entry in entries):
        raise invalid("Template error: every Fn::Join object requires a list of strings.")
    return str(delimiter).join(text(entry) for entry in entries)


def _select(value: Any, scope: Scope) -> Any:
    index, entries = _pair(value, "Fn::Select", "an index and a list")
    place = int(text(evaluate(index, scope)))
    found = _listed(entries, scope, "Fn::Select")
    if not 0 <= place < len(found):
        raise invalid(f"Template error: Fn::Select cannot select nonexistent value at index {place}")
    return found[place]


def _split(value: Any, scope: Scope) -> list[str]:
    delimiter, source = _pair(value, "Fn::Split", "a string delimiter and a source string")
    return text(evaluate(source, scope)).split(str(delimiter))


def _sub(value: Any, scope: Scope) -> str:
    template, variables = (value, {}) if isinstance(value, str) else _pair(value, "Fn::Sub", "a string and a map")
    filled = ""
    end = 0
    for match in PLACEHOLDER.finditer(template):
        filled += template[end : match.start()]
        end = match.end()
        literal, name = match.groups()
        if literal:
            filled += f"${{{name}}}"
            continue
        found = evaluate(variables[name], scope) if name in variables else scope.named(*placeholder(name))
        if isinstance(found, dict | list):
            raise invalid(f"Template error: Fn::Sub needs a string for ${{{name}}}")
        filled += text(found)
    return filled + template[end:]


FUNCTIONS: Final[dict[str, Callable[[Any, Scope], Any]]] = {
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _get_azs,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}


def normal(value: Any) -> Any:
    """A value with its scalars as texts: 20, "20" and true, "true" are the same to CloudFormation."""
    if isinstance(value, dict):
        return {key: normal(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [normal(entry) for entry in value]
    return text(value)


def holds_unknown(value: Any) -> bool:
    """Whether a part of a value will be known only when the change is applied."""
    if isinstance(value, dict):
        return any(holds_unknown(entry) for entry in value.values())
    if isinstance(value, list):
        return any(holds_unknown(entry) for entry in value)
    return isinstance(value, str) and UNKNOWN in value
