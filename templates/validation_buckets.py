"""The bucket of validation reports, and the one that logs who reads them."""

from __future__ import annotations

from typing import Any

from awacs import s3 as actions
from awacs.aws import ArnEquals, Principal, StringEquals
from troposphere import AccountId, Ref, Sub, s3

from contract import names
from contract.policies import allow, bucket_arn, deny_plain_http, document
from contract.stack import Stack

_OLD_VERSION_DAYS = 30
_UPLOAD_DAYS = 7
_ACCESS_LOG_PREFIX = "reports/"


def add_report_bucket(stack: Stack, key_arn: Ref) -> s3.Bucket:
    """Reports are the proof of the migration: versioned, encrypted with our key, kept as long as params say."""
    log, log_policy = _access_log_bucket(stack)
    name = stack.name(names.BUCKET, "reports")
    encryption = s3.ServerSideEncryptionRule(
        BucketKeyEnabled=True,
        ServerSideEncryptionByDefault=s3.ServerSideEncryptionByDefault(SSEAlgorithm="aws:kms", KMSMasterKeyID=key_arn),
    )
    bucket = stack.add_stateful(
        s3.Bucket(
            "ReportBucket",
            # So that no access goes unlogged.
            DependsOn=log_policy.title,
            BucketName=Sub(name),
            LoggingConfiguration=s3.LoggingConfiguration(
                DestinationBucketName=Ref(log), LogFilePrefix=_ACCESS_LOG_PREFIX
            ),
            **_private(encryption, stack.settings.validation.report_retention_days),
        )
    )
    stack.add(
        s3.BucketPolicy(
            "ReportBucketPolicy",
            Bucket=Ref(bucket),
            PolicyDocument=document(_tls_only(name)),
        )
    )
    return bucket


def _access_log_bucket(stack: Stack) -> tuple[s3.Bucket, s3.BucketPolicy]:
    """Server access logs are delivered to buckets with SSE-S3 only. It logs no access of its own: that would never end.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    name, reports = stack.name(names.BUCKET, "report-access"), stack.named_elsewhere(names.BUCKET, "reports")
    encryption = s3.ServerSideEncryptionRule(
        ServerSideEncryptionByDefault=s3.ServerSideEncryptionByDefault(SSEAlgorithm="AES256")
    )
    bucket = stack.add_stateful(
        s3.Bucket(
            "ReportAccessBucket",
            BucketName=Sub(name),
            **_private(encryption, stack.settings.log_retention_days),
        )
    )
    policy = stack.add(
        s3.BucketPolicy(
            "ReportAccessBucketPolicy",
            Bucket=Ref(bucket),
            PolicyDocument=document(
                allow(
                    "LoggedByS3",
                    [actions.PutObject],
                    [bucket_arn(f"{name}/{_ACCESS_LOG_PREFIX}*")],
                    StringEquals({"aws:SourceAccount": AccountId}),
                    ArnEquals({"aws:SourceArn": bucket_arn(reports)}),
                    principal=Principal("Service", "logging.s3.amazonaws.com"),
                ),
                _tls_only(name),
            ),
        )
    )
    return bucket, policy


def _tls_only(name: str) -> Any:
    return deny_plain_http([actions.Action("*")], [bucket_arn(name), bucket_arn(f"{name}/*")])


def _private(encryption: s3.ServerSideEncryptionRule, days: int) -> dict[str, Any]:
    """What both buckets have in common: no public access, no ACLs, versions, an end after `days`."""
    return {
        "BucketEncryption": s3.BucketEncryption(ServerSideEncryptionConfiguration=[encryption]),
        "PublicAccessBlockConfiguration": s3.PublicAccessBlockConfiguration(
            BlockPublicAcls=True, BlockPublicPolicy=True, IgnorePublicAcls=True, RestrictPublicBuckets=True
        ),
        "OwnershipControls": s3.OwnershipControls(
            Rules=[s3.OwnershipControlsRule(ObjectOwnership="BucketOwnerEnforced")]
        ),
        "VersioningConfiguration": s3.VersioningConfiguration(Status="Enabled"),
        "LifecycleConfiguration": s3.LifecycleConfiguration(
            Rules=[
                s3.LifecycleRule(
                    Id="expire",
                    Status="Enabled",
                    ExpirationInDays=days,
                    NoncurrentVersionExpiration=s3.NoncurrentVersionExpiration(NoncurrentDays=_OLD_VERSION_DAYS),
                    AbortIncompleteMultipartUpload=s3.AbortIncompleteMultipartUpload(DaysAfterInitiation=_UPLOAD_DAYS),
                )
            ]
        ),
    }
