"""What goes wrong while a table is compared: it is said, it never passes, and nobody works on for nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pg8000.native
import pytest

from validator import compare, connection
from validator.catalog import Table
from validator.compare import Sides, compare_table
from validator.errors import ConnectError

WAITING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'validator' AND wait_event_type = 'Lock'"
WORKING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'validator' AND state <> 'idle'"


def _until(question: Callable[[], Any]) -> Any:
    """Ask until the answer is truthy: each question is a round trip, so this is bounded in time as well."""
    for _ in range(20000):
        if answer := question():
            return answer
    raise AssertionError("it never happened")


@contextmanager
def _locked(server: Any, table: str) -> Iterator[pg8000.native.Connection]:
    with pg8000.native.Connection(
        "postgres", host="127.0.0.1", port=server.port, database="postgres", ssl_context=False
    ) as holder:
        holder.run(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield holder


@pytest.fixture
def table(pair: Any) -> Any:
    pair.on_both("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    return pair


def test_a_lost_connection_is_opened_anew_once(table: Any) -> None:
    with ThreadPoolExecutor(1) as worker, _locked(table.target, f"{table.schema}.t") as holder:
        running = worker.submit(table.compare)
        [[backend]] = _until(lambda: table.target.run(WAITING))
        table.target.run(f"SELECT pg_terminate_backend({backend})")
        _until(lambda: table.target.run(WAITING) not in ([], [[backend]]))
        holder.run("ROLLBACK")
        assert running.result()["verdict"] == "PASS"


def test_a_connection_lost_twice_is_inconclusive(table: Any) -> None:
    with ThreadPoolExecutor(1) as worker, _locked(table.target, f"{table.schema}.t"):
        running = worker.submit(table.compare)
        [[first]] = _until(lambda: table.target.run(WAITING))
        table.target.run(f"SELECT pg_terminate_backend({first})")
        [[second]] = _until(lambda: [row for row in table.target.run(WAITING) if row != [first]])
        table.target.run(f"SELECT pg_terminate_backend({second})")
        result = running.result()
    assert result["verdict"] == "INCONCLUSIVE"
    assert result["reason"].startswith("lost the connection to the target database")


def test_a_lock_is_waited_for_a_while_only(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validator.connection._PINS", "SET lock_timeout TO '20ms'; SET search_path TO pg_catalog")
    with _locked(table.source, f"{table.schema}.t"):
        result = table.compare()
    assert result["verdict"] == "INCONCLUSIVE"
    assert result["reason"] == "the source says: canceling statement due to lock timeout (55P03)"


def test_a_statement_may_take_so_long_and_no_longer(table: Any) -> None:
    sides = Sides(table.source.endpoint(), table.target.endpoint(), timeout_seconds=1)
    with _locked(table.target, f"{table.schema}.t"), sides:
        result = compare_table(sides, Table(table.schema, "t"))
    assert result.verdict == "INCONCLUSIVE"
    assert result.reason == "the target says: canceling statement due to statement timeout (57014)"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks are waited for longer than any test takes: what ends earlier was ended."""
    monkeypatch.setattr(connection, "_PINS", connection._PINS.replace("'5s'", "'60s'"))


@pytest.mark.usefixtures("patient")
def test_an_error_on_one_side_ends_the_work_on_the_other(table: Any) -> None:
    reader = table.schema
    table.source.run(f"CREATE ROLE {reader} LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA {reader} TO {reader}")
    before = table.target.cancelled()
    with Sides(table.source.endpoint(user=reader, password="p"), table.target.endpoint()) as sides:
        with _locked(table.target, f"{table.schema}.t"):
            result = compare_table(sides, Table(table.schema, "t"))
            assert result.verdict == "INCONCLUSIVE"
            assert result.reason == "the source says: permission denied for table t (42501)"
            _until(lambda: table.target.cancelled() == before + 1 and not table.target.run(WORKING))
        # The next table starts on new connections.
        table.source.run(f"GRANT SELECT ON {table.schema}.t TO {reader}")
        assert compare_table(sides, Table(table.schema, "t")).verdict == "PASS"
    table.source.run(f"DROP OWNED BY {reader}; DROP ROLE {reader}")


@pytest.mark.usefixtures("patient")
def test_an_interrupt_ends_the_work_on_both(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        _until(lambda: table.source.run(WAITING) and table.target.run(WAITING))
        raise KeyboardInterrupt

    monkeypatch.setattr(compare, "wait", interrupt)
    before = table.source.cancelled(), table.target.cancelled()
    with _locked(table.source, f"{table.schema}.t"), _locked(table.target, f"{table.schema}.t"):
        with pytest.raises(KeyboardInterrupt):
            table.compare()
        _until(lambda: not table.source.run(WORKING) and not table.target.run(WORKING))
        assert (table.source.cancelled(), table.target.cancelled()) == (before[0] + 1, before[1] + 1)


def test_rows_hidden_by_row_security_do_not_pass(table: Any) -> None:
    for server in (table.source, table.target):
        server.run(f"""
            CREATE ROLE {table.schema} LOGIN PASSWORD 'p';
            GRANT USAGE ON SCHEMA {table.schema} TO {table.schema};
            GRANT SELECT ON {table.schema}.t TO {table.schema}
        """)
    assert table.compare(user=table.schema, password="p")["verdict"] == "PASS"
    table.on_source("ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY none ON t USING (false)")
    result = table.compare(user=table.schema, password="p")
    assert result["verdict"] == "INCONCLUSIVE"
    assert "row-level security" in result["reason"]
    for server in (table.source, table.target):
        server.run(f"DROP OWNED BY {table.schema}; DROP ROLE {table.schema}")


def test_a_value_that_cannot_be_read_is_inconclusive_and_not_shown(pair: Any) -> None:
    pair.on_both("CREATE TABLE t (a int, b int GENERATED ALWAYS AS (10 / a) VIRTUAL); INSERT INTO t (a) VALUES (0)")
    result = pair.compare()
    assert result["verdict"] == "INCONCLUSIVE"
    assert result["reason"].endswith("error 22012, its text withheld: it may hold row values")


def test_a_table_cannot_be_altered_between_its_definition_and_its_rows(
    table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = []
    checksum = compare._checksum

    def altered_first(session: Any, *rest: Any) -> Any:
        try:
            server = table.source if session.endpoint.side == "source" else table.target
            server.run(f"SET lock_timeout TO '10ms'; ALTER TABLE {table.schema}.t ALTER id TYPE text")
        except pg8000.native.DatabaseError as error:
            refusals.append(error.args[0]["C"])
        return checksum(session, *rest)

    monkeypatch.setattr(compare, "_checksum", altered_first)
    assert table.compare()["verdict"] == "PASS"
    assert refusals == ["55P03", "55P03"]


def test_the_second_database_that_cannot_be_reached_leaves_no_session_on_the_first(table: Any) -> None:
    sides = Sides(table.source.endpoint(), table.target.endpoint(database="nowhere"))
    with sides, pytest.raises(ConnectError, match="nowhere"):
        compare_table(sides, Table(table.schema, "t"))
    own = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'validator'"
    _until(lambda: table.source.run(own) == [[0]])
