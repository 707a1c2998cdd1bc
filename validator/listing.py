"""What stands in the schemas of a database: the tables to compare, and what is knowingly left out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from validator.catalog import Table
from validator.connection import Session

# DMS keeps its own state in tables of this prefix, on either side.
# https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TaskSettings.ControlTable.html
_DMS_PREFIX = "awsdms_"
_KINDS = {
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
    "S": "sequence",
}

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
WHERE n.nspname::text IN (SELECT json_array_elements_text(CAST(:schemas AS json)))
    AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND NOT EXISTS (
        SELECT FROM ancestry a JOIN pg_class r ON r.oid = a.ancestor JOIN pg_namespace s ON s.oid = r.relnamespace
        WHERE a.leaf = c.oid AND s.nspname::text IN (SELECT json_array_elements_text(CAST(:schemas AS json)))
    )
ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True, order=True)
class Skipped:
    """What stands in a compared schema and is knowingly left out; `kind` says why."""

    schema: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What the schemas of one side hold; large objects belong to no schema."""

    tables: frozenset[Table]
    skipped: frozenset[Skipped]
    large_objects: int = 0


def list_schemas(session: Session) -> list[str]:
    """The schemas that are not PostgreSQL's own."""
    return [row[0] for row in session.query(_SCHEMAS)]


def list_tables(session: Session, schemas: Iterable[str]) -> Listing:
    """The tables of the schemas, a partitioned one once, and what is left out."""
    tables, skipped = set(), set()
    for schema, name, kind in session.query(_RELATIONS, schemas=json.dumps(list(schemas), ensure_ascii=False)):
        if kind in _KINDS:
            skipped.add(Skipped(schema, name, _KINDS[kind]))
        elif name.startswith(_DMS_PREFIX):
            skipped.add(Skipped(schema, name, "control table of DMS"))
        else:
            tables.add(Table(schema, name))
    large_objects = session.query("SELECT count(*) FROM pg_largeobject_metadata")[0][0]
    return Listing(frozenset(tables), frozenset(skipped), large_objects)
