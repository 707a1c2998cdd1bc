"""The canonical form of a value, type by type: which columns can be compared, and by what text.

Two values are equal when their canonical texts are the same bytes. The rules, where types leave room:

* NULL equals only NULL; '' and the text '<null>' are values.
* Text is compared by its bytes in UTF-8: case, trailing blanks and the Unicode forms NFC and NFD all count. Only
  char(n) is compared without its padding.
* numeric counts its scale (1.0 is not 1.00) where both sides declare the same type; where they declare different ones
  it is compared by value.
* Floats, money and intervals are compared by their binary form: -0.0 is not 0.0, one month is not 30 days.
* jsonb is compared as PostgreSQL keeps it (no key order, 1.10 is not 1.1), json by its very text.
* Enums are compared by label, arrays with their bounds.

PostgreSQL's own hash functions per type are not used: they leave out the sign of numerics, fold bigints to 32 bits and
hash enums by oid.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """What the catalogue says of a column's type, domains resolved to their base.

    `declared` and `base` are format_type texts ("numeric(12,2)"); `sort` is pg_type.typtype; `extension` is the
    one that owns the type; `element` is set for arrays.
    """

    declared: str
    base: str
    schema: str
    name: str
    sort: str
    extension: str | None = None
    element: TypeFacts | None = None

    @property
    def built_in(self) -> bool:
        """Whether the type is PostgreSQL's own."""
        return self.schema == "pg_catalog"


@dataclass(frozen=True, slots=True)
class Form:
    """How a value is written: `template` makes SQL of a column reference, which stands in each `{}`.

    Values of one `family` can be compared across sides. `free` text may hold any character, so that its length is
    hashed beside it; other forms hold no | or delimit themselves. `integer`: a whole number of at most 64 bits.
    `display` is for people, where the compared form is not.
    """

    family: str
    template: str = "{}"
    free: bool = False
    integer: bool = False
    display: str = ""


def _free(family: str) -> Form:
    return Form(family, "{}::text", free=True)


_INTEGERS = ("int2", "int4", "int8")
# Their output holds digits, signs, letters and . : / - only, or delimits itself by brackets and quotes.
_PLAIN = (
    *("bool", "date", "time", "timetz", "timestamp", "timestamptz", "uuid", "bit", "varbit", "jsonb"),
    *("inet", "cidr", "macaddr", "macaddr8", "pg_lsn"),
    *("int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange"),
    *("int4multirange", "int8multirange", "nummultirange", "datemultirange", "tsmultirange", "tstzmultirange"),
)
# Their text depends on the version or on settings of the server, their wire form does not.
_BINARY = {
    "float4": "float4send",
    "float8": "float8send",
    "money": "cash_send",
    "interval": "interval_send",
    "point": "point_send",
    "lseg": "lseg_send",
    "line": "line_send",
    "box": "box_send",
    "path": "path_send",
    "polygon": "poly_send",
    "circle": "circle_send",
}
_TEXT = ("text", "varchar", "name")
_OTHER_TEXT = ("json", "xml", "tsvector", "tsquery", "char")
_EXTENSION_TEXT = {"citext": "text", "hstore": "hstore"}
_BY_VALUE = "CASE WHEN scale({}) > 0 THEN rtrim(rtrim({}::text, '0'), '.') ELSE {}::text END"


def form_of(facts: TypeFacts) -> Form | None:
    """The canonical form of a type, or None when it has none here and its columns cannot be judged."""
    if facts.element is not None:
        return _array_form(facts, facts.element)
    if facts.sort == "e":
        return _free("text")
    if facts.built_in:
        return _built_in_form(facts)
    if facts.extension == facts.name and facts.name in _EXTENSION_TEXT:
        return _free(_EXTENSION_TEXT[facts.name])
    return None


def forms_of_pair(source: TypeFacts, target: TypeFacts) -> tuple[Form, Form] | None:
    """The forms that one column is compared in on each side, or None when its two types cannot be compared."""
    left, right = form_of(source), form_of(target)
    if left is None or right is None or left.family != right.family:
        return None
    if left.family == "number" and source.base != target.base and not (left.integer and right.integer):
        return _by_value(source, left), _by_value(target, right)
    return left, right


def _built_in_form(facts: TypeFacts) -> Form | None:
    name = facts.name
    if name in _INTEGERS:
        return Form("number", integer=True)
    if name == "numeric":
        return Form("number")
    if name in _PLAIN:
        return Form(name)
    if name in _BINARY:
        return Form(name, f"encode({_BINARY[name]}({{}}), 'hex')", display="{}::text")
    if name == "bytea":
        return Form(name, "md5({})", display="{}::text")
    if name in _TEXT:
        return _free("text")
    if name in _OTHER_TEXT:
        return _free(name)
    if name == "bpchar":
        # Cast to text, a char(n) loses its padding; so two lengths of it are not compared.
        return _free(facts.base)
    return None


def _array_form(facts: TypeFacts, element: TypeFacts) -> Form | None:
    form = form_of(element)
    if form is None:
        return None
    if element.built_in:
        if element.name in _BINARY:
            return Form(facts.base, "encode(array_send({}), 'hex')", display="{}::text")
        return Form(facts.base)
    return Form(f"{form.family}[]")


def _by_value(facts: TypeFacts, form: Form) -> Form:
    return Form("number", _BY_VALUE) if facts.name == "numeric" else Form(form.family, form.template)
