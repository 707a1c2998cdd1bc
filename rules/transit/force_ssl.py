"""E9157: a database that accepts plain text connections."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import may_be, text

_FAMILIES = {"AWS::RDS::DBClusterParameterGroup": "aurora-postgresql", "AWS::RDS::DBParameterGroup": "postgres"}


class DatabaseWithoutForcedTls(HouseRule):
    """The default is 1 from PostgreSQL 17 on and 0 before: written, it survives a change of version either way."""

    id = "E9157"
    shortdesc = "Database accepts plain text: rds.force_ssl is not 1"
    description = "The database refuses connections without TLS (PCI DSS 4.2.1)"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Security.html"
    tags = ["house", "tls", "database"]
    fix = 'set "rds.force_ssl" to "1" in the parameter group of the cluster'
    types = ("AWS::RDS::DBCluster", *_FAMILIES)

    def check(self, resource: Resource) -> Iterator[Finding]:
        if resource.type == "AWS::RDS::DBCluster":
            postgres = text(resource.at("Engine")) == "aurora-postgresql"
            if postgres and not resource.at("DBClusterParameterGroupName"):
                yield resource.finding("no parameter group sets rds.force_ssl", "DBClusterParameterGroupName")
            return
        applies = (text(resource.at("Family")) or "").startswith(_FAMILIES[resource.type])
        if applies and not may_be(resource.at("Parameters", "rds.force_ssl"), "1"):
            yield resource.finding("rds.force_ssl is not 1", "Parameters")
