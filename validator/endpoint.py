"""Where a database is and how its server is verified, from a DSN as PostgreSQL's own tools take it, or a secret."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from validator.errors import UsageError

TLS_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")
_KEYS = ("host", "port", "dbname", "user", "password", "sslmode", "sslrootcert", "connect_timeout")
# keyword = value, the value bare or in single quotes with backslash escapes; `=` may have spaces around it.
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE
_WORD = re.compile(r"\s*(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)*)(?=\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One database and its credentials; `side` ("source", "target") is what messages call it.

    `tls` is one of `TLS_MODES` with the meaning libpq gives them; `ca` the PEM file to verify against, None for the
    system's. A `host` that starts with / is the directory of a Unix socket.
    """

    side: str
    host: str
    port: int
    database: str
    user: str
    password: str | None = field(default=None, repr=False)
    tls: str = "verify-full"
    ca: Path | None = None
    connect_timeout_seconds: int = 10

    def __str__(self) -> str:
        return f"{self.side} database {self.database!r} at {self.host}:{self.port}"


def from_dsn(side: str, dsn: str, environment: Mapping[str, str] = os.environ) -> Endpoint:
    """Read `postgresql://user@host:port/name?sslmode=…` or `host=… dbname=…`.

    What is left out comes from PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSWORD, PGSSLMODE, PGSSLROOTCERT, then from
    PostgreSQL's defaults. One default is stricter than libpq's: a host elsewhere is verified in full, and only one on
    this machine may go unencrypted. Raises `UsageError`; its message never holds the DSN, which may hold a password.
    """
    if dsn.startswith(("postgresql://", "postgres://")):
        given = dict(_from_url(side, dsn))
    else:
        given = dict(_from_words(side, dsn))
    for key in given:
        if key not in _KEYS:
            raise UsageError(f"--{side}: the DSN's {key!r} is not known", hint="known are " + ", ".join(_KEYS))
    names = {"dbname": "PGDATABASE"}
    values = {key: environment[name] for key in _KEYS if (name := names.get(key, f"PG{key.upper()}")) in environment}
    values.update({key: value for key, value in given.items() if value})
    host = values.get("host", "localhost")
    user = values.get("user") or getpass.getuser()
    tls = values.get("sslmode") or ("prefer" if _is_local(host) else "verify-full")
    if tls not in TLS_MODES:
        raise UsageError(f"--{side}: sslmode {tls!r} is not known", hint="known are " + ", ".join(TLS_MODES))
    ca = Path(values["sslrootcert"]) if "sslrootcert" in values else None
    return Endpoint(
        side=side,
        host=host,
        port=_number(side, "port", values.get("port", "5432"), 65535),
        database=values.get("dbname", user),
        user=user,
        password=values.get("password"),
        tls=tls,
        ca=ca,
        connect_timeout_seconds=_number(side, "connect_timeout", values.get("connect_timeout", "10"), 3600),
    )


def from_secret(side: str, secret: Mapping[str, Any], ca: Path) -> Endpoint:
    """Read the JSON that Secrets Manager keeps for a database user; the server is always verified in full.

    Raises `UsageError` that names missing keys, never values.
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
    """
    missing = [key for key in ("username", "password", "host", "port", "dbname") if not secret.get(key)]
    if missing:
        raise UsageError(f"the {side} database's secret lacks {', '.join(missing)}")
    return Endpoint(
        side=side,
        host=str(secret["host"]),
        port=_number(side, "port", str(secret["port"]), 65535),
        database=str(secret["dbname"]),
        user=str(secret["username"]),
        password=str(secret["password"]),
        ca=ca,
    )


def _from_url(side: str, dsn: str) -> Iterator[tuple[str, str]]:
    try:
        parts = urlsplit(dsn)
        port = parts.port
    except ValueError:
        raise UsageError(
            f"--{side}: the DSN cannot be read",
            hint="write postgresql://user@host:5432/name, with special characters percent-encoded",
        ) from None
    yield "user", unquote(parts.username or "")
    yield "password", unquote(parts.password or "")
    yield "host", unquote(_host(parts.netloc.rpartition("@")[2]))
    yield "port", str(port or "")
    yield "dbname", unquote(parts.path.removeprefix("/"))
    yield from parse_qsl(parts.query)


def _host(location: str) -> str:
    """The host of `host:port`, in the case it is written in: it may be a directory, percent-encoded."""
    if location.startswith("["):
        return location[1:].partition("]")[0]
    return location.partition(":")[0]


def _from_words(side: str, dsn: str) -> Iterator[tuple[str, str]]:
    position = 0
    text = dsn.rstrip()
    while position < len(text):
        word = _WORD.match(text, position)
        if word is None:
            raise UsageError(
                f"--{side}: the DSN cannot be read",
                hint="write postgresql://user@host:5432/name or 'host=… port=… dbname=… user=…'",
            )
        key, value = word.groups()
        if value.startswith("'"):
            value = value[1:-1]
        yield key, re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
        position = word.end()


def _number(side: str, key: str, text: str, highest: int) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= highest:
        raise UsageError(f"the {side} database's {key} must be a number from 1 to {highest}")
    return int(text)


def _is_local(host: str) -> bool:
    if host.startswith("/") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
