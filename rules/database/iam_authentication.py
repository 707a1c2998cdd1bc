"""E9161: a database that knows users by password only."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import may_be
from rules.database._instances import owns_data


class NoIamAuthentication(HouseRule):
    """People and tools connect with tokens of 15 minutes instead of passwords."""

    id = "E9161"
    shortdesc = "Database without IAM authentication"
    description = "EnableIAMDatabaseAuthentication is true"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html"
    tags = ["house", "database"]
    fix = "set EnableIAMDatabaseAuthentication to true"
    types = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")

    def check(self, resource: Resource) -> Iterator[Finding]:
        if owns_data(resource) and not may_be(resource.at("EnableIAMDatabaseAuthentication"), "true"):
            yield resource.finding("EnableIAMDatabaseAuthentication is not true", "EnableIAMDatabaseAuthentication")
