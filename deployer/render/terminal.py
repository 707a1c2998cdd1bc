"""Lines for a terminal: words filled into a width, styled where colour is wanted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# Styles by meaning. Every one of them only repeats what a word or a sign says already.
_CODES = {"strong": "1", "quiet": "2", "stop": "1;31", "look": "33", "good": "32", "link": "36"}
_NARROWEST = 40
_PIECES = re.compile(r" +|(?:→ )?[^ ]+")  # an arrow stays with what it points at
_BREAKS = re.compile(r"[/:.\]]")


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one style; "" is plain. A `whole` span is never broken, so that it can be copied."""

    text: str
    style: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Terminal:
    """How wide the lines may be, and whether they are coloured."""

    width: int
    color: bool

    def fill(self, *spans: Span | str, indent: int = 0, hanging: int = 0) -> list[str]:
        """The spans as lines, the first indented by `indent`, the others by `indent + hanging` more columns.

        Blanks inside a line stay as they are, so that columns can be aligned; those at a break are dropped.
        """
        width = max(self.width, _NARROWEST)
        lines: list[list[Span]] = [[]]
        rooms = width - indent, width - indent - hanging  # of the first line and of all others
        room = rooms[0]
        for piece in _pieces(spans):
            # A piece that fits on no line begins where it is; only one that fits on the next moves there.
            for part in [piece] if piece.whole else _chunks(piece, room, rooms[1]):
                size = columns(part.text)
                if size > room and lines[-1]:
                    lines.append([])
                    room = rooms[1]
                if lines[-1] or len(lines) == 1 or not part.text.isspace():
                    lines[-1].append(part)
                    room -= size
        return [
            f"{' ' * (indent + (hanging if number else 0))}{self._painted(line)}" if line else ""
            for number, line in enumerate(lines)
        ]

    def _painted(self, line: Sequence[Span]) -> str:
        merged: list[Span] = []
        for span in line:
            if merged and merged[-1].style == span.style:
                merged[-1] = Span(merged[-1].text + span.text, span.style)
            else:
                merged.append(span)
        while merged and not merged[-1].text.strip():
            merged.pop()
        if merged:
            merged[-1] = Span(merged[-1].text.rstrip(), merged[-1].style)
        return "".join(self.paint(span) for span in merged)

    def paint(self, span: Span) -> str:
        """The span with its style's escape sequence, where there is one."""
        if not self.color or not span.style:
            return span.text
        return f"\x1b[{_CODES[span.style]}m{span.text}\x1b[0m"


def columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _pieces(spans: Sequence[Span | str]) -> list[Span]:
    found: list[Span] = []
    for span in spans:
        styled = Span(span) if isinstance(span, str) else span
        if styled.whole:
            found.append(styled)
        else:
            found += [Span(text, styled.style) for text in _PIECES.findall(styled.text)]
    return found


def _chunks(piece: Span, room: int, width: int) -> list[Span]:
    """A piece that is wider than a line, cut into parts that are not, after punctuation where there is some."""
    if columns(piece.text) <= width:
        return [piece]
    parts, text, left = [], piece.text, room
    while columns(text) > left:
        fitting = len(text)
        while fitting and columns(text[:fitting]) > left:
            fitting -= 1
        good = max((match.end() for match in _BREAKS.finditer(text[:fitting])), default=0)
        cut = good if good > fitting // 2 else fitting
        if cut:
            parts.append(Span(text[:cut], piece.style))
        text, left = text[cut:], width
    return [*parts, Span(text, piece.style)]
