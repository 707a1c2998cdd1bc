"""E9130: a database or replication instance with a public address."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import may_be


class PublicDatabase(HouseRule):
    """The default of DMS is true, that of RDS depends on the subnets: only an explicit false is safe."""

    id = "E9130"
    shortdesc = "PubliclyAccessible is not false"
    description = "A database or replication instance would get a public address (PCI DSS 1.4.4)"
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/dms-controls.html#dms-1"
    tags = ["house", "exposure"]
    fix = "set PubliclyAccessible to false"
    types = ("AWS::DMS::ReplicationInstance", "AWS::RDS::DBInstance")

    def check(self, resource: Resource) -> Iterator[Finding]:
        if not may_be(resource.at("PubliclyAccessible"), "false"):
            yield resource.finding("PubliclyAccessible is not false", "PubliclyAccessible")
