"""Whole rehearsals of the migration: the write pause and what it is made of, at growing load and table size.

Each is one of `rehearse.py`, on servers, applications and replication of its own; the compiled stacks are deployed once
and copied. A rehearsal that loses or doubles a payment, or does not end on AWS, fails the benchmark after the last one.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import Row
from rehearsal.rehearse.arguments import Options, parse
from rehearsal.rehearse.screen import Screen
from rehearsal.rehearse.stage import Stage
from rehearsal.rehearse.story import Rehearsal

RATES = (50, 100, 200, 400, 800)
SIZES = (20_000, 200_000, 2_000_000)
_GOAL_SECONDS = 5.0
_GOAL_OF_CODE_SECONDS = 1.0
# One branch of the state machine runs beside the other. Its first state, StopForward, is counted all the same: what is
# said of our own code is never too little.
_ASIDE = ("ProveAndTurn", "StartReverse")


def measure_rehearsals(rounds: int) -> list[Row]:
    """`rounds` rehearsals at 200 payments/s: the pause, median and worst; its parts, by their medians and worst."""
    found = _rehearse([["--rate", "200"]] * rounds)
    pauses = [document["write_pause_s"] for document in found]
    code = [sum(_code(document).values()) for document in found]
    rows = [
        _row("write pause, median", statistics.median(pauses), _GOAL_SECONDS),
        _row("write pause, worst", max(pauses), _GOAL_SECONDS, limit=1),
        _row("read outage, worst", max(document["read_outage_s"] for document in found), _GOAL_SECONDS),
        _row("the steps' own code, median", statistics.median(code), _GOAL_OF_CODE_SECONDS),
        _row("the steps' own code, worst", max(code), _GOAL_OF_CODE_SECONDS, limit=1),
    ]
    for state in found[0]["breakdown"]:
        seconds = [document["breakdown"][state]["seconds"] for document in found if state in document["breakdown"]]
        aside = ", beside the others" if state in _ASIDE else ""
        what = f"of it {state}{aside}: {statistics.median(seconds):.2f} s, worst"
        rows.append(_row(what, max(seconds), _GOAL_SECONDS))
    return rows


def measure_growth(rounds: int) -> list[Row]:
    """The pause by payments a second, and by payments that were there before; the worst of `rounds` each."""
    rows = []
    for option, values, what in (("--rate", RATES, "payments/s"), ("--payments", SIZES, "payments before")):
        for value in values:
            found = _rehearse([[option, str(value)]] * rounds)
            pause = max(document["write_pause_s"] for document in found)
            accepted = min(document["accepted"] / document["seconds"] for document in found)
            rows.append(_row(f"write pause, {value:,} {what} ({accepted:.0f}/s accepted)", pause, _GOAL_SECONDS))
    return rows


def _row(what: str, seconds: float, goal: float, limit: float = 0) -> Row:
    return Row("rehearsal", what, seconds, seconds / goal, f"{goal:g} s", limit)


def _code(document: dict[str, Any]) -> dict[str, float]:
    steps = document["breakdown"].items()
    return {state: told["code_seconds"] for state, told in steps if "code_seconds" in told and state not in _ASIDE}


def _rehearse(all_of_them: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="rehearsals-") as place:
        for number, arguments in enumerate(all_of_them):
            options = parse(["--env", "dev", *arguments])
            assert options is not None
            document = _rehearse_once(options, Path(place))
            told = (
                f"pause {document['write_pause_s']:.2f} s, own code {sum(_code(document).values()):.2f} s, "
                f"read outage {document['read_outage_s']:.2f} s "
                f"{document['failed_reads_by_answer'] or ''}"
            )
            print(f"  {number + 1} ({' '.join(arguments)}): {told}; {document['verdict']}", file=sys.stderr)
            documents.append(document)
    if failed := [document["verdict"] for document in documents if not document["passed"]]:
        raise RuntimeError(f"{len(failed)} of {len(documents)} rehearsals: {'; '.join(failed)}")
    return documents


def _rehearse_once(options: Options, place: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=place) as folder:
        stage = Stage(Path(folder), options, place / "prepared")
        try:
            return Rehearsal(options, None, stage, Screen(sys.stderr)).run().document()
        finally:
            stage.close()
