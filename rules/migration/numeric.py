"""E9176: a source that rounds amounts of money."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules.migration._sources import may_be_on, postgres_sources


class NumericRounded(HouseRule):
    """CloudFormation has no property for it: it stands in ExtraConnectionAttributes."""

    id = "E9176"
    shortdesc = "DMS source rounds NUMERIC columns without a precision"
    description = "MapUnboundedNumericAsString is true on PostgreSQL sources: DMS else takes NUMERIC for NUMERIC(28,6)"
    source_url = "https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Source.PostgreSQL.html"
    tags = ["house", "dms"]
    fix = "add MapUnboundedNumericAsString=true to ExtraConnectionAttributes"

    def findings(self, template: Template) -> Iterator[Finding]:
        for endpoint in postgres_sources(template):
            if not may_be_on(endpoint, "MapUnboundedNumericAsString"):
                yield endpoint.finding("NUMERIC becomes NUMERIC(28,6)", "ExtraConnectionAttributes")
