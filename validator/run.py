"""A whole run on one machine: every table's slices over several pairs of connections, the largest first."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from validator.catalog import Table
from validator.compare import compare_in_time, compare_increment, conclude, once_more, settle_rest
from validator.comparison import Comparison, Options, Progress, prepare
from validator.connection import Session
from validator.endpoint import Endpoint
from validator.errors import ConnectionLostError, QueryError, RedefinedError, UsageError, ValidatorError
from validator.incremental import Baseline, Horizon, await_durable, form_of, obstacle, read_horizon
from validator.listing import Listing
from validator.marker import MARKER_TABLE, await_marker
from validator.model import REPORTED, TableResult
from validator.pool import Pool
from validator.report import summarise
from validator.sequences import compare_sequences
from validator.sides import Sides, large_objects, list_both

R = TypeVar("R")


class Watcher(Protocol):
    """Is told how a run goes on, from several threads."""

    def plan(self, table: str, rows: int) -> None: ...
    def start(self, table: str) -> None: ...
    def advance(self, table: str, rows: int, differences: int) -> None: ...
    def finish(self, table: str, verdict: str) -> None: ...


class Baselines(Protocol):
    """Keeps what clean runs leave, by table."""

    def read(self, key: str) -> dict[str, Any] | None: ...
    def write(self, key: str, document: dict[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """What to compare and how. `statement_seconds` ends a statement that runs longer (0: never).

    With `baselines`, tables are compared by what changed since their last clean run where that proves as much, if
    `incremental`; and a clean run leaves its mark there. `sequences` counts them into the verdict;
    `without_large_objects` leaves those knowingly out.
    """

    source: Endpoint
    target: Endpoint
    schemas: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    jobs: int = 1
    options: Options = field(default_factory=Options)
    statement_seconds: int = 0
    baselines: Baselines | None = None
    incremental: bool = False
    marker: str | None = None
    marker_table: Table = MARKER_TABLE
    marker_seconds: float = 60.0
    sequences: bool = False
    without_large_objects: bool = False

    def sides(self) -> Sides:
        """Both databases, not connected to yet."""
        return Sides(self.source, self.target, self.statement_seconds)


@dataclass(slots=True)
class _Work:
    """One table on its way."""

    comparison: Comparison
    began: float
    progress: Progress = field(default_factory=Progress)
    problem: str = ""
    mode: str = "full"
    open: int = 0


def run_id_of(now: float) -> str:
    """A run's name: its start in UTC, and what tells two of the same second apart."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(now))}-{uuid.uuid4().hex[:8]}"


def run(request: Request, watcher: Watcher) -> dict[str, Any]:
    """Compare, and return the report's document. What ends the run early is a problem in it; `UsageError` is raised."""
    began, started = time.monotonic(), time.time()
    run_id = run_id_of(started)
    report: dict[str, Any] = {"mode": "incremental" if request.incremental else "full"}
    results: list[dict[str, Any]] = []
    problem = ""
    with Pool(request.jobs, request.sides) as pool:
        try:
            sides = pool.own()
            report["source"], report["target"] = sides.both(facts_of)
            if request.marker:
                marker = await_marker(sides, request.marker, request.marker_seconds, request.marker_table)
                report["marker"] = marker.document()
            source, target = list_both(sides, request.schemas)
            problem = "" if request.without_large_objects else large_objects(source, target)
            report["skipped"] = left_out(source, target)
            tables = chosen(sorted(source.tables | target.tables), request.tables)
            report["planned"] = [{"schema": table.schema, "table": table.name} for table in tables]
            results += [result.document() for result in _Run(request, pool, watcher, run_id).compare(tables)]
            if request.sequences:
                schemas = request.schemas or sorted({table.schema for table in tables})
                report["sequences"] = compare_sequences(sides, schemas)
        except UsageError:
            raise
        except ValidatorError as error:
            problem = str(error)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started))
    seconds = round(time.monotonic() - began, 3)
    return summarise(run_id, results, problem=problem, started_at=stamp, seconds=seconds, **report)


