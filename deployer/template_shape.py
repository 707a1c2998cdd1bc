"""Whether a template is one that CloudFormation would take as far as its shape goes. Pure.

What reads templates after this may rely on it: sections are mappings, resources have a type, and each intrinsic
function has arguments of the kind and the number that it takes.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from deployer.changes import NESTED_STACK
from deployer.errors import TemplateError

_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources", "Outputs")
_SHOWN = 60  # characters of an argument that a message shows
_MEND = "mend it where it was written (cfn-lint names the line), and run the command again"
_MEND_DEPLOYED = "see: aws cloudformation get-template; build.py writes no such thing, so mend it with what deployed it"


def require_shape(templates: Mapping[str, Mapping[str, Any]], place: Callable[[str], str], hint: str = _MEND) -> None:
    """Raise a `TemplateError` with everything that is malformed; `place` says where a tier's template stands."""
    problems = [f"{place(tier)}: {fault}" for tier, template in templates.items() for fault in faults(template)]
    if problems:
        raise TemplateError(problems, hint=hint)


def require_deployed_shape(templates: Mapping[str, Mapping[str, Any]]) -> None:
    """The same for what AWS told, by tier."""
    require_shape(templates, lambda tier: f"deployed stack {tier}", _MEND_DEPLOYED)


def faults(template: Any) -> Iterator[str]:
    """Everything that is malformed, with its logical id and the path to it."""
    if not isinstance(template, Mapping):
        yield f"a template is a mapping, not {_shown(template)}"
        return
    sections = [name for name in _SECTIONS if name in template or name == "Resources"]
    wrong = [name for name in sections if not isinstance(template.get(name), Mapping)]
    for name in wrong:
        yield f"{name} is a mapping, not {_shown(template.get(name))}"
    for name in sections:
        for logical_id, body in {} if name in wrong else template[name].items():
            yield from _of_entry(name, str(logical_id), body)
    if "Conditions" in sections and "Conditions" not in wrong:
        yield from _circles(template["Conditions"])


def _of_entry(section: str, logical_id: str, body: Any) -> Iterator[str]:
    if logical_id.startswith("Fn::"):
        yield f"{section}.{logical_id}: only AWS expands this, so that nothing can be told of what it makes"
    elif not isinstance(body, Mapping):
        yield f"{section}.{logical_id} is a mapping, not {_shown(body)}"
    elif section == "Resources":
        yield from _of_resource(logical_id, body)
    elif section == "Conditions":
        yield from _walk(logical_id, body, {**_SHAPES, "Condition": _NAME})
    elif section == "Mappings":
        yield from (f"{logical_id}.{k} is a mapping, not {_shown(v)}" for k, v in body.items() if not _is_map(v))
    elif section == "Outputs" and "Value" not in body:
        yield f"{logical_id} has no Value"
    else:
        yield from _walk(logical_id, body, _SHAPES)


def _of_resource(logical_id: str, body: Mapping[str, Any]) -> Iterator[str]:
    properties = body.get("Properties", {})
    after = body.get("DependsOn", [])
    if not _is_text(body.get("Type")):
        yield f"{logical_id}.Type is the name of a type, not {_shown(body.get('Type'))}"
    if not _is_text(body.get("Condition", "")):
        yield f"{logical_id}.Condition is the name of a condition, not {_shown(body['Condition'])}"
    if not (_is_text(after) or (isinstance(after, list) and all(map(_is_text, after)))):
        yield f"{logical_id}.DependsOn is a logical id or a list of them, not {_shown(after)}"
    if not _is_map(properties):
        yield f"{logical_id}.Properties is a mapping, not {_shown(properties)}"
        return
    if body.get("Type") == NESTED_STACK:
        if not _is_map(properties.get("Parameters", {})):
            yield f"{logical_id}.Properties.Parameters is a mapping, not {_shown(properties['Parameters'])}"
        if not _is_value(properties.get("TemplateURL")):
            yield f"{logical_id}.Properties.TemplateURL is an address, not {_shown(properties.get('TemplateURL'))}"
    yield from _walk(f"{logical_id}.Properties", properties, _SHAPES)


