"""Rules of maintenance and alarms: windows in which AWS may work, thresholds that can be reached."""

from __future__ import annotations

import re
from collections.abc import Iterator

from settings.checks.rule import Fault, Where, rule
from settings.model import Settings

_DAY = 24 * 60
_WEEK = 7 * _DAY
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html
_SHORTEST_WINDOW = 30


@rule("database.backup_window", "database.maintenance_window")
def database_windows_are_apart(settings: Settings, where: Where) -> Iterator[Fault]:
    """Aurora refuses a maintenance window that overlaps the backup window on any day."""
    backup, maintenance = settings.database.backup_window, settings.database.maintenance_window
    backup_start, backup_length = _window(backup)
    start, length = _window(maintenance)
    # The backup window comes back every day: all its starts are alike, counted from the start of a day.
    follows, precedes = (start - backup_start) % _DAY, (backup_start - start) % _DAY
    if follows < backup_length or precedes < length:
        yield Fault(
            "database.maintenance_window",
            f"{maintenance} overlaps {where('database.backup_window')}, {backup}",
            "a window apart from it: Aurora refuses others",
        )


@rule("database.backup_window", "database.maintenance_window", "migration.maintenance_window")
def windows_have_a_length(settings: Settings, _where: Where) -> Iterator[Fault]:
    """RDS and DMS want half an hour at least; in a window of days, a slip of the pen, they would restart any time."""
    for key, window in (
        ("database.backup_window", settings.database.backup_window),
        ("database.maintenance_window", settings.database.maintenance_window),
        ("migration.maintenance_window", settings.migration.maintenance_window),
    ):
        _, length = _window(window)
        if not _SHORTEST_WINDOW <= length <= _DAY:
            yield Fault(key, f"{window} is {length} minutes long", f"{_SHORTEST_WINDOW} minutes to 24 hours")


@rule("migration.allocated_storage_gib", "monitoring.dms_free_storage_gib")
def dms_storage_can_be_free(settings: Settings, where: Where) -> Iterator[Fault]:
    """An alarm that can never be quiet is an alarm that nobody reads."""
    storage, threshold = settings.migration.allocated_storage_gib, settings.monitoring.dms_free_storage_gib
    if threshold >= storage:
        yield Fault(
            "monitoring.dms_free_storage_gib",
            str(threshold),
            f"less than {where('migration.allocated_storage_gib')}, {storage}: else the alarm is never quiet",
        )


def _window(text: str) -> tuple[int, int]:
    """A window's start and length in minutes; the start is counted from Monday 00:00, or from 00:00 for a daily one."""
    ends = re.findall(r"(?:([a-z]{3}):)?(\d\d):(\d\d)", text)
    start, end = ((_DAYS.index(day) * _DAY if day else 0) + int(hour) * 60 + int(minute) for day, hour, minute in ends)
    return start, (end - start) % (_WEEK if ends[0][0] else _DAY)
