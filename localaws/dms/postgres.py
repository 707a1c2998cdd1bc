"""One connection to a PostgreSQL server, and its errors as the two kinds that matter: it is lost, or it says no."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field
from typing import Any

_CONNECT_SECONDS = 5.0
_CANCEL_REQUEST = (16).to_bytes(4, "big") + (80877102).to_bytes(4, "big")
# SQLSTATE classes of a server that goes down, starts, or has no place left now: it may say yes later.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING = ("08", "57P", "53300", "55006")
# synchronous_commit: what has been told as done is still done after the server was killed, whatever its own setting.
_PINS = """
SET synchronous_commit TO on;
SET search_path TO pg_catalog; SET timezone TO 'UTC'; SET datestyle TO 'ISO, YMD'; SET intervalstyle TO 'postgres';
SET bytea_output TO hex; SET extra_float_digits TO 3; SET default_transaction_read_only TO off
"""


class LostError(Exception):
    """The server cannot be reached, or no longer: whoever waits may have it back."""


class RefusedError(Exception):
    """The server says no, and would say so again; `state` is its SQLSTATE."""

    def __init__(self, message: str, state: str = "") -> None:
        super().__init__(message)
        self.state = state


@dataclass(frozen=True, slots=True)
class Place:
    """A database and the user who signs in; `script` runs on every connection (an endpoint's AfterConnectScript)."""

    side: str
    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    script: str = ""

    def __str__(self) -> str:
        return f"{self.side} database {self.database!r} at {self.host}:{self.port}"

    def conninfo(self) -> str:
        """As libpq takes it, for the server of the other side.

        https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
        """
        words = {"host": self.host, "port": self.port, "dbname": self.database, "user": self.user}
        words |= {"password": self.password, "connect_timeout": int(_CONNECT_SECONDS)}
        return " ".join(f"{name}='{_escape(str(value))}'" for name, value in words.items())


class _Wire(socket.socket):
    """A connection that knows its stream: the driver forgets it unclosed, and with it what could not be sent."""

    _stream: Any = None

    def makefile(self, *given: Any, **named: Any) -> Any:
        self._stream = super().makefile(*given, **named)
        return self._stream

    def hang_up(self) -> None:
        """Close both."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            self._stream.close()
        self.close()


class Session:
    """An open connection; used by one thread at a time, but for `cancel`."""

    def __init__(self, place: Place, *, seconds: float | None = None, replication: bool = False) -> None:
        """Sign in; a statement may take `seconds` (None: for ever). With `replication` it takes replication commands.

        https://www.postgresql.org/docs/current/protocol-replication.html
        """
        from pg8000.exceptions import DatabaseError, InterfaceError
        from pg8000.native import Connection
        from scramp import ScramException

        self.place = place
        wire: _Wire | None = None
        try:
            wire = _dial(place)
            self._driver = Connection(
                place.user,
                database=place.database,
                password=place.password,
                sock=wire,
                ssl_context=False,
                application_name="dms",
                replication="database" if replication else None,
            )
        except (DatabaseError, InterfaceError, ScramException, OSError) as error:
            if wire is not None:
                wire.hang_up()
            raise self._told(error) from None
        self._wire = wire
        wire.settimeout(seconds)  # the driver has one timeout for connecting and reading
        try:
            self.run(_PINS)
            if place.script:
                self.run(place.script)
        except (LostError, RefusedError):
            self.close()
            raise

    def run(self, sql: str, stream: Any = None, **values: Any) -> list[list[Any]]:
        """The rows of a statement; `values` fill its `:name` places, `stream` is what COPY reads or writes."""
        from pg8000.exceptions import DatabaseError, InterfaceError

        try:
            return self._driver.run(sql, stream=stream, **values) or []
        except (DatabaseError, InterfaceError, OSError, ValueError, AttributeError) as error:
            # The driver lets errors of the closed file beneath it through.
            raise self._told(error) from None

    @property
    def count(self) -> int:
        """How many rows the last statement moved."""
        return int(self._driver.row_count)

    def cancel(self) -> None:
        """Ask the server, from another thread, to end the statement that it is at.

        https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
        """
        place, key = self.place, self._driver._backend_key_data  # noqa: SLF001 - the driver has no cancel
        with contextlib.suppress(OSError), socket.create_connection((place.host, place.port), _CONNECT_SECONDS) as wire:
            wire.sendall(_CANCEL_REQUEST + key)
            wire.recv(1)  # the server has dealt with it once it hangs up

    def close(self) -> None:
        """Hang up; a connection that is gone already is fine."""
        from pg8000.exceptions import InterfaceError

        with contextlib.suppress(InterfaceError, OSError, ValueError, AttributeError):
            self._driver.close()
        self._wire.hang_up()

    def _told(self, error: Exception) -> Exception:
        report = error.args[0] if error.args and isinstance(error.args[0], dict) else None
        if report is None:
            return LostError(f"cannot reach the {self.place}: {_reason(error)}")
        state, text = str(report.get("C", "")), f"the {self.place} says: {report.get('M')} ({report.get('C')})"
        return LostError(text) if state.startswith(_PASSING) else RefusedError(text, state)


class Link:
    """A session that is opened when it is needed, and again after it was lost."""

    def __init__(self, place: Place, seconds: float | None) -> None:
        self.place = place
        self._seconds = seconds
        self._session: Session | None = None
        self._lock = threading.Lock()

    def run(self, sql: str, **values: Any) -> list[list[Any]]:
        """As Session.run; the connection is gone after it was lost, and the next call makes one."""
        with self._lock:
            if self._session is None:
                self._session = Session(self.place, seconds=self._seconds)
        try:
            return self._session.run(sql, **values)
        except LostError:
            self.close()
            raise

    def cancel(self) -> None:
        """See Session.cancel; nothing where none is open."""
        with self._lock:
            session = self._session
        if session:
            session.cancel()

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            session, self._session = self._session, None
        if session:
            session.close()


def _dial(place: Place) -> _Wire:
    plain = socket.create_connection((place.host, place.port), _CONNECT_SECONDS)
    wire = _Wire(plain.family, plain.type, plain.proto, plain.detach())
    wire.settimeout(_CONNECT_SECONDS)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as libpq does
    return wire


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _reason(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
