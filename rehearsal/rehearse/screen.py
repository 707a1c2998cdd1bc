"""What people see while a rehearsal runs: a line for each thing that happened, and on a terminal one that moves."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from typing import TextIO

# Where there is no terminal, how often the line that would move is printed.
_PLAIN_EVERY_SECONDS = 10.0
_BOLD, _RED, _GREEN, _DIM, _PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m"
_CLEAR = "\r\x1b[K"


class Screen:
    """Lines on `stream`; used by several threads."""

    def __init__(self, stream: TextIO, environment: Mapping[str, str] = os.environ) -> None:
        self._stream = stream
        self._moves = stream.isatty() and environment.get("TERM") != "dumb"
        self._colours = self._moves and not environment.get("NO_COLOR")
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._live = ""
        self._printed = 0.0

    def say(self, text: str, *, strong: bool = False) -> None:
        """A line that stays."""
        self._print(self._in(_BOLD, text) if strong else text)

    def end(self, text: str, *, passed: bool) -> None:
        """The line that says how it ended."""
        self._print(self._in(_GREEN if passed else _RED, text))

    def live(self, text: str) -> None:
        """How it stands now: in place of the last such line on a terminal, else now and then."""
        with self._lock:
            if self._moves:
                self._live = self._in(_DIM, f"{self._seconds()}  {text}"[: self._width()])
                self._stream.write(f"{_CLEAR}{self._live}")
                self._stream.flush()
                return
            if time.monotonic() - self._printed < _PLAIN_EVERY_SECONDS:
                return
        self._print(text)

    def close(self) -> None:
        """Nothing moves any more."""
        with self._lock:
            if self._live:
                self._stream.write(_CLEAR)
                self._stream.flush()
                self._live = ""

    def _print(self, text: str) -> None:
        with self._lock:
            self._printed = time.monotonic()
            before, after = (_CLEAR, self._live) if self._live else ("", "")
            self._stream.write(f"{before}{self._seconds()}  {text}\n{after}")
            self._stream.flush()

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._began:6.1f} s"

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colours else text

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns - 1
        except OSError:
            return 100
