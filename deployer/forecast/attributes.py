"""What becomes of a resource's attributes when the resource changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from contract import resource_types

# What names a resource: another one has another, and the same one keeps it, whatever else of it changes.
_IDENTITY = re.compile(
    r"Ref|\w*(Arn|ARN|Id|ID|Name)|DNSName|(Read)?Endpoint\.Address|DBClusterResourceId|PublicIp|MasterUserSecret\.SecretArn"
)
# What stays the same although it looks like an identity, or follows from something else than it.
_SHARED = frozenset(
    (
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "CanonicalHostedZoneID"),  # one per region and kind
        ("AWS::EC2::Subnet", "VpcId"),
    )
)
# Attributes that follow some properties of their resource, and stay as they are when others change.
_FOLLOWS = {
    ("AWS::EC2::Subnet", "AvailabilityZone"): {"AvailabilityZone", "AvailabilityZoneId"},
    ("AWS::RDS::DBCluster", "Endpoint.Port"): {"Port"},
    ("AWS::RDS::DBCluster", "MasterUserSecret.SecretArn"): {"ManageMasterUserPassword", "MasterUserSecret"},
    ("AWS::RDS::DBCluster", "ReadEndpoint.Port"): {"Port"},
}


def outlives(kind: str, attribute: str, properties: Mapping[str, Any], touched: AbstractSet[str]) -> bool:
    """Whether an attribute surely stays the same although its resource is replaced: a subnet made anew in its zone.

    `properties` are the resource's, `touched` the top-level ones that change.
    """
    follows = set() if _IDENTITY.fullmatch(attribute) else _FOLLOWS.get((kind, attribute), set())
    return bool(follows & properties.keys()) and not follows & touched


def may_move(kind: str, attribute: str, touched: AbstractSet[str]) -> bool:
    """Whether an attribute may get another value while its resource is modified in place.

    `touched` are the top-level properties that change. The registry does not tell which properties an attribute
    follows, so that what is neither an identity nor known to follow others may move.
    """
    follows = _FOLLOWS.get((kind, attribute))
    if follows is not None:
        return bool(follows & touched)
    if (kind, attribute) in _SHARED or _IDENTITY.fullmatch(attribute):
        return False
    known = resource_types.find(kind)
    return known is None or attribute not in (*known.primary_identifier, *known.create_only)
