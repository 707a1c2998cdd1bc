"""The plan of a distributed run: every table read once, cut into slices, and the slices dealt out into items of work.

The tables that are planned are kept every few seconds, the plan itself last: a call that ends early is followed by one
that goes on. A run of few tables is planned within that time, and keeps nothing but its plan.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from validator.catalog import Table
from validator.comparison import Options, prepare, prepare_again
from validator.errors import MarkerError, QueryError, UsageError
from validator.incremental import Baseline, Horizon, await_durable, obstacle, read_horizon
from validator.marker import await_marker
from validator.masking import Mask
from validator.model import TableResult
from validator.order import Order
from validator.places import items_key, listing_key, plan_key, table_key, work_prefix
from validator.run import baseline_key, chosen, facts_of, left_out
from validator.sequences import compare_sequences
from validator.sides import Sides, large_objects, list_both
from validator.storable import comparison_document, comparison_of
from validator.store import Store, read_all
from validator.work import patiently

# Opening a table, counted in rows: an item has some hundred small ones.
_ROWS_OF_A_TABLE = 20_000
# A call of Step Functions' Map answers with what all items answer, 256 KiB at most.
_MOST_ITEMS = 20_000
# For a table; more than the locks of both sides are waited for.
_TABLE_SECONDS = 30.0
# A call that dies loses no more planning than this.
_KEEP_SECONDS = 5.0
# Tables that are kept with the plan, which every item of work reads whole: as JSON.
_TOGETHER_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Scope:
    """What a deployment compares and how; `item_rows` is about how many rows an item of work has."""

    schemas: tuple[str, ...]
    options: Options
    cards: Mask
    item_rows: int


class Planner:
    """Plans one run in the store."""

    def __init__(self, sides: Sides, store: Store, run_id: str, order: Order, scope: Scope) -> None:
        self._sides = sides
        self._store = store
        self._run_id = run_id
        self._order = order
        self._scope = scope

    def plan(self, seconds_left: Callable[[], float]) -> dict[str, Any] | None:
        """The plan, None when time is short: call it again. What is kept already stays as it is.

        Raises `UsageError`, `ConnectError`, `ConnectionLostError`, `StoreError`.
        """
        run_id = self._run_id
        kept = set(self._store.keys(work_prefix(run_id)))
        if plan_key(run_id) in kept:
            return self._store.read(plan_key(run_id))
        listing = self._store.read(listing_key(run_id)) if listing_key(run_id) in kept else None
        keeper = _Keeper(self._store, listing or self._list(seconds_left()), is_kept=listing is not None)
        tables = [Table(name["schema"], name["table"]) for name in keeper.listing["tables"]]
        keys = [table_key(run_id, number) for number in range(len(tables))]
        ready = read_all(self._store, [key for key in keys if key in kept])
        baselines = self._baselines([table for key, table in zip(keys, tables, strict=True) if key not in kept])
        documents = []
        fresh = True
        for number, (key, table) in enumerate(zip(keys, tables, strict=True)):
            document, baseline = (next(ready), None) if key in kept else (None, next(baselines))
            if document is None:
                if not fresh and seconds_left() < _TABLE_SECONDS:
                    keeper.keep()
                    return None
                fresh = False
                document = self._table(table, baseline, keeper.listing)
                keeper.add(number, document)
            documents.append(document)
        self._check_cards(documents)
        items = list(deal(documents, self._scope.item_rows))
        self._store.write_text(items_key(run_id), json.dumps(items, separators=(",", ":")), "application/json")
        plan = {**keeper.listing, "items": items, "together": keeper.together(documents)}
        self._store.write(plan_key(run_id), plan)
        return plan

    def _baselines(self, tables: Sequence[Table]) -> Iterator[dict[str, Any] | None]:
        """What the last clean run of each table has left, where that is asked for."""
        return read_all(self._store, list(map(baseline_key, tables))) if self._order.incremental else repeat(None)

    def _list(self, most_seconds: float) -> dict[str, Any]:
        """What is to be compared, and at what point: read before any row is."""
        sides, order = self._sides, self._order
        about = sides.both(facts_of)
        listing: dict[str, Any] = {
            "run_id": self._run_id,
            "began": time.time(),
            "started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "order": order.document(),
            "source": about[0],
            "target": about[1],
            "marker": None,
            "horizons": [],
            "sequences": [],
            "skipped": [],
            "tables": [],
            "problem": "",
        }
        if order.marker:
            patience = min(order.deadline_seconds, most_seconds)
            try:
                listing["marker"] = await_marker(sides, order.marker, patience).document()
            except MarkerError as error:
                return {**listing, "problem": str(error)}
        began = time.monotonic()
        listing["horizons"] = [[horizon.xmin, horizon.server] for horizon in sides.both(read_horizon)]
        source, target = list_both(sides, self._scope.schemas)
        tables = chosen(sorted(source.tables | target.tables), order.tables)
        listing["skipped"] = left_out(source, target)
        if not order.without_large_objects:
            listing["problem"] = large_objects(source, target)
        listing["tables"] = [{"schema": table.schema, "table": table.name} for table in tables]
        if order.sequences:
            listing["sequences"] = compare_sequences(sides, self._scope.schemas)
        if order.baseline:
            sides.both(lambda session: await_durable(session, began))
        return listing

    def _table(self, table: Table, kept: dict[str, Any] | None, listing: dict[str, Any]) -> dict[str, Any]:
        """One table as it is kept: a result where it has one already, else how to compare it."""
        name = {"schema": table.schema, "table": table.name}
        try:
            ready = prepare if kept is None else prepare_again
            prepared = patiently(self._sides, lambda: ready(self._sides, table, self._scope.options))
        except QueryError as error:
            self._sides.close()
            prepared = TableResult(table, "INCONCLUSIVE", reason=str(error))
        if isinstance(prepared, TableResult):
            return {**name, "result": prepared.document()}
        document = {**name, "comparison": comparison_document(prepared), "baseline": None, "full": ""}
        if self._order.incremental:
            baseline = None if kept is None else Baseline.of(kept)
            now = [Horizon(xmin, server) for xmin, server in listing["horizons"]]
            document["full"] = obstacle(baseline, prepared.matched, prepared.fingerprints, now)
            document["baseline"] = baseline.document() if baseline and not document["full"] else None
        return document

    def _check_cards(self, documents: Sequence[dict[str, Any]]) -> None:
        """A misspelt card column would leave card data open; of a part of the tables, it may be another's."""
        comparisons = [comparison_of(document["comparison"]) for document in documents if "comparison" in document]
        columns = [
            (comparison.table.schema, comparison.table.name, column.name)
            for comparison in comparisons
            for column in (*comparison.matched.source.columns, *comparison.matched.target.columns)
        ]
        unknown = self._scope.cards.unmatched(columns)
        if unknown and columns and not self._order.tables:
            raise UsageError(
                f"no table has the card column {', '.join(unknown)}",
                hint="write column or schema.table.column in validation.card_columns",
            )


