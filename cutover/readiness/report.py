"""All checks, one after another; what cannot be read is a finding too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cutover.database import Session
from cutover.errors import RefusedError
from cutover.names import Roles
from cutover.readiness import activity, columns, constraints, gate, sequences, server, tables, target, wal
from cutover.readiness.findings import Finding
from validator.errors import QueryError


def examine(
    source: Session,
    destination: Session | None,
    schemas: Sequence[str],
    roles: Roles,
    *,
    interval_seconds: float,
    long_seconds: float,
) -> list[Finding]:
    """Every finding about the source, and about the target where there is one.

    Raises `ConnectionLostError` when a server goes away: then there is no report.
    """
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "server": lambda: server.check(source),
        "wal": lambda: wal.check(source, interval_seconds),
        "tables": lambda: tables.check(source, schemas),
        "columns": lambda: columns.check(source, schemas),
        "constraints": lambda: constraints.check(source, schemas),
        "sequences": lambda: sequences.check(source, schemas),
        "activity": lambda: activity.check(source, long_seconds),
        "gate": lambda: gate.check(source, schemas, roles),
    }
    if destination is not None:
        there = destination
        checks["target"] = lambda: target.check(source, there)
    return [finding for name, check in checks.items() for finding in _made(name, check)]


def _made(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except (QueryError, RefusedError) as error:
        yield Finding(
            "unread",
            f"unread-{name}",
            "",
            f"not all of {name} could be looked at: {error}",
            "run it as a superuser or as the cutover's user, which may read all of this",
        )
