"""Two real PostgreSQL servers, started once per session on free loopback ports, and a pair of schemas for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pg8000.native
import pytest

from rehearsal.postgres import Cluster
from tests.integration.postgres import (
    Certificates,
    TlsServer,
    certificates,
    clusters,
    older_programs,
    programs,
)
from validator.catalog import Table
from validator.compare import compare_table
from validator.comparison import Options
from validator.endpoint import Endpoint
from validator.sides import Sides

__all__ = ["certificates", "programs"]
# Owners are trusted so that tests can set up; everyone else proves a password, as in production.
HBA = """
local all all trust
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "40",
    "shared_buffers": "32MB",
    "wal_writer_delay": "10ms",  # three times this is waited for before a run leaves its mark
    "timezone": "America/New_York",
}


@dataclass(frozen=True)
class Server(Cluster):
    """A running cluster."""

    @property
    def side(self) -> str:
        return self.name

    def run(self, sql: str, database: str = "postgres") -> list[list[Any]]:
        with self.connect(database) as connection:
            return connection.run(sql) or []

    def connect(self, database: str = "postgres") -> pg8000.native.Connection:
        return pg8000.native.Connection(
            "postgres", host="127.0.0.1", port=self.port, database=database, ssl_context=False
        )

    def cancelled(self) -> int:
        """How many statements were cancelled because someone asked, not because they took too long."""
        return self.log.read_text().count("canceling statement due to user request")

    def endpoint(self, **changes: Any) -> Endpoint:
        given = {"side": self.side, "host": "127.0.0.1", "port": self.port, "database": "postgres", "user": "postgres"}
        return Endpoint(**{**given, "tls": "disable", **changes})

    def dsn(self, user: str = "postgres", database: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"


@dataclass(frozen=True)
class Pair:
    """A schema of the same name on both servers, and a connection to each to write by."""

    source: Server
    target: Server
    schema: str
    writers: dict[str, pg8000.native.Connection] = field(default_factory=dict)

    def on_source(self, sql: str) -> list[list[Any]]:
        return self._run(self.source, sql)

    def on_target(self, sql: str) -> list[list[Any]]:
        return self._run(self.target, sql)

    def on_both(self, sql: str) -> None:
        self.on_source(sql)
        self.on_target(sql)

    def _run(self, server: Server, sql: str) -> list[list[Any]]:
        if server.side not in self.writers:
            self.writers[server.side] = server.connect()
        writer = self.writers[server.side]
        writer.run("RESET ALL")
        return writer.run(f"SET search_path TO {self.schema}, public; {sql}") or []

    def close(self) -> None:
        for writer in self.writers.values():
            writer.close()

    def sides(self, **changes: Any) -> Sides:
        return Sides(self.source.endpoint(**changes), self.target.endpoint(**changes))

    def compare(self, name: str = "t", options: Options | None = None, **changes: Any) -> dict[str, Any]:
        with self.sides(**changes) as sides:
            return self.compare_on(sides, name, options)

    def compare_on(self, sides: Sides, name: str = "t", options: Options | None = None) -> dict[str, Any]:
        return compare_table(sides, Table(self.schema, name), options).document()


def told(document: dict[str, Any]) -> list[str]:
    """What a document says of each differing row: `changed 17: amount`, `missing 18`; without a key, the row itself.

    Checked on the way: counts, keys and differences agree, and every value that is said to differ does.
    """
    lines = []
    for item in document["differences"]:
        key = ",".join(item["key"].values())
        if item["kind"] == "changed":
            assert all(shown["source"] != shown["target"] for shown in item["columns"].values())
            lines.append(f"changed {key}: {', '.join(item['columns'])}")
        elif item["key"]:
            lines.append(f"{item['kind']} {key}")
        else:
            [row] = item["row"].values()
            times = int(item.get("note", "1 times").partition(" ")[0])
            lines += [f"{item['kind']} {','.join(str(value) for value in row.values())}"] * times
    for kind in ("missing", "extra", "changed"):
        assert document[kind]["count"] == sum(line.startswith(kind) for line in lines)
        keys = [item["key"] for item in document["differences"] if item["kind"] == kind and item["key"]]
        assert document[kind]["keys"] == keys
    return sorted(lines)


def until(question: Callable[[], Any]) -> Any:
    """Ask until the answer is truthy: each question is a round trip, so this is bounded in time as well."""
    for _ in range(20000):
        if answer := question():
            return answer
    raise AssertionError("it never happened")


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


@pytest.fixture
def tls_servers(servers: tuple[Server, Server], certificates: Certificates) -> Iterator[tuple[TlsServer, TlsServer]]:
    """Both servers, behind TLS."""
    fronts = TlsServer(certificates.server, certificates.key), TlsServer(certificates.server, certificates.key)
    for front, server in zip(fronts, servers, strict=True):
        front.upstream = server.port
    yield fronts
    for front in fronts:
        front.close()


_numbers = itertools.count(1)


@contextmanager
def schemas(source: Server, target: Server) -> Iterator[Pair]:
    schema = f"s{next(_numbers)}"
    for server in (source, target):
        server.run(f"CREATE SCHEMA {schema}")
    pair = Pair(source, target, schema)
    yield pair
    pair.close()
    for server in (source, target):
        server.run(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def pair(servers: tuple[Server, Server]) -> Iterator[Pair]:
    with schemas(*servers) as pair:
        yield pair


@pytest.fixture(scope="module", params=["the same major", "an older major"])
def shared_pair(request: pytest.FixtureRequest, servers: tuple[Server, Server]) -> Iterator[Pair]:
    """A pair of schemas for all tests of a module."""
    source = servers[0] if request.param == "the same major" else request.getfixturevalue("older")
    with schemas(source, servers[1]) as pair:
        yield pair


@pytest.fixture(scope="module", params=["fast", "md5"])
def hashed(request: pytest.FixtureRequest) -> Any:
    """The hash to compare by."""
    return request.param


@pytest.fixture(scope="session")
def older(cluster: Callable[..., Server]) -> Server:
    """A server of an older major."""
    return cluster("source", older_programs())


@pytest.fixture
def mixed_pair(older: Server, servers: tuple[Server, Server]) -> Iterator[Pair]:
    """From an older major to the newest."""
    with schemas(older, servers[1]) as pair:
        yield pair
