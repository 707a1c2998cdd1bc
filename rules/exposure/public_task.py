"""E9131: a task with a public address."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import may_be


class PublicTask(HouseRule):
    """AWS documents both values as the default, depending on who creates the service: only an explicit one is safe."""

    id = "E9131"
    shortdesc = "AssignPublicIp is not DISABLED"
    description = "The tasks of the service would get public addresses (PCI DSS 1.4.4)"
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-2"
    tags = ["house", "exposure"]
    fix = "set AssignPublicIp to DISABLED; private subnets reach out through NAT and endpoints"
    types = ("AWS::ECS::Service",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        path = ("NetworkConfiguration", "AwsvpcConfiguration", "AssignPublicIp")
        if not may_be(resource.at(*path), "DISABLED"):
            yield resource.finding("AssignPublicIp is not DISABLED", *path)
