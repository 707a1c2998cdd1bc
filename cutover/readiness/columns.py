"""The columns: types that DMS changes or does not carry, generated values.

https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Source.PostgreSQL.html#CHAP_Source-PostgreSQL-DataTypes
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cutover.database import Session
from cutover.names import dotted
from cutover.readiness.findings import Finding, Severity

_GENERATED_SINCE = 120000
_MOST_DIGITS = 38

# Domains resolved to what they stand on, arrays to their element.
_COLUMNS = """
WITH RECURSIVE resolved (relation, number, type, modifier, is_array, is_lo) AS (
    SELECT a.attrelid, a.attnum, a.atttypid, a.atttypmod, false, false
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND c.relname NOT LIKE 'awsdms%' AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT relation, number,
        CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END,
        CASE WHEN t.typtype = 'd' AND t.typtypmod >= 0 THEN t.typtypmod ELSE modifier END,
        is_array OR t.typtype <> 'd', is_lo OR t.typname = 'lo'
    FROM resolved JOIN pg_type t ON t.oid = type
    WHERE t.typtype = 'd' OR t.typelem <> 0 AND t.typlen = -1 AND t.typcategory = 'A'
)
SELECT n.nspname::text, c.relname::text, a.attname::text, t.typname::text, t.typtype::text,
    s.nspname = 'pg_catalog', r.modifier, r.is_array, r.is_lo, a.attidentity::text, {generated}
FROM resolved r
    JOIN pg_attribute a ON a.attrelid = r.relation AND a.attnum = r.number
    JOIN pg_class c ON c.oid = r.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = r.type JOIN pg_namespace s ON s.oid = t.typnamespace
WHERE t.typtype <> 'd' AND NOT (t.typelem <> 0 AND t.typlen = -1 AND t.typcategory = 'A')
ORDER BY 1, 2, a.attnum
"""
_PLAIN = ("int2", "int4", "int8", "numeric", "float4", "float8", "bool", "date", "uuid", "bpchar", "varchar", "char")
_TIMES = ("timestamp", "timestamptz", "time", "timetz")
# These go as text and come back as the type of the target's column, which the runbook has made first.
_AS_TEXT = (
    *("interval", "cidr", "inet", "macaddr", "bit", "varbit", "money", "name"),
    *("point", "line", "lseg", "box", "circle", "int4range", "int8range", "numrange"),
)
_AS_LOB = ("text", "bytea", "json", "jsonb", "xml", "tsvector", "tsquery", "path", "polygon", "citext", "hstore")


@dataclass(frozen=True, slots=True)
class _Column:
    schema: str
    table: str
    name: str
    type: str
    sort: str
    built_in: bool
    modifier: int
    is_array: bool
    is_lo: bool
    identity: str
    generated: str

    def found(self, severity: Severity, code: str, text: str, remedy: str) -> Finding:
        return Finding(severity, code, dotted(dotted(self.schema, self.table), self.name), text, remedy)


def check(session: Session, schemas: Sequence[str]) -> Iterator[Finding]:
    """All of it; a column may be found more than once, for more than one reason."""
    generated = "a.attgenerated::text" if session.version >= _GENERATED_SINCE else "''"
    for row in session.query(_COLUMNS.format(generated=generated), schemas=list(schemas)):
        column = _Column(*row)
        yield from _numeric(column)
        yield from _carried(column)
        yield from _computed(column)


def _numeric(column: _Column) -> Iterator[Finding]:
    if column.type != "numeric":
        return
    if column.modifier < 0:
        yield column.found(
            "blocker",
            "unbounded-numeric",
            "it is NUMERIC without precision: DMS carries 28 digits of it, six of them decimals, and rounds the rest",
            "ALTER TABLE … ALTER COLUMN … TYPE numeric(p, s) with the digits that it needs, 38 at most",
        )
    # https://github.com/postgres/postgres/blob/master/src/backend/utils/adt/numeric.c: make_numeric_typmod()
    elif (precision := (column.modifier - 4) >> 16 & 0xFFFF) > _MOST_DIGITS:
        yield column.found(
            "warning",
            "wide-numeric",
            f"it is NUMERIC of {precision} digits, and DMS carries more than {_MOST_DIGITS} as text",
            "let the final validation decide, or reduce its precision",
        )


def _carried(column: _Column) -> Iterator[Finding]:
    if column.is_lo or column.type == "oid":
        yield column.found(
            "blocker",
            "oid-column",
            "it holds object ids, and what they mean (mostly a large object) is something else on the target",
            "move the large objects into a bytea column; if it is a plain number, make it bigint",
        )
    elif column.is_array or column.sort == "c" or column.type in _AS_LOB:
        yield column.found(
            "note",
            "lob-column",
            "DMS carries it as a LOB of at most max_lob_kib, in text form; its task stops at a larger one",
            "params migration.max_lob_kib is above its longest value: SELECT max(octet_length(column::text))",
        )
    elif column.sort == "e" or (column.built_in and column.type in _AS_TEXT):
        yield column.found(
            "note",
            "type-as-text",
            "DMS carries this type as text, and the target reads it back",
            "python -m cutover schema makes the column of the source's type; the validator proves the values",
        )
    elif not (column.built_in and column.type in (*_PLAIN, *_TIMES)):
        yield column.found(
            "warning",
            "type-unlisted",
            f"the type {column.type} is not among those that DMS documents for a PostgreSQL source",
            "try it with rows of every kind, and let the validator compare; or change it to a listed type",
        )


def _computed(column: _Column) -> Iterator[Finding]:
    if column.generated:
        yield column.found(
            "warning",
            "generated-column",
            "its value is computed: the target refuses an INSERT that brings one, as DMS's would",
            "leave the column out by a remove-column rule in the table mapping; the target computes it again",
        )
    if column.identity == "a":
        yield column.found(
            "warning",
            "identity-always",
            "it is GENERATED ALWAYS AS IDENTITY: the target refuses an INSERT that brings a value, as DMS's would",
            "ALTER TABLE … ALTER COLUMN … SET GENERATED BY DEFAULT on both sides until the migration is done",
        )
