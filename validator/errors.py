"""What can go wrong outside the data: one base, a sentence to read and a next step, never a secret or a row value."""

from __future__ import annotations


class ValidatorError(Exception):
    """The message says what happened and on which side; `hint` says what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = str(self.args[0])
        return f"{message} ({self.hint})" if self.hint else message


class UsageError(ValidatorError):
    """The command line, an environment variable or a secret is wrong: nothing was compared."""


class ConnectError(ValidatorError):
    """A database could not be reached: name, network, TLS."""


class AuthenticationError(ConnectError):
    """The server refused the user or the password."""


class ConnectionLostError(ValidatorError):
    """An open connection broke; the same question may be asked again on a new one."""


class QueryError(ValidatorError):
    """The server refused a statement; `sqlstate` is its five-character code."""

    def __init__(self, message: str, sqlstate: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.sqlstate = sqlstate


class RedefinedError(ValidatorError):
    """A table is no longer what the comparison was planned with."""


class MarkerError(ValidatorError):
    """The point of replication that was to be compared at was not reached."""
