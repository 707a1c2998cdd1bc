"""E9155: a listener that serves plain HTTP."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import at, equals, is_function, listed, may_be, names


class PlainListener(HouseRule):
    """Rules of a plain listener are held to the same: a rule is served before the default."""

    id = "E9155"
    shortdesc = "HTTP listener that does anything but redirect to HTTPS"
    description = "Plain HTTP is answered with a redirect and nothing else (PCI DSS 4.2.1)"
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-1"
    tags = ["house", "tls", "load balancer"]
    fix = "redirect to HTTPS: Type redirect, RedirectConfig.Protocol HTTPS"
    types = ("AWS::ElasticLoadBalancingV2::Listener",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        if not equals(resource.at("Protocol"), "HTTP"):
            return
        yield from _served(resource, "DefaultActions")
        for rule in resource.template.of("AWS::ElasticLoadBalancingV2::ListenerRule"):
            if names(rule.properties.get("ListenerArn"), resource.logical_id):
                yield from _served(rule, "Actions")


def _served(holder: Resource, key: str) -> Iterator[Finding]:
    for index, action in enumerate(listed(holder.at(key))):
        redirects = may_be(at(action, "Type"), "redirect") and may_be(at(action, "RedirectConfig", "Protocol"), "HTTPS")
        if not is_function(action) and not redirects:
            yield holder.finding("plain HTTP is served", key, index)
