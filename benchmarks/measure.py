"""Time whole commands side by side: interleaved runs, wall and CPU of the process tree, medians and ratios.

One run of each command per round, so that a noisy minute touches all of them alike. A ratio is the median of the
rounds' own ratios: machines differ, and so do minutes; ratios within a round carry over.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable


@dataclass(frozen=True, slots=True)
class Command:
    """A command to time: `prepare` runs before each round, untimed; `ok` are the exit codes that count as done."""

    arguments: Sequence[str]
    prepare: Callable[[], object] | None = None
    ok: tuple[int, ...] = (0,)
    cwd: Path = ROOT
    env: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds of one run: `wall`, and `cpu` of the process and all its children."""

    wall: float
    cpu: float


def run_once(command: Command) -> Sample:
    """Run a command once; raises `RuntimeError` with its output when it ends otherwise than expected."""
    if command.prepare:
        command.prepare()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(
        list(command.arguments),
        cwd=command.cwd,
        env={**os.environ, **(command.env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in command.ok:
        raise RuntimeError(f"{' '.join(command.arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return Sample(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def interleave(commands: Mapping[str, Command], rounds: int) -> dict[str, list[Sample]]:
    """`rounds` runs of each command, in turn; one more round first, not counted, warms the file cache."""
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            sample = run_once(command)
            if number:
                samples[name].append(sample)
        print(f"  round {number} of {rounds}", file=sys.stderr)
    return samples


def median(samples: Sequence[Sample], figure: str = "wall") -> float:
    """The median of a figure, in seconds."""
    return float(statistics.median(getattr(sample, figure) for sample in samples))


def ratio(numerator: Sequence[Sample], denominator: Sequence[Sample], figure: str = "wall") -> float:
    """The median of the rounds' own ratios."""
    pairs = zip(numerator, denominator, strict=True)
    return float(statistics.median(getattr(one, figure) / getattr(other, figure) for one, other in pairs))
