"""Two PostgreSQL servers with payments in them, and meters of what a client costs them."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pg8000.native

from rehearsal.postgres import OWNER, Cluster, find_programs

_TICKS = os.sysconf("SC_CLK_TCK")
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "1GB",
    "max_connections": "40",
    "max_wal_size": "8GB",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",  # its work would be counted
}
_SENT = re.compile(r"bytes_sent:(\d+)")


@dataclass(frozen=True, slots=True)
class Server(Cluster):
    """A running server."""

    def run(self, sql: str, database: str = "postgres") -> list[list[Any]]:
        """The rows of one statement."""
        with pg8000.native.Connection(
            OWNER, host="127.0.0.1", port=self.port, database=database, ssl_context=False
        ) as connection:
            return connection.run(sql) or []

    def dsn(self, database: str) -> str:
        """Where a database is, in the form that every tool here takes."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def cpu_seconds(self) -> float:
        """Of the server's processes, ended ones too."""
        parent = int((self.data / "postmaster.pid").read_text().split()[0])
        total = sum(_times(parent, children=True))
        for entry in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            total += sum(_times(int(entry), children=False))
        return total


def _times(process: int, *, children: bool) -> tuple[float, ...]:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return (0.0,)
    return tuple(int(ticks) / _TICKS for ticks in fields[11 : 15 if children else 13])


@contextmanager
def two_servers() -> Iterator[tuple[Server, Server]]:
    """A source and a target, empty, gone at the end."""
    with ExitStack() as stack:
        made = []
        for side in ("source", "target"):
            made.append(Server.make(side, find_programs(), _SETTINGS))
            stack.callback(made[-1].remove)
        yield made[0], made[1]


def run_files(servers: Sequence[Server], database: str, file: Path, rows: int) -> None:
    """Run a file of SQL, which may speak of `:rows`, on all servers at once."""
    arguments = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"rows={rows}", "-f", str(file)]
    clients = [
        subprocess.Popen(
            [str(server.programs / "psql"), *arguments, server.dsn(database)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for server in servers
    ]
    for client in clients:
        _, errors = client.communicate()
        if client.returncode:
            raise RuntimeError(f"{file.name} cannot be run: {errors}")


@dataclass(slots=True)
class Cost:
    """What one run of a client cost. CPU seconds, MiB received per side, MiB of memory at its peak."""

    wall: float = 0.0
    source_cpu: float = 0.0
    target_cpu: float = 0.0
    client_cpu: float = 0.0
    memory_mib: float = 0.0
    received_mib: float = 0.0
    output: str = ""
    exit_code: int = 0


def measure(command: Sequence[str], servers: tuple[Server, Server]) -> Cost:
    """Run a client and meter it and the servers."""
    cost, wire = Cost(), _Wire([server.port for server in servers])
    before = [server.cpu_seconds() for server in servers]
    start = time.perf_counter()
    with wire, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as client:
        assert client.stdout is not None
        cost.output = client.stdout.read()
        _, status, usage = os.wait4(client.pid, 0)
        client.returncode = cost.exit_code = os.waitstatus_to_exitcode(status)
    cost.wall = time.perf_counter() - start
    for server in servers:
        _await_quiet(server)
    cost.source_cpu, cost.target_cpu = (
        server.cpu_seconds() - earlier for server, earlier in zip(servers, before, strict=True)
    )
    cost.client_cpu = usage.ru_utime + usage.ru_stime
    cost.memory_mib = usage.ru_maxrss / 1024
    cost.received_mib = max(wire.sent.values(), default=0) / 2**20
    return cost


def _await_quiet(server: Server) -> None:
    """Until the processes that served the client have ended: only then their time is in the server's own."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    while server.run(others)[0][0]:
        time.sleep(0.05)
    time.sleep(0.2)  # for the one that asked


@dataclass(slots=True)
class _Wire:
    """Reads every tenth of a second what each server has sent on each of its connections."""

    ports: list[int]
    sent: dict[int, int] = field(default_factory=dict)
    _seen: dict[tuple[int, str], int] = field(default_factory=dict)
    _end: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> None:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        assert self._thread is not None
        self._thread.join()
        for (port, _connection), count in self._seen.items():
            self.sent[port] = self.sent.get(port, 0) + count

    def _watch(self) -> None:
        while not self._end.wait(0.1):
            for port in self.ports:
                self._read(port)

    def _read(self, port: int) -> None:
        listed = subprocess.run(
            ["ss", "-Htino", "state", "established", f"sport = :{port}"], capture_output=True, text=True, check=True
        )
        lines = listed.stdout.splitlines()
        for address, facts in zip(lines[::2], lines[1::2], strict=False):
            if found := _SENT.search(facts):
                self._seen[port, address.split()[3]] = int(found[1])
