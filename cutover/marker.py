"""The marker: a row written last on one side, whose arrival on the other proves that all before it arrived.

A latency metric reads 0 when nothing moves; a row is there or is not. Replication applies transactions in the order of
their commits, so the row follows every payment that was accepted before it was written.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass

from cutover.database import Session

# The key is made here: gen_random_uuid() is PostgreSQL's own from 13 on only.
TABLE_SQL = """CREATE TABLE IF NOT EXISTS cutover.marker (
    id uuid PRIMARY KEY,
    lsn pg_lsn NOT NULL,
    written_at timestamptz NOT NULL
)"""
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Marker:
    """`lsn` is where the side that wrote it stood in its WAL: at or behind every commit before, before its own."""

    id: str
    lsn: str
    written_at: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """What the other side had when it was last asked: `newest` is the last marker that did arrive, None for none."""

    arrived: bool
    waited_seconds: float
    looks: int
    newest: Marker | None

    def __str__(self) -> str:
        if self.arrived:
            return f"the marker arrived after {self.waited_seconds:.2f} s"
        seen = (
            f"the newest there is of {self.newest.written_at} at {self.newest.lsn}" if self.newest else "none is there"
        )
        return f"the marker has not arrived within {self.waited_seconds:.1f} s; {seen}"


def create(session: Session) -> None:
    """Make `cutover.marker` where it is not there; it must be on both sides before the replication starts."""
    session.query("CREATE SCHEMA IF NOT EXISTS cutover")
    session.query(TABLE_SQL)


def write(session: Session) -> Marker:
    """Write a marker and commit it, durably.

    Its LSN is the insert position, not the write position: it is never before a commit that is still on its way to
    disk. https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-BACKUP
    """
    identifier = str(uuid.uuid4())
    lsn, written_at = session.query(
        """
        INSERT INTO cutover.marker (id, lsn, written_at)
        VALUES (CAST(:id AS uuid), pg_current_wal_insert_lsn(), clock_timestamp())
        RETURNING lsn::text, written_at::text
        """,
        id=identifier,
    )[0]
    return Marker(identifier, lsn, written_at)


def wait(session: Session, marker: Marker, timeout_seconds: float) -> Sighting:
    """Look for the marker on the other side until it is there or the time is up; looks at least once."""
    began = time.monotonic()
    looks = 0
    while True:
        looks += 1
        arrived = session.value("SELECT EXISTS (SELECT FROM cutover.marker WHERE id = CAST(:id AS uuid))", id=marker.id)
        waited = time.monotonic() - began
        if arrived or waited + _POLL_SECONDS > timeout_seconds:
            return Sighting(arrived, waited, looks, _newest(session))
        time.sleep(_POLL_SECONDS)


def _newest(session: Session) -> Marker | None:
    rows = session.query(
        "SELECT id::text, lsn::text, written_at::text FROM cutover.marker ORDER BY written_at DESC LIMIT 1"
    )
    return Marker(*rows[0]) if rows else None
