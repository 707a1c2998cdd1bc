"""Values between CloudFormation's form and a service's: what a property becomes in a call, what an answer says of it.

CloudFormation writes property names in capitals, takes numbers and truths as strings, and policy documents as objects;
a service's model (as botocore ships it) says what the call wants. So the model itself is the table: members are found
without regard to case, values are cast to the shape, and a member that the shape does not have is an error at any
depth.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError

from localaws.providers.base import ProviderError

_TRUTH = {"true": True, "false": False}


def at(value: Any, path: str) -> Any:
    """What lies at `path` ("Vpcs.0.VpcId"; "" is the value itself), None where a step leads nowhere."""
    for step in path.split(".") if path else ():
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def place(parameters: dict[str, Any], path: str, value: Any) -> None:
    """Put a value where `path` says: "Options.StaticRoutesOnly" in an object, "ResourceIds[]" as a list's one item."""
    *parents, last = path.split(".")
    for parent in parents:
        parameters = parameters.setdefault(parent, {})
    if last.endswith("[]"):
        parameters[last[:-2]] = [value]
    else:
        parameters[last] = value


def call(client: Any, operation: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Call `operation` ("CreateVpc") with values in CloudFormation's form; the answer without its metadata."""
    methods = {api: method for method, api in client.meta.method_to_api_mapping.items()}
    shape = client.meta.service_model.operation_model(operation).input_shape
    try:
        answer: dict[str, Any] = getattr(client, methods[operation])(**fit(values, shape, operation))
    except BotoCoreError as error:
        # What botocore refuses before it asks, and answers that nobody can read; a ClientError is not one of these.
        raise ProviderError(f"{operation}: {error}", "InternalFailure") from error
    answer.pop("ResponseMetadata", None)
    return answer


def member(shape: Any, name: str) -> str | None:
    """The name that a structure of the model gives to what CloudFormation calls `name`."""
    if name in shape.members:
        return name
    lowered = name.lower()
    return next((known for known in shape.members if known.lower() == lowered), None)


def fit(value: Any, shape: Any, path: str) -> Any:
    """The value as the shape wants it; a ProviderError names the place where it does not fit."""
    kind = shape.type_name
    if kind == "structure":
        return _structure(value, shape, path)
    if kind == "list":
        items = value if isinstance(value, list) else [value]
        return [fit(item, shape.member, f"{path}/{index}") for index, item in enumerate(items)]
    if kind == "map":
        return {str(key): fit(item, shape.value, f"{path}/{key}") for key, item in _object(value, path).items()}
    return _scalar(value, kind, path)


def _object(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ProviderError(f"{path}: expected an object, not {type(value).__name__}", "ValidationError")
    return value


def _structure(value: Any, shape: Any, path: str) -> dict[str, Any]:
    if shape.is_document_type:
        return dict(_object(value, path))
    fitted = {}
    for name, item in _object(value, path).items():
        known = member(shape, name)
        if known is None:
            raise ProviderError(f"{path}/{name}: the service knows no such parameter", "ValidationError")
        fitted[known] = fit(item, shape.members[known], f"{path}/{name}")
    return fitted


def _scalar(value: Any, kind: str, path: str) -> Any:
    try:
        if kind == "string":
            return text(value)
        if kind == "boolean":
            return _TRUTH[str(value).lower()]
        if kind in ("integer", "long"):
            return int(value)
        if kind in ("float", "double"):
            return float(value)
        if kind == "blob" and isinstance(value, str):
            return value.encode()
    except (KeyError, TypeError, ValueError):
        raise ProviderError(f"{path}: {value!r} is no {kind}", "ValidationError") from None
    return value


def text(value: Any) -> str:
    """A value where a service takes only text: documents as JSON, truths in lower case."""
    if isinstance(value, str):
        return value
    if isinstance(value, (Mapping, list, bool)):
        return json.dumps(value, separators=(",", ":"))
    return str(value)


def observe(given: Any, actual: Any) -> Any:
    """What an answer says of a property: `given` where it means the same, else the actual value in capitals.

    Only what is given is looked at: members that the service fills in are no difference. The order of a list counts
    for nothing, because services sort as they please.
    """
    if isinstance(actual, str) and isinstance(given, (Mapping, list)):
        actual = _document(actual)
    if isinstance(given, Mapping) and isinstance(actual, Mapping):
        names = {name.lower(): name for name in actual}
        return {
            name: observe(item, actual[names[name.lower()]]) for name, item in given.items() if name.lower() in names
        }
    if isinstance(given, list) and isinstance(actual, list):
        return _observe_list(given, actual)
    return given if _same(given, actual) else _capitals(actual)


def _document(written: str) -> Any:
    try:
        return json.loads(written)
    except ValueError:
        return written


def _observe_list(given: list[Any], actual: list[Any]) -> list[Any]:
    left = list(actual)
    seen: list[Any] = []
    for item in given:
        match = next((index for index, other in enumerate(left) if observe(item, other) == item), None)
        if match is not None:
            left.pop(match)
            seen.append(item)
    if len(left) == 1 and len(seen) + 1 == len(given):
        # One item of as many differs: its place and its given members make the difference readable.
        changed = next(index for index, item in enumerate(given) if index >= len(seen) or seen[index] != item)
        return [*seen[:changed], observe(given[changed], left[0]), *seen[changed:]]
    return [*seen, *(_capitals(item) for item in left)]


def _same(given: Any, actual: Any) -> bool:
    if isinstance(given, (Mapping, list)) or isinstance(actual, (Mapping, list)):
        return bool(given == actual)
    if given == actual or text(given) == text(actual):
        return True
    try:
        return float(given) == float(actual)
    except (TypeError, ValueError):
        return False


def _capitals(value: Any) -> Any:
    """A service's own form in CloudFormation's capitals."""
    if isinstance(value, Mapping):
        return {name[:1].upper() + name[1:]: _capitals(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_capitals(item) for item in value]
    return value
