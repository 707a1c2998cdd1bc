"""Incremental runs: only what changed is hashed, and nothing that a full run would find is missed."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pg8000.native
import pytest

from validator import compare, incremental
from validator.comparison import Options
from validator.errors import QueryError
from validator.incremental import Baseline, Horizon, obstacle
from validator.run import Request, run
from validator.settle import Patience
from validator.store import Folder


class Quiet:
    def plan(self, table: str, rows: int) -> None: ...
    def start(self, table: str) -> None: ...
    def advance(self, table: str, rows: int, differences: int) -> None: ...
    def finish(self, table: str, verdict: str) -> None: ...


class Rig:
    """A pair of schemas, and the folder in which clean runs leave their mark."""

    def __init__(self, pair: Any, folder: Path, hashed: str) -> None:
        self.pair = pair
        self.folder = Folder(folder)
        self.hashed: Any = hashed

    def compare(self, *, full: bool = False, **options: Any) -> dict[str, Any]:
        """The document of table t; an incremental run unless `full`."""
        request = Request(
            self.pair.source.endpoint(),
            self.pair.target.endpoint(),
            schemas=(self.pair.schema,),
            options=Options(hash=self.hashed, range_rows=500, **options),
            baselines=self.folder,
            incremental=not full,
        )
        report = run(request, Quiet())
        assert not report["problems"]
        [table] = report["tables"]
        return table

    def clean(self) -> None:
        assert self.compare(full=True)["verdict"] == "PASS"


def found(table: dict[str, Any]) -> tuple[Any, ...]:
    return (table["mode"], table["verdict"], *(table[kind]["count"] for kind in ("missing", "extra", "changed")))


@pytest.fixture(params=["fast", "md5"])
def rig(request: pytest.FixtureRequest, pair: Any, tmp_path: Path) -> Rig:
    pair.on_both("""
        CREATE TABLE t (id bigint PRIMARY KEY, amount numeric(12,2), note text);
        INSERT INTO t SELECT n, n / 100.0, 'n' || n FROM generate_series(1, 2000) n;
        ANALYZE t
    """)
    made = Rig(pair, tmp_path, request.param)
    made.clean()
    return made


def test_nothing_changed(rig: Rig) -> None:
    assert found(rig.compare()) == ("incremental", "PASS", 0, 0, 0)


def test_the_same_changes_on_both_sides(rig: Rig) -> None:
    rig.pair.on_both("""
        UPDATE t SET amount = amount + 1 WHERE id % 100 = 3;
        INSERT INTO t VALUES (-5, 1, 'new'), (5000, 2, NULL);
        DELETE FROM t WHERE id IN (10, 20)
    """)
    assert found(rig.compare()) == ("incremental", "PASS", 0, 0, 0)
    rig.pair.on_both("UPDATE t SET note = 'again' WHERE id = 3")
    assert found(rig.compare()) == ("incremental", "PASS", 0, 0, 0)


@pytest.mark.parametrize(
    ("on_source", "on_target", "expected"),
    [
        ("UPDATE t SET amount = 0 WHERE id = 7", "", ("incremental", "FAIL", 0, 0, 1)),
        ("", "UPDATE t SET amount = 0 WHERE id = 7", ("incremental", "FAIL", 0, 0, 1)),
        (
            "UPDATE t SET amount = 0 WHERE id = 7",
            "UPDATE t SET amount = 1 WHERE id = 7",
            ("incremental", "FAIL", 0, 0, 1),
        ),
        ("INSERT INTO t VALUES (9000, 1, '')", "", ("incremental", "FAIL", 1, 0, 0)),
        ("", "INSERT INTO t VALUES (9000, 1, '')", ("incremental", "FAIL", 0, 1, 0)),
        (
            "INSERT INTO t VALUES (9000, 1, '')",
            "INSERT INTO t VALUES (9000, 1, NULL)",
            ("incremental", "FAIL", 0, 0, 1),
        ),
        # What a changed row on both sides must not hide.
        ("DELETE FROM t WHERE id = 7", "", ("full", "FAIL", 0, 1, 0)),
        ("", "DELETE FROM t WHERE id = 7", ("full", "FAIL", 1, 0, 0)),
        ("DELETE FROM t WHERE id = 7", "DELETE FROM t WHERE id = 8", ("full", "FAIL", 1, 1, 0)),
        ("DELETE FROM t WHERE id IN (1, 4)", "DELETE FROM t WHERE id IN (2, 3)", ("full", "FAIL", 2, 2, 0)),
        ("UPDATE t SET id = -7 WHERE id = 7", "", ("full", "FAIL", 1, 1, 0)),
        # A row written anew with the values it had.
        ("UPDATE t SET note = note WHERE id = 7", "", ("incremental", "PASS", 0, 0, 0)),
        ("", "DELETE FROM t WHERE id = 7; INSERT INTO t VALUES (7, 0.07, 'n7')", ("incremental", "PASS", 0, 0, 0)),
    ],
)
def test_what_a_full_run_would_find(rig: Rig, on_source: str, on_target: str, expected: tuple[Any, ...]) -> None:
    rig.pair.on_both("UPDATE t SET amount = amount + 1 WHERE id = 1500")
    for ask, sql in ((rig.pair.on_source, on_source), (rig.pair.on_target, on_target)):
        if sql:
            ask(sql)
    assert found(rig.compare()) == expected


def test_a_run_that_fails_leaves_the_mark_of_the_last_clean_one(rig: Rig) -> None:
    rig.pair.on_source("UPDATE t SET amount = 0 WHERE id = 7")
    assert rig.compare()["verdict"] == "FAIL"
    assert rig.compare()["verdict"] == "FAIL"
    rig.pair.on_target("UPDATE t SET amount = 0 WHERE id = 7")
    assert found(rig.compare()) == ("incremental", "PASS", 0, 0, 0)


def test_a_transaction_that_was_open_at_the_clean_run_is_looked_at(rig: Rig) -> None:
    """Its row is not visible to that run, though its transaction is older than many that are."""
    with pg8000.native.Connection(
        "postgres", host="127.0.0.1", port=rig.pair.source.port, database="postgres", ssl_context=False
    ) as early:
        early.run("BEGIN")
        early.run(f"UPDATE {rig.pair.schema}.t SET amount = 0 WHERE id = 7")
        rig.pair.on_both("UPDATE t SET amount = 5 WHERE id = 8")
        rig.clean()
        early.run("COMMIT")
    assert found(rig.compare()) == ("incremental", "FAIL", 0, 0, 1)


def test_rows_that_were_in_flight_at_the_clean_run_are_looked_at(rig: Rig) -> None:
    rig.pair.on_source("UPDATE t SET amount = 0 WHERE id = 7")

    class Late(Quiet):
        def advance(self, table: str, rows: int, differences: int) -> None:
            # After the slice with the row was read, as by replication; and wrongly for another one.
            rig.pair.on_target("UPDATE t SET amount = 0 WHERE id = 7")

    request = Request(
        rig.pair.source.endpoint(),
        rig.pair.target.endpoint(),
        schemas=(rig.pair.schema,),
        options=Options(hash=rig.hashed, patience=Patience(0.4, 2.0)),
        baselines=rig.folder,
    )
    report = run(request, Late())
    assert (report["verdict"], report["tables"][0]["settled"]) == ("PASS", 1)
    assert found(rig.compare()) == ("incremental", "PASS", 0, 0, 0)
    rig.pair.on_target("UPDATE t SET amount = 1 WHERE id = 7")
    assert found(rig.compare()) == ("incremental", "FAIL", 0, 0, 1)


def test_rows_in_flight_are_watched(rig: Rig) -> None:
    rig.pair.on_source("UPDATE t SET amount = 0 WHERE id = 7")

    class Late(Quiet):
        def advance(self, table: str, rows: int, differences: int) -> None:
            rig.pair.on_target("UPDATE t SET amount = 0 WHERE id = 7")

    request = Request(
        rig.pair.source.endpoint(),
        rig.pair.target.endpoint(),
        schemas=(rig.pair.schema,),
        options=Options(hash=rig.hashed, patience=Patience(0.4, 2.0)),
        baselines=rig.folder,
        incremental=True,
    )
    [table] = run(request, Late())["tables"]
    assert (*found(table), table["settled"]) == ("incremental", "PASS", 0, 0, 0, 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("TRUNCATE t", "redefined, rewritten or truncated"),
        ("VACUUM FULL t", "redefined, rewritten or truncated"),
        ("ALTER TABLE t ADD extra int DEFAULT 3", "redefined, rewritten or truncated"),
        ("ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (id)", ""),
        ("DROP TABLE t; CREATE TABLE t (id bigint PRIMARY KEY, amount numeric(12,2), note text)", "redefined"),
    ],
)
def test_a_redefined_table_is_compared_in_full(rig: Rig, change: str, reason: str) -> None:
    for server in (rig.pair.source, rig.pair.target):
        with pg8000.native.Connection(
            "postgres", host="127.0.0.1", port=server.port, database="postgres", ssl_context=False
        ) as connection:
            connection.run(f"SET search_path TO {rig.pair.schema}")
            for statement in change.split("; "):
                connection.run(statement)
    table = rig.compare()
    assert table["verdict"] == "PASS"
    assert (table["mode"] == "full") == bool(reason)
    assert any(reason in note for note in table["notes"]) or not reason


def test_a_partition_attached_with_old_rows_is_compared_in_full(pair: Any, tmp_path: Path) -> None:
    """Its rows were written before the clean run, which did not see them."""
    pair.on_both("""
        CREATE TABLE t (id bigint PRIMARY KEY, v text) PARTITION BY RANGE (id);
        CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (1000);
        CREATE TABLE high (id bigint PRIMARY KEY, v text);
        INSERT INTO t SELECT n, 'v' FROM generate_series(1, 900) n;
        INSERT INTO high SELECT n, 'v' FROM generate_series(1000, 1010) n
    """)
    pair.on_target("UPDATE high SET v = 'other' WHERE id = 1005")
    rig = Rig(pair, tmp_path, "fast")
    request = Request(
        pair.source.endpoint(), pair.target.endpoint(), schemas=(pair.schema,), tables=("t",), baselines=rig.folder
    )
    assert run(request, Quiet())["verdict"] == "PASS"
    pair.on_both("ALTER TABLE t ATTACH PARTITION high FOR VALUES FROM (1000) TO (2000)")
    assert found(rig.compare()) == ("full", "FAIL", 0, 0, 1)


def test_a_renamed_enum_label_is_compared_in_full(pair: Any, tmp_path: Path) -> None:
    pair.on_both(
        "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (id int PRIMARY KEY, v e); INSERT INTO t VALUES (1, 'a')"
    )
    rig = Rig(pair, tmp_path, "fast")
    rig.clean()
    pair.on_target("ALTER TYPE e RENAME VALUE 'a' TO 'c'")
    assert found(rig.compare()) == ("full", "FAIL", 0, 0, 1)


@pytest.mark.parametrize(
    "columns",
    [
        "id uuid PRIMARY KEY, v int",
        "id text PRIMARY KEY, v int",
        "a int, b text, v int, PRIMARY KEY (a, b)",
        "id smallint PRIMARY KEY, v int",
        "id timestamptz PRIMARY KEY, v int",
    ],
)
def test_keys_of_every_kind(pair: Any, tmp_path: Path, columns: str) -> None:
    values = {
        "id uuid": "md5(n::text)::uuid, n",
        "id text": "'é|' || n, n",
        "a int, ": "n % 3, 'b ' || n, n",
        "id smal": "n, n",
        "id time": "timestamptz '2026-01-01' + n * interval '1 us', n",
    }[columns[:7]]
    pair.on_both(f"CREATE TABLE t ({columns}); INSERT INTO t SELECT {values} FROM generate_series(1, 300) n")
    rig = Rig(pair, tmp_path, "fast")
    rig.clean()
    assert found(rig.compare()) == ("incremental", "PASS", 0, 0, 0)
    pair.on_both("UPDATE t SET v = -1 WHERE v = 5")
    pair.on_target("UPDATE t SET v = -2 WHERE v = 6; UPDATE t SET v = v WHERE v = 9")
    assert found(rig.compare()) == ("incremental", "FAIL", 0, 0, 1)
    pair.on_source("UPDATE t SET v = -2 WHERE v = 6")
    assert found(rig.compare()) == ("incremental", "PASS", 0, 0, 0)


def test_the_partitions_of_a_table_each_tell_their_own_rows(pair: Any, tmp_path: Path) -> None:
    """Rows at the same place of two partitions are not each other's."""
    pair.on_both("""
        CREATE TABLE t (id bigint PRIMARY KEY, v text) PARTITION BY RANGE (id);
        CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (100);
        CREATE TABLE high PARTITION OF t FOR VALUES FROM (100) TO (200);
        INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 150) n
    """)
    rig = Rig(pair, tmp_path, "fast")

    def compare() -> tuple[Any, ...]:
        request = Request(
            pair.source.endpoint(),
            pair.target.endpoint(),
            schemas=(pair.schema,),
            tables=("t",),
            baselines=rig.folder,
            incremental=True,
        )
        return found(run(request, Quiet())["tables"][0])

    assert compare() == ("full", "PASS", 0, 0, 0)
    pair.on_both("UPDATE t SET v = 'x' WHERE id IN (3, 103)")
    assert compare() == ("incremental", "PASS", 0, 0, 0)
    pair.on_target("UPDATE t SET v = 'y' WHERE id = 103")
    assert compare() == ("incremental", "FAIL", 0, 0, 1)


