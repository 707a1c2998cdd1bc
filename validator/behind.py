"""A store that writes in the background: in order, one document at a time, and seen by its own reads at once.

The work goes on meanwhile. That it is kept is sure only after `settle`, or after the `with` block.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from validator.store import JSON, Store, StoreError, parsed, written


class Behind:
    """See `Store`. Once a write has failed nothing more is written, and `settle` raises what failed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._writer = ThreadPoolExecutor(1)
        self._writes: list[Future[None]] = []
        self._guard = threading.Lock()
        self._waiting: dict[str, str] = {}
        self._failure: StoreError | None = None
        self._begun: set[str] = set()

    def wrote(self, key: str) -> bool:
        """Whether this document was written by way of this store."""
        return key in self._begun

    def read(self, key: str) -> dict[str, Any] | None:
        """See `Store`."""
        with self._guard:
            text = self._waiting.get(key)
        return self._store.read(key) if text is None else parsed(text, key)

    def write(self, key: str, document: Mapping[str, Any]) -> None:
        """See `Store`; it does not raise."""
        self.write_text(key, written(document), JSON)

    def write_text(self, key: str, text: str, content_type: str) -> None:
        """See `Store`; it does not raise."""
        with self._guard:
            self._waiting[key] = text
        self._begun.add(key)
        self._writes.append(self._writer.submit(self._write, key, text, content_type))

    def keys(self, prefix: str) -> Iterator[str]:
        """See `Store`."""
        self.settle()
        yield from self._store.keys(prefix)

    def settle(self) -> None:
        """Wait until everything is written. Raises `StoreError`."""
        writes, self._writes = self._writes, []
        for write in writes:
            write.result()
        if self._failure is not None:
            raise self._failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.shutdown()
        if error is None:
            self.settle()

    def _write(self, key: str, text: str, content_type: str) -> None:
        if self._failure is not None:
            return
        try:
            self._store.write_text(key, text, content_type)
        except StoreError as error:
            self._failure = error
            return
        with self._guard:
            if self._waiting.get(key) is text:  # and no later one of the same key
                del self._waiting[key]
