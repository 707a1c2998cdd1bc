"""E9201: logs that are gone within a year."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import below


class ShortRetention(HouseRule):
    """A group without retention keeps its logs for ever: long enough, but nobody decided it."""

    id = "E9201"
    shortdesc = "Log group kept for less than 365 days, or for ever"
    description = "RetentionInDays is 365 or more (PCI DSS 10.5.1)"
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"
    tags = ["house", "logs"]
    fix = "set RetentionInDays to settings.log_retention_days"
    types = ("AWS::Logs::LogGroup",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        days = resource.at("RetentionInDays")
        if below(days, 365):
            yield resource.finding("kept for ever" if days is None else f"kept for {days} days", "RetentionInDays")
