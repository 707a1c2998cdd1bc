"""Security groups: the allowed paths, and no others."""

from __future__ import annotations

import pytest

OWNERS = ("LoadBalancer", "Service", "Database", "Dms", "Validator", "Cutover")


@pytest.fixture(scope="module")
def groups(deployed):
    """Security group id by owner, the endpoints' among them."""
    ids = {owner: deployed[f"Security.{owner}SecurityGroupId"] for owner in OWNERS}
    return ids | {"Endpoints": deployed["Network.EndpointSecurityGroupId"]}


@pytest.fixture(scope="module")
def paths(deployed, groups):
    """Every rule that stands: (direction, owner, other end, port)."""
    owners = {group: owner for owner, group in groups.items()}
    ec2 = deployed.client("ec2")
    found = set()
    for page in ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": list(groups.values())}]
    ):
        for rule in page["SecurityGroupRules"]:
            other = rule.get("CidrIpv4") or rule.get("PrefixListId") or rule.get("CidrIpv6")
            if "ReferencedGroupInfo" in rule:
                other = owners.get(rule["ReferencedGroupInfo"]["GroupId"], "a group of somebody else")
            assert rule["FromPort"] == rule["ToPort"] or rule["IpProtocol"] == "-1", rule
            port = "all" if rule["IpProtocol"] == "-1" else rule["FromPort"]
            found.add(("out" if rule["IsEgress"] else "in", owners[rule["GroupId"]], other, port))
    return found


NOWHERE = ("127.0.0.1/32", "all")  # a group without rules for egress would get one that allows everything


def of(paths, direction, owner):
    return {(other, port) for way, name, other, port in paths if (way, name) == (direction, owner)} - {NOWHERE}


def test_the_load_balancer_hears_the_world_on_two_ports_and_tests_from_inside(paths, settings):
    world = {(block, port) for block in settings.security.ingress_cidrs for port in (80, 443)}
    inside = [settings.network.vpc_cidr, *settings.data_center.cidrs]
    tests = {(block, settings.load_balancer.test_port) for block in inside}
    assert of(paths, "in", "LoadBalancer") == world | tests


def test_the_load_balancer_speaks_to_the_service_and_the_data_centre_only(paths, settings):
    far = {(f"{address}/32", settings.data_center.application_port) for address in settings.data_center.application_ips}
    assert of(paths, "out", "LoadBalancer") == {("Service", settings.service.port)} | far


def test_the_service_hears_the_load_balancer_only(paths, settings):
    assert of(paths, "in", "Service") == {("LoadBalancer", settings.service.port)}


def database_of_the_data_centre(settings):
    return (f"{settings.data_center.database_address}/32", settings.data_center.database_port)


def test_the_service_speaks_to_the_databases_and_aws_only(paths, settings):
    assert of(paths, "out", "Service") == {
        ("Database", settings.database.port),
        database_of_the_data_centre(settings),
        ("Endpoints", 443),
        (settings.network.s3_prefix_list_id, 443),
    }


def test_the_database_hears_four_clients_and_speaks_to_nobody(paths, settings):
    port = settings.database.port
    assert of(paths, "in", "Database") == {(client, port) for client in ("Service", "Dms", "Validator", "Cutover")}
    assert of(paths, "out", "Database") == set()


def test_dms_reaches_both_databases_and_aws_and_is_reached_by_nobody(paths, settings):
    assert of(paths, "in", "Dms") == set()
    assert of(paths, "out", "Dms") == {
        ("Database", settings.database.port),
        database_of_the_data_centre(settings),
        ("Endpoints", 443),
    }


@pytest.mark.parametrize("owner", ["Validator", "Cutover"])
def test_functions_reach_both_databases_and_aws_and_are_reached_by_nobody(paths, settings, owner):
    assert of(paths, "in", owner) == set()
    assert of(paths, "out", owner) == {
        ("Database", settings.database.port),
        database_of_the_data_centre(settings),
        ("Endpoints", 443),
        (settings.network.s3_prefix_list_id, 443),
    }


def test_nothing_but_the_load_balancer_hears_the_internet(paths):
    assert {owner for way, owner, other, _ in paths if (way, other) == ("in", "0.0.0.0/0")} == {"LoadBalancer"}


def test_no_rule_opens_all_ports(paths):
    assert not {path for path in paths if path[3] == "all" and path[2:] != NOWHERE}


def test_every_group_stands_in_the_vpc(deployed, groups):
    found = deployed.client("ec2").describe_security_groups(GroupIds=list(groups.values()))["SecurityGroups"]
    assert {group["VpcId"] for group in found} == {deployed["VPCId"]}
