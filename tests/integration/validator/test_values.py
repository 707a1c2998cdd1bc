"""Every type: equal values are equal whatever the servers' settings, and what differs is told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.validator.conftest import Pair, told
from validator.catalog import Table
from validator.compare import compare_table
from validator.comparison import Options
from validator.settle import Patience
from validator.sides import Sides

# Type, and values that all differ from each other.
KINDS = {
    "smallint": ("-1", "0", "1", "32767"),
    "integer": ("-1", "1", "2147483647"),
    "bigint": ("-1", "4294967295", "9223372036854775807", "-9223372036854775808"),
    "numeric": ("1", "1.0", "1.00", "-1", "100.25", "-100.25", "1e40", "1e-40", "NaN", "0"),
    "numeric(12,2)": ("1.00", "-1.00", "9999999999.99", "9999999999.98"),
    "real": ("1", "1.0000001", "0", "-0", "NaN", "Infinity", "-Infinity"),
    "double precision": ("13", "13.0000000001", "13.00000000000001", "0", "-0", "1e308", "5e-324", "NaN"),
    "money": ("1.00", "-1.00", "92233720368547758.07"),
    "boolean": ("true", "false"),
    "text": (
        "",
        " ",
        "a",
        "a ",
        "A",
        "<null>",
        "NULL",
        "|",
        "a|b",
        "caf\u00e9",
        "cafe\u0301",
        "\u20ac",
        "\\x61",
        "é\n",
    ),
    "varchar(20)": ("", "a", "a "),
    "char(4)": ("", "a", "b"),
    '"char"': ("a", "|"),
    "name": ("a", "A"),
    "date": ("2026-01-01", "2026-01-02", "4713-01-01 BC", "9999-12-31", "infinity", "-infinity"),
    "time": ("00:00", "24:00", "12:00:00.000001"),
    "timetz": ("12:00+00", "12:00+01", "13:00+01"),
    "timestamp": ("2026-03-29 02:30", "2026-03-29 02:30:00.000001", "infinity", "4713-01-01 BC"),
    "timestamptz": ("2026-03-29 02:30+00", "2026-03-29 02:30+01", "2026-03-29 02:30:00.000001+00", "-infinity"),
    "interval": ("1 month", "30 days", "720 hours", "-1 month", "1 microsecond", "P1Y"),
    "uuid": ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001"),
    "json": ('{"a":1,"b":2}', '{"b":2,"a":1}', '{"a": 1,"b":2}', "null"),
    "jsonb": ('{"a":1}', '{"a":-1}', '{"a":1.0}', '{"a":"1"}', "[]", "[[]]", "null", '"|"'),
    "bytea": ("\\x", "\\x00", "\\x0000", "\\x7c", "\\xff"),
    "bit(3)": ("101", "010"),
    "bit varying": ("", "0", "00"),
    "inet": ("10.0.0.1", "10.0.0.1/24", "::1"),
    "cidr": ("10.0.0.0/8", "10.0.0.0/9"),
    "macaddr": ("08:00:2b:01:02:03", "08:00:2b:01:02:04"),
    "macaddr8": ("08:00:2b:01:02:03:04:05", "08:00:2b:01:02:03:04:06"),
    "point": ("(0,0)", "(-0,0)", "(0,1e-300)"),
    "box": ("((0,0),(1,1))", "((0,0),(1,2))"),
    "circle": ("<(0,0),1>", "<(0,0),1.0000000000000002>"),
    "polygon": ("((0,0),(1,1),(2,0))", "((0,0),(1,1),(2,1))"),
    "path": ("((0,0),(1,1))", "[(0,0),(1,1)]"),
    "lseg": ("[(0,0),(1,1)]", "[(0,0),(1,2)]"),
    "line": ("{1,2,3}", "{1,2,4}"),
    "int4range": ("empty", "[1,2)", "[1,3)", "(,)"),
    "numrange": ("[1.0,2)", "[1.00,2)"),
    "tstzrange": ("[2026-01-01 00:00+00,)", "[2026-01-01 00:00+01,)"),
    "datemultirange": ("{}", "{[2026-01-01,2026-01-02)}"),
    "integer[]": ("{}", "{1}", "{1,NULL}", "{NULL,1}", "[0:0]={1}", "{{1}}"),
    "text[]": ("{}", "{NULL}", '{"NULL"}', '{""}', "{a|b}", '{"a,b"}', "{a,b}"),
    "double precision[]": ("{0}", "{-0}", "{1.0000000000000002}"),
    "interval[]": ("{1 month}", "{30 days}"),
    "numeric(5,2)[]": ("{1.00}", "{1.01}"),
    "tsvector": ("a:1", "a:2", "'a|b'"),
    "tsquery": ("a & b", "a | b"),
    "pg_lsn": ("0/1", "1/0"),
}
HOSTILE = """
CREATE ROLE plain LOGIN PASSWORD 'p' SUPERUSER;
ALTER ROLE plain SET timezone TO 'Asia/Kathmandu';
ALTER ROLE plain SET datestyle TO 'German, DMY';
ALTER ROLE plain SET intervalstyle TO 'sql_standard';
ALTER ROLE plain SET bytea_output TO 'escape';
ALTER ROLE plain SET extra_float_digits TO -15;
ALTER ROLE plain SET search_path TO public;
ALTER ROLE plain SET standard_conforming_strings TO off;
ALTER ROLE plain SET client_encoding TO 'LATIN1';
ALTER ROLE plain SET statement_timeout TO '1h';
ALTER ROLE plain SET enable_seqscan TO off;
ALTER ROLE plain SET default_transaction_isolation TO serializable;
ALTER DATABASE postgres SET xmlbinary TO hex
"""


def _literal(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


@pytest.fixture(scope="module")
def hostile(servers: Any) -> Iterator[None]:
    """Whoever reads the target has every setting that changes how values are written set against us."""
    servers[0].run("CREATE ROLE plain LOGIN PASSWORD 'p' SUPERUSER")
    servers[1].run(HOSTILE)
    yield
    servers[1].run("ALTER DATABASE postgres RESET xmlbinary")
    for server in servers:
        server.run("DROP ROLE plain")


@pytest.fixture(scope="module")
def values(shared_pair: Pair, hostile: None) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Compares a kind's values: `equal N`, the same on both sides; `apart N`, each with the next one on the target."""
    known = [
        place for place, kind in enumerate(KINDS)
        if shared_pair.source.run(f"SELECT to_regtype('{kind.partition('(')[0]}') IS NOT NULL")[0][0]
    ]  # fmt: skip
    for side, shift in ((shared_pair.on_source, 0), (shared_pair.on_target, 1)):
        statements = []
        for place in known:
            kind = list(KINDS)[place]
            held = [*KINDS[kind], None]
            for table, shifted in ((f"equal{place}", 0), (f"apart{place}", shift)):
                rows = ", ".join(f"({n}, {_literal(held[(n + shifted) % len(held)])})" for n in range(len(held)))
                statements.append(
                    f"CREATE TABLE {table} (n int PRIMARY KEY, v {kind}); INSERT INTO {table} VALUES {rows}"
                )
        side("; ".join(statements))
    readers = shared_pair.source.endpoint(), shared_pair.target.endpoint(user="plain", password="p")
    with Sides(*readers) as sides:

        def compare(table: str) -> dict[str, Any]:
            if int(table[5:]) not in known:
                pytest.skip("the older major has no such type")
            return shared_pair.compare_on(sides, table)

        yield compare


