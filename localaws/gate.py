"""Let requests pass side by side, and now and then nobody: the moment in which the account can be saved whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

_inside_of: ContextVar[Gate | None] = ContextVar("_inside_of", default=None)


@contextmanager
def outside() -> Iterator[None]:
    """While this thread's request waits for something that changes nothing here itself (a function's own process)."""
    gate = _inside_of.get()
    if gate is None:
        yield
        return
    token = _inside_of.set(None)
    gate.exit()
    try:
        yield
    finally:
        gate.enter()
        _inside_of.reset(token)


def carried(work: Callable[..., object]) -> Callable[..., None]:
    """`work` for a thread that this thread's request leaves behind: there it passes the gate for itself."""
    gate = _inside_of.get()

    def carry(*given: Any) -> None:
        with gate.passing() if gate else nullcontext():
            work(*given)

    return carry


class Gate:
    """Who passes and who waits.

    A request within a request (a resource's, of CloudFormation) passes on its thread without waiting, and `outside`
    lets nobody wait for one that itself waits for something long. All waiting is bounded: whoever wants quiet and does
    not get it tries again later, so nothing here can lock up.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._inside = 0
        self._closed = False
        self._quiet = threading.Lock()
        self.last_passed = time.monotonic()

    @contextmanager
    def passing(self) -> Iterator[None]:
        """One request."""
        if _inside_of.get() is self:
            yield
            return
        self.enter()
        token = _inside_of.set(self)
        try:
            yield
        finally:
            _inside_of.reset(token)
            self.exit()

    @contextmanager
    def quiet(self, seconds: float) -> Iterator[bool]:
        """Nobody inside and nobody let in; False, and nobody kept out, when that took longer than `seconds`.

        One at a time: the end of one would open the gate to another's quiet.
        """
        until = time.monotonic() + seconds
        if not self._quiet.acquire(timeout=seconds):
            yield False
            return
        try:
            with self._condition:
                self._closed = True
                alone = self._condition.wait_for(lambda: not self._inside, until - time.monotonic())
                if not alone:
                    self._open()
            try:
                yield alone
            finally:
                if alone:
                    with self._condition:
                        self._open()
        finally:
            self._quiet.release()

    def enter(self) -> None:
        """Wait to be let in."""
        with self._condition:
            self._condition.wait_for(lambda: not self._closed)
            self._inside += 1

    def exit(self) -> None:
        """Be gone."""
        with self._condition:
            self._inside -= 1
            self.last_passed = time.monotonic()
            self._condition.notify_all()

    def _open(self) -> None:
        self._closed = False
        self._condition.notify_all()
