"""Support dates: `params/lifecycle.yaml`, as `settings.lifecycle` reads it, on the day of the lint."""

from __future__ import annotations

import os
import time
from datetime import date
from functools import cache
from pathlib import Path

from settings.lifecycle import TODAY_VARIABLE, Table, judge_version, load_table


def fault(product: str, version: str) -> str | None:
    """Why a version must not be used today, and what to move to; None where all is well."""
    today = date.fromisoformat(os.environ.get(TODAY_VARIABLE) or time.strftime("%Y-%m-%d"))
    verdict = judge_version(_table(), product, version, today)
    if not verdict.dead:
        return None
    moves = f"; move to {', '.join(verdict.move_to)}" if verdict.move_to else ""
    return f"{product} {version}: {verdict.reason}{moves}"


@cache
def _table() -> Table:
    return load_table(Path(__file__).resolve().parents[2] / "params")
