"""One connection that may write: TLS as the DSN asks, settings pinned, transactions, errors as sentences.

The validator has one of its own, which can only read; what both do alike is in validator/wire.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from cutover.certificates import with_roots
from validator.dialling import dial
from validator.endpoint import Endpoint
from validator.errors import ConnectError, ConnectionLostError, ValidatorError
from validator.wire import Wire

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
_OLDEST_VERSION = 100000


class Session(Wire):
    """An open connection; outside `transaction()` each statement commits by itself."""

    # Of roles, privileges and routines, which the validator never touches.
    speaking_classes = (*Wire.speaking_classes, "0L", "0P", "2B", "2F")

    def value(self, sql: str, **values: Any) -> Any:
        """The one value that a statement answers with."""
        return self.query(sql, **values)[0][0]

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
