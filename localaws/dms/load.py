"""The full load: every table as it was at one moment, into one transaction of the target.

All tables are read in the snapshot at which the slot begins, so what the changes bring is exactly what the load has
not: no row twice, none left out, no reference broken. One transaction, so a load that ends on the way leaves nothing
behind.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from localaws.dms import objects
from localaws.dms.postgres import Place, Session
from localaws.dms.runs import FULL_LOAD, Run, Table

_CHUNK = 1 << 16


class Halted(Exception):  # noqa: N818 - a request, not an error
    """Whoever runs this was asked to stop."""


class Load:
    """Loads the tables of `run`; `check` is called before every row, and raises Halted where it shall end."""

    def __init__(self, run: Run, source: Place, target: Place, check: Callable[[], None]) -> None:
        self._run = run
        self._source = source
        self._target = target
        self._check = check

    def execute(self, snapshot: str, finish: Callable[[Session], None]) -> None:
        """Copy, let `finish` do its part in the same transaction, commit.

        Raises LostError, RefusedError and Halted; the target is then as it was.
        """
        with closing(Session(self._source)) as reader, closing(Session(self._target)) as writer:
            reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            reader.run(f"SET TRANSACTION SNAPSHOT {objects.literal(snapshot)}")
            writer.run("BEGIN")
            for table in self._run.tables.values():
                table.state = FULL_LOAD
            for table in self._run.tables.values():
                self._copy(table, reader, writer)
            finish(writer)
            writer.run("COMMIT")
            # What this session has written is counted now, not later among what the changes bring.
            writer.run("SELECT pg_stat_force_next_flush()")
        for table in self._run.tables.values():
            table.load_ended = time.time()

    def _copy(self, table: Table, reader: Session, writer: Session) -> None:
        table.loaded, table.load_started = 0, time.time()
        columns = f"({', '.join(objects.quote(name) for name in table.columns)})" if table.columns else ""
        receiver, sender = os.pipe()
        pump = _Pump(table, self._check, sender)
        reading = threading.Thread(
            target=pump.run,
            args=(reader, f"COPY {objects.named(table)} {columns} TO STDOUT"),
            name=f"load {table.full_name}",
        )
        reading.start()
        try:
            with open(receiver, "rb", _CHUNK) as rows:
                writer.run(f"COPY {objects.named(table)} {columns} FROM STDIN", stream=rows)
        finally:
            reading.join()
        # What ended the reading ends the rows too, and the writer takes that for their end.
        if pump.problem:
            raise pump.problem
        table.loaded = writer.count


class _Pump:
    """Takes rows from the source on a thread of its own and hands them on; each write is one row."""

    def __init__(self, table: Table, check: Callable[[], None], descriptor: int) -> None:
        self._table = table
        self._check = check
        self._descriptor = descriptor
        self._out: Any = None
        self.problem: Exception | None = None

    def run(self, reader: Session, sql: str) -> None:
        """Read all of it; what goes wrong is kept for whoever started this."""
        try:
            with open(self._descriptor, "wb", _CHUNK) as self._out:
                reader.run(sql, stream=self)
        except Exception as problem:  # noqa: BLE001 - raised again where the load runs
            self.problem = problem

    def write(self, row: bytes) -> None:
        """One row of COPY."""
        self._check()
        self._out.write(row)
        self._table.loaded += 1
