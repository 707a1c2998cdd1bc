"""One defect at a time in a table of payments: each is found in its row and its column, and nothing else is.

Every defect has eight rows of its own, one bucket: what does not show in the sum of a bucket is not found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.validator.conftest import Pair, told
from validator import plan
from validator.catalog import Table
from validator.comparison import Comparison, Options, prepare

NFC, NFD = "café", "cafe\u0301"
COLUMNS = {
    "amount": "numeric(12,2) NOT NULL",
    "exact": "numeric",
    "fee": "numeric(12,2)",
    "whole": "integer",
    "big": "bigint",
    "currency": "char(3) NOT NULL",
    "status": "status NOT NULL",
    "note": "text",
    "description": "varchar(200)",
    "reference": "uuid NOT NULL",
    "account": "uuid NOT NULL",
    "created_at": "timestamptz NOT NULL",
    "settled_at": "timestamp",
    "day": "date",
    "clock": "time",
    "clock_there": "timetz",
    "term": "interval",
    "metadata": "jsonb",
    "document": "json",
    "rate": "float8",
    "ratio": "float4",
    "raw": "bytea",
    "tags": "text[]",
    "numbers": "int[]",
    "price": "money",
    "flag": "boolean",
    "bits": "bit(3)",
    "address": "inet",
    "period": "tstzrange",
    "span": "numrange",
    "limited": "positive",
    "letter": '"char"',
    "words": "tsvector",
    "place": "point",
}

# Column, its value on the source, its value on the target.
VALUES: dict[str, tuple[str, str | None, str | None]] = {
    "an amount by a cent": ("amount", "10.00", "10.01"),
    "the sign of an amount": ("amount", "10.00", "-10.00"),
    "an amount beyond what a double holds": ("amount", "9999999999.99", "9999999999.98"),
    "the tenth decimal of a numeric without precision": ("exact", "13", "13.0000000001"),
    "the scale of a numeric without precision": ("exact", "1.0", "1.00"),
    "a numeric so great that it has an exponent": ("exact", "1e40", "1e41"),
    "NaN for a numeric": ("exact", "0", "NaN"),
    "NaN for NULL": ("exact", None, "NaN"),
    "zero for NULL": ("fee", None, "0"),
    "NULL for zero": ("fee", "0", None),
    "an integer's lowest bit": ("whole", "0", "1"),
    "an integer's sign": ("whole", "-1", "1"),
    "bigints that fold to the same 32 bits": ("big", "-1", "4294967295"),
    "a bigint beyond what a double holds": ("big", "9223372036854775807", "9223372036854775806"),
    "a currency": ("currency", "USD", "EUR"),
    "a char(n) of one letter less": ("currency", "USD", "US"),
    "an enum label": ("status", "pending", "settled"),
    "an enum label that holds a separator": ("status", "settled", "failed|late"),
    "NULL for ''": ("note", None, ""),
    "'' for NULL": ("note", "", None),
    "NULL for the text <null>": ("note", None, "<null>"),
    "NULL for the text NULL": ("note", None, "NULL"),
    "a blank at the end": ("note", "paid", "paid "),
    "a blank for ''": ("note", "", " "),
    "a tab for a blank": ("note", "a b", "a\tb"),
    "a line's end": ("note", "a\n", "a\r\n"),
    "letter case": ("note", "paid", "Paid"),
    "NFC and NFD": ("note", NFC, NFD),
    "a zero-width blank": ("note", "paid", "pa\u200bid"),
    "a no-break blank": ("note", "a b", "a\u00a0b"),
    "a byte order mark": ("note", "paid", "\ufeffpaid"),
    "a soft hyphen": ("note", "paid", "pa\u00adid"),
    "a letter of another alphabet that looks the same": ("note", "paid", "pa\u0456d"),
    "UTF-8 read as Latin-1": ("note", NFC, NFC.encode().decode("latin-1")),
    "UTF-8 replaced by question marks": ("note", NFC, "caf?"),
    "a letter beyond the basic plane": ("note", "\U0001f4b6", "\U0001f4b7"),
    "a separator in a text": ("note", "a|b", "a,b"),
    "a varchar cut short": ("description", "x" * 200, "x" * 199),
    "a text cut at a megabyte": ("note", "x" * (2**20 + 1), "x" * 2**20),
    "a uuid's last digit": (
        "reference",
        "00000000-0000-0000-0000-000000000000",
        "00000000-0000-0000-0000-000000000001",
    ),
    "a microsecond of a timestamptz": (
        "created_at",
        "2026-01-01 10:00:00+00",
        "2026-01-01 10:00:00.000001+00",
    ),
    "a timestamptz read in another zone": ("created_at", "2026-01-01 10:00:00+00", "2026-01-01 10:00:00-01"),
    "infinity for the end of time": ("created_at", "9999-12-31 00:00+00", "infinity"),
    "a time before Christ": ("created_at", "0044-03-15 12:00:00+00 BC", "0044-03-15 12:00:00+00"),
    "a microsecond of a timestamp": ("settled_at", "2026-03-29 02:30:00.999999", "2026-03-29 02:30:01"),
    "a timestamp by an hour of summer": ("settled_at", "2026-03-29 02:30", "2026-03-29 03:30"),
    "a date by a day": ("day", "2026-02-28", "2026-03-01"),
    "a date before Christ": ("day", "0001-01-01 BC", "0001-01-01"),
    "infinite dates": ("day", "infinity", "-infinity"),
    "the day's end for its beginning": ("clock", "24:00", "00:00"),
    "a time's zone": ("clock_there", "12:00+00", "13:00+01"),
    "one month for 30 days": ("term", "1 month", "30 days"),
    "one day for 24 hours": ("term", "1 day", "24 hours"),
    "a value in jsonb": ("metadata", '{"n": 1}', '{"n": 2}'),
    "the sign of a number in jsonb": ("metadata", '{"n": 5}', '{"n": -5}'),
    "the scale of a number in jsonb": ("metadata", '{"n": 1.1}', '{"n": 1.10}'),
    "a text for a number in jsonb": ("metadata", '{"n": 1}', '{"n": "1"}'),
    "null for no key in jsonb": ("metadata", "{}", '{"n": null}'),
    "jsonb null for NULL": ("metadata", None, "null"),
    "a nested empty array in jsonb": ("metadata", "[]", "[[]]"),
    "the order of an array in jsonb": ("metadata", "[1, 2]", "[2, 1]"),
    "white space in json": ("document", '{"a":1}', '{"a": 1}'),
    "the order of keys in json": ("document", '{"a":1,"b":2}', '{"b":2,"a":1}'),
    "a double's fourteenth digit": ("rate", "13", "13.0000000000001"),
    "a double's last bit": ("rate", "0.1", "0.10000000000000002"),
    "a double's negative zero": ("rate", "0", "-0"),
    "NaN for a double's infinity": ("rate", "Infinity", "NaN"),
    "a real's last bit": ("ratio", "1", "1.0000001"),
    "a byte": ("raw", "\\x0001", "\\x0002"),
    "a byte less": ("raw", "\\x0000", "\\x00"),
    "no bytes for NULL": ("raw", None, "\\x"),
    "an element of an array": ("tags", "{a,b}", "{a,c}"),
    "the order of an array": ("numbers", "{1,2}", "{2,1}"),
    "an array's bounds": ("numbers", "{1,2}", "[0:1]={1,2}"),
    "an array's dimensions": ("numbers", "{1,2}", "{{1,2}}"),
    "an array's NULL for 0": ("numbers", "{NULL}", "{0}"),
    "an array's NULL for a text": ("tags", "{NULL}", '{"NULL"}'),
    "one element for two": ("tags", '{"a,b"}', "{a,b}"),
    "an empty array for NULL": ("tags", None, "{}"),
    "a smallest coin": ("price", "1.00", "1.01"),
    "a truth": ("flag", "true", "false"),
    "NULL for false": ("flag", "false", None),
    "a bit": ("bits", "101", "100"),
    "a network's mask": ("address", "10.0.0.1/32", "10.0.0.1/24"),
    "a range's bound that is in or out": ("period", "[2026-01-01,2026-02-01)", "[2026-01-01,2026-02-01]"),
    "a range's scale": ("span", "[1.0,2)", "[1.00,2)"),
    "an empty range for NULL": ("span", None, "empty"),
    "a domain's value": ("limited", "1.00", "1.01"),
    "a single byte letter": ("letter", "a", "b"),
    "a lexeme's place": ("words", "paid:1", "paid:2"),
    "a point's negative zero": ("place", "(0,0)", "(-0,0)"),
}

# What is done to the target, and what is told of it; {a}, {b}, {c} are rows of the defect's own.
ROWS: dict[str, tuple[str, list[str]]] = {
    "a row is missing": ("DELETE FROM t WHERE id = {a}", ["missing {a}"]),
    "three rows are missing": ("DELETE FROM t WHERE id IN ({a}, {b}, {c})", ["missing {a}", "missing {b}", "missing {c}"]),
    "a row has another key": ("UPDATE t SET id = {free} WHERE id = {a}", ["missing {a}", "extra {free}"]),
    "a row is there again under another key": (
        "CREATE TEMP TABLE copy AS SELECT * FROM t WHERE id = {a}; UPDATE copy SET id = {free}; INSERT INTO t SELECT * FROM copy",
        ["extra {free}"],
    ),
    "a row is overwritten by another": (
        "UPDATE t SET (amount, reference) = (SELECT amount, reference FROM t WHERE id = {b}) WHERE id = {a}",
        ["changed {a}: amount, reference"],
    ),
    "two rows exchange their keys": (
        "UPDATE t SET id = -1 WHERE id = {a}; UPDATE t SET id = {a} WHERE id = {b}; UPDATE t SET id = {b} WHERE id = -1",
        ["changed {a}: amount, whole, reference, account", "changed {b}: amount, whole, reference, account"],
    ),
    "two rows exchange their amounts": (
        "UPDATE t SET amount = {a} + {b} - amount WHERE id IN ({a}, {b})",
        ["changed {a}: amount", "changed {b}: amount"],
    ),
    "two rows exchange a uuid": (
        "UPDATE t SET account = md5('account' || {a} + {b} - id)::uuid WHERE id IN ({a}, {b})",
        ["changed {a}: account", "changed {b}: account"],
    ),
    "what one amount gains another loses": (
        "UPDATE t SET amount = amount + CASE id WHEN {a} THEN 1 ELSE -1 END WHERE id IN ({a}, {b})",
        ["changed {a}: amount", "changed {b}: amount"],
    ),
    "two columns of a row are exchanged": (
        "UPDATE t SET reference = account, account = reference WHERE id = {a}",
        ["changed {a}: reference, account"],
    ),
    "a NULL and a value are exchanged between columns": (
        "UPDATE t SET fee = exact, exact = fee WHERE id = {a}",
        ["changed {a}: exact, fee"],
    ),
    "a letter moved from one text to the next": (
        "UPDATE t SET note = note || 'd', description = substr(description, 2) WHERE id = {a}",
        ["changed {a}: note, description"],
    ),
    "a value moved to the next column": (
        "UPDATE t SET whole = NULL, big = {a} WHERE id = {a}",
        ["changed {a}: whole, big"],
    ),
    "all values are gone": (
        "UPDATE t SET exact = NULL, whole = NULL, note = NULL, description = NULL WHERE id = {a}",
        ["changed {a}: exact, whole, note, description"],
    ),
}  # fmt: skip
_EACH = 8
_BOTH = """
CREATE TYPE status AS ENUM ('pending', 'settled', 'failed|late');
CREATE DOMAIN positive AS numeric(12,2) CHECK (VALUE > 0);
CREATE TABLE t (id bigint PRIMARY KEY, {columns});
INSERT INTO t (id, amount, exact, whole, currency, status, note, description, reference, account, created_at)
SELECT n, n, 0.5, n, 'USD', 'pending', 'note', 'description', md5('reference' || n)::uuid, md5('account' || n)::uuid,
    '2026-01-01 10:00:00+00'
