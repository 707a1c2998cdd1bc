"""EC2: networks, subnets, gateways, addresses and flow logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.shapes import at
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Look, Removal, Work, custom, same


def ec2_tags(specification: str, of: str = "") -> Tags:
    """EC2's form of tags: given to the creating call by kind of resource, later by id."""
    return Tags(
        create="TagSpecifications",
        specification=specification,
        tag="CreateTags",
        untag="DeleteTags",
        key="Resources[]",
        of=of,
        keys="Tags",
        keys_are_tags=True,
    )


_DEAD = frozenset({"deleted", "deleting"})
_FIND_VPC = Look(operation="DescribeVpcs", key="VpcIds[]", path="Vpcs.0")


def _put_vpc_attributes(work: Work) -> None:
    """One attribute per call, and host names only once there is support.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcAttribute.html
    """
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        if work.changed(name) and name in work.after:
            work.call("ModifyVpcAttribute", {"VpcId": work.physical_id, name: {"Value": work.after[name]}})


def _vpc_attributes(work: Work) -> Mapping[str, Any]:
    told = {}
    for name, attribute in (("EnableDnsSupport", "enableDnsSupport"), ("EnableDnsHostnames", "enableDnsHostnames")):
        if name in work.after:
            answer = work.call("DescribeVpcAttribute", VpcId=work.physical_id, Attribute=attribute)
            told[name] = answer[name]["Value"]
    return told


def _look_at_vpc(work: Work) -> Mapping[str, Any] | None:
    """The VPC, with the ids of what it is born with."""
    found = _FIND_VPC(work)
    if found is None:
        return None
    mine = [{"Name": "vpc-id", "Values": [work.physical_id]}]
    groups = work.call("DescribeSecurityGroups", Filters=[*mine, {"Name": "group-name", "Values": ["default"]}])
    acls = work.call("DescribeNetworkAcls", Filters=[*mine, {"Name": "default", "Values": ["true"]}])
    return {
        **found,
        "DefaultSecurityGroup": at(groups, "SecurityGroups.0.GroupId"),
        "DefaultNetworkAcl": at(acls, "NetworkAcls.0.NetworkAclId"),
        "CidrBlockAssociations": [each["AssociationId"] for each in found["CidrBlockAssociationSet"]],
    }


def _map_public_ip(work: Work) -> None:
    wanted = work.after.get("MapPublicIpOnLaunch", False)
    work.call("ModifySubnetAttribute", SubnetId=work.physical_id, MapPublicIpOnLaunch={"Value": wanted})


VPC = Row(
    type="AWS::EC2::VPC",
    service="ec2",
    create_operation="CreateVpc",
    sends=same("CidrBlock InstanceTenancy"),
    physical="Vpc.VpcId",
    complete=False,
    look=_look_at_vpc,
    attributes={"VpcId": ""}
    | same("CidrBlock CidrBlockAssociations DefaultNetworkAcl DefaultSecurityGroup InstanceTenancy"),
    steps=(custom("EnableDnsSupport EnableDnsHostnames", "ModifyVpcAttribute", _put_vpc_attributes, creates=True),),
    remove=Removal(operation="DeleteVpc", key="VpcId"),
    tags=ec2_tags("vpc"),
    extend=_vpc_attributes,
)

SUBNET = Row(
    type="AWS::EC2::Subnet",
    service="ec2",
    create_operation="CreateSubnet",
    sends=same("VpcId CidrBlock AvailabilityZone AvailabilityZoneId"),
    made="Subnet",
    physical="Subnet.SubnetId",
    look=Look(operation="DescribeSubnets", key="SubnetIds[]", path="Subnets.0"),
    attributes={"SubnetId": ""} | same("AvailabilityZone AvailabilityZoneId CidrBlock VpcId"),
    steps=(custom("MapPublicIpOnLaunch", "ModifySubnetAttribute", _map_public_ip, creates=True),),
    remove=Removal(operation="DeleteSubnet", key="SubnetId"),
    tags=ec2_tags("subnet"),
)

INTERNET_GATEWAY = Row(
    type="AWS::EC2::InternetGateway",
    service="ec2",
    create_operation="CreateInternetGateway",
    sends={},
    made="InternetGateway",
    physical="InternetGateway.InternetGatewayId",
    look=Look(operation="DescribeInternetGateways", key="InternetGatewayIds[]", path="InternetGateways.0"),
    attributes={"InternetGatewayId": ""},
    remove=Removal(operation="DeleteInternetGateway", key="InternetGatewayId"),
    tags=ec2_tags("internet-gateway"),
)

# Ref gives the address, but everything that changes or removes it wants the allocation.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-eip.html
EIP = Row(
    type="AWS::EC2::EIP",
    service="ec2",
    create_operation="AllocateAddress",
    sends=same("Domain"),
    unchangeable=frozenset({"Domain"}),
    physical="PublicIp",
    look=Look(operation="DescribeAddresses", key="PublicIps[]", path="Addresses.0"),
    attributes={"PublicIp": "", "AllocationId": "AllocationId"},
    remove=Removal(operation="ReleaseAddress", key="AllocationId", of="AllocationId"),
    tags=ec2_tags("elastic-ip", of="AllocationId"),
)

NAT_GATEWAY = Row(
    type="AWS::EC2::NatGateway",
    service="ec2",
    create_operation="CreateNatGateway",
    sends=same("AllocationId SubnetId ConnectivityType"),
    made="NatGateway",
    physical="NatGateway.NatGatewayId",
    look=Look(operation="DescribeNatGateways", key="NatGatewayIds[]", path="NatGateways.0", dead=("State", _DEAD)),
    attributes={"NatGatewayId": "", "EniId": "NatGatewayAddresses.0.NetworkInterfaceId"},
    remove=Removal(operation="DeleteNatGateway", key="NatGatewayId"),
    tags=ec2_tags("natgateway"),
    reads={"AllocationId": "NatGatewayAddresses.0.AllocationId"},
)

FLOW_LOG = Row(
    type="AWS::EC2::FlowLog",
    service="ec2",
    create_operation="CreateFlowLogs",
    sends=same(
        "DeliverLogsPermissionArn LogDestination LogDestinationType LogFormat LogGroupName MaxAggregationInterval"
        " ResourceType TrafficType",
        ResourceId="ResourceIds[]",
    ),
    physical="FlowLogIds.0",
    complete=False,
    look=Look(operation="DescribeFlowLogs", key="FlowLogIds[]", path="FlowLogs.0"),
    attributes={"Id": ""},
    remove=Removal(operation="DeleteFlowLogs", key="FlowLogIds[]"),
    tags=ec2_tags("vpc-flow-log"),
    # No answer of the service has the kind of the resource.
    reads={"ResourceType": None},
)

PROVIDERS: Mapping[str, Provider] = {
    row.type: row for row in (VPC, SUBNET, INTERNET_GATEWAY, EIP, NAT_GATEWAY, FLOW_LOG)
}
