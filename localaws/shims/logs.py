"""Corrections to moto's CloudWatch Logs."""

from __future__ import annotations

import json
from typing import Any

from localaws.shims.patch import added, around


def have_policies_of_log_groups() -> None:
    """A resource policy can be one log group's own (resourceArn, no name); moto files every policy by its name.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html
    """
    from moto.logs.exceptions import ResourceNotFoundException
    from moto.logs.models import LogsBackend
    from moto.logs.responses import LogsResponse

    @around(LogsResponse, "put_resource_policy")
    def put_resource_policy(original: Any, self: Any) -> Any:
        if not (arn := _group(self._get_param("resourceArn"))):
            return original(self)
        policies = self.logs_backend.resource_policies
        before = policies.get(arn)
        policies[arn] = GroupPolicy(arn, self._get_param("policyDocument"), before.revision + 1 if before else 1)
        return json.dumps({"resourcePolicy": policies[arn].describe(), "revisionId": str(policies[arn].revision)})

    @around(LogsResponse, "describe_resource_policies")
    def describe_resource_policies(_original: Any, self: Any) -> str:
        arn = _group(self._get_param("resourceArn"))
        own = self._get_param("policyScope") == "RESOURCE"
        found = [
            policy.describe()
            for policy in self.logs_backend.resource_policies.values()
            if isinstance(policy, GroupPolicy) == own and (not own or policy.arn == arn)
        ]
        return json.dumps({"resourcePolicies": found})

    @around(LogsResponse, "delete_resource_policy")
    def delete_resource_policy(original: Any, self: Any) -> Any:
        if not (arn := _group(self._get_param("resourceArn"))):
            return original(self)
        if self.logs_backend.resource_policies.pop(arn, None) is None:
            raise ResourceNotFoundException(msg=f"No policy of {arn} exists")
        return ""

    @around(LogsBackend, "delete_log_group")
    def delete_log_group(original: Any, self: Any, log_group_name: str) -> None:
        group = self.groups.get(log_group_name)
        original(self, log_group_name)
        self.resource_policies.pop(group.arn, None)


class GroupPolicy:
    """The resource policy of one log group."""

    def __init__(self, arn: str, document: str, revision: int) -> None:
        self.arn = arn
        self.document = document
        self.revision = revision

    def describe(self) -> dict[str, Any]:
        """As DescribeResourcePolicies tells it."""
        return {
            "policyDocument": self.document,
            "policyScope": "RESOURCE",
            "resourceArn": self.arn,
            "revisionId": str(self.revision),
        }


def change_keys_of_log_groups() -> None:
    """AssociateKmsKey and DisassociateKmsKey are missing.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
    """
    from moto.logs.exceptions import ResourceNotFoundException
    from moto.logs.responses import LogsResponse

    def change(response: Any, key: str | None) -> str:
        arn = _group(response._get_param("resourceIdentifier"))  # noqa: SLF001 - moto's own way to read a request
        name = response._get_param("logGroupName") or (arn or "").partition(":log-group:")[2]  # noqa: SLF001
        if name not in response.logs_backend.groups:
            raise ResourceNotFoundException
        response.logs_backend.groups[name].kms_key_id = key
        return ""

    @added(LogsResponse)
    def associate_kms_key(self: Any) -> str:
        return change(self, self._get_param("kmsKeyId"))

    @added(LogsResponse)
    def disassociate_kms_key(self: Any) -> str:
        return change(self, None)


def _group(arn: str | None) -> str | None:
    """The ARN of a log group, which some write with its streams."""
    return arn.removesuffix(":*") if arn else None
