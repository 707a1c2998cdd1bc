"""The environment of a function, read where it is needed; what is missing or wrong is a `UsageError`."""

from __future__ import annotations

import os

from cutover.names import Roles, roles_of
from validator.errors import UsageError

_APPLICATION = "_application"
_MARGIN = 1000


def text(name: str) -> str:
    """A setting that must be there."""
    value = os.environ.get(name)
    if not value:
        raise UsageError(f"the environment variable {name} is not set")
    return value


def optional(name: str) -> str:
    """A setting that may be missing: ""."""
    return os.environ.get(name, "")


def names(name: str) -> list[str]:
    """A list with commas; none where it is missing."""
    return [part for part in optional(name).split(",") if part]


def number(name: str, default: float) -> float:
    """A number of 0 or more."""
    given = os.environ.get(name) or str(default)
    try:
        value = float(given)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UsageError(f"the environment variable {name} is {given!r}, not a number of 0 or more")
    return value


def sequence_margin() -> int:
    """How many steps beyond the other side a sequence is set: room for what was handed out and never written."""
    return int(number("SEQUENCE_MARGIN", _MARGIN))


def schemas() -> list[str]:
    """The schemas that move; there is at least one."""
    return text("SCHEMAS").split(",")


def roles() -> Roles:
    """The roles of the system whose application's role is APPLICATION_ROLE."""
    application = text("APPLICATION_ROLE")
    found = roles_of(application.removesuffix(_APPLICATION))
    if (found.application, found.writer) != (application, text("WRITER_ROLE")):
        raise UsageError(
            f"APPLICATION_ROLE {application} and WRITER_ROLE {text('WRITER_ROLE')} are not of one system",
            hint=f"they are called {found.application} and {found.writer}",
        )
    return found
