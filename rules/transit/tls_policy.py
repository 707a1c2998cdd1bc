"""E9156: a listener with a weak TLS policy, or one that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import equals, text
from rules.keeping._lifecycle import fault

# What CloudFormation takes when no policy is named; it offers TLS 1.0.
_DEFAULT = "ELBSecurityPolicy-2016-08"


class WeakTlsPolicy(HouseRule):
    """No linter knows the names; those that are good enough stand in params/lifecycle.yaml."""

    id = "E9156"
    shortdesc = "Weak or unknown TLS policy"
    description = "SslPolicy offers TLS 1.2 and 1.3 with forward secrecy only (PCI DSS 4.2.1)"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html"
    tags = ["house", "tls", "load balancer"]
    fix = "set SslPolicy to settings.load_balancer.ssl_policy"
    types = ("AWS::ElasticLoadBalancingV2::Listener",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        policy = resource.raw("SslPolicy")
        name = _DEFAULT if policy is None else text(policy)
        if name is not None and equals(resource.at("Protocol"), "HTTPS", "TLS") and (weak := fault("elb-tls", name)):
            yield resource.finding(weak, "SslPolicy")
