"""Network: what the templates say of the VPC, its subnets and zones, and the way that each subnet's packets take."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from compiler.resolve import Resource, Tree

Cidr = IPv4Network | IPv6Network

_NOWHERE = (ip_network("127.0.0.0/8"), ip_network("255.255.255.255/32"))
# RFC 1918, RFC 6598 and RFC 4193. `is_private` of the standard library counts blocks of documentation too.
_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))
UNKNOWN_ZONE = "chosen by AWS"
_INTERNET_GATEWAY = "AWS::EC2::InternetGateway"
_NAT_GATEWAY = "AWS::EC2::NatGateway"
_VPN_GATEWAY = "AWS::EC2::VPNGateway"
_ENDPOINT = "AWS::EC2::VPCEndpoint"
# The properties of AWS::EC2::Route that name where the packets go.
_NEXT_HOPS = (
    "GatewayId", "NatGatewayId", "TransitGatewayId", "VpcPeeringConnectionId", "VpcEndpointId", "InstanceId",
    "NetworkInterfaceId", "EgressOnlyInternetGatewayId", "CarrierGatewayId", "LocalGatewayId", "CoreNetworkArn",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Route:
    """Packets to `destination` go to `hop`; a destination of None is whatever the hop itself announces."""

    destination: Cidr | None
    hop: Resource

    @property
    def default(self) -> bool:
        return self.destination is not None and self.destination.prefixlen == 0


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet with the routes of its table; without a table of its own it has the VPC's main one, which has none."""

    resource: Resource
    cidr: str
    zone: str
    routes: tuple[Route, ...]

    @property
    def public(self) -> bool:
        """Public is what the routes make so, whatever the subnet is called."""
        return any(route.default and route.hop.type == _INTERNET_GATEWAY for route in self.routes)


@dataclass(frozen=True, slots=True)
class Network:
    """The VPC and what stands at its borders."""

    cidrs: tuple[str, ...]
    subnets: tuple[Subnet, ...]
    internet_gateways: tuple[Resource, ...]
    nat_gateways: tuple[tuple[Resource, Subnet], ...]
    vpn_gateways: tuple[Resource, ...]
    gateway_endpoints: tuple[Resource, ...]
    interface_endpoints: tuple[Resource, ...]
    flow_logs: bool

    @property
    def zones(self) -> tuple[str, ...]:
        return tuple(sorted({subnet.zone for subnet in self.subnets}))

    def holds(self, cidr: Cidr) -> bool:
        """Whether a block lies inside the VPC."""
        return any(within(cidr, ip_network(block)) for block in self.cidrs)


def read_network(tree: Tree) -> Network:
    """The network of the whole tree."""
    routes = _routes(tree)
    subnets = tuple(_subnet(tree, resource, routes) for resource in tree.of_type("AWS::EC2::Subnet"))
    by_address = {subnet.resource.address: subnet for subnet in subnets}
    endpoints = tree.of_type(_ENDPOINT)
    gateways = tuple(e for e in endpoints if e.properties.get("VpcEndpointType", "Gateway") == "Gateway")
    return Network(
        cidrs=tuple(
            tree.text(resource.tier, resource.properties.get("CidrBlock"))
            for resource in tree.of_type("AWS::EC2::VPC", "AWS::EC2::VPCCidrBlock")
        ),
        subnets=subnets,
        internet_gateways=tuple(tree.of_type(_INTERNET_GATEWAY)),
        nat_gateways=tuple(
            (gateway, by_address[place.address])
            for gateway in tree.of_type(_NAT_GATEWAY)
            if (place := tree.target(gateway.tier, gateway.properties.get("SubnetId")))
        ),
        vpn_gateways=tuple(tree.of_type(_VPN_GATEWAY)),
        gateway_endpoints=gateways,
        interface_endpoints=tuple(endpoint for endpoint in endpoints if endpoint not in gateways),
        flow_logs=bool(tree.of_type("AWS::EC2::FlowLog")),
    )


def _subnet(tree: Tree, resource: Resource, routes: dict[str, list[Route]]) -> Subnet:
    properties = resource.properties
    zone = properties.get("AvailabilityZoneId", properties.get("AvailabilityZone"))
    tables = [
        table
        for association in tree.of_type("AWS::EC2::SubnetRouteTableAssociation")
        if tree.target(association.tier, association.properties["SubnetId"]) == resource
        and (table := tree.target(association.tier, association.properties["RouteTableId"]))
    ]
    return Subnet(
        resource,
        cidr=tree.text(resource.tier, properties.get("CidrBlock")),
        zone=tree.text(resource.tier, zone) or UNKNOWN_ZONE,
        routes=tuple(route for table in tables for route in routes.get(table.address, ())),
    )


def _routes(tree: Tree) -> dict[str, list[Route]]:
    """The routes by the address of their table: those written, those a VPN announces, those of gateway endpoints."""
    routes: dict[str, list[Route]] = {}

    def add(tier: str, table: object, destination: Cidr | None, hop: Resource | None) -> None:
        resource = tree.target(tier, table)
        if resource and hop:
            routes.setdefault(resource.address, []).append(Route(destination, hop))

    for route in tree.of_type("AWS::EC2::Route"):
        written = route.properties.get("DestinationCidrBlock") or route.properties.get("DestinationIpv6CidrBlock")
        for hop in _NEXT_HOPS:
            add(
                route.tier,
                route.properties["RouteTableId"],
                block(tree.text(route.tier, written)),
                tree.target(route.tier, route.properties.get(hop)),
            )
    for announced, gateway in (("AWS::EC2::VPNGatewayRoutePropagation", "VpnGatewayId"), (_ENDPOINT, "")):
        for resource in tree.of_type(announced):
            hop_resource = tree.target(resource.tier, resource.properties[gateway]) if gateway else resource
            for table in resource.properties.get("RouteTableIds", ()):
                add(resource.tier, table, None, hop_resource)
    return routes


# --- whether packets find the way ------------------------------------------------------------------------------------
def reaches_internet(subnet: Subnet, *, inbound: bool) -> bool:
    """Whether packets pass between a subnet and the internet; through a NAT gateway only those sent from inside."""
    doors = {_INTERNET_GATEWAY} if inbound else {_INTERNET_GATEWAY, _NAT_GATEWAY}
    return any(route.default and route.hop.type in doors for route in subnet.routes)


def reaches_outside(subnet: Subnet, cidr: Cidr) -> bool:
    """Whether a subnet has a way to a private network beyond the VPC: a route of its own, or one a VPN announces."""
    return any(
        route.hop.type == _VPN_GATEWAY
        if route.destination is None
        else not route.default and within(cidr, route.destination)
        for route in subnet.routes
    )


def reaches_prefix_list(subnet: Subnet) -> bool:
    """Whether a subnet has a way to the addresses of an AWS service: a gateway endpoint, or the internet."""
    return any(route.hop.type == _ENDPOINT for route in subnet.routes) or reaches_internet(subnet, inbound=False)


# --- address blocks --------------------------------------------------------------------------------------------------
def block(text: str) -> Cidr | None:
    """An address block, or None for what is no literal one."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def within(inner: Cidr, outer: Cidr) -> bool:
    """Whether the inner block is part of the outer; never across IP versions."""
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def is_nowhere(cidr: Cidr) -> bool:
    """Whether a block is one of those that rules use to say "no one": without a rule, EC2 would admit everything."""
    return any(within(cidr, nowhere) for nowhere in _NOWHERE)


def is_private(cidr: Cidr) -> bool:
    """Whether a block lies in the address space of private networks."""
    return any(within(cidr, private) for private in _PRIVATE)
