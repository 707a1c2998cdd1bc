"""A task's objects on both servers: a publication and a slot on the source, a subscription on the target.

PostgreSQL's own logical replication carries the changes, transaction by transaction; what is here makes, watches and
removes it. https://www.postgresql.org/docs/current/logical-replication.html
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from localaws.dms.postgres import LostError, Place, RefusedError
from localaws.dms.runs import Table
from localaws.dms.selection import Rule, is_selected

_TABLES = """
SELECT n.nspname, c.relname, greatest(c.reltuples, 0)::bigint, c.relreplident::text,
       (SELECT coalesce(array_agg(attname::text ORDER BY attnum), '{}') FROM pg_attribute
         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''),
       (SELECT coalesce(array_agg(a.attname::text ORDER BY array_position(i.indkey, a.attnum)), '{}')
          FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
         WHERE i.indrelid = c.oid AND i.indisprimary)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 ORDER BY 1, 2
"""
_KNOWS_ORIGINS = 160000
_SLOT_SECONDS = 10.0
_POLL_SECONDS = 0.02
_TEMPORARY = "_load"


class Runs(Protocol):
    """A session, or a link that makes one."""

    def run(self, sql: str, **values: Any) -> list[list[Any]]:
        """The rows of a statement."""


@dataclass(frozen=True, slots=True)
class Found:
    """Tables that a task moves, and what speaks against it ("" for nothing)."""

    tables: list[Table]
    problem: str = ""


def quote(name: str) -> str:
    """An identifier in a statement."""
    return '"' + name.replace('"', '""') + '"'


def named(table: Table) -> str:
    """A table in a statement."""
    return f"{quote(table.schema)}.{quote(table.name)}"


def literal(text: str) -> str:
    """A text in a statement, whatever standard_conforming_strings says."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def find_tables(source: Runs, rules: Sequence[Rule]) -> Found:
    """The source's tables that the rules select. Partitions count, their partitioned table holds no rows itself."""
    if (level := source.run("SHOW wal_level")[0][0]) != "logical":
        return Found([], f"the source has wal_level={level}: set wal_level=logical there and restart it")
    tables, bare = [], []
    for schema, name, estimate, identity, columns, key in source.run(_TABLES):
        if is_selected(rules, schema, name):
            tables.append(Table(schema, name, tuple(columns), tuple(key), int(estimate)))
            if identity == "n" or (identity == "d" and not key):
                bare.append(f"{schema}.{name}")
    if bare:
        # Published, every UPDATE and DELETE on them would fail on the source.
        return Found(
            tables,
            f"no primary key and no replica identity: {', '.join(bare)}; ALTER TABLE … ADD PRIMARY KEY or"
            " REPLICA IDENTITY FULL on the source",
        )
    return Found(tables)


def missing_on_target(target: Runs, tables: Sequence[Table]) -> str:
    """What of the tables the target lacks, in words; "" where all is there."""
    there = {(schema, name): set(columns) for schema, name, _, _, columns, _ in target.run(_TABLES)}
    absent = [table.full_name for table in tables if (table.schema, table.name) not in there]
    if absent:
        return f"the target has no table {', '.join(absent)}; TargetTablePrepMode makes none: create them first"
    for table in tables:
        if lacking := [name for name in table.columns if name not in there[table.schema, table.name]]:
            return f"the target's table {table.full_name} has no column {', '.join(lacking)}"
    return ""


def publish(source: Runs, name: str, tables: Sequence[Table], *, truncates: bool) -> None:
    """Make the publication anew."""
    source.run(f"DROP PUBLICATION IF EXISTS {quote(name)}")
    these = f" FOR TABLE {', '.join(f'ONLY {named(table)}' for table in tables)}" if tables else ""
    operations = "insert, update, delete" + (", truncate" if truncates else "")
    source.run(f"CREATE PUBLICATION {quote(name)}{these} WITH (publish = '{operations}')")


def begin_slot(source: Runs, name: str) -> None:
    """A slot that lasts as long as this connection, so that nothing that fails from here on can leave one behind.

    It waits until every transaction that runs now has ended.
    """
    source.run(f"SELECT pg_create_logical_replication_slot({literal(name + _TEMPORARY)}, 'pgoutput', true)")


