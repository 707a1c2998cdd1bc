"""Edit the text of `params/lifecycle.yaml` so that it says what a given table says, and nothing else changes.

A person keeps that file: comments, order, alignment and quotes stay as they are. Edits are made at the places of the
YAML nodes; the result is read back and must be the table that was meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from settings.errors import ParamsError
from settings.lifecycle_table import FIELDS, LOADER, Entry, Product, Table, parse_table

_NUMBER = re.compile(r"[\d.]+")
_WORDS = re.compile(r"[A-Za-z]+( [A-Za-z0-9.]+)+")  # several words are never a number, a date or true


class _Edit(NamedTuple):
    """Text to put in place of [start, end)."""

    start: int
    end: int
    text: str


def rewrite(text: str, wanted: Table) -> str:
    """The text with every entry and `checked_on` that differs from `wanted` brought to it.

    Entries can be added and changed, not taken away. Raises `ParamsError` where that cannot be done without touching
    more than entries.
    """
    current = parse_table(text, wanted.file)
    root = yaml.compose(text, Loader=LOADER)
    edits: list[_Edit] = []
    for name, node in _items(root).items():
        edits += _product(text, _items(node), current.products[name], wanted.products[name])
    changed = text
    for edit in sorted(edits, reverse=True):
        changed = changed[: edit.start] + edit.text + changed[edit.end :]
    try:
        meant = parse_table(changed, wanted.file) == wanted
    except ParamsError:
        meant = False
    if not meant:
        raise ParamsError(
            f"{wanted.file}: the changes cannot be written into the file as it is laid out",
            hint="keep one line per version, in braces, or make the changes by hand",
        )
    return changed


def _product(text: str, nodes: dict[str, Any], current: Product, wanted: Product) -> Iterator[_Edit]:
    if wanted.checked_on != current.checked_on:
        yield _replace(nodes["checked_on"], wanted.checked_on.isoformat())
    yield from _section(text, nodes.get("majors"), None, current.majors, wanted.majors)
    yield from _section(text, nodes["versions"], nodes.get("gone"), current.versions, wanted.versions)


def _section(
    text: str, node: Any, gone: Any, current: Mapping[str, Entry], wanted: Mapping[str, Entry]
) -> Iterator[_Edit]:
    """Edits of one mapping of versions; those of the `gone` block that have more to say move to a line of their own."""
    changed = {version: entry for version, entry in wanted.items() if entry != current.get(version)}
    if not changed or node is None or not node.value:
        return  # nothing to write, or no place to write to: `rewrite` sees that
    lines = _items(node)
    for version in changed.keys() & lines.keys():
        yield _replace(lines[version], _render(changed[version], current[version], lines[version], text))
    for words in _items(gone).values() if isinstance(gone, yaml.MappingNode) else ():
        listed = words.value.split()
        kept = [version for version in listed if version not in changed]
        if listed and not kept:
            end = _line_end(text, words.end_mark.index)
            yield _Edit(text.rfind("\n", 0, words.start_mark.index) + 1, end, "")
        elif kept != listed:
            yield _replace(words, f'"{kept[0]}"' if len(kept) == 1 else " ".join(kept))  # 10.7 alone is a number
    yield from _insertions(text, node, {v: e for v, e in changed.items() if v not in lines})


def _insertions(text: str, node: Any, entries: Mapping[str, Entry]) -> Iterator[_Edit]:
    """New lines, each below the greatest version that is smaller, with the indent of the lines that are there."""
    keys = [key for key, _ in node.value]
    indent = " " * keys[0].start_mark.column
    newline = "\r\n" if "\r\n" in text else "\n"
    places: dict[int, list[str]] = {}
    for version in sorted(entries, key=_order):
        key = f'"{version}"' if _NUMBER.fullmatch(version) else version
        smaller = [value for name, value in node.value if _order(name.value) < _order(version)]
        if smaller:
            below = max(smaller, key=lambda value: value.end_mark.index)
            place = _line_end(text, below.end_mark.index)
        else:
            place = keys[0].start_mark.index - keys[0].start_mark.column
        places.setdefault(place, []).append(f"{indent}{key}: {_render(entries[version])}{newline}")
    for place, lines in places.items():
        unfinished = place == len(text) and not text.endswith("\n")
        yield _Edit(place, place, (newline if unfinished else "") + "".join(lines))


def _render(entry: Entry, current: Entry | None = None, node: Any = None, text: str = "") -> str:
    """An entry in braces; fields keep the order, and where unchanged the very text, that they have in the file."""
    written = {} if node is None else _items(node)
    parts = []
    for name in [*written, *(field for field in FIELDS if field not in written)]:
        value = getattr(entry, name)
        if not value:
            continue
        if name in written and value == getattr(current, name):
            shown = text[written[name].start_mark.index : written[name].end_mark.index]
        elif isinstance(value, str):
            shown = value if _WORDS.fullmatch(value) else json.dumps(value)
        else:
            shown = "true" if value is True else value.isoformat()
        parts.append(f"{name}: {shown}")
    return "{" + ", ".join(parts) + "}"


def _items(node: Any) -> dict[str, Any]:
    return {key.value: value for key, value in node.value}


def _replace(node: Any, text: str) -> _Edit:
    return _Edit(node.start_mark.index, node.end_mark.index, text)


def _line_end(text: str, index: int) -> int:
    """The start of the line below the one that `index` is on."""
    found = text.find("\n", index)
    return len(text) if found < 0 else found + 1


def _order(version: str) -> tuple[Any, ...]:
    """Numbers by value, all else by the alphabet: 17.9 before 17.10."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", version) if part)
