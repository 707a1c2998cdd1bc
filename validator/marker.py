"""A known point of replication: a row that the source has written and the target must have received.

A marker is a row of a table that is replicated like all others, by default `cutover.marker (id uuid PRIMARY KEY, lsn
pg_lsn, written_at timestamptz)`. Replication applies transactions in the order in which they were committed, so that a
target which has the row has all that was committed on the source before it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from validator.catalog import Table
from validator.connection import Session
from validator.errors import MarkerError
from validator.naming import quote
from validator.sides import Sides

MARKER_TABLE = Table("cutover", "marker")
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker that both sides have. `lsn` is the source's position when it was written."""

    id: str
    lsn: str
    written_at: str
    waited_seconds: float

    def document(self) -> dict[str, Any]:
        """The marker as JSON."""
        return asdict(self)


def await_marker(
    sides: Sides,
    marker_id: str,
    timeout_seconds: float,
    table: Table = MARKER_TABLE,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Marker:
    """Wait until the target has the source's marker. Raises `MarkerError` when the source lacks it or time is up."""
    start = clock()
    while True:
        with sides.snapshots():
            source, target = sides.both(lambda session: _read(session, table, marker_id))
        if source is None:
            raise MarkerError(f"the source has no marker {marker_id} in {table}", hint="write it, then compare")
        waited = clock() - start
        if source == target:
            return Marker(marker_id, *source, waited_seconds=round(waited, 3))
        if waited >= timeout_seconds:
            raise MarkerError(
                f"the target has not received marker {marker_id} (written at {source[0]}) in {timeout_seconds:g} s",
                hint="look at the replication task: is it running, and what is its latency?",
            )
        sleep(_PAUSE_SECONDS)


def _read(session: Session, table: Table, marker_id: str) -> tuple[str, str] | None:
    found = session.query(
        f"SELECT lsn::text, written_at::text FROM {quote(table.schema)}.{quote(table.name)} WHERE id::text = :id",
        id=marker_id,
    )
    return (found[0][0], found[0][1]) if found else None
