"""How long a step may still take: until its function ends, and while writes are refused, until the budget is spent."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from cutover.steps.common.errors import BudgetExceeded, Retry

T = TypeVar("T")
# Kept from the end of the work to that of the function, to say what happened.
_MARGIN_SECONDS = 2.0
# From an answer of a step to the beginning of what waits for it.
_HANDING_SECONDS = 0.5


class Context(Protocol):
    """What is read of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int: ...


class Deadline:
    """The end of one call. Without a moment of freezing in the event there is no budget yet.

    `waited` is how many seconds of the call were waiting for others: replication, DMS, transactions in flight.
    """

    def __init__(self, event: Mapping[str, Any], context: Context) -> None:
        budget = event.get("budget") or {}
        self._call_ends = time.time() + context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS
        self._seconds = float(budget.get("freeze_seconds") or 0)
        self._frozen_at: float | None = None
        self.waited = 0.0
        if (frozen_at := budget.get("frozen_at")) is not None:
            self.freeze(float(frozen_at))

    def freeze(self, frozen_at: float) -> None:
        """From `frozen_at` on the budget runs, where the event gives one."""
        self._frozen_at = frozen_at if self._seconds else None

    def within(self, seconds: float) -> Deadline:
        """The same, but `seconds` from now at the latest."""
        sooner = copy.copy(self)
        sooner._call_ends = min(self._call_ends, time.time() + seconds)  # noqa: SLF001 - of its own kind
        return sooner

    def left(self) -> float:
        """Seconds until the first of both ends; not above 0 when one is past."""
        ends = self._call_ends
        if self._frozen_at is not None:
            ends = min(ends, self._frozen_at + self._seconds)
        return ends - time.time()

    def check(self, doing: str) -> None:
        """Raise `BudgetExceeded` or `Retry` when the time is up."""
        if self.left() > 0:
            return
        self._check_budget(0.0, doing)
        raise Retry(f"the function's time is up: {doing}")

    def hand_on(self, most: int, doing: str) -> int:
        """For how many whole seconds something else may go on, so that it ends within the budget.

        `most` where there is no budget. Raises `BudgetExceeded` where there is not one second.
        """
        if self._frozen_at is None:
            return most
        self._check_budget(1 + _HANDING_SECONDS, doing)
        return min(most, int(self._frozen_at + self._seconds - _HANDING_SECONDS - time.time()))

    def _check_budget(self, needed: float, doing: str) -> None:
        if self._frozen_at is not None and time.time() + needed >= self._frozen_at + self._seconds:
            raise BudgetExceeded(
                f"writes have been refused for {time.time() - self._frozen_at:.1f} s of {self._seconds:g}: {doing}"
            )

    def wait(self, look: Callable[[], T | None], doing: str, pause: float) -> T:
        """Look every `pause` seconds until there is an answer; looks at least once. Raises as `check` does."""
        if (found := look()) is not None:
            return found
        began = time.monotonic()
        try:
            while found is None:
                self.check(doing)
                time.sleep(max(min(pause, self.left()), 0.0))
                found = look()
        finally:
            self.waited += time.monotonic() - began
        return found