@pytest.mark.parametrize("kind", KINDS)
def test_equal_values_are_equal_under_hostile_settings(values: Callable[[str], dict[str, Any]], kind: str) -> None:
    result = values(f"equal{list(KINDS).index(kind)}")
    assert (result["verdict"], result["reason"], result["notes"]) == ("PASS", "", [])


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_is_told_apart_from_the_next(values: Callable[[str], dict[str, Any]], kind: str) -> None:
    result = values(f"apart{list(KINDS).index(kind)}")
    assert told(result) == sorted(f"changed {n}: v" for n in range(len(KINDS[kind]) + 1))


def test_functions_and_catalogues_of_others_are_not_called(pair: Any) -> None:
    evil = f"{pair.schema}_evil"
    pair.on_both(f"""
        CREATE TABLE t (id int);
        CREATE SCHEMA {evil};
        CREATE FUNCTION {evil}.md5(text) RETURNS text LANGUAGE sql AS $$ SELECT repeat('0', 32) $$;
        CREATE VIEW {evil}.pg_class AS SELECT * FROM pg_catalog.pg_class WHERE relname <> 't';
        CREATE ROLE {evil} LOGIN SUPERUSER PASSWORD 'p';
        ALTER ROLE {evil} SET search_path TO {evil}, pg_catalog
    """)
    pair.on_source("INSERT INTO t VALUES (1)")
    pair.on_target("INSERT INTO t VALUES (2)")
    try:
        assert told(pair.compare(user=evil, password="p")) == ["extra 2", "missing 1"]
    finally:
        pair.on_both(f"DROP SCHEMA {evil} CASCADE; DROP ROLE {evil}")


