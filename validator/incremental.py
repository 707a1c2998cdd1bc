"""Only what changed since the last clean run, with the guarantee of a full one.

A full run that passes leaves, per table and side, the oldest transaction that was still open before its first snapshot:
the **horizon**. A row version that is visible now and was written by a transaction before the horizon was visible in
that run too, and the run proved it equal to the other side's row of the same key. (What was in flight then and arrived
later was written after the horizon, on the side where it arrived.) So an incremental run compares

* the whole row, of every row version written since the horizon on its side;
* the key alone, of every other row, for it may have been deleted on one side only.

Both are one aggregate per side: the sum of the row's hash or the key's hash, by the age of the row version (`xmin`).
Two sums that are equal prove that both sides have the same keys, that old rows stand beside old ones, and that new rows
are equal. Where they are not, the rows that are new on either side are listed and compared as in a full run; if the
keys of all others still differ, the table is compared in full.

What would break the argument is found out, and then the table is compared in full: another server or a restarted one
(transaction ids may begin anew: a restore, a failover), a table redefined, rewritten, truncated or with a partition
attached, other columns or keys, a horizon 2^31 transactions old, a crash. Rows without a key are always compared in
full.

https://www.postgresql.org/docs/current/ddl-system-columns.html
https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from validator.connection import Session
from validator.matching import Matched
from validator.rows import Ask, Candidate, candidates
from validator.scan import Reader

# The database, and the process that has given out its transaction ids: a restore or a failover starts another one.
_SERVER = """
SELECT concat_ws(' ', (SELECT oid FROM pg_database WHERE datname = current_database()),
    extract(epoch FROM pg_postmaster_start_time()), pg_is_in_recovery(), current_setting('server_version_num'))
