"""E9134: a subnet that hands out public addresses."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import equals


class PublicAddressOnLaunch(HouseRule):
    """Load balancers and NAT gateways in public subnets have their own addresses; nothing needs this."""

    id = "E9134"
    shortdesc = "Subnet gives every instance a public address"
    description = "MapPublicIpOnLaunch is true"
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-15"
    tags = ["house", "exposure"]
    fix = "leave MapPublicIpOnLaunch out"
    types = ("AWS::EC2::Subnet",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        if equals(resource.at("MapPublicIpOnLaunch"), "true"):
            yield resource.finding("MapPublicIpOnLaunch is true", "MapPublicIpOnLaunch")
