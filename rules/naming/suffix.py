"""E9101: a physical name that two environments would share."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import text
from rules.data.physical_names import PHYSICAL_NAMES


class NameWithoutSuffix(HouseRule):
    """The suffix is the one of the template's own EnvironmentSuffix tags; without such a tag E9103 speaks instead."""

    id = "E9101"
    shortdesc = "Physical name without the environment suffix"
    description = "Two environments in one account and region would claim the same physical name"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-name.html"
    tags = ["house", "names"]
    fix = "name it by the naming policy: stack.name(rule, part)"
    types = tuple(PHYSICAL_NAMES)

    def check(self, resource: Resource) -> Iterator[Finding]:
        if resource.template.suffix is None:
            return
        suffix = re.compile(rf"(?<![A-Za-z0-9]){re.escape(resource.template.suffix)}(?![A-Za-z0-9])")
        for key in PHYSICAL_NAMES[resource.type]:
            name = text(resource.properties.get(key))
            if name is not None and not suffix.search(name):
                yield resource.finding(f"{key} {name!r} does not carry the suffix {resource.template.suffix!r}", key)
