"""The schema by PostgreSQL's own programs: whole, in two parts, keys before the load, nothing twice, nothing by halves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cutover import programs as programs_module
from cutover.__main__ import main
from cutover.errors import ProgramError
from cutover.programs import environment, find

SQL = Path(__file__).with_name("payments.sql").read_text()
TABLES = ("ledger.accounts", "ledger.events", "ledger.keyed_by_index", "ledger.payments", '"Odd ""Schema"""."Order"')


def _schema(pair: Any, section: str, *more: str) -> int:
    arguments = ["--source", pair.source.dsn(), "--target", pair.target.dsn(), "--section", section]
    return main(["schema", *arguments, "--bindir", str(pair.target.programs), *more])


def _dump(server: Any, programs: Path) -> list[str]:
    """The whole schema as pg_dump sees it; \\restrict's key is new each time."""
    options = ["--schema-only", "--no-owner", "--no-privileges", f"--dbname={server.dsn()}"]
    done = subprocess.run([programs / "pg_dump", *options], capture_output=True, text=True, check=True)
    # Before 16 a view's columns are written with the table's name.
    text = re.sub(r"(?<=[ (])payments\.", "", done.stdout)
    return [line for line in text.splitlines() if line and not line.startswith(("\\", "--"))]


def _count(server: Any, sql: str) -> Any:
    return server.run(sql)[0][0]


