"""E9187: a cluster that measures nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import UNKNOWN, at, equals, may_be


class NoContainerInsights(HouseRule):
    """The alarm on running tasks takes its metrics from here: without them it never has data."""

    id = "E9187"
    shortdesc = "ECS cluster without Container Insights"
    description = "ClusterSettings sets containerInsights to enabled or enhanced"
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-12"
    tags = ["house", "ecs"]
    fix = "set containerInsights to enhanced in ClusterSettings"
    types = ("AWS::ECS::Cluster",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        is_on = any(
            equals(at(setting, "Name"), "containerInsights") and may_be(at(setting, "Value"), "enabled", "enhanced")
            for _, setting in resource.each("ClusterSettings", "*")
        )
        if resource.at("ClusterSettings") is not UNKNOWN and not is_on:
            yield resource.finding("containerInsights is not enabled", "ClusterSettings")
