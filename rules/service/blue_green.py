"""E9184: a blue/green deployment that cannot move traffic."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import UNKNOWN, at
from rules.service._deployments import shifting_services

_NEEDED = ("AlternateTargetGroupArn", "ProductionListenerRule", "RoleArn")


class BlueGreenIncomplete(HouseRule):
    """The schema asks for AlternateTargetGroupArn only; the deployment then fails on the rest."""

    id = "E9184"
    shortdesc = "Blue/green service without complete AdvancedConfiguration"
    description = (
        "Each load balancer has an alternate target group, a production listener rule and a role to move it with"
    )
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-blue-green.html"
    tags = ["house", "ecs"]
    fix = f"give LoadBalancers[].AdvancedConfiguration {', '.join(_NEEDED)}"

    def findings(self, template: Template) -> Iterator[Finding]:
        for service in shifting_services(template):
            if not service.at("LoadBalancers"):
                yield service.finding("no load balancer has traffic to move", "LoadBalancers")
            for path, balancer in service.each("LoadBalancers", "*"):
                configuration = at(balancer, "AdvancedConfiguration")
                missing = [key for key in _NEEDED if not at(configuration, key)]
                if configuration is not UNKNOWN and missing:
                    yield service.finding(f"no {', '.join(missing)}", *path, "AdvancedConfiguration")
