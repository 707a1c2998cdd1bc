"""Tables as a database's own catalogue tells of them: columns and types, keys, how rows lie.

information_schema is not used: it hides what the reader has no privilege on, and a hidden table must not pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from validator.canonical import TypeFacts
from validator.connection import Session
from validator.errors import QueryError
from validator.naming import quote

_ORDINARY, _PARTITIONED = "r", "p"
_INCLUDED_COLUMNS = 110000
_GENERATED_COLUMNS = 120000
_ROWS_IN_A_PAGE = 50  # a guess, where ANALYZE never ran

# What may stand where a table is looked for.
Absence = Literal["missing", "no table"]
_ABSENT: dict[str, Absence] = {"42P01": "missing", "3F000": "missing", "42809": "no table"}

# NOT NULL that holds for every row: from PostgreSQL 18 on it may be declared for new rows only (NOT VALID).
_NEVER_NULL = """{0}.attnotnull AND NOT EXISTS (
    SELECT FROM pg_constraint o
    WHERE o.conrelid = {0}.attrelid AND o.contype = 'n' AND o.conkey[1] = {0}.attnum AND NOT o.convalidated
)"""

# What tells rows apart: the primary key, else a unique index over columns that are never NULL; whole, valid, immediate.
# `leaves` are where the rows are: the table itself, or its partitions at the lowest level. Estimated are as many rows a
# page as ANALYZE found, in as many pages as there are now: many a table was not analyzed since it was loaded.
_RELATION = f"""
SELECT c.oid::bigint, c.relkind::text, coalesce((
    SELECT array_agg(a.attname::text ORDER BY k.place)
    FROM (
        SELECT i.indkey, {{key_columns}} AS columns FROM pg_index i
        WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid
            AND i.indpred IS NULL AND i.indexprs IS NULL
            AND NOT EXISTS (
                SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS u (number, place)
                    JOIN pg_attribute m ON m.attrelid = c.oid AND m.attnum = u.number
                WHERE u.place <= {{key_columns}} AND NOT ({_NEVER_NULL.format("m")})
            )
        ORDER BY i.indisprimary DESC, 2, i.indexrelid LIMIT 1
    ) AS i CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
    WHERE k.place <= i.columns
), '{{{{}}}}'), (
    SELECT round(sum(pg_relation_size(p.oid) / current_setting('block_size')::int * CASE
        WHEN p.reltuples > 0 AND p.relpages > 0 THEN p.reltuples / p.relpages ELSE {_ROWS_IN_A_PAGE} END))::bigint
    FROM pg_class p WHERE p.oid = ANY (l.leaves)
), cardinality(l.leaves)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL (
    WITH RECURSIVE family (oid, kind) AS (
        SELECT c.oid, c.relkind
        UNION ALL
        SELECT q.oid, q.relkind
        FROM family f JOIN pg_inherits h ON h.inhparent = f.oid AND f.kind = 'p' JOIN pg_class q ON q.oid = h.inhrelid
    )
    SELECT coalesce(array_agg(family.oid) FILTER (WHERE family.kind <> 'p'), '{{{{}}}}') AS leaves FROM family
) AS l
WHERE n.nspname = CAST(:schema AS text) AND c.relname = CAST(:name AS text)
"""

# How the rows lie, by what ANALYZE left; nothing where it never ran or the reader may not know.
_STATISTICS = """
SELECT correlation::float8, histogram_bounds::text::text[]
FROM pg_stats
WHERE schemaname = CAST(:schema AS text) AND tablename = CAST(:name AS text) AND attname = CAST(:column AS text)
    AND inherited = CAST(:inherited AS boolean)
"""

# Whether a range of the column can be read by an index.
_INDEXED = """
SELECT EXISTS (
    SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
    WHERE i.indrelid = CAST(:relation AS bigint)::oid AND a.attname = CAST(:column AS text)
        AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree'
)
"""

# Everything that decides which rows are in the table and how they are written. relfilenode, because TRUNCATE and a
# rewrite leave no other trace; the partitions', because one may be attached with rows that were written long ago.
_FINGERPRINT = """
WITH RECURSIVE family (oid, relfilenode) AS (
    SELECT c.oid, c.relfilenode FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = CAST(:schema AS text) AND c.relname = CAST(:name AS text)
    UNION ALL
    SELECT c.oid, c.relfilenode
    FROM family f JOIN pg_inherits h ON h.inhparent = f.oid JOIN pg_class c ON c.oid = h.inhrelid AND c.relispartition
)
SELECT md5(concat_ws(';', (
    SELECT string_agg(concat_ws(' ', f.oid, f.relfilenode), ',' ORDER BY f.oid) FROM family f
), (
    SELECT string_agg(
        concat_ws(' ', a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attisdropped), ','
        ORDER BY a.attrelid, a.attnum
    )
    FROM family f JOIN pg_attribute a ON a.attrelid = f.oid AND a.attnum > 0
), (
    SELECT string_agg(concat_ws(' ', d.adrelid, d.adnum, d.adbin), ',' ORDER BY d.adrelid, d.adnum)
    FROM family f JOIN pg_attrdef d ON d.adrelid = f.oid
), (
    SELECT string_agg(concat_ws(' ', e.enumtypid, e.enumlabel), ',' ORDER BY e.enumtypid, e.enumlabel) FROM pg_enum e
)))
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
    {_NEVER_NULL.format("a")}, a.attidentity <> '', {{generated}},
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


