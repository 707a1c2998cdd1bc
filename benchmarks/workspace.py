"""A copy of the repository to benchmark in, so that a run edits and caches nothing of the person's own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from benchmarks.measure import ROOT

WORK = ROOT / ".cache/benchmarks"
REPOSITORY = WORK / "repository"
_COPIED = (
    "settings",
    "contract",
    "templates",
    "compiler",
    "rules",
    "pages",
    "validator",
    "cutover",
    "params",
    "benchmarks",
)
_FILES = ("build.py", ".cfnlintrc", "requirements.txt")


def fresh_copy() -> Path:
    """Copy the sources anew; returns the copy's root."""
    shutil.rmtree(WORK, ignore_errors=True)
    REPOSITORY.mkdir(parents=True)
    for name in _COPIED:
        shutil.copytree(ROOT / name, REPOSITORY / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy2(ROOT / name, REPOSITORY / name)
    return REPOSITORY


def forget() -> None:
    """Remove what makes a build warm."""
    for name in (".cache", "out"):
        shutil.rmtree(REPOSITORY / name, ignore_errors=True)


def edit(tier: str) -> None:
    """Change one tier as a person would: its template's description, and so nothing of another tier."""
    path = REPOSITORY / f"templates/{tier}.py"
    text = path.read_text()
    changed, count = re.subn(
        r"(TIER = Tier\(.*?\")(edit (\d+): )?",
        lambda match: f"{match[1]}edit {int(match[3] or 0) + 1}: ",
        text,
        count=1,
        flags=re.DOTALL,
    )
    if count != 1:
        raise RuntimeError(f"{path}: no TIER with a description to edit")
    path.write_text(changed)
