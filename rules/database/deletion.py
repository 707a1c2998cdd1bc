"""E9163: a database to be kept that a click can delete."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import may_be
from rules.database._instances import owns_data


class NoDeletionProtection(HouseRule):
    """DeletionPolicy binds CloudFormation only: the API and the console ask DeletionProtection."""

    id = "E9163"
    shortdesc = "Database that outlives its stack has no deletion protection"
    description = "Where DeletionPolicy keeps the database, DeletionProtection is true"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_DeleteCluster.html"
    tags = ["house", "database"]
    fix = "set DeletionProtection to true where the environment is durable"
    types = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")

    def check(self, resource: Resource) -> Iterator[Finding]:
        kept = resource.body.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate", "Snapshot")
        if kept and owns_data(resource) and not may_be(resource.at("DeletionProtection"), "true"):
            yield resource.finding("DeletionProtection is not true", "DeletionProtection")
