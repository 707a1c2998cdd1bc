"""IAM documents as all tiers write them: awacs statements, ARNs of this account, trust that names its source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from awacs import kms, sts
from awacs.aws import (
    Action,
    Allow,
    ArnLike,
    Bool,
    Condition,
    ConditionElement,
    Deny,
    PolicyDocument,
    Principal,
    Statement,
    StringEquals,
)
from troposphere import AccountId, Sub

# The account whose resource a service works for when it uses a key or assumes a role: keeps strangers from using the
# service to reach ours. https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
OURS = StringEquals({"aws:SourceAccount": AccountId})

# What AWS writes as Encrypt, Decrypt, ReEncrypt*, GenerateDataKey* and Describe* of a KMS key, spelt out.
USE_OF_KEY = (
    kms.Encrypt, kms.Decrypt, kms.ReEncryptFrom, kms.ReEncryptTo, kms.GenerateDataKey,
    kms.GenerateDataKeyWithoutPlaintext, kms.DescribeKey,
)  # fmt: skip


def arn(service: str, resource: str) -> Sub:
    """ARN of a resource in this account and region; `resource` is what follows the account, like `secret:name`."""
    return Sub(f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")


def bucket_arn(path: str) -> Sub:
    """ARN of an S3 bucket, or of objects in it (`bucket/prefix/*`), as the bucket's name already is unique."""
    return Sub(f"arn:${{AWS::Partition}}:s3:::{path}")


def document(*statements: Statement) -> PolicyDocument:
    """A policy of the current policy language version."""
    return PolicyDocument(Version="2012-10-17", Statement=list(statements))


def allow(
    sid: str,
    actions: Sequence[Action],
    resources: Sequence[Any],
    *conditions: ConditionElement,
    principal: Principal | None = None,
) -> Statement:
    """A statement that allows; `sid` says in CamelCase what for, `conditions` must all hold."""
    optional: dict[str, Any] = {}
    if principal is not None:
        optional["Principal"] = principal
    if conditions:
        optional["Condition"] = _all_of(conditions)
    return Statement(Sid=sid, Effect=Allow, Action=list(actions), Resource=list(resources), **optional)


def via(region: str, *services: str) -> StringEquals:
    """The condition that a KMS key is used through these services only, never by a call to KMS itself."""
    return StringEquals({"kms:ViaService": [f"{service}.{region}.amazonaws.com" for service in services]})


def _all_of(conditions: Sequence[ConditionElement]) -> Condition:
    """Every condition, as IAM means it. awacs would keep only the last of two that share an operator."""
    merged: dict[type[ConditionElement], dict[str, Any]] = {}
    for condition in conditions:
        merged.setdefault(type(condition), {}).update(condition.get_dict())
    return Condition([operator(keys) for operator, keys in merged.items()])


def trust(service: str, *source_arns: Sub, sourced: bool = True) -> PolicyDocument:
    """The trust policy of a role that one AWS service assumes, for our resources alone.

    `source_arns` are patterns of the resources it may act for. `sourced=False` is for the services that do not say whom
    they act for when they assume a role: a condition would lock them out.
    """
    conditions = [OURS] if sourced else []
    if source_arns:
        conditions.append(ArnLike({"aws:SourceArn": list(source_arns)}))
    optional = {"Condition": Condition(conditions)} if conditions else {}
    return PolicyDocument(
        Version="2012-10-17",
        Statement=[
            Statement(Effect=Allow, Principal=Principal("Service", service), Action=[sts.AssumeRole], **optional)
        ],
    )


def deny_plain_http(actions: Sequence[Action], resources: Sequence[Any]) -> Statement:
    """A statement of a resource's own policy that refuses everyone who comes without TLS."""
    return Statement(
        Sid="DenyPlainHttp",
        Effect=Deny,
        Principal=Principal("*"),
        Action=list(actions),
        Resource=list(resources),
        Condition=Condition(Bool({"aws:SecureTransport": False})),
    )
