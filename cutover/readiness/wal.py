"""The disk that WAL takes: how much there is, how fast it grows, and who holds it. Free space is not SQL's to see."""

from __future__ import annotations

import time
from collections.abc import Iterator

from cutover.database import Session
from cutover.readiness.findings import Finding

_SIZE = "SELECT coalesce(sum(size), 0)::bigint FROM pg_ls_waldir()"
_POSITION = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
_HELD = """
SELECT coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0)::bigint FROM pg_replication_slots
"""
_ARCHIVER = """
SELECT failed_count, last_failed_wal FROM pg_stat_archiver
WHERE last_failed_time IS NOT NULL AND last_failed_time > coalesce(last_archived_time, '-infinity')
"""
_MIB = 2**20


def check(session: Session, interval_seconds: float) -> Iterator[Finding]:
    """All of it; measures for `interval_seconds`. pg_ls_waldir() wants pg_monitor."""
    size = session.value(_SIZE)
    began, before = time.monotonic(), session.value(_POSITION)
    time.sleep(interval_seconds)
    written = session.value(_POSITION) - before
    rate = written / (time.monotonic() - began)
    held = session.value(_HELD)
    yield Finding(
        "note",
        "wal-volume",
        "",
        f"{size / _MIB:,.0f} MiB of WAL on disk, of which slots hold {held / _MIB:,.0f}; over {interval_seconds:g} s "
        f"it grew by {rate / _MIB:,.2f} MiB/s: a task stopped for an hour holds {rate * 3600 / _MIB:,.0f} MiB back",
        "measure again at the busiest hour (--interval 60), and compare with the free space of the disk of pg_wal",
    )
    for failed, name in session.query(_ARCHIVER):
        yield Finding(
            "warning",
            "archiving-fails",
            name,
            f"the archiver fails ({failed:,} times so far): all WAL from here on stays on the disk",
            "mend archive_command; SELECT * FROM pg_stat_archiver",
        )
