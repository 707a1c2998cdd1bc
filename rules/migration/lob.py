"""E9170: a source that cuts large values short without a word."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules.migration._sources import may_be_on, postgres_sources


class LobTruncation(HouseRule):
    """json and text columns are LOBs to DMS; beyond LobMaxSize they are truncated, unless the source says to fail."""

    id = "E9170"
    shortdesc = "DMS source truncates large values silently"
    description = "FailTasksOnLobTruncation is true on PostgreSQL sources: the default loses data without an error"
    source_url = "https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Source.PostgreSQL.html"
    tags = ["house", "dms"]
    fix = "set PostgreSqlSettings.FailTasksOnLobTruncation to true"

    def findings(self, template: Template) -> Iterator[Finding]:
        for endpoint in postgres_sources(template):
            if not may_be_on(endpoint, "FailTasksOnLobTruncation"):
                yield endpoint.finding(
                    "values larger than LobMaxSize are cut short", "PostgreSqlSettings", "FailTasksOnLobTruncation"
                )
