"""Terms → SQL: what is hashed stands in it once, and no call is too long. That it is right, servers say elsewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest

from validator.canonical import Form
from validator.expression import RowSql, Term
from validator.naming import quote

TEXT = Form("text", "{}::text", free=True)
NUMBER = Form("number")
INTEGER = Form("number", integer=True)
UUID = Form("uuid")
BYTES = Form("bytea", "md5({})", display="{}::text")


def _terms(*forms: Form, nullable: bool = True) -> tuple[Term, ...]:
    return tuple(Term(f"c{place}", form, nullable, '"pg_catalog"."x"') for place, form in enumerate(forms))


def _rows(*forms: Form, key: tuple[Term, ...] = (), **changes: Any) -> RowSql:
    given = {"hash": "fast", "encoding": "UTF8", "seed": 7, "nullable": True, **changes}
    terms = _terms(*forms, nullable=given.pop("nullable"))
    return RowSql(terms, key, **given)


@pytest.mark.parametrize(
    ("name", "sql"), [("a", '"a"'), ('a"b', '"a""b"'), ('";--', '""";--"'), ("", '""'), ("{}", '"{}"')]
)
def test_names_are_quoted(name: str, sql: str) -> None:
    assert quote(name) == sql


def test_the_fast_hash_of_a_row() -> None:
    assert _rows(TEXT, NUMBER, UUID, nullable=False).row_hash() == (
        'hashtextextended(concat_ws(\'|\', r."c1") COLLATE "C", '
        'uuid_hash_extended(r."c2", hashtextextended(r."c0"::text COLLATE "C", 7)))'
    )
    assert _rows(UUID, TEXT).row_hash() == (
        "hashtextextended(concat_ws('|', CASE WHEN r.\"c0\" IS NULL THEN 1 ELSE 0 END::bigint + "
        'CASE WHEN r."c1" IS NULL THEN 2 ELSE 0 END::bigint) COLLATE "C", '
        'hashtextextended(coalesce(r."c1"::text, \'\') COLLATE "C", '
        "uuid_hash_extended(coalesce(r.\"c0\", '00000000-0000-0000-0000-000000000000'::uuid), 7)))"
    )
    assert _rows().row_hash() == "7"


def test_the_md5_of_a_row() -> None:
    assert _rows(TEXT, NUMBER, hash="md5").row_hash() == (
        "(md5(concat_ws('|', '7', "
        'CASE WHEN r."c0" IS NULL THEN 1 ELSE 0 END::bigint + CASE WHEN r."c1" IS NULL THEN 2 ELSE 0 END::bigint, '
        'r."c1", octet_length(r."c0"::text), r."c0"::text)) COLLATE "C")'
    )
    latin = _rows(TEXT, hash="md5", encoding="LATIN1").row_hash()
    assert "md5(convert_to(concat_ws(" in latin
    assert "octet_length(convert_to(r.\"c0\"::text, 'UTF8'))" in latin
    assert "convert_to" not in _rows(TEXT, hash="md5", encoding="SQL_ASCII").row_hash()


@pytest.mark.parametrize("hashed", ["fast", "md5"])
@pytest.mark.parametrize("form", [NUMBER, TEXT, UUID])
def test_no_call_has_too_many_arguments_and_no_mask_too_many_bits(hashed: str, form: Form) -> None:
    sql = _rows(*[form] * 1600, hash=hashed).row_hash()
    for place in range(1600):
        assert sql.count(f'WHEN r."c{place}" IS NULL') == 1
        assert len(re.findall(rf'r\."c{place}"(?! IS NULL)', sql)) == (2 if (hashed, form) == ("md5", TEXT) else 1)
    assert str(1 << 61) in sql
    assert str(1 << 62) not in sql
    assert _most_arguments(sql) <= 100


def _most_arguments(sql: str) -> int:
    """The most arguments that any call has: commas between the same parentheses, and one."""
    counts, most = [0], 0
    for character in sql:
        if character == "(":
            counts.append(1)
        elif character == ")":
            most = max(most, counts.pop())
        elif character == ",":
            counts[-1] += 1
    return most


