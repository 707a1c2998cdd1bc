"""How a step ends when it does not succeed: four classes, by whose names the state machine decides what comes next."""

from __future__ import annotations

from collections.abc import Iterable

from validator.errors import AuthenticationError, ConnectError, ConnectionLostError, QueryError, ValidatorError

# Serialization and deadlock, resources, a lock that was not to be had, a server that stops or starts.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING = ("40", "53", "55P03", "57014", "57P")
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_errors.html and the services' common errors
_BUSY = ("Throttl", "TooManyRequests", "RequestLimit", "SlowDown", "InternalError", "InternalFailure", "ServiceUnavail")
_SERVER_ERROR = 500


class StepError(ValidatorError):
    """The base of the four."""


class NotReady(StepError):  # noqa: N818 - the state machine knows it by this name
    """The cutover cannot begin, and why: every reason at once. Nothing was done."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(self.reasons), hint="nothing was done")


class Retry(StepError):  # noqa: N818 - as above
    """Something was away or busy: the same call again goes on where this one stopped."""


class BudgetExceeded(StepError):  # noqa: N818 - as above
    """Writes have been refused for as long as they may be."""


class Blocked(StepError):  # noqa: N818 - as above
    """It cannot go on by itself: a person has to look. While writes are refused the cutover rolls back."""


def translate(error: Exception) -> StepError | None:
    """The error as one of the four; None for a defect of ours, which keeps its own name."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
    from botocore.exceptions import ConnectionError as UnconnectedError

    if isinstance(error, StepError):
        return error
    if isinstance(error, ClientError):
        answer = error.response
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        busy = answer.get("Error", {}).get("Code", "").startswith(_BUSY) or status >= _SERVER_ERROR
        return Retry(f"AWS: {error}") if busy else Blocked(f"AWS refuses: {error}")
    if isinstance(error, HTTPClientError | UnconnectedError):
        return Retry(f"AWS cannot be reached: {error}")
    if isinstance(error, BotoCoreError):
        return Blocked(f"AWS cannot be asked: {error}")
    if isinstance(error, ValidatorError):
        return _of_database(error)
    return None


def _of_database(error: ValidatorError) -> StepError:
    if isinstance(error, QueryError):
        return Retry(str(error)) if error.sqlstate.startswith(_PASSING) else Blocked(str(error))
    away = isinstance(error, ConnectError | ConnectionLostError) and not isinstance(error, AuthenticationError)
    return Retry(str(error)) if away else Blocked(str(error))
