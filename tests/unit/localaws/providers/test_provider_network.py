"""EC2 as AWS does it: default rules, prefix lists, routes, tunnels, endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.localaws.providers.cases import CASES
from tests.unit.localaws.providers.conftest import Made, World, allow

S3_LIST = "pl-63a5400a"


def rules_of(ec2: Any, group: str, *, egress: bool) -> list[dict[str, Any]]:
    told = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    return [rule for rule in told if rule["IsEgress"] == egress]


class TestVpc:
    def test_knows_what_it_is_born_with(self, world: World, ec2: Any) -> None:
        vpc = world.make("EC2::VPC", CidrBlock="10.0.0.0/16", EnableDnsSupport=True, EnableDnsHostnames=True)
        group = ec2.describe_security_groups(GroupIds=[vpc.attributes["DefaultSecurityGroup"]])["SecurityGroups"][0]
        acl = ec2.describe_network_acls(NetworkAclIds=[vpc.attributes["DefaultNetworkAcl"]])["NetworkAcls"][0]
        assert (group["GroupName"], group["VpcId"]) == ("default", vpc.id)
        assert (acl["IsDefault"], acl["VpcId"]) == (True, vpc.id)
        assert vpc.attributes["CidrBlockAssociations"][0].startswith("vpc-cidr-assoc-")
        assert ec2.describe_vpc_attribute(VpcId=vpc.id, Attribute="enableDnsHostnames")["EnableDnsHostnames"]["Value"]

    def test_tells_only_what_the_template_says(self, world: World) -> None:
        vpc = world.make("EC2::VPC", CidrBlock="10.0.0.0/16", EnableDnsSupport=False)
        assert vpc.read() == vpc.properties

    def test_a_zone_by_its_id(self, world: World) -> None:
        subnet = world.make("EC2::Subnet", VpcId=world.vpc(), CidrBlock="10.0.1.0/24", AvailabilityZoneId="use1-az4")
        assert subnet.attributes["AvailabilityZoneId"] == "use1-az4"
        assert subnet.attributes["AvailabilityZone"].startswith("us-east-1")

    def test_an_address_goes_by_its_address_and_its_allocation(self, world: World, ec2: Any) -> None:
        address = world.make("EC2::EIP", Domain="vpc")
        told = ec2.describe_addresses(PublicIps=[address.id])["Addresses"][0]
        assert address.attributes == {"PublicIp": address.id, "AllocationId": told["AllocationId"]}
        assert {tag["Key"] for tag in told["Tags"]} == {"CostCenter", "aws:cloudformation:stack-name"}


class TestSecurityGroup:
    def make(self, world: World, **rules: Any) -> Made:
        return world.make(
            "EC2::SecurityGroup", GroupName="group", GroupDescription="A group", VpcId=world.vpc(), **rules
        )

    def test_is_born_open_to_the_outside(self, world: World, ec2: Any) -> None:
        group = self.make(world)
        assert [rule["CidrIpv4"] for rule in rules_of(ec2, group.id, egress=True)] == ["0.0.0.0/0"]
        assert group.attributes["GroupId"] == group.id

    def test_is_closed_by_the_first_rule_of_a_template(self, world: World, ec2: Any) -> None:
        nowhere = {"CidrIp": "127.0.0.1/32", "IpProtocol": "-1", "Description": "Only answers"}
        group = self.make(world, SecurityGroupEgress=[nowhere])
        rules = rules_of(ec2, group.id, egress=True)
        assert [(rule["CidrIpv4"], rule["Description"]) for rule in rules] == [("127.0.0.1/32", "Only answers")]
        group.update(SecurityGroupEgress=None)
        assert [rule["CidrIpv4"] for rule in rules_of(ec2, group.id, egress=True)] == ["0.0.0.0/0"]

    def test_tells_a_rule_that_somebody_added_from_one_of_the_stack(self, world: World, ec2: Any) -> None:
        inline = {"CidrIp": "10.0.1.0/24", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
        group = self.make(world, SecurityGroupIngress=[inline])
        world.make(
            "EC2::SecurityGroupIngress",
            GroupId=group.id,
            IpProtocol="tcp",
            FromPort=22,
            ToPort=22,
            CidrIp="10.0.2.0/24",
        )
        assert group.read() == group.properties
        ec2.authorize_security_group_ingress(
            GroupId=group.id,
            IpPermissions=[
                {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
            ],
        )
        told = group.read()
        assert told is not None
        added = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": "0.0.0.0/0"}
        assert told["SecurityGroupIngress"] == [inline, added]

    def test_rules_outside_a_stack_carry_no_tags(self, world: World, ec2: Any) -> None:
        group = self.make(world)
        rule = world.make("EC2::SecurityGroupEgress", tags={}, GroupId=group.id, IpProtocol="-1", CidrIp="10.0.0.0/8")
        told = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule.id])["SecurityGroupRules"][0]
        assert told.get("Tags", []) == []
        assert told["FromPort"] == -1

    def test_takes_the_prefix_list_of_s3(self, world: World, ec2: Any) -> None:
        group = self.make(world)
        rule = world.make(
            "EC2::SecurityGroupEgress",
            GroupId=group.id,
            IpProtocol="tcp",
            FromPort=443,
            ToPort=443,
            DestinationPrefixListId=S3_LIST,
            Description="images",
        )
        told = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule.id])["SecurityGroupRules"][0]
        assert (told["PrefixListId"], told["Description"]) == (S3_LIST, "images")
        lists = ec2.describe_managed_prefix_lists(PrefixListIds=[S3_LIST])["PrefixLists"]
        assert lists[0]["PrefixListName"] == "com.amazonaws.us-east-1.s3"


class TestRoutes:
    def test_a_route_leads_elsewhere(self, world: World, ec2: Any) -> None:
        vpc = world.vpc()
        gateway = world.make("EC2::InternetGateway").id
        attachment = world.make("EC2::VPCGatewayAttachment", VpcId=vpc, InternetGatewayId=gateway)
        assert attachment.id == f"IGW|{vpc}"
        assert attachment.attributes == {"AttachmentType": "IGW"}
        table = world.make("EC2::RouteTable", VpcId=vpc).id
        route = world.make("EC2::Route", RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        assert route.id == f"{table}|0.0.0.0/0"
        assert route.attributes == {"CidrBlock": "0.0.0.0/0"}
        subnet = world.subnets(vpc)[0]
        nat = world.make(
            "EC2::NatGateway", SubnetId=subnet, AllocationId=world.make("EC2::EIP").attributes["AllocationId"]
        )
        route.update(GatewayId=None, NatGatewayId=nat.id)
        routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
        leads = next(each for each in routes if each.get("DestinationCidrBlock") == "0.0.0.0/0")
        assert leads["NatGatewayId"] == nat.id
        assert "GatewayId" not in leads

    def test_a_route_of_a_table_that_is_gone_is_gone(self, world: World) -> None:
        vpc = world.vpc()
        gateway = world.make("EC2::InternetGateway").id
        table = world.make("EC2::RouteTable", VpcId=vpc)
        route = world.make("EC2::Route", RouteTableId=table.id, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        table.delete()
        assert route.read() is None
        route.delete()

    def test_a_vpn_gateway_is_attached_and_told_from_one_that_was(self, world: World, ec2: Any) -> None:
        vpc = world.vpc()
        gateways = [world.make("EC2::VPNGateway", Type="ipsec.1").id for _ in range(2)]
        attachment = world.make("EC2::VPCGatewayAttachment", VpcId=vpc, VpnGatewayId=gateways[0])
        assert attachment.id == f"VGW|{vpc}"
        attachment.update(VpnGatewayId=gateways[1])
        told = {
            each["VpnGatewayId"]: [link["State"] for link in each.get("VpcAttachments", ())]
            for each in ec2.describe_vpn_gateways(VpnGatewayIds=gateways)["VpnGateways"]
        }
        assert told[gateways[1]] == ["attached"]
        assert "attached" not in told[gateways[0]]
        assert attachment.read() == attachment.properties

    def test_routes_of_a_vpn_gateway(self, world: World, ec2: Any) -> None:
        vpc = world.vpc()
        gateway = world.make("EC2::VPNGateway", Type="ipsec.1").id
        world.make("EC2::VPCGatewayAttachment", VpcId=vpc, VpnGatewayId=gateway)
        tables = [world.make("EC2::RouteTable", VpcId=vpc).id for _ in range(3)]

        def open_tables() -> list[str]:
            told = ec2.describe_route_tables(RouteTableIds=tables)["RouteTables"]
            return sorted(table["RouteTableId"] for table in told if table.get("PropagatingVgws"))

        propagation = world.make("EC2::VPNGatewayRoutePropagation", VpnGatewayId=gateway, RouteTableIds=tables[:2])
        assert open_tables() == sorted(tables[:2])
        propagation.update(RouteTableIds=tables[1:])
        assert open_tables() == sorted(tables[1:])
        ec2.disable_vgw_route_propagation(GatewayId=gateway, RouteTableId=tables[1])
        told = propagation.read()
        assert told is not None
        assert told["RouteTableIds"] == tables[2:]

    def test_tables_that_are_gone_propagate_nothing(self, world: World) -> None:
        vpc = world.vpc()
        gateway = world.make("EC2::VPNGateway", Type="ipsec.1").id
        table = world.make("EC2::RouteTable", VpcId=vpc)
        propagation = world.make("EC2::VPNGatewayRoutePropagation", VpnGatewayId=gateway, RouteTableIds=[table.id])
        table.delete()
        assert propagation.read() is None

    def test_an_association_among_others(self, world: World) -> None:
        vpc = world.vpc()
        table = world.make("EC2::RouteTable", VpcId=vpc).id
        links = [
            world.make("EC2::SubnetRouteTableAssociation", RouteTableId=table, SubnetId=subnet)
            for subnet in world.subnets(vpc)
        ]
        assert [link.read() for link in links] == [link.properties for link in links]
        assert links[0].attributes == {"Id": links[0].id}


class TestEndpoints:
    def test_a_gateway_endpoint_stands_in_its_route_tables(self, world: World, ec2: Any) -> None:
        vpc = world.vpc()
        tables = [world.make("EC2::RouteTable", VpcId=vpc).id for _ in range(3)]
        endpoint = world.make(
            "EC2::VPCEndpoint",
            VpcId=vpc,
            VpcEndpointType="Gateway",
            ServiceName="com.amazonaws.us-east-1.s3",
            RouteTableIds=tables[:2],
            PolicyDocument=allow("s3:GetObject", Principal="*"),
        )

        def leading() -> list[str]:
            told = ec2.describe_route_tables(RouteTableIds=tables)["RouteTables"]
            return sorted(
                table["RouteTableId"]
                for table in told
                if any(route.get("DestinationPrefixListId") == S3_LIST for route in table["Routes"])
            )

        assert leading() == sorted(tables[:2])
        endpoint.update(RouteTableIds=tables[1:], PolicyDocument=None)
        assert leading() == sorted(tables[1:])
        told = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint.id])["VpcEndpoints"][0]
        assert '"Action": "*"' in told["PolicyDocument"].replace('":"', '": "')

    def test_an_interface_endpoint_says_how_it_is_reached(self, world: World) -> None:
        vpc = world.vpc()
        endpoint = world.make(
            "EC2::VPCEndpoint",
            VpcId=vpc,
            VpcEndpointType="Interface",
            ServiceName="com.amazonaws.us-east-1.logs",
            SubnetIds=world.subnets(vpc),
            SecurityGroupIds=[world.group(vpc)],
        )
        assert len(endpoint.attributes["NetworkInterfaceIds"]) == 2
        zone, _, name = endpoint.attributes["DnsEntries"][0].partition(":")
        assert zone
        assert name.startswith("vpce-")


def test_tunnels_are_changed_one_by_one(world: World, ec2: Any) -> None:
    tunnel = {"DPDTimeoutAction": "restart", "StartupAction": "start"}
    connection = world.make(
        "EC2::VPNConnection",
        CustomerGatewayId=world.make("EC2::CustomerGateway", BgpAsn=65020, IpAddress="203.0.113.9", Type="ipsec.1").id,
        VpnGatewayId=world.make("EC2::VPNGateway", Type="ipsec.1").id,
        Type="ipsec.1",
        StaticRoutesOnly=False,
        VpnTunnelOptionsSpecifications=[tunnel, tunnel],
    )
    connection.update(VpnTunnelOptionsSpecifications=[tunnel, {**tunnel, "DPDTimeoutAction": "clear"}])
    told = ec2.describe_vpn_connections(VpnConnectionIds=[connection.id])["VpnConnections"][0]["Options"]
    assert told["StaticRoutesOnly"] is False
    assert [each["DpdTimeoutAction"] for each in told["TunnelOptions"]] == ["restart", "clear"]


@pytest.mark.parametrize("kind", ["EC2::VPNGateway", "EC2::NatGateway", "EC2::VPCEndpoint"])
def test_what_is_still_told_of_as_deleted_is_gone(world: World, kind: str) -> None:
    made = world.make(kind, **CASES[f"AWS::{kind}"](world).properties)
    made.delete()
    assert made.read() is None
