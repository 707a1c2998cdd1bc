"""E9141: a database without encryption by a key of ours."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import may_be


class DatabaseUnencrypted(HouseRule):
    """Aurora's instances take both from their cluster. Neither can be changed later but by replacement."""

    id = "E9141"
    shortdesc = "Database not encrypted with a customer managed key"
    description = "StorageEncrypted is true and KmsKeyId names the key, on clusters and on instances outside of one"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.html"
    tags = ["house", "encryption"]
    fix = "set StorageEncrypted to true and KmsKeyId to data_key_arn"
    types = ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance")

    def check(self, resource: Resource) -> Iterator[Finding]:
        if resource.type == "AWS::RDS::DBInstance" and resource.at("DBClusterIdentifier") is not None:
            return
        if not may_be(resource.at("StorageEncrypted"), "true"):
            yield resource.finding("StorageEncrypted is not true", "StorageEncrypted")
        if not resource.at("KmsKeyId"):
            yield resource.finding("KmsKeyId names no key", "KmsKeyId")
