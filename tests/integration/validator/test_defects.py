"""One defect at a time in otherwise equal payments: each is found; and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

PAYMENTS = """
CREATE TYPE status AS ENUM ('pending', 'settled', 'failed|late');
CREATE TABLE t (
    id bigint PRIMARY KEY,
    reference uuid NOT NULL,
    account uuid NOT NULL,
    amount numeric(12,2) NOT NULL,
    fee numeric(12,2),
    currency char(3) NOT NULL,
    status status NOT NULL,
    note text,
    description varchar(200),
    created_at timestamptz NOT NULL,
    settled_at timestamp,
    metadata jsonb,
    rate float8,
    raw bytea,
    tags text[]
);
INSERT INTO t
SELECT n, md5('r' || n)::uuid, md5('a' || n % 7)::uuid, n * 1.25, CASE WHEN n % 5 > 0 THEN n * 0.01 END, 'USD',
    (ARRAY['pending', 'settled', 'failed|late'])[n % 3 + 1]::status, CASE WHEN n % 4 > 0 THEN 'note ' || n END,
    'caf\u00e9 ' || n, '2026-01-01 10:00:00+00'::timestamptz + n * interval '1 minute 1 microsecond',
    '2026-02-01'::timestamp + n * interval '1 hour', json_build_object('n', n, 'items', ARRAY[n, n + 1])::jsonb,
    n / 3.0::float8, decode(md5(n::text), 'hex'), ARRAY['a' || n, NULL, 'b,|']
