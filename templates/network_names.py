"""The network tier's names: that of the data centre's database, which its TLS certificate bears.

The VPC's resolver knows nothing of the data centre's name servers, and clients that verify the server need the name.
"""

from __future__ import annotations

from troposphere import Ref, route53

from contract.stack import Stack
from settings.model import DataCenter

# Seconds that an old address is still used for, when the database moves to another.
_TIME_TO_LIVE = "60"


def add(stack: Stack, place: DataCenter, vpc: Ref) -> Ref:
    """Add a private zone of the database's very name, so that no other name of the data centre is hidden by it.

    Returns the zone's id. The VPC needs both of its DNS attributes for it:
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zone-private-considerations.html
    """
    zone = stack.add(
        route53.HostedZone(
            "DatabaseZone",
            Name=place.database_host,
            HostedZoneConfig=route53.HostedZoneConfiguration(Comment="The source database, inside the VPC"),
            VPCs=[route53.HostedZoneVPCs(VPCId=vpc, VPCRegion=Ref("AWS::Region"))],
        ),
        name="database-zone",
    )
    stack.add(
        route53.RecordSetType(
            "DatabaseAddress",
            HostedZoneId=Ref(zone),
            Name=place.database_host,
            Type="A",
            TTL=_TIME_TO_LIVE,
            ResourceRecords=[place.database_address],
        )
    )
    return Ref(zone)
