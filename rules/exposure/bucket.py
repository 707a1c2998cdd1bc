"""E9133: a bucket that could be made public."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import may_be

_BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


class BucketWithoutBlock(HouseRule):
    """The account's own block may be switched off by others; the bucket's belongs to this template."""

    id = "E9133"
    shortdesc = "S3 public access block incomplete"
    description = "All four settings together keep a bucket private whatever policies and ACLs say"
    source_url = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html"
    tags = ["house", "exposure"]
    fix = f"set {', '.join(_BLOCKS)} of PublicAccessBlockConfiguration to true"
    types = ("AWS::S3::Bucket",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        block = "PublicAccessBlockConfiguration"
        missing = [name for name in _BLOCKS if not may_be(resource.at(block, name), "true")]
        if missing:
            yield resource.finding(f"{', '.join(missing)} not true", block)
