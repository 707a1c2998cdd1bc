"""Paths: rules of both ends, rules for address blocks, routes, and what EC2 adds by itself."""

from __future__ import annotations

import copy

import pytest

from compiler.bundle import Bundle
from compiler.diagram.network import block, is_nowhere, is_private, read_network, within
from compiler.diagram.paths import find_paths, read_rules, rules_inside
from compiler.diagram.workloads import read_rows
from compiler.resolve import Tree


def paths_of(bundle):
    tree = Tree(bundle)
    network = read_network(tree)
    rows = read_rows(tree, network)
    found = find_paths(read_rules(tree), network, {row.key: row.subnets for row in rows})
    return {(path.source, path.target, path.ports): path for path in found}


def with_rule(small, name, kind, **properties):
    def change(tiers):
        group = {"Fn::GetAtt": [properties.pop("group"), "GroupId"]}
        tiers["security"][name] = {
            "Type": f"AWS::EC2::SecurityGroup{kind}",
            "Properties": {"GroupId": group, **properties},
        }

    return paths_of(small(change, vpn=True))


def test_the_miniature_has_these_paths_and_no_other(small):
    assert {key: path.state for key, path in paths_of(small(vpn=True)).items()} == {
        ("internet", "security.LoadBalancer", "443"): "open",
        ("security.LoadBalancer", "security.Service", "8443"): "open",
        ("security.LoadBalancer", "outside", "8443"): "open",
        ("security.Service", "security.Database", "5432"): "open",
        ("security.Service", "security.Endpoints", "443"): "open",
        ("security.Service", "gate", "443"): "open",
        ("security.Dms", "security.Database", "5432"): "open",
        ("security.Dms", "security.Endpoints", "443"): "open",
        ("security.Dms", "outside", "5432"): "open",
        ("security.Validator", "security.Database", "5432"): "open",
    }


def test_a_group_without_inline_egress_lets_everything_out(small):
    def forget(tiers):
        del tiers["security"]["Validator"]["Properties"]["SecurityGroupEgress"]

    found = paths_of(small(forget))
    assert found["security.Validator", "internet", "everything"].state == "open"
    assert found["security.Validator", "internet", "everything"].reasons == (
        "EC2's default: no inline egress rule (0.0.0.0/0)",
    )
    # The endpoints admit the private subnets, and now nothing holds the validator back.
    assert found["security.Validator", "security.Endpoints", "443"].state == "open"


def test_inline_rules_count_like_standalone_ones(small):
    def inline(tiers):
        rules = tiers["security"]
        rule = rules.pop("DatabaseIngressDms5432")["Properties"]
        del rule["GroupId"]
        rules["Database"]["Properties"]["SecurityGroupIngress"] = [rule]

    assert paths_of(small(inline, vpn=True)).keys() == paths_of(small(vpn=True)).keys()


def test_a_block_admits_only_groups_that_stand_in_it_altogether(small):
    def narrow(tiers):
        tiers["security"]["Endpoints"]["Properties"]["SecurityGroupIngress"].pop()

    found = paths_of(small(narrow))
    assert found["security.Service", "security.Endpoints", "443"].state == "egress only"


def test_only_the_ports_that_differ_are_one_sided(small):
    found = with_rule(
        small,
        "Wide",
        "Egress",
        group="Dms",
        DestinationSecurityGroupId={"Fn::GetAtt": ["Database", "GroupId"]},
        IpProtocol="tcp",
        FromPort=5432,
        ToPort=5434,
        Description="too wide",
    )
    assert found["security.Dms", "security.Database", "5432"].state == "open"
    one_sided = found["security.Dms", "security.Database", "5433-5434"]
    assert (one_sided.state, one_sided.reasons) == ("egress only", ("too wide",))


@pytest.mark.parametrize(
    ("cidr", "end", "state"),
    [
        ("203.0.113.0/24", "internet", "open"),
        ("::/0", "internet", "open"),
        ("192.168.7.0/24", "outside", "open"),
        ("fd00::/8", "outside", "open"),
    ],
)
def test_blocks_beyond_the_vpc(small, cidr, end, state):
    key = "CidrIpv6" if ":" in cidr else "CidrIp"
    found = with_rule(
        small, "Beyond", "Egress", group="Validator", IpProtocol="tcp", FromPort=9, ToPort=9, **{key: cidr}
    )
    assert found["security.Validator", end, "9"].state == state
    assert found["security.Validator", end, "9"].reasons == (f"({cidr})",)


