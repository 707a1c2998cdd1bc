"""The package bucket: one per system, account and region; made when missing, never another account's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from deployer.aws import Aws, error_code, translate
from deployer.clock import CLOCK, Clock, polls
from deployer.errors import AwsError
from deployer.package_dir import Package

_CONFIGURED = "PackageBucketConfigured"
# The other tags say something of one copy of the system; the bucket serves all of them.
_SHARED_TAGS = ("CostCenter", "Repository", "Team")
_FIRST_REGION = "us-east-1"
_NONCURRENT_DAYS = 30
_INCOMPLETE_DAYS = 1
_CONFLICT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """`account` is who must own it: every call says so, and S3 refuses it where another does.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """

    name: str
    account: str
    region: str


def bucket_of(package: Package, account: str) -> Bucket:
    """`payments-packages-123456789012-us-east-1`: the copies of a system share it, each below a prefix of its own.

    At most 12 + 37 of the 63 characters that S3 allows.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    system = package.stack.removesuffix(f"-{package.suffix}")
    return Bucket(f"{system}-packages-{account}-{package.region}", account, package.region)


def list_objects(aws: Aws, bucket: Bucket, prefix: str) -> dict[str, int] | None:
    """Size in bytes of every object below the prefix, by key; None where the bucket does not exist."""
    from botocore.exceptions import ClientError

    with translate("list", f"s3://{bucket.name}/{prefix}"):
        try:
            pages = aws.s3.get_paginator("list_objects_v2").paginate(
                Bucket=bucket.name, Prefix=prefix, ExpectedBucketOwner=bucket.account
            )
            sizes: dict[str, int] = {}
            for page in pages:
                _check_region(bucket, page["ResponseMetadata"]["HTTPHeaders"])
                sizes |= {item["Key"]: item["Size"] for item in page.get("Contents", [])}
        except ClientError as error:
            if error_code(error) == "NoSuchBucket":
                return None
            _check_owner(bucket, error)
            raise
        return sizes


def _check_region(bucket: Bucket, headers: Any) -> None:
    """boto3 follows a bucket to its region without a word; CloudFormation, told of this one, would not find it."""
    region = headers.get("x-amz-bucket-region", bucket.region)
    if region != bucket.region:
        raise AwsError(
            f"bucket {bucket.name} is in {region}, the stack is in {bucket.region}",
            hint="delete the bucket where it is; the deployer makes its own in the region of the stack",
        )


def _check_owner(bucket: Bucket, error: Exception) -> None:
    """S3 answers 403 both where we may not and where the owner is another: say so."""
    if error_code(error) in ("AccessDenied", "403"):
        raise AwsError(
            f"bucket {bucket.name}: access denied; either another account than {bucket.account} owns it, "
            "or the credentials may not read it",
            hint="see who owns it: aws s3api get-bucket-acl; "
            "needed: s3:ListBucket, s3:PutObject, s3:GetObject; to make it s3:CreateBucket, s3:PutBucket*",
        ) from error


def ensure_bucket(aws: Aws, bucket: Bucket, *, exists: bool, tags: dict[str, str], clock: Clock = CLOCK) -> bool:
    """Make the bucket, or complete one that a killed run left half-made; True where there was something to do.

    `tags` are the stack's; the bucket gets those that hold for every copy of the system. A tag of its
    own is written last and tells a complete one: whoever finds an empty prefix pays one call to read it.
    """
    if exists and _is_configured(aws, bucket):
        return False
    with translate("create", f"bucket {bucket.name}"):
        if not exists:
            _create(aws, bucket)
        for operation, arguments in _configuration(aws, bucket, tags):
            _configure(aws, bucket, operation, arguments, clock)
    return True


def _is_configured(aws: Aws, bucket: Bucket) -> bool:
    from botocore.exceptions import ClientError

    with translate("read the tags of", f"bucket {bucket.name}"):
        try:
            answer = aws.s3.get_bucket_tagging(Bucket=bucket.name, ExpectedBucketOwner=bucket.account)
        except ClientError as error:
            if error_code(error) == "NoSuchTagSet":
                return False
            raise
        return any(tag["Key"] == _CONFIGURED for tag in answer["TagSet"])


def _create(aws: Aws, bucket: Bucket) -> None:
    from botocore.exceptions import ClientError

    place: Any = {} if bucket.region == _FIRST_REGION else {"LocationConstraint": bucket.region}
    configuration: Any = {"CreateBucketConfiguration": place} if place else {}
    try:
        aws.s3.create_bucket(Bucket=bucket.name, ObjectOwnership="BucketOwnerEnforced", **configuration)
    except ClientError as error:
        if error_code(error) == "BucketAlreadyExists":
            raise AwsError(
                f"bucket {bucket.name} belongs to another account than {bucket.account}",
                hint="nothing was uploaded; change `system` in params, which begins the bucket's name",
            ) from error
        if error_code(error) != "BucketAlreadyOwnedByYou":  # another run was faster
            raise


def _configuration(aws: Aws, bucket: Bucket, tags: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """(operation of the client, its arguments), in order; the tags come last, for they tell that all is done."""
    arn = f"arn:{aws.partition}:s3:::{bucket.name}"
    only_tls = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    # Current versions stay for ever: a deployed stack names them, and re-uses them in a rollback.
    lifecycle = {
        "Rules": [
            {
                "ID": "OldVersions",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "NoncurrentVersionExpiration": {"NoncurrentDays": _NONCURRENT_DAYS},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": _INCOMPLETE_DAYS},
            }
        ]
    }
    closed = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    owner = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    tag_set = [{"Key": key, "Value": tags[key]} for key in _SHARED_TAGS if key in tags]
    return [
        ("put_public_access_block", {"PublicAccessBlockConfiguration": closed}),
        ("put_bucket_ownership_controls", {"OwnershipControls": owner}),
        ("put_bucket_encryption", {"ServerSideEncryptionConfiguration": encryption}),
        ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Enabled"}}),
        ("put_bucket_policy", {"Policy": json.dumps(only_tls)}),
        ("put_bucket_lifecycle_configuration", {"LifecycleConfiguration": lifecycle}),
        ("put_bucket_tagging", {"Tagging": {"TagSet": [*tag_set, {"Key": _CONFIGURED, "Value": "true"}]}}),
    ]


def _configure(aws: Aws, bucket: Bucket, operation: str, arguments: dict[str, Any], clock: Clock) -> None:
    """One setting; a bucket that another run configures at the same moment answers OperationAborted for a while.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (OperationAborted)
    """
    from botocore.exceptions import ClientError

    refused: ClientError | None = None
    for _ in polls(clock, _CONFLICT_SECONDS):
        try:
            getattr(aws.s3, operation)(Bucket=bucket.name, ExpectedBucketOwner=bucket.account, **arguments)
        except ClientError as error:
            if error_code(error) != "OperationAborted":
                raise
            refused = error
        else:
            return
    assert refused is not None
    raise refused
