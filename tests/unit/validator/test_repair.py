"""Differences → SQL: what it says, what it never says. That it works is shown with real servers."""

from __future__ import annotations

import json
import re
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.validator.reports import HOSTILE, TYPES, changed, differing, equal, extra, hostile, many, missing, table
from validator.literals import comment, found_by, identifier, literal, readable, seen, written
from validator.masking import Mask
from validator.repair import repair_sql
from validator.report import summarise


def _sql(*differences: dict[str, Any], most: int | None = None, cards: tuple[str, ...] = (), **changes: Any) -> str:
    document = Mask(cards).document(table("payments", "FAIL", *differences, **changes))
    return repair_sql(summarise("r", [document]), most=most)


def _statements(sql: str) -> list[str]:
    """The statements that write, each on one line."""
    lines = [line for line in sql.splitlines() if not line.startswith("--")]
    found = [" ".join(each.split()) for each in "\n".join(lines).split(";\n")]
    return [each for each in found if re.match("(UPDATE|INSERT|DELETE)", each)]


def _comments(sql: str) -> str:
    return "\n".join(line for line in sql.splitlines() if line.startswith("--"))


@pytest.mark.parametrize(
    ("text", "constant"),
    [
        (None, "NULL"),
        ("", "''"),
        ("it's", "'it''s'"),
        ("a\\b", r"E'a\\b'"),
        ("a\nb\r\t", r"E'a\nb\r\t'"),
        ("10\xa0000", r"E'10\u00A0000'"),
        ("\u202eabc", r"E'\u202Eabc'"),
        ("\U000e0001", r"E'\U000E0001'"),
        ("Café", "'Café'"),
        ("Cafe\u0301", r"E'Cafe\u0301'"),
        ("x'; DROP TABLE t; --", "'x''; DROP TABLE t; --'"),
        ("\\'; DROP TABLE t; --", r"E'\\''; DROP TABLE t; --'"),
    ],
)
def test_constants(text: str | None, constant: str) -> None:
    assert literal(text) == constant


@given(st.text())
def test_a_constant_ends_where_it_ends(text: str) -> None:
    constant = literal(text)
    assert re.fullmatch(r"'(?:[^'\\]|'')*'|E'(?:[^'\\]|''|\\[nrt\\]|\\u[0-9A-F]{4}|\\U[0-9A-F]{8})*'", constant)
    assert constant.isprintable()


@pytest.mark.parametrize(
    ("name", "written_as"),
    [
        ("payments", '"payments"'),
        ('a"b', '"a""b"'),
        ("Größe \\", '"Größe \\"'),
        ('a\nb"c\\', r'U&"a\000Ab""c\\"'),
        ("\u202ex\U000e0001", r'U&"\202Ex\+0E0001"'),
    ],
)
def test_names(name: str, written_as: str) -> None:
    assert identifier(name) == written_as


@given(st.text())
def test_a_comment_is_one_line(text: str) -> None:
    assert comment(text).isprintable()
    assert comment(text).startswith("-- ")


@pytest.mark.parametrize(
    ("text", "type_", "constant"),
    [
        (struct.pack(">d", 0.1).hex(), "double precision", "'0.1'"),
        (struct.pack(">d", -1.5).hex(), "double precision", "'-1.5'"),
        (struct.pack(">d", -0.0).hex(), "double precision", None),
        (struct.pack(">d", float("nan")).hex(), "double precision", "'NaN'"),
        (struct.pack(">d", float("-inf")).hex(), "double precision", "'-Infinity'"),
        (struct.pack(">f", 0.1).hex(), "real", "'0.10000000149011612'"),
        (struct.pack(">qii", 1, -2, 3).hex(), "interval", "'3 mons -2 days 1 microseconds'"),
        (struct.pack(">qii", 1, -2, 3).hex(), "interval(3)", "'3 mons -2 days 1 microseconds'"),
        (struct.pack(">qii", 0, 1, 0).hex(), "interval day to second(3)", "'0 mons 1 days 0 microseconds'"),
        (struct.pack(">qii", 2**63 - 1, 2**31 - 1, 2**31 - 1).hex(), "interval", "'infinity'"),
        (struct.pack(">qii", -(2**63), -(2**31), -(2**31)).hex(), "interval", "'-infinity'"),
        ("00000000000003e8", "money", None),
        ("40080000", "point", None),
        ("00000001", "double precision[]", None),
        ("00000001", "interval(3)[]", None),
        ("0.1", "double precision", "'0.1'"),
        ("1.5", "real", "'1.5'"),
        ("1234567812345678", "double precision", None),
        ("12345678", "real", None),
        ("1234", "double precision", "'1234'"),
        ("$10.00", "money", "'$10.00'"),
        ("P1M", "interval", "'P1M'"),
        ("(1,2)", "point", "'(1,2)'"),
        ("{1.5,NULL}", "double precision[]", "'{1.5,NULL}'"),
        ("\\x00ff", "bytea", r"E'\\x00ff'"),
        ("d41d8cd98f00b204e9800998ecf8427e", "bytea", None),
        ('{"\\\\x00"}', "bytea[]", """E'{"\\\\\\\\x00"}'"""),
        ("10.00", "numeric(12,2)", "'10.00'"),
        ("paid", "public.status", "'paid'"),
        (None, "point", "NULL"),
    ],
)
def test_what_can_be_written_back(text: str | None, type_: str, constant: str | None) -> None:
    assert written(text, type_) == constant


