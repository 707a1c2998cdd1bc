"""The two PostgreSQL servers of a rehearsal, as durable as a payment needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from rehearsal.postgres import OWNER, Cluster

DATABASE = "payments"
# The owner is trusted so that the rehearsal can set up; every role of the system proves its password, as in production.
_HBA = """
local all all trust
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "wal_level": "logical",
    "synchronous_commit": "on",
    "max_connections": "100",
    "max_replication_slots": "10",
    "max_wal_senders": "10",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    # How soon a replication that was cut tries again: DMS asks every 5 s at first, PostgreSQL every 5 s for ever.
    "wal_retrieve_retry_interval": "500ms",
}


@dataclass(frozen=True, slots=True)
class Server(Cluster):
    """A server with a database of payments."""

    def dsn(self, user: str = OWNER, password: str = "") -> str:
        """Of its database of payments, without TLS, which this build of the server does not speak."""
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{DATABASE}?sslmode=disable"

    def run(self, sql: str, *values: Any, database: str = DATABASE) -> list[tuple[Any, ...]]:
        """Rows of a statement of the owner's, which commits by itself. Raises psycopg.Error."""
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=OWNER, dbname=database, sslmode="disable", autocommit=True
        ) as connection:
            cursor = connection.execute(sql, values)
            return cursor.fetchall() if cursor.description else []


def make_server(name: str, programs: Path) -> Server:
    """Make a server and start it; its database is empty. Raises RehearsalError."""
    server = Server.make(name, programs, _SETTINGS, _HBA)
    try:
        server.run(f"CREATE DATABASE {DATABASE}", database="postgres")
    except BaseException:
        server.remove()
        raise
    return server
