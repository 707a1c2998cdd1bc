"""The Query protocol: form bodies in, XML out, both read from botocore's own model of the service.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonParameters.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import Any
from xml.sax.saxutils import escape

from localaws.api_errors import ApiError, invalid

_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
# What XML 1.0 cannot carry, not even escaped.
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@cache
def service_model() -> Any:
    """The model that botocore has of CloudFormation."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("cloudformation", "service-2"), "cloudformation")


# --- in --------------------------------------------------------------------------------------------------------------
def parse(operation: Any, form: Mapping[str, str]) -> dict[str, Any]:
    """A request's members by name, typed as the model says; ValidationError where one breaks its constraints."""
    tree: dict[str, Any] = {}
    for key, value in form.items():
        node = tree
        *parents, last = key.split(".")
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    problems: list[str] = []
    given: dict[str, Any] = _typed(operation.input_shape, tree, "", problems)
    if problems:
        plural = "s" if len(problems) > 1 else ""
        raise invalid(f"{len(problems)} validation error{plural} detected: {'; '.join(problems)}")
    return given


def _typed(shape: Any, node: Any, where: str, problems: list[str]) -> Any:
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            place = f"{where}.{name[0].lower()}{name[1:]}" if where else f"{name[0].lower()}{name[1:]}"
            if name in node:
                found[name] = _typed(member, node[name], place, problems)
            elif name in shape.required_members:
                problems.append(f"Value null at '{place}' failed to satisfy constraint: Member must not be null")
        return found
    if shape.type_name == "list":
        entries = node.get("member", {}) if isinstance(node, dict) else {}
        ordered = sorted(entries, key=int)
        return [_typed(shape.member, entries[key], f"{where}.{key}.member", problems) for key in ordered]
    if shape.type_name == "boolean":
        return node.lower() == "true"
    if shape.type_name == "integer":
        return int(node)
    _constrain(shape, node, where, problems)
    return node


def _constrain(shape: Any, value: str, where: str, problems: list[str]) -> None:
    told = f"Value '{value}' at '{where}' failed to satisfy constraint: Member must"
    if shape.enum and value not in shape.enum:
        problems.append(f"{told} satisfy enum value set: [{', '.join(shape.enum)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value, re.DOTALL):
        problems.append(f"{told} satisfy regular expression pattern: {pattern}")
    if len(value) > shape.metadata.get("max", len(value)):
        problems.append(f"{told} have length less than or equal to {shape.metadata['max']}")


# --- out -------------------------------------------------------------------------------------------------------------
def render(operation: Any, result: Mapping[str, Any], request_id: str) -> bytes:
    """The answer of an operation as XML; members that are None are left out."""
    inner = ""
    if operation.output_shape is not None:
        wrapper = operation.output_shape.serialization.get("resultWrapper", f"{operation.name}Result")
        inner = _element(operation.output_shape, result, wrapper)
    return (
        f'<{operation.name}Response xmlns="{_NAMESPACE}">{inner}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation.name}Response>"
    ).encode()


def _element(shape: Any, value: Any, name: str) -> str:
    return f"<{name}>{_content(shape, value)}</{name}>"


def _content(shape: Any, value: Any) -> str:
    if shape.type_name == "structure":
        unknown = set(value) - set(shape.members)
        if unknown:
            raise KeyError(f"{shape.name} has no member {', '.join(sorted(unknown))}")
        return "".join(
            _element(member, value[name], name) for name, member in shape.members.items() if value.get(name) is not None
        )
    if shape.type_name == "list":
        return "".join(_element(shape.member, entry, "member") for entry in value)
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if isinstance(value, datetime):
        return timestamp(value)
    return escape(_NOT_IN_XML.sub("?", str(value)), {"\r": "&#13;"})


def timestamp(moment: datetime) -> str:
    """As the API writes a time: milliseconds, Z."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def render_error(error: ApiError, request_id: str) -> bytes:
    """A refusal as XML."""
    kind = "Sender" if error.status < HTTPStatus.INTERNAL_SERVER_ERROR else "Receiver"
    text = escape(_NOT_IN_XML.sub("?", error.message))
    return (
        f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>{kind}</Type><Code>{error.code}</Code>'
        f"<Message>{text}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()
