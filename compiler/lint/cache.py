"""Findings kept by what decides them, so that a template is linted once.

The key holds everything a finding can depend on: the template's bytes (the root's also its children's, which E1010
reads), the linter's version and schema date (a newer schema in the user's cache directory silently wins), the house
rules and their data, the configuration, and the day (rules on runtimes and engine versions are dated). Because of the
day, what a folder holds is of use on one day only: the first entry of the next sweeps it.

Copies of an environment differ in nothing but their suffix and the tags set for the run (`pr-123`, `pr-456`). All that
a rule can see of those is their length and alphabet, so the key holds their shape (`aa-000`), and a template found
clean for one copy is clean for the other. Findings name what they are about, so they are kept for the very same text
only. The environment's own name is part of the key: dev never answers for prod.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from compiler.lint.findings import Finding
from compiler.stamp import as_bytes, installed_versions, user_schema_date


def shape(text: str) -> str:
    """`pr-123` → `aa-000`: the length, and the alphabet at every place."""
    return re.sub(r"[a-z]", "a", re.sub(r"[A-Z]", "A", re.sub(r"[0-9]", "0", text)))


class FindingsCache:
    """A folder of JSON files, one per key; entries that cannot be read count as absent.

    `suffix` and the whole strings `tags` are written into keys as their shapes.
    """

    def __init__(self, folder: Path, fingerprint: str, env: str, suffix: str, tags: Iterable[str] = ()) -> None:
        self._folder = folder
        self._base = f"{fingerprint}\n{env}\n"
        # Private-use characters cannot stand in a template's names, so nothing else can be mistaken for a mark.
        marks = {f'"{tag}"': f"\ue002{shape(tag)}\ue003" for tag in tags}
        self._marks = {**marks, suffix: f"\ue000{shape(suffix)}\ue001"}

    def key(self, texts: Sequence[str]) -> tuple[str, str]:
        """The key of a template whose findings depend on `texts`: of their shape, and of the very same text."""
        shaped = []
        for text in texts:
            for word, mark in self._marks.items():
                text = text.replace(word, mark)  # noqa: PLW2901 - one text, replaced word by word
            shaped.append(text)
        return self._digest(shaped), self._digest(texts)

    def _digest(self, texts: Iterable[str]) -> str:
        digest = hashlib.sha256(as_bytes(self._base))
        for text in texts:
            digest.update(as_bytes(text) + b"\0")
        return digest.hexdigest()

    def read(self, key: tuple[str, str]) -> list[Finding] | None:
        """The findings kept under `key`, or None."""
        try:
            entry = json.loads((self._folder / f"{key[0]}.json").read_text())
            findings = [Finding.from_json(item) for item in entry["findings"]]
            return findings if not findings or entry["text"] == key[1] else None
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write(self, key: tuple[str, str], findings: list[Finding]) -> None:
        """Keep findings; a cache that cannot be written costs time, nothing else."""
        entry = {"text": key[1], "findings": [finding.to_json() for finding in findings]}
        target = self._folder / f"{key[0]}.json"
        temporary = target.with_suffix(f".{os.getpid()}.tmp")
        try:
            if not self._folder.exists():
                _sweep(self._folder)
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(entry))
            temporary.replace(target)
        except OSError:
            with suppress(OSError):
                temporary.unlink()

    def expects(self, family: str) -> bool:
        """Whether inputs of this family were linted before, so that a linter is hardly needed again."""
        return (self._folder / f"{self._digest([family])}.known").exists()

    def remember(self, family: str) -> None:
        """Note that inputs of this family were linted."""
        with suppress(OSError):
            (self._folder / f"{self._digest([family])}.known").touch()


def clock_day() -> str:
    """The day by the clock, ISO."""
    return time.strftime("%Y-%m-%d")


def _sweep(folder: Path) -> None:
    """Remove what lies where a new folder is about to be made: the findings of other days."""
    import shutil  # once a day

    for path in folder.parent.glob("*"):
        shutil.rmtree(path, ignore_errors=True)


def linter_fingerprint(root: Path, day: str) -> str:
    """Everything but the templates that findings depend on, as one digest; reads files only, imports no linter.

    `day` is the one that the house rules judge by. cfn-lint's own rules go by the clock, so its day is in it too.
    """
    digest = hashlib.sha256()
    for part in (day, clock_day(), sys.version, user_schema_date(), *installed_versions()):
        digest.update(as_bytes(part) + b"\0")
    for path in _rule_sources(root):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _rule_sources(root: Path) -> list[Path]:
    """The configuration, the house rules, the data and policies that they read, and the code that runs the linter."""
    folders = ("rules", "contract", "settings", "compiler/lint")
    files = [path for folder in folders for path in (root / folder).rglob("*") if path.suffix in (".py", ".json")]
    return sorted([*files, *(path for path in (root / ".cfnlintrc", root / "params/lifecycle.yaml") if path.exists())])
