"""The write gate of one side: while the application's role is a member of the writer role, it may write; else not.

Closing takes effect at the next statement of every session, prepared ones too, and waits for no lock. What a
transaction wrote before, it can still commit: those in flight have to end before the freeze is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cutover.database import Session
from cutover.errors import RefusedError
from cutover.names import quote

# From here on a grant belongs to its grantor, and a plain REVOKE takes back one's own alone; for the rest it warns.
# https://www.postgresql.org/docs/16/release-16.html#RELEASE-16-PRIVILEGES
_GRANTS_HAVE_GRANTORS = 160000

_IS_MEMBER = "SELECT pg_has_role(CAST(:application AS name), CAST(:writer AS name), 'MEMBER')"

_GRANTORS = """
SELECT pg_get_userbyid(m.grantor)::text
FROM pg_auth_members m
WHERE m.roleid = (SELECT oid FROM pg_roles WHERE rolname = CAST(:writer AS name))
    AND m.member = (SELECT oid FROM pg_roles WHERE rolname = CAST(:application AS name))
"""

# A statement that passed its permission check before the gate closed may have no transaction id yet. One idle in a
# transaction without id has written nothing, and no longer can.
_IN_FLIGHT = """
SELECT pid, usename::text, coalesce(state, 'unknown'), extract(epoch FROM clock_timestamp() - xact_start)::float8,
    backend_start::text, NULL
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    AND NOT usename::text = ANY (CAST(:ignored AS text[]))
    AND (backend_xid IS NOT NULL
        OR state IN ('active', 'fastpath function call') AND query_start <= CAST(:closed_at AS timestamptz))
UNION ALL
SELECT NULL, owner::text, 'prepared', extract(epoch FROM clock_timestamp() - prepared)::float8, NULL, gid
FROM pg_prepared_xacts
WHERE database = current_database()
ORDER BY 4 DESC NULLS LAST
"""

_TERMINATE = """
SELECT count(*) FILTER (WHERE pg_terminate_backend(a.pid))
FROM pg_stat_activity a
    JOIN unnest(CAST(:pids AS int[]), CAST(:starts AS text[])) AS w (pid, started) ON w.pid = a.pid
WHERE a.backend_start::text = w.started
"""


@dataclass(frozen=True, slots=True)
class Writer:
    """A transaction that may still commit a write. A prepared one has no session: `gid` names it, `pid` is None."""

    pid: int | None
    user: str
    state: str
    seconds: float | None
    started: str | None
    gid: str | None

    def __str__(self) -> str:
        what = f"prepared transaction {self.gid!r}" if self.pid is None else f"process {self.pid} ({self.state})"
        return f"{what} of {self.user}, begun {self.seconds or 0:.1f} s ago"


def is_open(session: Session, application: str, writer: str) -> bool:
    """Whether the application's role may write: by any path of memberships, or as a superuser."""
    answer: bool = session.value(_IS_MEMBER, application=application, writer=writer)
    return answer


def open(session: Session, application: str, writer: str) -> None:  # noqa: A001 - it reads gate.open(…)
    """Let the application write. To be called as the role that will close it: it must be the grantor.

    Neither does the application get to hand the membership on, nor to act as the writer role itself: a session that
    did SET ROLE would outlive the closing.
    """
    options = " WITH INHERIT TRUE, SET FALSE" if session.version >= _GRANTS_HAVE_GRANTORS else ""
    session.query(f"GRANT {quote(writer)} TO {quote(application)}{options}")


def close(session: Session, application: str, writer: str) -> str:
    """Let it write no more; returns the server's time from which every statement is refused.

    Raises `RefusedError` when it still may afterwards, and says by what.
    """
    member, role = quote(application), quote(writer)
    grantors = [row[0] for row in session.query(_GRANTORS, application=application, writer=writer)]
    with session.transaction():
        if session.version < _GRANTS_HAVE_GRANTORS:
            session.query(f"REVOKE {role} FROM {member}")
        else:
            for grantor in grantors:
                session.query(f"REVOKE {role} FROM {member} GRANTED BY {quote(grantor)}")
    if is_open(session, application, writer):
        raise RefusedError(
            f"{application} may still write on the {session.endpoint.side}, without being a member of {writer} itself",
            hint="it is a superuser, or a member of a role that is; python -m cutover readiness says which",
        )
    closed_at: str = session.value("SELECT clock_timestamp()::text")
    return closed_at


def writers_in_flight(session: Session, closed_at: str, ignored: Iterable[str] = ()) -> list[Writer]:
    """The transactions that may still commit a write, the oldest first, of all users but the `ignored` ones (DMS's).

    `closed_at` is what `close` returned. Raises `RefusedError` where the session's user cannot see them.
    """
    if not session.value("SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"):
        raise RefusedError(
            f"{session.endpoint.user} cannot see what other users do on the {session.endpoint.side}",
            hint="GRANT pg_monitor to it; python -m cutover users does",
        )
    rows = session.query(_IN_FLIGHT, closed_at=closed_at, ignored=list(ignored))
    return [Writer(*row) for row in rows]


def terminate_writers(session: Session, writers: Iterable[Writer]) -> int:
    """End their sessions, which rolls back what they did; returns how many were signalled.

    A process that has ended meanwhile is not mistaken for its successor of the same number. Prepared transactions have
    no session to end, and are for a person to commit or roll back.
    """
    living = [writer for writer in writers if writer.pid is not None]
    signalled: int = session.value(
        _TERMINATE, pids=[writer.pid for writer in living], starts=[writer.started for writer in living]
    )
    return signalled
