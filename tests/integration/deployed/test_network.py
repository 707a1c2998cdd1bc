"""The VPC as it stands: zones, subnets, routes, gateways, endpoints, the data centre's name."""

from __future__ import annotations

import ipaddress

import pytest

ZONES = (1, 2, 3)


@pytest.fixture(scope="module")
def ec2(deployed):
    return deployed.client("ec2")


@pytest.fixture(scope="module")
def subnets(ec2, deployed):
    ids = [deployed[f"Network.{side}Subnet{zone}Id"] for side in ("Public", "Private") for zone in ZONES]
    return {subnet["SubnetId"]: subnet for subnet in ec2.describe_subnets(SubnetIds=ids)["Subnets"]}


@pytest.fixture(scope="module")
def route_tables(ec2, deployed):
    found = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [deployed["VPCId"]]}])["RouteTables"]
    return {table["RouteTableId"]: table for table in found}


@pytest.fixture(scope="module")
def endpoints(ec2, deployed):
    found = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [deployed["VPCId"]]}])["VpcEndpoints"]
    return {endpoint["VpcEndpointId"]: endpoint for endpoint in found}


def route_to(table, destination):
    return next(route for route in table["Routes"] if route.get("DestinationCidrBlock") == destination)


def test_the_vpc_has_the_block_of_the_params(ec2, deployed, settings):
    vpc = ec2.describe_vpcs(VpcIds=[deployed["VPCId"]])["Vpcs"][0]
    assert (vpc["CidrBlock"], vpc["State"], vpc["IsDefault"]) == (settings.network.vpc_cidr, "available", False)


@pytest.mark.parametrize("attribute", ["enableDnsSupport", "enableDnsHostnames"])
def test_names_resolve_in_the_vpc(ec2, deployed, attribute):
    found = ec2.describe_vpc_attribute(VpcId=deployed["VPCId"], Attribute=attribute)
    assert found[attribute[0].upper() + attribute[1:]]["Value"] is True


def test_both_sides_have_a_subnet_in_each_of_three_zones(subnets, deployed):
    for side in ("Public", "Private"):
        zones = {subnets[deployed[f"Network.{side}Subnet{zone}Id"]]["AvailabilityZone"] for zone in ZONES}
        assert zones == {deployed[f"Network.AvailabilityZone{zone}"] for zone in ZONES}
        assert len(zones) == 3


def test_subnets_have_the_blocks_of_the_params(subnets, deployed, settings):
    for side, blocks in (
        ("Public", settings.network.public_subnet_cidrs),
        ("Private", settings.network.private_subnet_cidrs),
    ):
        assert [subnets[deployed[f"Network.{side}Subnet{zone}Id"]]["CidrBlock"] for zone in ZONES] == list(blocks)


def test_subnets_share_no_address(subnets):
    blocks = [ipaddress.ip_network(subnet["CidrBlock"]) for subnet in subnets.values()]
    assert not any(a.overlaps(b) for a in blocks for b in blocks if a is not b)


def test_no_subnet_gives_public_addresses_by_itself(subnets):
    assert {subnet["MapPublicIpOnLaunch"] for subnet in subnets.values()} == {False}


def test_public_subnets_reach_the_internet_gateway(route_tables, deployed):
    table = route_tables[deployed["Network.PublicRouteTableId"]]
    assert route_to(table, "0.0.0.0/0")["GatewayId"] == deployed["Network.InternetGatewayId"]
    associated = {association.get("SubnetId") for association in table["Associations"]}
    assert associated == {deployed[f"Network.PublicSubnet{zone}Id"] for zone in ZONES}


@pytest.mark.parametrize("zone", ZONES)
def test_a_private_subnet_leaves_through_nat(route_tables, deployed, settings, zone):
    table = route_tables[deployed[f"Network.PrivateRouteTable{zone}Id"]]
    gateway = deployed[f"Network.NatGateway{zone if settings.network.nat_gateways == 3 else 1}Id"]
    assert route_to(table, "0.0.0.0/0")["NatGatewayId"] == gateway
    assert [a["SubnetId"] for a in table["Associations"]] == [deployed[f"Network.PrivateSubnet{zone}Id"]]


def test_nat_gateways_stand_in_public_subnets_with_an_address_each(ec2, deployed, settings, subnets):
    wanted = [f"Network.NatGateway{number}Id" for number in range(1, settings.network.nat_gateways + 1)]
    gateways = ec2.describe_nat_gateways(NatGatewayIds=[deployed[name] for name in wanted])["NatGateways"]
    assert len(gateways) == settings.network.nat_gateways
    public = {deployed[f"Network.PublicSubnet{zone}Id"] for zone in ZONES}
    for gateway in gateways:
        assert gateway["State"] == "available"
        assert gateway["SubnetId"] in public
        assert gateway["NatGatewayAddresses"][0]["AllocationId"]


def test_s3_is_reached_through_a_gateway_endpoint_from_every_private_subnet(endpoints, deployed):
    endpoint = endpoints[deployed["Network.S3EndpointId"]]
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert endpoint["ServiceName"].endswith(".s3")
    assert set(endpoint["RouteTableIds"]) >= {deployed[f"Network.PrivateRouteTable{zone}Id"] for zone in ZONES}


@pytest.mark.parametrize(
    ("output", "service"),
    [
        ("EcrApiEndpointId", "ecr.api"),
        ("EcrDockerEndpointId", "ecr.dkr"),
        ("LogsEndpointId", "logs"),
        ("MonitoringEndpointId", "monitoring"),
        ("SecretsManagerEndpointId", "secretsmanager"),
    ],
)
def test_a_service_is_reached_without_the_internet(endpoints, deployed, settings, output, service):
    endpoint = endpoints[deployed[f"Network.{output}"]]
    assert endpoint["ServiceName"] == f"com.amazonaws.{settings.region}.{service}"
    assert (endpoint["VpcEndpointType"], endpoint["PrivateDnsEnabled"]) == ("Interface", True)
    assert set(endpoint["SubnetIds"]) == {deployed[f"Network.PrivateSubnet{zone}Id"] for zone in ZONES}
    assert [group["GroupId"] for group in endpoint["Groups"]] == [deployed["Network.EndpointSecurityGroupId"]]


def test_flow_logs_record_everything_to_an_encrypted_group(ec2, deployed, settings):
    logs = ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [deployed["VPCId"]]}])["FlowLogs"]
    assert [(log["TrafficType"], log["LogGroupName"]) for log in logs] == [
        ("ALL", deployed["Network.FlowLogGroupName"])
    ]
    found = deployed.client("logs").describe_log_groups(logGroupNamePrefix=deployed["Network.FlowLogGroupName"])
    group = found["logGroups"][0]
    assert group["retentionInDays"] == settings.log_retention_days
    assert group["kmsKeyId"] == deployed["Encryption.LogsKeyArn"]


def test_the_data_centre_s_database_has_a_name_in_the_vpc(deployed, settings):
    route53 = deployed.client("route53")
    zone = route53.get_hosted_zone(Id=deployed["Network.DatabaseZoneId"])
    assert zone["HostedZone"]["Config"]["PrivateZone"] is True
    assert [vpc["VPCId"] for vpc in zone["VPCs"]] == [deployed["VPCId"]]
    records = route53.list_resource_record_sets(HostedZoneId=deployed["Network.DatabaseZoneId"])["ResourceRecordSets"]
    name = settings.data_center.database_host + "."
    addresses = [r["ResourceRecords"] for r in records if (r["Name"], r["Type"]) == (name, "A")]
    assert addresses == [[{"Value": settings.data_center.database_address}]]
