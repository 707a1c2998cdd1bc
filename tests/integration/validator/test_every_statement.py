"""What may happen right before any statement of a comparison: it is done again, or said; it never passes for less."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pg8000.native
import pytest

from tests.integration.validator.conftest import Pair, told, until
from validator import compare
from validator.comparison import Options
from validator.connection import Session
from validator.errors import ConnectError, QueryError
from validator.settle import Patience


@pytest.fixture
def parts(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """A table of two slices with defects in both, and another where nothing differs."""
    monkeypatch.setattr(Patience, "pause_seconds", 0.001)
    pair.on_both("""
        CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 30) n;
        CREATE TABLE same (id int PRIMARY KEY, v text); INSERT INTO same SELECT * FROM t;
        ANALYZE t; ANALYZE same
    """)
    pair.on_target("DELETE FROM t WHERE id = 5; UPDATE t SET v = 'w' WHERE id = 15; INSERT INTO t VALUES (31, 'x')")
    return pair


DEFECTS = ["changed 15: v", "extra 31", "missing 5"]
OPTIONS = {"at rest": Options(range_rows=15), "live": Options(range_rows=15, patience=Patience(0.001, 1.0))}


@contextmanager
def _before(side: str, statements: set[int], act: Callable[[Session], None]) -> Iterator[list[int]]:
    """`act` right before the numbered statements of a side; gives how many there were."""
    counted = [0]
    query = Session.query

    def acted(session: Session, sql: str, **values: Any) -> Any:
        if session.endpoint.side == side:
            counted[0] += 1
            if counted[0] in statements:
                act(session)
        return query(session, sql, **values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "query", acted)
        yield counted


def _statements(pair: Pair, side: str, name: str, options: Options) -> int:
    """How many statements a comparison on open connections takes on a side."""
    with pair.sides() as opened:
        opened.sessions()
        with _before(side, set(), lambda _: None) as counted:
            pair.compare_on(opened, name, options)
    return counted[0]


def _hang_up(write: Callable[[str], list[list[Any]]]) -> Callable[[Session], None]:
    def act(session: Session) -> None:
        backend = int.from_bytes(session._driver._backend_key_data[:4], "big")
        write(f"SELECT pg_terminate_backend({backend})")
        until(lambda: not write(f"SELECT FROM pg_stat_activity WHERE pid = {backend}"))

    return act


@pytest.mark.parametrize(("side", "mode"), [("source", "live"), ("target", "at rest")])
def test_a_connection_cut_at_any_statement_changes_nothing(parts: Pair, side: str, mode: str) -> None:
    write = parts.on_source if side == "source" else parts.on_target
    statements = _statements(parts, side, "t", OPTIONS[mode])
    assert statements > 20
    for statement in range(1, statements + 1):
        with parts.sides() as opened:
            opened.sessions()
            with _before(side, {statement}, _hang_up(write)):
                document = parts.compare_on(opened, "t", OPTIONS[mode])
        assert told(document) == DEFECTS, statement
        assert (document["verdict"], document["rows"]) == ("FAIL", {"source": 30, "target": 30}), statement


def test_a_connection_cut_again_and_again_is_inconclusive(parts: Pair) -> None:
    with parts.sides() as opened, _before("target", set(range(9, 10**6)), _hang_up(parts.on_target)):
        document = parts.compare_on(opened, "same", OPTIONS["at rest"])
    assert document["verdict"] == "INCONCLUSIVE"
    assert document["reason"].startswith("lost the connection to the target database")
    assert document["rows"] == {"source": None, "target": None}


def test_a_server_that_dies_and_comes_back(parts: Pair, cluster: Any) -> None:
    mortal = cluster("target")
    mortal.run(
        f"CREATE SCHEMA {parts.schema}; CREATE TABLE {parts.schema}.same AS SELECT n AS id, 'v' || n AS v FROM generate_series(1, 30) n"
    )
    pair = Pair(parts.source, mortal, parts.schema)

    def kill(_: Session) -> None:
        mortal.stop("immediate")

    def restart(session: Session) -> None:
        kill(session)
        mortal.start()

    with pair.sides() as opened:
        opened.sessions()
        with _before("target", {12}, restart):
            assert pair.compare_on(opened, "same")["verdict"] == "PASS"
        with _before("target", {12}, kill), pytest.raises(ConnectError, match="cannot reach the target database"):
            pair.compare_on(opened, "same")


MEDDLING = {
    "truncated": ("TRUNCATE {t}", "CREATE TABLE {t} (LIKE same INCLUDING ALL); INSERT INTO {t} SELECT * FROM same"),
    "retyped": ("ALTER TABLE {t} ALTER v TYPE varchar(9)", "CREATE TABLE {t} (LIKE same INCLUDING ALL); INSERT INTO {t} SELECT * FROM same"),
    "dropped": ("DROP TABLE {t}", "CREATE TABLE {t} (LIKE same INCLUDING ALL); INSERT INTO {t} SELECT * FROM same"),
    "a partition truncated": (
        "TRUNCATE {t}_0",
        "CREATE TABLE {t} (LIKE same INCLUDING ALL) PARTITION BY RANGE (id); "
        "CREATE TABLE {t}_0 PARTITION OF {t} FOR VALUES FROM (1) TO (25); CREATE TABLE {t}_1 PARTITION OF {t} DEFAULT; "
        "INSERT INTO {t} SELECT * FROM same",
    ),
}  # fmt: skip


def _altered(pair: Pair, sql: str) -> bool:
    """Whether the target's table could be altered: it cannot while it is read."""
    try:
        pair.on_target(f"SET lock_timeout TO '1ms'; {sql}")
    except pg8000.native.DatabaseError as error:
        if error.args[0]["C"] != "55P03":
            raise
        return False
    return True


