"""Values of a template as far as they are known offline; what is not known keeps its identity.

"The id of network.Vpc" is unknown, and yet the same before and after as long as the VPC is the same one. So an unknown
value is told by what it is, and two of them are equal when they stand for the same thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deployer.review.values import text_of


@dataclass(frozen=True, slots=True)
class Attribute:
    """What Ref ("Ref") or Fn::GetAtt gives of the resource at `address`, "network.Vpc"."""

    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """Unknown, and the same for as long as the stack lives: the account's number, an import."""

    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text that is known in parts."""

    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of what is not known, or one that only AWS can evaluate."""

    function: str
    argument: Any


class _Marker:
    """A value like no other."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


NO_VALUE = _Marker("AWS::NoValue")
ABSENT: Any = _Marker("absent")


def is_unknown(value: Any) -> bool:
    """Whether the value itself (not something inside it) is unknown."""
    return isinstance(value, Attribute | Fixed | Text | Call)


def attributes_in(value: Any) -> Iterator[Attribute]:
    """Every attribute of a resource that the value is made of."""
    if isinstance(value, Attribute):
        yield value
    elif isinstance(value, Text):
        for part in value.parts:
            yield from attributes_in(part)
    elif isinstance(value, Call):
        yield from attributes_in(value.argument)
    elif isinstance(value, dict):
        for item in value.values():
            yield from attributes_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from attributes_in(item)


def is_known(value: Any) -> bool:
    """Whether nothing in the value is unknown."""
    if isinstance(value, dict):
        return all(map(is_known, value.values()))
    if isinstance(value, list):
        return all(map(is_known, value))
    return not is_unknown(value)


def scalar_text(value: Any) -> str:
    """A scalar as CloudFormation hands it on: true and "true" are the same to it, and so are 5432 and "5432"."""
    return text_of(plain(value))


def join(parts: list[Any]) -> Any:
    """The text that these make; a `Text` where not all of them are known."""
    merged: list[Any] = []
    for part in parts:
        pieces = part.parts if isinstance(part, Text) else (part,)
        for piece in pieces:
            known = not is_unknown(piece)
            text = scalar_text(piece) if known and piece is not NO_VALUE else ""
            if known and merged and isinstance(merged[-1], str):
                merged[-1] += text
            elif not known or text:
                merged.append(text if known else piece)
    if not merged:
        return ""
    return merged[0] if len(merged) == 1 else Text(tuple(merged))


def plain(value: Any) -> Any:
    """The value as JSON, `${network.Vpc.Ref}` for what is not known."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if value is NO_VALUE:  # where it could not take its property away: in a branch that may not be taken, say
        return "${AWS::NoValue}"
    return placeholder(value) if is_unknown(value) else value


def placeholder(value: Any) -> str:
    """An unknown value as a person reads it."""
    if isinstance(value, Attribute):
        return f"${{{value.address}.{value.name}}}"
    if isinstance(value, Fixed):
        return f"${{{value.name}}}"
    if isinstance(value, Text):
        return "".join(part if isinstance(part, str) else placeholder(part) for part in value.parts)
    return f"${{{value.function} {text_of(plain(value.argument))}}}"


def shown(value: Any) -> str | None:
    """The value as the text of a change set; None for what is not there."""
    return None if value is ABSENT else text_of(plain(value))
