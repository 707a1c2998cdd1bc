"""What every session with a server has in common: statements, errors as sentences, hanging up."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from pg8000.exceptions import DatabaseError, InterfaceError
from pg8000.native import Connection as Driver

from validator.dialling import expect_answer, reason, set_silence
from validator.endpoint import Endpoint
from validator.errors import ConnectionLostError, QueryError


class Wire:
    """An open connection, used by one thread at a time."""

    # What a server says in these classes names objects, users and settings, never the values of rows; what it says in
    # others ("invalid input syntax for type …: …") may hold card data and is left out.
    # https://www.postgresql.org/docs/current/errcodes-appendix.html
    speaking_classes: ClassVar[tuple[str, ...]] = (
        "08", "0A", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57",
    )  # fmt: skip

    def __init__(self, endpoint: Endpoint, driver: Driver) -> None:
        self.endpoint = endpoint
        self.version = 0
        self._driver = driver

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

    def renew(self, timeout_seconds: int) -> None:
        """After a while in which it was idle: is anybody there? From now on a statement that runs longer fails.

        Raises `ConnectionLostError` soon where nobody is.
        """
        expect_answer(self._driver, self.endpoint)
        self.query(f"SET statement_timeout TO '{timeout_seconds}s'")
        set_silence(self._driver, timeout_seconds)

    def close(self) -> None:
        """Hang up; a connection that is already gone is fine."""
        stream = self._driver._sock  # noqa: SLF001 - the driver forgets it unclosed, and so with what it could not send
        with suppress(InterfaceError, OSError, ValueError):
            self._driver.close()
        with suppress(OSError, ValueError, AttributeError):
            stream.close()

    def _refusal(self, report: dict[str, str]) -> QueryError:
        state = report.get("C", "")
        speaks = state.startswith(self.speaking_classes)
        text = f"{report.get('M')} ({state})" if speaks else f"error {state}, its text withheld: it may hold row values"
        return QueryError(f"the {self.endpoint.side} says: {text}", state)
