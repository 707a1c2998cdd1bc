"""Threads that compare, each with a pair of connections of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any, Self

from validator.sides import Sides


class Pool:
    """Threads with a pair of connections each."""

    def __init__(self, jobs: int, make_sides: Callable[[], Sides]) -> None:
        self._make_sides = make_sides
        self._local = threading.local()
        self._all: list[Sides] = []
        self._guard = threading.Lock()
        self._threads = ThreadPoolExecutor(jobs)

    def own(self) -> Sides:
        """The calling thread's pair."""
        sides = getattr(self._local, "sides", None)
        if sides is None:
            sides = self._make_sides()
            self._local.sides = sides
            with self._guard:
                self._all.append(sides)
        return sides

    def each(self, work: Callable[[Any], None], items: Sequence[Any]) -> None:
        """`work` of every item; the first error ends what the others ask of the servers, and is raised."""
        futures = [self._threads.submit(work, item) for item in items]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        except BaseException:
            self._stop(futures)
            raise
        failed = [future for future in done if future.exception()]
        if failed:
            self._stop(futures)
            failed[0].result()

    def _stop(self, futures: Sequence[Any]) -> None:
        for future in futures:
            future.cancel()
        with self._guard:
            for sides in self._all:
                sides.abort()
        wait(futures)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        for sides in self._all:
            sides.__exit__(None, None, None)
