"""Whole runs: several tables over several connections, what a run leaves, what ends it early."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pg8000.native
import pytest

from validator import pool as pool_module
from validator import run as running
from validator.__main__ import main
from validator.comparison import Options
from validator.errors import ConnectionLostError, QueryError, ValidatorError
from validator.pool import Pool
from validator.run import Request, run
from validator.settle import Patience

ROOT = Path(__file__).parents[3]


class Quiet:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.planned: dict[str, int] = {}
        self.seen: dict[str, int] = {}
        self.finished: dict[str, str] = {}

    def plan(self, table: str, rows: int) -> None:
        self.planned[table] = rows

    def start(self, table: str) -> None: ...

    def advance(self, table: str, rows: int, differences: int) -> None:
        self.seen[table] = self.seen.get(table, 0) + rows

    def finish(self, table: str, verdict: str) -> None:
        self.finished[table] = verdict


@pytest.fixture
def tables(pair: Any) -> Any:
    pair.on_both("""
        CREATE TABLE payments (id int PRIMARY KEY, note text);
        CREATE TABLE accounts (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner text);
        CREATE TABLE empty (id int PRIMARY KEY);
        CREATE SEQUENCE numbers;
        INSERT INTO payments SELECT n, 'p' || n FROM generate_series(1, 3000) n;
        INSERT INTO accounts (owner) SELECT 'a' || n FROM generate_series(1, 10) n;
        ANALYZE
    """)
    return pair


def request(pair: Any, **changes: Any) -> Request:
    given = {"schemas": (pair.schema,), "jobs": 3, "options": Options(range_rows=100)}
    return Request(pair.source.endpoint(), pair.target.endpoint(), **{**given, **changes})


def test_slices_of_all_tables_add_up_over_several_connections(tables: Any) -> None:
    tables.on_target("DELETE FROM payments WHERE id IN (1, 1500, 3000); UPDATE accounts SET owner = 'x' WHERE id = 3")
    watcher = Quiet()
    report = run(request(tables), watcher)
    found = {table["table"]: table for table in report["tables"]}
    assert report["verdict"] == "FAIL"
    assert found["payments"]["slices"] == 30
    assert found["payments"]["rows"] == {"source": 3000, "target": 2997}
    assert sorted(key["id"] for key in found["payments"]["missing"]["keys"]) == ["1", "1500", "3000"]
    assert found["accounts"]["columns"] == {"owner": 1}
    assert watcher.seen[f"{tables.schema}.payments"] == 3000
    assert watcher.finished == {
        f"{tables.schema}.payments": "FAIL",
        f"{tables.schema}.accounts": "FAIL",
        f"{tables.schema}.empty": "PASS",
    }
    assert {report[side]["encoding"] for side in ("source", "target")} == {"UTF8"}


def test_sequences_count_when_asked_for(tables: Any) -> None:
    tables.on_source("SELECT nextval('numbers'), nextval('numbers')")
    assert run(request(tables), Quiet())["verdict"] == "PASS"
    report = run(request(tables, sequences=True), Quiet())
    states = {item["name"]: (item["source"], item["target"], item["verdict"]) for item in report["sequences"]}
    assert states == {"numbers": (2, None, "FAIL"), "accounts_id_seq": (10, 10, "PASS")}
    assert report["verdict"] == "FAIL"
    tables.on_target("SELECT setval('numbers', 2)")
    assert run(request(tables, sequences=True), Quiet())["verdict"] == "PASS"


def test_sequences_that_run_backwards_and_those_of_one_side(tables: Any) -> None:
    tables.on_both("CREATE SEQUENCE down INCREMENT -1")
    tables.on_source("CREATE SEQUENCE ours; SELECT nextval('down'), nextval('down'), nextval('ours')")
    tables.on_target("CREATE SEQUENCE theirs; SELECT nextval('down')")
    found = {item["name"]: item["verdict"] for item in run(request(tables, sequences=True), Quiet())["sequences"]}
    assert (found["down"], found["ours"], found["theirs"]) == ("FAIL", "FAIL", "PASS")
    tables.on_target("SELECT setval('down', -5)")
    found = {item["name"]: item["verdict"] for item in run(request(tables, sequences=True), Quiet())["sequences"]}
    assert found["down"] == "PASS"


def test_a_sequence_that_may_not_be_read_is_no_pass(tables: Any) -> None:
    tables.source.run("DROP ROLE IF EXISTS blind; CREATE ROLE blind LOGIN PASSWORD 'p'")
    tables.on_source(
        f"GRANT USAGE ON SCHEMA {tables.schema} TO blind; GRANT SELECT ON payments, accounts, empty TO blind"
    )
    report = run(
        Request(
            tables.source.endpoint(user="blind", password="p"),
            tables.target.endpoint(),
            schemas=(tables.schema,),
            sequences=True,
        ),
        Quiet(),
    )
    tables.on_source("DROP OWNED BY blind; DROP ROLE blind")
    assert report["verdict"] == "INCONCLUSIVE"
    assert "permission denied for sequence" in report["problems"][0]


def test_large_objects_are_no_pass_unless_left_out(tables: Any) -> None:
    [[number]] = tables.source.run("SELECT lo_from_bytea(0, 'x')")
    try:
        report = run(request(tables), Quiet())
        assert report["verdict"] == "INCONCLUSIVE"
        assert report["problems"] == ["large objects are not compared: there are 1 on the source"]
        assert run(request(tables, without_large_objects=True), Quiet())["verdict"] == "PASS"
    finally:
        tables.source.run(f"SELECT lo_unlink({number})")


def test_a_marker_is_waited_for(tables: Any) -> None:
    tables.on_both("CREATE TABLE marker (id uuid PRIMARY KEY, lsn pg_lsn, written_at timestamptz)")
    marker = "0d7a7a5e-0000-4000-8000-000000000001"
    row = f"INSERT INTO marker VALUES ('{marker}', '0/16B3748', '2026-01-01 00:00+00')"
    tables.on_source(row)
    arriving = threading.Timer(0.3, lambda: tables.on_target(row))
    arriving.start()
    arguments = ["--source", tables.source.dsn(), "--target", tables.target.dsn(), "--schema", tables.schema]
    marked = ["--marker", marker, "--marker-table", f"{tables.schema}.marker"]
    report_file = Path(tables.source.folder) / f"{tables.schema}.json"
    assert main([*arguments, *marked, "--json", str(report_file)]) == 0
    arriving.join()
    found = json.loads(report_file.read_text())["marker"]
    assert (found["id"], found["lsn"]) == (marker, "0/16B3748")
    assert found["waited_seconds"] > 0


@pytest.mark.parametrize("on_source", [True, False])
def test_a_marker_that_does_not_come_is_no_pass(
    tables: Any, capsys: pytest.CaptureFixture[str], on_source: bool
) -> None:
    tables.on_both("CREATE TABLE marker (id text PRIMARY KEY, lsn pg_lsn, written_at timestamptz)")
    if on_source:
        tables.on_source("INSERT INTO marker VALUES ('m', '0/1', '2026-01-01 00:00+00')")
    arguments = ["--source", tables.source.dsn(), "--target", tables.target.dsn(), "--schema", tables.schema]
    marked = ["--marker", "m", "--marker-table", f"{tables.schema}.marker", "--marker-timeout", "0"]
    assert main([*arguments, *marked]) == 4
    expected = "the target has not received marker m" if on_source else "the source has no marker m"
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--marker-table", "marker"], "--marker-table 'marker' is not schema.name"),
        (["--incremental"], "--incremental needs --state"),
    ],
)
def test_options_that_do_not_go_together(
    tables: Any, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--source", tables.source.dsn(), "--target", tables.target.dsn(), *arguments]
    assert main(given) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--jobs", "0"], ["--share", "1.5"], ["--share", "half"], ["--settle", "x"]])
def test_numbers_out_of_range(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--source", "dbname=x", "--target", "dbname=y", *arguments])
    assert "argument --" in capsys.readouterr().err


def test_numbers_in_range(tables: Any) -> None:
    dsns = ["--source", tables.source.dsn(), "--target", tables.target.dsn(), "--schema", tables.schema]
    assert main([*dsns, "--jobs", "2", "--share", "1", "--settle", "0"]) == 0


def _refuse(*_: Any, **__: Any) -> Any:
    raise QueryError("the source says: no (XX000)", "XX000")


@pytest.mark.parametrize("step", ["prepare", "compare_in_time", "settle_rest"])
def test_a_statement_that_is_refused_is_a_problem_of_its_table(
    tables: Any, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of its slices are not read any more, and the other tables pass."""
    asked: list[str] = []
    work = getattr(running, step)

    def refuse(sides: Any, of: Any, *more: Any) -> Any:
        table = getattr(of, "table", of)
        if table.name != "payments":
            return work(sides, of, *more)
        asked.append(table.name)
        return _refuse()

    monkeypatch.setattr(running, step, refuse)
    tables.on_target("UPDATE payments SET note = 'on its way' WHERE id = 5")
    options = Options(range_rows=100, patience=Patience(0.01, 0.01))
    report = run(request(tables, jobs=1, options=options), Quiet())
    told = {table["table"]: (table["verdict"], table["reason"]) for table in report["tables"]}
    assert told == {
        "payments": ("INCONCLUSIVE", "the source says: no (XX000)"),
        "accounts": ("PASS", ""),
        "empty": ("PASS", ""),
    }
    assert len(asked) == 1