def test_only_binary_forms_are_read() -> None:
    assert readable("1.5", "double precision") is None
    assert readable("3ff8000000000000", "double precision") == "1.5"
    assert readable("3ff8000000000000", "text") is None


@pytest.mark.parametrize(
    ("text", "type_", "condition"),
    [
        ("17", "bigint", """"c" IS NOT DISTINCT FROM '17'"""),
        ("10.0", "numeric(12,2)", """"c" IS NOT DISTINCT FROM '10.0'"""),
        ("x ", "text", """"c"::text COLLATE "C" IS NOT DISTINCT FROM 'x '"""),
        ('{"a": 1.10}', "jsonb", """"c"::text COLLATE "C" IS NOT DISTINCT FROM '{"a": 1.10}'"""),
        ("2026-11-30 08:00:00+00", "timestamp(3) with time zone", """"c" IS NOT DISTINCT FROM '2026-11-30 08:00:00+00'"""),
        ("8000000000000000", "double precision",
         """encode(pg_catalog.float8send("c"), 'hex') IS NOT DISTINCT FROM '8000000000000000'"""),
        ("-0", "double precision", """"c"::text COLLATE "C" IS NOT DISTINCT FROM '-0'"""),
        ("00", "money[]", """encode(pg_catalog.array_send("c"), 'hex') IS NOT DISTINCT FROM '00'"""),
        ("d41d8cd98f00b204e9800998ecf8427e", "bytea",
         """pg_catalog.md5("c") IS NOT DISTINCT FROM 'd41d8cd98f00b204e9800998ecf8427e'"""),
        ("\\x00", "bytea", r""""c" IS NOT DISTINCT FROM E'\\x00'"""),
        (None, "point", '"c" IS NOT DISTINCT FROM NULL'),
    ],
)  # fmt: skip
def test_how_a_value_is_recognised(text: str | None, type_: str, condition: str) -> None:
    assert seen("c", text, type_) == condition


@pytest.mark.parametrize(
    ("text", "type_", "condition"),
    [
        ("17", "bigint", """"a""b" = '17'"""),
        ("x", "text", """"a""b" = 'x'"""),
        (None, "text", '"a""b" IS NOT DISTINCT FROM NULL'),
        (
            "00000000000000ff",
            "money",
            """encode(pg_catalog.cash_send("a""b"), 'hex') IS NOT DISTINCT FROM '00000000000000ff'""",
        ),
        ("00", "bytea", """pg_catalog.md5("a""b") IS NOT DISTINCT FROM '00'"""),
    ],
)
def test_how_a_key_is_found(text: str | None, type_: str, condition: str) -> None:
    assert found_by('a"b', text, type_) == condition


def test_each_kind_has_its_statement_guarded_by_what_was_seen() -> None:
    sql = _sql(
        missing(3, reference=None),
        changed(1, amount=("10.00", "10.01"), reference=(None, "x")),
        extra(2, reference=None),
    )
    assert _statements(sql) == [
        """DELETE FROM "public"."payments" WHERE "payment_id" = '2' AND "amount" IS NOT DISTINCT FROM '10.00' """
        """AND "currency"::text COLLATE "C" IS NOT DISTINCT FROM 'EUR' AND "reference" IS NOT DISTINCT FROM NULL """
        """AND encode(pg_catalog.float8send("rate"), 'hex') IS NOT DISTINCT FROM '3ff0000000000000' """
        """AND "created_at" IS NOT DISTINCT FROM '2026-11-30 08:00:00+00'""",
        """UPDATE "public"."payments" SET "amount" = '10.00', "reference" = NULL WHERE "payment_id" = '1' """
        """AND "amount" IS NOT DISTINCT FROM '10.01' AND "reference"::text COLLATE "C" IS NOT DISTINCT FROM 'x'""",
        """INSERT INTO "public"."payments" ("payment_id", "amount", "currency", "reference", "rate", "created_at") """
        """SELECT '3', '10.00', 'EUR', NULL, '1.0', '2026-11-30 08:00:00+00' """
        """WHERE NOT EXISTS (SELECT FROM "public"."payments" WHERE "payment_id" = '3')""",
    ]
    assert "-- public.payments: 3 differences\n" in sql
    assert "By hand" not in sql


