"""Network: the VPC, a public and a private subnet in each of three zones, and every way in and out of them.

The VPC's default security group stays as AWS makes it: CloudFormation cannot take its rules away. Nothing is in it,
every network interface here names its own groups.
"""

from __future__ import annotations

from collections.abc import Sequence

from troposphere import GetAtt, Ref, ec2

from contract import names
from contract.kinds import (
    AvailabilityZone,
    HostedZoneId,
    InternetGatewayId,
    KmsKeyArn,
    LogGroupName,
    NatGatewayId,
    RoleArn,
    RouteTableId,
    SecurityGroupId,
    SubnetId,
    VpcEndpointId,
    VpcId,
    VpnConnectionId,
)
from contract.stack import Stack, Tier
from contract.wiring import Inputs as BaseInputs
from contract.wiring import Output, Report, Wire
from contract.wiring import Outputs as BaseOutputs
from templates import network_endpoints, network_names, network_vpn
from templates.log_groups import add_log_group

_ANYWHERE = "0.0.0.0/0"
_ZONES = (1, 2, 3)

# The default fields, and those that say who really talked to whom, by which way, and why a packet was refused.
# encryption-status stays "-" unless VPC encryption control is on, which an account may turn on for all its VPCs.
_FLOW_LOG_FIELDS = (
    "version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes",
    "start", "end", "action", "log-status", "vpc-id", "subnet-id", "az-id", "tcp-flags", "pkt-srcaddr", "pkt-dstaddr",
    "flow-direction", "traffic-path", "reject-reason", "encryption-status",
)  # fmt: skip


class Inputs(BaseInputs):
    """The flow logs need a key and a role; all else is made here."""

    logs_key_arn: Wire[KmsKeyArn]
    flow_logs_role_arn: Wire[RoleArn]


class Outputs(BaseOutputs):
    """What the other tiers stand on."""

    vpc_id: Output[VpcId]
    public_subnet_1_id: Output[SubnetId]
    public_subnet_2_id: Output[SubnetId]
    public_subnet_3_id: Output[SubnetId]
    private_subnet_1_id: Output[SubnetId]
    private_subnet_2_id: Output[SubnetId]
    private_subnet_3_id: Output[SubnetId]
    availability_zone_1: Output[AvailabilityZone]
    availability_zone_2: Output[AvailabilityZone]
    availability_zone_3: Output[AvailabilityZone]
    endpoint_security_group_id: Output[SecurityGroupId]
    internet_gateway_id: Report[InternetGatewayId]
    nat_gateway_1_id: Report[NatGatewayId]
    nat_gateway_2_id: Report[NatGatewayId]
    nat_gateway_3_id: Report[NatGatewayId]
    public_route_table_id: Report[RouteTableId]
    private_route_table_1_id: Report[RouteTableId]
    private_route_table_2_id: Report[RouteTableId]
    private_route_table_3_id: Report[RouteTableId]
    s3_endpoint_id: Report[VpcEndpointId]
    secrets_manager_endpoint_id: Report[VpcEndpointId]
    ecr_api_endpoint_id: Report[VpcEndpointId]
    ecr_docker_endpoint_id: Report[VpcEndpointId]
    logs_endpoint_id: Report[VpcEndpointId]
    monitoring_endpoint_id: Report[VpcEndpointId]
    ssm_endpoint_id: Report[VpcEndpointId]
    dms_endpoint_id: Report[VpcEndpointId]
    load_balancing_endpoint_id: Report[VpcEndpointId]
    states_endpoint_id: Report[VpcEndpointId]
    vpn_connection_id: Report[VpnConnectionId]
    database_zone_id: Report[HostedZoneId]
    flow_log_group_name: Report[LogGroupName]


def build(stack: Stack, needs: Inputs) -> None:
    """Fill the network template."""
    settings = stack.settings.network
    # No VpcEncryptionControl: enforcing it leaves no place for a DMS replication instance, and a later change of the
    # property would replace the VPC. Every path here is TLS instead, which house rules and tests hold.
    # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-encryption-controls.html
    vpc = stack.add(
        ec2.VPC("Vpc", CidrBlock=settings.vpc_cidr, EnableDnsSupport=True, EnableDnsHostnames=True), name="vpc"
    )
    stack.give(Outputs.vpc_id, Ref(vpc))
    public = _subnets(stack, vpc, "public", settings.public_subnet_cidrs)
    private = _subnets(stack, vpc, "private", settings.private_subnet_cidrs)
    for zone, subnet in zip(_ZONES, private, strict=True):
        stack.give(Outputs.fields()[f"availability_zone_{zone}"], GetAtt(subnet, "AvailabilityZone"))
    attachment = _internet_gateway(stack, vpc)
    public_table = _public_routes(stack, vpc, public, attachment)
    private_tables = _private_routes(stack, vpc, private, _nat_gateways(stack, public, attachment))
    _flow_logs(stack, vpc, needs)
    endpoints = network_endpoints.add(stack, Ref(vpc), [Ref(s) for s in private], [Ref(t) for t in private_tables])
    for name, value in endpoints.items():
        stack.give(Outputs.fields()[name], value)
    if settings.vpn is not None:
        # The load balancer sends the data centre's share of requests from the public subnets: they need the way too.
        tables = [Ref(table) for table in (public_table, *private_tables)]
        connection = network_vpn.add(stack, settings.vpn, Ref(vpc), tables, needs.logs_key_arn.ref)
        stack.give(Outputs.vpn_connection_id, connection)
    place = stack.settings.data_center
    if place.database_is_named:
        stack.give(Outputs.database_zone_id, network_names.add(stack, place, Ref(vpc)))


