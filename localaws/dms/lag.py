"""How old a position of a source is, from positions that were seen and when. Pure but for the time it is told."""

from __future__ import annotations

from bisect import bisect_right

_LIMIT = 20_000


class Lag:
    """Positions of a source's WAL (bytes) with the time at which it was there; it only grows."""

    def __init__(self) -> None:
        self._positions: list[int] = []
        self._times: list[float] = []

    def note(self, position: int, now: float) -> None:
        """The source is at `position` now. One that stands still stays where it was first seen."""
        if self._positions and position <= self._positions[-1]:
            return
        self._positions.append(position)
        self._times.append(now)
        if len(self._positions) > _LIMIT:
            # Every second one: a lag of hours is known as exactly as it needs to be.
            self._positions, self._times = self._positions[::2], self._times[::2]

    def seconds(self, position: int, now: float) -> float:
        """How long ago the first of what is not yet in `position` was there; 0 when nothing is missing, as DMS says.

        https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Monitoring.html#CHAP_Monitoring.Metrics.Task
        """
        first_missing = bisect_right(self._positions, position)
        return max(0.0, now - self._times[first_missing]) if first_missing < len(self._times) else 0.0
