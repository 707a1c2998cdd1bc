"""E9193: a load balancer on the internet without a firewall."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import may_be, names
from rules.load_balancer._balancers import application_balancers


class NoFirewall(HouseRule):
    """Internet-facing is the default. The association is looked for in the same template."""

    id = "E9193"
    shortdesc = "Internet-facing load balancer without a WAF web ACL"
    description = "An AWS::WAFv2::WebACLAssociation puts a web ACL in front of it (PCI DSS 6.4.2)"
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-16"
    tags = ["house", "load balancer"]
    fix = "associate a web ACL with its ARN"

    def findings(self, template: Template) -> Iterator[Finding]:
        for balancer in application_balancers(template):
            associated = any(
                names(association.properties.get("ResourceArn"), balancer.logical_id)
                for association in template.of("AWS::WAFv2::WebACLAssociation")
            )
            if not may_be(balancer.at("Scheme"), "internal") and not associated:
                yield balancer.finding("no web ACL stands in front of it")