def test_it_is_one_transaction_that_is_rolled_back() -> None:
    lines = _sql(missing(1)).splitlines()
    commands = [line for line in lines if line and not line.startswith(("--", " "))]
    assert commands[0] == "BEGIN;"
    assert commands[-1] == "ROLLBACK;"
    assert lines[-2:] == ["ROLLBACK;", "-- COMMIT;"]
    assert sum(line.startswith("COMMIT") for line in lines) == 0


def test_nothing_to_mend_is_no_script() -> None:
    assert repair_sql(equal()) == ""
    assert repair_sql(summarise("r", [table("t", "FAIL", reason="the table is missing on the target")])) == ""
    assert repair_sql(summarise("r", [table("t", "INCONCLUSIVE", missing(1))])) == ""


def test_generated_columns_are_left_out_and_identities_overridden() -> None:
    sql = _sql(
        missing(1), changed(2, amount=("1.00", "2.00"), currency=("A", "B")), changed(3, currency=("A", "B")),
        generated=["currency"], identity=["payment_id"],
    )  # fmt: skip
    update, insert = _statements(sql)
    assert update.startswith("""UPDATE "public"."payments" SET "amount" = '1.00' WHERE""")
    assert """"currency"::text COLLATE "C" IS NOT DISTINCT FROM 'B'""" in update
    assert """("payment_id", "amount", "reference", "rate", "created_at") OVERRIDING SYSTEM VALUE SELECT""" in insert
    assert """By hand: row changed, "payment_id" = '3'; update it yourself: all that differs is generated""" in sql


def test_an_identity_cannot_be_updated() -> None:
    sql = _sql(changed(2, amount=("1.00", "2.00")), identity=["amount"])
    assert _statements(sql) == []
    assert "amount cannot be written from here" in sql


def test_what_is_known_by_a_digest_only_is_left_to_the_reader() -> None:
    sql = _sql(
        changed(1, place=("40080000", "40080001")),
        changed(2, place=("40080000", "40080001"), amount=("1.00", "2.00")),
        missing(3, place="40080000"),
        extra(4, place="40080000"),
    )
    delete, update = _statements(sql)
    assert """encode(pg_catalog.point_send("place"), 'hex') IS NOT DISTINCT FROM '40080000'""" in delete
    assert update.startswith("""UPDATE "public"."payments" SET "amount" = '1.00' WHERE""")
    assert """encode(pg_catalog.point_send("place"), 'hex') IS NOT DISTINCT FROM '40080001'""" in update
    assert "-- By hand: the value of place (point) is not in the report; copy it from the source." in sql
    for kind, number in (("changed", 1), ("changed", 2), ("missing", 3)):
        assert f"""-- By hand: row {kind}, "payment_id" = '{number}';""" in sql


@pytest.mark.parametrize("difference", [changed(1, amount=("1", "2")), missing(1), extra(1)])
def test_without_types_nothing_is_written(difference: dict[str, Any]) -> None:
    sql = _sql(difference, types={**TYPES, "amount": "numeric"})
    assert len(_statements(sql)) == 1
    without = {name: type_ for name, type_ in TYPES.items() if name != "amount"}
    sql = _sql(difference, types=without)
    assert _statements(sql) == []
    assert "the type of amount is not known" in sql
    assert "By hand: the value of amount (type not known)" in sql


def test_a_difference_without_its_values_is_left_to_the_reader() -> None:
    sql = _sql({"kind": "missing", "key": {"payment_id": "1"}})
    assert _statements(sql) == []
    assert "the report does not hold its values" in sql
    several = {
        "kind": "changed",
        "key": {"payment_id": "1"},
        "note": "2 rows on the source, 1 on the target have this key",
    }
    sql = _sql(several)
    assert _statements(sql) == []
    assert "update it yourself: 2 rows on the source, 1 on the target have this key." in sql


CARD, OTHER = "4111111111111111", "5500005555555559"


