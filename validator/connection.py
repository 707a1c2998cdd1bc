"""One connection to one database: TLS, session settings pinned for one canonical text, read-only snapshots.

Whatever a role, a database or a server sets as its own default must not change how a value is written, so every setting
that does is pinned. Errors leave here as `ValidatorError`s whose text holds no row value.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection as Driver
from scramp import ScramException

from validator.endpoint import Endpoint
from validator.errors import AuthenticationError, ConnectError, ConnectionLostError, QueryError, ValidatorError

# Written first, for it decides how every later literal is read.
_PINS = """
SET standard_conforming_strings TO on;
SET search_path TO pg_catalog;
SET client_encoding TO UTF8;
SET timezone TO 'UTC';
SET datestyle TO 'ISO, YMD';
SET intervalstyle TO iso_8601;
SET bytea_output TO hex;
SET lc_monetary TO 'C';
SET lc_numeric TO 'C';
SET extra_float_digits TO 3;
SET xmloption TO content;
SET row_security TO off;
SET default_transaction_read_only TO on;
SET max_parallel_workers_per_gather TO 0;
SET lock_timeout TO '5s';
SET idle_in_transaction_session_timeout TO '5min';
SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'jit'
"""
# What a server says in these classes names objects, users and settings, never the values of rows; what it says in
# others ("invalid input syntax for type …: …") may hold card data and is left out.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_SPEAKING_CLASSES = ("08", "0A", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57")
_AUTHENTICATION_CLASS = "28"
_NETWORK_GRACE_SECONDS = 30
_OLDEST_VERSION = 100000
_CANCEL_REQUEST = (16).to_bytes(4, "big") + (80877102).to_bytes(4, "big")


class Session:
    """An open connection with pinned settings. Statements run inside `snapshot()`; used by one thread at a time."""

    def __init__(self, endpoint: Endpoint, driver: Driver) -> None:
        self.endpoint = endpoint
        self._driver = driver
        self.version = 0
        self.encoding = ""

    def query(self, sql: str, **values: Any) -> list[list[Any]]:
        """The rows of one statement; `values` fill its `:name` places. Raises `QueryError` or `ConnectionLostError`."""
        try:
            return self._driver.run(sql, **values) or []
        except DatabaseError as error:
            raise self._refusal(error.args[0]) from None
        except (InterfaceError, OSError, ValueError) as error:
            # The driver lets errors of the closed file beneath it through.
            raise ConnectionLostError(f"lost the connection to the {self.endpoint}: {_reason(error)}") from None

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A read-only transaction in which every statement after the first sees the same rows."""
        self.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            with suppress(ConnectionLostError):
                self.query("ROLLBACK")

    def close(self) -> None:
        """Hang up; a connection that is already gone is fine."""
        stream = self._driver._sock  # noqa: SLF001 - the driver forgets it unclosed, and so with what it could not send
        with suppress(InterfaceError, OSError, ValueError):
            self._driver.close()
        with suppress(OSError, ValueError, AttributeError):
            stream.close()

    def abort(self) -> None:
        """Stop what the server is doing for this session, from another thread than the one that waits for it.

        https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
        """
        with suppress(OSError), _wire(self.endpoint) as wire:
            wire.sendall(_CANCEL_REQUEST + self._driver._backend_key_data)  # noqa: SLF001 - the driver has no cancel
        with suppress(OSError, AttributeError):
            self._driver._usock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001 - nor a way to wake its reader

    def _refusal(self, report: dict[str, str]) -> QueryError:
        state = report.get("C", "")
        speaks = state.startswith(_SPEAKING_CLASSES)
        text = f"{report.get('M')} ({state})" if speaks else f"error {state}, its text withheld: it may hold row values"
        return QueryError(f"the {self.endpoint.side} says: {text}", state)


