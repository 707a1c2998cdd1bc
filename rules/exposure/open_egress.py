"""E9136: a way out to everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules.exposure._groups import group_rules


class OpenEgress(HouseRule):
    """EC2 adds the rule itself unless the group is created with another; rules that come as resources are too late."""

    id = "E9136"
    shortdesc = "Security group that may talk to everyone on every port"
    description = "A group created without egress rules of its own gets one that allows all traffic"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ec2-securitygroup.html"
    tags = ["house", "exposure"]
    fix = "give the group the egress rules it needs; for none at all, one to 127.0.0.1/32"

    def findings(self, template: Template) -> Iterator[Finding]:
        for group in template.of("AWS::EC2::SecurityGroup"):
            if group.at("SecurityGroupEgress") in (None, []):
                yield group.finding("without SecurityGroupEgress it gets a rule that allows all traffic out")
        for rule in group_rules(template, "Egress"):
            if rule.is_open and rule.ports is None:
                yield rule.finding(f"all traffic to {rule.peer} is allowed")
