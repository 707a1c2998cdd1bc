"""Drift as text for a person and as data for a machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from deployer.drift import Drift, PropertyDrift, ResourceDrift, TierDrift
from deployer.review.values import arrow, short

_WORDS = {"MODIFIED": "modified", "DELETED": "deleted outside of CloudFormation", "UNKNOWN": "not known"}


def render_drift(drift: Drift) -> str:
    """The drift as text, without a final newline: what nobody meant first, then what is by design."""
    lines = [_headline(drift)]
    for title, found in (("drifted", drift.unexpected), ("by design", drift.expected)):
        if found:
            lines += ["", title]
            lines += [line for resource in found for line in _resource(resource)]
    failures = [tier for tier in drift.tiers if tier.failure]
    if failures:
        lines += ["", "not told by AWS", *(f"  {tier.tier}: {tier.failure}" for tier in failures)]
    unchecked = _unchecked(drift)
    if unchecked:
        lines += ["", "not checked: CloudFormation cannot detect the drift of", *unchecked]
    if drift.unexpected:
        lines += [
            "",
            "next: put back what was changed by hand, or put it into params or templates and deploy; a deployment "
            "writes only what its templates change",
        ]
    return "\n".join(lines)


def drift_document(drift: Drift) -> dict[str, Any]:
    """The drift as JSON data."""
    return {
        "stack": drift.stack,
        "drifted": bool(drift.unexpected),
        "tiers": [_tier_document(tier) for tier in drift.tiers],
    }


def _headline(drift: Drift) -> str:
    checked = sum(tier.checked for tier in drift.tiers)
    found = len(drift.unexpected)
    said = f"{found} drifted" if found else "no drift"
    by_design = f", {len(drift.expected)} by design" if drift.expected else ""
    return f"{drift.stack}: {said}{by_design} ({checked} resources of {len(drift.tiers)} stacks checked)"


def _resource(resource: ResourceDrift) -> Iterator[str]:
    word = _WORDS.get(resource.status, resource.status)
    told = f": {resource.detail}" if resource.detail else ""
    yield f"  {resource.address} ({resource.type}, {resource.physical_id}) {word}{told}"
    for found in resource.differences:
        yield f"    {found.path}: {_values(found)}" + (f" ({found.reason})" if found.reason else "")


def _values(found: PropertyDrift) -> str:
    if found.kind == "ADD":
        return f"added, {short(found.actual)}"
    if found.kind == "REMOVE":
        return f"removed, was {short(found.expected)}"
    return arrow(found.expected, found.actual)


def _unchecked(drift: Drift) -> list[str]:
    """One line per type, with how many there are of it."""
    types: dict[str, list[str]] = {}
    for tier in drift.tiers:
        for logical_id, kind in tier.unchecked:
            types.setdefault(kind, []).append(f"{tier.tier}.{logical_id}")
    return [f"  {kind}: {', '.join(addresses)}" for kind, addresses in sorted(types.items())]


def _tier_document(tier: TierDrift) -> dict[str, Any]:
    return {
        "tier": tier.tier,
        "id": tier.stack_id,
        "checked": tier.checked,
        "failure": tier.failure,
        "unchecked": [{"address": f"{tier.tier}.{logical_id}", "type": kind} for logical_id, kind in tier.unchecked],
        "resources": [
            {
                "address": resource.address,
                "type": resource.type,
                "physical_id": resource.physical_id,
                "status": resource.status,
                "detail": resource.detail,
                "expected": resource.expected,
                "differences": [
                    {
                        "path": found.path,
                        "kind": found.kind,
                        "expected": found.expected,
                        "actual": found.actual,
                        "reason": found.reason,
                    }
                    for found in resource.differences
                ],
            }
            for resource in tier.resources
        ],
    }
