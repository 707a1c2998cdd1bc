"""The sessions of the Lambda function with both databases: kept open from one call of its process to the next."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from validator import aws, variables
from validator.endpoint import Endpoint, from_secret
from validator.errors import AuthenticationError
from validator.sides import Sides

CODE = Path(__file__).parents[1]
R = TypeVar("R")
_endpoints: dict[str, Endpoint] = {}
_idle: list[Sides] = []


def with_sides(statement_seconds: int, work: Callable[[Sides], R]) -> R:
    """`work` with both databases; secrets are read anew once when a server refuses them, for they may have rotated.

    After an error nothing stays open. Raises `UsageError` for a secret that is not one, `ConnectError`.
    """
    if not _endpoints:
        _endpoints.update(_read_endpoints())
    try:
        return _with_sides(statement_seconds, work)
    except AuthenticationError:
        _endpoints.update(_read_endpoints())
        return _with_sides(statement_seconds, work)


def _with_sides(statement_seconds: int, work: Callable[[Sides], R]) -> R:
    sides = _idle.pop() if _idle else Sides(_endpoints["source"], _endpoints["target"])
    try:
        sides.renew(statement_seconds)
        answer = work(sides)
    except BaseException:
        sides.end()
        raise
    _idle.append(sides)
    return answer


def _read_endpoints() -> dict[str, Endpoint]:
    secrets = aws.client("secretsmanager")
    return {
        side: from_secret(
            side,
            aws.read_secret(secrets, variables.text(f"{side.upper()}_SECRET_ARN")),
            CODE / variables.text(f"{side.upper()}_CA"),
        )
        for side in ("source", "target")
    }
