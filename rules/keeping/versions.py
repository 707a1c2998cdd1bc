"""E9121: a version that is dead, or that nobody chose."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import equals, text
from rules.data.versions import NEWEST, VERSION_PROPERTIES
from rules.keeping._lifecycle import fault


class DeadVersion(HouseRule):
    """cfn-lint knows no dates but those of Lambda, and nothing of DMS. What ends soon, the build warns of."""

    id = "E9121"
    shortdesc = "Version that AWS no longer creates, or past its end of support"
    description = (
        "Deploying it fails, or runs what gets no fixes (PCI DSS 6.3.3, 12.3.4); params/lifecycle.yaml has the dates"
    )
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraPostgreSQLReleaseNotes/aurorapostgresql-release-calendar.html"
    tags = ["house", "versions"]
    fix = "choose a version that lasts: python build.py versions"

    def findings(self, template: Template) -> Iterator[Finding]:
        for chosen in VERSION_PROPERTIES:
            for resource in template.of(chosen.type):
                if chosen.engine and not equals(resource.at("Engine"), chosen.engine):
                    continue
                value = resource.at(chosen.key)
                version = text(value)
                if value is None and chosen.required:
                    yield resource.finding(f"{chosen.key} is left to AWS", chosen.key)
                elif version is not None and version != NEWEST and (dead := fault(chosen.product, version)):
                    yield resource.finding(dead, chosen.key)
