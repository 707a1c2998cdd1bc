"""E9188: fewer tasks than zones."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import below, equals, number


class FewTasks(HouseRule):
    """A service without DesiredCount starts with one task, unless a scalable target of the template raises it."""

    id = "E9188"
    shortdesc = "Fewer than 3 tasks"
    description = "At least one task in each of three zones, at the start and after scaling in"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-configure-auto-scaling.html"
    tags = ["house", "ecs"]
    fix = "set DesiredCount and MinCapacity to 3 or more"
    types = ("AWS::ECS::Service", "AWS::ApplicationAutoScaling::ScalableTarget")

    def check(self, resource: Resource) -> Iterator[Finding]:
        if resource.type == "AWS::ECS::Service":
            desired = resource.at("DesiredCount")
            scaled = desired is None and any(_scales_services(target) for target in resource.template.of(self.types[1]))
            daemon = equals(resource.at("SchedulingStrategy"), "DAEMON")
            if below(desired, 3) and not scaled and not daemon:
                yield resource.finding(f"DesiredCount is {1 if desired is None else desired}", "DesiredCount")
        elif _scales_services(resource) and below(resource.at("MinCapacity"), 3):
            yield resource.finding(f"MinCapacity is {number(resource.at('MinCapacity')) or 0:g}", "MinCapacity")


def _scales_services(target: Resource) -> bool:
    return equals(target.at("ScalableDimension"), "ecs:service:DesiredCount")
