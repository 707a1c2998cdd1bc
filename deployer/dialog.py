"""Speak with the person: progress on stderr, for stdout carries data, and questions, to which silence is no yes."""

from __future__ import annotations

import sys

from deployer.errors import DeclinedError
from settings.errors import UsageError


def say(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)


def require_answerer(*, yes: bool, instead: str) -> None:
    """Say at once, before anything is done, that nobody could be asked; `instead` is what to do then."""
    if not yes and not sys.stdin.isatty():
        raise UsageError("there is nobody to ask: standard input is no terminal", hint=instead)


def ask(question: str, *, yes: bool) -> None:
    """Ask a question that y or yes answers; `DeclinedError` for anything else, the end of the input too."""
    if not yes and read_answer(f"{question} [y/N] ").lower() not in ("y", "yes"):
        raise DeclinedError("declined: nothing was executed, and the change set is deleted")


def read_answer(question: str) -> str:
    """The line that is typed, without blanks around it; "" at the end of the input."""
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()
