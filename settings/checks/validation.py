"""Rules of the comparison of both databases."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.rule import Fault, Where, rule
from settings.model import Settings

# Of a call of the function: to start, to read what it is to watch, and to keep what became of it.
_MARGIN_SECONDS = 60


@rule("validation.timeout_seconds", "validation.settle_seconds", "validation.deadline_seconds")
def rows_in_flight_are_watched_within_one_call(settings: Settings, where: Where) -> Iterator[Fault]:
    """The function would refuse every run."""
    longest = settings.validation.timeout_seconds - _MARGIN_SECONDS
    for name in ("settle_seconds", "deadline_seconds"):
        seconds = getattr(settings.validation, name)
        if seconds > longest:
            yield Fault(
                f"validation.{name}",
                f"{seconds} is longer than a call of the function can watch",
                f"at most {longest}: {where('validation.timeout_seconds')} less {_MARGIN_SECONDS}",
            )