"""
_HORIZON = "SELECT txid_snapshot_xmin(txid_current_snapshot())::bigint"
_DELAYS = 3
# Half of the ids that a row can carry; a margin for what happens during the run.
_OLDEST = 2**31 - 2**24
# More changed rows than these are not listed: a full run costs no more.
_LISTED = 200_000


@dataclass(frozen=True, slots=True)
class Horizon:
    """One side's state before a comparison: rows of older transactions were there already. `server` tells restarts."""

    xmin: int
    server: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a clean run leaves of one table: the horizons of both sides, and of what the table was made."""

    horizons: tuple[Horizon, Horizon]
    fingerprints: tuple[str, str]
    form: str
    run_id: str

    def document(self) -> dict[str, Any]:
        """The baseline as JSON."""
        return {
            "horizons": [[horizon.xmin, horizon.server] for horizon in self.horizons],
            "fingerprints": list(self.fingerprints),
            "form": self.form,
            "run_id": self.run_id,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """The baseline that `document` was made of."""
        source, target = (Horizon(int(xmin), str(server)) for xmin, server in document["horizons"])
        first, second = document["fingerprints"]
        return cls((source, target), (first, second), document["form"], document["run_id"])


@dataclass(frozen=True, slots=True)
class Increment:
    """What an incremental comparison found. `full` says why a full one is needed instead, "" when it is not."""

    rows: tuple[int, int] = (0, 0)
    found: tuple[Candidate, ...] = ()
    full: str = ""


def read_horizon(session: Session) -> Horizon:
    """The horizon of a run that begins now; call it in the first snapshot or before."""
    return Horizon(session.query(_HORIZON)[0][0], session.query(_SERVER)[0][0])


def await_durable(session: Session, since: float) -> None:
    """Wait until nothing that was committed before `since` (monotonic seconds) can be undone by a crash of the server.

    A crash that undoes an asynchronous commit would give its transaction id out again, below the horizon. Such a commit
    is on disk after three times wal_writer_delay at the latest; and that no crash came before is known because the
    session, the one that read the horizon, still answers after. Raises `ConnectionLostError`.
    https://www.postgresql.org/docs/current/wal-async-commit.html
    """
    delay_ms = session.query("SELECT setting::int FROM pg_settings WHERE name = 'wal_writer_delay'")[0][0]
    time.sleep(max(since + _DELAYS * delay_ms / 1000 - time.monotonic(), 0))
    session.query("SELECT 1")


def form_of(matched: Matched) -> str:
    """A digest of how rows of the table are hashed: another one when this program or the columns are others."""
    general = replace(matched, small_keys=False)
    rows = [general.rows(terms, "UTF8", 0) for terms in matched.terms]
    text = "\n".join(part for side in rows for part in (side.row_hash(), side.key_hash(), side.key_line()))
    return hashlib.sha256(text.encode()).hexdigest()


def obstacle(baseline: Baseline | None, matched: Matched, fingerprints: tuple[str, str], now: Sequence[Horizon]) -> str:
    """Why the table has to be compared in full, "" when its changes will do."""
    if baseline is None:
        return "no clean run of it is on record"
    if not matched.key:
        return "its rows have no key"
    if any(before.server != after.server for before, after in zip(baseline.horizons, now, strict=True)):
        return "a server was restarted or replaced since the last clean run"
    if baseline.fingerprints != fingerprints or baseline.form != form_of(matched):
        return "it was redefined, rewritten or truncated since the last clean run"
    if any(after.xmin - before.xmin >= _OLDEST for before, after in zip(baseline.horizons, now, strict=True)):
        return "the last clean run is too many transactions ago"
    return ""


def compare_changes(ask: Ask, baseline: Baseline) -> Increment:
    """Compare what changed, in snapshots that are open; `ask` reads both sides."""
    horizons = dict(zip(("source", "target"), baseline.horizons, strict=True))

    def horizon(reader: Reader) -> int:
        return horizons[reader.session.endpoint.side].xmin

    summed = ask(lambda reader: reader.sums_by_age(horizon(reader)))
    rows = summed[0][0], summed[1][0]
    if summed[0] == summed[1]:
        return Increment(rows)
    listed = ask(lambda reader: reader.lines_since(horizon(reader), _LISTED + 1))
    if max(len(lines) for lines in listed) > _LISTED:
        return Increment(rows, full="very many of its rows changed")
    new = tuple({line.rpartition(" ")[0] for line in lines} for lines in listed)
    changed = sorted(new[0] | new[1])
    # Of every key that is new on either side: its rows on both, and what the rest of the table sums up to without them.
    known = ask(lambda reader: reader.hashes_of_keys(changed) if changed else [])
    rest = tuple(_without(total, words, lines) for total, words, lines in zip(summed, new, known, strict=True))
    if rest[0] != rest[1]:
        return Increment(rows, full="rows differ that were not written since the last clean run")
    lines = tuple([f"{word} {hashed}" for word, hashed, _ in side] for side in known)
    return Increment(rows, tuple(candidates(*lines)))


def _without(
    total: tuple[int, tuple[int, ...]], new: set[str], lines: Sequence[tuple[str, str, str]]
) -> tuple[int, tuple[int, ...]]:
    """Rows and sums of one side without the rows of `lines`: key, row hash, key hash."""
    rows, sums = total
    left = list(sums)
    for word, row_hash, key_hash in lines:
        for place, part in enumerate(_halves(row_hash if word in new else key_hash)):
            left[place] -= part
    return rows - len(lines), tuple(left)


def _halves(hashed: str) -> tuple[int, ...]:
    """A hash as the signed numbers of 64 bits that PostgreSQL adds up."""
    if len(hashed) != _MD5_DIGITS or not set(hashed) <= _HEXADECIMAL:
        return (int(hashed),)
    return tuple(int.from_bytes(bytes.fromhex(half), "big", signed=True) for half in (hashed[:16], hashed[16:]))


_MD5_DIGITS = 32
_HEXADECIMAL = set("0123456789abcdef")
