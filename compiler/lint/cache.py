"""Findings kept by what decides them, so that a template is linted once.

The key holds everything a finding can depend on: the template's bytes (the root's also its children's, which E1010
reads), the linter's version and schema date (a newer schema in the user's cache directory silently wins), the house
rules and their data, the configuration, and the day (rules on runtimes and engine versions are dated).

Environments that differ in nothing but a suffix of the same shape (`pr-123`, `pr-456`) share findings: the suffix is
written as its shape (letters a, digits 0) into the key and put back into the findings. No rule can tell two such
suffixes apart but by listing them, and none does; the environment's own name is part of the key. A test compares.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from compiler.lint.findings import Finding
from compiler.stamp import installed_versions, user_schema_date


def suffix_shape(suffix: str) -> str:
    """`pr-123` → `aa-000`: the length and the alphabet at every place, all that a rule on names can see."""
    return re.sub(r"[a-z]", "a", re.sub(r"[0-9]", "0", suffix))


class FindingsCache:
    """A folder of JSON files, one per key; entries that cannot be read count as absent."""

    def __init__(self, folder: Path, fingerprint: str, env: str, suffix: str) -> None:
        self._folder = folder
        self._base = f"{fingerprint}\n{env}\n"
        self._suffix = suffix
        # Private-use characters cannot stand in a template's names, so nothing else can be mistaken for the mark.
        self._mark = f"\ue000{suffix_shape(suffix)}\ue001"

    def key(self, texts: Iterable[str]) -> str:
        """The key of a template whose findings depend on `texts` (its own, and for the root its children's)."""
        digest = hashlib.sha256(self._base.encode())
        for text in texts:
            digest.update(text.replace(self._suffix, self._mark).encode())
            digest.update(b"\0")
        return digest.hexdigest()

    def read(self, key: str) -> list[Finding] | None:
        """The findings kept under `key`, or None."""
        try:
            data = json.loads((self._folder / f"{key}.json").read_text().replace(self._mark, self._suffix))
            return [Finding.from_json(item) for item in data]
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write(self, key: str, findings: list[Finding]) -> None:
        """Keep findings; a cache that cannot be written costs time, nothing else."""
        text = json.dumps([finding.to_json() for finding in findings], ensure_ascii=False)
        target = self._folder / f"{key}.json"
        temporary = target.with_suffix(f".{os.getpid()}.tmp")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary.write_text(text.replace(self._suffix, self._mark))
            temporary.replace(target)
        except OSError:
            with suppress(OSError):
                temporary.unlink()


def linter_fingerprint(root: Path, day: str) -> str:
    """Everything but the templates that findings depend on, as one digest; reads files only, imports no linter."""
    digest = hashlib.sha256()
    for part in (day, user_schema_date(), *installed_versions()):
        digest.update(part.encode() + b"\0")
    for path in _rule_sources(root):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _rule_sources(root: Path) -> list[Path]:
    """The configuration, the house rules, and the data and policies that they read."""
    folders = ("rules", "contract", "settings")
    files = [path for folder in folders for path in (root / folder).rglob("*") if path.suffix in (".py", ".json")]
    return sorted([*files, *(path for path in (root / ".cfnlintrc", root / "params/lifecycle.yaml") if path.exists())])
