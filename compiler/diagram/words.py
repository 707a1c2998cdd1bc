"""Words: how resources are called in a picture."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from compiler.resolve import Resource, Tree

_ACRONYMS = {
    "Acl": "ACL", "Alb": "ALB", "Api": "API", "Aws": "AWS", "Db": "DB", "Dms": "DMS", "Dns": "DNS", "Ecr": "ECR",
    "Ecs": "ECS", "Iam": "IAM", "Ip": "IP", "Kms": "KMS", "Nat": "NAT", "Sns": "SNS", "Vpc": "VPC", "Vpn": "VPN",
    "Waf": "WAF",
}  # fmt: skip
# The property that holds a resource's physical name, the most telling first.
_NAMES = (
    "DBClusterIdentifier", "DBInstanceIdentifier", "ReplicationInstanceIdentifier", "ServiceName", "FunctionName",
    "GroupName", "BucketName", "TopicName", "StateMachineName", "LogGroupName", "AliasName", "AlarmName", "RoleName",
    "DashboardName", "ClusterName", "Name",
)  # fmt: skip
_REGION = re.compile(r"(?:amazonaws\.|arn:aws[a-z-]*:[a-z0-9-]+:|\.ecr\.)([a-z]{2}(?:-[a-z]+)+-\d)\b")
_PIECES = re.compile(r"[A-Z]+\d*(?![a-z])|[A-Z][a-z]*|[a-z]+|\d+")


def humanise(logical_id: str) -> str:
    """`NatGateway1` → "NAT gateway 1"."""
    words = _PIECES.findall(logical_id)
    return " ".join(
        _ACRONYMS.get(word, word if index == 0 or word.isupper() else word.lower()) for index, word in enumerate(words)
    )


def in_a_sentence(words: str) -> str:
    """Words without a capital at their beginning, unless it is an acronym's."""
    return words if words[:2].isupper() else words[:1].lower() + words[1:]


def physical_name(tree: Tree, resource: Resource) -> str:
    """The name that AWS will know the resource by, where the template sets one."""
    for key in _NAMES:
        name = resource.properties.get(key)
        if name is not None:
            return tree.text(resource.tier, name)
    return ""


def short_name(tree: Tree, resource: Resource, suffix: str) -> str:
    """What tells a resource from others of its kind: its physical name after the suffix, or its logical id in words."""
    name = physical_name(tree, resource)
    _, found, part = re.sub(r"-?\$\{[^}]*\}", "", name).partition(suffix)
    part = part.strip("-/")
    if found and part:
        return part
    return in_a_sentence(humanise(resource.logical_id))


def service_of(tree: Tree, endpoint: Resource) -> str:
    """`com.amazonaws.us-east-1.ecr.api` → "ecr.api"; also where the region stands as a pseudo parameter."""
    name = tree.text(endpoint.tier, endpoint.properties.get("ServiceName"))
    return re.sub(r"^com\.amazonaws\.(?:\$\{[^}]*\}|[a-z0-9-]+)\.", "", name)


def plural(count: int, noun: str) -> str:
    """`plural(2, "bucket")` → "2 buckets"."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeo" else f"{count} {noun}s"


def regions_named(template: Mapping[str, Any]) -> list[str]:
    """Every AWS region that a template's literals name, as often as they do: in service names, ARNs and host names."""
    return _REGION.findall(json.dumps(template))