def test_the_internet_reaches_no_private_subnet(small):
    found = with_rule(
        small, "In", "Ingress", group="Service", IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    assert found["internet", "security.Service", "22"].state == "no route"


def test_blocks_of_the_vpc_are_remarks_not_paths(small):
    def change(tiers):
        tiers["security"]["Out"] = copy.deepcopy(tiers["security"]["DmsEgress19216800165432"])
        tiers["security"]["Out"]["Properties"]["CidrIp"] = "10.0.0.0/16"

    tree = Tree(small(change))
    assert rules_inside(read_rules(tree), read_network(tree)) == {
        "security.Endpoints": ("admits 10.0.11.0/24, 10.0.12.0/24, 10.0.13.0/24 on 443",),
        "security.Dms": ("may send to 10.0.0.0/16 on 5432",),
    }
    assert ("security.Dms", "outside", "5432") in paths_of(small(change))


def test_a_prefix_list_needs_a_gateway_endpoint_or_the_internet(small):
    key = ("security.Service", "gate", "443")

    def no_nat(tiers):
        for zone in (1, 2, 3):
            del tiers["network"][f"PrivateDefaultRoute{zone}"]

    def no_way(tiers):
        no_nat(tiers)
        tiers["network"]["S3Endpoint"]["Properties"]["RouteTableIds"] = []

    def no_endpoint(tiers):
        del tiers["network"]["S3Endpoint"]

    assert paths_of(small(no_nat))[key].state == "open"
    assert paths_of(small(no_way))[key].state == "no route"
    found = paths_of(small(no_endpoint))["security.Service", "outside", "443"]
    assert (found.state, found.peer) == ("open", "pl-1234")


def test_a_peer_that_is_no_resource_of_ours_is_known_by_its_text(small):
    found = with_rule(small, "Partner", "Egress", group="Dms", IpProtocol="-1", DestinationSecurityGroupId="sg-42")
    assert found["security.Dms", "outside", "everything"].peer == "sg-42"
    assert found["security.Dms", "outside", "everything"].state == "open"


def test_a_static_route_to_the_data_centre_counts_the_default_route_does_not(small):
    def change(tiers):
        network = tiers["network"]
        for zone in (1, 2, 3):
            network[f"ToDataCenter{zone}"] = {
                "Type": "AWS::EC2::Route",
                "Properties": {
                    "RouteTableId": {"Ref": f"PrivateRouteTable{zone}"},
                    "DestinationCidrBlock": "192.168.0.0/16",
                    "TransitGatewayId": {"Ref": "Transit"},
                },
            }
        network["Transit"] = {"Type": "AWS::EC2::TransitGateway", "Properties": {}}

    found = paths_of(small(change))
    assert found["security.Dms", "outside", "5432"].state == "open"
    assert found["security.LoadBalancer", "outside", "8443"].state == "no route"


def test_a_rule_of_a_group_that_is_not_ours_is_left_out(small):
    def change(tiers):
        tiers["security"]["Foreign"] = {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {"GroupId": "sg-1", "IpProtocol": "-1", "CidrIp": "0.0.0.0/0"},
        }

    assert paths_of(small(change, vpn=True)).keys() == paths_of(small(vpn=True)).keys()


def test_groups_whose_members_stand_nowhere_known_are_taken_as_routed(small):
    def change(tiers):
        del tiers["application"]["Validator"]

    found = paths_of(small(change))
    assert found["security.Validator", "security.Database", "5432"].state == "open"


def test_address_blocks():
    assert block("10.0.0.1/16") == block("10.0.0.0/16")
    assert block("${Vpc.CidrBlock}") is None
    assert within(block("10.1.0.0/16"), block("10.0.0.0/8"))
    assert not within(block("10.0.0.0/8"), block("10.1.0.0/16"))
    assert within(block("fd00::/16"), block("fd00::/8"))
    assert not within(block("10.0.0.0/8"), block("::/0"))
    assert not within(block("::/0"), block("0.0.0.0/0"))
    assert is_private(block("172.20.0.0/16"))
    assert not is_private(block("203.0.113.0/24"))
    assert not is_private(block("0.0.0.0/0"))
    assert is_nowhere(block("127.0.0.1/32"))
    assert is_nowhere(block("255.255.255.255/32"))
    assert not is_nowhere(block("10.0.0.0/8"))


def test_a_subnet_in_a_zone_of_awss_choice_and_one_by_name():
    subnets = {
        "Any": {"Type": "AWS::EC2::Subnet", "Properties": {"CidrBlock": "10.0.1.0/24"}},
        "Named": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"CidrBlock": "10.0.2.0/24", "AvailabilityZone": "eu-west-1a"},
        },
    }
    network = read_network(Tree(Bundle("dev", {"network": {"Resources": subnets}}, ())))
    assert network.zones == ("chosen by AWS", "eu-west-1a")
