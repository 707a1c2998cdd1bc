"""Corrections to moto's S3."""

from __future__ import annotations

import json
from typing import Any

from localaws.shims.patch import around


def honour_conditions_of_bucket_policies() -> None:
    """A statement whose Condition is not met does not apply; moto lets it deny.

    Here every policy denies plain HTTP, and that would refuse every upload. A request counts as one over TLS: loopback
    is where a certificate would end.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
    """
    from moto.iam.access_control import IAMPolicyStatement, PermissionResult

    @around(IAMPolicyStatement, "is_action_permitted")
    def is_action_permitted(
        original: Any, self: Any, action: str, resource: str = "*", *rest: Any, **named: Any
    ) -> Any:
        statement = self._statement
        if statement.get("Effect") == "Deny" and "Condition" in statement and not _is_met(statement["Condition"]):
            return PermissionResult.NEUTRAL
        return original(self, action, resource, *rest, **named)


def _is_met(condition: dict[str, dict[str, Any]]) -> bool:
    """Whether what can be told of a request here meets all of `condition`; what cannot be told meets nothing."""
    return condition.keys() == {"Bool"} and all(
        key.lower() == "aws:securetransport" and str(value).lower() == "true"
        for key, value in condition["Bool"].items()
    )


def take_any_principal_in_logging_policies() -> None:
    """PutBucketLogging fails when the target's policy has a statement whose Principal is "*".

    AWS reads a list of actions or resources as it reads one.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    from moto.s3.models import FakeBucket

    @around(FakeBucket, "_log_permissions_enabled_policy")
    def permitted(original: Any, target_bucket: Any, target_prefix: str | None) -> bool:
        if not target_bucket.policy:
            return False
        document = json.loads(target_bucket.policy.decode())
        statements = [one for one in _as_list(document["Statement"]) if isinstance(one.get("Principal"), dict)]
        target = _Bucket(target_bucket)
        for statement in statements:
            for resource in _as_list(statement.get("Resource")):
                single = {**statement, "Resource": resource, "Action": _as_list(statement.get("Action"))}
                target.policy = json.dumps({"Statement": [single]}).encode()
                if original(target, target_prefix):
                    return True
        return False


class _Bucket:
    """What moto's check reads of a bucket."""

    def __init__(self, bucket: Any) -> None:
        self.name, self.partition, self.policy = bucket.name, bucket.partition, bucket.policy


def deliver_no_access_logs() -> None:
    """AWS delivers access logs hours later, if at all; moto writes one object per request at once.

    A bucket that is to be deleted would never be empty.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html#LogDeliveryBestEffort
    """
    from moto.s3.models import S3Backend

    @around(S3Backend, "log_incoming_request")
    def log_incoming_request(_original: Any, _self: Any, _request: Any, _bucket_name: str) -> None:
        return


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
