"""What a readiness report is made of: findings, each with a severity, a stable code, an object and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["blocker", "unread", "warning", "note"]
# `unread` is a check that could not be made: what it would have found is not known.
SEVERITIES: tuple[Severity, ...] = ("blocker", "unread", "warning", "note")
READY, BLOCKED, UNREAD = 0, 1, 4
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found; `object` names it as SQL's people would, "" for the whole server."""

    severity: Severity
    code: str
    object: str
    text: str
    remedy: str

    def document(self) -> dict[str, str]:
        """For JSON."""
        return {
            "severity": self.severity,
            "code": self.code,
            "object": self.object,
            "text": self.text,
            "remedy": self.remedy,
        }


def exit_code(findings: Iterable[Finding]) -> int:
    """4 when something could not be read, whatever else was found; 1 with blockers; else 0."""
    severities = {finding.severity for finding in findings}
    if "unread" in severities:
        return UNREAD
    return BLOCKED if "blocker" in severities else READY


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first, then by code and object."""
    return sorted(findings, key=lambda finding: (SEVERITIES.index(finding.severity), finding.code, finding.object))


def lines(findings: Sequence[Finding], *, everything: bool = False) -> list[str]:
    """For people: findings of one code and text together, with the first few of their objects unless `everything`."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for finding in in_order(findings):
        key = (finding.severity, finding.code, finding.text, finding.remedy)
        groups.setdefault(key, []).append(finding.object)
    written = []
    for (severity, code, text, remedy), objects in groups.items():
        named = [_printable(name) for name in objects if name]
        shown = named if everything else named[:_SHOWN]
        more = f" and {len(named) - len(shown)} more (--all shows them)" if len(named) > len(shown) else ""
        where = f": {', '.join(shown)}{more}" if shown else ""
        written += [f"{severity:<8} {code}{where}", f"         {text}", f"         → {remedy}"]
    written.append(_summary(findings))
    return written


def as_json(findings: Iterable[Finding], facts: dict[str, Any]) -> str:
    """The report for machines: what was looked at, and every finding, the worst first."""
    found = in_order(findings)
    counts = {severity: sum(finding.severity == severity for finding in found) for severity in SEVERITIES}
    report = {
        **facts,
        "ready": exit_code(found) == READY,
        "counts": counts,
        "findings": [finding.document() for finding in found],
    }
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"


def _summary(findings: Iterable[Finding]) -> str:
    found = [finding.severity for finding in findings]
    counted = ", ".join(f"{found.count(severity)} {severity}" for severity in SEVERITIES)
    verdict = {READY: "ready", BLOCKED: "not ready", UNREAD: "not known to be ready"}[exit_code(findings)]
    return f"{verdict}: {counted}"


def _printable(name: str) -> str:
    return "".join(mark if mark.isprintable() else f"\\x{ord(mark):02x}" for mark in name)
