"""Rules of the cutover."""

from __future__ import annotations

from collections.abc import Iterator

from settings.checks.rule import Fault, Where, rule
from settings.model import Settings

_WATCH_MINUTES = 15


@rule("cutover.freeze_seconds", "cutover.writer_seconds")
def writers_leave_time_for_the_rest(settings: Settings, where: Where) -> Iterator[Fault]:
    """Waiting for writers alone would spend the budget, and every cutover would roll back."""
    budget, patience = settings.cutover.freeze_seconds, settings.cutover.writer_seconds
    if patience * 2 > budget:
        allowed = f"at most {budget // 2}, half of {where('cutover.freeze_seconds')}"
        yield Fault("cutover.writer_seconds", str(patience), allowed)


@rule("protection", "cutover.smoke_url")
def the_front_door_is_asked_over_tls(settings: Settings, where: Where) -> Iterator[Fault]:
    """The smoke test goes over the internet."""
    url = settings.cutover.smoke_url
    if settings.durable and url is not None and not url.startswith("https://"):
        yield Fault("cutover.smoke_url", url, f"https://… where {where('protection')} is durable")


@rule("protection", "cutover.watch_minutes")
def the_switch_is_watched(settings: Settings, where: Where) -> Iterator[Fault]:
    """Alarms look at whole minutes, several of them: a shorter watch would end before any of them is raised."""
    minutes = settings.cutover.watch_minutes
    if settings.durable and minutes < _WATCH_MINUTES:
        allowed = f"at least {_WATCH_MINUTES} where {where('protection')} is durable"
        yield Fault("cutover.watch_minutes", str(minutes), allowed)
