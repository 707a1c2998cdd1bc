"""Markers of one run, each with an id that follows from the run: called twice, a step finds the one it has written."""

from __future__ import annotations

import time
import uuid

from cutover.database import Session
from cutover.marker import Marker
from cutover.steps.common.deadline import Deadline

_SPACE = uuid.UUID("1d3b3a9e-6f0e-5f4f-9c4e-5d2a6f1f7c10")
_ENSURE = """
INSERT INTO cutover.marker (id, lsn, written_at)
VALUES (CAST(:id AS uuid), pg_current_wal_insert_lsn(), clock_timestamp()) ON CONFLICT (id) DO NOTHING
"""
_FIND = "SELECT id::text, lsn::text, written_at::text FROM cutover.marker WHERE id = ANY (CAST(:ids AS uuid[]))"
_FORGET = "DELETE FROM cutover.marker WHERE id = ANY (CAST(:ids AS uuid[]))"
_PAUSE_SECONDS = 0.02
# The slot of a task that has just begun may begin after a marker that was written then: it never comes.
# So another one follows after a second, and later ever more seldom: this many in ten minutes.
_AGAIN_SECONDS, _AGAIN_SHARE, _MOST = 1.0, 0.1, 64


def identify(run_id: str, purpose: str, number: int = 0) -> str:
    """The id of a marker; `purpose` says which step it is for."""
    return str(uuid.uuid5(_SPACE, f"{run_id}/{purpose}/{number}"))


def write(session: Session, identifier: str) -> Marker:
    """Write it, or find it written; durably. As `cutover.marker.write` does, which says why that LSN."""
    session.query(_ENSURE, id=identifier)
    (found,) = find(session, [identifier])
    return found


def find(session: Session, identifiers: list[str]) -> list[Marker]:
    """Those of them that are there."""
    return [Marker(*row) for row in session.query(_FIND, ids=identifiers)]


def forget(session: Session, run_id: str, purpose: str) -> None:
    """Remove all of a purpose."""
    session.query(_FORGET, ids=[identify(run_id, purpose, number) for number in range(_MOST)])


def await_arrival(session: Session, identifier: str, deadline: Deadline, doing: str) -> Marker:
    """Wait until the marker is on this side; raises as `Deadline.wait` does."""

    def look() -> Marker | None:
        found = find(session, [identifier])
        return found[0] if found else None

    return deadline.wait(look, doing, _PAUSE_SECONDS)


def prove_flow(near: Session, far: Session, run_id: str, purpose: str, deadline: Deadline, doing: str) -> Marker:
    """Wait until one of the markers written on `near` is on `far`; raises as `Deadline.wait` does."""
    written: list[str] = []
    began = due = time.monotonic()

    def look() -> Marker | None:
        nonlocal due
        now = time.monotonic()
        if now >= due and len(written) < _MOST:
            written.append(identify(run_id, purpose, len(written)))
            write(near, written[-1])
            due = now + max(_AGAIN_SECONDS, (now - began) * _AGAIN_SHARE)
        found = find(far, written)
        return found[0] if found else None

    return deadline.wait(look, doing, _PAUSE_SECONDS)


def has_flowed(far: Session, run_id: str, purpose: str) -> bool:
    """Whether one of the purpose's markers is on the far side."""
    return bool(find(far, [identify(run_id, purpose, number) for number in range(_MOST)]))
