"""Things that do not wait for each other, done side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def together(*works: Callable[[], Any]) -> list[Any]:
    """The answers, in order, once all have ended; raises the first error there was, in that order."""
    with ThreadPoolExecutor(max_workers=len(works)) as pool:
        futures = [pool.submit(work) for work in works]
    return [future.result() for future in futures]