def _subnets(stack: Stack, vpc: ec2.VPC, access: str, cidrs: Sequence[str]) -> list[ec2.Subnet]:
    """A subnet per zone. Zones are named by id: `Fn::GetAZs` orders names, which differ from account to account."""
    subnets = []
    for zone, zone_id, cidr in zip(_ZONES, stack.settings.network.availability_zone_ids, cidrs, strict=True):
        subnet = stack.add(
            ec2.Subnet(
                f"{access.capitalize()}Subnet{zone}",
                VpcId=Ref(vpc),
                CidrBlock=cidr,
                AvailabilityZoneId=zone_id,
                # Load balancers and NAT gateways bring their own public addresses.
                MapPublicIpOnLaunch=False,
            ),
            name=f"{access}-{zone}",
        )
        stack.give(Outputs.fields()[f"{access}_subnet_{zone}_id"], Ref(subnet))
        subnets.append(subnet)
    return subnets


def _internet_gateway(stack: Stack, vpc: ec2.VPC) -> str:
    """The logical id of its attachment: what uses the gateway must wait for it, and no reference says so."""
    gateway = stack.add(ec2.InternetGateway("InternetGateway"), name="internet-gateway")
    stack.give(Outputs.internet_gateway_id, Ref(gateway))
    attachment = stack.add(
        ec2.VPCGatewayAttachment("InternetGatewayAttachment", VpcId=Ref(vpc), InternetGatewayId=Ref(gateway))
    )
    return str(attachment.title)


def _nat_gateways(stack: Stack, public: Sequence[ec2.Subnet], attachment: str) -> list[ec2.NatGateway]:
    """The NAT gateway that each zone's private subnet uses: its own, or the first zone's."""
    gateways = []
    for zone, subnet in zip(_ZONES[: stack.settings.network.nat_gateways], public, strict=False):
        address = stack.add(
            ec2.EIP(f"NatGatewayAddress{zone}", Domain="vpc", DependsOn=attachment), name=f"nat-address-{zone}"
        )
        gateway = stack.add(
            ec2.NatGateway(
                f"NatGateway{zone}",
                SubnetId=Ref(subnet),
                AllocationId=GetAtt(address, "AllocationId"),
                DependsOn=attachment,
            ),
            name=f"nat-{zone}",
        )
        stack.give(Outputs.fields()[f"nat_gateway_{zone}_id"], Ref(gateway))
        gateways.append(gateway)
    return gateways if len(gateways) > 1 else gateways * len(_ZONES)


def _public_routes(stack: Stack, vpc: ec2.VPC, subnets: Sequence[ec2.Subnet], attachment: str) -> ec2.RouteTable:
    table = stack.add(ec2.RouteTable("PublicRouteTable", VpcId=Ref(vpc)), name="public-routes")
    stack.add(
        ec2.Route(
            "PublicDefaultRoute",
            RouteTableId=Ref(table),
            DestinationCidrBlock=_ANYWHERE,
            GatewayId=Ref("InternetGateway"),
            DependsOn=attachment,
        )
    )
    for subnet in subnets:
        _associate(stack, subnet, table)
    stack.give(Outputs.public_route_table_id, Ref(table))
    return table


def _private_routes(
    stack: Stack, vpc: ec2.VPC, subnets: Sequence[ec2.Subnet], gateways: Sequence[ec2.NatGateway]
) -> list[ec2.RouteTable]:
    tables = []
    for zone, subnet, gateway in zip(_ZONES, subnets, gateways, strict=True):
        table = stack.add(ec2.RouteTable(f"PrivateRouteTable{zone}", VpcId=Ref(vpc)), name=f"private-routes-{zone}")
        stack.add(
            ec2.Route(
                f"PrivateDefaultRoute{zone}",
                RouteTableId=Ref(table),
                DestinationCidrBlock=_ANYWHERE,
                NatGatewayId=Ref(gateway),
            )
        )
        _associate(stack, subnet, table)
        stack.give(Outputs.fields()[f"private_route_table_{zone}_id"], Ref(table))
        tables.append(table)
    return tables


def _associate(stack: Stack, subnet: ec2.Subnet, table: ec2.RouteTable) -> None:
    stack.add(
        ec2.SubnetRouteTableAssociation(
            f"{subnet.title}RouteTableAssociation", SubnetId=Ref(subnet), RouteTableId=Ref(table)
        )
    )


def _flow_logs(stack: Stack, vpc: ec2.VPC, needs: Inputs) -> None:
    group = add_log_group(stack, "FlowLogGroup", stack.name(names.LOG_GROUP, "flow-logs"), needs.logs_key_arn.ref)
    stack.add(
        ec2.FlowLog(
            "FlowLog",
            ResourceType="VPC",
            ResourceId=Ref(vpc),
            TrafficType="ALL",
            LogDestinationType="cloud-watch-logs",
            LogGroupName=Ref(group),
            DeliverLogsPermissionArn=needs.flow_logs_role_arn.ref,
            LogFormat=" ".join(f"${{{field}}}" for field in _FLOW_LOG_FIELDS),
            MaxAggregationInterval=60,
        ),
        name="flow-log",
    )
    stack.give(Outputs.flow_log_group_name, Ref(group))


TIER = Tier(Inputs, Outputs, build, "Network: VPC, subnets in three zones, gateways, endpoints, flow logs")
