"""The repair, run on a real target: afterwards the comparison passes; a row that has changed since is left alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from validator.masking import Mask
from validator.repair import repair_sql
from validator.report import summarise

TABLE = """
CREATE TYPE status AS ENUM ('open', 'paid | "settled"');
CREATE DOMAIN cents AS numeric(12,2);
CREATE TABLE t (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount numeric(12,2), free numeric, fee cents, code char(3), name text,
    "odd ""name""
" varchar(40), state status, small real, big double precision, price money, span interval, place point, raw bytea,
    doc json, data jsonb, at timestamptz, day date, moment timestamp, tags text[], floats double precision[], flag boolean,
    ref uuid, net inet, bits bit(4), span_of int4range, doubled numeric GENERATED ALWAYS AS (amount * 2) STORED
);
INSERT INTO t (amount, free, fee, code, name, "odd ""name""
", state, small, big, price, span, place, raw, doc, data, at, day, moment, tags, floats, flag, ref, net, bits, span_of)
SELECT n, n * 1.10, n, 'ab', 'it''s \\ ' || n, E'line\\nand\\ttab', 'paid | "settled"', 0.1 + n, 1.0 / n, n, n * '1 month 2 days 0.000003 s'::interval,
    point(n, 0.1), decode(lpad(n::text, 4, '0'), 'hex'), '{"b":1, "a" : 2}', '{"n": 1.10}', '2026-11-30 08:00:00.000001+00',
    '2026-11-30', '2026-11-30 08:00', ARRAY['x', NULL, 'a,b'], ARRAY[0.1, 'NaN'::float8], true,
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.0.0.1', B'1010', int4range(1, 5)
FROM generate_series(1, 40) AS n
"""
DEFECTS = """
UPDATE t SET amount = -amount WHERE id = 1;
UPDATE t SET free = free::numeric(20, 6) WHERE id = 2;
UPDATE t SET fee = 0, code = 'X' WHERE id = 3;
UPDATE t SET name = name || ' ', "odd ""name""
" = NULL WHERE id = 4;
UPDATE t SET name = NULL, state = 'open' WHERE id = 5;
UPDATE t SET small = 7, big = big + 1e-15 WHERE id = 6;
UPDATE t SET big = '-0' WHERE id = 7;
UPDATE t SET price = '$99.99', span = '1 day' WHERE id = 8;
UPDATE t SET place = point(0, 0), raw = NULL WHERE id = 9;
UPDATE t SET doc = '{"b":1, "a" :  2}', data = '{"n": 1.1}' WHERE id = 10;
UPDATE t SET at = at - interval '1 us' WHERE id = 11;
UPDATE t SET day = 'infinity', moment = '24:00:00'::time + '2026-11-30'::date WHERE id = 12;
UPDATE t SET tags = '[2:3]={x,y}', floats = '{0.2}', flag = false WHERE id = 13;
UPDATE t SET ref = NULL, net = '10.0.0.2', bits = B'0000', span_of = 'empty' WHERE id = 14;
DELETE FROM t WHERE id IN (20, 21);
INSERT INTO t (id, amount, name) OVERRIDING SYSTEM VALUE VALUES (-1, 1, 'extra'), (1000, NULL, NULL);
"""


def _statements(sql: str, kinds: Iterable[str] = ("UPDATE", "INSERT", "DELETE")) -> int:
    return sum(line.startswith(tuple(kinds)) for line in sql.splitlines())


def _repair(document: dict[str, Any], *cards: str) -> str:
    return repair_sql(summarise("r", [Mask(cards).document(document)]))


def _committed(sql: str) -> str:
    return sql.replace("\nROLLBACK;\n-- COMMIT;", "\nCOMMIT;")


def test_the_target_is_made_equal_in_every_type(pair: Any) -> None:
    pair.on_both(TABLE)
    pair.on_target(DEFECTS)
    found = pair.compare()
    assert (found["missing"]["count"], found["extra"]["count"], found["changed"]["count"]) == (2, 2, 14)
    sql = _repair(found)
    assert "By hand" not in sql
    assert _statements(sql) == 18
    pair.target.run(sql)
    assert pair.compare()["changed"]["count"] == 14, "it ends in ROLLBACK"
    pair.target.run(_committed(sql))
    after = pair.compare()
    assert (after["verdict"], after["differences"]) == ("PASS", [])
    pair.target.run(_committed(sql))
    assert pair.compare()["verdict"] == "PASS", "a second time it finds nothing to do"


def test_a_row_that_has_changed_since_is_left_alone(pair: Any) -> None:
    pair.on_both(TABLE)
    pair.on_target("""
        UPDATE t SET name = 'wrong' WHERE id IN (1, 2); UPDATE t SET free = 0 WHERE id = 3; DELETE FROM t WHERE id = 4;
        INSERT INTO t (id, name) OVERRIDING SYSTEM VALUE VALUES (-1, 'extra')
    """)
    sql = _repair(pair.compare())
    assert _statements(sql) == 5
    pair.on_target("""
        UPDATE t SET name = 'newer' WHERE id = 1; UPDATE t SET free = NULL WHERE id = 3;
        UPDATE t SET name = 'newer' WHERE id = -1;
        INSERT INTO t (id, name) OVERRIDING SYSTEM VALUE VALUES (4, 'newer')
    """)
    pair.target.run(_committed(sql))
    rows = pair.on_target("SELECT id, name, free IS NULL FROM t WHERE id IN (-1, 1, 2, 3, 4) ORDER BY id")
    assert [row[1] for row in rows] == ["newer", "newer", "it's \\ 2", "it's \\ 3", "newer"]
    assert rows[3][2] is True


def test_names_and_keys_of_the_worst_kind(pair: Any) -> None:
    name = 'x"; DROP TABLE t;--\n\u202e'
    quoted = '"' + name.replace('"', '""') + '"'
    pair.on_both(f"""
        CREATE TABLE {quoted} (a text, b uuid, {quoted} text, PRIMARY KEY (a, b));
        INSERT INTO {quoted} SELECT E'\\\\ '' " \n\u202e' || n, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', $$'; DROP TABLE t;--$$
        FROM generate_series(1, 3) AS n
    """)
    pair.on_target(f"""
        UPDATE {quoted} SET {quoted} = E'\\\\' WHERE a LIKE '%1'; DELETE FROM {quoted} WHERE a LIKE '%2';
        INSERT INTO {quoted} VALUES (E'\\\\', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', NULL)
    """)
    sql = _repair(pair.compare(name))
    assert _statements(sql) == 3
    pair.target.run(_committed(sql))
    assert pair.compare(name)["verdict"] == "PASS"


def test_a_partitioned_table_and_what_inherits(pair: Any) -> None:
    pair.on_both("""
        CREATE TABLE t (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
        CREATE TABLE t_2 PARTITION OF t DEFAULT;
        INSERT INTO t SELECT n, '2026-06-29'::date + n FROM generate_series(1, 4) AS n
    """)
    pair.on_target("DELETE FROM t WHERE id = 3; UPDATE t SET day = '2026-01-01' WHERE id = 1")
    pair.target.run(_committed(_repair(pair.compare())))
    assert pair.compare()["verdict"] == "PASS"


def test_card_data_never_leaves(pair: Any) -> None:
    pair.on_both("""
        CREATE TABLE t (id int PRIMARY KEY, card text, amount numeric);
        INSERT INTO t VALUES (1, '4111111111111111', 1), (2, '4111111111111111', 1), (3, '5500005555555559', 1)
    """)
    pair.on_target(
        "UPDATE t SET card = '4111111211111111' WHERE id = 1; UPDATE t SET amount = 2 WHERE id = 2; DELETE FROM t WHERE id = 3"
    )
    sql = _repair(pair.compare(), "card")
    assert _statements(sql) == 1
    assert "1111" not in sql
    assert sql.count("By hand: row") == 2
    pair.target.run(_committed(sql))
    after = pair.compare()
    assert (after["changed"]["count"], after["missing"]["count"]) == (1, 1)


def test_from_an_old_version_to_a_new_one(mixed_pair: Any) -> None:
    columns = "id int PRIMARY KEY, big double precision, span interval, price money, at timestamptz"
    mixed_pair.on_both(f"CREATE TABLE t ({columns})")
    mixed_pair.on_source(
        "INSERT INTO t SELECT n, n / 3.0, n * '1 s'::interval, n, '2026-01-01'::timestamptz + n * '1 s'::interval FROM generate_series(1, 9) AS n"
    )
    mixed_pair.on_target(
        "INSERT INTO t SELECT n, n / 7.0, n * '1 m'::interval, n * 2, '2026-01-01' FROM generate_series(1, 5) AS n"
    )
    sql = _repair(mixed_pair.compare())
    assert _statements(sql) == 9
    mixed_pair.target.run(_committed(sql))
    assert mixed_pair.compare()["verdict"] == "PASS"
