"""The fence of one side: which run may move its gate, and what that run has said it does there.

A function that was given up may still be at work, and must not open a gate that another call has closed for good. So
every movement of a gate happens under an advisory lock of the database that the gate is in, held by the very session
that moves it, after a look at the word that is written there. Who takes the lock by force ends that session: what it
was about to do, it cannot do any more.

Words on the source: `claimed` → `closing` → `frozen` → `ended`. On the target: `claimed` → `opened` → `ended` where the
payments stay; → `refused` → `returned` where its gate was never opened, and → `retreating` → `retreated` → `returned`
where it was, for their way back. A run that has ended opens and closes nothing any more, but for a way back that begins
after the target's `ended`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from cutover.database import Session
from cutover.names import CUTOVER_SCHEMA
from cutover.steps.common.errors import Blocked, Retry
from validator.errors import ConnectionLostError, QueryError

_UNDEFINED_TABLE = "42P01"
# Two keys of an advisory lock: "cutf" as a number, and the only thing of ours that is locked.
_SPACE, _KEY = 0x63757466, 1
_TABLE = f"""CREATE TABLE IF NOT EXISTS {CUTOVER_SCHEMA}.fence (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    run_id text NOT NULL,
    word text NOT NULL,
    since timestamptz NOT NULL,
    frozen_at timestamptz,
    opened_at timestamptz
)"""
_READ = f"""SELECT run_id, word, extract(epoch FROM since)::float8, extract(epoch FROM frozen_at)::float8,
    extract(epoch FROM opened_at)::float8 FROM {CUTOVER_SCHEMA}.fence"""  # noqa: S608 - a constant
_CLAIM = f"""
INSERT INTO {CUTOVER_SCHEMA}.fence (run_id, word, since) VALUES (:run_id, 'claimed', to_timestamp(:now))
ON CONFLICT (single) DO UPDATE SET run_id = excluded.run_id, word = excluded.word, since = excluded.since,
    frozen_at = NULL, opened_at = NULL
"""  # noqa: S608 - a constant
_WRITE = f"""
UPDATE {CUTOVER_SCHEMA}.fence SET word = :word, since = to_timestamp(:now),
    frozen_at = CASE WHEN :word = 'closing' THEN to_timestamp(:now) ELSE frozen_at END,
    opened_at = CASE WHEN :word = 'opened' THEN to_timestamp(:now) ELSE opened_at END
WHERE run_id = :run_id
RETURNING word, extract(epoch FROM since)::float8, extract(epoch FROM frozen_at)::float8,
    extract(epoch FROM opened_at)::float8
"""  # noqa: S608 - a constant
_LOCK = f"SELECT pg_try_advisory_lock({_SPACE}, {_KEY})"
_UNLOCK = f"SELECT pg_advisory_unlock({_SPACE}, {_KEY})"
_EVICT = f"""
SELECT count(pg_terminate_backend(pid)) FROM pg_locks
WHERE locktype = 'advisory' AND classid = {_SPACE} AND objid = {_KEY} AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 - constants
# Words of a run that holds no gate open or closed.
IDLE = ("", "claimed", "ended", "returned")
_PAUSE_SECONDS = 0.02
# Longer than a call of AWS under the lock may take (cloud.py), so that none of whoever is ended comes afterwards.
PATIENCE_SECONDS = 10.0


@dataclass(slots=True)
class Fence:
    """What is written on one side; `word` is "" where nothing ever was.

    Times are seconds since 1970, by the clock of the functions: that of the data centre may be another.
    """

    session: Session
    run_id: str
    word: str
    since: float
    frozen_at: float | None
    opened_at: float | None

    def write(self, word: str) -> None:
        """Say what is done from here on. Only under the lock, and only what `owned` has given."""
        rows = self.session.query(_WRITE, word=word, run_id=self.run_id, now=time.time())
        self.word, self.since, self.frozen_at, self.opened_at = rows[0]


def read(session: Session) -> Fence:
    """What is written there now."""
    try:
        rows = session.query(_READ)
    except QueryError as error:
        if error.sqlstate != _UNDEFINED_TABLE:
            raise
        rows = []
    return Fence(session, *(rows[0] if rows else ("", "", 0.0, None, None)))


@contextmanager
def held(session: Session, *, force: bool = False) -> Iterator[None]:
    """Keep every other call from moving this side's gate; `force` ends the session of one that does not let go.

    Raises `Retry` when another one holds it for long.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while not session.value(_LOCK):
        if time.monotonic() > until:
            if not force:
                raise Retry(f"another call is at work on the gate of the {session.endpoint.side}")
            session.query(_EVICT)
        time.sleep(_PAUSE_SECONDS)
    try:
        yield
    finally:
        with suppress(ConnectionLostError):
            session.query(_UNLOCK)


@contextmanager
def owned(session: Session, run_id: str, *, force: bool = False) -> Iterator[Fence]:
    """The fence of a side that the run has claimed, under its lock; raises `Blocked` where it is another run's."""
    with held(session, force=force):
        fence = read(session)
        check_owner(fence, run_id)
        yield fence


@contextmanager
def going_on(target: Session, run_id: str) -> Iterator[None]:
    """Keep a way back from beginning meanwhile; raises `Blocked` where it has begun, or the target was opened.

    For what must not come after it: a step that Step Functions has given up is not ended by that. Held for one request
    of AWS at most, for which a way back waits (`PATIENCE_SECONDS`), and then undoes what came of it.
    """
    with owned(target, run_id) as fence:
        if fence.word != "claimed":
            raise Blocked(f"cutover {run_id} does not go on any more: the target is {fence.word}")
        yield


def check_owner(fence: Fence, run_id: str) -> None:
    """Raise `Blocked` where the fence is not the run's."""
    if fence.run_id != run_id:
        whose = f"is of cutover {fence.run_id}" if fence.run_id else "has been claimed by none"
        raise Blocked(f"the {fence.session.endpoint.side} {whose}, not of {run_id}")


def claim(session: Session, run_id: str) -> str:
    """Take the fence for a run: "" when it has it, else who has it and is in the middle of something.

    From one that has only claimed it, it is taken: that one can freeze nothing any more.
    """
    session.query(_TABLE)
    with held(session):
        fence = read(session)
        if fence.run_id == run_id:
            return ""
        if fence.word not in IDLE:
            return f"cutover {fence.run_id} has not ended on the {session.endpoint.side} ({fence.word})"
        session.query(_CLAIM, run_id=run_id, now=time.time())
    return ""