@pytest.mark.usefixtures("hostile")
def test_names_outside_of_a_roles_client_encoding(pair: Any) -> None:
    pair.on_both('CREATE TABLE "\u20ac" ("\u4ed8" int); INSERT INTO "\u20ac" VALUES (1)')
    assert pair.compare("\u20ac", user="plain", password="p")["verdict"] == "PASS"


def test_a_value_in_another_column_is_another_row(pair: Any) -> None:
    kinds = sorted(KINDS)
    columns = ", ".join(f"a{n} {kind}, b{n} {kind}" for n, kind in enumerate(kinds))
    pair.on_both(f"CREATE TABLE t ({columns})")
    names = [f"a{n}" for n in range(len(kinds))], [f"b{n}" for n in range(len(kinds))]
    values = ", ".join(_literal(KINDS[kind][0]) for kind in kinds)
    pair.on_source(f"INSERT INTO t ({', '.join(names[0])}) VALUES ({values})")
    pair.on_target(f"INSERT INTO t ({', '.join(names[1])}) VALUES ({values})")
    assert pair.compare()["verdict"] == "FAIL"
    pair.on_target(f"DELETE FROM t; INSERT INTO t ({', '.join(names[0])}) VALUES ({values})")
    assert pair.compare()["verdict"] == "PASS"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("oid", "1"),
        ("xid8", "1"),
        ("regclass", "pg_class"),
        ("pair_type", "(1,2)"),
        ("pair_type[]", "{}"),
        ("floatrange", "[1,2)"),
        ("amount_domain[]", "{}"),
    ],
)
def test_types_without_a_canonical_form_are_inconclusive_and_named(pair: Any, kind: str, value: str) -> None:
    pair.on_both(f"""
        CREATE TYPE pair_type AS (a int, b int);
        CREATE TYPE floatrange AS RANGE (subtype = float8);
        CREATE DOMAIN amount_domain AS numeric(12,2);
        CREATE TABLE t (id int, v {kind});
        INSERT INTO t VALUES (1, '{value}')
    """)
    result = pair.compare()
    assert result["verdict"] == "INCONCLUSIVE"
    assert result["reason"].startswith("column v cannot be compared: ")
    assert kind in result["reason"]
    # What can be compared still is: a defect beside it is found.
    pair.on_target("UPDATE t SET id = 2")
    result = pair.compare()
    assert result["verdict"] == "FAIL"
    assert "cannot be compared" in result["reason"]


