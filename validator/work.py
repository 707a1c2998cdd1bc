"""An item of work: some slices of some tables, compared one after the other, by as many calls as it takes.

What is known is kept after every slice, all of it at once: which slices are done, and what was found in exactly those.
(After a table that is compared by its changes, where that took but a moment, it is kept with the next ones.)
A call that ends, for whatever reason, is followed by one that goes on from there, so that no slice is counted twice or
left out. Two calls at the same item do the same work in the same order; the slower one takes over what the faster one
kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from validator.compare import compare_increment, compare_slice, once_more, settle_rest
from validator.comparison import Comparison, Options, Progress
from validator.errors import ConnectError, ConnectionLostError, QueryError, RedefinedError
from validator.incremental import Baseline
from validator.lots import Lot, State
from validator.places import part_key, table_key
from validator.settle import Patience
from validator.sides import Sides
from validator.storable import comparison_of, progress_document, progress_of
from validator.store import Store, StoreError
from validator.tables import Tables

R = TypeVar("R")
# The server goes away or has no room: the same may be asked again, later.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_AWAY = ("08", "53", "57P")
_CANCELLED, _LOCKED = "57014", "55P03"
# A call that dies loses no more than this of what it compared by changes.
_KEEP_SECONDS = 2.0
# A lock is waited for 5 seconds each time.
_MOST_LOCKED = 12
# How often a slice may end the call that compares it before it is cut in two.
_DEATHS = 2
# A slice that is no larger, or that is one of so many parts, is not cut any further.
_FEWEST_ROWS, _MOST_PARTS = 1000, 256


def patiently(sides: Sides, work: Callable[[], R]) -> R:
    """`work`, and once again on new connections when a server went away; raises `ConnectionLostError` the next time."""

    def once() -> R:
        try:
            return work()
        except QueryError as error:
            if error.sqlstate.startswith(_AWAY):
                raise ConnectionLostError(str(error)) from None
            raise

    return once_more(sides, once)


def least_watch(patience: Patience) -> float:
    """Seconds that rows are watched at least, for a look after the lag is over; 0 when nothing is in flight."""
    return patience.lag_seconds + 2 * patience.pause_seconds + 1 if patience.lag_seconds else 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the function: how long it has left, and how long a slice may take of that, in seconds."""

    seconds_left: Callable[[], float]
    slice_seconds: float
    now: Callable[[], float] = time.time