def connect(endpoint: Endpoint, timeout_seconds: int = 0) -> Session:
    """Open a session; a statement that runs longer than `timeout_seconds` fails (0: never).

    Raises `AuthenticationError` when the server refuses the user, `ConnectError` for everything else on the way.
    """
    context = _tls_context(endpoint)
    try:
        driver = _dial(endpoint, context, timeout_seconds)
    except _TlsRefusedError:
        if endpoint.tls != "prefer":
            raise ConnectError(
                f"the {endpoint} does not speak TLS",
                hint="turn on ssl there, or add sslmode=disable to the DSN where plain text is meant",
            ) from None
        driver = _dial(endpoint, None, timeout_seconds)
    session = Session(endpoint, driver)
    try:
        session.query(f"SET statement_timeout TO '{timeout_seconds}s';{_PINS}")
        facts = "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')"
        session.version, session.encoding = session.query(facts)[0]
        if session.version < _OLDEST_VERSION:
            raise ConnectError(
                f"the {endpoint} is PostgreSQL {session.version // 100 / 100:g}; 10 is the oldest compared"
            )
    except ValidatorError:
        session.close()
        raise
    return session


class _TlsRefusedError(Exception):
    """The server answered that it does not speak TLS."""


def _dial(endpoint: Endpoint, context: ssl.SSLContext | None, timeout_seconds: int) -> Driver:
    wire: socket.socket | None = None
    try:
        wire = _wire(endpoint)
        driver = Driver(
            endpoint.user,
            host=endpoint.host,
            database=endpoint.database,
            password=endpoint.password or "",
            sock=wire,
            ssl_context=context or False,
            application_name="validator",
        )
    except (DatabaseError, InterfaceError, ScramException, OSError) as error:
        if wire is not None:
            wire.close()
        raise _refused(endpoint, error) from None
    # A peer that falls silent mid-statement is noticed a little after the server's own timeout should have struck.
    silence = timeout_seconds + _NETWORK_GRACE_SECONDS if timeout_seconds else None
    driver._usock.settimeout(silence)  # noqa: SLF001 - the driver has one timeout for connecting and for reading
    return driver


def _refused(endpoint: Endpoint, error: Exception) -> Exception:
    if isinstance(error, DatabaseError):
        report = error.args[0]
        text = f"{report.get('M')} ({report.get('C')})"
        if report.get("C", "").startswith(_AUTHENTICATION_CLASS):
            hint = "" if endpoint.password else "no password was given: set PGPASSWORD or write it into the DSN"
            return AuthenticationError(f"the {endpoint} refuses user {endpoint.user!r}: {text}", hint)
        return ConnectError(f"the {endpoint} refuses the connection: {text}")
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConnectError(
            f"the certificate of the {endpoint} is not to be trusted: {error.verify_message}",
            hint=f"verified against {endpoint.ca or 'the certificates of this machine'}, by sslmode {endpoint.tls}",
        )
    if isinstance(error, ScramException):
        return AuthenticationError(f"the {endpoint} fails to prove that it knows the password: {error}")
    if "refuses SSL" in str(error):
        return _TlsRefusedError()
    return ConnectError(
        f"cannot reach the {endpoint}: {_reason(error)}", hint="check host, port, security group and that it runs"
    )


def _wire(endpoint: Endpoint) -> socket.socket:
    if endpoint.host.startswith("/"):
        wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        wire.settimeout(endpoint.connect_timeout_seconds)
        try:
            wire.connect(f"{endpoint.host}/.s.PGSQL.{endpoint.port}")
        except OSError:
            wire.close()
            raise
        return wire
    wire = socket.create_connection((endpoint.host, endpoint.port), endpoint.connect_timeout_seconds)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return wire


def _tls_context(endpoint: Endpoint) -> ssl.SSLContext | None:
    if endpoint.tls == "disable" or endpoint.host.startswith("/"):
        return None
    # Not create_default_context: from Python 3.13 it also turns on VERIFY_X509_STRICT, which refuses many private CAs.
    # https://docs.python.org/3/whatsnew/3.13.html#ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if endpoint.tls in ("prefer", "require"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    context.check_hostname = endpoint.tls == "verify-full"
    try:
        if endpoint.ca is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(cafile=endpoint.ca)
    except (OSError, ssl.SSLError) as error:
        raise ConnectError(
            f"cannot read the CA certificates of the {endpoint.side} in {endpoint.ca}: {_reason(error)}"
        ) from None
    return context


def _reason(error: BaseException) -> str:
    """What the innermost error says: the driver hides the network's own words behind its own."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