def _walk(path: str, node: Any, shapes: Mapping[str, tuple[str, Callable[[Any], bool]]]) -> Iterator[str]:
    """The malformed functions at `path` and below it."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _walk(f"{path}.{index}", item, shapes)
    elif isinstance(node, Mapping):
        if len(node) == 1:
            ((name, argument),) = node.items()
            wanted, fits = shapes.get(name, _ANYTHING)
            if not fits(argument):
                yield f"{path}: {name} takes {wanted}, not {_shown(argument)}"
                return
        for key, item in node.items():
            yield from _walk(f"{path}.{key}", item, shapes)


def _circles(conditions: Mapping[str, Any]) -> Iterator[str]:
    """A circle of conditions, the first that is found."""
    graph = {name: {other for other in _named(body) if other in conditions} for name, body in conditions.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield f"Conditions hang on each other in a circle: {' → '.join(reversed(error.args[1]))}"


def _named(node: Any) -> Iterator[str]:
    """The conditions that a condition names."""
    if isinstance(node, list):
        for item in node:
            yield from _named(item)
    elif isinstance(node, Mapping):
        for key, value in node.items():
            if key == "Condition" and _is_text(value):
                yield value
            elif key == "Fn::If" and isinstance(value, list) and value and _is_text(value[0]):
                yield value[0]
            yield from _named(value)


# --- what each function takes -----------------------------------------------------------------------------------------
def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_value(value: Any) -> bool:
    """A text, or the function that makes one."""
    return isinstance(value, str | Mapping)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | Mapping)


def _is_items(value: Any) -> bool:
    """A list, or the function that makes one."""
    return isinstance(value, list | Mapping)


def _is_index(value: Any) -> bool:
    return _is_map(value) or str(value).isdecimal()


def _is_getatt(value: Any) -> bool:
    return (_is_text(value) and "." in value) or _fits(_is_value, _is_value)(value)


def _is_substitution(value: Any) -> bool:
    return _is_text(value) or _fits(_is_text, _is_map)(value)


def _is_look_up(value: Any) -> bool:
    three = (_is_scalar,) * 3
    return _fits(*three)(value) or (_fits(*three, _is_map)(value) and value[3].keys() == {"DefaultValue"})


def _is_any(_: Any) -> bool:
    return True


def _fits(*parts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether a value is a list with just these parts."""
    return lambda value: (
        isinstance(value, list)
        and len(value) == len(parts)
        and all(part(item) for part, item in zip(parts, value, strict=True))
    )


def _several(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and least <= len(value) <= most


_ANYTHING = ("anything", _is_any)
_NAME = ("a name", _is_text)
_SHAPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "Ref": ("a name", lambda value: bool(value) and _is_value(value)),
    "Fn::And": ("a list of 2 to 10 conditions", _several(2, 10)),
    "Fn::Base64": ("a text", _is_value),
    "Fn::Cidr": ("[block, count] or [block, count, bits]", lambda v: _is_map(v) or _several(2, 3)(v)),
    "Fn::Equals": ("a list of 2 values", _several(2, 2)),
    "Fn::FindInMap": ('[map, key, key], and {"DefaultValue": …} perhaps', _is_look_up),
    "Fn::GetAtt": ('[resource, attribute] or "resource.attribute"', _is_getatt),
    "Fn::GetAZs": ("a region", _is_value),
    "Fn::If": ("[condition, value, value]", _fits(_is_text, _is_any, _is_any)),
    "Fn::ImportValue": ("the name of an export", _is_value),
    "Fn::Join": ("[delimiter, list]", _fits(_is_text, _is_items)),
    "Fn::Length": ("a list", _is_items),
    "Fn::Not": ("a list of 1 condition", _several(1, 1)),
    "Fn::Or": ("a list of 2 to 10 conditions", _several(2, 10)),
    "Fn::Select": ("[index, list]", _fits(_is_index, lambda value: bool(value) and _is_items(value))),
    "Fn::Split": ("[delimiter, text]", _fits(lambda value: bool(value) and _is_text(value), _is_value)),
    "Fn::Sub": ("a text, or [text, variables]", _is_substitution),
    "Fn::ToJsonString": ("a mapping or a list", _is_items),
    "Fn::Transform": ("a mapping", _is_map),
}


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
