"""E9142: a bucket that does not say how it is encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import UNKNOWN


class BucketUnencrypted(HouseRule):
    """AES256 will do: load balancers deliver their logs to no other. Which one it is must be written."""

    id = "E9142"
    shortdesc = "S3 bucket without explicit encryption"
    description = "BucketEncryption names an algorithm, aws:kms with a key where the writer can use one"
    source_url = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html"
    tags = ["house", "encryption"]
    fix = "set BucketEncryption: aws:kms with data_key_arn, or AES256 for logs that load balancers deliver"
    types = ("AWS::S3::Bucket",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        rules = resource.at("BucketEncryption", "ServerSideEncryptionConfiguration")
        path = ("BucketEncryption", "ServerSideEncryptionConfiguration", "*", "ServerSideEncryptionByDefault")
        algorithms = [algorithm for _, algorithm in resource.each(*path, "SSEAlgorithm") if algorithm]
        if rules is not UNKNOWN and not algorithms:
            yield resource.finding("BucketEncryption names no algorithm", "BucketEncryption")
