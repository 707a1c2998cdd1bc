"""CloudWatch Logs: log groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Custom, Removal, Setting, Work, custom, same

# Tags and policies go by this one, without the ":*" that stands for its streams.
_ARN = "arn:aws:logs:{region}:{account}:log-group:{id}"


def _look(work: Work) -> Mapping[str, Any] | None:
    """A group by its whole name, where the service knows only prefixes."""
    groups = work.call("DescribeLogGroups", logGroupNamePrefix=work.physical_id)["logGroups"]
    return next((group for group in groups if group["logGroupName"] == work.physical_id), None)


def _put_retention(work: Work) -> None:
    days = work.after.get("RetentionInDays")
    if days is None:
        work.call("DeleteRetentionPolicy", logGroupName=work.physical_id)
    else:
        work.call("PutRetentionPolicy", logGroupName=work.physical_id, retentionInDays=days)


def _put_key(work: Work) -> None:
    key = work.after.get("KmsKeyId")
    if key is None:
        work.call("DisassociateKmsKey", logGroupName=work.physical_id)
    else:
        work.call("AssociateKmsKey", logGroupName=work.physical_id, kmsKeyId=key)


def _put_policy(work: Work) -> None:
    """A policy of the group itself, known by the group's ARN and nothing else.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html
    """
    document = work.after.get("ResourcePolicyDocument")
    if document is None:
        work.call("DeleteResourcePolicy", resourceArn=work.name(_ARN))
    else:
        work.call("PutResourcePolicy", resourceArn=work.name(_ARN), policyDocument=document)


def _policy(work: Work) -> Mapping[str, Any]:
    if "ResourcePolicyDocument" not in work.after:
        return {}
    answer = work.call("DescribeResourcePolicies", resourceArn=work.name(_ARN), policyScope="RESOURCE")
    documents = [policy["policyDocument"] for policy in answer["resourcePolicies"]]
    return {"ResourcePolicyDocument": documents[0] if documents else {}}


GROUP = Row(
    type="AWS::Logs::LogGroup",
    service="logs",
    create_operation="CreateLogGroup",
    sends=same("KmsKeyId LogGroupClass LogGroupName", DeletionProtectionEnabled="deletionProtectionEnabled"),
    named="LogGroupName",
    complete=False,
    look=_look,
    attributes={"Arn": f"{_ARN}:*"},
    steps=(
        Custom(
            properties=frozenset({"RetentionInDays"}),
            calls={
                "PutRetentionPolicy": ("logGroupName", "retentionInDays"),
                "DeleteRetentionPolicy": ("logGroupName",),
            },
            function=_put_retention,
            creates=True,
        ),
        custom("KmsKeyId", "AssociateKmsKey DisassociateKmsKey", _put_key),
        Custom(
            properties=frozenset({"ResourcePolicyDocument"}),
            calls={
                "PutResourcePolicy": ("resourceArn", "policyDocument"),
                "DeleteResourcePolicy": ("resourceArn",),
            },
            function=_put_policy,
            creates=True,
        ),
        Setting(
            operation="PutLogGroupDeletionProtection",
            key="logGroupIdentifier",
            sends={"DeletionProtectionEnabled": "deletionProtectionEnabled"},
            defaults={"DeletionProtectionEnabled": False},
        ),
    ),
    remove=Removal(operation="DeleteLogGroup", key="logGroupName"),
    tags=Tags(
        create="tags",
        tag="TagResource",
        untag="UntagResource",
        key="resourceArn",
        of=_ARN,
        tags="tags",
        keys="tagKeys",
        names=None,
        lists="ListTagsForResource",
        read="tags",
    ),
    extend=_policy,
    unchangeable=frozenset({"LogGroupClass"}),
)

PROVIDERS: Mapping[str, Provider] = {GROUP.type: GROUP}
