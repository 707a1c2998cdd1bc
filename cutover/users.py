"""The roles of both sides and what each may, as SQL that can be run again: least privilege, the gate, no password.

| role | signs in | may |
|---|---|---|
| application | yes | read the data; write it as a member of the writer role, where the gate is open |
| writer | no | write the data: tables and sequences |
| dms | yes | replicate |
| validator | yes | read |
| cutover | yes | open and close the gate, set sequences, read, see and end sessions; owns the marker |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cutover import gate, marker
from cutover.database import Session
from cutover.errors import RefusedError
from cutover.names import ARTIFACTS_SCHEMA, CUTOVER_SCHEMA, Roles, choose_schemas, literal, quote
from cutover.passwords import verifier

_GRANTS_HAVE_OPTIONS = 160000
_READ_ALL_DATA = 140000
_WRITING = "INSERT, UPDATE, DELETE, TRUNCATE"
# The cluster itself ends no idle transaction, because DMS must not lose one; the limit belongs to the application.
# https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Source.PostgreSQL.html
_IDLE_SECONDS = 60

_OWNERS = """
SELECT DISTINCT n.nspname::text, r.rolname::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.relkind IN ('r', 'p')
    AND pg_has_role(current_user, r.oid, 'MEMBER')
ORDER BY 1, 2
"""

# Privileges of its own, not those that come with a membership.
_WRITES_ITSELF = """
SELECT EXISTS (
    SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN aclexplode(c.relacl) AS a JOIN pg_roles r ON r.oid = a.grantee
    WHERE n.nspname = ANY (CAST(:schemas AS text[])) AND c.relkind IN ('r', 'p', 'v', 'f')
        AND r.rolname = CAST(:role AS name) AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
)
"""


@dataclass(frozen=True, slots=True)
class Server:
    """What of a server decides which SQL it needs; `owners` are (schema, role) of tables that this user can act for."""

    version: int
    managed: bool
    superuser: bool
    schemas: tuple[str, ...]
    owners: tuple[tuple[str, str], ...]


def inspect(session: Session, schemas: Iterable[str] = ()) -> Server:
    """Read it; managed is a server of RDS, told by its role rds_superuser."""
    chosen = choose_schemas(session, schemas)
    owners = session.query(_OWNERS, schemas=chosen)
    managed = session.value("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_superuser')")
    superuser = session.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    return Server(session.version, managed, superuser, tuple(chosen), tuple((row[0], row[1]) for row in owners))


def statements(server: Server, roles: Roles, *, opened: bool = False) -> list[str]:
    """The SQL, to be run in one transaction as the owner of the tables: a superuser, or RDS's master user.

    The membership that is the gate is granted only where `opened` asks for it, and never taken: the gate stands as the
    cutover left it.
    """
    return [
        *_roles(server, roles),
        *_replication(server, roles),
        *_marker(roles),
        *(statement for schema in server.schemas for statement in _data(server, roles, schema)),
        *_cutover(server, roles),
        *(_open(server, roles) if opened else ()),
    ]


def script(lines: Iterable[str]) -> str:
    """The statements for psql."""
    return "BEGIN;\n" + "".join(f"{line};\n" for line in lines) + "COMMIT;\n"


def refuse_harm(session: Session, server: Server, roles: Roles, *, opened: bool) -> None:
    """Raise `RefusedError` where the SQL would take the application's writes away without anybody having said so."""
    exists = session.value("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :name)", name=roles.application)
    if opened or not exists:
        return
    if not session.value(_WRITES_ITSELF, schemas=list(server.schemas), role=roles.application):
        return
    writer_exists = session.value("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :name)", name=roles.writer)
    if writer_exists and gate.is_open(session, roles.application, roles.writer):
        return
    raise RefusedError(
        f"{roles.application} writes on the {session.endpoint.side} by privileges of its own, which this would end",
        hint="--open makes it a member of the writer role in the same transaction",
    )


def apply(session: Session, lines: Iterable[str], passwords: Mapping[str, str]) -> None:
    """Run the statements and set the passwords, all or nothing."""
    with session.transaction():
        for line in lines:
            session.query(line)
        for user, password in passwords.items():
            session.query(f"ALTER ROLE {quote(user)} PASSWORD {literal(verifier(password))}")


def _roles(server: Server, roles: Roles) -> Iterator[str]:
    for role in (*roles.signing_in, roles.writer):
        kind = "NOLOGIN" if role == roles.writer else "LOGIN"
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal(role)}) THEN "
            f"CREATE ROLE {quote(role)} {kind}; END IF; END $$"
        )
    yield f"ALTER ROLE {quote(roles.application)} SET idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'"
    if not server.superuser:
        # To make a schema for a role, and an object as it, one has to be a member.
        yield f"GRANT {quote(roles.dms)}, {quote(roles.cutover)} TO CURRENT_USER"


