"""Two values → pieces that show where they differ, with a name for every character that the eye cannot tell.

Trailing blanks, no-break blanks, controls, zero-width and bidirectional characters never show by themselves; combining
marks and letters that look like others show their code point where the values differ.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp", "Zs"}
_COMBINING = {"Mn", "Me", "Mc"}
_LABELS = {
    " ": "SP",
    "\n": "LF",
    "\r": "CR",
    "\t": "TAB",
    "\xa0": "NBSP",
    "\u202f": "NNBSP",
    "\u200b": "ZWSP",
    "\u200c": "ZWNJ",
    "\u200d": "ZWJ",
    "\ufeff": "BOM",
}
_PLAIN = re.compile(r"(?:[!-~]|(?<=[!-~]) (?=[!-~])){1,2000}")  # nothing that needs a name, and not long
_COMPARED = 120  # characters; comparing longer texts one by one would cost seconds in a long report
_NAMED = 8  # characters of a difference that get their code point: a difference longer than that is seen
_CONTEXT = 80  # characters of what is the same, kept around what differs
_SHOWN = 2_000  # characters of one value
_ALIKE = 0.4


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a value; `name` is what a character is called that its `text` only stands for."""

    text: str
    changed: bool = False
    name: str = ""


def pieces(text: str) -> list[Piece]:
    """One value by itself."""
    if _PLAIN.fullmatch(text):
        return [Piece(text)]
    return _drawn(text, [(0, len(text), False)])


def compared(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    """Both values, character by character where they are alike."""
    head, tail = _common(before, after)
    left: list[tuple[int, int, bool]] = [(0, head, False)]
    right: list[tuple[int, int, bool]] = [(0, head, False)]
    for a, b, c, d, same in _middle(before[head : len(before) - tail], after[head : len(after) - tail]):
        left.append((head + a, head + b, not same))
        right.append((head + c, head + d, not same))
    left.append((len(before) - tail, len(before), False))
    right.append((len(after) - tail, len(after), False))
    return _drawn(before, left), _drawn(after, right)


def _common(before: str, after: str) -> tuple[int, int]:
    """Lengths of the common beginning and, beyond it, of the common end."""
    most = min(len(before), len(after))
    head = next((index for index in range(most) if before[index] != after[index]), most)
    tail = next((index for index in range(most - head) if before[-1 - index] != after[-1 - index]), most - head)
    return head, tail


def _middle(before: str, after: str) -> Iterator[tuple[int, int, int, int, bool]]:
    if len(before) <= _COMPARED and len(after) <= _COMPARED:
        matcher = SequenceMatcher(None, before, after, autojunk=False)
        if matcher.ratio() >= _ALIKE:
            for operation, a, b, c, d in matcher.get_opcodes():
                yield a, b, c, d, operation == "equal"
            return
    yield 0, len(before), 0, len(after), False


def _drawn(text: str, parts: list[tuple[int, int, bool]]) -> list[Piece]:
    """The parts (start, end, changed) as pieces, long ones shortened; they cover the text in order."""
    drawn: list[Piece] = []
    filled = [part for part in parts if part[0] < part[1]]
    first, last = len(text) - len(text.lstrip(" ")), len(text.rstrip(" "))
    room = _SHOWN
    for place, (start, end, changed) in enumerate(filled):
        keep_head = _CONTEXT if place else 0
        keep_tail = _CONTEXT if place < len(filled) - 1 else 0
        if changed or len(filled) == 1:
            keep_head, keep_tail = max(room, _CONTEXT), 0
        gap = end - start - keep_head - keep_tail
        spans = [(start, end)]
        if gap > _CONTEXT:
            spans = [(start, start + keep_head), (end - keep_tail, end)]
        for number, (a, b) in enumerate(spans):
            if number:
                drawn.append(Piece("…", name=f"{gap:,} characters left out"))
            precise = changed and b - a <= _NAMED
            for index in range(a, b):
                edge = index < first or index >= last or "  " in text[max(index - 1, 0) : index + 2]
                drawn += _character(text[index], changed=changed, precise=precise, edge=edge)
            room -= b - a
    return _merged(drawn)


def _character(character: str, *, changed: bool, precise: bool, edge: bool) -> Iterator[Piece]:
    if character.isascii() and character.isprintable():
        hidden = character == " " and (edge or precise)
        yield Piece(_LABELS[" "], changed, "space U+0020") if hidden else Piece(character, changed)
        return
    category = unicodedata.category(character)
    code = f"U+{ord(character):04X}"
    name = f"{unicodedata.name(character, 'character').lower()} {code}"
    if category in _INVISIBLE or (precise and category in _COMBINING):
        yield Piece(_LABELS.get(character, code), changed, name)
        return
    yield Piece(character, changed)
    if precise:
        yield Piece(code, changed, name)


def _merged(drawn: list[Piece]) -> list[Piece]:
    merged: list[Piece] = []
    for piece in drawn:
        if merged and not piece.name and not merged[-1].name and merged[-1].changed == piece.changed:
            merged[-1] = Piece(merged[-1].text + piece.text, piece.changed)
        else:
            merged.append(piece)
    return merged