@dataclass(frozen=True, slots=True)
class Column:
    """One column, by the name that joins the sides. `nullable` unless proven otherwise for every row."""

    name: str
    type: TypeFacts
    nullable: bool = True
    identity: bool = False
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """One side's definition of a table: columns in its own order; `key` tells rows apart, () when nothing does.

    `rows` is an estimate; `leaves` counts the partitions that hold rows, 1 for an ordinary table.
    """

    relation: int
    partitioned: bool
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rows: int = 0
    leaves: int = 1


def lock(session: Session, table: Table) -> None:
    """Keep the table as it is until the transaction ends; reads and writes go on."""
    session.query(f"LOCK TABLE ONLY {quote(table.schema)}.{quote(table.name)} IN ACCESS SHARE MODE")


def read_definition(session: Session, table: Table) -> Definition | Absence:
    """The table's definition, or what stands in its place. Call it first in a snapshot.

    Locks the table against redefinition before the snapshot is taken: a table rewritten after would look empty in it.
    https://www.postgresql.org/docs/current/mvcc-caveats.html
    """
    try:
        lock(session, table)
    except QueryError as error:
        if error.sqlstate in _ABSENT:
            return _ABSENT[error.sqlstate]
        raise
    key_columns = "i.indnkeyatts" if session.version >= _INCLUDED_COLUMNS else "i.indnatts"
    found = session.query(_RELATION.format(key_columns=key_columns), schema=table.schema, name=table.name)
    relation, kind, key, rows, leaves = found[0]
    if kind not in (_ORDINARY, _PARTITIONED):
        return "no table"  # a view can be locked as well
    generated = "a.attgenerated <> ''" if session.version >= _GENERATED_COLUMNS else "false"
    columns = tuple(_column(row) for row in session.query(_COLUMNS.format(generated=generated), relation=relation))
    return Definition(
        relation=relation,
        partitioned=kind == _PARTITIONED,
        columns=columns,
        key=tuple(key),
        rows=rows or 0,
        leaves=leaves,
    )


def read_fingerprint(session: Session, table: Table) -> str:
    """A digest of all that decides how the table's rows are written; another one after any redefinition."""
    return str(session.query(_FINGERPRINT, schema=table.schema, name=table.name)[0][0])


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows lie by one column: `bounds` cut them into parts of equal size, `correlation` is 1 or -1 in order."""

    indexed: bool
    correlation: float | None = None
    bounds: tuple[int, ...] = ()
    lowest: int | None = None
    highest: int | None = None


def read_layout(session: Session, table: Table, definition: Definition, column: str) -> Layout:
    """The layout by an integer column: statistics, an index, the lowest and the highest value now."""
    indexed = session.query(_INDEXED, relation=definition.relation, column=column)[0][0]
    found = session.query(
        _STATISTICS, schema=table.schema, name=table.name, column=column, inherited=definition.partitioned
    )
    correlation, bounds = found[0] if found else (None, None)
    if not indexed:
        return Layout(indexed=False, correlation=correlation)
    lowest, highest = session.query(
        f"SELECT min({quote(column)})::bigint, max({quote(column)})::bigint FROM "
        f"{'' if definition.partitioned else 'ONLY '}{quote(table.schema)}.{quote(table.name)}"
    )[0]
    return Layout(True, correlation, tuple(int(bound) for bound in bounds or ()), lowest, highest)  # noqa: FBT003


def _column(row: list[Any]) -> Column:
    name, declared, base, schema, type_name, sort, extension, never_null, identity, generated, *element = row
    item = None
    if element[1] is not None:
        item_base, item_schema, item_name, item_sort, item_extension = element
        item = TypeFacts(item_base, item_base, item_schema, item_name, item_sort, item_extension)
    facts = TypeFacts(declared, base, schema, type_name, sort, extension, item)
    return Column(name, facts, nullable=not never_null, identity=identity, generated=generated)
