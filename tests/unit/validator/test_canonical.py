"""Types → canonical forms."""

from __future__ import annotations

from typing import Any

import pytest

from validator.canonical import Form, TypeFacts, form_of, forms_of_pair


def _built_in(name: str, base: str = "", **facts: Any) -> TypeFacts:
    return TypeFacts(base or name, base or name, "pg_catalog", name, "b", **facts)


@pytest.mark.parametrize(
    ("facts", "form"),
    [
        (_built_in("int8"), Form("number", integer=True)),
        (_built_in("timestamptz"), Form("timestamptz")),
        (_built_in("float8"), Form("float8", "encode(float8send({}), 'hex')", display="{}::text")),
        (_built_in("bytea"), Form("bytea", "md5({})", display="{}::text")),
        (_built_in("varchar"), Form("text", "{}::text", free=True)),
        (_built_in("json"), Form("json", "{}::text", free=True)),
        (_built_in("bpchar", "character(3)"), Form("character(3)", "{}::text", free=True)),
        (_built_in("_int4", "integer[]", element=_built_in("int4")), Form("integer[]")),
        (
            _built_in("_float4", "real[]", element=_built_in("float4")),
            Form("real[]", "encode(array_send({}), 'hex')", display="{}::text"),
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


def test_integers_of_any_width_are_compared_as_they_are() -> None:
    forms = forms_of_pair(_built_in("int4"), _built_in("int8"))
    assert forms == (Form("number", integer=True), Form("number", integer=True))


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (_built_in("timestamp"), _built_in("timestamptz")),
        (_built_in("oid"), _built_in("oid")),
        (_built_in("int4"), _built_in("oid")),
        (_built_in("oid"), _built_in("int4")),
        (_built_in("bpchar", "character(3)"), _built_in("bpchar", "character(4)")),
    ],
)
def test_types_that_have_no_form_in_common(source: TypeFacts, target: TypeFacts) -> None:
    assert forms_of_pair(source, target) is None
