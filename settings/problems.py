"""Where something stands in params, and what is wrong there: the form of every message of the loader."""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST_QUOTE = 70


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a params file, or (line 0) a whole file or an argument of the command line.

    `rank` orders messages: the command line, then base.yaml, then the environment's file.
    """

    rank: int
    source: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where, which key, what was found there, what is allowed (or what to do)."""

    place: Place
    key: str
    found: str
    allowed: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.place), self.key, f"{self.found}; {self.allowed}") if part)


def quote(text: str) -> str:
    """A user's text for a message: on one line, in quotes, cut short, and never a private key."""
    if "PRIVATE KEY" in text:
        return "a private key"
    line = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return f'"{line}"' if len(line) <= _LONGEST_QUOTE else f'"{line[:_LONGEST_QUOTE]}…"'
