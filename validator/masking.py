"""Card numbers → what may be shown of them: the first six and the last four digits at most, nothing of anything else.

That much may be displayed by PCI DSS 4.0.1, requirement 3.4.1. A card column may hold anything, so that what does not
look like a card number is hidden altogether.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_SIGN = "•"
_FIRST, _LAST = 6, 4
_CARD = re.compile(r"[0-9](?:[ -]?[0-9]){12,18}")
# What `mask` makes; of ten digits at most, so that no card number looks like it.
_MASKED = re.compile(
    rf"{_SIGN}{{3}}\([0-9]{{1,10}}\)|[0-9](?:[ -]?[0-9]){{5}}(?:[ -]?{_SIGN}){{3,9}}(?:[ -]?[0-9]){{4}}"
)
_KINDS = ("missing", "extra", "changed", "pending")


def mask(text: str) -> str:
    """The text with its secret part hidden: `411111••••••1111`, or `•••(7)` for 7 characters that are no card number.

    Blanks and dashes between digits stay, so that a difference in them is seen. What is masked already stays as it is.
    """
    if is_masked(text):
        return text
    if not _CARD.fullmatch(text):
        return f"{_SIGN * 3}({len(text)})"
    last = sum(character not in " -" for character in text) - _LAST
    shown, place = [], 0
    for character in text:
        if character in " -":
            shown.append(character)
            continue
        shown.append(character if place < _FIRST or place >= last else _SIGN)
        place += 1
    return "".join(shown)


def is_masked(text: str | None) -> bool:
    """Whether a value looks like what `mask` makes."""
    return text is not None and _MASKED.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Mask:
    """The columns that hold card data: `column` in any table, `table.column` or `schema.table.column`."""

    columns: Collection[str] = ()

    def covers(self, schema: str, table: str, column: str) -> bool:
        """Whether the column's values must be masked."""
        return not _names(schema, table, column).isdisjoint(self.columns)

    def of_table(self, schema: str, table: str) -> Callable[[str, str | None], str | None]:
        """What hides a value of one table: takes its column and the value."""
        return lambda column, value: mask(value) if value is not None and self.covers(schema, table, column) else value

    def unmatched(self, columns: Iterable[tuple[str, str, str]]) -> list[str]:
        """The names that mean none of these (schema, table, column): a misspelt one would leave card data open."""
        met = {name for schema, table, column in columns for name in _names(schema, table, column)}
        return sorted(set(self.columns) - met)

    def document(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of a table's document with every value of these columns masked, in keys too; `masked` names them."""
        schema, table = document["schema"], document["table"]
        names: set[str] = set(document.get("masked", ()))

        def hide(row: Mapping[str, Any]) -> dict[str, Any]:
            hidden = {column for column in row if self.covers(schema, table, column)}
            names.update(hidden)
            return {column: _hidden(value) if column in hidden else value for column, value in row.items()}

        masked = dict(document)
        for kind in _KINDS:
            if kind in document:
                masked[kind] = {**document[kind], "keys": [hide(key) for key in document[kind]["keys"]]}
        masked["differences"] = [_difference(item, hide) for item in document.get("differences", ())]
        return {**masked, "masked": sorted(names)}


def _names(schema: str, table: str, column: str) -> set[str]:
    return {column, f"{table}.{column}", f"{schema}.{table}.{column}"}


def _difference(item: Mapping[str, Any], hide: Callable[[Mapping[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    masked = {**item, "key": hide(item.get("key", {}))}
    if "columns" in item:
        masked["columns"] = hide(item["columns"])
    if "row" in item:
        masked["row"] = {side: hide(row) for side, row in item["row"].items()}
    return masked


def _hidden(value: Any) -> Any:
    """A value masked; of a changed column, both sides."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {side: _hidden(each) for side, each in value.items()}
    return mask(str(value))
