"""Transactions that hold up the start of a task, the WAL, and the freeze."""

from __future__ import annotations

from collections.abc import Iterator

from cutover.database import Session
from cutover.errors import RefusedError
from cutover.readiness.findings import Finding

_LONG = """
SELECT pid, coalesce(usename::text, ''), coalesce(state, ''), extract(epoch FROM clock_timestamp() - xact_start)::float8
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    AND xact_start < clock_timestamp() - make_interval(secs => :seconds)
ORDER BY 4 DESC
"""
_PREPARED = "SELECT gid, owner::text FROM pg_prepared_xacts WHERE database = current_database() ORDER BY 1"


def check(session: Session, long_seconds: float) -> Iterator[Finding]:
    """All of it; a transaction is long from `long_seconds` on."""
    for gid, owner in session.query(_PREPARED):
        yield Finding(
            "blocker",
            "prepared-transaction",
            gid,
            f"{owner} prepared it, and it can be committed at any time, also after the freeze; DMS does not follow it",
            "COMMIT PREPARED or ROLLBACK PREPARED",
        )
    if not session.value("SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"):
        raise RefusedError(
            f"{session.endpoint.user} does not see other users' transactions", hint="GRANT pg_monitor to it"
        )
    for pid, user, state, seconds in session.query(_LONG, seconds=long_seconds):
        yield Finding(
            "warning",
            "long-transaction",
            f"process {pid}",
            f"{user} has been in a transaction for {seconds:,.0f} s ({state}): a task starts only when it has ended, "
            "and the WAL stays until then",
            f"end it in its application, or SELECT pg_terminate_backend({pid})",
        )
