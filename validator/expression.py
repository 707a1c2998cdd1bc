"""Columns → SQL: the canonical text of a row, its hash, and the checksum of a table.

The text of a row is injective: two rows that differ in any value, in a NULL, or in which column a value stands in, have
different texts. It is made of the salt, a mask of the NULLs, the values of fixed alphabets, the length in bytes of each
free text, and the free texts, separated by |. (concat_ws leaves NULLs out; the mask says which.)

A row's hash is md5, 128 bits, on any PostgreSQL from 10 on. A table's checksum is the sums of both its halves: the
order of rows does not matter, duplicates count, no sum overflows, and sums of parts of a table add up. The hash covers
the whole row at once, so that values exchanged between two rows do not cancel out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from validator.canonical import Form
from validator.catalog import Table, quote

# A call takes at most 100 arguments, separator included. https://www.postgresql.org/docs/current/limits.html
_ARGUMENTS = 90
_MASK_BITS = 62
# In these encodings the server's bytes are compared as they are; those of others are converted to UTF-8 first.
_UNCONVERTED = ("UTF8", "SQL_ASCII")


@dataclass(frozen=True, slots=True)
class Term:
    """One column of one side, and the form that both sides compare it in."""

    column: str
    form: Form


def checksum_query(table: Table, terms: Sequence[Term], *, salt: str, encoding: str, only: bool) -> str:
    """SQL that gives one row: count, sum of the first halves of the row hashes, sum of the second.

    `salt` is hexadecimal and must be the same for both sides; `only` leaves out tables that inherit, which are compared
    by themselves (not for partitioned tables, whose rows all are in their partitions).
    """
    text = row_text(terms, salt, encoding)
    if encoding not in _UNCONVERTED:
        text = f"convert_to({text}, 'UTF8')"
    source = f"{'ONLY ' if only else ''}{quote(table.schema)}.{quote(table.name)}"
    return (
        "SELECT count(*), coalesce(sum(('x' || hash)::bit(64)::bigint), 0)::text, "
        "coalesce(sum(('x' || substr(hash, 17))::bit(64)::bigint), 0)::text "
        # OFFSET 0 keeps the planner from computing the hash once per use.
        f"FROM (SELECT md5({text}) AS hash FROM {source} AS r OFFSET 0) AS hashed"
    )


def row_text(terms: Sequence[Term], salt: str, encoding: str) -> str:
    """SQL of a row's canonical text, columns in the order of `terms`."""
    fixed = [_value(term) for term in terms if not term.form.free]
    free = [_value(term) for term in terms if term.form.free]
    if encoding in _UNCONVERTED:
        lengths = [f"octet_length({value})" for value in free]
    else:
        lengths = [f"octet_length(convert_to({value}, 'UTF8'))" for value in free]
    return _joined([f"'{salt}'", *_masks(terms), *fixed, *lengths, *free])


def _value(term: Term) -> str:
    return term.form.template.replace("{}", _reference(term))


def _reference(term: Term) -> str:
    return f"r.{quote(term.column)}"


def _masks(terms: Sequence[Term]) -> list[str]:
    """One bigint per 62 columns, a bit for each NULL; for columns declared NOT NULL too, it may be NOT VALID."""
    return [
        " + ".join(
            f"CASE WHEN {_reference(term)} IS NULL THEN {1 << bit} ELSE 0 END::bigint"
            for bit, term in enumerate(terms[start : start + _MASK_BITS])
        )
        for start in range(0, len(terms), _MASK_BITS)
    ]


def _joined(values: list[str]) -> str:
    while len(values) > _ARGUMENTS:
        values = [_call(values[start : start + _ARGUMENTS]) for start in range(0, len(values), _ARGUMENTS)]
    return _call(values)


def _call(values: list[str]) -> str:
    return f"concat_ws('|', {', '.join(values)})"
