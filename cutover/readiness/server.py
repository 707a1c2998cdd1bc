"""The server: version, settings of logical replication, its slots, and timeouts that would end DMS's sessions.

https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Source.PostgreSQL.html
"""

from __future__ import annotations

from collections.abc import Iterator

from cutover.database import Session
from cutover.readiness.findings import Finding

_SLOT_LIMIT_SINCE = 130000
_MINIMUM_SENDER_TIMEOUT_MS = 10_000
_LONG_SENDER_TIMEOUT_MS = 300_000
_ENOUGH = 2

# reset_val: what a new session of this user gets; this one has settings of its own.
_SETTINGS = """
SELECT name, reset_val FROM pg_settings WHERE name IN (
    'wal_level', 'max_replication_slots', 'max_wal_senders', 'wal_sender_timeout', 'max_slot_wal_keep_size',
    'idle_in_transaction_session_timeout', 'statement_timeout', 'synchronous_commit', 'ssl', 'server_version', 'fsync',
    'full_page_writes'
)
"""
_SLOTS = """
SELECT slot_name::text, active, plugin::text, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint,
    {status}
FROM pg_replication_slots
"""


def check(session: Session) -> Iterator[Finding]:
    """All of it."""
    settings = {row[0]: row[1] for row in session.query(_SETTINGS)}
    yield Finding(
        "note",
        "server-version",
        "",
        f"the server is PostgreSQL {settings['server_version']}",
        "check that the DMS engine version in params lists it as a source",
    )
    yield from _replication(session, settings)
    yield from _timeouts(settings)
    yield from _durability(settings)
    yield from _slots(session, settings)


def _replication(session: Session, settings: dict[str, str]) -> Iterator[Finding]:
    if settings["wal_level"] != "logical":
        yield Finding(
            "blocker",
            "wal-level",
            "wal_level",
            f"wal_level is {settings['wal_level']}: changes cannot be read from the WAL",
            "ALTER SYSTEM SET wal_level = 'logical' and restart the server",
        )
    used = {
        "max_replication_slots": session.value("SELECT count(*) FROM pg_replication_slots"),
        "max_wal_senders": session.value("SELECT count(*) FROM pg_stat_replication"),
    }
    for name, taken in used.items():
        most = int(settings[name])
        free = most - taken
        if free >= _ENOUGH:
            continue
        short = most < _ENOUGH or free < 1
        need = (
            "DMS needs one for each task, and documents a value greater than 1"
            if short
            else "a task that is started anew while the old one still holds its own finds none"
        )
        yield Finding(
            "blocker" if short else "warning",
            name.removeprefix("max_").replace("_", "-"),
            name,
            f"{name} is {most}, of which {free} are free: {need}",
            f"ALTER SYSTEM SET {name} = {max(most, taken) + 4} and restart the server",
        )
    timeout = int(settings["wal_sender_timeout"])
    if 0 < timeout < _MINIMUM_SENDER_TIMEOUT_MS:
        yield Finding(
            "blocker",
            "wal-sender-timeout",
            "wal_sender_timeout",
            f"wal_sender_timeout is {timeout} ms: DMS fails below 10 s",
            "ALTER SYSTEM SET wal_sender_timeout = '60s' and reload",
        )
    elif timeout >= _LONG_SENDER_TIMEOUT_MS:
        yield Finding(
            "warning",
            "wal-sender-timeout",
            "wal_sender_timeout",
            f"wal_sender_timeout is {timeout // 1000} s: when the replication instance fails over, its slot stays "
            "taken as long",
            "ALTER SYSTEM SET wal_sender_timeout = '60s' and reload",
        )


def _timeouts(settings: dict[str, str]) -> Iterator[Finding]:
    what = {
        "idle_in_transaction_session_timeout": "DMS leaves transactions idle, and its task fails when one is ended",
        "statement_timeout": "the full load reads each table in one statement, which would be cut off",
    }
    for name, harm in what.items():
        if settings[name] not in ("0", "-1"):
            yield Finding(
                "warning",
                name.replace("_", "-"),
                name,
                f"{name} is {settings[name]} ms: {harm}",
                f"ALTER ROLE payments_dms SET {name} = 0",
            )


def _durability(settings: dict[str, str]) -> Iterator[Finding]:
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if settings[name] == "off":
            yield Finding(
                "warning",
                name.replace("_", "-"),
                name,
                f"{name} is off: a crash of the source loses payments that were accepted, whatever the cutover does",
                f"ALTER SYSTEM SET {name} = on and reload",
            )
    if settings["ssl"] != "on":
        yield Finding(
            "warning",
            "tls-off",
            "ssl",
            "the server does not speak TLS: DMS and the validator verify their servers and will refuse it",
            "set ssl, ssl_cert_file and ssl_key_file, and give the CA in params data_center.database_ca_pem",
        )


def _slots(session: Session, settings: dict[str, str]) -> Iterator[Finding]:
    has_limit = session.version >= _SLOT_LIMIT_SINCE
    rows = session.query(_SLOTS.format(status="wal_status" if has_limit else "NULL"))
    for name, active, _, held, status in rows:
        if status == "lost":
            yield Finding(
                "warning",
                "slot-lost",
                name,
                "the slot has lost the WAL that it needs: its reader cannot go on",
                f"SELECT pg_drop_replication_slot('{name}'), and load its reader anew",
            )
        elif not active:
            yield Finding(
                "warning",
                "slot-inactive",
                name,
                f"nobody reads the slot, and it holds {held / 2**20:,.0f} MiB of WAL back, which grows until the disk "
                "is full",
                f"start its reader, or SELECT pg_drop_replication_slot('{name}')",
            )
    if not any(plugin == "test_decoding" for _, _, plugin, _, _ in rows):
        yield Finding(
            "note",
            "plugin-unproven",
            "test_decoding",
            "that the plugin by which DMS reads the WAL is installed cannot be seen by SQL alone",
            "SELECT pg_create_logical_replication_slot('probe', 'test_decoding', true); its package is contrib",
        )
    if has_limit:
        limit = settings["max_slot_wal_keep_size"]
        unlimited = limit == "-1"
        yield Finding(
            "note" if unlimited else "warning",
            "slot-limit",
            "max_slot_wal_keep_size",
            "there is no limit: a replication task that stops fills the disk of the source"
            if unlimited
            else f"a replication task that falls {limit} MiB behind loses its slot, and has to load everything anew",
            "watch the disk while a task is stopped (see wal-volume)"
            if unlimited
            else "raise it to what the disk can hold, for as long as a task may be stopped (see wal-volume)",
        )
