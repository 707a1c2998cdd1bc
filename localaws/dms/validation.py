"""Whether both sides hold the same rows: a real comparison of every table, over and over, while the replication runs.

A table is counted and hashed on both sides, each row into one of a few hundred sums that know no order. The target is
read once it has applied all that the source's snapshot shows; rows that the source has changed since are taken out of
both sums, so a table can be found equal while payments go on. Rows that differ are looked for in the sums that do, and
only those that differ in two rounds are mismatched: until then they are pending, as DMS says of a row on its way.
https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Validating.html
"""

# ruff: noqa: S608 - the tables are known only at run time; every identifier goes through quote()
from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from localaws.dms.objects import Runs, named, quote
from localaws.dms.postgres import Link, LostError, Place, RefusedError
from localaws.dms.runs import COMPLETED, MISMATCHED, NO_KEY, PENDING, VALIDATED, Run, Table
from localaws.dms.watch import COUNTERS, look_at_source

_BUCKETS = 256
_SOUGHT_BUCKETS = 32
APPLIED_SECONDS = 5.0
_LOOK_SECONDS = 0.05
# Comparing may take this part of the time, and no more: it reads every row of both sides.
SHARE = 0.05
LEAST_PAUSE_SECONDS = 0.5
_STATEMENT_SECONDS = 300.0
Sums = dict[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Form:
    """A table as its statements name it."""

    name: str
    key: str
    row: str
    columns: str
    types: tuple[str, ...]

    @property
    def bucket(self) -> str:
        return f"hashtextextended({self.key}, 1) & {_BUCKETS - 1}"

    @property
    def among(self) -> str:
        """The rows whose keys are those of the arrays :k0, :k1 and so on."""
        names = [f"k{number}" for number in range(len(self.types))]
        arrays = ", ".join(f":{name}::text[]" for name in names)
        typed = ", ".join(f"{name}::{kind}" for name, kind in zip(names, self.types, strict=True))
        return f"({self.columns}) IN (SELECT {typed} FROM unnest({arrays}) AS given({', '.join(names)}))"


class Validator:
    """Compares the tables of `run` until it is stopped."""

    def __init__(self, run: Run, source: Place, target: Place) -> None:
        self._run = run
        self._source = Link(source, _STATEMENT_SECONDS)
        self._later = Link(source, _STATEMENT_SECONDS)
        self._target = Link(target, _STATEMENT_SECONDS)
        self._stop = threading.Event()
        self._suspects: dict[str, frozenset[str]] = {}
        self._settled: dict[str, object] = {}
        self._thread = threading.Thread(target=self._compare_on, name=f"validate {run.name}", daemon=True)

    def start(self) -> None:
        """Begin, on a thread of its own."""
        for table in self._run.tables.values():
            table.validation = PENDING if table.key else NO_KEY
        self._thread.start()

    def stop(self) -> None:
        """End, also in the middle of a comparison."""
        self._stop.set()
        while self._thread.is_alive():
            for link in self._links:
                link.cancel()
            self._thread.join(_LOOK_SECONDS)

    @property
    def _links(self) -> tuple[Link, ...]:
        return self._source, self._later, self._target

    def _compare_on(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            began = time.monotonic()
            try:
                self.compare_all()
            except (LostError, RefusedError):
                # A server that is gone, or a table that is: whoever watches the replication says which.
                for link in self._links:
                    link.close()
            pause = max(LEAST_PAUSE_SECONDS, (time.monotonic() - began) * (1 / SHARE - 1))
        for link in self._links:
            link.close()

    def compare_all(self) -> None:
        """One round over the tables that have changed since they were last found equal."""
        for table in self._run.tables.values():
            if self._stop.is_set():
                return
            if table.key and table.state == COMPLETED:
                before = self._counted(table)
                if self._settled.get(table.full_name) == before:
                    continue
                if self._compare(table):
                    self._settled[table.full_name] = before

    def _counted(self, table: Table) -> object:
        """What both servers have counted of changes to the table."""
        return [link.run(COUNTERS, names=[table.full_name]) for link in (self._source, self._target)]

    def _compare(self, table: Table) -> bool:
        """Whether both sides are equal, but for rows that change right now; the table says what was found."""
        form = _form(self._source, table)
        with _snapshot(self._source):
            seen = str(self._source.run("SELECT pg_current_snapshot()::text")[0][0])
            at = look_at_source(self._source, self._run.name).at
            left = _sums(self._source, form)
            if not self._wait_until_applied(at):
                table.validation, table.pending = PENDING, max(table.pending, 1)
                return False
            with _snapshot(self._target):
                right = _sums(self._target, form)
                moving = self._changed_since(seen, form)
                if moving[0]:
                    left, right = (
                        _without(sums, _sums(side, form, moving))
                        for sums, side in ((left, self._source), (right, self._target))
                    )
                differing = sorted(
                    bucket for bucket in left.keys() | right.keys() if left.get(bucket) != right.get(bucket)
                )
                suspects = self._suspected(form, differing[:_SOUGHT_BUCKETS], moving)
        return self._judge(table, differing, suspects)

    def _judge(self, table: Table, differing: list[int], suspects: frozenset[str]) -> bool:
        confirmed = suspects & self._suspects.get(table.full_name, frozenset())
        self._suspects[table.full_name] = suspects
        table.updated = time.time()
        table.failed = len(confirmed)
        table.pending = max(len(suspects), len(differing)) - len(confirmed) if differing else 0
        table.validation = MISMATCHED if confirmed else PENDING if differing else VALIDATED
        return not differing

    def _wait_until_applied(self, position: int) -> bool:
        until = time.monotonic() + APPLIED_SECONDS
        while look_at_source(self._later, self._run.name).applied < position:
            if time.monotonic() > until or self._stop.wait(_LOOK_SECONDS):
                return False
        return True

    def _changed_since(self, snapshot: str, form: _Form) -> list[list[str]]:
        """The keys, column by column, of rows that the source has written since; a deleted row is in no snapshot."""
        columns = ", ".join(f"array_agg({name}::text)" for name in form.columns.split(", "))
        found = self._later.run(
            f"SELECT {columns} FROM ONLY {form.name}"
            " WHERE NOT pg_visible_in_snapshot(xmin::text::xid8, :snapshot::pg_snapshot)",
            snapshot=snapshot,
        )[0]
        return [values or [] for values in found]

    def _suspected(self, form: _Form, buckets: list[int], moving: list[list[str]]) -> frozenset[str]:
        """The keys of rows that differ, or are there on one side only; those that change right now are left out."""
        if not buckets:
            return frozenset()
        values = {f"k{number}": keys for number, keys in enumerate(moving)}
        statement = (
            f"SELECT {form.key}, hashtextextended({form.row}, 0) FROM ONLY {form.name}"
            f" WHERE {form.bucket} = ANY (:buckets) AND NOT {form.among}"
        )
        left, right = (
            {(key, row) for key, row in side.run(statement, buckets=buckets, **values)}
            for side in (self._source, self._target)
        )
        return frozenset(key for key, _ in left ^ right)


def _form(source: Runs, table: Table) -> _Form:
    types = dict(
        source.run(
            "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = :name::regclass",
            name=named(table),
        )
    )
    columns = ", ".join(map(quote, table.key))
    row = ", ".join(map(quote, table.columns))
    kinds = tuple(types[name] for name in table.key)
    return _Form(named(table), f"ROW({columns})::text", f"ROW({row})::text", columns, kinds)


def _sums(side: Runs, form: _Form, keys: list[list[str]] | None = None) -> Sums:
    """Rows and the sum of their hashes in each bucket, of all rows or of those with these keys."""
    only = f"WHERE {form.among}" if keys is not None else ""
    found = side.run(
        f"SELECT {form.bucket}, count(*), sum(hashtextextended({form.row}, 0)::numeric) FROM ONLY {form.name} {only}"
        " GROUP BY 1",
        **{f"k{number}": values for number, values in enumerate(keys or [])},
    )
    return {int(bucket): (int(count), int(total)) for bucket, count, total in found}


def _without(sums: Sums, some: Sums) -> Sums:
    rest = {}
    for bucket, (count, total) in sums.items():
        less, part = some.get(bucket, (0, 0))
        if count > less:
            rest[bucket] = (count - less, total - part)
    return rest


@contextmanager
def _snapshot(side: Runs) -> Iterator[None]:
    side.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        yield
    finally:
        side.run("ROLLBACK")
