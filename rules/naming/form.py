"""E9102: a physical name that its service refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import text
from rules.data.physical_names import PHYSICAL_NAMES


class NameOutOfForm(HouseRule):
    """cfn-lint knows few of these limits, and none of load balancers, target groups, DMS and ECS."""

    id = "E9102"
    shortdesc = "Physical name beyond its service's limit or alphabet"
    description = "The service refuses the name, but only at deployment"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html"
    tags = ["house", "names"]
    fix = (
        "shorten the suffix or the part, and use only characters that the service takes (contract/names.py says which)"
    )
    types = tuple(PHYSICAL_NAMES)

    def check(self, resource: Resource) -> Iterator[Finding]:
        for key, rule in PHYSICAL_NAMES[resource.type].items():
            name = text(resource.properties.get(key))
            if name is None:
                continue
            if len(name) > rule.longest:
                yield resource.finding(
                    f"{key} {name!r} has {len(name)} characters; a {rule.service} takes at most {rule.longest}", key
                )
            elif not re.fullmatch(rule.pattern, name):
                yield resource.finding(f"{key} {name!r} is no {rule.service} name: {rule.pattern}", key)
