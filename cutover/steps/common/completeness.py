"""What the source's schemas have and the target's lack: Aurora would be slow, or take what it must refuse."""

from __future__ import annotations

from cutover.database import Session

# By name: both were made from one dump. Columns and their types are for the comparison of rows to see.
_OBJECTS = """
SELECT 'table', n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.relkind IN ('r', 'p')
UNION ALL
SELECT 'sequence', n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.relkind = 'S'
UNION ALL
SELECT 'index', n.nspname || '.' || c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND i.indisvalid
UNION ALL
SELECT 'constraint', n.nspname || '.' || r.relname || '.' || c.conname
FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.contype IN ('c', 'f', 'p', 'u', 'x') AND c.convalidated
UNION ALL
SELECT 'trigger', n.nspname || '.' || r.relname || '.' || t.tgname
FROM pg_trigger t JOIN pg_class r ON r.oid = t.tgrelid JOIN pg_namespace n ON n.oid = r.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND NOT t.tgisinternal AND t.tgenabled <> 'D'
"""
_SHOWN = 5


def missing_on_target(source: Session, target: Session, schemas: list[str]) -> list[str]:
    """One sentence for each kind of object of which some are missing, invalid or disabled there."""
    ours, theirs = (
        {(row[0], row[1]) for row in session.query(_OBJECTS, schemas=schemas)} for session in (source, target)
    )
    by_kind: dict[str, list[str]] = {}
    for kind, name in sorted(ours - theirs):
        by_kind.setdefault(kind, []).append(name)
    return [
        f"the target lacks, or has not valid, {len(names)} of kind {kind}: {', '.join(names[:_SHOWN])}"
        for kind, names in by_kind.items()
    ]
