"""Every relation of the schemas: which of them DMS can follow, and by which key.

https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Source.PostgreSQL.html#CHAP_Source.PostgreSQL.Limitations
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cutover.database import Session
from cutover.names import dotted
from cutover.readiness.findings import Finding, Severity

# A deferrable key identifies no rows in the WAL.
_RELATIONS = """
SELECT n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence::text, c.relreplident::text,
    c.relispartition, c.relrowsecurity,
    (SELECT CASE WHEN i.indimmediate THEN 'usable' ELSE 'deferrable' END FROM pg_index i
        WHERE i.indrelid = c.oid AND i.indisprimary),
    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident AND NOT i.indisprimary),
    c.relkind <> 'p' AND EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.relkind IN ('r', 'p', 'f', 'm') AND c.relname NOT LIKE 'awsdms%'
ORDER BY 1, 2
"""
_LARGE_OBJECTS = "SELECT count(*) FROM pg_largeobject_metadata"
_TABLE, _PARTITIONED, _FOREIGN, _MATERIALIZED = "r", "p", "f", "m"


@dataclass(frozen=True, slots=True)
class _Relation:
    schema: str
    name: str
    kind: str
    persistence: str
    identity: str
    is_partition: bool
    row_security: bool
    key: str | None
    identity_index: bool
    inherited: bool

    def found(self, severity: Severity, code: str, text: str, remedy: str) -> Finding:
        return Finding(severity, code, dotted(self.schema, self.name), text, remedy)


def check(session: Session, schemas: Sequence[str]) -> Iterator[Finding]:
    """All of it."""
    relations = [_Relation(*row) for row in session.query(_RELATIONS, schemas=list(schemas))]
    for relation in relations:
        if relation.kind == _TABLE:
            yield from _kept(relation)
            yield from _followed(relation)
        else:
            yield _other(relation)
        if relation.row_security:
            yield relation.found(
                "warning",
                "row-security",
                "the table has row-level security: a user that it applies to copies and compares a part of the rows",
                "GRANT no row to DMS or the validator by policy alone: ALTER ROLE … BYPASSRLS, or disable it until the "
                "switch",
            )
    yield from _alike(relations)
    if count := session.value(_LARGE_OBJECTS):
        yield Finding(
            "blocker",
            "large-objects",
            "pg_largeobject",
            f"the database holds {count:,} large objects, which DMS does not move",
            "move them into a bytea column, or copy them with pg_dump --large-objects inside the freeze",
        )


def _kept(table: _Relation) -> Iterator[Finding]:
    if table.persistence == "u":
        yield table.found(
            "blocker",
            "unlogged-table",
            "the table is unlogged: its changes are in no WAL, and a crash empties it",
            "ALTER TABLE … SET LOGGED; or exclude it (params migration.excluded_tables) if it may be lost",
        )
    if table.inherited:
        yield table.found(
            "blocker",
            "inheritance",
            "other tables inherit from this one, and DMS reads it without ONLY: their rows would be loaded twice",
            "exclude it in params migration.excluded_tables if it has no rows of its own, or make partitions of them",
        )


def _followed(table: _Relation) -> Iterator[Finding]:
    usable = table.key == "usable"
    if table.identity == "n":
        yield table.found(
            "blocker",
            "replica-identity-nothing",
            "its replica identity is NOTHING: an update or delete does not say in the WAL which row it is of",
            "ALTER TABLE … REPLICA IDENTITY DEFAULT",
        )
    elif usable and table.identity == "f":
        yield table.found(
            "note",
            "replica-identity-full",
            "its replica identity is FULL: each update and delete writes the whole old row to the WAL",
            "the default suffices where there is a primary key; FULL does not go with pglogical",
        )
    elif usable and table.identity == "i" and table.identity_index:
        yield table.found(
            "warning",
            "replica-identity-index",
            "its replica identity is an index other than the primary key, by which DMS finds rows on the target",
            "ALTER TABLE … REPLICA IDENTITY DEFAULT",
        )
    if table.key == "deferrable":
        yield table.found(
            "blocker",
            "deferrable-key",
            "its primary key is deferrable, and such a key identifies no row in the WAL",
            "make it anew, NOT DEFERRABLE",
        )
    elif not usable:
        second = table.identity == "f" or (table.identity == "i" and table.identity_index)
        yield table.found(
            "warning" if second else "blocker",
            "no-primary-key",
            "it has no primary key, but a replica identity: DMS neither validates it nor moves its LOBs whole"
            if second
            else "it has no primary key: DMS ignores its updates and deletes, and nothing can prove it equal",
            "ALTER TABLE … ADD PRIMARY KEY (…)",
        )


def _other(relation: _Relation) -> Finding:
    if relation.kind == _PARTITIONED:
        return relation.found(
            "note",
            "partitioned-table",
            "changes come under the names of its partitions; with both selected the rows would be loaded twice",
            "add it to params migration.excluded_tables, so that DMS gets the partitions alone; add or drop none "
            "until the switch",
        )
    if relation.kind == _FOREIGN:
        return relation.found(
            "warning",
            "foreign-table",
            "it is a foreign table: its rows are on another server, which the target must reach as well",
            "make its server and user mapping on the target, or drop it",
        )
    return relation.found(
        "note",
        "materialized-view",
        "DMS does not support materialized views",
        "REFRESH MATERIALIZED VIEW … on the target after the load",
    )


def _alike(relations: Sequence[_Relation]) -> Iterator[Finding]:
    groups = defaultdict(list)
    for relation in relations:
        groups[relation.schema, relation.name.lower()].append(relation)
    for group in groups.values():
        if len(group) > 1:
            names = " and ".join(relation.name for relation in group)
            yield group[0].found(
                "blocker",
                "names-differ-by-case",
                f"{names} differ by case alone, which DMS does not support",
                "rename one of them",
            )
