"""One params file → entries by dotted key, each with its line; every problem of the file, not only the first.

The walk follows the shape of `Settings`: what the model does not know is not looked into, however deep or recursive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from settings.errors import did_you_mean
from settings.model import Settings
from settings.problems import Place, Problem, quote
from settings.shape import Field, shape
from settings.values import RefusedError, describe, is_null, read_scalar

# The C parser where PyYAML was built with it: ten times faster.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CREDENTIAL = re.compile(r"passw|secret|token|credential|private_?key", re.IGNORECASE)

# What --env and --suffix say; no params file may.
FROM_COMMAND_LINE = ("env", "suffix")


class Mark(Enum):
    """Stands for a value that is none."""

    SECTION = "a mapping, whose keys have entries of their own"
    INVALID = "a value that was refused: rules that need it are skipped"


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of params and where it stands: str, int, bool, None, a tuple of strings or a `Mark`.

    `items` are the places of a list's items.
    """

    value: Any
    place: Place
    items: tuple[Place, ...] = ()


Entries = dict[str, Entry]


def read_document(path: Path, source: str, rank: int, problems: list[Problem]) -> Entries | None:
    """The entries of a file, called `source` in messages; None where it cannot be read as YAML at all."""
    place = Place(rank, source)
    try:
        text = path.read_bytes().decode("utf-8-sig")
        node = yaml.compose(text, Loader=_LOADER)
    except OSError as error:
        problems.append(Problem(place, "", f"cannot be read: {error.strerror}", "a readable file is wanted"))
        return None
    except UnicodeDecodeError as error:
        at = Place(rank, source, error.object[: error.start].count(b"\n") + 1)
        problems.append(Problem(at, "", f"is not UTF-8 (byte 0x{error.object[error.start]:02x})", "save it as UTF-8"))
        return None
    except yaml.YAMLError as error:
        problems.append(_syntax_problem(error, text, place))
        return None
    if node is None or is_null(node):  # nothing but comments: overrides of nothing
        return {"": Entry(Mark.SECTION, place)}
    if not isinstance(node, yaml.MappingNode):
        at = Place(rank, source, node.start_mark.line + 1)
        problems.append(Problem(at, "", f"{describe(node)} at the top", "a mapping of keys is wanted"))
        return None
    walk = _Walk(rank, source, problems)
    walk.section(node, Settings, "", Place(rank, source, node.start_mark.line + 1))
    return walk.entries


def _syntax_problem(error: yaml.YAMLError, text: str, file: Place) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        number = min(error.problem_mark.line, text.count("\n"))
        what = ", ".join(part for part in (error.context, error.problem) if part)
    else:  # a control character; such errors carry only its position
        number = text.encode()[: getattr(error, "position", 0)].count(b"\n")
        what = f"the character U+{getattr(error, 'character', 0):04X} is not allowed"
    tab = "\t" in text.split("\n")[number]
    remedy = "indent with spaces, not tabs" if tab else "mend it; an editor with YAML support shows where it breaks"
    return Problem(Place(file.rank, file.source, number + 1), "", f"not YAML: {what}", remedy)