def test_domains_are_compared_as_what_they_stand_on(pair: Any) -> None:
    pair.on_both("""
        CREATE DOMAIN positive AS numeric(12,2) CHECK (VALUE > 0);
        CREATE DOMAIN fee AS positive;
        CREATE TABLE t (a fee, b positive);
        INSERT INTO t VALUES (1, 2)
    """)
    assert pair.compare()["verdict"] == "PASS"
    pair.on_target("UPDATE t SET a = 1.01")
    assert pair.compare()["verdict"] == "FAIL"


def test_enums_are_compared_by_label_whatever_their_oids_and_order(pair: Any) -> None:
    pair.on_source("CREATE TYPE e AS ENUM ('a', 'b')")
    pair.on_target("CREATE TYPE other AS ENUM ('x'); CREATE TYPE e AS ENUM ('b', 'a')")
    pair.on_both("CREATE TABLE t (v e, w e[]); INSERT INTO t VALUES ('a', '{a,b}')")
    assert pair.compare()["verdict"] == "PASS"
    pair.on_target("UPDATE t SET w = '{b,a}'")
    assert pair.compare()["verdict"] == "FAIL"


def test_extension_types_are_known_only_from_their_extension(pair: Any) -> None:
    pair.on_both(f"CREATE EXTENSION citext SCHEMA {pair.schema}; CREATE EXTENSION hstore SCHEMA {pair.schema}")
    pair.on_both("CREATE TABLE t (c citext, h hstore); INSERT INTO t VALUES ('Ab', 'a=>1, b=>NULL')")
    assert pair.compare()["verdict"] == "PASS"
    pair.on_target("UPDATE t SET c = 'ab'")
    assert pair.compare()["verdict"] == "FAIL"
    pair.on_target("UPDATE t SET c = 'Ab', h = 'a=>1, b=>\"NULL\"'")
    assert pair.compare()["verdict"] == "FAIL"
    pair.on_both("DROP TABLE t; DROP EXTENSION citext CASCADE; DROP EXTENSION hstore CASCADE")
    pair.on_both("CREATE TYPE citext AS RANGE (subtype = int4); CREATE TABLE t (c citext)")
    assert pair.compare()["verdict"] == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("source", "target", "value"),
    [
        ("numeric(12,2)", "numeric(28,6)", "12.50"),
        ("numeric(12,2)", "numeric", "100"),
        ("integer", "bigint", "7"),
        ("bigint", "numeric(20,0)", "100"),
        ("numeric(12,2)", "integer", "100"),
        ("varchar(20)", "text", "a "),
        ("e", "text", "a"),
    ],
)
def test_types_that_hold_the_same_values_are_compared_by_value_and_noted(
    pair: Any, source: str, target: str, value: str
) -> None:
    pair.on_both("CREATE TYPE e AS ENUM ('a', 'b')")
    pair.on_source(f"CREATE TABLE t (v {source}); INSERT INTO t VALUES ('{value}')")
    pair.on_target(f"CREATE TABLE t (v {target}); INSERT INTO t VALUES ('{value}')")
    result = pair.compare()
    assert result["verdict"] == "PASS"
    assert len(result["notes"]) == 1
    assert result["notes"][0].startswith("column v is ")
    pair.on_target("DELETE FROM t; INSERT INTO t VALUES ('-1')")
    assert pair.compare()["verdict"] == "FAIL"


def test_numerics_of_one_declared_type_are_compared_with_their_scale(pair: Any) -> None:
    pair.on_both("CREATE TABLE t (v numeric)")
    pair.on_source("INSERT INTO t VALUES (1.0)")
    pair.on_target("INSERT INTO t VALUES (1.00)")
    assert pair.compare()["verdict"] == "FAIL"