def test_a_name_that_looks_like_a_template_is_only_a_name() -> None:
    term = Term("{}{0}", Form("number", "scale({})", display="{}::text"))
    assert term.value == 'scale(r."{}{0}")'
    assert term.display == '(r."{}{0}"::text)::text'


def test_integers_are_keys_as_they_are() -> None:
    [key] = _terms(INTEGER, nullable=False)
    rows = _rows(INTEGER, key=(key,))
    assert rows.key_bits() == (
        '((r."c0"::bigint # (r."c0"::bigint >> 11) # (r."c0"::bigint >> 22) # (r."c0"::bigint >> 41)) & 2147483647)'
    )
    assert rows.key_hash() == (
        'hashint8extended(r."c0"::bigint >> 32, hashint8extended(r."c0"::bigint & 4294967295, 7))'
    )
    assert rows.key_line() == "concat_ws(',', r.\"c0\")"
    assert rows.key_fields("-5") == ["-5", "-5"]
    assert rows.key_text(0, "-5") == "-5"
    # As a bigint, for the other side's may be one.
    assert rows.has_key(["w", "k"]) == 'r."c0" = k::bigint AND concat_ws(\',\', r."c0") = w'


def test_keys_of_several_columns() -> None:
    key = (
        Term("a", TEXT, nullable=False, type='"pg_catalog"."text"'),
        Term("b", BYTES, nullable=False, type='"pg_catalog"."bytea"'),
        Term("c", TEXT, nullable=False, type='"s"."enum"'),
        Term("d", NUMBER, nullable=False, type='"pg_catalog"."numeric"'),
    )
    rows = RowSql(key, key, "fast", "UTF8", 7)
    word = "c3a92c,ff2c,6f6e65,312e3530"
    assert rows.key_fields(word) == [word, "é,", "ff2c", "6f6e65", "1.50"]
    assert [rows.key_text(place, value) for place, value in enumerate(word.split(","))] == [
        "é,",
        "\\xff2c",
        "one",
        "1.50",
    ]
    has_key = rows.has_key(["w", "k0", "k1", "k2", "k3"])
    assert has_key.startswith(
        'r."a" = k0::"pg_catalog"."text" AND r."b" = decode(k1, \'hex\') '
        "AND convert_to(r.\"c\"::text, 'UTF8') = decode(k2, 'hex') AND r.\"d\" = k3::numeric AND concat_ws("
    )
    assert has_key.endswith(" = w")
    for encoding in ("LATIN1", "SQL_ASCII"):
        # A letter that the server cannot write is looked for by its bytes.
        other = RowSql(key, key, "md5", encoding, 7)
        assert other.key_fields(word) == [word, "c3a92c", "ff2c", "6f6e65", "1.50"]
        assert f"convert_to(r.\"a\"::text, '{'UTF8' if encoding == 'LATIN1' else encoding}') = decode(k0, 'hex')" in (
            other.has_key(["w", "k0", "k1", "k2", "k3"])
        )
    assert rows.key_bits() == f"({rows.key_hash()} & 2147483647)"
    md5 = RowSql(key, key, "md5", "UTF8", 7)
    assert md5.key_bits() == f"(('x' || {md5.key_hash()})::bit(31)::int & 2147483647)"


def test_bytes_that_are_no_text_are_no_key_of_a_database_in_utf8() -> None:
    key = (Term("a", TEXT, nullable=False, type='"pg_catalog"."text"'),)
    assert RowSql(key, key, "md5", "UTF8", 7).key_fields("ff") == ["ff", "\ufffd"]


def test_sums_and_bits() -> None:
    assert _rows(NUMBER).sums("h") == "coalesce(sum(h), 0)::text"
    assert _rows(NUMBER).low_bits("h") == "(h & 2147483647)"
    md5 = _rows(NUMBER, hash="md5")
    assert md5.sums("h") == (
        "concat_ws(' ', coalesce(sum(('x' || h)::bit(64)::bigint), 0), "
        "coalesce(sum(('x' || substr(h, 17))::bit(64)::bigint), 0))"
    )
    assert md5.low_bits("h") == "(('x' || h)::bit(31)::int & 2147483647)"
