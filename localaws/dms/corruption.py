"""A fault for rehearsals: a row that has just been applied is altered on the target, behind the replication's back."""

# ruff: noqa: S608 - the tables are known only at run time; every identifier goes through quote()
from __future__ import annotations

import time
from dataclasses import dataclass, field

from localaws.dms.objects import Runs, literal, named, quote
from localaws.dms.postgres import RefusedError
from localaws.dms.runs import Table

# Kinds of types whose values can be altered, and how; the first column of a kind that takes it is altered.
# https://www.postgresql.org/docs/current/catalog-pg-type.html#CATALOG-TYPCATEGORY-TABLE
_ALTERED = {
    "N": "{0} + 1",
    "S": "left(md5({0}::text), greatest(length({0}::text), 1))",
    "B": "NOT {0}",
    "D": "{0} + interval '1 day'",
}
_COLUMNS = """
SELECT a.attname::text, t.typcategory::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid = :name::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
 ORDER BY a.attnum
"""


@dataclass(slots=True)
class Corruption:
    """One row of `table` that is to be altered, in `column` where one is named.

    `since`: rows of transactions from this one on count as applied after it was asked for. `done` says what was done.
    """

    table: Table
    column: str | None
    since: int = -1
    asked: float = field(default_factory=time.time)
    done: dict[str, str] | None = None

    def arm(self, target: Runs) -> None:
        """From here on."""
        self.since = int(target.run("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")[0][0])

    def strike(self, target: Runs) -> bool:
        """Alter the first row that has been applied since; False where none has been yet, or none can be altered.

        As a replica, so that no trigger notices; the columns of its key stay.
        """
        name = named(self.table)
        rows = target.run(
            f"SELECT ctid::text FROM ONLY {name} WHERE xmin::text::bigint >= :since"
            " ORDER BY xmin::text::bigint LIMIT 1",
            since=self.since,
        )
        return any(self._alter(target, name, place) for (place,) in rows)

    def _alter(self, target: Runs, name: str, place: str) -> bool:
        kinds = [
            (column, kind)
            for column, kind in target.run(_COLUMNS, name=name)
            if column not in self.table.key and column in self.table.columns and self.column in (None, column)
        ]
        key = f"ROW({', '.join(map(quote, self.table.key))})::text"
        for column in [column for wanted in _ALTERED for column, kind in kinds if kind == wanted]:
            changed = _ALTERED[dict(kinds)[column]].format(quote(column))
            try:
                target.run("BEGIN; SET LOCAL session_replication_role = replica")
                done = target.run(
                    f"UPDATE ONLY {name} SET {quote(column)} = {changed} WHERE ctid = {literal(place)}::tid"
                    f" AND {quote(column)} IS NOT NULL RETURNING {key}"
                )
                target.run("COMMIT")
            except RefusedError:
                target.run("ROLLBACK")  # a constraint keeps the value; the next column may not have one
                continue
            if done:
                self.done = {"table": self.table.full_name, "column": column, "key": str(done[0][0])}
                self.table.touched += 1
                return True
        return False