def _replication(server: Server, roles: Roles) -> Iterator[str]:
    dms = quote(roles.dms)
    if server.managed:
        yield f"GRANT rds_superuser, rds_replication TO {dms}"
    else:
        # "The user account needs superuser permissions to access replication-specific functions in the source."
        # https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Source.PostgreSQL.html
        yield f"ALTER ROLE {dms} SUPERUSER"
    yield f"ALTER ROLE {dms} SET idle_in_transaction_session_timeout = 0"
    yield f"CREATE SCHEMA IF NOT EXISTS {ARTIFACTS_SCHEMA} AUTHORIZATION {dms}"


def _marker(roles: Roles) -> Iterator[str]:
    owner = quote(roles.cutover)
    yield f"CREATE SCHEMA IF NOT EXISTS {CUTOVER_SCHEMA} AUTHORIZATION {owner}"
    yield f"SET LOCAL ROLE {owner}"
    yield marker.TABLE_SQL
    yield f"GRANT USAGE ON SCHEMA {CUTOVER_SCHEMA} TO {quote(roles.dms)}, {quote(roles.validator)}"
    yield f"GRANT SELECT, {_WRITING} ON {CUTOVER_SCHEMA}.marker TO {quote(roles.dms)}"
    yield f"GRANT SELECT ON {CUTOVER_SCHEMA}.marker TO {quote(roles.validator)}"
    yield "RESET ROLE"


def _data(server: Server, roles: Roles, schema: str) -> Iterator[str]:
    place = f"IN SCHEMA {quote(schema)}"
    application, writer, cutover = quote(roles.application), quote(roles.writer), quote(roles.cutover)
    readers = [application]
    if server.version < _READ_ALL_DATA:
        readers += [quote(roles.validator), cutover]
    reading = ", ".join(readers)
    everyone = ", ".join(quote(role) for role in (*roles.signing_in, roles.writer))
    yield f"GRANT USAGE ON SCHEMA {quote(schema)} TO {everyone}"
    # First what the application may by itself, then what the gate gives: a revoke on a table covers its columns too.
    yield f"REVOKE {_WRITING} ON ALL TABLES {place} FROM {application}"
    yield f"REVOKE USAGE, UPDATE ON ALL SEQUENCES {place} FROM {application}"
    granted = [
        (f"SELECT ON %s TO {reading}", "TABLES"),
        (f"SELECT ON %s TO {reading}", "SEQUENCES"),
        (f"{_WRITING} ON %s TO {writer}", "TABLES"),
        (f"USAGE ON %s TO {writer}", "SEQUENCES"),
        (f"SELECT, UPDATE ON %s TO {cutover}", "SEQUENCES"),
    ]
    if server.managed:
        granted.append((f"SELECT, {_WRITING} ON %s TO {quote(roles.dms)}", "TABLES"))
    for grant, kind in granted:
        yield f"GRANT {grant % f'ALL {kind} {place}'}"
    for owner in (owner for owned, owner in server.owners if owned == schema):
        for grant, kind in granted:
            yield f"ALTER DEFAULT PRIVILEGES FOR ROLE {quote(owner)} {place} GRANT {grant % kind}"


def _cutover(server: Server, roles: Roles) -> Iterator[str]:
    cutover, writer = quote(roles.cutover), quote(roles.writer)
    # Who holds the gate does not pass it: without INHERIT and SET the admin option gives no right to write.
    options = "ADMIN TRUE, INHERIT FALSE, SET FALSE" if server.version >= _GRANTS_HAVE_OPTIONS else "ADMIN OPTION"
    yield f"GRANT {writer} TO {cutover} WITH {options}"
    yield f"GRANT pg_monitor, pg_signal_backend TO {cutover}"
    if server.version >= _READ_ALL_DATA:
        yield f"GRANT pg_read_all_data TO {cutover}, {quote(roles.validator)}"


def _open(server: Server, roles: Roles) -> Iterator[str]:
    application, writer = quote(roles.application), quote(roles.writer)
    if server.version >= _GRANTS_HAVE_OPTIONS:
        # Only its grantor can take it back, and that must be the cutover's own user.
        yield f"GRANT {writer} TO {application} WITH INHERIT TRUE, SET FALSE GRANTED BY {quote(roles.cutover)}"
    else:
        yield f"GRANT {writer} TO {application}"