def test_a_key_that_outgrows_32_bits(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes after the table was planned, and before it is read."""

    class Growing(Quiet):
        def plan(self, table: str, rows: int) -> None:
            rig.pair.on_both("INSERT INTO t VALUES (2147483648, 1, ''), (-2147483649, 1, '')")
            rig.pair.on_target("UPDATE t SET note = 'other' WHERE id = 2147483648")

    request = Request(
        rig.pair.source.endpoint(),
        rig.pair.target.endpoint(),
        schemas=(rig.pair.schema,),
        options=Options(hash=rig.hashed),
        baselines=rig.folder,
        incremental=True,
    )
    [table] = run(request, Growing())["tables"]
    assert found(table) == ("incremental", "FAIL", 0, 0, 1)
    assert table["changed"]["keys"] == [{"id": "2147483648"}]


def test_an_increment_that_is_refused_is_compared_in_full(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise QueryError("the source says: no (XX000)", "XX000")

    monkeypatch.setattr(compare, "_compare_increment", refuse)
    document = rig.compare()
    assert found(document) == ("full", "PASS", 0, 0, 0)
    assert document["notes"] == ["compared in full: the source says: no (XX000)"]


def test_rows_without_a_key_are_compared_in_full(pair: Any, tmp_path: Path) -> None:
    pair.on_both("CREATE TABLE t (v int); INSERT INTO t VALUES (1)")
    rig = Rig(pair, tmp_path, "fast")
    rig.clean()
    table = rig.compare()
    assert (table["mode"], table["notes"]) == ("full", ["compared in full: its rows have no key"])


def test_very_many_changes_are_compared_in_full(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incremental, "_LISTED", 50)
    rig.pair.on_both("UPDATE t SET amount = amount + 1 WHERE id <= 60")
    rig.pair.on_target("UPDATE t SET amount = 0 WHERE id = 3")
    table = rig.compare()
    assert found(table) == ("full", "FAIL", 0, 0, 1)
    assert "very many of its rows changed" in table["notes"][0]


def test_random_histories_are_judged_as_a_full_run_judges_them(rig: Rig) -> None:
    chance = random.Random(4)
    statements = (
        "UPDATE t SET amount = {} WHERE id = {}",
        "INSERT INTO t VALUES (3000 + {}, {}, 'x') ON CONFLICT DO NOTHING",
        "DELETE FROM t WHERE id = {1}",
        "UPDATE t SET id = -id WHERE id = {1}",
    )
    for _ in range(25):
        for _ in range(chance.randrange(4)):
            sql = chance.choice(statements).format(chance.randrange(5), chance.randrange(1, 2000))
            if chance.random() < 0.75:
                rig.pair.on_both(sql)
            else:
                chance.choice((rig.pair.on_source, rig.pair.on_target))(sql)
        changed, whole = rig.compare(), Rig(rig.pair, Path("/nowhere"), rig.hashed).pair.compare()
        for kind in ("missing", "extra", "changed"):
            assert changed[kind]["count"] == whole[kind]["count"]
            assert sorted(map(str, changed[kind]["keys"])) == sorted(map(str, whole[kind]["keys"]))
        assert changed["rows"] == whole["rows"]
        if whole["verdict"] == "FAIL" and chance.random() < 0.7:
            rig.pair.on_target("TRUNCATE t")
            rows = rig.pair.on_source("SELECT string_agg(format('(%s, %s, %L)', id, amount, note), ',') FROM t")[0][0]
            rig.pair.on_target(f"INSERT INTO t VALUES {rows}")


HERE = Horizon(100, "server")


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        ((HERE, Horizon(100, "restarted")), "restarted or replaced"),
        ((Horizon(100 + 2**31, "server"), HERE), "too many transactions ago"),
    ],
)
def test_servers_that_are_not_what_they_were(pair: Any, now: tuple[Horizon, Horizon], reason: str) -> None:
    from validator.catalog import Table
    from validator.comparison import prepare

    pair.on_both("CREATE TABLE t (id int PRIMARY KEY)")
    with pair.sides() as sides:
        comparison: Any = prepare(sides, Table(pair.schema, "t"), Options())
    baseline = Baseline((HERE, HERE), comparison.fingerprints, incremental.form_of(comparison.matched), "r")
    assert reason in obstacle(baseline, comparison.matched, comparison.fingerprints, now)
    assert obstacle(baseline, comparison.matched, comparison.fingerprints, (HERE, HERE)) == ""


def test_a_restarted_server_is_told(rig: Rig) -> None:
    document = rig.folder.read(next(iter(rig.folder.keys("baselines/"))))
    assert document is not None
    document["horizons"][1][1] = "another start"
    rig.folder.write(next(iter(rig.folder.keys("baselines/"))), document)
    assert "a server was restarted" in rig.compare()["notes"][0]


def test_a_connection_that_is_lost_leaves_no_mark(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rig.folder.read(next(iter(rig.folder.keys("baselines/"))))

    class Killer(Quiet):
        def finish(self, table: str, verdict: str) -> None:
            rig.pair.source.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'validator'"
            )

    rig.pair.on_both("UPDATE t SET amount = 3 WHERE id = 3")
    request = Request(
        rig.pair.source.endpoint(), rig.pair.target.endpoint(), schemas=(rig.pair.schema,), baselines=rig.folder
    )
    assert run(request, Killer())["verdict"] == "PASS"
    assert rig.folder.read(next(iter(rig.folder.keys("baselines/")))) == before
