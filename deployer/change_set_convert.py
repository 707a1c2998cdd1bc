"""From AWS's structures to `deployer.changes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployer.changes import ChangeSet, PropertyChange, ResourceChange

KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"


def resource_change(
    change: Mapping[str, Any], tier: str, warnings: tuple[str, ...], child: ChangeSet | None
) -> ResourceChange:
    """One ResourceChange."""
    return ResourceChange(
        tier=tier,
        logical_id=change["LogicalResourceId"],
        physical_id=change.get("PhysicalResourceId", ""),
        type=change["ResourceType"],
        action=change["Action"],
        policy_action=change.get("PolicyAction", ""),
        replacement=change.get("Replacement", ""),
        scope=tuple(change.get("Scope", ())),
        details=tuple(property_change(detail) for detail in change.get("Details", ())),
        before=change.get("BeforeContext"),
        after=change.get("AfterContext"),
        warnings=warnings,
        child=child,
    )


def property_change(detail: Mapping[str, Any]) -> PropertyChange:
    """One ResourceChangeDetail.

    A value that AWS will know only when it has applied stands in the answer as a marker, alone or within a JSON text.
    """
    target = detail.get("Target", {})
    after = target.get("AfterValue")
    known = after is None or KNOWN_AFTER_APPLY not in after
    return PropertyChange(
        attribute=target.get("Attribute", ""),
        path=_path(target),
        change=target.get("AttributeChangeType", "Modify"),
        before=target.get("BeforeValue"),
        after=None if after == KNOWN_AFTER_APPLY else after,
        requires_recreation=target.get("RequiresRecreation", "Never"),
        evaluation=detail.get("Evaluation", "Static"),
        source=detail.get("ChangeSource", ""),
        causing_entity=detail.get("CausingEntity", ""),
        after_known=known,
    )


def _path(target: Mapping[str, Any]) -> str:
    """The pointer below the attribute: AWS gives it from the resource ("/Properties/VpcConfig"), or only the name."""
    attribute = target.get("Attribute", "")
    path = str(target.get("Path", "")).removeprefix(f"/{attribute}").lstrip("/")
    return path or str(target.get("Name", ""))
