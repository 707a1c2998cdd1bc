"""What goes wrong while a table is compared: it is said, it never passes, and nobody works on for nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pg8000.native
import pytest

from tests.integration.validator.conftest import until
from validator import connection, sides
from validator.catalog import Table
from validator.compare import compare_table
from validator.errors import ConnectError
from validator.sides import Sides

WAITING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'validator' AND wait_event_type = 'Lock'"
WORKING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'validator' AND state <> 'idle'"


@contextmanager
def _locked(server: Any, table: str) -> Iterator[pg8000.native.Connection]:
    with server.connect() as holder:
        holder.run(f"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield holder


@pytest.fixture
def table(pair: Any) -> Any:
    pair.on_both("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
    return pair


def test_a_lock_is_waited_for_a_while_only(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validator.connection._PINS", "SET lock_timeout TO '20ms'; SET search_path TO pg_catalog")
    with _locked(table.source, f"{table.schema}.t"):
        result = table.compare()
    assert result["verdict"] == "INCONCLUSIVE"
    assert result["reason"] == "the source says: canceling statement due to lock timeout (55P03)"


def test_a_statement_may_take_so_long_and_no_longer(table: Any) -> None:
    with (
        _locked(table.target, f"{table.schema}.t"),
        Sides(table.source.endpoint(), table.target.endpoint(), 1) as opened,
    ):
        result = compare_table(opened, Table(table.schema, "t"))
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
    with Sides(table.source.endpoint(user=reader, password="p"), table.target.endpoint()) as opened:
        with _locked(table.target, f"{table.schema}.t"):
            result = compare_table(opened, Table(table.schema, "t"))
            assert result.verdict == "INCONCLUSIVE"
            assert result.reason == "the source says: permission denied for table t (42501)"
            until(lambda: table.target.cancelled() == before + 1 and not table.target.run(WORKING))
        # The next table starts on new connections.
        table.source.run(f"GRANT SELECT ON {table.schema}.t TO {reader}")
        assert compare_table(opened, Table(table.schema, "t")).verdict == "PASS"
    table.source.run(f"DROP OWNED BY {reader}; DROP ROLE {reader}")


@pytest.mark.usefixtures("patient")
def test_an_interrupt_ends_the_work_on_both(table: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = sides.wait, []

    def interrupt(*given: Any, **named: Any) -> Any:
        asked.append(given)
        if len(asked) != 2:  # after the transactions have begun, and before they end
            return real(*given, **named)
        until(lambda: table.source.run(WAITING) and table.target.run(WAITING))
        raise KeyboardInterrupt

    monkeypatch.setattr(sides, "wait", interrupt)
    before = table.source.cancelled(), table.target.cancelled()
    with _locked(table.source, f"{table.schema}.t"), _locked(table.target, f"{table.schema}.t"):
        with pytest.raises(KeyboardInterrupt):
            table.compare()
        until(lambda: not table.source.run(WORKING) and not table.target.run(WORKING))
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


def test_the_second_database_that_cannot_be_reached_leaves_no_session_on_the_first(table: Any) -> None:
    opened = Sides(table.source.endpoint(), table.target.endpoint(database="nowhere"))
    with opened, pytest.raises(ConnectError, match="nowhere"):
        compare_table(opened, Table(table.schema, "t"))
    own = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'validator'"
    until(lambda: table.source.run(own) == [[0]])
