"""Who could write past the gate: whom the freeze would not stop.

The gate is the application's membership in the writer role. Any other way to a write privilege stays open when it
closes: one's own, PUBLIC's, a membership, ownership, a function that runs with its owner's rights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cutover.database import Session
from cutover.names import Roles
from cutover.readiness.findings import Finding

# Tables with their grantees, columns' grants too; 0 is PUBLIC. A NULL acl stands for the owner's privileges alone.
_GRANTED = """
SELECT c.oid AS relation, a.grantee
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN aclexplode(c.relacl) AS a
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.relkind IN ('r', 'p', 'v', 'f')
    AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
UNION
SELECT c.oid, a.grantee
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute k ON k.attrelid = c.oid
    CROSS JOIN aclexplode(k.attacl) AS a
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.relkind IN ('r', 'p', 'v', 'f')
    AND a.privilege_type IN ('INSERT', 'UPDATE')
UNION
SELECT c.oid, c.relowner
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.relkind IN ('r', 'p', 'v', 'f')
"""
# Whom a role can act as, by all memberships but the one that is the gate, and the one by which its keeper holds it.
# With or without INHERIT: there is SET ROLE.
_REACH = """
SELECT r.oid AS member, r.oid AS reached FROM pg_roles r
UNION
SELECT reach.member, m.roleid FROM reach JOIN pg_auth_members m ON m.member = reach.reached
WHERE NOT (m.roleid IN (SELECT oid FROM pg_roles WHERE rolname = CAST(:writer AS name))
    AND m.member IN (SELECT oid FROM pg_roles WHERE rolname IN (CAST(:application AS name), CAST(:cutover AS name))))
"""
_WRITERS = f"""
WITH RECURSIVE reach AS ({_REACH}), granted AS ({_GRANTED}),
mighty AS (
    SELECT oid FROM pg_roles
    WHERE rolsuper OR rolname = 'pg_write_all_data' OR oid IN (SELECT grantee FROM granted)
)
SELECT r.rolname::text, r.rolsuper,
    EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.relkind IN ('r', 'p', 'v', 'f') AND c.relowner = r.oid),
    (SELECT string_agg(w.rolname, ', ' ORDER BY w.rolname) FROM reach x JOIN pg_roles w ON w.oid = x.reached
        WHERE x.member = r.oid AND x.reached <> r.oid AND x.reached IN (SELECT oid FROM mighty))
FROM pg_roles r
WHERE r.rolcanlogin AND EXISTS (SELECT FROM reach x WHERE x.member = r.oid AND x.reached IN (SELECT oid FROM mighty))
ORDER BY 1
"""  # noqa: S608 - constants alone
_PUBLIC = f"""
SELECT format('%s.%s', n.nspname, c.relname)
FROM ({_GRANTED}) g JOIN pg_class c ON c.oid = g.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE g.grantee = 0 ORDER BY 1
"""  # noqa: S608 - constants alone
# PostgreSQL lets no function write that is STABLE or IMMUTABLE.
_FUNCTIONS = f"""
WITH RECURSIVE reach AS ({_REACH}), granted AS ({_GRANTED})
SELECT p.oid::regprocedure::text, o.rolname::text
FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner
WHERE p.prosecdef AND p.provolatile = 'v' AND has_function_privilege(CAST(:application AS name), p.oid, 'EXECUTE')
    AND p.pronamespace <> 'pg_catalog'::regnamespace AND p.prorettype <> 'trigger'::regtype
    AND p.prorettype <> 'event_trigger'::regtype
    AND (o.rolsuper OR EXISTS (SELECT FROM reach x JOIN granted y ON y.grantee = x.reached WHERE x.member = o.oid))
    AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1
"""  # noqa: S608 - constants alone
_GRANTS_HAVE_OPTIONS = 160000
_EXISTING = "SELECT rolname::text FROM pg_roles WHERE rolname = ANY (CAST(:names AS text[]))"


def check(session: Session, schemas: Sequence[str], roles: Roles) -> Iterator[Finding]:
    """All of it."""
    existing = {row[0] for row in session.query(_EXISTING, names=[*roles.signing_in, roles.writer])}
    missing = [role for role in (*roles.signing_in, roles.writer) if role not in existing]
    if missing:
        yield Finding(
            "blocker",
            "role-missing",
            ", ".join(missing),
            "roles of the cutover do not exist on the source",
            "python -m cutover users --side source",
        )
    if session.version < _GRANTS_HAVE_OPTIONS:
        yield Finding(
            "note",
            "gate-set-role",
            roles.application,
            f"before PostgreSQL 16 it can SET ROLE {roles.writer}, and a session that did so goes on writing when the "
            "gate closes",
            "see that the application never does; else end its sessions once the gate is closed",
        )
    yield from _paths(session, schemas, roles)
    if roles.application in existing:
        for function, owner in session.query(_FUNCTIONS, schemas=list(schemas), **_named(roles)):
            yield Finding(
                "blocker",
                "gate-security-definer",
                function,
                f"the application can call it, and it runs with the rights of {owner}, also while writes are frozen",
                "SECURITY INVOKER; or if it does not write, STABLE, which lets it write no more",
            )


def _named(roles: Roles) -> dict[str, str]:
    return {"writer": roles.writer, "application": roles.application, "cutover": roles.cutover}


def _paths(session: Session, schemas: Sequence[str], roles: Roles) -> Iterator[Finding]:
    for role, superuser, owner, through in session.query(_WRITERS, schemas=list(schemas), **_named(roles)):
        if role == roles.dms:
            continue
        if role != roles.application and (superuser or owner):
            yield Finding(
                "note",
                "gate-owner",
                role,
                f"it is {'a superuser' if superuser else 'the owner of tables'}: the freeze does not stop it",
                "nobody signs in as it from the freeze to the end; the freeze ends transactions, not their sign-ins",
            )
            continue
        by = "as a superuser" if superuser else "as an owner" if owner else f"through {through}" if through else ""
        yield Finding(
            "blocker",
            "gate-bypass",
            role,
            f"it can write {by or 'by privileges of its own'}: the freeze would not stop it",
            f"take that away: the gate is the membership of {roles.application} in {roles.writer}, and that alone"
            if by or role != roles.application
            else f"python -m cutover users --side source --open makes it a member of {roles.writer} instead",
        )
    for (table,) in session.query(_PUBLIC, schemas=list(schemas)):
        yield Finding(
            "blocker",
            "gate-public",
            table,
            "everybody may write to it (PUBLIC): the freeze would stop nobody",
            "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON … FROM PUBLIC",
        )
