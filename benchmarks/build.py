"""Start-up, build and lint of the real system, next to `cfn-lint` and the interpreter (goals G1 to G4 and G9)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks.measure import PYTHON, Command, Sample, interleave, median, ratio
from benchmarks.report import Row
from benchmarks.workspace import REPOSITORY, edit, forget

LINTER = str(Path(PYTHON).with_name("cfn-lint"))
SMALL_TIER = "encryption"
WORST_TIER = "monitoring"


def measure(rounds: int) -> list[Row]:
    """Run everything interleaved, and give the rows of the table."""
    build = [PYTHON, "build.py", "--env", "dev"]
    templates = sorted(str(path) for path in (REPOSITORY / "linted/dev").glob("*.template.json"))

    def here(arguments: list[str], prepare: partial[None] | None = None, ok: int = 0) -> Command:
        return Command(arguments, prepare, (ok,), REPOSITORY)

    samples = interleave(
        {
            "pass": here([PYTHON, "-c", "pass"]),
            "import troposphere": here([PYTHON, "-c", "import troposphere"]),
            "cfn-lint": here([LINTER, "--", *templates]),
            "cold": here(build, partial(forget)),
            "unchanged": here(build),
            "small": here(build, partial(edit, SMALL_TIER)),
            "worst": here(build, partial(edit, WORST_TIER)),
            "compile": here([PYTHON, "benchmarks/compile_only.py", "dev"]),
            "help": here([PYTHON, "build.py", "--help"]),
            "usage": here([PYTHON, "build.py", "--nope"], ok=2),
        },
        rounds,
    )
    return _rows(samples)


def _rows(samples: dict[str, list[Sample]]) -> list[Row]:
    def row(goal: str, what: str, one: str, other: str, limit: float, figure: str = "wall") -> Row:
        return Row(goal, what, median(samples[one], figure), ratio(samples[one], samples[other], figure), other, limit)

    return [
        Row("", "cfn-lint alone on the same templates", median(samples["cfn-lint"]), 1, "cfn-lint", 0),
        Row("", "python -c 'import troposphere'", median(samples["import troposphere"]), 1, "import troposphere", 0),
        row("G1", "cold build: compile, lint with house rules, write", "cold", "cfn-lint", 0.65),
        row("G1", "the same, CPU", "cold", "cfn-lint", 1.05, "cpu"),
        row("G2", "build with nothing changed", "unchanged", "import troposphere", 0.5),
        row("G3", f"one tier changed ({SMALL_TIER})", "small", "cfn-lint", 0.4),
        row("G3", f"the worst tier changed ({WORST_TIER})", "worst", "cfn-lint", 0.5),
        row("G4", "compile without lint", "compile", "import troposphere", 2.2),
        row("G9", "build.py --help", "help", "pass", 4),
        row("G9", "build.py with a usage error", "usage", "pass", 4),
    ]
