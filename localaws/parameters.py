"""A template's parameters: what was given, what stands from before, what the template falls back to.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from localaws import quotas
from localaws.api_errors import invalid
from localaws.language import UNKNOWN, text
from localaws.template import Template

HIDDEN = "****"
_SSM = "AWS::SSM::Parameter::Value<"


def chosen(
    template: Template, given: Iterable[Mapping[str, Any]], previous: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The text of every parameter; `given` are the API's entries, `previous` the values that a stack has.

    ValidationError where one is missing, is not declared, or is not what the template allows.
    """
    entries = {entry["ParameterKey"]: entry for entry in given}
    strange = [name for name in entries if name not in template.parameters]
    if strange:
        raise invalid(f"Parameters: [{', '.join(strange)}] do not exist in the template")
    found, missing = {}, []
    for name, declared in template.parameters.items():
        entry = entries.get(name, {})
        if entry.get("UsePreviousValue"):
            if previous is None or name not in previous:
                raise invalid(
                    f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a "
                    "parameter key not in the previous template"
                )
            found[name] = previous[name]
        elif "ParameterValue" in entry:
            found[name] = entry["ParameterValue"]
        elif "Default" in declared:
            found[name] = text(declared["Default"])
        else:
            missing.append(name)
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    for name, value in found.items():
        _check(name, template.parameters[name], value)
    return found


def _check(name: str, declared: Mapping[str, Any], value: str) -> None:
    if UNKNOWN in value:
        return
    told = declared.get("ConstraintDescription")
    allowed = [text(entry) for entry in declared.get("AllowedValues", ())]
    kind = declared.get("Type", "String")
    parts = value.split(",") if kind in ("CommaDelimitedList", "List<Number>") else [value]
    if allowed and not all(part in allowed for part in parts):
        raise invalid(f"Parameter '{name}' must be one of AllowedValues" if told is None else _failed(name, told))
    if kind in ("Number", "List<Number>") and not all(re.fullmatch(r"\s*[-+]?\d+(\.\d+)?\s*", part) for part in parts):
        raise invalid(f"Parameter '{name}' must be a number.")
    pattern = declared.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(pattern, value):
        raise invalid(_failed(name, told or f"must match pattern {pattern}"))
    if not int(declared.get("MinLength", 0)) <= len(value) <= int(declared.get("MaxLength", len(value))):
        raise invalid(_failed(name, told or "must contain as many characters as MinLength and MaxLength allow"))
    if kind == "Number":
        low, high = float(declared.get("MinValue", value)), float(declared.get("MaxValue", value))
        if not low <= float(value) <= high:
            raise invalid(_failed(name, told or "must be a number that MinValue and MaxValue allow"))
    if len(value.encode()) > quotas.PARAMETER_BYTES:
        raise invalid(f"Parameter '{name}' must not be longer than {quotas.PARAMETER_BYTES} bytes")


def _failed(name: str, reason: str) -> str:
    return f"Parameter '{name}' failed to satisfy constraint: {reason}"


def typed(template: Template, values: Mapping[str, str], clients: Any) -> dict[str, Any]:
    """The values that a Ref gives: a list for a list type, the stored value for an SSM type."""
    return {
        name: _typed(template.parameters[name].get("Type", "String"), value, clients) for name, value in values.items()
    }


def _typed(kind: str, value: str, clients: Any) -> Any:
    if kind.startswith(_SSM) and UNKNOWN not in value:
        stored = _stored(value, clients)
        return _typed(kind.removeprefix(_SSM).removesuffix(">"), stored, clients)
    if (kind == "CommaDelimitedList" or kind.startswith("List<")) and value != UNKNOWN:
        return [part.strip() for part in value.split(",")]
    return value


def _stored(name: str, clients: Any) -> str:
    from botocore.exceptions import ClientError

    try:
        found: str = clients("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    except ClientError:
        raise invalid(f"Unable to fetch parameters [{name}] from parameter store for this account.") from None
    return found


def shown(template: Template, values: Mapping[str, str]) -> list[dict[str, str]]:
    """The parameters as the API shows them: those that NoEcho hides as asterisks."""
    return [
        {"ParameterKey": name, "ParameterValue": HIDDEN if hidden(template.parameters.get(name, {})) else value}
        for name, value in values.items()
    ]


def hidden(declared: Mapping[str, Any]) -> bool:
    """Whether a parameter's value must not be shown."""
    return text(declared.get("NoEcho", False)).lower() == "true"
