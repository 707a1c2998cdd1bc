"""One table, both sides: slices scanned on both at once, differing rows found, watched, described.

    comparison.prepare → slices → compare_slice each → settle_rest → conclude

Slices may be compared in any order, by any number of processes; what is found in each adds up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

from validator.catalog import Table, lock, read_fingerprint
from validator.comparison import Comparison, Options, Progress, prepare
from validator.connection import Session
from validator.details import Detailer
from validator.errors import ConnectionLostError, QueryError, RedefinedError
from validator.incremental import Baseline, compare_changes
from validator.model import REPORTED, Findings, Slice, TableResult, Verdict
from validator.rows import Ask, Candidate, candidates, differing_buckets, differing_rows, surplus, with_versions
from validator.scan import Reader
from validator.settle import settle
from validator.sides import Sides

R = TypeVar("R")
# The statement timeout's code; a slice of so few rows that takes too long waits for something else than its rows.
_CANCELLED = "57014"
_OUT_OF_RANGE = "22003"
_INDIVISIBLE = 1000


def compare_slice(sides: Sides, comparison: Comparison, part: Slice, options: Options) -> Progress:
    """Compare one slice in one snapshot of each side.

    Raises `RedefinedError` when a definition is no longer the one planned with, `QueryError`, `ConnectionLostError`:
    then nothing of it counts.
    """
    progress = Progress()
    with _opened(sides, comparison, by_index=comparison.strategy == "ranges") as (readers, ask):
        buckets = ask(lambda reader: reader.buckets(part))
        counts = [sum(rows for rows, _ in side.values()) for side in buckets]
        progress.findings.source_rows, progress.findings.target_rows = counts
        bad = differing_buckets(*buckets)
        for found in differing_rows(ask, part, readers[0], bad, max(counts)):
            _take(progress, found, ask, readers[0], comparison, options)
        _count(progress.findings, readers)
    _rest(readers[0].session, options.share)
    return progress


def compare_in_time(sides: Sides, comparison: Comparison, part: Slice, options: Options) -> Progress:
    """Compare one slice; what loses its connection is done again, what runs into the timeout in two halves."""
    try:
        return once_more(sides, lambda: compare_slice(sides, comparison, part, options))
    except QueryError as error:
        halves = part.halves() if error.sqlstate == _CANCELLED and part.rows >= _INDIVISIBLE else None
        if halves is None:
            raise
        # The other side was told to stop, and its session with it.
        sides.close()
    progress = compare_in_time(sides, comparison, halves[0], options)
    progress.add(compare_in_time(sides, comparison, halves[1], options))
    return progress


def compare_increment(
    sides: Sides, comparison: Comparison, baseline: Baseline, options: Options
) -> tuple[Progress, str]:
    """Compare what changed since the baseline; the second value says why that is not enough, "" when it is.

    Raises what `compare_slice` does.
    """
    try:
        return _compare_increment(sides, comparison, baseline, options)
    except QueryError as error:
        if error.sqlstate != _OUT_OF_RANGE or not comparison.matched.small_keys:
            raise
    # A key has outgrown 32 bits since the table was planned. The other side was told to stop, and its session with it.
    sides.close()
    larger = replace(comparison, matched=replace(comparison.matched, small_keys=False))
    return _compare_increment(sides, larger, baseline, options)


def _compare_increment(
    sides: Sides, comparison: Comparison, baseline: Baseline, options: Options
) -> tuple[Progress, str]:
    progress = Progress()
    with _opened(sides, comparison) as (readers, ask):
        increment = compare_changes(ask, baseline)
        progress.findings.source_rows, progress.findings.target_rows = increment.rows
        if not increment.full:
            _take(progress, list(increment.found), ask, readers[0], comparison, options)
        _count(progress.findings, readers)
    _rest(readers[0].session, options.share)
    return progress, increment.full


def settle_rest(sides: Sides, comparison: Comparison, progress: Progress, options: Options) -> None:
    """Watch the rows that differed until they are equal, proven or out of time, and count them as what they are."""
    if not progress.waiting:
        return

    def look_again(words: Sequence[str]) -> list[Candidate]:
        with _opened(sides, comparison) as (readers, ask):
            found = again(ask, readers[0], words)
            _count(progress.findings, readers)
        return found

    def confirm(confirmed: Sequence[Candidate], pending: Sequence[Candidate]) -> Findings:
        findings = Findings()
        with _opened(sides, comparison) as (readers, ask):
            detailer = _detailer(comparison, readers[0], options)
            _confirm(findings, confirmed, ask, detailer, later=True)
            _count(findings, readers)
        findings.counts["pending"] = len(pending)
        if detailer.rows.key:
            findings.keys["pending"] = [detailer.key_of(candidate.word) for candidate in islice(pending, REPORTED)]
        return findings

    result = settle(progress.waiting, lambda words: once_more(sides, lambda: look_again(words)), options.patience)
    found = once_more(sides, lambda: confirm(result.confirmed, result.pending))
    progress.waiting = []
    progress.findings.settled += result.equal
    progress.findings.add(found)


def conclude(comparison: Comparison, progress: Progress, problem: str = "", **about: Any) -> TableResult:
    """The verdict on a table whose slices all were compared; `problem` says why not all were."""
    matched, findings = comparison.matched, progress.findings
    faults = [*matched.faults, *_differences(findings)]
    doubts = [*matched.unjudged]
    if findings.counts["pending"]:
        doubts.append(f"{findings.counts['pending']} rows were still in flight at the deadline")
    if progress.unwatched:
        doubts.append(
            f"{progress.unwatched} more rows differ than can be watched: replication is far behind, or broken"
        )
    if problem:
        doubts.append(problem)
    notes = [*matched.notes, *progress.notes]
    if findings.settled:
        notes.append(f"{findings.settled} rows were in flight and arrived")
    verdict: Verdict = "FAIL" if faults else "INCONCLUSIVE" if doubts else "PASS"
    return TableResult(
        matched.table, verdict, findings, "; ".join([*faults, *doubts]), tuple(notes), {**comparison.about(), **about}
    )


def compare_table(
    sides: Sides, table: Table, options: Options | None = None, advance: Callable[[Findings], None] = lambda _: None
) -> TableResult:
    """Compare one table, slice after slice; a lost connection is opened anew once per slice.

    Raises `ConnectError`; everything else that goes wrong is an INCONCLUSIVE result.
    """
    options = options or Options()
    began = time.monotonic()
    try:
        comparison = once_more(sides, lambda: prepare(sides, table, options))
        if isinstance(comparison, TableResult):
            return comparison
        total = Progress()
        for part in comparison.slices:
            found = compare_in_time(sides, comparison, part, options)
            advance(found.findings)
            total.add(found)
        settle_rest(sides, comparison, total, options)
    except (ConnectionLostError, QueryError, RedefinedError) as error:
        sides.close()
        return TableResult(table, "INCONCLUSIVE", reason=str(error))
    return conclude(comparison, total, mode="full", seconds=round(time.monotonic() - began, 3))


def once_more(sides: Sides, work: Callable[[], R]) -> R:
    """`work`, and once again on new connections if one was lost: it counts as a whole or not at all."""
    try:
        return work()
    except ConnectionLostError:
        sides.close()
        return work()


def again(ask: Ask, reader: Reader, words: Sequence[str]) -> list[Candidate]:
    """Which of these keys still differ; `reader` is the source's."""
    lines = ask(lambda side: side.lines_of_keys(words))
    return surplus(*lines) if reader.strategy == "multiset" else with_versions(candidates(*lines), reader)


