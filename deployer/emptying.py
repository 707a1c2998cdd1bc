"""Empty buckets and stop what writes into them: CloudFormation deletes no bucket that holds anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from deployer.aws import Aws, error_code, translate
from deployer.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ListObjectVersionsOutputTypeDef

_BATCH = 1000  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
_SHOWN = 3
_BALANCER_LOGS = ("access_logs.s3.enabled", "connection_logs.s3.enabled", "health_check_logs.s3.enabled")


def empty_bucket(aws: Aws, bucket: str, prefix: str = "") -> int:
    """Delete every version and every delete marker below `prefix`; how many. Nothing where there is no such bucket."""
    from botocore.exceptions import ClientError

    deleted = 0
    with translate("empty", f"bucket {bucket}"):
        try:
            pages = aws.s3.get_paginator("list_object_versions").paginate(
                Bucket=bucket, Prefix=prefix, ExpectedBucketOwner=aws.account_id
            )
            for page in pages:
                deleted += _delete(aws, bucket, _versions(page))
        except ClientError as error:
            if error_code(error) != "NoSuchBucket":
                raise
    return deleted


def _versions(page: ListObjectVersionsOutputTypeDef) -> list[dict[str, str]]:
    found: Iterable[Any] = (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
    return [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in found]


def _delete(aws: Aws, bucket: str, versions: list[Any]) -> int:
    for start in range(0, len(versions), _BATCH):
        answer = aws.s3.delete_objects(
            Bucket=bucket,
            Delete={"Objects": versions[start : start + _BATCH], "Quiet": True},
            ExpectedBucketOwner=aws.account_id,
        )
        refused = answer.get("Errors", [])
        if refused:
            first = [f"{one.get('Key')}: {one.get('Message') or one.get('Code')}" for one in refused[:_SHOWN]]
            more = [f"and {len(refused) - _SHOWN} more"] if len(refused) > _SHOWN else []
            raise AwsError(
                [f"bucket {bucket} cannot be emptied: {problem}" for problem in (*first, *more)],
                hint="allow s3:DeleteObjectVersion there, then run the command again",
            )
    return len(versions)


def stop_bucket_logs(aws: Aws, bucket: str) -> None:
    """Stop the server access logs of a bucket, which S3 delivers up to hours later into another one of the stack."""
    from botocore.exceptions import ClientError

    with translate("stop the access logs of", f"bucket {bucket}"):
        try:
            if "LoggingEnabled" in aws.s3.get_bucket_logging(Bucket=bucket, ExpectedBucketOwner=aws.account_id):
                aws.s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={}, ExpectedBucketOwner=aws.account_id)
        except ClientError as error:
            if error_code(error) != "NoSuchBucket":
                raise


def stop_balancer_logs(aws: Aws, arn: str) -> None:
    """Stop the logs of a load balancer: they would arrive in a bucket that has just been emptied."""
    from botocore.exceptions import ClientError

    with translate("stop the logs of", f"load balancer {arn}"):
        try:
            found = aws.elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
            on = [
                attribute["Key"]
                for attribute in found
                if attribute["Key"] in _BALANCER_LOGS and attribute["Value"] == "true"
            ]
            if on:
                aws.elbv2.modify_load_balancer_attributes(
                    LoadBalancerArn=arn, Attributes=[{"Key": key, "Value": "false"} for key in on]
                )
        except ClientError as error:
            if error_code(error) != "LoadBalancerNotFound":
                raise
