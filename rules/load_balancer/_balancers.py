"""Application load balancers and their attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules._template import Resource, Template
from rules._values import UNKNOWN, at, equals, is_function, listed

ATTRIBUTES = "LoadBalancerAttributes"


def application_balancers(template: Template) -> Iterator[Resource]:
    """Load balancers of type application, which is the default."""
    for balancer in template.of("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        if equals(balancer.at("Type") or "application", "application"):
            yield balancer


def attribute(balancer: Resource, key: str) -> Any:
    """An attribute's value: None where it is left to its default, UNKNOWN where it may be given at deployment."""
    attributes = balancer.at(ATTRIBUTES)
    for item in listed(attributes):
        if equals(at(item, "Key"), key):
            return at(item, "Value")
    unknown = attributes is UNKNOWN or any(is_function(item) for item in listed(attributes))
    return UNKNOWN if unknown else None
