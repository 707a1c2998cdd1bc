"""E9154: a target group that speaks plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import equals, may_be


class PlainTargetGroup(HouseRule):
    """Health checks default to HTTP behind a load balancer of applications, whatever the protocol of the group."""

    id = "E9154"
    shortdesc = "Target group over plain HTTP"
    description = "Card data stays encrypted behind the load balancer too (PCI DSS 4.2.1)"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html"
    tags = ["house", "tls", "load balancer"]
    fix = "set Protocol and HealthCheckProtocol to HTTPS"
    types = ("AWS::ElasticLoadBalancingV2::TargetGroup",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        if equals(resource.at("TargetType"), "lambda", "alb"):
            return
        protocol, health = resource.at("Protocol"), resource.at("HealthCheckProtocol")
        if not may_be(protocol, "HTTPS", "TLS"):
            yield resource.finding(f"Protocol is {protocol or 'missing'}", "Protocol")
        if not may_be(health, "HTTPS") and not equals(protocol, "TLS"):
            yield resource.finding(f"HealthCheckProtocol is {health or 'HTTP by default'}", "HealthCheckProtocol")
