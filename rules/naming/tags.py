"""E9103: a taggable resource without the tags of the house."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contract.tags import registry
from rules._base import HouseRule
from rules._template import Finding, Resource, Template
from rules._values import UNKNOWN, at, is_function

REQUIRED_TAGS = ("CostCenter", "Environment", "EnvironmentSuffix", "MigrationPhase")


class Untagged(HouseRule):
    """Which types take tags, where and in which form, is the registry's word; unknown types are left alone."""

    id = "E9103"
    shortdesc = "Taggable resource without the required tags"
    description = "Cost, environment and migration phase of a resource are told by its tags"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html"
    tags = ["house", "tags"]
    fix = "add the resource by stack.add, which tags it in the form that its type wants"

    def findings(self, template: Template) -> Iterator[Finding]:
        for resource in template.resources:
            if registry().get(resource.type, {}).get("tags"):
                yield from self.check(resource)

    def check(self, resource: Resource) -> Iterator[Finding]:
        entry = registry()[resource.type]
        key, form = entry["property"], entry["tags"]
        tags = resource.at(key)
        if tags is UNKNOWN:
            return
        if tags is not None and not isinstance(tags, list if form == "list" else dict):
            wanted = "a list of Key and Value" if form == "list" else "a map"
            yield resource.finding(f"{key} of {resource.type} is {wanted}", key)
            return
        present = _keys(tags or [])
        missing = [name for name in REQUIRED_TAGS if name not in present] if present is not None else []
        if missing:
            yield resource.finding(f"no tag {', '.join(missing)}", key)


def _keys(tags: Any) -> set[str] | None:
    """The keys of the tags that have a value; None when a function may give more of them."""
    if isinstance(tags, dict):
        return {key for key, value in tags.items() if value not in (None, "")}
    if any(is_function(tag) for tag in tags):
        return None
    return {str(at(tag, "Key")) for tag in tags if at(tag, "Value") not in (None, "")}
