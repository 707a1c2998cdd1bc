"""What differs between two values of a property: of a JSON document only the lines that change.

Policies, task settings and container definitions are documents of hundreds of lines; whoever judges a change reads the
two that differ. Elements of lists are told apart by what names them (Name, Key, Sid …), so that one inserted in front
is one line and not a shift of all others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from deployer.changes import PropertyChange
from deployer.render.values import HIDDEN, KNOWN_LATER, is_secret, quoted, visible

_ABSENT: Any = object()
_IDENTITIES = (
    "Name", "Key", "Sid", "Id", "id", "rule-id", "TargetGroupArn", "AttributeName", "ContainerPath", "ContainerName",
    "SettingName", "ParameterName", "Field", "Priority", "CidrIp", "Type", "Effect",
)  # fmt: skip
_DEEPEST = 40  # levels; deeper documents are shown as one line
_ARN_PARTS = 6
_UNIQUE_TAIL = re.compile(r"/[0-9a-f]{16,}$")  # what AWS appends to names of load balancers and target groups
_KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that differs, its values ready to be shown; None where that side has nothing.

    `path` is below the property ("Statement[AllowRead].Action[]"), "" for the property itself.
    """

    path: str
    before: str | None
    after: str | None

    @property
    def sign(self) -> str:
        """`+` added, `-` removed, `~` changed."""
        return "+" if self.before is None else "-" if self.after is None else "~"


def title(change: PropertyChange) -> str:
    """A property's name as it is written here: `VpcConfig.SubnetIds[0]`, `DeletionPolicy`, `Tags.CostCenter`."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in change.path.split("/") if part]
    names = [*([] if change.attribute == "Properties" else [change.attribute]), *parts] or ["Properties"]
    if len(names) > 1 and names[0] == names[1]:
        del names[0]  # AWS names the tags' place both as attribute and in the path
    return visible(names[0] + "".join(f"[{name}]" if name.isdecimal() else f".{name}" for name in names[1:]))


def differences(change: PropertyChange) -> tuple[Difference, ...]:
    """Where the property's two values differ, in the order of the document.

    () where both say the same and are only written differently, or where AWS tells neither value.
    """
    before = _ABSENT if change.before is None else change.before
    after = _ABSENT if change.after is None else change.after
    if not change.after_known:
        found = next(_leaf("", title(change), before, _ABSENT), Difference("", None, None))
        return (Difference("", found.before, KNOWN_LATER),)
    return tuple(_walk("", title(change), before, after, 0))


def _walk(path: str, name: str, before: Any, after: Any, depth: int) -> Iterator[Difference]:
    """`name` is that of the nearest thing around which has one; it tells secrets from the rest."""
    if depth < _DEEPEST:
        before, after = _opened(before), _opened(after)
        if _are(before, after, dict):
            yield from _objects(path, name, before, after, depth)
            return
        if _are(before, after, list):
            yield from _lists(path, name, before, after, depth)
            return
        if isinstance(before, list) and isinstance(after, str):
            after = [after]  # IAM's own shorthand for a list of one
            yield from _lists(path, name, before, after, depth)
            return
        if isinstance(before, str) and isinstance(after, list):
            yield from _lists(path, name, [before], after, depth)
            return
    if before != after:
        yield from _leaf(path, name, before, after)


def _are(before: Any, after: Any, kind: type) -> bool:
    """Whether both are of the kind and worth walking into, one of them maybe absent; an empty one is a value."""
    sides = [side for side in (before, after) if side is not _ABSENT]
    return bool(sides) and all(isinstance(side, kind) for side in sides) and any(sides)


def _objects(path: str, name: str, before: Any, after: Any, depth: int) -> Iterator[Difference]:
    old, new = ({} if side is _ABSENT else side for side in (before, after))
    for key in [*old, *(key for key in new if key not in old)]:
        below = f"{path}.{visible(key)}" if path else visible(key)
        yield from _walk(below, name, old.get(key, _ABSENT), new.get(key, _ABSENT), depth + 1)


def _lists(path: str, name: str, before: Any, after: Any, depth: int) -> Iterator[Difference]:
    old, new = ([] if side is _ABSENT else side for side in (before, after))
    key = _identity(old, new)
    if key:
        olds, news = ({_called(part[key]): part for part in side} for side in (old, new))
        for called in [*olds, *(called for called in news if called not in olds)]:
            was, now = (_without(key, side[called]) if called in side else _ABSENT for side in (olds, news))
            label = _UNIQUE_TAIL.sub("", visible(called))
            yield from _walk(f"{path}[{label}]", called, was, now, depth + 1)
        ordered = [called for called in olds if called in news], [called for called in news if called in olds]
        if ordered[0] != ordered[1]:
            yield Difference(f"{path}[] order", *(visible(", ".join(side)) for side in ordered))
        return
    texts = [[json.dumps(part, sort_keys=True) for part in side] for side in (old, new)]
    for operation, a, b, c, d in SequenceMatcher(None, texts[0], texts[1], autojunk=False).get_opcodes():
        if operation == "replace" and b - a == d - c:
            for index in range(b - a):
                yield from _walk(f"{path}[{c + index}]", name, old[a + index], new[c + index], depth + 1)
        elif operation != "equal":
            for index in range(a, b):
                yield from _walk(f"{path}[]", name, old[index], _ABSENT, depth + 1)
            for index in range(c, d):
                yield from _walk(f"{path}[]", name, _ABSENT, new[index], depth + 1)


def _identity(old: list[Any], new: list[Any]) -> str:
    """The member that names every element of both lists, "" where there is none."""
    elements = [*old, *new]
    if not all(isinstance(element, dict) for element in elements):
        return ""
    for key in _IDENTITIES:
        sides = [[_called(element.get(key)) for element in side] for side in (old, new)]
        if all(side.count(called) == 1 and called for side in sides for called in side):
            return key
    return ""


def _without(key: str, element: dict[str, Any]) -> dict[str, Any]:
    """The element without the name that its path tells already, unless it is all there is."""
    return {name: value for name, value in element.items() if name != key} or element


def _called(value: Any) -> str:
    """What an element is called: a scalar, the resource's own part of an ARN, or the target of a Ref."""
    if isinstance(value, dict) and list(value) == ["Ref"]:
        value = value["Ref"]
    if isinstance(value, str) and value.startswith("arn:"):
        return value.split(":", _ARN_PARTS - 1)[-1]
    return str(value) if isinstance(value, str | int) else ""


