"""E9150: a bucket that answers over plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules.transit._tls_only import refuses_plain_text


class BucketWithoutTls(HouseRule):
    """The policy is looked for in the same template as the bucket."""

    id = "E9150"
    shortdesc = "S3 bucket without a TLS-only policy"
    description = "A bucket policy denies every action when aws:SecureTransport is false (PCI DSS 4.2.1)"
    source_url = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html#transit"
    tags = ["house", "tls"]
    fix = "add an AWS::S3::BucketPolicy that denies s3:* to * if aws:SecureTransport is false"
    types = ("AWS::S3::Bucket",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        if not refuses_plain_text(
            resource.template, "AWS::S3::BucketPolicy", ("Bucket",), resource, "BucketName", {"*", "s3:*"}
        ):
            yield resource.finding("no policy refuses plain HTTP")