@pytest.mark.parametrize(
    ("source", "target", "value"),
    [
        ("timestamp", "timestamptz", "2026-01-01"),
        ("json", "jsonb", "{}"),
        ("char(3)", "char(5)", "a"),
        ("char(3)", "text", "a"),
        ("real", "double precision", "1"),
        ("numeric(5,2)[]", "numeric(5,3)[]", "{1}"),
        ("integer[]", "bigint[]", "{1}"),
        ("uuid", "text", "00000000-0000-0000-0000-000000000000"),
    ],
)
def test_types_that_write_one_value_in_two_ways_are_inconclusive(
    pair: Any, source: str, target: str, value: str
) -> None:
    pair.on_source(f"CREATE TABLE t (v {source}); INSERT INTO t VALUES ('{value}')")
    pair.on_target(f"CREATE TABLE t (v {target}); INSERT INTO t VALUES ('{value}')")
    result = pair.compare()
    assert result["verdict"] == "INCONCLUSIVE"
    assert " on the source, " in result["reason"]


@pytest.fixture(scope="module")
def encoded(servers: Any) -> Iterator[None]:
    """Databases of other encodings on the source, and one in UTF-8 on the target."""
    servers[0].run("CREATE DATABASE latin1 ENCODING 'LATIN1' TEMPLATE template0")
    servers[0].run("CREATE DATABASE sql_ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
    servers[1].run("CREATE DATABASE utf8 ENCODING 'UTF8' TEMPLATE template0")
    yield
    for name in ("latin1", "sql_ascii"):
        servers[0].run(f"DROP DATABASE {name}")
    servers[1].run("DROP DATABASE utf8")


@pytest.mark.parametrize("patience", [Patience(), Patience(0.001)])
@pytest.mark.parametrize("encoding", ["latin1", "sql_ascii"])
@pytest.mark.usefixtures("encoded")
def test_another_server_encoding_changes_nothing(
    servers: Any, encoding: str, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Patience, "pause_seconds", 0.001)
    source, target = servers
    # Bytes of UTF-8, whatever the client's encoding.
    text = "convert_from(decode('{}', 'hex'), '" + ("UTF8" if encoding == "latin1" else "SQL_ASCII") + "')"
    table = "DROP TABLE IF EXISTS t; CREATE TABLE t (k text PRIMARY KEY, a varchar(9), b jsonb, c bytea, d char(9)); "
    cafe = text.format("café".encode().hex())
    source.run(
        f"{table} INSERT INTO t VALUES ({cafe}, {cafe}, to_jsonb({cafe}), '\\xff', {cafe}), ('b', 'b', '1', '', '')",
        encoding,
    )
    target.run(
        f"{table} INSERT INTO t VALUES ('café', 'café', '\"café\"', '\\xff', 'café'), ('b', 'b', '1', '', '')", "utf8"
    )
    with Sides(source.endpoint(database=encoding), target.endpoint(database="utf8")) as sides:

        def compare() -> dict[str, Any]:
            return compare_table(sides, Table("public", "t"), Options(patience=patience)).document()

        document = compare()
        assert (document["verdict"], document["hash"], document["key"]) == ("PASS", "md5", ["k"])
        # A letter that the source cannot even write.
        target.run("INSERT INTO t VALUES ('€'); UPDATE t SET a = 'cafe' WHERE k = 'café'", "utf8")
        assert told(compare()) == ["changed café: a", "extra €"]


@pytest.mark.usefixtures("encoded")
def test_bytes_that_are_no_text_never_pass(servers: Any) -> None:
    source, target = servers
    for server, database in ((source, "sql_ascii"), (target, "utf8")):
        server.run(
            "DROP TABLE IF EXISTS t; CREATE TABLE t (k text PRIMARY KEY, v text); INSERT INTO t VALUES ('a', 'b')",
            database,
        )
    source.run("UPDATE t SET v = convert_from('\\xff', 'SQL_ASCII')", "sql_ascii")
    with Sides(source.endpoint(database="sql_ascii"), target.endpoint(database="utf8")) as sides:
        assert compare_table(sides, Table("public", "t")).verdict != "PASS"
        source.run("UPDATE t SET v = 'a', k = convert_from('\\xff', 'SQL_ASCII')", "sql_ascii")
        assert compare_table(sides, Table("public", "t")).verdict != "PASS"
