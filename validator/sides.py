"""The two databases of a comparison: sessions opened when first needed, both asked at the same time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from validator.connection import Session, connect
from validator.endpoint import Endpoint
from validator.errors import ConnectionLostError, UsageError, ValidatorError
from validator.listing import Listing, list_schemas, list_tables

R = TypeVar("R")


class Sides:
    """The source's and the target's session; `both` asks the two at the same time.

    `statement_seconds` ends a statement that runs longer (0: never).
    """

    def __init__(self, source: Endpoint, target: Endpoint, statement_seconds: int = 0) -> None:
        self._endpoints = (source, target)
        self._statement_seconds = statement_seconds
        self._sessions: tuple[Session, Session] | None = None
        self._workers = ThreadPoolExecutor(2)
        self._aborted = False
        # What is known of both databases for as long as both sessions last.
        self.known: dict[Hashable, Any] = {}

    def sessions(self) -> tuple[Session, Session]:
        """Both sessions; raises `ConnectError`, the source's first."""
        if self._aborted:
            raise ConnectionLostError("the run was ended")
        if self._sessions is None:
            opening = [self._workers.submit(connect, endpoint, self._statement_seconds) for endpoint in self._endpoints]
            try:
                self._sessions = opening[0].result(), opening[1].result()
            except BaseException:
                for answer in opening:
                    answer.add_done_callback(_close)
                raise
        return self._sessions

    def renew(self, statement_seconds: int) -> None:
        """Take up open sessions after a while, with this limit; where they were lost meanwhile, new ones follow."""
        self._statement_seconds = statement_seconds
        if self._sessions is not None:
            try:
                self.both(lambda session: session.renew(statement_seconds))
            except ConnectionLostError:
                self.close()

    def both(self, ask: Callable[[Session], R]) -> tuple[R, R]:
        """`ask` of both sides at once. The first error ends the other side's work too, and is raised."""
        sessions = self.sessions()
        answers = [self._workers.submit(ask, session) for session in sessions]
        unfinished = set(answers)
        try:
            done, unfinished = wait(answers, return_when=FIRST_EXCEPTION)
        finally:
            # Also on the way out of an interrupt: a production server shall not work on for nobody.
            for answer, session in zip(answers, sessions, strict=True):
                if answer in unfinished:
                    session.abort()
        for answer in done:
            answer.result()
        return answers[0].result(), answers[1].result()

    @contextmanager
    def snapshots(self) -> Iterator[None]:
        """A read-only transaction on each side, in which every statement sees the same rows."""
        sessions = self.sessions()
        self.both(Session.begin)
        try:
            yield
        finally:
            ended = [self._workers.submit(session.end) for session in sessions]
            wait(ended)
        for answer in ended:
            answer.result()

    def abort(self) -> None:
        """End what both servers are doing, from another thread, and ask them nothing more."""
        self._aborted = True
        for session in self._sessions or ():
            session.abort()

    def close(self) -> None:
        """Hang up on both sides; the next question opens new sessions."""
        for session in self._sessions or ():
            session.close()
        self._sessions = None
        self.known.clear()

    def end(self) -> None:
        """Hang up for good."""
        self.close()
        self._workers.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def _close(opening: Future[Session]) -> None:
    """Hang up on a session that nobody waits for any more."""
    with suppress(ValidatorError):
        opening.result().close()


def list_both(sides: Sides, schemas: Sequence[str] = ()) -> tuple[Listing, Listing]:
    """What each side's schemas hold; without `schemas`, of all that either side has.

    A schema that one side lacks has no tables there. Raises `UsageError` for one that neither has.
    """
    source, target = sides.both(list_schemas)
    present = {*source, *target}
    absent = [schema for schema in schemas if schema not in present]
    if absent:
        raise UsageError(
            f"neither database has a schema {', '.join(absent)}", hint="check the names and both databases"
        )
    wanted = list(schemas) or sorted(present)
    return sides.both(lambda session: list_tables(session, wanted))


def large_objects(source: Listing, target: Listing) -> str:
    """What is not proven because of large objects, "" when there are none.

    Only a superuser may read them all, and DMS carries columns of type oid as numbers.
    https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Source.PostgreSQL.html#CHAP_Source.PostgreSQL.Limitations
    """
    counts = {"source": source.large_objects, "target": target.large_objects}
    held = " and ".join(f"{count} on the {side}" for side, count in counts.items() if count)
    return f"large objects are not compared: there are {held}" if held else ""
