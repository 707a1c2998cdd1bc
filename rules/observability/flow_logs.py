"""E9200: a network that keeps no record of its traffic."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import may_be, names


class NoFlowLog(HouseRule):
    """The flow log is looked for in the same template as the VPC."""

    id = "E9200"
    shortdesc = "VPC without a flow log of all traffic"
    description = "An AWS::EC2::FlowLog records what was accepted and what was rejected"
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-6"
    tags = ["house", "logs"]
    fix = "add an AWS::EC2::FlowLog with its id and TrafficType ALL"
    types = ("AWS::EC2::VPC",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        if not any(
            names(log.properties.get("ResourceId"), resource.logical_id) and may_be(log.at("TrafficType"), "ALL")
            for log in resource.template.of("AWS::EC2::FlowLog")
        ):
            yield resource.finding("no flow log records all traffic")