@pytest.mark.parametrize("meddling", MEDDLING)
def test_a_table_altered_at_any_statement_never_passes_for_what_it_was(parts: Pair, meddling: str) -> None:
    sql, make = MEDDLING[meddling]
    options = OPTIONS["at rest"]
    statements = _statements(parts, "target", "same", options)
    names = [f"m{statement}" for statement in range(1, statements + 1)]
    parts.on_both("; ".join(f"{make.replace('{t}', name)}; ANALYZE {name}" for name in names))
    outcomes = []
    for statement, name in enumerate(names, start=1):
        done: list[bool] = []

        def meddle(_: Session, name: str = name, done: list[bool] = done) -> None:
            done.append(_altered(parts, sql.replace("{t}", name)))

        with parts.sides() as opened:
            opened.sessions()
            with _before("target", {statement}, meddle):
                document = parts.compare_on(opened, name, options)
        (altered,) = done
        outcomes.append((document["verdict"], altered))
        if not altered:
            assert (document["verdict"], document["reason"]) == ("PASS", "")
        elif document["verdict"] == "INCONCLUSIVE":
            assert "was redefined, rewritten or truncated during the comparison" in document["reason"] or (
                meddling == "dropped" and "does not exist" in document["reason"]
            )
        elif document["verdict"] == "PASS":
            # Altered before it was first looked at, without a loss.
            assert meddling == "retyped"
            assert document["notes"] == ["column v is text on the source, character varying(9) on the target"]
    assert {True, False} == {done for _, done in outcomes}
    assert "INCONCLUSIVE" in {verdict for verdict, _ in outcomes}


def test_rows_that_come_while_it_is_compared_are_no_defect(parts: Pair) -> None:
    options = OPTIONS["live"]
    statements = _statements(parts, "source", "same", options)
    for statement in range(1, statements + 1):

        def grow(_: Session, number: int = statement * 100) -> None:
            for side in (parts.on_source, parts.on_target):
                side(
                    f"INSERT INTO same VALUES ({number}, 'new'); UPDATE same SET v = v || '{number}' WHERE id = {number % 30 + 1}"
                )

        with parts.sides() as opened:
            opened.sessions()
            with _before("source", {statement}, grow):
                document = parts.compare_on(opened, "same", options)
        assert (document["verdict"], document["reason"]) == ("PASS", "")


def test_another_error_is_no_reason_to_halve(parts: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "_INDIVISIBLE", 0)

    def refuse(_: Session) -> None:
        raise QueryError("the source says: disk full", "53100")

    with parts.sides() as opened:
        opened.sessions()
        with _before("source", {10}, refuse) as counted:
            document = parts.compare_on(opened, "same")
    assert (document["verdict"], document["reason"]) == ("INCONCLUSIVE", "the source says: disk full")
    assert counted[0] <= 11
