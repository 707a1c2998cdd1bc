"""What a person asked of a build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from compiler.lint.cache import shape


@dataclass(frozen=True, slots=True)
class Request:
    """One build: which environment, where its inputs and outputs are, and how it may run.

    The suffix is `suffix`, else `environment_suffix` (the variable ENVIRONMENT_SUFFIX), else `env`.
    `today` (ISO date) decides lifecycle verdicts, `jobs` is the number of processes that lint, and `contents` a digest
    of all input files, where the caller has one.
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
    contents: str = ""

    @property
    def chosen_suffix(self) -> str:
        """The suffix that the settings will have, if the checks admit it."""
        return self.suffix if self.suffix is not None else self.environment_suffix or self.env

    @property
    def family(self) -> str:
        """What this request has in common with copies of the same environment, sources and day."""
        return " ".join((self.contents, self.env, shape(self.chosen_suffix), self.today, *sorted(self.overrides)))
