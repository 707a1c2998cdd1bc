"""Time, so that a test need not wait for it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """The time of the emulated account; a simulated one goes on only where somebody sleeps, and nobody waits."""

    def __init__(self, *, simulated: bool = False) -> None:
        self._simulated = simulated
        self._now = datetime.now(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The moment, in UTC."""
        with self._lock:
            return self._now if self._simulated else datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass; none or fewer pass at once."""
        if seconds <= 0:
            return
        if not self._simulated:
            time.sleep(seconds)
            return
        with self._lock:
            self._now += timedelta(seconds=seconds)