class Item:
    """One item of one run. `entry` is its line in the list of items: its number, lots as [table, first, after last]."""

    def __init__(self, store: Store, run_id: str, entry: Mapping[str, Any], tables: Tables | None = None) -> None:
        self._store = store
        self._run_id = run_id
        self._entry = entry
        self._key = part_key(run_id, entry["item"])
        self._state = State([])
        self._planned = tables or Tables(store, run_id)
        self._tables: dict[int, tuple[Comparison, Baseline | None]] = {}
        self._saved = time.monotonic()
        self._unsaved = False

    def advance(self, sides: Sides, attempt: str, options: Options, call: Call) -> bool:
        """Go on until all is done (True) or time is short (False).

        Raises `ConnectError`, `ConnectionLostError` and `StoreError`: then the next call goes on. Everything else that
        goes wrong with a table is kept as the problem of its lot, and hides no other table.
        """
        self._begin(attempt)
        fresh = True
        while not self._state.finished:
            scanning = next((lot for lot in self._state.lots if not lot.scanned), None)
            lot = scanning or next(lot for lot in self._state.lots if not lot.finished)
            needed = call.slice_seconds if scanning else self._watch(options, call)
            if not fresh and call.seconds_left() < needed:
                if self._unsaved:
                    self._save()
                return False
            fresh = False
            step = self._scan if scanning else self._settle
            self._tried(sides, lot, lambda lot=lot, step=step: step(sides, lot, options, call))  # type: ignore[misc]
        return True

    def abandon(self, attempt: str, error: str) -> None:
        """Keep what ended the work at this item, for the report."""
        self._begin(attempt)
        self._state.problem = error
        self._save()

    def _begin(self, attempt: str) -> None:
        """Where the item stands; another execution takes up again what an earlier one gave up."""
        found = self._store.read(self._key)
        self._state = State.of(found) if found else State([self._new(*lot) for lot in self._entry["lots"]])
        if self._state.attempt != attempt:
            self._state = replace(self._state, attempt=attempt, settling=None, problem="")
            for lot in self._state.lots:
                lot.problem, lot.tried, lot.locked = "", 0, 0

    def _new(self, table: int, first: int, after: int) -> Lot:
        comparison, baseline = self._table(table)
        return Lot(table, list(comparison.slices[first:after]), increment=baseline is not None)

    def _table(self, number: int) -> tuple[Comparison, Baseline | None]:
        if number not in self._tables:
            found = self._planned.read(number)
            if found is None:
                key = table_key(self._run_id, number)
                raise StoreError(f"{key} is gone: the run cannot go on without its plan", hint="start a new run")
            baseline = Baseline.of(found["baseline"]) if found.get("baseline") else None
            self._tables[number] = comparison_of(found["comparison"]), baseline
        return self._tables[number]

    def _save(self) -> bool:
        """Keep the state; where another call has kept one that is further, go on from that instead (False)."""
        kept = self._store.read(self._key)
        if kept is not None:
            other = State.of(kept)
            if other.attempt == self._state.attempt and other.rank > self._state.rank:
                self._state = other
                return False
        self._store.write(self._key, self._state.document())
        self._saved, self._unsaved = time.monotonic(), False
        return True

    def _scan(self, sides: Sides, lot: Lot, options: Options, _call: Call) -> None:
        comparison, baseline = self._table(lot.table)
        if lot.increment and baseline is not None:
            found, reason = patiently(sides, lambda: compare_increment(sides, comparison, baseline, options))
            lot.increment = False
            if reason:
                lot.progress.notes.append(f"compared in full: {reason}")
            else:
                lot.mode, lot.pending = "incremental", []
                lot.progress.add(found)
            return
        if lot.tried >= _DEATHS:
            self._cut(lot, "a call of the function was not long enough for it")
            return
        lot.tried += 1
        if not self._save():
            return
        part = lot.pending[0]
        found = patiently(sides, lambda: compare_slice(sides, comparison, part, options))
        lot.progress.add(found)
        lot.done.append(lot.pending.pop(0))
        lot.tried = 0

    def _settle(self, sides: Sides, lot: Lot, options: Options, call: Call) -> None:
        if self._state.settling is None:
            self._state.settling = call.now()
            if not self._save():
                return
        comparison, _ = self._table(lot.table)
        seconds = min(self._watch(options, call), max(call.seconds_left(), least_watch(options.patience)))
        patience = Patience(options.patience.lag_seconds, seconds)
        kept = progress_document(lot.progress)

        def settled() -> Progress:
            # Of a copy: what is cut short half way must not count.
            progress = progress_of(kept)
            settle_rest(sides, comparison, progress, replace(options, patience=patience))
            return progress

        lot.progress = patiently(sides, settled)

    def _watch(self, options: Options, call: Call) -> float:
        """Seconds for which rows are watched yet: until the deadline, but always long enough to prove something."""
        spent = 0.0 if self._state.settling is None else call.now() - self._state.settling
        return max(options.patience.deadline_seconds - spent, least_watch(options.patience))

    def _tried(self, sides: Sides, lot: Lot, work: Callable[[], None]) -> None:
        """One step and what becomes of it."""
        began = time.monotonic()
        try:
            work()
        except (ConnectError, ConnectionLostError):
            # The slice is not what ended the call.
            lot.tried = 0
            self._save()
            raise
        except QueryError as error:
            sides.close()
            self._refused(lot, error)
        except RedefinedError as error:
            lot.problem = str(error)
        lot.seconds += time.monotonic() - began
        self._unsaved = True
        if self._state.finished or lot.mode == "full" or time.monotonic() - self._saved >= _KEEP_SECONDS:
            self._save()

    def _refused(self, lot: Lot, error: QueryError) -> None:
        lot.tried = 0
        if error.sqlstate == _LOCKED and lot.locked < _MOST_LOCKED:
            lot.locked += 1
        elif error.sqlstate == _CANCELLED and lot.increment:
            lot.increment = False
            lot.progress.notes.append(f"compared in full: {error}")
        elif error.sqlstate == _CANCELLED and not lot.scanned:
            self._cut(lot, str(error))
        else:
            lot.problem = str(error)

    def _cut(self, lot: Lot, reason: str) -> None:
        """The next slice in two, for it took too long."""
        part = lot.pending[0]
        halves = part.halves()
        lot.tried = 0
        if halves is None or part.parts >= _MOST_PARTS or (part.inner is not None and part.rows <= _FEWEST_ROWS):
            lot.problem = f"{reason}, and there is nothing left to cut"
            return
        lot.pending[:1] = halves
