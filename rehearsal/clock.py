"""One time for all processes of a rehearsal: seconds since the epoch, which never jump while a process runs."""

from __future__ import annotations

import time

_ANCHOR = time.time() - time.monotonic()


def now() -> float:
    """Seconds since the epoch, as the clock stood when this process began and has run since."""
    return _ANCHOR + time.monotonic()