class _Walk:
    """Goes through a file's nodes along the shape of `Settings`, and collects entries and problems."""

    def __init__(self, rank: int, source: str, problems: list[Problem]) -> None:
        self.entries: Entries = {}
        self._rank = rank
        self._source = source
        self._problems = problems

    def _at(self, node: yaml.Node) -> Place:
        return Place(self._rank, self._source, node.start_mark.line + 1)

    def _refuse(self, node: yaml.Node, key: str, found: str, allowed: str) -> None:
        self._problems.append(Problem(self._at(node), key, found, allowed))

    def section(self, node: yaml.MappingNode, section: type, key: str, place: Place) -> None:
        """Read a mapping with the keys of a section; `key` is its dotted name, "" at the top."""
        self.entries[key] = Entry(Mark.SECTION, place)
        fields = shape(section)
        lines: dict[str, int] = {}
        for name_node, value_node in node.value:
            name = str(name_node.value) if isinstance(name_node, yaml.ScalarNode) else ""
            dotted = ".".join(part for part in (key, name) if part)
            if name in lines:
                self._refuse(name_node, dotted, "given again", f"keep one; the first is on line {lines[name]}")
            lines.setdefault(name, name_node.start_mark.line + 1)
            if name not in fields or dotted in FROM_COMMAND_LINE:
                self._refuse(name_node, dotted, *_unknown(name_node, key, fields))
            else:
                self._value(value_node, name_node, fields[name], dotted)

    def _value(self, node: yaml.Node, name_node: yaml.Node, field: Field, key: str) -> None:
        # The key's line: an empty value, a mapping or an alias begins elsewhere.
        place = self._at(name_node)
        if is_null(node) and field.optional:
            self.entries[key] = Entry(None, place)
        elif field.is_section:
            self._subsection(node, field, key, place)
        elif field.many:
            self._list(node, field, key, place)
        else:
            self.entries[key] = Entry(self._scalar(node, field, key, place), place)

    def _scalar(self, node: yaml.Node, field: Field, key: str, place: Place) -> Any:
        try:
            return read_scalar(node, field)
        except RefusedError as refused:
            self._problems.append(Problem(place, key, refused.found, refused.allowed))
            return Mark.INVALID

    def _subsection(self, node: yaml.Node, field: Field, key: str, place: Place) -> None:
        if isinstance(node, yaml.MappingNode):
            self.section(node, field.kind, key, place)
            return
        self.entries[key] = Entry(Mark.INVALID, place)
        names = ", ".join(shape(field.kind))
        self._problems.append(Problem(place, key, describe(node), f"its keys, indented below it: {names}"))

    def _list(self, node: yaml.Node, field: Field, key: str, place: Place) -> None:
        self.entries[key] = Entry(Mark.INVALID, place)
        if not isinstance(node, yaml.SequenceNode):
            self._problems.append(Problem(place, key, describe(node), field.allowed_list + _as_list(node, field)))
            return
        places = tuple(self._at(item) for item in node.value)
        values = [self._scalar(item, field, f"{key}[{index}]", places[index]) for index, item in enumerate(node.value)]
        sound = Mark.INVALID not in values
        for index, value in enumerate(values):
            first = values.index(value)
            if first < index and value is not Mark.INVALID:
                sound = False
                found = f"{quote(str(value))} again"
                self._refuse(node.value[index], f"{key}[{index}]", found, f"each only once: {key}[{first}] is the same")
        if field.count and not field.count.accepts(values):
            sound = False
            found = f"{len(values)} item" + ("" if len(values) == 1 else "s")
            self._problems.append(Problem(place, key, found, field.count.allowed))
        if sound:
            self.entries[key] = Entry(tuple(values), place, places)


def _as_list(node: yaml.Node, field: Field) -> str:
    """How to write as a list what stands there without brackets."""
    if is_null(node) and field.count and field.count.accepts([]):
        return ": write [] for none"
    return f": write [{node.value}]" if isinstance(node, yaml.ScalarNode) and field.accepts(node.value) else ""


def _homes(name: str, section: type, key: str) -> Iterator[str]:
    """The sections, by dotted key ("" is the top), that have a key of this name."""
    fields = shape(section)
    if name in fields:
        yield key
    for other, field in fields.items():
        if field.is_section:
            yield from _homes(name, field.kind, f"{key}.{other}" if key else other)


def _unknown(node: yaml.Node, key: str, fields: dict[str, Field]) -> tuple[str, str]:
    """Why a key is refused, and what it may have been meant to be."""
    if not isinstance(node, yaml.ScalarNode):
        return f"{describe(node)} as a key", "a key is one word"
    name = str(node.value)
    if name == "<<":
        return "a merge key", "write the values out: YAML 1.2 has no merge keys"
    if name in FROM_COMMAND_LINE:
        return "unknown key", f"it comes from the command line: --{name}"
    if _CREDENTIAL.search(name):
        return "unknown key", "credentials never stand in params: Secrets Manager makes and keeps them"
    homes = [f"in {home}" if home else "at the top of the file" for home in _homes(name, Settings, "")]
    if homes:
        return "unknown key", f"it belongs {' or '.join(homes)}"
    known = [other for other in fields if key or other not in FROM_COMMAND_LINE]
    return "unknown key", did_you_mean(name, known) or f"known here: {', '.join(known)}"
