"""E9132: a way in for the whole internet."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules.exposure._groups import group_rules, is_load_balancer


class OpenIngress(HouseRule):
    """A group is the load balancer's when one of the template uses it, or when its logical id or name says so."""

    id = "E9132"
    shortdesc = "Ingress from anywhere but to ports 80 and 443 of the load balancer"
    description = "Only the load balancer faces the internet, on 443 and on 80 for the redirect"
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-18"
    tags = ["house", "exposure"]
    fix = "admit a security group or the data centre's block instead of every address"

    def findings(self, template: Template) -> Iterator[Finding]:
        for rule in group_rules(template, "Ingress"):
            front_door = rule.ports in ((80.0, 80.0), (443.0, 443.0)) and is_load_balancer(rule.group, template)
            if rule.is_open and not front_door:
                ports = "every port" if rule.ports is None else f"ports {rule.ports[0]:.0f} to {rule.ports[1]:.0f}"
                yield rule.finding(f"{rule.peer} may reach {ports}")
