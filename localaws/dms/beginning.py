"""How a task begins: from nothing to a subscription that only has to be enabled, and where that fails, to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from localaws.dms import objects
from localaws.dms.load import Load
from localaws.dms.postgres import Link, LostError, RefusedError, Session
from localaws.dms.runs import COMPLETED, ERROR, Run
from localaws.dms.selection import read_rules
from localaws.dms.task_settings import TaskSettings
from localaws.dms.watch import count_rows, look_at_source, look_at_target

_PREPARED = ("DO_NOTHING", "TRUNCATE_BEFORE_LOAD")


class Beginning:
    """Begins `run`. `check` raises where the task is asked to stop, `running` is called when it captures changes."""

    def __init__(
        self, run: Run, settings: TaskSettings, *, check: Callable[[], None], running: Callable[[], None]
    ) -> None:
        self._run = run
        self._settings = settings
        self._check = check
        self._running = running
        self._waiting: Session | None = None

    def cancel(self) -> None:
        """End, from another thread, the statement that it waits for."""
        if waiting := self._waiting:
            waiting.cancel()

    def execute(self, mappings: str, source: Link, target: Link) -> None:
        """Raises RefusedError and MappingError for what cannot be begun, LostError, and whatever `check` does."""
        run = self._run
        self._choose(mappings, source, target)
        run.applying, run.cached_until, run.load_started, run.load_finished = False, None, None, None
        run.mark = run.confirmed = None
        run.may_have_objects = True
        try:
            objects.remove_before(source, target, run.name)
            objects.publish(source, run.name, list(run.tables.values()), truncates=self._settings.truncates)
            self._begin_slot(source, target)
        except BaseException:
            for table in run.tables.values():
                table.state = ERROR
            raise
        run.applying = True

    def adopt(self, source: Link, target: Link) -> bool:
        """Whether both sides say that it has begun, though whoever began it did not live to tell.

        The subscription came to be together with the loaded rows, and the slot before it.
        """
        run = self._run
        if not (run.tables and look_at_source(source, run.name).there and look_at_target(target, run.name).there):
            return False
        self._end(source, target)
        run.applying = True
        return True

    def _choose(self, mappings: str, source: Link, target: Link) -> None:
        """The tables, where both sides are ready for them."""
        settings = self._settings
        if self._loads and settings.prep_mode not in _PREPARED:
            raise RefusedError(
                f"TargetTablePrepMode {settings.prep_mode} is not emulated: make the tables, and say"
                f" {' or '.join(_PREPARED)}"
            )
        found = objects.find_tables(source, read_rules(mappings))
        problem = found.problem or objects.missing_on_target(target, found.tables)
        if not problem and not found.tables and settings.fail_without_tables:
            problem = "No tables were found at task initialization: the selection rules match none of the source's"
        if problem:
            raise RefusedError(problem)
        self._run.tables = {table.full_name: table for table in found.tables}

    @property
    def _loads(self) -> bool:
        return self._run.kind != "cdc"

    def _begin_slot(self, source: Link, target: Link) -> None:
        """The slot that the changes come from, and the subscription to it.

        The slot waits for transactions to end, no longer than the task's settings say.
        """
        seconds = self._settings.transaction_seconds
        slot = self._waiting = Session(source.place, seconds=seconds, replication=self._loads)
        began = time.monotonic()
        try:
            self._check()
            if self._loads:
                self._load(slot, source, target)
            else:
                self._capture(slot, source, target)
        except (LostError, RefusedError):
            self._check()  # it was asked to end, so its statement was
            if self._run.load_started is None and time.monotonic() - began >= seconds:
                slot.cancel()
                raise RefusedError(
                    f"transactions of the source that were open at the start have not ended within {seconds} s"
                    " (TransactionConsistencyTimeout)"
                ) from None
            raise
        finally:
            self._waiting = None
            slot.close()

    def _capture(self, slot: Session, source: Link, target: Link) -> None:
        """Changes alone, from now on."""
        name = self._run.name
        objects.begin_slot(slot, name)
        objects.subscribe(target, name, source.place)
        objects.keep_slot(source, name)
        self._end(source, target)

    def _load(self, slot: Session, source: Link, target: Link) -> None:
        """Everything there is where the slot begins; data, subscription and slot come to be together, or not at all."""
        run, settings = self._run, self._settings
        snapshot = objects.begin_slot_with_snapshot(slot, run.name)
        if settings.prep_mode == "TRUNCATE_BEFORE_LOAD" and run.tables:
            target.run(f"TRUNCATE {', '.join(map(objects.named, run.tables.values()))}")
        run.load_started = time.time()
        self._running()

        def finish(writer: Session) -> None:
            objects.subscribe(writer, run.name, source.place)
            objects.keep_slot(source, run.name)

        Load(run, source.place, target.place, self._check).execute(snapshot, finish)
        self._end(source, target)

    def _end(self, source: Link, target: Link) -> None:
        """All is there that changes need."""
        run, settings = self._run, self._settings
        count_rows(target, run, time.time())
        for table in run.tables.values():
            table.state = COMPLETED
        if not self._loads:
            return
        run.load_finished = time.time()
        if settings.stop_after_load or settings.stop_after_cached:
            run.cached_until = look_at_source(source, run.name).at
