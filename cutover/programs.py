"""PostgreSQL's own programs: found, of a version that fits, and run against a database without its password on show."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cutover.certificates import with_roots
from cutover.errors import ProgramError
from validator.endpoint import Endpoint

_NAMES = ("pg_dump", "pg_restore", "psql")
# Debian's says more: pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
_VERSION = re.compile(r"\(PostgreSQL\) ([0-9]+)")
_INSTALL = "install the postgresql-client of that version, or give its folder as --bindir"


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of one folder, and their major version."""

    pg_dump: Path
    pg_restore: Path
    psql: Path
    major: int


def find(bindir: Path | None, source: int, target: int) -> Programs:
    """The programs of `bindir`, or of the path, that can take the schema from major `source` to major `target`.

    Raises `ProgramError` when they are missing, or not between the two: pg_dump refuses a server newer than itself, and
    what it writes is for servers of its own version or later.
    https://www.postgresql.org/docs/current/app-pgdump.html#PG-DUMP-NOTES
    """
    paths = [_locate(name, bindir) for name in _NAMES]
    majors = {_major(path) for path in paths}
    if len(majors) > 1:
        raise ProgramError(
            "pg_dump, pg_restore and psql are of different versions: " + ", ".join(map(str, sorted(majors))),
            hint="give the folder of one version as --bindir",
        )
    major = majors.pop()
    if not source <= major <= target:
        raise ProgramError(
            f"{paths[0]} is of PostgreSQL {major}; from a source of {source} to a target of {target} it takes one of "
            f"{source} to {target}",
            hint=_INSTALL,
        )
    return Programs(paths[0], paths[1], paths[2], major)


def run(program: Path, endpoint: Endpoint | None, *arguments: str) -> str:
    """What the program prints. Raises `ProgramError` with what it complained of."""
    done = subprocess.run(  # noqa: S603 - a path that we found, and arguments without a shell
        [program, *arguments], env=environment(endpoint), capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        complaint = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        where = f" on the {endpoint.side}" if endpoint else ""
        raise ProgramError(f"{program.name} failed{where}: {complaint}")
    return done.stdout


def environment(endpoint: Endpoint | None) -> dict[str, str]:
    """The environment of a program that speaks to `endpoint` and to nothing that the caller's PG variables name.

    libpq has no default for the system's certificates that all versions share, so the file is named.
    https://www.postgresql.org/docs/current/libpq-envars.html
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    if endpoint is None:
        return kept
    endpoint = with_roots(endpoint)
    kept |= {
        "PGHOST": endpoint.host,
        "PGPORT": str(endpoint.port),
        "PGDATABASE": endpoint.database,
        "PGUSER": endpoint.user,
        "PGSSLMODE": endpoint.tls,
        "PGCONNECT_TIMEOUT": str(endpoint.connect_timeout_seconds),
        "PGAPPNAME": "cutover",
        "PGCLIENTENCODING": "UTF8",
        "PGPASSFILE": os.devnull,
        "PGSERVICEFILE": os.devnull,
    }
    if endpoint.password is not None:
        kept["PGPASSWORD"] = endpoint.password
    roots = endpoint.ca or ssl.get_default_verify_paths().cafile
    if endpoint.tls.startswith("verify") and roots is not None:
        kept["PGSSLROOTCERT"] = str(roots)
    return kept


def _locate(name: str, bindir: Path | None) -> Path:
    found = shutil.which(name, path=bindir) if bindir else shutil.which(name)
    if found is None:
        raise ProgramError(f"{name} is not in {bindir or 'the path'}", hint=_INSTALL)
    return Path(found)


def _major(program: Path) -> int:
    answer = run(program, None, "--version")
    match = _VERSION.search(answer)
    if match is None:
        raise ProgramError(f"{program} does not say which version of PostgreSQL it is of: {answer.strip()!r}")
    return int(match[1])
