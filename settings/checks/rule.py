"""The form of a rule over several fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from settings.model import Settings

# A dotted key, with its index for an item of a list → the same with file and line, to name the other end of a conflict.
Where = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Fault:
    """A value that conflicts with others: its key, what was found, what is allowed."""

    key: str
    found: str
    allowed: str


Check = Callable[[Settings, Where], Iterator[Fault]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check and the dotted keys without which it cannot judge."""

    needs: tuple[str, ...]
    check: Check


def rule(*needs: str) -> Callable[[Check], Rule]:
    """Make a function a rule that needs these keys."""
    return lambda check: Rule(needs, check)