FROM generate_series(1, 60) AS n;
"""

DEFECTS = {
    "row missing": "DELETE FROM t WHERE id = 17",
    "row extra": "INSERT INTO t (id, reference, account, amount, currency, status, created_at) "
    "SELECT 9000, reference, account, amount, currency, status, created_at FROM t WHERE id = 1",
    "one row in place of another": "UPDATE t SET id = 61 WHERE id = 60",
    "amount changed": "UPDATE t SET amount = amount + 0.01 WHERE id = 5",
    "sign of amount": "UPDATE t SET amount = -amount WHERE id = 5",
    "amounts that keep the sum": "UPDATE t SET amount = amount + CASE id WHEN 1 THEN 1 ELSE -1 END WHERE id IN (1, 2)",
    "NULL for a value": "UPDATE t SET fee = NULL WHERE id = 1",
    "value for NULL": "UPDATE t SET fee = 0 WHERE id = 5",
    "NULL for ''": "UPDATE t SET note = '' WHERE id = 4",
    "NULL for the text <null>": "UPDATE t SET note = '<null>' WHERE id = 4",
    "NULL for another column's NULL": "UPDATE t SET note = fee::text, fee = NULL WHERE id = 4",
    "trailing space": "UPDATE t SET note = note || ' ' WHERE id = 6",
    "letter case": "UPDATE t SET note = upper(note) WHERE id = 6",
    "NFC and NFD": "UPDATE t SET description = replace(description, U&'\\00e9', U&'e\\0301') WHERE id = 3",
    "character moved over a column's edge": "UPDATE t SET note = note || 'c', description = substr(description, 2) WHERE id = 2",
    "columns exchanged": "UPDATE t SET reference = account, account = reference WHERE id = 9",
    "values exchanged between two rows": "UPDATE t SET amount = CASE id WHEN 1 THEN 2.50 ELSE 1.25 END WHERE id IN (1, 2)",
    "texts exchanged between two rows": "UPDATE t SET note = CASE id WHEN 1 THEN 'note 2' ELSE 'note 1' END WHERE id IN (1, 2)",
    "timestamptz by a microsecond": "UPDATE t SET created_at = created_at + interval '1 microsecond' WHERE id = 8",
    "timestamp by a microsecond": "UPDATE t SET settled_at = settled_at + interval '1 microsecond' WHERE id = 8",
    "timestamptz by an hour": "UPDATE t SET created_at = created_at + interval '1 hour' WHERE id = 8",
    "jsonb value": "UPDATE t SET metadata = jsonb_set(metadata, '{n}', '0') WHERE id = 10",
    "jsonb sign": "UPDATE t SET metadata = jsonb_set(metadata, '{n}', '-10') WHERE id = 10",
    "jsonb number's scale": "UPDATE t SET metadata = jsonb_set(metadata, '{n}', '10.0') WHERE id = 10",
    "jsonb null for no key": "UPDATE t SET metadata = metadata || '{\"x\": null}' WHERE id = 10",
    "jsonb null for NULL": "UPDATE t SET metadata = CASE WHEN id = 10 THEN 'null'::jsonb END WHERE id = 10",
    "jsonb array order": "UPDATE t SET metadata = jsonb_set(metadata, '{items}', '[11, 10]') WHERE id = 10",
    "enum label": "UPDATE t SET status = 'settled' WHERE id = 3",
    "currency": "UPDATE t SET currency = 'EUR' WHERE id = 12",
    "last bit of a float": "UPDATE t SET rate = rate * (1 + 2.3e-16) WHERE id = 13",
    "negative zero": "UPDATE t SET rate = '-0' WHERE id = 60",
    "one byte": "UPDATE t SET raw = set_byte(raw, 0, (get_byte(raw, 0) + 1) % 256) WHERE id = 14",
    "array element": "UPDATE t SET tags[1] = 'A1' WHERE id = 1",
    "array NULL for the text NULL": "UPDATE t SET tags[2] = 'NULL' WHERE id = 1",
    "array bounds": "UPDATE t SET tags = '[0:2]={a1,NULL,\"b,|\"}' WHERE id = 1",
    "array element for two": "UPDATE t SET tags = ARRAY['a1', NULL, 'b', '|'] WHERE id = 1",
    "separator inside a text": "UPDATE t SET note = 'note|1' WHERE id = 1",
}


@pytest.fixture
def payments(pair: Any) -> Any:
    pair.on_both(PAYMENTS)
    # -0 and 0 compare equal in SQL: only the bits tell them apart.
    pair.on_both("UPDATE t SET rate = 0 WHERE id = 60")
    return pair


def test_equal_payments_pass(payments: Any) -> None:
    result = payments.compare()
    assert result["verdict"] == "PASS"
    assert result["rows"] == {"source": 60, "target": 60}
    assert result["checksum"]["source"] == result["checksum"]["target"]
    assert result["reason"] == ""
    assert result["notes"] == []


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_is_found(payments: Any, defect: str) -> None:
    payments.on_target(DEFECTS[defect])
    result = payments.compare()
    assert result["verdict"] == "FAIL"
    assert result["checksum"]["source"] != result["checksum"]["target"]
    source, target = result["rows"]["source"], result["rows"]["target"]
    assert result["reason"] == (
        "the counts agree, the contents differ"
        if source == target
        else f"{source} rows on the source, {target} on the target"
    )
    # Repaired, it passes again.
    payments.on_target("DELETE FROM t")
    payments.on_target(PAYMENTS[PAYMENTS.index("INSERT") :] + "UPDATE t SET rate = 0 WHERE id = 60")
    assert payments.compare()["verdict"] == "PASS"


def test_a_defect_on_the_source_is_found_as_well(payments: Any) -> None:
    payments.on_source(DEFECTS["row missing"])
    assert payments.compare()["rows"] == {"source": 59, "target": 60}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("(1, 'a'), (1, 'a'), (2, 'b')", "(1, 'a'), (2, 'b')"),
        ("(1, 'a'), (1, 'a'), (2, 'b')", "(1, 'a'), (2, 'b'), (2, 'b')"),
        ("(1, 'a'), (1, 'a')", "(1, 'a'), (1, 'a'), (1, 'a'), (1, 'a')"),
        ("(NULL, NULL), (1, 'a')", "(1, NULL), (NULL, 'a')"),
        ("(1, 'a'), (2, 'b')", "(2, 'a'), (1, 'b')"),
    ],
)
def test_tables_without_a_key_are_compared_as_multisets(pair: Any, source: str, target: str) -> None:
    pair.on_both("CREATE TABLE t (a int, b text)")
    pair.on_source(f"INSERT INTO t VALUES {source}")
    pair.on_target(f"INSERT INTO t VALUES {target}")
    assert pair.compare()["verdict"] == "FAIL"
    pair.on_target(f"DELETE FROM t; INSERT INTO t VALUES {source}")
    assert pair.compare()["verdict"] == "PASS"


@pytest.mark.parametrize(
    ("kind", "source", "target"),
    [
        ("text", "'x|y', 'z', NULL", "'x', 'y|z', NULL"),
        ("text", "'x', 'y', NULL", "'x', NULL, 'y'"),
        ("text", "'', NULL, NULL", "NULL, '', NULL"),
        ("text", "'1|1', 'a', NULL", "'1', '1|a', NULL"),
        ("int", "1, NULL, 2", "NULL, 1, 2"),
        ("int", "1, 2, NULL", "12, NULL, NULL"),
        ("int", "NULL, NULL, NULL", "0, 0, 0"),
        ("jsonb", "'[1]', NULL, '2'", "NULL, '[1]', '2'"),
    ],
)
def test_rows_that_would_read_the_same_if_joined_carelessly(pair: Any, kind: str, source: str, target: str) -> None:
    pair.on_both(f"CREATE TABLE t (a {kind}, b {kind}, c {kind})")
    pair.on_source(f"INSERT INTO t VALUES ({source})")
    pair.on_target(f"INSERT INTO t VALUES ({target})")
    assert pair.compare()["verdict"] == "FAIL"
    pair.on_target(f"DELETE FROM t; INSERT INTO t VALUES ({source})")
    assert pair.compare()["verdict"] == "PASS"


def test_a_swap_of_the_columns_a_hash_chain_would_confuse_is_found(pair: Any) -> None:
    pair.on_both("CREATE TABLE t (a bytea, b bytea, c uuid, d uuid)")
    pair.on_source("INSERT INTO t SELECT '\\x01', '\\x02', md5('1')::uuid, md5('2')::uuid")
    pair.on_target("INSERT INTO t SELECT '\\x02', '\\x01', md5('2')::uuid, md5('1')::uuid")
    assert pair.compare()["verdict"] == "FAIL"


def test_checksums_are_salted_anew_for_each_comparison(payments: Any) -> None:
    # A checksum of one row would otherwise let a reader of the report try card numbers against it.
    assert payments.compare()["checksum"] != payments.compare()["checksum"]