class TestThreads:
    """What one thread meets ends what the others ask of the servers."""

    def _endless(self, pair: Any, begun: threading.Event, ended: list[BaseException]) -> Any:
        def ask(sides: Any) -> None:
            def sleep(session: Any) -> Any:
                begun.set()
                return session.query("SELECT pg_sleep(60)")

            try:
                sides.both(sleep)
            except ValidatorError as error:
                ended.append(error)
                raise

        return ask

    def test_an_error(self, tables: Any) -> None:
        begun, ended = threading.Event(), []
        endless = self._endless(tables, begun, ended)
        with Pool(2, request(tables).sides) as pool:

            def work(item: str) -> None:
                if item == "endless":
                    endless(pool.own())
                begun.wait(20)
                until_asleep(tables)
                pool.own().both(_refuse)

            with pytest.raises(QueryError, match="no"):
                pool.each(work, ["endless", "refused"])
            assert len(ended) == 1
            # Nor does any of them come back.
            with pytest.raises(ConnectionLostError, match="the run was ended"):
                pool._all[0].sessions()

    def test_an_interrupt(self, tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        begun, ended = threading.Event(), []
        endless = self._endless(tables, begun, ended)

        def interrupt(*_: Any, **__: Any) -> Any:
            begun.wait(20)
            until_asleep(tables)
            monkeypatch.undo()
            raise KeyboardInterrupt

        with Pool(1, request(tables).sides) as pool:
            monkeypatch.setattr(pool_module, "wait", interrupt)
            with pytest.raises(KeyboardInterrupt):
                pool.each(lambda _: endless(pool.own()), ["endless"])
            assert len(ended) == 1


def until_asleep(pair: Any) -> None:
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND application_name = 'validator'"
    deadline = time.monotonic() + 20
    while not (pair.source.run(asleep)[0][0] and pair.target.run(asleep)[0][0]):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_every_form_of_the_report(tables: Any, tmp_path: Path) -> None:
    tables.on_target("UPDATE payments SET note = 'changed' WHERE id = 7")
    arguments = ["--source", tables.source.dsn(), "--target", tables.target.dsn(), "--schema", tables.schema]
    files = {name: tmp_path / name for name in ("json", "markdown", "html", "repair")}
    assert main([*arguments, *(word for name, file in files.items() for word in (f"--{name}", str(file)))]) == 1
    assert json.loads(files["json"].read_text())["tables"][2]["changed"]["keys"] == [{"id": "7"}]
    assert files["markdown"].read_text().startswith("## ")
    assert files["html"].read_text().startswith("<!DOCTYPE html>")
    assert 'UPDATE ONLY "' in files["repair"].read_text()
    tables.on_target(
        f"SET search_path TO {tables.schema}; " + files["repair"].read_text().replace("ROLLBACK;", "COMMIT;")
    )
    assert main(arguments) == 0


def test_card_data_is_hidden_wherever_it_is(tables: Any, tmp_path: Path) -> None:
    number = "4111111111111111"
    tables.on_both("CREATE TABLE cards (id int PRIMARY KEY, pan text, memo text, secret text)")
    tables.on_source(f"INSERT INTO cards VALUES (1, '{number}', 'paid by {number}, thanks', 's3cret')")
    tables.on_target("INSERT INTO cards VALUES (1, '5555555555554444', 'paid by 4012 8888 8888 1881', 'other')")
    arguments = ["--source", tables.source.dsn(), "--target", tables.target.dsn(), "--schema", tables.schema]
    files = [tmp_path / name for name in ("json", "markdown", "html", "repair")]
    assert main([*arguments, "--card", "secret", *(w for f in files for w in (f"--{f.name}", str(f)))]) == 1
    [difference] = next(
        table["differences"] for table in json.loads(files[0].read_text())["tables"] if table["table"] == "cards"
    )
    assert difference["columns"] == {
        "pan": {"source": "411111••••••1111", "target": "555555••••••4444"},
        "memo": {"source": "paid by 411111••••••1111, thanks", "target": "paid by 4012 88•• •••• 1881"},
        "secret": {"source": "•••(6)", "target": "•••(5)"},
    }
    for file in files:
        text = file.read_text()
        assert not any(secret in text for secret in (number, "5555555555554444", "8888 8888", "s3cret"))


def test_one_share_of_the_time_takes_longer(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("validator.compare.time.sleep", slept.append)
    run(request(tables, options=Options(share=0.25, range_rows=1000)), Quiet())
    assert sum(slept) > 0
    slept.clear()
    run(request(tables), Quiet())
    assert slept == []


def test_a_server_that_dies_ends_the_run_without_a_verdict(tables: Any) -> None:
    class Killer(Quiet):
        def plan(self, table: str, rows: int) -> None:
            tables.source.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'validator'"
            )

    report = run(request(tables), Killer())
    assert report["verdict"] in ("PASS", "INCONCLUSIVE")  # a lost connection is opened anew, once per slice
    assert all(table["verdict"] != "FAIL" for table in report["tables"])


def test_rows_in_flight_arrive_while_the_run_waits(tables: Any) -> None:
    tables.on_source("UPDATE payments SET note = 'late' WHERE id = 5; INSERT INTO payments VALUES (9999, 'late too')")
    tables.on_target("UPDATE payments SET note = 'wrong' WHERE id = 77")

    def arrive() -> None:
        time.sleep(0.4)
        tables.on_target(
            "UPDATE payments SET note = 'late' WHERE id = 5; INSERT INTO payments VALUES (9999, 'late too')"
        )

    arriving = threading.Thread(target=arrive)
    arriving.start()
    report = run(request(tables, options=Options(patience=Patience(1.0, 5.0))), Quiet())
    arriving.join()
    payments = next(table for table in report["tables"] if table["table"] == "payments")
    assert (payments["verdict"], payments["settled"], payments["pending"]["count"]) == ("FAIL", 2, 0)
    assert payments["changed"]["keys"] == [{"id": "77"}]
    assert [payments[kind]["count"] for kind in ("missing", "extra")] == [0, 0]


def test_ctrl_c_ends_what_the_servers_do(tables: Any) -> None:
    tables.on_both("CREATE TABLE locked (id int PRIMARY KEY)")
    command = [sys.executable, "-m", "validator", "--source", tables.source.dsn(), "--target", tables.target.dsn()]
    with pg8000.native.Connection(
        "postgres", host="127.0.0.1", port=tables.source.port, database="postgres", ssl_context=False
    ) as holder:
        holder.run("BEGIN")
        holder.run(f"LOCK TABLE {tables.schema}.locked")
        with subprocess.Popen(
            [*command, "--schema", tables.schema], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as client:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            deadline = time.monotonic() + 20
            while not tables.source.run(waiting)[0][0] and time.monotonic() < deadline:
                time.sleep(0.02)
            os.kill(client.pid, signal.SIGINT)
            _, errors = client.communicate(timeout=20)
        holder.run("ROLLBACK")
    assert client.returncode == 130
    assert errors.rstrip().endswith("interrupted: nothing is proven")
    assert "Traceback" not in errors
