"""E9192: a load balancer that keeps no record of its requests."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import may_be
from rules.load_balancer._balancers import ATTRIBUTES, application_balancers, attribute


class NoAccessLogs(HouseRule):
    """Off by default."""

    id = "E9192"
    shortdesc = "Load balancer without access logs"
    description = "access_logs.s3.enabled is true"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html"
    tags = ["house", "load balancer", "logs"]
    fix = "set access_logs.s3.enabled to true and access_logs.s3.bucket to an SSE-S3 bucket"

    def findings(self, template: Template) -> Iterator[Finding]:
        for balancer in application_balancers(template):
            if not may_be(attribute(balancer, "access_logs.s3.enabled"), "true"):
                yield balancer.finding("access logs are off", ATTRIBUTES)
