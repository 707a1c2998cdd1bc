"""The bucket of validation reports, and the one that logs who reads them."""

from __future__ import annotations

from awacs import s3 as actions
from awacs.aws import ArnEquals, Principal, StringEquals
from troposphere import AccountId, Ref, Sub, s3

from contract import names
from contract.policies import allow, bucket_arn, document
from contract.stack import Stack
from templates.buckets import private_bucket, tls_only

_ACCESS_LOG_PREFIX = "reports/"
# Step Functions itself takes up a failed execution for 14 days, too.
# https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
_WORK_PREFIX, _WORK_DAYS = "work/", 14


def add_report_bucket(stack: Stack, key_arn: Ref) -> s3.Bucket:
    """Reports are the proof of the migration: versioned, encrypted with our key, kept as long as params say."""
    log, log_policy = _access_log_bucket(stack)
    name = stack.name(names.BUCKET, "reports")
    properties = private_bucket(stack.settings.validation.report_retention_days, key_arn)
    properties["LifecycleConfiguration"].Rules.append(_work_ends_early())
    bucket = stack.add_stateful(
        s3.Bucket(
            "ReportBucket",
            # So that no access goes unlogged.
            DependsOn=log_policy.title,
            BucketName=Sub(name),
            LoggingConfiguration=s3.LoggingConfiguration(
                DestinationBucketName=Ref(log), LogFilePrefix=_ACCESS_LOG_PREFIX
            ),
            **properties,
        )
    )
    stack.add(
        s3.BucketPolicy(
            "ReportBucketPolicy",
            Bucket=Ref(bucket),
            PolicyDocument=document(tls_only(name)),
        )
    )
    return bucket


def _work_ends_early() -> s3.LifecycleRule:
    """What calls of the function leave for one another (validator/places.py), rewritten after every slice."""
    return s3.LifecycleRule(
        Id="work",
        Status="Enabled",
        Prefix=_WORK_PREFIX,
        ExpirationInDays=_WORK_DAYS,
        NoncurrentVersionExpiration=s3.NoncurrentVersionExpiration(NoncurrentDays=1),
    )


def _access_log_bucket(stack: Stack) -> tuple[s3.Bucket, s3.BucketPolicy]:
    """Server access logs are delivered to buckets with SSE-S3 only. It logs no access of its own: that would never end.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    name, reports = stack.name(names.BUCKET, "report-access"), stack.named_elsewhere(names.BUCKET, "reports")
    bucket = stack.add_stateful(
        s3.Bucket(
            "ReportAccessBucket",
            BucketName=Sub(name),
            **private_bucket(stack.settings.log_retention_days),
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
                tls_only(name),
            ),
        )
    )
    return bucket, policy