@contextmanager
def _opened(
    sides: Sides, comparison: Comparison, *, by_index: bool = False
) -> Iterator[tuple[tuple[Reader, Reader], Ask]]:
    """A snapshot of each side in which the table is as it was planned, and who reads it."""
    with sides.snapshots():
        sides.both(lambda session: lock(session, comparison.table))
        if sides.both(lambda session: read_fingerprint(session, comparison.table)) != comparison.fingerprints:
            raise RedefinedError(
                f"{comparison.table} was redefined, rewritten or truncated during the comparison",
                hint="compare it again when nobody alters it",
            )
        if by_index:
            # A range of a table without statistics looks as if it were half of it.
            sides.both(lambda session: session.query("SET LOCAL enable_seqscan TO off"))
        readers = comparison.matched.readers(sides.sessions(), comparison.strategy, comparison.seed)
        by_side = {reader.session.endpoint.side: reader for reader in readers}

        def ask(question: Callable[[Reader], R]) -> tuple[R, R]:
            return sides.both(lambda session: question(by_side[session.endpoint.side]))

        yield readers, ask


def _take(
    progress: Progress, found: list[Candidate], ask: Ask, source: Reader, comparison: Comparison, options: Options
) -> None:
    """Rows that differ now: to be watched where some may be in flight, else confirmed."""
    if options.patience.lag_seconds:
        progress.add(Progress(waiting=with_versions(found, source)))
    else:
        _confirm(progress.findings, found, ask, _detailer(comparison, source, options))


def _detailer(comparison: Comparison, reader: Reader, options: Options) -> Detailer:
    return Detailer(reader.rows, options.mask(comparison.table), options.details)


def _confirm(
    findings: Findings, found: Sequence[Candidate], ask: Ask, detailer: Detailer, *, later: bool = False
) -> None:
    """Count rows that differ, and describe the first of them; in a `later` snapshot, what became equal has settled."""
    room = max(detailer.most - len(findings.differences), 0)
    gone = set(detailer.describe(ask, found[:room], findings))
    for candidate in found:
        if later and candidate in gone:
            findings.settled += 1
            continue
        findings.counts += candidate.kinds
        keys = findings.keys[candidate.kind]
        if detailer.rows.key and len(keys) < REPORTED:
            keys.append(detailer.key_of(candidate.word))


def _count(findings: Findings, readers: Sequence[Reader]) -> None:
    for reader in readers:
        findings.received[reader.session.endpoint.side] += reader.session.take_received()


def _rest(source: Session, share: float) -> None:
    """Leave the source alone for its share of the time."""
    busy = source.take_busy()
    if share < 1:
        time.sleep(busy * (1 - share) / share)


def _differences(findings: Findings) -> list[str]:
    """What differs, in words."""
    counts = findings.counts
    words = {"missing": "missing on the target", "extra": "extra on the target", "changed": "changed"}
    return [
        f"{counts[kind]} {'row' if counts[kind] == 1 else 'rows'} {text}"
        for kind, text in words.items()
        if counts[kind]
    ]
