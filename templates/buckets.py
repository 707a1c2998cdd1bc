"""What every bucket of the system has in common."""

from __future__ import annotations

from typing import Any

from awacs import s3 as actions
from awacs.aws import Statement
from troposphere import Ref, s3

from contract.policies import bucket_arn, deny_plain_http

_OLD_VERSION_DAYS = 30
_UPLOAD_DAYS = 7


def private_bucket(days: int, key_arn: Ref | None = None) -> dict[str, Any]:
    """Properties of a bucket without public access or ACLs, with versions, whose objects end after `days`.

    Encrypted with the key; without one with SSE-S3, for those that AWS services deliver logs to.
    """
    if key_arn is None:
        encryption = s3.ServerSideEncryptionRule(
            ServerSideEncryptionByDefault=s3.ServerSideEncryptionByDefault(SSEAlgorithm="AES256")
        )
    else:
        encryption = s3.ServerSideEncryptionRule(
            BucketKeyEnabled=True,
            ServerSideEncryptionByDefault=s3.ServerSideEncryptionByDefault(
                SSEAlgorithm="aws:kms", KMSMasterKeyID=key_arn
            ),
        )
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


def tls_only(name: str) -> Statement:
    """The statement of a bucket's policy that refuses everyone who comes without TLS."""
    return deny_plain_http([actions.Action("*")], [bucket_arn(name), bucket_arn(f"{name}/*")])
