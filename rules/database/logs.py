"""E9162: a database whose logs stay inside it."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import UNKNOWN, is_function
from rules.database._instances import owns_data


class LogsNotExported(HouseRule):
    """The database keeps its own logs for days, and whoever breaks in can reach them."""

    id = "E9162"
    shortdesc = "Database logs are not exported"
    description = "EnableCloudwatchLogsExports holds the log of the engine (PCI DSS 10.4.2)"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.CloudWatch.html"
    tags = ["house", "database", "logs"]
    fix = "set EnableCloudwatchLogsExports to [postgresql]"
    types = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")

    def check(self, resource: Resource) -> Iterator[Finding]:
        exports = resource.at("EnableCloudwatchLogsExports")
        if not owns_data(resource) or exports is UNKNOWN:
            return
        exports = exports if isinstance(exports, list) else []
        if "postgresql" not in exports and not any(is_function(item) for item in exports):
            yield resource.finding("the PostgreSQL log is not exported", "EnableCloudwatchLogsExports")
