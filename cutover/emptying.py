"""Empty the target's tables, for a full load that begins anew after a way back.

The forward task's own settings empty nothing: started by mistake, it would else remove what AWS has taken. So a person
does, and this refuses wherever the tables may hold payments that are nowhere else, or somebody is at work on them.
"""

from __future__ import annotations

from cutover import gate
from cutover.database import Session
from cutover.errors import RefusedError
from cutover.names import CUTOVER_SCHEMA, Roles
from cutover.steps.common import fence

_TABLES = f"""
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
    AND (n.nspname = ANY (CAST(:schemas AS text[])) OR n.nspname = '{CUTOVER_SCHEMA}' AND c.relname = 'marker')
ORDER BY 1
"""  # noqa: S608 - a constant
_REPLICATING = """
SELECT count(*) FROM pg_stat_activity
WHERE usename::text = :dms AND datname = current_database() AND pid <> pg_backend_pid()
"""
# A target on which no cutover was ever begun, or from which the last one has gone back.
_EMPTIABLE = ("", "returned")


def list_tables(target: Session, schemas: list[str]) -> list[str]:
    """What the forward task fills, the markers too, as SQL names."""
    return [row[0] for row in target.query(_TABLES, schemas=schemas)]


def refuse_harm(source: Session, target: Session, roles: Roles) -> None:
    """Raise `RefusedError` with every reason against it."""
    reasons = []
    if not gate.is_open(source, roles.application, roles.writer):
        reasons.append("the source's gate is closed: the payments may be on the target alone")
    if gate.is_open(target, roles.application, roles.writer):
        reasons.append("the target's gate is open: payments are taken there")
    found = fence.read(target)
    if found.word not in _EMPTIABLE:
        reasons.append(f"cutover {found.run_id} has not gone back: the target is {found.word}")
    if target.value(_REPLICATING, dms=roles.dms):
        reasons.append(f"{roles.dms} is at work on the target: stop the replication tasks")
    if reasons:
        raise RefusedError("; ".join(reasons), hint="nothing was emptied")


def empty(target: Session, tables: list[str]) -> None:
    """All of them at once, so that no foreign key stands against it; a table that others refer to from outside does."""
    target.query(f"TRUNCATE {', '.join(tables)}")
