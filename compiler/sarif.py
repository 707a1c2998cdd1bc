"""Findings as SARIF 2.1.0, for code scanning (https://docs.oasis-open.org/sarif/sarif/v2.1.0/).

Compiled templates are not in the repository, so a result points at the tier's module, at the line that names the
resource.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compiler.lint.findings import Finding
from compiler.summary import address

_LEVELS = {"error": "error", "warning": "warning", "informational": "note"}


def sarif_document(findings: Sequence[Finding], root: Path) -> dict[str, Any]:
    """One run with a rule descriptor per rule id and a result per finding."""
    rules = {finding.rule: finding for finding in findings}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "cfn-lint",
                        "informationUri": "https://github.com/aws-cloudformation/cfn-lint",
                        "rules": [
                            {"id": rule, **({"helpUri": finding.url} if finding.url else {})}
                            for rule, finding in sorted(rules.items())
                        ],
                    }
                },
                "results": [_result(finding, root) for finding in findings],
            }
        ],
    }


def _result(finding: Finding, root: Path) -> dict[str, Any]:
    where = address(finding)
    module = f"templates/{finding.file.partition('.')[0]}.py"
    return {
        "ruleId": finding.rule,
        "level": _LEVELS.get(finding.severity, "warning"),
        "message": {"text": f"{where}: {finding.message}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": module, "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": _line_of(root / module, finding)},
                },
                "logicalLocations": [{"fullyQualifiedName": where}],
            }
        ],
    }


def _line_of(module: Path, finding: Finding) -> int:
    """The line of the tier's module that names the resource; its first line where none does (names made in a loop)."""
    if len(finding.path) > 1 and module.exists():
        for number, line in enumerate(module.read_text().splitlines(), start=1):
            if f'"{finding.path[1]}"' in line:
                return number
    return 1
