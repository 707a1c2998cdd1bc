"""Where a run keeps its documents. What is under `work/` is of use only while the run lasts, and may expire after."""

from __future__ import annotations

WORK, RUNS, BASELINES = "work/", "runs/", "baselines/"


def work_prefix(run_id: str) -> str:
    """With what all keys of a run's work begin."""
    return f"{WORK}{run_id}/"


def listing_key(run_id: str) -> str:
    """What is to be compared; written before any table, where planning takes more than a moment."""
    return f"{WORK}{run_id}/listing.json"


def table_key(run_id: str, number: int) -> str:
    """One table, ready to be compared or already judged, of a run of many."""
    return f"{WORK}{run_id}/tables/{number}.json"


def items_key(run_id: str) -> str:
    """The items of work, as a list that a Distributed Map reads."""
    return f"{WORK}{run_id}/items.json"


def plan_key(run_id: str) -> str:
    """The plan; written last, so that with it all of it is there."""
    return f"{WORK}{run_id}/plan.json"


def part_key(run_id: str, item: int) -> str:
    """Where an item of work stands."""
    return f"{WORK}{run_id}/parts/{item}.json"


def report_key(run_id: str, kind: str) -> str:
    """The report as `kind`: json, md or html."""
    return f"{RUNS}{run_id}/report.{kind}"


def repair_key(run_id: str) -> str:
    """The statements that would mend the target."""
    return f"{RUNS}{run_id}/repair.sql"