class _Run:
    """The tables of one run."""

    def __init__(self, request: Request, pool: Pool, watcher: Watcher, run_id: str) -> None:
        self._request = request
        self._pool = pool
        self._watcher = watcher
        self._run_id = run_id
        self._guard = threading.Lock()
        self._works: list[_Work] = []
        self._results: list[TableResult] = []
        self._horizons: tuple[Horizon, Horizon] | None = None
        self._began = 0.0
        self._baselines: dict[Table, Baseline] = {}

    def compare(self, tables: Sequence[Table]) -> list[TableResult]:
        if self._request.baselines is not None:
            self._began = time.monotonic()
            self._horizons = self._pool.own().both(read_horizon)
        self._pool.each(self._plan, tables)
        parts = [(work, part) for work in self._works for part in work.comparison.slices if work.mode == "full"]
        parts.sort(key=lambda item: -item[1].rows)
        for work, _ in parts:
            work.open += 1
        self._pool.each(self._slice, parts)
        # At the end, so that rows in flight of all tables are waited for at once.
        self._pool.each(self._finish, [work for work in self._works if work.progress.waiting])
        self._leave_baselines()
        return sorted(self._results, key=lambda result: result.table)

    def _leave_baselines(self) -> None:
        """What the next incremental run goes by; a run that cannot leave it is as good a proof."""
        if not self._baselines or self._request.baselines is None:
            return
        try:
            self._pool.own().both(lambda session: await_durable(session, self._began))
        except ConnectionLostError:
            return
        for table, baseline in sorted(self._baselines.items()):
            self._request.baselines.write(baseline_key(table), baseline.document())

    def _plan(self, table: Table) -> None:
        began = time.monotonic()
        sides = self._pool.own()
        prepared = self._tried(table, lambda: once_more(sides, lambda: prepare(sides, table, self._request.options)))
        if isinstance(prepared, TableResult):
            self._done(prepared)
            return
        self._watcher.plan(str(table), sum(part.rows for part in prepared.slices))
        work = _Work(prepared, began)
        if self._request.incremental:
            self._increment(work)
            if work.mode == "incremental" and not work.progress.waiting:
                self._conclude(work)
                return
        with self._guard:
            self._works.append(work)

    def _increment(self, work: _Work) -> None:
        """Compare what changed, where that is enough; else the work stays one for a full comparison."""
        comparison, sides = work.comparison, self._pool.own()
        baseline = self._baseline(comparison.table)
        assert self._horizons is not None
        reason = obstacle(baseline, comparison.matched, comparison.fingerprints, self._horizons)
        if not reason and baseline is not None:
            try:
                progress, reason = once_more(
                    sides, lambda: compare_increment(sides, comparison, baseline, self._request.options)
                )
            except (ConnectionLostError, QueryError, RedefinedError) as error:
                sides.close()
                reason = str(error)
        if reason:
            work.progress.notes.append(f"compared in full: {reason}")
            return
        work.mode, work.progress = "incremental", progress
        self._watcher.advance(str(comparison.table), progress.findings.source_rows, progress.findings.differing)

    def _slice(self, item: tuple[_Work, Any]) -> None:
        work, part = item
        sides = self._pool.own()
        table = work.comparison.table
        found: Progress | None = None
        self._watcher.start(str(table))
        if not work.problem:
            try:
                room = REPORTED - len(work.progress.findings.differences)
                options = replace(self._request.options, details=max(room, 0))
                found = compare_in_time(sides, work.comparison, part, options)
            except (ConnectionLostError, QueryError, RedefinedError) as error:
                sides.close()
                work.problem = str(error)
        with self._guard:
            if found is not None:
                work.progress.add(found)
            work.open -= 1
            last = work.open == 0
        if found is not None:
            findings = found.findings
            self._watcher.advance(str(table), max(findings.source_rows, findings.target_rows), findings.differing)
        if last and not work.progress.waiting:
            self._conclude(work)

    def _finish(self, work: _Work) -> None:
        sides = self._pool.own()
        try:
            settle_rest(sides, work.comparison, work.progress, self._request.options)
        except (ConnectionLostError, QueryError, RedefinedError) as error:
            sides.close()
            work.problem = str(error)
        self._conclude(work)

    def _conclude(self, work: _Work) -> None:
        seconds = round(time.monotonic() - work.began, 3)
        result = conclude(work.comparison, work.progress, work.problem, mode=work.mode, seconds=seconds)
        if result.verdict == "PASS" and self._horizons is not None:
            form = form_of(work.comparison.matched)
            self._baselines[result.table] = Baseline(self._horizons, work.comparison.fingerprints, form, self._run_id)
        self._done(result)

    def _done(self, result: TableResult) -> None:
        with self._guard:
            self._results.append(result)
        self._watcher.finish(str(result.table), result.verdict)

    def _baseline(self, table: Table) -> Baseline | None:
        document = self._request.baselines.read(baseline_key(table)) if self._request.baselines is not None else None
        return None if document is None else Baseline.of(document)

    def _tried(self, table: Table, work: Callable[[], Comparison | TableResult]) -> Comparison | TableResult:
        try:
            return work()
        except (ConnectionLostError, QueryError) as error:
            self._pool.own().close()
            return TableResult(table, "INCONCLUSIVE", reason=str(error))


def baseline_key(table: Table) -> str:
    """Where the baseline of a table is kept."""
    return f"baselines/{table.schema.encode().hex()}.{table.name.encode().hex()}.json"


def left_out(source: Listing, target: Listing) -> list[dict[str, Any]]:
    """What is knowingly not compared."""
    return [
        {"schema": item.schema, "name": item.name, "kind": item.kind}
        for item in sorted(source.skipped | target.skipped)
    ]


def chosen(tables: list[Table], names: Sequence[str]) -> list[Table]:
    """The tables that the names mean, all when there are none. Raises `UsageError` for a name of none."""
    found = [table for table in tables if not names or table.name in names or str(table) in names]
    known = {name for table in found for name in (table.name, str(table))}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"neither database has a table {', '.join(unknown)}", hint="write name or schema.name")
    return found


def facts_of(session: Session) -> dict[str, Any]:
    """What a report says of a server."""
    return {
        "version": session.lasting("SELECT current_setting('server_version')")[0][0],
        "encoding": session.encoding,
        "database": session.endpoint.database,
    }
