"""What a person reads when a build ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from compiler.lint.findings import Finding
from compiler.manifest import Changes
from compiler.pipeline import Built

_SHOWN_TYPES = 4
_SHOWN_CHANGES = 8


def render_summary(built: Built) -> str:
    """Tiers, resources by type, lifecycle, deliberate exceptions: all that is the same whenever nothing changed."""
    manifest = built.compiled.manifest
    lines = [
        (
            f"{manifest['stack']}: environment {manifest['environment']}, suffix {manifest['suffix']}, "
            f"{manifest['region']}, {manifest['protection']}"
        ),
        "",
        *_tiers(manifest),
        "",
        "lifecycle",
        *(f"  {line}" for line in built.compiled.judgement.lines()),
        "",
        *_exceptions(manifest["exceptions"]),
    ]
    return "\n".join(lines)


def render_findings(findings: Sequence[Finding]) -> str:
    """Each finding by the resource it is about: nothing was written, so there is no file to open."""
    lines = [f"{address(finding)}: {finding.rule} {finding.severity}: {finding.message}" for finding in findings]
    return "\n".join([*lines, f"{len(findings)} findings; nothing was written"])


def render_outcome(built: Built) -> str:
    """The last lines: what was linted, what changed, where it lies."""
    total = len(built.compiled.texts)
    return "\n".join(
        (
            f"findings   0 of any level ({built.linted} of {total} templates linted, the rest known from before)",
            f"changes    {_changes(built.changes)}",
            f"written    {built.folder}",
        )
    )


def address(finding: Finding) -> str:
    """`database.template.json` + Resources/Cluster/Properties/KmsKeyId → `database.Cluster.KmsKeyId`."""
    tier = finding.file.partition(".")[0]
    path = [part for part in finding.path if part not in ("Resources", "Properties")]
    return ".".join((tier, *path))


def _tiers(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield f"{'tier':<15}{'resources':>9}  by type"
    total = 0
    for tier, entry in manifest["tiers"].items():
        types = sorted(entry["resources"].items(), key=lambda item: (-item[1], item[0]))
        count = sum(number for _, number in types)
        total += count
        shown = ", ".join(f"{number} {name.removeprefix('AWS::')}" for name, number in types[:_SHOWN_TYPES])
        more = len(types) - _SHOWN_TYPES
        yield f"{tier:<15}{count:>9}  {shown}" + (f", {more} more" if more > 0 else "")
    size = sum(entry["bytes"] for entry in manifest["files"].values())
    yield f"{'total':<15}{total:>9}  {len(manifest['tiers'])} templates, {len(manifest['files'])} files, {size:,} bytes"


def _exceptions(exceptions: Sequence[Mapping[str, str]]) -> Iterator[str]:
    yield f"deliberate exceptions: {len(exceptions)}"
    for entry in exceptions:
        yield f"  {entry['resource']} {entry['rule']}: {entry['reason']}"


def _changes(changes: Changes) -> str:
    if changes.first:
        return "first build"
    parts = []
    for sign, word, names in (
        ("+", "added", changes.added),
        ("-", "removed", changes.removed),
        ("~", "changed", changes.changed),
        ("~", "files changed", changes.files),
    ):
        if names:
            shown = ", ".join(sign + name for name in names[:_SHOWN_CHANGES])
            parts.append(f"{len(names)} {word} ({shown}{', …' if len(names) > _SHOWN_CHANGES else ''})")
    return "; ".join(parts) or "none since the last build"
