"""Types → canonical forms, and forms → SQL."""

from __future__ import annotations

from typing import Any

import pytest

from validator.canonical import Form, TypeFacts, form_of, forms_of_pair
from validator.catalog import Table, quote
from validator.expression import Term, checksum_query, row_text


def _built_in(name: str, base: str = "", **facts: Any) -> TypeFacts:
    return TypeFacts(base or name, base or name, "pg_catalog", name, "b", **facts)


@pytest.mark.parametrize(
    ("facts", "form"),
    [
        (_built_in("int8"), Form("number")),
        (_built_in("timestamptz"), Form("timestamptz")),
        (_built_in("float8"), Form("float8", "encode(float8send({}), 'hex')")),
        (_built_in("bytea"), Form("bytea", "md5({})")),
        (_built_in("varchar"), Form("text", "{}::text", free=True)),
        (_built_in("json"), Form("json", "{}::text", free=True)),
        (_built_in("bpchar", "character(3)"), Form("character(3)", "{}::text", free=True)),
        (_built_in("_int4", "integer[]", element=_built_in("int4")), Form("integer[]")),
        (
            _built_in("_float4", "real[]", element=_built_in("float4")),
            Form("real[]", "encode(array_send({}), 'hex')"),
        ),
        (TypeFacts("s.e", "s.e", "s", "e", "e"), Form("text", "{}::text", free=True)),
        (TypeFacts("s.citext", "s.citext", "s", "citext", "b", "citext"), Form("text", "{}::text", free=True)),
        (TypeFacts("s.citext", "s.citext", "s", "citext", "b"), None),
        (TypeFacts("s.geometry", "s.geometry", "s", "geometry", "b", "postgis"), None),
        (TypeFacts("s.hstore", "s.hstore", "s", "hstore", "b", "citext"), None),
        (_built_in("oid"), None),
        (_built_in("_oid", "oid[]", element=_built_in("oid")), None),
    ],
)
def test_the_form_of_a_type(facts: TypeFacts, form: Form | None) -> None:
    assert form_of(facts) == form


def test_a_type_of_a_user_with_a_built_in_name_is_not_the_built_in() -> None:
    assert form_of(TypeFacts("s.int4", "s.int4", "s", "int4", "b")) is None


def test_numbers_of_different_types_are_compared_by_value() -> None:
    narrow, wide = _built_in("numeric", "numeric(12,2)"), _built_in("numeric", "numeric(28,6)")
    forms = forms_of_pair(narrow, wide)
    assert forms is not None
    assert forms[0] == forms[1]
    assert "rtrim" in forms[0].template
    assert forms_of_pair(narrow, narrow) == (Form("number"), Form("number"))
    mixed = forms_of_pair(_built_in("int4"), wide)
    assert mixed is not None
    assert mixed[0] == Form("number")
    assert "rtrim" in mixed[1].template


@pytest.mark.parametrize(
    ("name", "sql"), [("a", '"a"'), ('a"b', '"a""b"'), ('";--', '""";--"'), ("", '""'), ("{}", '"{}"')]
)
def test_names_are_quoted(name: str, sql: str) -> None:
    assert quote(name) == sql


def _terms(*forms: Form) -> list[Term]:
    return [Term(f"c{place}", form) for place, form in enumerate(forms)]


def test_the_text_of_a_row() -> None:
    text = row_text(_terms(Form("text", "{}::text", free=True), Form("number")), "5a17", "UTF8")
    assert text == (
        "concat_ws('|', '5a17', "
        'CASE WHEN r."c0" IS NULL THEN 1 ELSE 0 END::bigint + CASE WHEN r."c1" IS NULL THEN 2 ELSE 0 END::bigint, '
        'r."c1", octet_length(r."c0"::text), r."c0"::text)'
    )


def test_a_name_that_looks_like_a_template_is_only_a_name() -> None:
    form = Form("number", "scale({})")
    assert 'scale(r."{}{0}")' in row_text([Term("{}{0}", form)], "00", "UTF8")


def test_no_call_has_too_many_arguments() -> None:
    text = row_text(_terms(*[Form("number")] * 1600), "00", "UTF8")
    assert text.count("CASE") == 1600
    # 1 salt, 26 masks of 62 columns, 1,600 values: 19 calls of at most 90, and one that joins them.
    assert text.count("concat_ws") == 20
    assert str(1 << 61) in text
    assert str(1 << 62) not in text


def test_the_checksum_of_a_table() -> None:
    table = Table('s"', "t")
    sql = checksum_query(table, _terms(Form("number")), salt="00", encoding="UTF8", only=True)
    assert 'FROM ONLY "s"""."t" AS r OFFSET 0' in sql
    assert "md5(concat_ws(" in sql
    latin = checksum_query(table, _terms(Form("text", free=True)), salt="00", encoding="LATIN1", only=False)
    assert 'FROM "s"""."t" AS r' in latin
    assert "md5(convert_to(concat_ws(" in latin
    assert "octet_length(convert_to(r.\"c0\", 'UTF8'))" in latin
    raw = checksum_query(table, _terms(Form("text", free=True)), salt="00", encoding="SQL_ASCII", only=False)
    assert "convert_to" not in raw
