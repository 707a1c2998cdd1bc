"""What both servers say of a replication that runs: positions, the state of slot and subscription, rows applied."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from localaws.dms.objects import Runs
from localaws.dms.runs import Run

_SOURCE = """
SELECT pg_current_wal_insert_lsn() - '0/0', s.slot_name IS NOT NULL, coalesce(s.wal_status = 'lost', false),
       s.confirmed_flush_lsn - '0/0', r.sent_lsn - '0/0', r.replay_lsn - '0/0'
  FROM (SELECT) AS one
  LEFT JOIN pg_replication_slots s ON s.slot_name = :name
  LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid
"""
_TARGET = """
SELECT s.subenabled, (SELECT pid FROM pg_stat_subscription w WHERE w.subid = s.oid AND w.relid IS NULL LIMIT 1),
       (SELECT to_jsonb(t)::text FROM pg_stat_subscription_stats t WHERE t.subid = s.oid)
  FROM pg_subscription s
 WHERE s.subname = :name AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
COUNTERS = """
SELECT schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables
 WHERE schemaname || '.' || relname = ANY (:names)
"""
# What the target counts when a change meets rows that it should not, and cannot be applied; or none where there should
# be one, and is passed over. https://www.postgresql.org/docs/current/logical-replication-conflicts.html
CLASHES = ("confl_insert_exists", "confl_update_exists", "confl_multiple_unique_conflicts")
MISSES = {"update": "confl_update_missing", "delete": "confl_delete_missing"}


@dataclass(frozen=True, slots=True)
class Source:
    """`at`, `confirmed`, `sent`, `replayed`: bytes of WAL; None where nobody reads the slot. `lost`: it is no use."""

    at: int
    there: bool
    lost: bool
    confirmed: int | None
    sent: int | None
    replayed: int | None

    @property
    def captured(self) -> int:
        """How far changes have been read."""
        return max(self.sent or 0, self.applied)

    @property
    def applied(self) -> int:
        """How far changes have been applied."""
        return max(self.replayed or 0, self.confirmed or 0)


@dataclass(frozen=True, slots=True)
class Target:
    """`counted` are the target's own counters of errors and conflicts, by name."""

    there: bool
    enabled: bool
    working: bool
    counted: dict[str, int]


def look_at_source(source: Runs, name: str) -> Source:
    """One look; see Source."""
    at, there, lost, *rest = source.run(_SOURCE, name=name)[0]
    confirmed, sent, replayed = (None if value is None else int(value) for value in rest)
    return Source(int(at), bool(there), bool(lost), confirmed, sent, replayed)


def look_at_target(target: Runs, name: str) -> Target:
    """One look; see Target."""
    found = target.run(_TARGET, name=name)
    if not found:
        return Target(there=False, enabled=False, working=False, counted={})
    enabled, worker, counted = found[0]
    statistics: dict[str, Any] = json.loads(counted or "{}")
    counts = {name: value for name, value in statistics.items() if isinstance(value, int)}
    return Target(there=True, enabled=bool(enabled), working=worker is not None, counted=counts)


def count_rows(target: Runs, run: Run, now: float) -> int:
    """Bring the tables' counts up to what the target has counted since the last look; how many rows that were.

    A server that was killed has forgotten its counters: what it had counted since the last look is lost, and the next
    counts begin at none. What was changed there by hand (`touched`) was not applied.
    """
    seen = {
        f"{schema}.{name}": tuple(map(int, counts))
        for schema, name, *counts in target.run(COUNTERS, names=list(run.tables))
    }
    total = 0
    for name, table in run.tables.items():
        counts = seen.get(name, (0, 0, 0))
        before = table.counters
        if before is not None:
            if any(new < old for new, old in zip(counts, before, strict=True)):
                before = (0, 0, 0)
            fresh = [new - old for new, old in zip(counts, before, strict=True)]
            by_hand = min(table.touched, fresh[1])
            fresh[1] -= by_hand
            table.touched -= by_hand
            inserts, updates, deletes = table.applied
            table.applied = (inserts + fresh[0], updates + fresh[1], deletes + fresh[2])
            if any(fresh):
                table.updated = now
            total += sum(fresh)
        table.counters = counts  # type: ignore[assignment]  # three of them, as the statement says
    return total
