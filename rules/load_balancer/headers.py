"""E9191: a load balancer that passes on malformed requests."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import equals, may_be
from rules.load_balancer._balancers import ATTRIBUTES, application_balancers, attribute


class InvalidHeadersPassed(HouseRule):
    """Both keep requests from being read differently by the load balancer and the application."""

    id = "E9191"
    shortdesc = "Load balancer passes on invalid headers or ambiguous requests"
    description = "drop_invalid_header_fields is true and desync mitigation not monitor (PCI DSS 6.2.4)"
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/elb-controls.html#elb-4"
    tags = ["house", "load balancer"]
    fix = (
        "set routing.http.drop_invalid_header_fields.enabled to true, routing.http.desync_mitigation_mode to strictest"
    )

    def findings(self, template: Template) -> Iterator[Finding]:
        for balancer in application_balancers(template):
            if not may_be(attribute(balancer, "routing.http.drop_invalid_header_fields.enabled"), "true"):
                yield balancer.finding("invalid headers are not dropped", ATTRIBUTES)
            if equals(attribute(balancer, "routing.http.desync_mitigation_mode"), "monitor"):
                yield balancer.finding("ambiguous requests are only counted", ATTRIBUTES)
