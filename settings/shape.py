"""What the annotations of `model.py` say, read once per class: the loader and the JSON Schema both walk this."""

from __future__ import annotations

import dataclasses
import typing
from functools import cache
from typing import Any

from settings.fields import Constraint, Count


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One key of a section.

    `kind` is str, int, bool or the dataclass of a section; `many` says that the value is a list of them, `count` how
    many; `constraints` hold for the value, or for each item of a list; `sentence` is what editors show.
    """

    name: str
    kind: type
    many: bool
    optional: bool
    count: Count | None
    constraints: tuple[Constraint, ...]
    sentence: str

    @property
    def is_section(self) -> bool:
        """Whether the value is a mapping with keys of its own."""
        return dataclasses.is_dataclass(self.kind)

    @property
    def allowed(self) -> str:
        """In words, what one value (or one item of a list) may be."""
        words = [constraint.allowed for constraint in self.constraints]
        return ", ".join(words) or {bool: "true or false", int: "a whole number"}.get(self.kind, "text")

    @property
    def allowed_list(self) -> str:
        """In words, what a list as a whole may be."""
        return f"a list of {self.count.allowed if self.count else 'items'}, each {self.allowed}"

    def accepts(self, value: Any) -> bool:
        """Whether one value of the right type satisfies every constraint."""
        return all(constraint.accepts(value) for constraint in self.constraints)


@cache
def shape(section: type) -> dict[str, Field]:
    """The fields of a section by name, in the order of the class."""
    return {name: _field(name, hint) for name, hint in typing.get_type_hints(section, include_extras=True).items()}


def _field(name: str, hint: Any) -> Field:
    notes: tuple[Any, ...] = ()
    if typing.get_origin(hint) is typing.Annotated:
        hint, *extras = typing.get_args(hint)
        notes = tuple(extras)
    optional = type(None) in typing.get_args(hint)
    if optional:
        (hint,) = (part for part in typing.get_args(hint) if part is not type(None))
    many = typing.get_origin(hint) is tuple
    if many:
        hint = typing.get_args(hint)[0]
    return Field(
        name=name,
        kind=hint,
        many=many,
        optional=optional,
        count=next((note for note in notes if isinstance(note, Count)), None),
        constraints=tuple(note for note in notes if not isinstance(note, str | Count)),
        sentence=next((note for note in notes if isinstance(note, str)), ""),
    )
