"""EC2: route tables, what stands in them, and what is attached to a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.network import ec2_tags
from localaws.providers.table import Row
from localaws.providers.work import NOTHING, Look, Properties, Removal, Work, custom, same

_FIND_TABLE = Look(operation="DescribeRouteTables", key="RouteTableIds[]", path="RouteTables.0")

# Where a route may lead.
_TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "NetworkInterfaceId",
    "InstanceId",
)


def _route_id(work: Work) -> str:
    return f"{work.after['RouteTableId']}|{work.after['DestinationCidrBlock']}"


def _look_at_route(work: Work) -> Mapping[str, Any] | None:
    table, _, destination = work.physical_id.partition("|")
    found = _FIND_TABLE(work.at(table))
    routes = found["Routes"] if found else []
    route = next((route for route in routes if route.get("DestinationCidrBlock") == destination), None)
    return route and {**route, "RouteTableId": table, "CidrBlock": destination}


def _lead_elsewhere(work: Work) -> None:
    table, _, destination = work.physical_id.partition("|")
    targets = {name: work.after[name] for name in _TARGETS if name in work.after}
    work.call("ReplaceRoute", targets, RouteTableId=table, DestinationCidrBlock=destination)


def _delete_route(work: Work) -> None:
    table, _, destination = work.physical_id.partition("|")
    Removal(operation="DeleteRoute", key="RouteTableId", fixed={"DestinationCidrBlock": destination})(work.at(table))


def _look_at_association(work: Work) -> Mapping[str, Any] | None:
    mine = [{"Name": "association.route-table-association-id", "Values": [work.physical_id]}]
    tables = work.call("DescribeRouteTables", Filters=mine)["RouteTables"]
    associations = [association for table in tables for association in table["Associations"]]
    return next((each for each in associations if each["RouteTableAssociationId"] == work.physical_id), None)


# The attachments of a network: property, how it is attached and detached.
_GATEWAYS = (
    ("InternetGatewayId", "AttachInternetGateway", "DetachInternetGateway"),
    ("VpnGatewayId", "AttachVpnGateway", "DetachVpnGateway"),
)


def _attach(work: Work, _values: Properties = NOTHING) -> Mapping[str, Any]:
    for name, attach, detach in _GATEWAYS:
        if work.changed(name):
            for side, operation in ((work.before, detach), (work.after, attach)):
                if name in side:
                    work.call(operation, {name: side[name], "VpcId": work.after["VpcId"]})
    return {}


def _detach(work: Work) -> None:
    for name, _attach, detach in _GATEWAYS:
        if name in work.after:
            Removal(operation=detach, key=name, fixed={"VpcId": work.after["VpcId"]})(work.at(work.after[name]))


def _look_at_attachment(work: Work) -> Mapping[str, Any] | None:
    kind, _, vpc = work.physical_id.partition("|")
    mine = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    found = {"VpcId": vpc, "AttachmentType": kind}
    for gateway in work.call("DescribeInternetGateways", Filters=mine)["InternetGateways"]:
        found["InternetGatewayId"] = gateway["InternetGatewayId"]
    for gateway in work.call("DescribeVpnGateways", Filters=mine)["VpnGateways"]:
        if any(each["VpcId"] == vpc and each["State"] == "attached" for each in gateway["VpcAttachments"]):
            found["VpnGatewayId"] = gateway["VpnGatewayId"]
    return found if ("InternetGatewayId" if kind == "IGW" else "VpnGatewayId") in found else None


def _attachment_id(work: Work) -> str:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-vpcgatewayattachment.html."""
    return f"{'IGW' if 'InternetGatewayId' in work.after else 'VGW'}|{work.after['VpcId']}"


ROUTE_TABLE = Row(
    type="AWS::EC2::RouteTable",
    service="ec2",
    create_operation="CreateRouteTable",
    sends=same("VpcId"),
    made="RouteTable",
    physical="RouteTable.RouteTableId",
    look=_FIND_TABLE,
    attributes={"RouteTableId": ""},
    remove=Removal(operation="DeleteRouteTable", key="RouteTableId"),
    tags=ec2_tags("route-table"),
)

ROUTE = Row(
    type="AWS::EC2::Route",
    service="ec2",
    create_operation="CreateRoute",
    sends=same(f"RouteTableId DestinationCidrBlock {' '.join(_TARGETS)}"),
    physical=_route_id,
    complete=False,
    look=_look_at_route,
    attributes={"CidrBlock": "CidrBlock"},
    steps=(custom(" ".join(_TARGETS), "ReplaceRoute", _lead_elsewhere),),
    remove=_delete_route,
)

ASSOCIATION = Row(
    type="AWS::EC2::SubnetRouteTableAssociation",
    service="ec2",
    create_operation="AssociateRouteTable",
    sends=same("RouteTableId SubnetId"),
    physical="AssociationId",
    look=_look_at_association,
    attributes={"Id": ""},
    remove=Removal(operation="DisassociateRouteTable", key="AssociationId"),
)

ATTACHMENT = Row(
    type="AWS::EC2::VPCGatewayAttachment",
    service="ec2",
    make=_attach,
    sends=same("VpcId InternetGatewayId VpnGatewayId"),
    physical=_attachment_id,
    complete=False,
    look=_look_at_attachment,
    attributes={"AttachmentType": "AttachmentType"},
    steps=(
        custom(
            "InternetGatewayId VpnGatewayId",
            "AttachInternetGateway DetachInternetGateway AttachVpnGateway DetachVpnGateway",
            _attach,
        ),
    ),
    remove=_detach,
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (ROUTE_TABLE, ROUTE, ASSOCIATION, ATTACHMENT)}
