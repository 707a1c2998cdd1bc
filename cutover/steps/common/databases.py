"""Sessions with both databases as the cutover's own user, kept open from one call of a process to the next.

A session that a step leaves by an error is closed: nothing that it held (a lock, a transaction) outlives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from cutover.database import Session, connect
from cutover.steps.common import settings
from cutover.steps.common.aside import together
from cutover.steps.common.cloud import client
from validator.aws import read_secret
from validator.endpoint import Endpoint, from_secret
from validator.errors import AuthenticationError, ConnectionLostError

SIDES = ("source", "target")
_CODE = Path(__file__).parents[3]
_CONNECT_SECONDS = 3
# No statement of a step takes long; one that does is asked again, or the cutover rolls back.
_STATEMENT_SECONDS = 15
_endpoints: dict[str, Endpoint] = {}
_idle: dict[str, Session] = {}


@dataclass(frozen=True, slots=True)
class Both:
    """A session with each database."""

    source: Session
    target: Session


@contextmanager
def on(side: str) -> Iterator[Session]:
    """A session with one database; raises `ConnectError`, or `AuthenticationError` when its secret is refused twice."""
    session = _take(side)
    try:
        yield session
    except BaseException:
        session.close()
        raise
    _give(side, session)


@contextmanager
def on_both() -> Iterator[Both]:
    """A session with each, opened side by side."""
    warm()
    with ExitStack() as stack:
        yield Both(*(stack.enter_context(on(side)) for side in SIDES))


def warm() -> None:
    """Have a session with each database that answers; raises as `on` does."""

    def open_one(side: str) -> None:
        _give(side, _take(side))

    together(*(partial(open_one, side) for side in SIDES))


def forget() -> None:
    """Close what is open, and read the secrets anew when they are next needed."""
    _endpoints.clear()
    for side in list(_idle):
        _idle.pop(side).close()


def _give(side: str, session: Session) -> None:
    if _idle.setdefault(side, session) is not session:
        session.close()  # two steps side by side in one process: one session is enough to keep


def _take(side: str) -> Session:
    if (session := _idle.pop(side, None)) is not None:
        try:
            session.renew(_STATEMENT_SECONDS)
        except ConnectionLostError:
            session.close()  # the server or the network has ended it between two calls
        else:
            return session
    known = side in _endpoints
    try:
        return _open(side)
    except AuthenticationError:
        if not known:
            raise
        del _endpoints[side]  # its password may have changed since it was read
        return _open(side)


def _open(side: str) -> Session:
    if side not in _endpoints:
        name = side.upper()
        endpoint = from_secret(
            side,
            read_secret(client("secretsmanager"), settings.text(f"{name}_SECRET_ARN")),
            _CODE / settings.text(f"{name}_CA"),
        )
        _endpoints[side] = replace(endpoint, connect_timeout_seconds=_CONNECT_SECONDS)
    return connect(_endpoints[side], timeout_seconds=_STATEMENT_SECONDS, name="cutover step")