def _opened(value: Any) -> Any:
    """The document that a string holds; anything else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _leaf(path: str, name: str, before: Any, after: Any) -> Iterator[Difference]:
    key = path.rpartition(".")[2] or name.rpartition(".")[2]
    old, new = (None if side is _ABSENT else side if isinstance(side, str) else json.dumps(side)
                for side in (before, after))  # fmt: skip
    if old == new:
        return  # "7" and 7 are the same to CloudFormation
    if any(side is not None and is_secret(key.partition("[")[0], name, side) for side in (old, new)):
        yield Difference(path, *(side if side is None else HIDDEN for side in (old, new)))
        return
    lines = [[] if side is None else side.splitlines() for side in (old, new)]
    if max(map(len, lines)) > 1 and None not in (old, new):
        yield from _text_lines(path, *lines)
        return
    yield Difference(path, *(side if side is None else _told(side) for side in (old, new)))


def _told(value: str) -> str:
    return quoted(visible(value.replace(_KNOWN_AFTER_APPLY, KNOWN_LATER)))


def _text_lines(path: str, old: list[str], new: list[str]) -> Iterator[Difference]:
    for operation, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if operation == "equal":
            continue
        for index in range(max(b - a, d - c)):
            sides = (
                quoted(visible(old[a + index])) if a + index < b else None,
                quoted(visible(new[c + index])) if c + index < d else None,
            )
            yield Difference(f"{path} line {max(a, c) + index + 1}".strip(), *sides)
