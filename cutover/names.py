"""What things are called on both sides: the roles of a system, and the schemas that are not its data."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cutover.database import Session
from validator.errors import UsageError

# The schema of the marker table, on both sides.
CUTOVER_SCHEMA = "cutover"
# Where DMS keeps its own tables (DdlArtifactsSchema and HeartbeatSchema of its endpoints).
ARTIFACTS_SCHEMA = "awsdms"
# Room for the longest suffix within PostgreSQL's 63 bytes of a name.
_SYSTEM = re.compile(r"[a-z][a-z0-9_]{0,49}")

_SCHEMAS = """
SELECT nspname::text FROM pg_namespace
WHERE nspname <> 'information_schema' AND nspname !~ '^pg_' AND nspname NOT IN ('awsdms', 'cutover')
ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of one system, the same on both sides; all but `writer` sign in."""

    application: str
    writer: str
    dms: str
    validator: str
    cutover: str

    @property
    def signing_in(self) -> tuple[str, ...]:
        """Those with a password, each in a secret of its own."""
        return (self.application, self.dms, self.validator, self.cutover)


def roles_of(system: str) -> Roles:
    """The roles of `payments` are payments_application, payments_writer, …; raises `UsageError` for no such name."""
    if not _SYSTEM.fullmatch(system):
        raise UsageError(f"--system: {system!r} is no name of a system", hint="lower case, digits and _, as in params")
    return Roles(*(f"{system}_{part}" for part in ("application", "writer", "dms", "validator", "cutover")))


def quote(name: str) -> str:
    """A name as SQL, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL; standard_conforming_strings is on in every session."""
    return "'" + text.replace("'", "''") + "'"


def dotted(schema: str, name: str) -> str:
    """A name for people."""
    return f"{schema}.{name}"


def choose_schemas(session: Session, wanted: Iterable[str]) -> list[str]:
    """The schemas that hold the system's data: the wanted ones, or all that are not PostgreSQL's, DMS's or ours.

    Raises `UsageError` for one that is not there.
    """
    known = [row[0] for row in session.query(_SCHEMAS)]
    wanted = list(wanted)
    if unknown := [name for name in wanted if name not in known]:
        raise UsageError(
            f"the {session.endpoint.side} has no schema {', '.join(unknown)}", hint="known are " + ", ".join(known)
        )
    return wanted or known
