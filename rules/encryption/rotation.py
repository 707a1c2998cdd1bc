"""E9144: a key that is never rotated."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import may_be


class KeyWithoutRotation(HouseRule):
    """KMS rotates symmetric encryption keys only."""

    id = "E9144"
    shortdesc = "KMS key without rotation"
    description = "EnableKeyRotation is true (PCI DSS 3.7.4)"
    source_url = "https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html"
    tags = ["house", "encryption"]
    fix = "set EnableKeyRotation to true"
    types = ("AWS::KMS::Key",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        symmetric = may_be(resource.at("KeySpec") or "SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT")
        if symmetric and not may_be(resource.at("EnableKeyRotation"), "true"):
            yield resource.finding("EnableKeyRotation is not true", "EnableKeyRotation")