FROM generate_series(1, {rows}) AS n WHERE n <> ALL (ARRAY{free})
"""


def _literal(value: str | None) -> str:
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def _rows(place: int) -> dict[str, int]:
    """The rows of a defect; `free` is a key that none has."""
    first = place * _EACH
    return {"a": first + 1, "b": first + 2, "c": first + 3, "free": first + _EACH}


# The first and the last row are there on both sides: they are the ends of the range that buckets are cut from.
_first, *_others = VALUES
PLACES = {name: place for place, name in enumerate([_first, *ROWS, *_others])}
FREE = [_rows(PLACES[name])["free"] for name, (sql, _) in ROWS.items() if "{free}" in sql]
EXPECTED = {
    **{name: [f"changed {_rows(PLACES[name])['a']}: {column}"] for name, (column, _, _) in VALUES.items()},
    **{name: [line.format(**_rows(PLACES[name])) for line in lines] for name, (_, lines) in ROWS.items()},
}


@pytest.fixture(scope="module")
def payments(shared_pair: Pair) -> Pair:
    """Tables that are equal but for every defect."""
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    shared_pair.on_both(_BOTH.format(columns=columns, rows=len(PLACES) * _EACH, free=FREE))
    for place, run in ((1, shared_pair.on_source), (2, shared_pair.on_target)):
        run("; ".join(
            f"UPDATE t SET {values[0]} = {_literal(values[place])} WHERE id = {_rows(PLACES[name])['a']}"
            for name, values in VALUES.items()
        ))  # fmt: skip
    shared_pair.on_target("; ".join(
        f"{sql.format(**_rows(PLACES[name]))}; DROP TABLE IF EXISTS pg_temp.copy" for name, (sql, _) in ROWS.items()
    ))  # fmt: skip
    shared_pair.on_both("ANALYZE t")
    return shared_pair


@pytest.fixture(scope="module")
def small_buckets() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "_BUCKET_ROWS", _EACH)
        yield


@pytest.fixture(scope="module")
def document(payments: Pair, hashed: Any, small_buckets: None) -> dict[str, Any]:
    return payments.compare(options=Options(hash=hashed))


@pytest.fixture(scope="module")
def lines(document: dict[str, Any]) -> list[str]:
    return told(document)


@pytest.mark.parametrize("defect", PLACES)
def test_a_defect_is_found_and_named(lines: list[str], defect: str) -> None:
    own = {str(key) for key in _rows(PLACES[defect]).values()}
    assert [line for line in lines if line.split(" ")[1].rstrip(":") in own] == sorted(EXPECTED[defect])


def test_nothing_else_is_found(document: dict[str, Any], hashed: str, lines: list[str]) -> None:
    assert (document["verdict"], document["hash"], document["strategy"]) == ("FAIL", hashed, "ranges")
    assert lines == sorted(line for expected in EXPECTED.values() for line in expected)
    rows = len(PLACES) * _EACH - len(FREE)
    assert document["rows"] == {"source": rows, "target": rows - document["missing"]["count"] + len(FREE)}
    assert document["columns"]["amount"] == sum("amount" in line for line in lines)


def test_every_defect_has_a_bucket_of_its_own(payments: Pair, small_buckets: None) -> None:
    with payments.sides() as sides:
        comparison = prepare(sides, Table(payments.schema, "t"), Options())
    assert isinstance(comparison, Comparison)
    [part] = comparison.slices
    lows, highs = plan.bucket_ranges(part)
    edges = {_rows(place)["a"] for place in PLACES.values()}
    assert edges <= set(lows)
    assert {low - 1 for low in edges if low > 1} <= set(highs)


NOTES = {
    "NFC and NFD": "equal after Unicode normalisation (NFC)",
    "a blank at the end": "equal but for blanks at the end",
    "letter case": "equal but for case",
    "a zero-width blank": None,
    "NULL for ''": None,
}


@pytest.mark.parametrize("defect", NOTES)
def test_what_a_reader_would_not_see_is_noted(document: dict[str, Any], defect: str) -> None:
    [entry] = [item for item in document["differences"] if item["key"] == {"id": str(_rows(PLACES[defect])["a"])}]
    assert entry.get("note") == NOTES[defect]
    column, source, target = VALUES[defect]
    assert entry["columns"] == {column: {"source": source, "target": target}}
