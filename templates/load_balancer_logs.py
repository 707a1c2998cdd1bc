"""The bucket of the load balancer's access and connection logs."""

from __future__ import annotations

from awacs import s3 as actions
from awacs.aws import ArnLike, Principal
from troposphere import Ref, Sub, s3

from contract import names
from contract.policies import allow, arn, bucket_arn, document
from contract.stack import Stack
from templates.buckets import private_bucket, tls_only

ACCESS_PREFIX, CONNECTION_PREFIX = "access", "connections"


def add_log_bucket(stack: Stack, balancer_name: str) -> tuple[s3.Bucket, s3.BucketPolicy]:
    """The bucket and its policy, which lets the load balancer of this name deliver, and nobody come without TLS.

    It has no access log of its own: that would need a second bucket of which the same could be asked, and CloudTrail
    data events record who reads it. Encryption is SSE-S3 because load balancers deliver to nothing else.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    name = stack.name(names.BUCKET, "access-logs")
    bucket = stack.add_stateful(
        s3.Bucket(
            "AccessLogBucket",
            BucketName=Sub(name),
            **private_bucket(stack.settings.load_balancer.access_log_retention_days),
        )
    )
    policy = stack.add(
        s3.BucketPolicy(
            "AccessLogBucketPolicy",
            Bucket=Ref(bucket),
            PolicyDocument=document(
                # The service documents aws:SourceArn, not aws:SourceAccount; the ARN holds account and region.
                allow(
                    "DeliveredByTheLoadBalancer",
                    [actions.PutObject],
                    [
                        bucket_arn(f"{name}/{prefix}/AWSLogs/${{AWS::AccountId}}/*")
                        for prefix in (ACCESS_PREFIX, CONNECTION_PREFIX)
                    ],
                    ArnLike({"aws:SourceArn": arn("elasticloadbalancing", f"loadbalancer/app/{balancer_name}/*")}),
                    principal=Principal("Service", "logdelivery.elasticloadbalancing.amazonaws.com"),
                ),
                tls_only(name),
            ),
        )
    )
    return bucket, policy
