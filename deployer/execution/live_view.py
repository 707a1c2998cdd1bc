"""The live view: a few lines per tier, redrawn in place on a terminal."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TextIO

from deployer.execution.durations import duration
from deployer.execution.tally import Phase, Tally, TierTally

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
# Terminals that know the mode show the frame whole; the others ignore it.
# https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
_TO_END_OF_LINE, _TO_END_OF_SCREEN = "\x1b[K", "\x1b[J"
_FALLBACK = (100, 24)
_BAR, _NARROW_BAR, _NARROW = 20, 8, 70


class Palette:
    """Colours by meaning; none where the person wants none."""

    def __init__(self, *, colored: bool) -> None:
        self._colored = colored

    def paint(self, text: str, code: str) -> str:
        """`text` in a colour of SGR."""
        return f"\x1b[{code}m{text}\x1b[0m" if self._colored and text else text


_COLORS = {
    Phase.DONE: "32",
    Phase.FAILED: "31",
    Phase.ROLLING_BACK: "33",
    Phase.ROLLED_BACK: "33",
    Phase.WAITING: "2",
}


def terminal_size(stream: TextIO) -> tuple[int, int]:
    """Columns and lines of the terminal, asked anew each time: it may have been resized."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return _FALLBACK
    return (size.columns or _FALLBACK[0], size.lines or _FALLBACK[1])


class LiveView:
    """Draws frames over one another.

    Each is one write, no line wraps, and nothing is cleared before it is overwritten, so nothing flickers. The cursor
    is hidden only while a frame is written: whatever ends or suspends the process leaves the terminal as it was.
    """

    def __init__(
        self, stream: TextIO, palette: Palette, size: Callable[[TextIO], tuple[int, int]] = terminal_size
    ) -> None:
        self._stream = stream
        self._palette = palette
        self._size = size
        self._shown: list[tuple[str, str]] = []
        self._kept: list[tuple[str, str]] = []
        self._full, self._empty = _bar_signs(stream)

    def keep(self, text: str, *, bad: bool) -> None:
        """A line that stays, above the frame, from the next drawing on."""
        self._kept.append((text, "31" if bad else "0"))

    def draw(self, tally: Tally, now: float) -> None:
        """Draw the tally as it stands over the last frame."""
        columns, lines = self._size(self._stream)
        frame = _fit(self._frame(tally, now, columns), lines - 1)
        self._put([(text[: columns - 1], color) for text, color in frame], columns)

    def close(self) -> None:
        """Leave the last frame where it is, with what was still to be said above it; show the cursor in any case."""
        if self._kept:
            columns, _ = self._size(self._stream)
            self._put(self._shown, columns)
        self._stream.write(f"{_END}{_SHOW}")  # a write may have been cut off by Ctrl-C
        self._stream.flush()

    def _put(self, frame: list[tuple[str, str]], columns: int) -> None:
        # The old frame may have been wrapped by a narrower window: what counts is how many rows it takes up now.
        rows = sum(max(1, -(-len(text) // columns)) for text, _ in self._shown)
        parts = [_BEGIN, _HIDE, f"\x1b[{rows}F" if rows else ""]
        for text, color in (*self._kept, *frame):
            parts += [self._palette.paint(text, color) if color != "0" else text, _TO_END_OF_LINE, "\n"]
        parts += [_TO_END_OF_SCREEN, _SHOW, _END]
        self._stream.write("".join(parts))
        self._stream.flush()
        self._shown = frame
        self._kept = []

    def _frame(self, tally: Tally, now: float, columns: int) -> list[tuple[str, str, bool]]:
        """Lines as (text, colour, whether anything moves there)."""
        slowest = tally.slowest(now)
        longest = f"   slowest {slowest[0]} {duration(slowest[1])}" if slowest is not None else ""
        head = (
            f"{tally.stack_name}  {tally.root.phase}  {duration(tally.elapsed(now))}   "
            f"{tally.done}/{tally.total} resources{longest}"
        )
        width = max((len(tier.name) for tier in tally.rows), default=0)
        return [
            (head, "1", True),
            *(
                (self._row(tier, tally, now, columns, width), _COLORS.get(tier.phase, "0"), _moves(tier))
                for tier in tally.rows
            ),
        ]

    def _row(self, tier: TierTally, tally: Tally, now: float, columns: int, width: int) -> str:
        bar = _BAR if columns >= _NARROW else _NARROW_BAR
        total, done = tier.total, len(tier.done)
        full = bar if tier.phase is Phase.DONE else bar * done // total if total else 0
        signs = self._full * full + self._empty * (bar - full)
        start = f"  {tier.name:<{width}}  {signs} {done:>3}/{total:<3}  "
        return (start + _activity(tier, tally, now, columns - 1 - len(start))).rstrip()


def _activity(tier: TierTally, tally: Tally, now: float, room: int) -> str:
    """What goes on in a tier: as many names as there is room for, those that take longest first."""
    if tier.running:
        oldest = sorted(tier.running.items(), key=lambda item: item[1])
        names = [f"{name} {duration(tally.age(began, now))}" for name, began in oldest]
        what = "" if tier.phase in (Phase.WORKING, Phase.WAITING) else f"{tier.phase}: "
        for shown in range(len(names), 0, -1):
            more = [f"{len(names) - shown} more"] if shown < len(names) else []
            text = what + ", ".join(names[:shown] + more)
            if len(text) <= room:
                break
        return text
    if tier.phase is Phase.DONE:
        if not tier.done:
            return "unchanged"
        return f"done in {duration((tier.ended or 0.0) - (tier.began or 0.0))}"
    if tier.phase is Phase.WAITING and tally.root.phase not in (Phase.WAITING, Phase.WORKING):
        return "unchanged" if tally.root.phase in (Phase.DONE, Phase.CLEANING_UP) else "not begun"
    return str(tier.phase)


def _moves(tier: TierTally) -> bool:
    return bool(tier.running) or tier.phase in (Phase.WORKING, Phase.FAILED, Phase.ROLLING_BACK, Phase.CLEANING_UP)


def _fit(frame: list[tuple[str, str, bool]], lines: int) -> list[tuple[str, str]]:
    """The frame in at most `lines` lines, for a taller one could not be drawn over; what stands still goes first."""
    surplus = len(frame) - max(lines, 2)
    if surplus <= 0:
        return [(text, color) for text, color, _ in frame]
    head, rows = frame[0], frame[1:]
    moving = [row for row in rows if row[2]]
    still = [row for row in rows if not row[2]]
    shown = (moving + still)[: max(lines, 2) - 2]
    kept = [row for row in rows if row in shown]
    return [(text, color) for text, color, _ in (head, *kept)] + [(f"  and {len(rows) - len(kept)} more tiers", "2")]


def _bar_signs(stream: TextIO) -> tuple[str, str]:
    """Blocks where the terminal's encoding has them."""
    try:
        "█░".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "#", "."
    return "█", "░"
