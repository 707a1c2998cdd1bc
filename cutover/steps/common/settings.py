"""The environment of a function, read where it is needed; what is missing or wrong is a `UsageError`."""

from __future__ import annotations

from cutover.names import Roles, roles_of
from validator.errors import UsageError
from validator.variables import names, number, optional, text

__all__ = ["names", "number", "optional", "roles", "schemas", "sequence_margin", "text"]

_APPLICATION = "_application"
_MARGIN = 1000


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
