"""What acts on rows beside the statement that writes them: foreign keys, triggers, rules, deferred constraints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cutover.database import Session
from cutover.readiness.findings import Finding

_CONSTRAINTS = """
SELECT format('%s.%s.%s', n.nspname, c.relname, k.conname), k.contype::text, k.condeferrable, k.convalidated
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND NOT c.relispartition AND k.contype IN ('f', 'u', 'x', 'c')
ORDER BY 1
"""
_TRIGGERS = """
SELECT format('%s.%s.%s', n.nspname, c.relname, t.tgname), t.tgenabled::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND NOT t.tgisinternal AND NOT c.relispartition
ORDER BY 1
"""
_EVENT_TRIGGERS = "SELECT evtname::text FROM pg_event_trigger WHERE evtname NOT LIKE 'awsdms%' ORDER BY 1"
_RULES = """
SELECT format('%s.%s.%s', n.nspname, c.relname, r.rulename)
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.relkind IN ('r', 'p')
ORDER BY 1
"""
_INDEXES = """
SELECT format('%s.%s', n.nspname, c.relname), NOT i.indisvalid,
    i.indisunique AND coalesce(pg_get_expr(i.indexprs, i.indrelid) ILIKE '%coalesce(%', false)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.relkind = 'i'
ORDER BY 1
"""
_ALWAYS, _REPLICA = "A", "R"


def check(session: Session, schemas: Sequence[str]) -> Iterator[Finding]:
    """All of it."""
    yield from _constraints(session, schemas)
    yield from _triggers(session, schemas)
    for (name,) in session.query(_RULES, schemas=list(schemas)):
        yield Finding(
            "warning",
            "rule",
            name,
            "a rule rewrites what is written to the table, and would rewrite what DMS writes on the target too",
            "make a trigger of it, or leave it out on the target until the switch",
        )
    for name, invalid, coalesces in session.query(_INDEXES, schemas=list(schemas)):
        if invalid:
            yield Finding(
                "warning",
                "invalid-index",
                name,
                "the index is invalid, so pg_dump leaves it out: what it should have held unique is not held",
                "REINDEX INDEX CONCURRENTLY, or DROP INDEX",
            )
        if coalesces:
            yield Finding(
                "blocker",
                "coalesce-index",
                name,
                "DMS does not replicate a table with a unique index on coalesce(…)",
                "UNIQUE NULLS NOT DISTINCT says the same from PostgreSQL 15 on; else a generated column",
            )


def _constraints(session: Session, schemas: Sequence[str]) -> Iterator[Finding]:
    for name, kind, deferrable, validated in session.query(_CONSTRAINTS, schemas=list(schemas)):
        if kind == "f":
            yield Finding(
                "note",
                "foreign-key",
                name,
                "DMS loads one table after another, in no order: the key must not be there before the load is over",
                "python -m cutover schema makes it in the section post-data",
            )
        if deferrable:
            yield Finding(
                "warning",
                "deferrable-constraint",
                name,
                "DMS does not support deferred constraints: a transaction that breaks it for a moment stops the task",
                "ALTER … NOT DEFERRABLE, or see that nothing defers it until the switch",
            )
        if not validated:
            yield Finding(
                "warning",
                "not-valid-constraint",
                name,
                "the constraint was never validated: rows may break it",
                "ALTER TABLE … VALIDATE CONSTRAINT, and mend what it finds",
            )


def _triggers(session: Session, schemas: Sequence[str]) -> Iterator[Finding]:
    for name, enabled in session.query(_TRIGGERS, schemas=list(schemas)):
        if enabled in (_ALWAYS, _REPLICA):
            yield Finding(
                "blocker",
                "trigger-on-replica",
                name,
                "the trigger also fires for replicated rows: what it did on the source would be done a second time",
                "ALTER TABLE … ENABLE TRIGGER …, which fires for the application's rows alone",
            )
        else:
            yield Finding(
                "note",
                "trigger",
                name,
                "it must not fire for what DMS writes: its effects are replicated as rows",
                "python -m cutover schema makes it in the section post-data, and DMS writes as a replica",
            )
    for (name,) in session.query(_EVENT_TRIGGERS):
        yield Finding(
            "warning",
            "event-trigger",
            name,
            "an event trigger acts on DDL, also on that of the migration",
            "look at what it does; on Aurora only rds_superuser can make one",
        )