class _Keeper:
    """Keeps a plan on its way: what is to be compared first, then the tables that are ready for it."""

    def __init__(self, store: Store, listing: dict[str, Any], *, is_kept: bool) -> None:
        self.listing = listing
        self._store = store
        self._is_kept = is_kept
        self._waiting: dict[int, dict[str, Any]] = {}
        self._since = time.monotonic()

    def add(self, number: int, document: dict[str, Any]) -> None:
        """Take a table; all that wait are kept now if the first one has waited for long."""
        self._waiting[number] = document
        if time.monotonic() - self._since >= _KEEP_SECONDS:
            self.keep()

    def keep(self) -> None:
        """Keep all that wait."""
        if not self._is_kept:
            self._store.write(listing_key(self.listing["run_id"]), self.listing)
            self._is_kept = True
        for number, document in self._waiting.items():
            self._store.write(table_key(self.listing["run_id"], number), document)
        self._waiting = {}
        self._since = time.monotonic()

    def together(self, documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]] | None:
        """What the plan holds of the tables: all where these are few, else None, and each is kept by itself."""
        if not self._is_kept and len(json.dumps(documents)) <= _TOGETHER_BYTES:
            return list(documents)
        self.keep()
        return None


def deal(documents: Sequence[dict[str, Any]], item_rows: int) -> Iterator[dict[str, Any]]:
    """Items of about `item_rows` rows, the largest first: runs of slices as [table, first, after last].

    A table that is compared by its changes stays in one piece.
    """
    pieces = [piece for number, document in enumerate(documents) for piece in _pieces(number, document)]
    most = max(item_rows, sum(rows for _, rows in pieces) // _MOST_ITEMS)
    items: list[tuple[int, list[list[int]]]] = []
    for (number, first, after), rows in pieces:
        if not items or items[-1][0] + rows > most:
            items.append((0, []))
        weight, lots = items.pop()
        if lots and lots[-1][0] == number and lots[-1][2] == first:
            lots[-1][2] = after
        else:
            lots.append([number, first, after])
        items.append((weight + rows, lots))
    items.sort(key=lambda item: -item[0])
    for place, (_, lots) in enumerate(items):
        yield {"item": place, "lots": lots}


def _pieces(number: int, document: dict[str, Any]) -> Iterator[tuple[tuple[int, int, int], int]]:
    if "comparison" not in document:
        return
    rows = [part.rows for part in comparison_of(document["comparison"]).slices]
    if document["baseline"] is not None:
        yield (number, 0, len(rows)), max(sum(rows), _ROWS_OF_A_TABLE)
        return
    for place, count in enumerate(rows):
        yield (number, place, place + 1), max(count, _ROWS_OF_A_TABLE if place == 0 else 0)
