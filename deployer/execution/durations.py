"""Durations in words."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """`45s`, `1m 50s`, `1h 02m`."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, left = divmod(minutes, 60)
    if hours:
        return f"{hours}h {left:02}m"
    return f"{minutes}m {rest:02}s" if minutes else f"{rest}s"
