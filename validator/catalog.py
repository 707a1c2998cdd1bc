"""What a database holds, read from its own catalogue: tables, their columns and types, their keys.

information_schema is not used: it hides what the reader has no privilege on, and a hidden table must not pass.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from validator.canonical import TypeFacts
from validator.connection import Session
from validator.errors import QueryError

# DMS keeps its own state in tables of this prefix, on either side.
# https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TaskSettings.ControlTable.html
_DMS_PREFIX = "awsdms_"
_ORDINARY, _PARTITIONED = "r", "p"

# What may stand where a table is looked for.
Absence = Literal["missing", "no table"]
_KINDS = {
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
    "S": "sequence",
}
_ABSENT: dict[str, Absence] = {"42P01": "missing", "3F000": "missing", "42809": "no table"}

_SCHEMAS = """
SELECT nspname::text FROM pg_namespace
WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
ORDER BY 1
"""

# A partition is counted with its root, if the root is in one of the schemas too.
_RELATIONS = """
WITH RECURSIVE ancestry (leaf, ancestor) AS (
    SELECT inhrelid, inhparent FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE relispartition
    UNION ALL
    SELECT leaf, inhparent
    FROM ancestry JOIN pg_inherits ON inhrelid = ancestor JOIN pg_class ON pg_class.oid = inhrelid
    WHERE relispartition
)
SELECT n.nspname::text, c.relname::text, c.relkind::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[]))
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND NOT EXISTS (
        SELECT FROM ancestry a JOIN pg_class r ON r.oid = a.ancestor JOIN pg_namespace s ON s.oid = r.relnamespace
        WHERE a.leaf = c.oid AND s.nspname = ANY (CAST(:schemas AS text[]))
    )
ORDER BY 1, 2
"""

_RELATION = """
SELECT c.oid::bigint, c.relkind::text, ARRAY(
    SELECT a.attname::text
    FROM pg_index i CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
    WHERE i.indrelid = c.oid AND i.indisprimary
    ORDER BY k.place
)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = CAST(:schema AS text) AND c.relname = CAST(:name AS text)
"""

# The extension that owns a type, for `{}` the type's alias.
_EXTENSION = """(
    SELECT x.extname::text FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
    WHERE d.classid = 'pg_type'::regclass AND d.objid = {}.oid
        AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
)"""

# Domains resolved to what they stand on; an element only for true arrays (point and name have a typelem as well).
_COLUMNS = f"""
WITH RECURSIVE resolved (number, type, modifier) AS (
    SELECT attnum, atttypid, atttypmod FROM pg_attribute
    WHERE attrelid = CAST(:relation AS bigint)::oid AND attnum > 0 AND NOT attisdropped
    UNION ALL
    SELECT number, typbasetype, CASE WHEN typtypmod >= 0 THEN typtypmod ELSE modifier END
    FROM resolved JOIN pg_type ON pg_type.oid = type WHERE typtype = 'd'
)
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), format_type(r.type, r.modifier),
    n.nspname::text, t.typname::text, t.typtype::text, {_EXTENSION.format("t")},
    format_type(e.oid, NULL), m.nspname::text, e.typname::text, e.typtype::text, {_EXTENSION.format("e")}
FROM resolved r
    JOIN pg_attribute a ON a.attrelid = CAST(:relation AS bigint)::oid AND a.attnum = r.number
    JOIN pg_type t ON t.oid = r.type
    JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typlen = -1
    LEFT JOIN pg_namespace m ON m.oid = e.typnamespace
WHERE t.typtype <> 'd'
ORDER BY a.attnum
"""


@dataclass(frozen=True, slots=True, order=True)
class Table:
    """A table's name, the same on both sides."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class Skipped:
    """What stands in a compared schema and is knowingly left out; `kind` says why."""

    schema: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What the schemas of one side hold."""

    tables: frozenset[Table]
    skipped: frozenset[Skipped]


@dataclass(frozen=True, slots=True)
class Column:
    """One column, by the name that joins the sides."""

    name: str
    type: TypeFacts


@dataclass(frozen=True, slots=True)
class Definition:
    """One side's definition of a table: columns in its own order, `key` the primary key's columns, () for none."""

    partitioned: bool
    columns: tuple[Column, ...]
    key: tuple[str, ...]


def quote(name: str) -> str:
    """A name as SQL, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def list_schemas(session: Session) -> list[str]:
    """The schemas that are not PostgreSQL's own."""
    return [row[0] for row in session.query(_SCHEMAS)]


def list_tables(session: Session, schemas: Iterable[str]) -> Listing:
    """The tables of the schemas, a partitioned one once, and what is left out."""
    tables, skipped = set(), set()
    for schema, name, kind in session.query(_RELATIONS, schemas=list(schemas)):
        if kind in _KINDS:
            skipped.add(Skipped(schema, name, _KINDS[kind]))
        elif name.startswith(_DMS_PREFIX):
            skipped.add(Skipped(schema, name, "control table of DMS"))
        else:
            tables.add(Table(schema, name))
    return Listing(frozenset(tables), frozenset(skipped))


def read_definition(session: Session, table: Table) -> Definition | Absence:
    """The table's definition, or what stands in its place. Call it first in a snapshot.

    Locks the table against redefinition before the snapshot is taken: a table rewritten after would look empty in it.
    https://www.postgresql.org/docs/current/mvcc-caveats.html
    """
    try:
        session.query(f"LOCK TABLE ONLY {quote(table.schema)}.{quote(table.name)} IN ACCESS SHARE MODE")
    except QueryError as error:
        if error.sqlstate in _ABSENT:
            return _ABSENT[error.sqlstate]
        raise
    relation, kind, key = session.query(_RELATION, schema=table.schema, name=table.name)[0]
    if kind not in (_ORDINARY, _PARTITIONED):
        return "no table"  # a view can be locked as well
    columns = tuple(_column(row) for row in session.query(_COLUMNS, relation=relation))
    return Definition(partitioned=kind == _PARTITIONED, columns=columns, key=tuple(key))


def _column(row: list[str]) -> Column:
    name, declared, base, schema, type_name, sort, extension, *element = row
    item = None
    if element[1] is not None:
        item_base, item_schema, item_name, item_sort, item_extension = element
        item = TypeFacts(item_base, item_base, item_schema, item_name, item_sort, item_extension)
    return Column(name, TypeFacts(declared, base, schema, type_name, sort, extension, item))
