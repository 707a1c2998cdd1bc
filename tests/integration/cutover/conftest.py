"""Two real PostgreSQL servers, started once per session, and for each test a database of one name on both."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pg8000.native
import pytest

from cutover.database import Session, connected
from rehearsal.postgres import Cluster
from tests.integration.postgres import (
    Certificates,
    TlsServer,
    certificates,
    clusters,
    older_programs,
    programs,
)
from validator.endpoint import Endpoint

__all__ = ["certificates", "programs"]
# Owners are trusted so that tests can set up; everyone else proves a password, as in production.
HBA = """
local all all trust
host all postgres 127.0.0.1/32 trust
host all master 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "40",
    "max_prepared_transactions": "5",
    "shared_buffers": "32MB",
    "timezone": "America/New_York",
    "wal_level": "logical",
    "max_replication_slots": "6",
    "max_wal_senders": "6",
}


@dataclass(frozen=True)
class Server(Cluster):
    """A running cluster, or with `database` one database of it; its name is that of its side."""

    database: str = "postgres"

    def dial(self, user: str = "postgres", password: str | None = None) -> Any:
        """A connection of the driver's own, for what the code under test does not do."""
        return pg8000.native.Connection(
            user, host="127.0.0.1", port=self.port, database=self.database, password=password, ssl_context=False
        )

    def run(self, sql: str, user: str = "postgres", password: str | None = None) -> list[list[Any]]:
        with self.dial(user, password) as connection:
            return connection.run(sql) or []

    def endpoint(self, **changes: Any) -> Endpoint:
        given = {
            "side": self.name,
            "host": "127.0.0.1",
            "port": self.port,
            "database": self.database,
            "user": "postgres",
        }
        return Endpoint(**{**given, "tls": "disable", **changes})

    def dsn(self, user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{self.database}"

    def session(self, user: str = "postgres", password: str | None = None, **options: Any) -> Any:
        return connected(self.endpoint(user=user, password=password), **options)


@dataclass(frozen=True)
class Pair:
    """A database of the same name on both servers; `system` is a name for roles that no other test has."""

    source: Server
    target: Server
    system: str

    def on_both(self, sql: str) -> None:
        self.source.run(sql)
        self.target.run(sql)

    @contextmanager
    def sessions(self) -> Iterator[tuple[Session, Session]]:
        with self.source.session() as source, self.target.session() as target:
            yield source, target


def start_cluster(side: str, programs: Path, options: dict[str, str]) -> Server:
    """A running cluster of its own, with these options beside those of all."""
    return Server.make(side, programs, {**OPTIONS, **options}, HBA)


@pytest.fixture(scope="session")
def cluster(programs: Path) -> Iterator[Callable[..., Server]]:
    """Starts clusters that are stopped at the end of the session."""
    with clusters(start_cluster, programs) as start:
        yield start


@pytest.fixture(scope="session")
def servers(cluster: Callable[..., Server]) -> tuple[Server, Server]:
    return cluster("source"), cluster("target")


@pytest.fixture(scope="session")
def older(cluster: Callable[..., Server]) -> Server:
    """A server of an older major."""
    return cluster("source", older_programs())


_numbers = itertools.count(1)


@contextmanager
def _databases(source: Server, target: Server) -> Iterator[Pair]:
    """Made on both, and dropped with the roles that the test made."""
    system = f"t{next(_numbers)}"
    places = [replace(server, database=system) for server in (source, target)]
    for server in (source, target):
        server.run(f"CREATE DATABASE {system}")
    yield Pair(places[0], places[1], system)
    for server, place in zip((source, target), places, strict=True):
        for (gid,) in place.run("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"):
            place.run(f"ROLLBACK PREPARED '{gid}'")
        for (name,) in server.run("SELECT slot_name FROM pg_replication_slots"):
            server.run(f"SELECT pg_drop_replication_slot('{name}')")
        server.run(f"DROP DATABASE {system} WITH (FORCE)")
        roles = server.run("SELECT rolname FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%' AND rolname <> 'postgres'")
        for (role,) in roles:
            server.run(f'DROP OWNED BY "{role}" CASCADE')
        for (role,) in roles:
            server.run(f'DROP ROLE "{role}"')


@pytest.fixture
def pair(servers: tuple[Server, Server]) -> Iterator[Pair]:
    with _databases(*servers) as pair:
        yield pair


@pytest.fixture
def mixed_pair(older: Server, servers: tuple[Server, Server]) -> Iterator[Pair]:
    """From an older major to the newest."""
    with _databases(older, servers[1]) as pair:
        yield pair


@pytest.fixture
def tls_front(servers: tuple[Server, Server], certificates: Certificates) -> Iterator[TlsServer]:
    """The source, behind TLS."""
    front = TlsServer(certificates.server, certificates.key, servers[0].port)
    yield front
    front.close()
