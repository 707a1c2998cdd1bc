"""E9194: a firewall that does not say what it blocked."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import names


class FirewallWithoutLog(HouseRule):
    """The logging configuration is looked for in the same template."""

    id = "E9194"
    shortdesc = "WAF web ACL without logging"
    description = "An AWS::WAFv2::LoggingConfiguration sends its log somewhere (PCI DSS 10.4.2)"
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/waf-controls.html#waf-11"
    tags = ["house", "load balancer", "logs"]
    fix = "add an AWS::WAFv2::LoggingConfiguration for its ARN"
    types = ("AWS::WAFv2::WebACL",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        configurations = resource.template.of("AWS::WAFv2::LoggingConfiguration")
        if not any(names(one.properties.get("ResourceArn"), resource.logical_id) for one in configurations):
            yield resource.finding("the web ACL does not log")
