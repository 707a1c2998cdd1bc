"""Canonical texts → SQL: a value as it is written, and as it is recognised in the table again.

No literal is cast to its column's type: PostgreSQL takes an unadorned one for the type of the column it meets, and then
refuses what does not fit, where a cast to varchar(n) or char(n) would cut it in silence.
https://www.postgresql.org/docs/current/typeconv-query.html
"""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Callable

from validator.naming import quote
from validator.wording import printable

_PLAIN = re.compile(r"[ !-&(-\[\]-~]*")  # printable ASCII but for ' and \
_HIDDEN = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp", "Zs"}
_COMBINING = {"Mn", "Me", "Mc"}
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\", "'": "''"}
_WIDEST_SHORT = 0xFFFF
_MODIFIER = re.compile(r"\([^)]*\)")
# The functions whose hexadecimal output stands for a value of the type; the comparison goes by it.
_SEND = {
    "real": "float4send",
    "double precision": "float8send",
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
_FLOATS = ("real", "double precision")
_DIGITS = {"real": 8, "double precision": 16, "money": 16, "interval": 32}  # of the binary form
_HEXADECIMAL = re.compile("(?:[0-9a-f]{2})+")
# Types whose own = tells apart what their texts tell apart, so that the guard may use it.
_BY_VALUE = (
    *("smallint", "integer", "bigint", "numeric", "uuid", "boolean", "date"),
    *("timestamp without time zone", "timestamp with time zone"),
)
_FOREVER = {
    struct.pack(">qii", 2**63 - 1, 2**31 - 1, 2**31 - 1): "infinity",
    struct.pack(">qii", -(2**63), -(2**31), -(2**31)): "-infinity",
}


def literal(text: str | None) -> str:
    """A string constant, NULL for None; characters that the eye cannot see are escapes in it.

    https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS-ESCAPE
    """
    if text is None:
        return "NULL"
    if _PLAIN.fullmatch(text):
        return f"'{text}'"
    decomposed = not unicodedata.is_normalized("NFC", text)
    written = "".join(_character(character, decomposed=decomposed) for character in text)
    return f"{'E' if chr(92) in written else ''}'{written}'"


def _character(character: str, *, decomposed: bool) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character.isascii() and character.isprintable():
        return character
    category = unicodedata.category(character)
    if category in _HIDDEN or (decomposed and category in _COMBINING):
        code = ord(character)
        return f"\\u{code:04X}" if code <= _WIDEST_SHORT else f"\\U{code:08X}"
    return character


def identifier(name: str) -> str:
    """A name as SQL; where the eye cannot see all of it, with escapes.

    https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
    """
    if name.isprintable():
        return quote(name)
    return "U&" + quote("".join(map(_escaped, name)))


def _escaped(character: str) -> str:
    if character.isprintable():
        return "\\\\" if character == "\\" else character
    code = ord(character)
    return f"\\{code:04X}" if code <= _WIDEST_SHORT else f"\\+{code:06X}"


def comment(text: str) -> str:
    """The text in one line of SQL comment, whatever it holds."""
    return f"-- {printable(text)}"


def written(text: str | None, type_: str) -> str | None:
    """The constant that gives a column of this type its value, None where `text` does not hold it for certain.

    `type_` is a format_type text, of a domain that of its base. Values of some types come as text, or in hexadecimal
    as their binary form where two texts would look the same; a few of those can be read here.
    """
    if text is None:
        return "NULL"
    plain = _plain(type_)
    if plain == "bytea":
        return literal(text) if text.startswith("\\x") else None
    if not _is_binary(text, plain):
        return literal(text)
    value = readable(text, type_)
    return None if value is None else literal(value)


def readable(text: str, type_: str) -> str | None:
    """The value that a binary form stands for, as PostgreSQL reads it; None for other texts and other types."""
    plain = _plain(type_)
    decode = _DECODERS.get(plain)
    # Digits only may as well be the number itself: PostgreSQL before 12 writes 17 of them.
    if decode is None or not _is_binary(text, plain) or (plain in _FLOATS and text.isdecimal()):
        return None
    return decode(bytes.fromhex(text))


def seen(column: str, text: str | None, type_: str) -> str:
    """The condition that a row's column still has this value, to the byte where the type allows more than one text."""
    name = identifier(column)
    plain = _plain(type_)
    if text is None or plain in _BY_VALUE:
        expression = name
    elif plain == "bytea":
        expression = name if text.startswith("\\x") else f"pg_catalog.md5({name})"
    elif _is_binary(text, plain):
        expression = f"encode(pg_catalog.{_function(plain)}({name}), 'hex')"
    else:
        expression = f'{name}::text COLLATE "C"'
    return f"{expression} IS NOT DISTINCT FROM {literal(text)}"


def found_by(column: str, text: str | None, type_: str) -> str:
    """The condition on a key's column, such that an index serves it."""
    plain = _plain(type_)
    if text is None or _function(plain) or plain == "bytea":
        return seen(column, text, type_)
    return f"{identifier(column)} = {literal(text)}"


def _plain(type_: str) -> str:
    """The type without its modifiers: `interval(3)` and `interval day to second` are interval."""
    plain = _MODIFIER.sub("", type_)
    return "interval" if plain.startswith("interval ") else plain


def _is_binary(text: str, plain: str) -> bool:
    """Whether the text is the hexadecimal binary form; the texts of all these types hold other signs or are shorter."""
    if _function(plain) is None or not _HEXADECIMAL.fullmatch(text):
        return False
    return len(text) == _DIGITS.get(plain, len(text))


def _function(plain: str) -> str | None:
    if plain.endswith("[]") and (plain[:-2] in _SEND or plain.startswith("interval ")):
        return "array_send"
    return _SEND.get(plain)


def _float(layout: str) -> Callable[[bytes], str]:
    def decode(data: bytes) -> str:
        (value,) = struct.unpack(layout, data)
        return repr(value).replace("inf", "Infinity").replace("nan", "NaN")

    return decode


def _interval(data: bytes) -> str:
    if data in _FOREVER:
        return _FOREVER[data]
    microseconds, days, months = struct.unpack(">qii", data)
    return f"{months} mons {days} days {microseconds} microseconds"


_DECODERS: dict[str, Callable[[bytes], str]] = {
    "real": _float(">f"),
    "double precision": _float(">d"),
    "interval": _interval,
}
