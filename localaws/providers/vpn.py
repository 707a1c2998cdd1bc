"""EC2: the tunnel to the data centre."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.network import ec2_tags
from localaws.providers.shapes import at
from localaws.providers.table import Row
from localaws.providers.work import NOTHING, Look, Properties, Removal, Setting, Work, custom, same

_GONE = ("State", frozenset({"deleted", "deleting"}))
_FIND_TABLE = Look(operation="DescribeRouteTables", key="RouteTableIds[]", path="RouteTables.0")

CUSTOMER_GATEWAY = Row(
    type="AWS::EC2::CustomerGateway",
    service="ec2",
    create_operation="CreateCustomerGateway",
    sends=same("BgpAsn BgpAsnExtended CertificateArn DeviceName IpAddress Type"),
    made="CustomerGateway",
    physical="CustomerGateway.CustomerGatewayId",
    look=Look(operation="DescribeCustomerGateways", key="CustomerGatewayIds[]", path="CustomerGateways.0", dead=_GONE),
    attributes={"CustomerGatewayId": ""},
    remove=Removal(operation="DeleteCustomerGateway", key="CustomerGatewayId"),
    tags=ec2_tags("customer-gateway"),
)

VPN_GATEWAY = Row(
    type="AWS::EC2::VPNGateway",
    service="ec2",
    create_operation="CreateVpnGateway",
    sends=same("AmazonSideAsn Type"),
    made="VpnGateway",
    physical="VpnGateway.VpnGatewayId",
    look=Look(operation="DescribeVpnGateways", key="VpnGatewayIds[]", path="VpnGateways.0", dead=_GONE),
    attributes={"VPNGatewayId": ""},
    remove=Removal(operation="DeleteVpnGateway", key="VpnGatewayId"),
    tags=ec2_tags("vpn-gateway"),
)


def _change_tunnels(work: Work) -> None:
    """Each tunnel is changed by its outside address, in the order in which the template has them."""
    addresses = [tunnel["OutsideIpAddress"] for tunnel in at(work.entity, "Options.TunnelOptions") or ()]
    for address, tunnel in zip(addresses, work.after.get("VpnTunnelOptionsSpecifications", ()), strict=False):
        work.call(
            "ModifyVpnTunnelOptions",
            VpnConnectionId=work.physical_id,
            VpnTunnelOutsideIpAddress=address,
            TunnelOptions=tunnel,
        )


CONNECTION = Row(
    type="AWS::EC2::VPNConnection",
    service="ec2",
    create_operation="CreateVpnConnection",
    sends=same(
        "CustomerGatewayId VpnGatewayId Type PreSharedKeyStorage",
        StaticRoutesOnly="Options.StaticRoutesOnly",
        VpnTunnelOptionsSpecifications="Options.TunnelOptions",
    ),
    made="VpnConnection",
    physical="VpnConnection.VpnConnectionId",
    look=Look(operation="DescribeVpnConnections", key="VpnConnectionIds[]", path="VpnConnections.0", dead=_GONE),
    attributes={"VpnConnectionId": ""},
    steps=(
        Setting(operation="ModifyVpnConnection", key="VpnConnectionId", sends=same("CustomerGatewayId VpnGatewayId")),
        custom("VpnTunnelOptionsSpecifications", "ModifyVpnTunnelOptions", _change_tunnels),
    ),
    remove=Removal(operation="DeleteVpnConnection", key="VpnConnectionId"),
    tags=ec2_tags("vpn-connection"),
    reads={
        "StaticRoutesOnly": "Options.StaticRoutesOnly",
        # The answer calls the options otherwise than the call takes them: DpdTimeoutAction, IkeVersions.
        "VpnTunnelOptionsSpecifications": None,
    },
)


def _propagate(work: Work, _values: Properties = NOTHING) -> Mapping[str, Any]:
    """Let the gateway's routes into the tables that are new, keep them out of those that are gone."""
    for side, other, operation in (
        (work.before, work.after, "DisableVgwRoutePropagation"),
        (work.after, work.before, "EnableVgwRoutePropagation"),
    ):
        kept = other.get("RouteTableIds", ()) if other.get("VpnGatewayId") == side.get("VpnGatewayId") else ()
        for table in side.get("RouteTableIds", ()):
            if table not in kept:
                work.call(operation, GatewayId=side["VpnGatewayId"], RouteTableId=table)
    return {}


def _stop_propagation(work: Work) -> None:
    for table in work.after["RouteTableIds"]:
        gateway = {"GatewayId": work.after["VpnGatewayId"]}
        Removal(operation="DisableVgwRoutePropagation", key="RouteTableId", fixed=gateway)(work.at(table))


def _look_at_propagation(work: Work) -> Mapping[str, Any] | None:
    gateway = work.after["VpnGatewayId"]
    tables = []
    for table in work.after["RouteTableIds"]:
        found = _FIND_TABLE(work.at(table)) or {}
        if any(each["GatewayId"] == gateway for each in found.get("PropagatingVgws", ())):
            tables.append(table)
    return {"VpnGatewayId": gateway, "RouteTableIds": tables} if tables else None


PROPAGATION = Row(
    type="AWS::EC2::VPNGatewayRoutePropagation",
    service="ec2",
    piecemeal=True,
    make=_propagate,
    sends=same("RouteTableIds VpnGatewayId"),
    physical=lambda work: work.context.unique_name,
    complete=False,
    look=_look_at_propagation,
    attributes={"Id": ""},
    steps=(
        custom(
            "RouteTableIds VpnGatewayId",
            "EnableVgwRoutePropagation DisableVgwRoutePropagation",
            _propagate,
        ),
    ),
    remove=_stop_propagation,
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (CUSTOMER_GATEWAY, VPN_GATEWAY, CONNECTION, PROPAGATION)}
