"""Variables of the environment, read where they are needed; what is missing or wrong is a `UsageError`."""

from __future__ import annotations

import os

from validator.errors import UsageError


def text(name: str) -> str:
    """One that must be there."""
    value = os.environ.get(name)
    if not value:
        raise UsageError(f"the environment variable {name} is not set")
    return value


def optional(name: str) -> str:
    """One that may be missing: ""."""
    return os.environ.get(name, "")


def names(name: str) -> list[str]:
    """A list with commas; none where it is missing."""
    return [part for part in optional(name).split(",") if part]


def number(name: str, default: float | None = None) -> float:
    """A number of 0 or more; without a default it must be there."""
    value = text(name) if default is None else os.environ.get(name) or str(default)
    try:
        found = float(value)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise UsageError(f"the environment variable {name} is {value!r}, not a number of 0 or more")
    return found
