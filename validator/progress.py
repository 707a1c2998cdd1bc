"""What goes on, while it does: a view that is redrawn in place on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import shutil
import threading
import time
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TextIO

from validator.wording import number, plural, printable

_TICK_SECONDS = 0.5  # the clock goes on even while a server thinks
_REDRAW_SECONDS = 0.1
_PLAIN_SECONDS = 30.0  # between two lines about the same table
_BARS = {100: 20, 60: 10, 0: 4}  # columns of a bar, by those of the terminal
_NARROWEST = 20
_COLORS = {"PASS": "32", "FAIL": "1;31", "INCONCLUSIVE": "33"}
_ERASE = "\x1b[J"  # from here to the end of the screen


@dataclass(slots=True)
class _Table:
    """How far one table is; `rows` is an estimate, 0 for none."""

    name: str
    rows: int
    began: float
    told: float  # when a plain line last spoke of it
    started: bool = False
    done: int = 0
    differences: int = 0

    def share(self) -> float | None:
        """How much of it is done; never all of it before it has finished, since the estimate may be too low."""
        return min(self.done / self.rows, 0.99) if self.rows else None

    def figures(self, now: float) -> str:
        """`3 differences, 2,000,000 rows, 406,504 rows/s, about 8 s left`: what matters most is cut last."""
        seconds = now - self.began
        rate = self.done / seconds if seconds > 0 else 0.0
        parts = [plural(self.differences, "difference")] if self.differences else []
        parts.append(f"{number(self.done)} rows")
        if rate:
            parts.append(f"{number(rate)} rows/s")
        if rate and self.rows > self.done:
            parts.append(f"about {_duration((self.rows - self.done) / rate)} left")
        return ", ".join(parts)


class Progress:
    """Told by many threads how far each table is, it shows that on `stream`; what it cannot write, it leaves.

    Use it as a context: whatever ends the run, the view is erased, and only the line of each finished table stays.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        tick_seconds: float = _TICK_SECONDS,
    ) -> None:
        environment = os.environ if environment is None else environment
        self._stream = stream
        self._clock = clock
        self._tick_seconds = tick_seconds
        self._live = _is_terminal(stream) and environment.get("TERM") != "dumb"
        self._color = self._live and not environment.get("NO_COLOR")
        self._signs = _signs(stream)
        self._lock = threading.RLock()  # a signal's handler may close while its own thread draws
        self._tables: dict[str, _Table] = {}
        self._finished = 0
        self._began = clock()
        self._drawn = False  # whether a view stands on the screen, from the cursor on
        self._drawn_at = float("-inf")
        self._stop = threading.Event()
        self._ticker: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def plan(self, table: object, rows: int) -> None:
        """A table will be compared, of about so many rows (0: not known)."""
        with self._lock:
            now = self._clock()
            self._tables[str(table)] = _Table(str(table), rows, began=now, told=now)
            self._start_ticking()
            self._show()

    def start(self, table: object) -> None:
        """Work on the table begins. Where nobody says so, it is taken to begin when the one before it has finished."""
        with self._lock:
            entry = self._entry(table)
            entry.began = entry.told = self._clock()
            entry.started = True
            self._show()

    def advance(self, table: object, rows: int, differences: int = 0) -> None:
        """So many more rows of the table were compared, so many more of them differ."""
        with self._lock:
            entry = self._entry(table)
            now = self._clock()
            entry.started = True
            entry.done += rows
            entry.differences += differences
            if self._live:
                self._show()
            elif now - entry.told >= _PLAIN_SECONDS:
                entry.told = now
                share = entry.share()
                percent = f" {share:.0%}" if share is not None else ""
                self._write(f"{printable(entry.name)}{percent}: {entry.figures(now)}\n")

    def finish(self, table: object, verdict: str) -> None:
        """The table has its verdict: one line that stays."""
        with self._lock:
            entry = self._entry(table)
            now = self._clock()
            self._finished += 1
            total = self._finished + len(self._tables) - 1
            del self._tables[entry.name]
            for other in self._tables.values():
                if not other.started:
                    other.began = other.told = now
            seconds = now - entry.began
            details = [f"{seconds:.1f} s"]
            if entry.done:
                details.append(f"{number(entry.done)} rows")
                details += [f"{number(entry.done / seconds)} rows/s"] if seconds > 0 else []
            if entry.differences:
                details.append(plural(entry.differences, "difference"))
            line = f"[{self._finished}/{total}] {printable(entry.name)} {self._painted(verdict)} {', '.join(details)}\n"
            if self._live:
                self._redraw(line)
            else:
                self._write(line)

    def close(self) -> None:
        """Erase the view; nothing is shown any more after that."""
        with self._lock:
            self._tables.clear()
            if self._drawn:
                self._redraw("")
            self._stop.set()

    def tick(self) -> None:
        """Let the clock be seen to go on."""
        with self._lock:
            self._show()

    def _entry(self, table: object) -> _Table:
        name = str(table)
        if name not in self._tables:
            now = self._clock()
            self._tables[name] = _Table(name, 0, began=now, told=now)
        return self._tables[name]

    def _start_ticking(self) -> None:
        if self._live and self._tick_seconds and self._ticker is None and not self._stop.is_set():
            self._ticker = threading.Thread(target=self._keep_ticking, name="progress", daemon=True)
            self._ticker.start()

    def _keep_ticking(self) -> None:
        while not self._stop.wait(self._tick_seconds):
            self.tick()

    def _show(self) -> None:
        if self._live and self._clock() - self._drawn_at >= _REDRAW_SECONDS:
            self._redraw("")

    def _redraw(self, above: str) -> None:
        """The view anew, in one write: erase, what stays, the lines as they are now, back to the first of them.

        The cursor rests at the view's beginning, so that it can be erased whenever the run is interrupted.
        """
        self._drawn_at = self._clock()
        lines = self._lines()
        self._drawn = True
        back = f"\x1b[{len(lines) - 1}A" if lines[1:] else ""
        self._write(f"\r{_ERASE}{above}{chr(10).join(lines)}{back}\r")

    def _lines(self) -> list[str]:
        """As many tables as the screen has room for, those at work first, and a line for the whole."""
        if not self._tables:
            return []
        size = _size(self._stream)
        width = max(size.columns - 1, _NARROWEST)  # a full line would wrap on some terminals
        now = self._clock()
        order = sorted(self._tables.values(), key=lambda entry: (not entry.done, entry.name))
        room = max(size.lines - 2, 1)
        names = min(max(_columns(printable(entry.name)) for entry in order[:room]), max(width // 3, 1))
        lines = [self._line(entry, now, names, width) for entry in order[:room]]
        total = self._finished + len(self._tables)
        whole = f"{number(self._finished)} of {plural(total, 'table')} done, {_duration(now - self._began)}"
        if len(order) > room:
            whole += f", {number(len(order) - room)} not shown"
        return [*lines, _fitted(whole, width)]

    def _line(self, entry: _Table, now: float, names: int, width: int) -> str:
        name = printable(entry.name)
        if _columns(name) > names:
            name = f"{_fitted(name, names - 1)}~"
        name += " " * (names - _columns(name))
        share = entry.share()
        full, empty = self._signs
        bar = next(columns for least, columns in _BARS.items() if width >= least)
        filled = int((share or 0) * bar)
        percent = f"{share:4.0%}" if share is not None else "  - "
        figures = entry.figures(now) if entry.done else "no rows yet"
        return _fitted(f"{name} {full * filled}{empty * (bar - filled)} {percent} {figures}", width)

    def _painted(self, verdict: str) -> str:
        code = _COLORS.get(verdict)
        return f"\x1b[{code}m{verdict}\x1b[0m" if self._color and code else verdict

    def _write(self, text: str) -> None:
        if self._stop.is_set():
            return
        with suppress(OSError, ValueError):  # a closed pipe or stream must not end a comparison
            self._stream.write(text)
            self._stream.flush()


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def _size(stream: TextIO) -> os.terminal_size:
    with suppress(OSError, ValueError):
        size = os.get_terminal_size(stream.fileno())
        if size.columns and size.lines:
            return size
    return shutil.get_terminal_size()


def _signs(stream: TextIO) -> tuple[str, str]:
    try:
        "█░".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return "#", "."
    return "█", "░"


def _columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(map(_width, text))


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _fitted(text: str, width: int) -> str:
    """As much of the text's beginning as fits."""
    taken = 0
    for place, character in enumerate(text):
        taken += _width(character)
        if taken > width:
            return text[:place]
    return text


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 100:  # noqa: PLR2004 - seconds say more than "1 min 32 s" up to here
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 100:  # noqa: PLR2004 - as above
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