@pytest.mark.parametrize("kind", ["pair", "mixed_pair"])
def test_the_whole_way(kind: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:
    pair = request.getfixturevalue(kind)
    pair.source.run(SQL)

    assert _schema(pair, "pre-data", "--apply") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"pre-data applied to the target database '{pair.system}' at 127.0.0.1:")
    assert " 9 table" in said
    assert "8 constraint" in said

    # Every key by which a row is found is there, on partitions too, and valid; nothing else is.
    indexes = pair.target.run("""
        SELECT c.relname::text, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname !~ '^pg_' ORDER BY 1
    """)
    assert indexes == [
        ["Order primary key", True],
        ["accounts_pkey", True],
        ["events_pkey", True],
        ["keyed_by_index_code", True],
        ["payments_2026_pkey", True],
        ["payments_pkey", True],
        ["payments_rest_all_pkey", True],
        ["payments_rest_pkey", True],
        ["unique code", True],
    ]
    assert _count(pair.target, "SELECT relreplident FROM pg_class WHERE relname = 'keyed_by_index'") == "i"
    assert _count(pair.target, "SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == 0
    assert _count(pair.target, "SELECT count(*) FROM pg_trigger") == 0

    # The load, in an order that foreign keys would refuse.
    for table in sorted(TABLES, reverse=True):
        columns = _count(
            pair.source,
            f"SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = '{table}'::regclass "
            "AND attnum > 0 AND attgenerated = ''",
        )
        copy = subprocess.run(
            [pair.target.programs / "psql", pair.source.dsn(), "-c", f"COPY (SELECT {columns} FROM {table}) TO STDOUT"],
            capture_output=True,
            check=True,
        )
        subprocess.run(
            [pair.target.programs / "psql", pair.target.dsn(), "-c", f"COPY {table} ({columns}) FROM STDIN"],
            input=copy.stdout,
            capture_output=True,
            check=True,
        )

    assert _schema(pair, "post-data", "--apply") == 0
    assert "2 fk constraint" in capsys.readouterr().out
    assert sorted(_dump(pair.target, pair.target.programs)) == sorted(
        line for line in _dump(pair.source, pair.target.programs) if "COMMENT ON SCHEMA public" not in line
    )
    assert _count(pair.target, "SELECT count(*) FROM ledger.payments") == 100
    assert _count(pair.target, "SELECT sum(fee) FROM ledger.payments") == _count(
        pair.source, "SELECT sum(fee) FROM ledger.payments"
    )

    # Again: refused in words, and nothing is changed.
    before = _dump(pair.target, pair.target.programs)
    for section in ("pre-data", "post-data"):
        assert _schema(pair, section, "--apply") == 1
        assert f"nothing of {section} was applied" in capsys.readouterr().err
    assert _dump(pair.target, pair.target.programs) == before


def test_printed_sql_is_what_would_be_applied(pair: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pair.source.run(SQL)
    assert _schema(pair, "pre-data") == 0
    printed = capsys.readouterr().out
    assert "CREATE TYPE ledger.state AS ENUM" in printed
    assert "CREATE TRIGGER" not in printed
    assert "FOREIGN KEY" not in printed
    assert _count(pair.target, "SELECT count(*) FROM pg_namespace WHERE nspname = 'ledger'") == 0
    file = tmp_path / "pre.sql"
    file.write_text(printed)
    subprocess.run(
        [pair.target.programs / "psql", pair.target.dsn(), "-q", "-v", "ON_ERROR_STOP=1", "-1", "-f", file],
        check=True,
        capture_output=True,
    )
    assert _schema(pair, "post-data") == 0
    assert "CREATE TRIGGER stamp" in capsys.readouterr().out


def test_one_schema_and_its_extensions(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pair.source.run(SQL)
    assert _schema(pair, "pre-data", "--schema", "ledger", "--apply") == 0
    assert _count(pair.target, "SELECT count(*) FROM pg_extension WHERE extname = 'hstore'") == 1
    assert _count(pair.target, "SELECT count(*) FROM pg_namespace WHERE nspname ~ 'Odd'") == 0
    assert _schema(pair, "pre-data", "--schema", "nowhere") == 2
    assert "the source has no schema nowhere (known are Odd" in capsys.readouterr().err


def test_what_must_not_travel(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pair.source.run("""
        CREATE EXTENSION postgres_fdw;
        CREATE EXTENSION pg_stat_statements;
        CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
        CREATE USER MAPPING FOR postgres SERVER elsewhere OPTIONS (user 'u', password 'hunter2');
        CREATE SCHEMA awsdms; CREATE TABLE awsdms.awsdms_status (id int);
        CREATE SCHEMA cutover; CREATE TABLE cutover.marker (id int);
        CREATE FUNCTION public.ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
        CREATE EVENT TRIGGER awsdms_intercept_ddl ON ddl_command_end EXECUTE FUNCTION public.ddl();
        CREATE EVENT TRIGGER ours ON ddl_command_end EXECUTE FUNCTION public.ddl();
        CREATE PUBLICATION everything FOR ALL TABLES;
        COMMENT ON EXTENSION postgres_fdw IS 'a comment';
        COMMENT ON SCHEMA public IS 'a comment';
        CREATE TABLE public.t (id int PRIMARY KEY)
    """)
    assert _schema(pair, "pre-data", "--without-extension", "pg_stat_statements") == 0
    assert _schema(pair, "post-data", "--without-extension", "pg_stat_statements") == 0
    printed = capsys.readouterr().out
    for word in (
        "hunter2",
        "awsdms",
        "marker",
        "a comment",
        "PUBLICATION",
        "pg_stat_statements",
        "CREATE SCHEMA public",
    ):
        assert word not in printed, word
    assert "CREATE EXTENSION IF NOT EXISTS postgres_fdw" in printed
    assert "CREATE SERVER elsewhere" in printed
    assert "CREATE EVENT TRIGGER ours" in printed


def test_what_the_target_lacks_is_said_before_anything_is_done(
    pair: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pair.source.run("CREATE EXTENSION hstore; CREATE TABLE public.t (id int PRIMARY KEY)")
    # As on a server that does not offer it.
    monkeypatch.setattr(
        "cutover.readiness.target._AVAILABLE",
        "SELECT name::text, version FROM pg_available_extension_versions WHERE name <> 'hstore'",
    )
    assert _schema(pair, "pre-data", "--apply") == 1
    assert "blocker  extension-missing: hstore" in capsys.readouterr().err
    assert _count(pair.target, "SELECT count(*) FROM pg_class WHERE relname = 't'") == 0
    assert _schema(pair, "pre-data", "--apply", "--without-extension", "hstore") == 0
    assert _count(pair.target, "SELECT count(*) FROM pg_class WHERE relname = 't'") == 1


def test_a_part_that_fails_leaves_nothing(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pair.source.run("CREATE TABLE public.a (id int PRIMARY KEY); CREATE TABLE public.b (id int REFERENCES public.a)")
    assert _schema(pair, "pre-data", "--apply") == 0
    pair.target.run("INSERT INTO public.b VALUES (4711)")
    pair.source.run("CREATE INDEX aa ON public.b (id)")
    assert _schema(pair, "post-data", "--apply") == 1
    said = capsys.readouterr().err
    assert 'violates foreign key constraint "b_id_fkey"' in said
    assert "4711" not in said
    assert "Traceback" not in said
    assert _count(pair.target, "SELECT count(*) FROM pg_class WHERE relname = 'aa'") == 0


def test_many_things_in_the_way_are_counted(pair: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for n in range(7):
        pair.on_both(f"CREATE TABLE public.t{n} (id int)")
    assert _schema(pair, "pre-data", "--apply") == 1
    assert "already has public.t0, public.t1, public.t2, public.t3, public.t4 and 2 more" in capsys.readouterr().err


def _scripts(folder: Path, **versions: str) -> Path:
    folder.mkdir()
    for name in ("pg_dump", "pg_restore", "psql"):
        version = versions.get(name, f"{name} (PostgreSQL) 17.4")
        (folder / name).write_text(f"#!/bin/sh\necho '{version}'\n")
        (folder / name).chmod(0o755)
    return folder


def test_programs_of_the_wrong_version(pair: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["schema", "--source", pair.source.dsn(), "--target", pair.target.dsn(), "--section", "pre-data"]
    assert main([*arguments, "--bindir", str(_scripts(tmp_path / "a"))]) == 1
    assert "pg_dump is of PostgreSQL 17; from a source of 18 to a target of 18 it takes" in capsys.readouterr().err
    with pytest.raises(ProgramError, match="is of PostgreSQL 17; from a source of 15 to a target of 16"):
        find(tmp_path / "a", 15, 16)
    assert find(tmp_path / "a", 15, 17).major == 17
    with pytest.raises(ProgramError, match="of different versions: 16, 17"):
        find(_scripts(tmp_path / "b", psql="psql (PostgreSQL) 16.1 (Debian 16.1-1)"), 15, 17)
    with pytest.raises(ProgramError, match="does not say which version"):
        find(_scripts(tmp_path / "c", pg_dump="hello"), 15, 17)


def test_programs_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProgramError, match=f"pg_dump is not in {tmp_path}"):
        find(tmp_path, 15, 17)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramError, match="pg_dump is not in the path .install the postgresql-client"):
        find(None, 15, 17)


def test_programs_that_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "psql").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "psql").chmod(0o755)
    with pytest.raises(ProgramError, match="psql failed: exit code 3"):
        programs_module.run(tmp_path / "psql", None)


def test_a_program_sees_the_endpoint_and_nothing_else(servers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c search_path=elsewhere")
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    monkeypatch.setenv("HOME", "/home")
    endpoint = servers[0].endpoint(password="secret", tls="verify-full", ca=Path("/ca.pem"), host="db.example")
    variables = environment(endpoint)
    assert variables["PGPASSWORD"] == "secret"
    assert (variables["PGSSLMODE"], variables["PGSSLROOTCERT"]) == ("verify-full", "/ca.pem")
    assert (variables["PGHOST"], variables["HOME"]) == ("db.example", "/home")
    assert not {"PGOPTIONS", "PGHOSTADDR"} & set(variables)
    assert not any(name.startswith("PG") for name in environment(None))
    plain = environment(servers[0].endpoint())
    assert not {"PGPASSWORD", "PGSSLROOTCERT"} & set(plain)
    rds = environment(servers[0].endpoint(host="x.us-east-1.rds.amazonaws.com", tls="verify-full"))
    assert rds["PGSSLROOTCERT"].endswith("validator/certificates/rds-us-east-1.pem")


def test_the_server_behind_tls_is_verified_by_the_programs_too(tls_front: Any, servers: Any, certificates: Any) -> None:
    """The wheel's libpq knows no TLS; Debian's does."""
    psql = shutil.which("psql", path="/usr/bin")
    if psql is None:
        pytest.skip("no psql with TLS is installed")
    endpoint = servers[0].endpoint(tls="verify-full", port=tls_front.port, ca=certificates.ca)
    assert programs_module.run(Path(psql), endpoint, "-Atc", "SELECT 41 + 1").strip() == "42"
    assert tls_front.encrypted == 1
    wrong = servers[0].endpoint(tls="verify-full", port=tls_front.port, ca=certificates.other_ca)
    with pytest.raises(ProgramError, match="psql failed on the source: .*certificate verify failed"):
        programs_module.run(Path(psql), wrong, "-Atc", "SELECT 1")
    assert os.environ.get("PGSSLMODE") is None
