"""PostgreSQL servers for tests: clusters of their own on free loopback ports, TLS in front of them, certificates."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from rehearsal.postgres import Cluster, find_programs

Made = TypeVar("Made", bound=Cluster)


@contextmanager
def clusters(make: Callable[..., Made], programs: Path) -> Iterator[Callable[..., Made]]:
    """A function that starts a cluster by `make(side, programs, settings)`; all of them are removed at the end."""
    with ExitStack() as stack:

        def start(side: str, folder: Path = programs, **settings: str) -> Made:
            made = make(side, folder, settings)
            stack.callback(made.remove)
            return made

        yield start


def older_programs() -> Path:
    """Those of an older major, where one is installed: Debian's, or those of OLDER_POSTGRES (a folder); else a skip."""
    given = os.environ.get("OLDER_POSTGRES")
    folders = [Path(given)] if given else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        pytest.skip("no other PostgreSQL is installed")
    return folders[0]


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the PostgreSQL programs that the test requirements bring, in reach of whoever may run them."""
    found = find_programs()
    if os.geteuid() == 0:
        for parent in found.resolve().parents:
            if not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o001)
    return found


class TlsServer:
    """Speaks PostgreSQL's TLS negotiation in front of a server that was built without TLS; counts what it encrypted."""

    def __init__(self, certificate: Path, key: Path, upstream: int = 0) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.upstream = upstream
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
            for wire in (client, server):
                # PostgreSQL's own: else every second small packet waits 40 ms for the acknowledgement of the first.
                wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
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
