"""Smoke test: Aurora serves reads through the load balancer and would take the application's writes.

Its gate is closed, and no user of the cutover's may write payments or act as the application: so privileges are looked
at for every table and sequence, and the write that is made and rolled back is one of the marker.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from cutover.database import Session
from cutover.names import Roles
from cutover.steps.common import databases, gates, settings, traffic
from cutover.steps.common.aside import together
from cutover.steps.common.deadline import Deadline
from cutover.steps.common.door import Call, Done, step
from cutover.steps.common.errors import Blocked
from validator.errors import UsageError

_ANSWER_SECONDS = 5.0
_PAUSE_SECONDS = 0.1
_LACKING = """
SELECT n.nspname || '.' || c.relname
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (CAST(:schemas AS text[]))
    AND NOT CASE
        WHEN c.relkind IN ('r', 'p') THEN has_table_privilege(CAST(:writer AS name), c.oid, 'INSERT')
            AND has_table_privilege(CAST(:writer AS name), c.oid, 'UPDATE')
            AND has_table_privilege(CAST(:writer AS name), c.oid, 'DELETE')
            AND has_table_privilege(CAST(:application AS name), c.oid, 'SELECT')
        WHEN c.relkind = 'S' THEN has_sequence_privilege(CAST(:writer AS name), c.oid, 'USAGE')
        ELSE true
    END
ORDER BY 1
"""
_SHOWN = 5


@step("smoke", uses=("elbv2",))
def handle(call: Call) -> Done:
    """Waits for the application to follow the pointer, as long as the budget lasts."""
    call.deadline.check("the smoke test")
    url = settings.optional("SMOKE_URL")
    with databases.on("target") as target:
        together(
            lambda: check_database(target, settings.roles(), settings.schemas()),
            _check_pointer,
            lambda: await_service(url, call.deadline) if url else None,
        )
    return Done({"database": "takes writes", "url": "serves from Aurora" if url else "none to ask"})


def check_database(target: Session, roles: Roles, schemas: list[str]) -> None:
    """Raise `Blocked` where the application could not work once the gate is open."""
    if target.value("SELECT pg_is_in_recovery()"):
        raise Blocked("the target is a reader: its endpoint is not the writer's")
    lacking = target.query(_LACKING, schemas=schemas, writer=roles.writer, application=roles.application)
    if lacking:
        shown = ", ".join(row[0] for row in lacking[:_SHOWN])
        raise Blocked(
            f"the application lacks privileges on {len(lacking)} objects of the target: {shown}",
            hint="python -m cutover users --side target --apply",
        )
    target.query("BEGIN")
    target.query("INSERT INTO cutover.marker SELECT gen_random_uuid(), pg_current_wal_insert_lsn(), clock_timestamp()")
    target.query("ROLLBACK")
    if gates.is_open(target, roles):
        raise Blocked("the target's gate is open before its time")


def await_service(url: str, deadline: Deadline) -> None:
    """Wait for 200 from a service that does not say it uses another database; raises as `Deadline.wait` does."""
    if not url.startswith(("https://", "http://")):
        raise UsageError(f"SMOKE_URL {url!r} is no URL of a web server")
    deadline.wait(lambda: _look(url), f"waiting for {url} to serve from Aurora", _PAUSE_SECONDS)


def _look(url: str) -> bool | None:
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - the scheme was looked at
            return True if _database_of(answer.read()) in (None, traffic.AURORA) else None
    except urllib.error.HTTPError as refused:
        refused.close()
    except OSError:
        pass  # nobody there, or no answer in time
    return None


def _database_of(body: bytes) -> Any:
    """What an actuator's health says of its database, None where it says nothing."""
    try:
        return json.loads(body)["components"]["db"]["details"]["database"]
    except (ValueError, LookupError, TypeError):
        return None


def _check_pointer() -> None:
    if (pointer := traffic.read_pointer()) != traffic.AURORA:
        raise Blocked(f"the pointer is {pointer}, not {traffic.AURORA}")
