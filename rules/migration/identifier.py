"""E9175: an identifier that DMS changes."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import text

_IDENTIFIERS = {
    "AWS::DMS::ReplicationInstance": ("ReplicationInstanceIdentifier", "ResourceIdentifier"),
    "AWS::DMS::ReplicationTask": ("ReplicationTaskIdentifier", "ResourceIdentifier"),
}


class IdentifierChanged(HouseRule):
    """Alarms name the identifiers as their dimensions: one in another case is an alarm that never has data."""

    id = "E9175"
    shortdesc = "DMS identifier in upper case"
    description = "DMS stores the identifiers of instances and tasks in lower case, and its metrics carry them so"
    source_url = "https://docs.aws.amazon.com/dms/latest/APIReference/API_CreateReplicationInstance.html"
    tags = ["house", "dms", "names"]
    fix = "write it in lower case"

    def findings(self, template: Template) -> Iterator[Finding]:
        for kind, keys in _IDENTIFIERS.items():
            for resource in template.of(kind):
                for key in keys:
                    identifier = text(resource.properties.get(key))
                    if identifier is not None and identifier != identifier.lower():
                        yield resource.finding(f"{key} {identifier!r} becomes {identifier.lower()!r}", key)
