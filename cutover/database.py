"""One connection that may write: TLS as the DSN asks, settings pinned, transactions, errors as sentences.

The validator has a connection of its own, which can only read; errors leave both as the same `ValidatorError`s, whose
text holds no row value.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection as Driver

from cutover.certificates import with_roots
from validator.dialling import dial, expect_answer, reason, set_silence
from validator.endpoint import Endpoint
from validator.errors import ConnectError, ConnectionLostError, QueryError, ValidatorError

# What a role, a database or a server sets as its own default must not change what a statement means or how long it
# holds others up. synchronous_commit: what a step of the cutover has done must outlive a crash of the server.
_PINS = """
SET standard_conforming_strings TO on;
SET search_path TO pg_catalog;
SET client_encoding TO UTF8;
SET timezone TO 'UTC';
SET datestyle TO 'ISO, YMD';
SET row_security TO off;
SET default_transaction_read_only TO {read_only};
SET default_transaction_isolation TO 'read committed';
SET synchronous_commit TO on;
SET lock_timeout TO '{lock}s';
SET idle_in_transaction_session_timeout TO '5min';
SET client_min_messages TO warning
"""
# What a server says in these classes names objects, users and settings; in others it may say values of rows.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_SPEAKING_CLASSES = ("08", "0A", "0L", "0P", "25", "28", "2B", "2F", "3D", "3F", "40", "42", "53", "54", "55", "57")
_OLDEST_VERSION = 100000


class Session:
    """An open connection; outside `transaction()` each statement commits by itself. Used by one thread at a time."""

    def __init__(self, endpoint: Endpoint, driver: Driver) -> None:
        self.endpoint = endpoint
        self._driver = driver
        self.version = 0

    def query(self, sql: str, **values: Any) -> list[list[Any]]:
        """The rows of one statement; `values` fill its `:name` places.

        Without values several statements may stand in `sql`, and take effect together. Raises `QueryError` or
        `ConnectionLostError`.
        """
        try:
            return self._driver.run(sql, **values) or []
        except DatabaseError as error:
            raise self._refusal(error.args[0]) from None
        except (InterfaceError, OSError, ValueError) as error:
            # The driver lets errors of the closed file beneath it through.
            raise ConnectionLostError(f"lost the connection to the {self.endpoint}: {reason(error)}") from None

    def value(self, sql: str, **values: Any) -> Any:
        """The one value that a statement answers with."""
        return self.query(sql, **values)[0][0]

    def renew(self, timeout_seconds: int) -> None:
        """After a while in which it was idle: is anybody there? Raises `ConnectionLostError` soon where nobody is."""
        expect_answer(self._driver, self.endpoint)
        self.query("SELECT 1")
        set_silence(self._driver, timeout_seconds)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing: commits at the end, rolls back when anything is raised."""
        self.query("BEGIN")
        try:
            yield
        except BaseException:
            with suppress(ConnectionLostError):
                self.query("ROLLBACK")
            raise
        self.query("COMMIT")

    def close(self) -> None:
        """Hang up; a connection that is already gone is fine."""
        stream = self._driver._sock  # noqa: SLF001 - the driver forgets it unclosed, and so with what it could not send
        with suppress(InterfaceError, OSError, ValueError):
            self._driver.close()
        with suppress(OSError, ValueError, AttributeError):
            stream.close()

    def _refusal(self, report: dict[str, str]) -> QueryError:
        state = report.get("C", "")
        speaks = state.startswith(_SPEAKING_CLASSES)
        text = f"{report.get('M')} ({state})" if speaks else f"error {state}, its text withheld: it may hold row values"
        return QueryError(f"the {self.endpoint.side} says: {text}", state)


@contextmanager
def connected(endpoint: Endpoint, **options: Any) -> Iterator[Session]:
    """A session that is closed at the end; `options` as `connect` takes them."""
    session = connect(endpoint, **options)
    try:
        yield session
    finally:
        session.close()


def connect(
    endpoint: Endpoint,
    *,
    read_only: bool = False,
    timeout_seconds: int = 0,
    lock_timeout_seconds: int = 5,
    name: str = "cutover",
) -> Session:
    """Open a session; `name` is what pg_stat_activity calls it.

    A statement that runs longer than `timeout_seconds` or waits longer than `lock_timeout_seconds` for a lock fails (0:
    never). An RDS host is verified against the roots that ship with the code. Raises `AuthenticationError` when the
    server refuses the user, `ConnectError` for everything else on the way.
    """
    endpoint = with_roots(endpoint)
    driver = dial(endpoint, timeout_seconds, name)
    session = Session(endpoint, driver)
    try:
        pins = _PINS.format(read_only="on" if read_only else "off", lock=lock_timeout_seconds)
        session.query(f"SET statement_timeout TO '{timeout_seconds}s';{pins}")
        session.version = session.value("SELECT current_setting('server_version_num')::int")
        if session.version < _OLDEST_VERSION:
            raise ConnectError(f"the {endpoint} is PostgreSQL {session.version // 100 / 100:g}; 10 is the oldest known")
    except ValidatorError:
        session.close()
        raise
    return session
