"""Run the benchmarks: `python -m benchmarks [SUITE ...] [--rounds N]`; without a suite, all of them."""

from __future__ import annotations

import argparse
import sys

from benchmarks import build, deployments, growth, rehearsals, validation, validation_growth
from benchmarks.measure import PYTHON, Command, run_once
from benchmarks.report import render
from benchmarks.workspace import REPOSITORY, fresh_copy

SUITES = {
    "build": build.measure,
    "deployments": deployments.measure,
    "environments": growth.measure_environments,
    "resources": growth.measure_resources,
    "validation": validation.measure_validation,
    "validation-growth": validation_growth.measure_growth,
    "rehearsals": rehearsals.measure_rehearsals,
    "rehearsals-growth": rehearsals.measure_growth,
}


def main() -> int:
    """Measure the named suites, print their tables, end with 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suites", nargs="*", default=list(SUITES), metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("--rounds", type=int, default=7, help="interleaved runs of each command (default: 7)")
    options = parser.parse_args()
    if unknown := sorted({*options.suites} - {*SUITES}):
        parser.error(f"no such suite: {', '.join(unknown)} (there are {', '.join(SUITES)})")
    if options.rounds < 1:
        parser.error(f"--rounds {options.rounds}: at least one is needed")
    fresh_copy()
    run_once(Command([PYTHON, "build.py", "--env", "dev", "--out", "linted"], cwd=REPOSITORY))
    rows = []
    for name in options.suites:
        print(f"{name}:", file=sys.stderr)
        rows += SUITES[name](options.rounds)
    print(render(rows))
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