def begin_slot_with_snapshot(source: Runs, name: str) -> str:
    """The same by the replication protocol: the name of the snapshot that shows what was there where the slot begins.

    The snapshot is for other connections to take until this one's next statement.
    """
    (row,) = source.run(
        f"CREATE_REPLICATION_SLOT {quote(name + _TEMPORARY)} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT"
    )
    return str(row[2])


def keep_slot(source: Runs, name: str) -> None:
    """Make the slot that lasts, from where the temporary one begins."""
    source.run(f"SELECT pg_copy_logical_replication_slot({literal(name + _TEMPORARY)}, {literal(name)}, false)")


def subscribe(target: Runs, name: str, source: Place) -> None:
    """Make the subscription, not enabled yet. The target's server connects to the source to look for the publication.

    `origin = none`: what came to the source from elsewhere by replication does not go on from there, so that two tasks
    in opposite directions make no loop. Not `disable_on_error`: it takes a lost connection for an error too.
    https://www.postgresql.org/docs/current/sql-createsubscription.html
    """
    knows_origins = int(target.run("SHOW server_version_num")[0][0]) >= _KNOWS_ORIGINS
    options = ", origin = none" if knows_origins else ""
    target.run(
        f"CREATE SUBSCRIPTION {quote(name)} CONNECTION {literal(source.conninfo())} PUBLICATION {quote(name)}"
        f" WITH (create_slot = false, slot_name = {quote(name)}, enabled = false, copy_data = false{options})"
    )


def enable(target: Runs, name: str, source: Place) -> None:
    """Let the subscription go on, with today's credentials."""
    target.run(f"ALTER SUBSCRIPTION {quote(name)} CONNECTION {literal(source.conninfo())}")
    target.run(f"ALTER SUBSCRIPTION {quote(name)} ENABLE")


def disable(target: Runs, name: str) -> None:
    """Stop the subscription, and wait until its worker has ended: then nothing more is applied."""
    target.run(f"ALTER SUBSCRIPTION {quote(name)} DISABLE")
    until = time.monotonic() + _SLOT_SECONDS
    while target.run("SELECT 1 FROM pg_stat_subscription WHERE subname = :name AND pid IS NOT NULL", name=name):
        if time.monotonic() > until:
            raise LostError(f"the worker of subscription {name} has not ended within {_SLOT_SECONDS:g} s")
        time.sleep(_POLL_SECONDS)


def remove(source: Runs, target: Runs, name: str) -> list[str]:
    """Remove all that a task has made, on each side whatever the other says; what could not be done, in words.

    The subscription lets go of its slot first: so it can be dropped without its source.
    """
    problems = []
    for side, undo in ((target, _remove_subscription), (source, _remove_slot)):
        try:
            undo(side, name)
        except (LostError, RefusedError) as error:
            problems.append(str(error))
    return problems


def remove_before(source: Runs, target: Runs, name: str) -> None:
    """What an earlier life of the task has left, before it begins anew; LostError and RefusedError."""
    _remove_subscription(target, name)
    _remove_slot(source, name)


def _remove_subscription(target: Runs, name: str) -> None:
    there = "SELECT 1 FROM pg_subscription WHERE subname = :name AND subdbid = (SELECT oid FROM pg_database WHERE"
    if target.run(f"{there} datname = current_database())", name=name):
        disable(target, name)
        target.run(f"ALTER SUBSCRIPTION {quote(name)} SET (slot_name = NONE)")
        target.run(f"DROP SUBSCRIPTION {quote(name)}")


def _remove_slot(source: Runs, name: str) -> None:
    until = time.monotonic() + _SLOT_SECONDS
    while slots := source.run(
        "SELECT slot_name, active_pid FROM pg_replication_slots WHERE slot_name IN (:name, :temporary)",
        name=name,
        temporary=name + _TEMPORARY,
    ):
        for slot, user in slots:
            with suppress(RefusedError):  # gone meanwhile, or still in use: looked at again
                if user is None:
                    source.run("SELECT pg_drop_replication_slot(:slot)", slot=slot)
                else:
                    source.run("SELECT pg_terminate_backend(:pid::int)", pid=user)
        if time.monotonic() > until:
            raise RefusedError(f"the replication slot {name} on the source is still in use: drop it by hand")
        time.sleep(_POLL_SECONDS)
    source.run(f"DROP PUBLICATION IF EXISTS {quote(name)}")
