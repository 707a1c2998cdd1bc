"""One table, both sides: definitions matched, then count and checksum taken on both at once, then judged.

PASS says that both sides hold the same rows. FAIL says that they do not, and how that shows. INCONCLUSIVE says that it
could not be found out, and why; a gate must treat it as FAIL.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from validator.canonical import forms_of_pair
from validator.catalog import Definition, Listing, Table, list_schemas, list_tables, read_definition
from validator.connection import Session, connect
from validator.endpoint import Endpoint
from validator.errors import ConnectionLostError, QueryError, UsageError
from validator.expression import Term, checksum_query

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Checksum:
    """Count and order-free sums of the row hashes of one side, to be compared within one run only: they are salted."""

    rows: int
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.first}:{self.second}"


@dataclass(frozen=True, slots=True)
class TableResult:
    """What was found out about one table. `source`, `target`: None where a side was not read.

    `reason` is a sentence, "" for a plain PASS; `notes` are differences that do not decide.
    """

    table: Table
    verdict: Verdict
    source: Checksum | None = None
    target: Checksum | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The result as data. Holds names, counts and checksums, never values of rows."""
        return {
            "schema": self.table.schema,
            "table": self.table.name,
            "verdict": self.verdict,
            "rows": {
                "source": self.source.rows if self.source else None,
                "target": self.target.rows if self.target else None,
            },
            "checksum": {
                "source": str(self.source) if self.source else None,
                "target": str(self.target) if self.target else None,
            },
            "reason": self.reason,
            "notes": list(self.notes),
        }


class Sides:
    """The source's and the target's session, opened when first needed; `both` asks the two at the same time."""

    def __init__(self, source: Endpoint, target: Endpoint, timeout_seconds: int = 0) -> None:
        self._endpoints = (source, target)
        self._timeout_seconds = timeout_seconds
        self._sessions: tuple[Session, Session] | None = None
        self._workers = ThreadPoolExecutor(2)

    def sessions(self) -> tuple[Session, Session]:
        """Both sessions; raises `ConnectError`, the source's first."""
        if self._sessions is None:
            source = connect(self._endpoints[0], self._timeout_seconds)
            try:
                self._sessions = source, connect(self._endpoints[1], self._timeout_seconds)
            except BaseException:
                source.close()
                raise
        return self._sessions

    def both(self, ask: Callable[[Session], R]) -> tuple[R, R]:
        """`ask` of both sides at once. The first error ends the other side's work too, and is raised."""
        sessions = self.sessions()
        answers = [self._workers.submit(ask, session) for session in sessions]
        unfinished = set(answers)
        try:
            done, unfinished = wait(answers, return_when=FIRST_EXCEPTION)
        finally:
            # Also on the way out of an interrupt: a production server shall not work on for nobody.
            for answer, session in zip(answers, sessions, strict=True):
                if answer in unfinished:
                    session.abort()
        for answer in done:
            answer.result()
        return answers[0].result(), answers[1].result()

    def close(self) -> None:
        """Hang up on both sides; the next question opens new sessions."""
        for session in self._sessions or ():
            session.close()
        self._sessions = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._workers.shutdown()


def list_both(sides: Sides, schemas: Sequence[str] = ()) -> tuple[Listing, Listing]:
    """What each side's schemas hold; without `schemas`, of all that either side has.

    A schema that one side lacks has no tables there. Raises `UsageError` for one that neither has.
    """
    source, target = sides.both(list_schemas)
    present = {*source, *target}
    absent = [schema for schema in schemas if schema not in present]
    if absent:
        raise UsageError(
            f"neither database has a schema {', '.join(absent)}", hint="check the names and both databases"
        )
    wanted = list(schemas) or sorted(present)
    return sides.both(lambda session: list_tables(session, wanted))


def compare_table(sides: Sides, table: Table) -> TableResult:
    """Compare one table; a lost connection is opened anew once, and the table compared from its start.

    Raises `ConnectError`; everything else that goes wrong is an INCONCLUSIVE result.
    """
    try:
        try:
            return _compare(sides, table)
        except ConnectionLostError:
            sides.close()
            return _compare(sides, table)
    except (ConnectionLostError, QueryError) as error:
        sides.close()
        return TableResult(table, "INCONCLUSIVE", reason=str(error))


def _compare(sides: Sides, table: Table) -> TableResult:
    with ExitStack() as snapshots:
        for session in sides.sessions():
            snapshots.enter_context(session.snapshot())
        source, target = sides.both(lambda session: read_definition(session, table))
        if isinstance(source, str) or isinstance(target, str):
            found = {"source": source, "target": target}
            absences = [f"{is_what} on the {side}" for side, is_what in found.items() if isinstance(is_what, str)]
            return TableResult(table, "FAIL", reason=f"the table is {' and '.join(absences)}")
        match = _match(source, target)
        salt = secrets.token_hex(16)
        left, right = sides.both(lambda session: _checksum(session, table, match, salt))
    return _judge(table, match, left, right)


@dataclass(frozen=True, slots=True)
class _Match:
    """The columns of both sides, joined by name. Terms stand in the source's order, by side."""

    terms: dict[str, list[Term]]
    only: dict[str, bool]
    faults: list[str]
    unjudged: list[str]
    notes: list[str]


def _match(source: Definition, target: Definition) -> _Match:
    left = {column.name: column.type for column in source.columns}
    right = {column.name: column.type for column in target.columns}
    match = _Match(
        terms={"source": [], "target": []},
        only={"source": not source.partitioned, "target": not target.partitioned},
        faults=[f"column {name} is missing on the target" for name in left if name not in right]
        + [f"column {name} is missing on the source" for name in right if name not in left],
        unjudged=[],
        notes=[],
    )
    for name in (name for name in left if name in right):
        declared = left[name].declared, right[name].declared
        types = (
            declared[0] if declared[0] == declared[1] else f"{declared[0]} on the source, {declared[1]} on the target"
        )
        forms = forms_of_pair(left[name], right[name])
        if forms is None:
            match.unjudged.append(f"column {name} cannot be compared: {types}")
            continue
        if declared[0] != declared[1]:
            match.notes.append(f"column {name} is {types}")
        match.terms["source"].append(Term(name, forms[0]))
        match.terms["target"].append(Term(name, forms[1]))
    if source.key != target.key:
        keys = [f"({', '.join(key)})" if key else "missing" for key in (source.key, target.key)]
        match.notes.append(f"the primary key is {keys[0]} on the source, {keys[1]} on the target")
    return match


def _checksum(session: Session, table: Table, match: _Match, salt: str) -> Checksum:
    side = session.endpoint.side
    sql = checksum_query(table, match.terms[side], salt=salt, encoding=session.encoding, only=match.only[side])
    rows, first, second = session.query(sql)[0]
    return Checksum(rows, first, second)


def _judge(table: Table, match: _Match, source: Checksum, target: Checksum) -> TableResult:
    faults = list(match.faults)
    if source.rows != target.rows:
        faults.append(f"{source.rows} rows on the source, {target.rows} on the target")
    elif source != target:
        faults.append("the counts agree, the contents differ")
    verdict: Verdict = "FAIL" if faults else "INCONCLUSIVE" if match.unjudged else "PASS"
    return TableResult(table, verdict, source, target, "; ".join([*faults, *match.unjudged]), tuple(match.notes))
