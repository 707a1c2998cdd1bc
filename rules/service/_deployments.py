"""Deployments that ECS itself moves the traffic of."""

from __future__ import annotations

from collections.abc import Iterator

from rules._template import Resource, Template
from rules._values import equals


def shifting_services(template: Template) -> Iterator[Resource]:
    """Services with two versions behind the load balancer while they deploy."""
    for service in template.of("AWS::ECS::Service"):
        if equals(service.at("DeploymentConfiguration", "Strategy"), "BLUE_GREEN", "LINEAR", "CANARY"):
            yield service
