"""One connection to one database: TLS, session settings pinned for one canonical text, read-only snapshots.

Whatever a role, a database or a server sets as its own default must not change how a value is written, so every setting
that does is pinned. Errors leave here as `ValidatorError`s whose text holds no row value.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any

from pg8000.native import Connection as Driver

from validator.dialling import dial, wire_to
from validator.endpoint import Endpoint
from validator.errors import ConnectError, ConnectionLostError, ValidatorError
from validator.wire import Wire

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
SET enable_sort TO off;
SET work_mem TO '1GB';
SET lock_timeout TO '5s';
SET idle_in_transaction_session_timeout TO '5min';
SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'jit'
"""
_OLDEST_VERSION = 100000
_CANCEL_REQUEST = (16).to_bytes(4, "big") + (80877102).to_bytes(4, "big")


class Session(Wire):
    """A connection with pinned settings, which counts. Statements run between `begin` and `end`."""

    def __init__(self, endpoint: Endpoint, driver: Driver) -> None:
        super().__init__(endpoint, driver)
        self.encoding = ""
        self._lasting: dict[str, list[list[Any]]] = {}
        self._received = 0
        self._busy_seconds = 0.0

    def query(self, sql: str, **values: Any) -> list[list[Any]]:
        """See `Wire`."""
        began = time.monotonic()
        try:
            rows = super().query(sql, **values)
        finally:
            self._busy_seconds += time.monotonic() - began
        self._received += sum(len(value) for row in rows for value in row if isinstance(value, str))
        return rows

    def lasting(self, sql: str) -> list[list[Any]]:
        """The same of what cannot change while the connection lasts: asked once."""
        if sql not in self._lasting:
            self._lasting[sql] = self.query(sql)
        return self._lasting[sql]

    def take_received(self) -> int:
        """Characters of the answers since it was last asked."""
        received, self._received = self._received, 0
        return received

    def take_busy(self) -> float:
        """Seconds that the server worked for this session since it was last asked."""
        busy, self._busy_seconds = self._busy_seconds, 0.0
        return busy

    def begin(self) -> None:
        """Begin a read-only transaction in which every statement after the first sees the same rows."""
        self.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def end(self) -> None:
        """End it; that the connection is gone does not matter any more."""
        with suppress(ConnectionLostError):
            self.query("ROLLBACK")

    def abort(self) -> None:
        """Stop what the server is doing for this session, from another thread than the one that waits for it.

        https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
        """
        with suppress(OSError), wire_to(self.endpoint) as wire:
            wire.sendall(_CANCEL_REQUEST + self._driver._backend_key_data)  # noqa: SLF001 - the driver has no cancel
        with suppress(OSError, AttributeError):
            self._driver._usock.shutdown(socket.SHUT_RDWR)  # noqa: SLF001 - nor a way to wake its reader


def connect(endpoint: Endpoint, timeout_seconds: int = 0) -> Session:
    """Open a session; a statement that runs longer than `timeout_seconds` fails (0: never).

    Raises `AuthenticationError` when the server refuses the user, `ConnectError` for everything else on the way.
    """
    driver = dial(endpoint, timeout_seconds, "validator")
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
