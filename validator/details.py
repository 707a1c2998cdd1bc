"""Differing rows → what differs in them, column by column, in canonical text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from validator.cards import hide_card_numbers
from validator.expression import RowSql
from validator.model import Findings, Key
from validator.rows import Ask, Candidate
from validator.scan import Reader

# Column and value → the value as a report may show it.
Mask = Callable[[str, str | None], str | None]
Row = dict[str, str | None]
# Not free text, and yet holding it.
_TEXTUAL = ("jsonb", "text[]")
# Column → (canonical text, text for people).
Cells = dict[str, tuple[str | None, str | None]]


@dataclass(frozen=True, slots=True)
class Detailer:
    """Makes the report's entries of the rows of one table, `most` of them; `rows` is of either side."""

    rows: RowSql
    mask: Mask
    most: int

    def key_of(self, word: str) -> Key:
        """A key as the report shows it."""
        values = word.split(",") if self.rows.key else []
        return {
            term.column: self._hidden(term.column, self.rows.key_text(place, value))
            for place, (term, value) in enumerate(zip(self.rows.key, values, strict=True))
        }

    def describe(self, ask: Ask, chosen: Sequence[Candidate], findings: Findings) -> list[Candidate]:
        """Add an entry per row to `findings`; returns the candidates that turned out equal, or changed meanwhile."""
        words = [candidate.word for candidate in chosen]
        if not words:
            return []
        source, target = ask(lambda reader: self._fetch(reader, words))
        gone = []
        for candidate in chosen:
            ours, theirs = source.get(candidate.word, []), target.get(candidate.word, [])
            entry = self._entry(candidate, ours, theirs)
            if entry is None:
                gone.append(candidate)
                continue
            findings.columns.update(list(entry.get("columns", ())))
            findings.described += entry["kind"] == "changed"
            findings.differences.append(entry)
        return gone

    def _fetch(self, reader: Reader, words: Sequence[str]) -> dict[str, list[Cells]]:
        names = [term.column for term in reader.rows.terms]
        found: dict[str, list[Cells]] = {}
        values = reader.values_of_keys if reader.rows.key else reader.values_of_hashes
        for word, texts in values(words):
            pairs = zip(texts[::2], texts[1::2], strict=True)
            found.setdefault(word, []).append(dict(zip(names, pairs, strict=True)))
        return found

    def _entry(self, candidate: Candidate, source: list[Cells], target: list[Cells]) -> dict[str, Any] | None:
        key = dict(self.key_of(candidate.word))
        if not self.rows.key:
            side, rows = ("source", source) if candidate.source else ("target", target)
            if not rows:
                return None
            times = len(candidate.source) or len(candidate.target)
            repeated = {"note": f"{times} times"} if times > 1 else {}
            return {"kind": candidate.kind, "key": key, "row": {side: self._masked(rows[0])}, **repeated}
        if not source and not target:
            return None
        if not source or not target:
            side = "source" if source else "target"
            kind = "missing" if source else "extra"
            return {"kind": kind, "key": key, "row": {side: self._masked((source or target)[0])}}
        if len(source) != 1 or len(target) != 1:
            return {
                "kind": candidate.kind,
                "key": key,
                "note": f"{len(source)} rows on the source, {len(target)} on the target have this key",
            }
        columns = {
            name: _shown(cell, target[0][name]) for name, cell in source[0].items() if cell[0] != target[0][name][0]
        }
        if not columns:
            return None
        notes = [note for values in columns.values() if (note := _note(values["source"], values["target"]))]
        masked = {
            name: {side: self._hidden(name, value) for side, value in values.items()}
            for name, values in columns.items()
        }
        entry: dict[str, Any] = {"kind": "changed", "key": key, "columns": masked}
        if notes:
            entry["note"] = notes[0]
        return entry

    def _masked(self, row: Cells) -> Row:
        return {name: self._hidden(name, shown) for name, (_, shown) in row.items()}

    def _hidden(self, column: str, value: str | None) -> str | None:
        """The value as it may be shown: marked columns masked, and in texts what looks like a card number."""
        shown = self.mask(column, value)
        return hide_card_numbers(shown) if shown is not None and column in self._texts else shown

    @property
    def _texts(self) -> frozenset[str]:
        return frozenset(term.column for term in self.rows.terms if term.form.free or term.form.family in _TEXTUAL)


def _shown(source: tuple[str | None, str | None], target: tuple[str | None, str | None]) -> dict[str, str | None]:
    """Both values for people; in canonical form where people would see no difference."""
    place = 0 if source[1] == target[1] else 1
    return {"source": source[place], "target": target[place]}


def _note(source: str | None, target: str | None) -> str:
    """What a reader would not see: forms of Unicode, blanks, case."""
    if source is None or target is None:
        return ""
    if unicodedata.normalize("NFC", source) == unicodedata.normalize("NFC", target):
        return "equal after Unicode normalisation (NFC)"
    if source.rstrip() == target.rstrip():
        return "equal but for blanks at the end"
    if source.casefold() == target.casefold():
        return "equal but for case"
    return ""
