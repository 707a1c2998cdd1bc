"""What a person asked of a build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Request:
    """One build: which environment, where its inputs and outputs are, and how it may run.

    The suffix is `suffix`, else `environment_suffix` (the variable ENVIRONMENT_SUFFIX), else `env`.
    `today` (ISO date) decides lifecycle verdicts; `jobs` is the number of processes that lint.
    """

    root: Path
    env: str
    suffix: str | None
    today: str
    out: Path
    environment_suffix: str | None = None
    overrides: Mapping[str, str] = field(default_factory=dict)
    jobs: int = 2
    cached: bool = True
    diagram: bool = False