def test_card_data_is_never_in_it() -> None:
    sql = _sql(
        changed(1, card_number=(CARD, OTHER), amount=("1", "2")),
        changed(2, amount=("1", "2")),
        missing(3, card_number=CARD),
        extra(4, card_number=CARD),
        cards=("card_number",),
    )
    (update,) = _statements(sql)
    assert """"payment_id" = '2'""" in update
    assert "•" not in sql
    assert not re.search(r"[0-9]{5}[^)]*[0-9]{6}•", sql)
    for kind, number, verb in (("changed", 1, "update"), ("missing", 3, "insert"), ("extra", 4, "delete")):
        assert f"""-- By hand: row {kind}, "payment_id" = '{number}'; {verb} it yourself""" in sql
    assert "copy it from the source" in sql


def test_rows_whose_key_is_card_data_are_only_counted() -> None:
    key = {"card_number": CARD}
    sql = _sql(
        {"kind": "changed", "key": key, "columns": {"amount": {"source": "1", "target": "2"}}},
        {"kind": "missing", "key": key},
        {"kind": "missing", "key": key},
        cards=("card_number",),
    )
    assert _statements(sql) == []
    assert "-- By hand: 1 row changed, whose key is masked;" in sql
    assert "-- By hand: 2 rows missing, whose key is masked;" in sql
    assert "411111" not in sql


def test_what_looks_masked_is_masked_whatever_the_document_says() -> None:
    document = table("payments", "FAIL", missing(1, reference="411111••••••1111"))
    sql = repair_sql(summarise("r", [document]))
    assert _statements(sql) == []
    assert "1111" not in sql


def test_what_the_document_calls_masked_is_masked_whatever_it_looks_like() -> None:
    sql = _sql(missing(1), changed(2, reference=("a", "b")), masked=["reference"])
    assert _statements(sql) == []
    assert "R-1" not in sql


def test_a_table_without_key_is_left_to_the_reader() -> None:
    row = {"at": "2026-11-30", "what": "it's\nnew"}
    sql = _sql({"kind": "missing", "key": {}, "row": {"source": row}}, {"kind": "extra", "key": {}}, key=[])
    assert _statements(sql) == []
    assert (
        r"""-- By hand, once: row missing in a table without key: "at" = '2026-11-30', "what" = E'it''s\nnew'""" in sql
    )
    assert "without key, 3 times: " in _sql(
        {"kind": "missing", "key": {}, "row": {"source": row}, "note": "3 times"}, key=[]
    )
    sql = _sql({"kind": "missing", "key": {}, "row": {"source": {"card_number": CARD}}}, cards=("card_number",), key=[])
    assert "in a table without key, with card data: masked here." in sql
    assert "411111" not in sql


def test_only_the_table_itself_is_touched_where_others_may_inherit() -> None:
    whole = _statements(_sql(missing(1), changed(2, amount=("1", "2")), extra(3), partitioned=False))
    assert [each.count('ONLY "public"."payments"') for each in whole] == [1, 1, 1]
    assert "ONLY" not in _sql(missing(1), changed(2, amount=("1", "2")), extra(3), partitioned=True)


def test_what_is_not_detailed_is_counted() -> None:
    sql = _sql(missing(1), changed={"count": 4_000, "keys": []})
    assert "-- 4,000 more are not detailed: compare again after this." in sql


def test_a_script_may_be_cut_and_says_so() -> None:
    report = many()
    sql = repair_sql(report, most=1_500)
    assert len(_statements(sql)) == 1_500
    assert sql.count("statements left out here; repair.sql has them all.") == 9
    assert sql.endswith("\nROLLBACK;\n-- COMMIT;\n")
    assert len(_statements(repair_sql(report))) == 10_000


def test_sequences_are_left_to_the_reader() -> None:
    sql = repair_sql(differing())
    assert """-- SELECT pg_catalog.setval('"public"."payments_id_seq"', 5000111);""" in sql
    assert "ledger_id_seq" not in sql
    unknown = [{"schema": "s", "name": 'a"b', "source": None, "target": 1, "verdict": "FAIL"}]
    sql = repair_sql(summarise("r", [table("t", "PASS")], sequences=unknown))
    assert """-- '"s"."a""b"': the source's value is not known.""" in sql


def test_hostile_names_and_values_break_out_of_nothing() -> None:
    sql = repair_sql(hostile())
    assert "\x1b" not in sql
    assert "\u202e" not in sql
    assert all(line.isprintable() for line in sql.splitlines())
    outside = re.sub(r"""(?m)^--.*$|"(?:[^"]|"")*"|E?'(?:[^'\\]|''|\\.)*'""", "?", sql)
    assert "alert" not in outside
    assert "UPDATE U&?.U&? SET U&? = ?" in outside


def test_a_report_read_from_its_file_makes_the_same_script() -> None:
    report = differing()
    assert repair_sql(json.loads(json.dumps(report))) == repair_sql(report)
    assert HOSTILE not in repair_sql(report)
