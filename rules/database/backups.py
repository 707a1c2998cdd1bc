"""E9160: a database that cannot be restored far enough back."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import below
from rules.database._instances import owns_data


class ShortBackups(HouseRule):
    """0 switches automated backups, and with them point-in-time recovery, off; 1 is the default."""

    id = "E9160"
    shortdesc = "Database backups kept for less than 7 days"
    description = "BackupRetentionPeriod is at least 7"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Managing.Backups.html"
    tags = ["house", "database"]
    fix = "set BackupRetentionPeriod to 7 days or more, 35 in prod"
    types = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")

    def check(self, resource: Resource) -> Iterator[Finding]:
        days = resource.at("BackupRetentionPeriod")
        if owns_data(resource) and below(days, 7):
            yield resource.finding(
                f"BackupRetentionPeriod is {'1 by default' if days is None else days}", "BackupRetentionPeriod"
            )
