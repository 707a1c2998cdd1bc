"""Resolve: expressions followed through wires to the resources that they stand for."""

from __future__ import annotations

from typing import Any

import pytest

from compiler.bundle import Bundle, Connection
from compiler.resolve import Reference, Target, Tree

VPC_WIRE = Connection("network", "VpcId", "firewall", "VpcId", "VpcId")
AGAIN = Connection("firewall", "VpcId", "service", "VpcId", "VpcId")
PORT = Connection("network", "Port", "firewall", "Port", "PortNumber")


def _tree(**firewall: Any) -> Tree:
    """network → firewall → service, each handing on what it was given."""
    templates = {
        "network": {
            "Resources": {
                "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
                "Subnet": {
                    "Type": "AWS::EC2::Subnet",
                    "DependsOn": ["Vpc", "Gateway"],
                    "Properties": {"VpcId": {"Ref": "Vpc"}, "Tags": [{"Key": "Own", "Value": {"Ref": "Subnet"}}]},
                },
                "Gateway": {"Type": "AWS::EC2::InternetGateway", "DependsOn": "Vpc"},
            },
            "Outputs": {"VpcId": {"Value": {"Ref": "Vpc"}}, "Port": {"Value": 5432}},
        },
        "firewall": {
            "Parameters": {"VpcId": {"Type": "String"}, "Colour": {"Type": "String", "Default": "red"}},
            "Resources": {
                "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"VpcId": {"Ref": "VpcId"}, **firewall}}
            },
            "Outputs": {"VpcId": {"Value": {"Ref": "VpcId"}}},
        },
        "service": {
            "Resources": {
                "Target": {
                    "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
                    "Properties": {"VpcId": {"Ref": "VpcId"}, "Ids": ["literal", {"Ref": "VpcId"}]},
                }
            }
        },
        "root": {
            "Resources": {
                "Network": {
                    "Type": "AWS::CloudFormation::Stack",
                    "Properties": {"TemplateURL": "network.template.json"},
                },
                "Firewall": {
                    "Type": "AWS::CloudFormation::Stack",
                    "Properties": {
                        "TemplateURL": "firewall.template.json",
                        "Parameters": {"VpcId": {"Fn::GetAtt": ["Network", "Outputs.VpcId"]}},
                    },
                },
            }
        },
    }
    return Tree(Bundle("dev", templates, (VPC_WIRE, AGAIN, PORT)))


def test_a_parameter_is_followed_to_the_resource_of_the_stack_that_feeds_it() -> None:
    tree = _tree()
    assert tree.follow("firewall", {"Ref": "VpcId"}) == Target(tree.resources["network.Vpc"], "Ref", (VPC_WIRE,))
    assert tree.target("firewall", {"Ref": "VpcId"}) is tree.resources["network.Vpc"]


def test_wires_in_a_row_are_all_named_the_consumers_own_first() -> None:
    tree = _tree()
    assert tree.follow("service", {"Ref": "VpcId"}) == Target(tree.resources["network.Vpc"], "Ref", (AGAIN, VPC_WIRE))


def test_an_output_of_a_nested_stack_is_followed_from_the_root() -> None:
    tree = _tree()
    assert tree.target("root", {"Fn::GetAtt": ["Network", "Outputs.VpcId"]}) is tree.resources["network.Vpc"]
    assert tree.follow("root", {"Fn::GetAtt": ["Network", "Outputs.Port"]}) == 5432
    stack = tree.follow("root", {"Ref": "Network"})
    assert stack == Target(tree.resources["root.Network"], "Ref")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("10.0.0.0/16", "10.0.0.0/16"),
        (443, 443),
        ({"Ref": "Port"}, 5432),
        ({"Ref": "Colour"}, "red"),
        ({"Ref": "AWS::Region"}, None),
        ({"Fn::Join": ["-", ["a", "b"]]}, None),
        (None, None),
    ],
)
def test_what_stands_for_no_resource_is_a_literal_or_unknown(expression: Any, expected: Any) -> None:
    tree = _tree()
    assert tree.follow("firewall", expression) == expected
    assert tree.target("firewall", expression) is None


def test_attributes_are_kept() -> None:
    tree = _tree()
    found = tree.follow("network", {"Fn::GetAtt": ["Vpc", "CidrBlock"]})
    assert found == Target(tree.resources["network.Vpc"], "CidrBlock")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("plain", "plain"),
        (5432, "5432"),
        (True, "true"),
        (["no", "text"], ""),
        (None, ""),
        ({"Fn::Sub": "arn:${AWS::Partition}:s3:::${Colour}-${Port}"}, "arn:${AWS::Partition}:s3:::red-5432"),
        ({"Fn::Sub": ["${What}-${Colour}", {"What": {"Ref": "Port"}}]}, "5432-red"),
        ({"Fn::Sub": "${!Literal} ${Group.GroupId}"}, "${Literal} ${firewall.Group.GroupId}"),
        ({"Fn::Join": ["/", ["a", {"Ref": "Colour"}, {"Ref": "VpcId"}]]}, "a/red/${network.Vpc.Ref}"),
        ({"Ref": "AWS::Region"}, "${AWS::Region}"),
        ({"Fn::GetAZs": ""}, ""),
    ],
)
def test_text_is_what_a_person_would_read(expression: Any, text: str) -> None:
    assert _tree().text("firewall", expression) == text


def test_references_name_the_place_the_target_and_the_wires() -> None:
    tree = _tree()
    target = tree.resources["service.Target"]
    vpc = Target(tree.resources["network.Vpc"], "Ref", (AGAIN, VPC_WIRE))
    assert tree.references(target) == (
        Reference(target, ("VpcId",), vpc),
        Reference(target, ("Ids", "1"), vpc),
    )


def test_references_hold_what_a_resource_waits_for_but_not_itself() -> None:
    tree = _tree()
    subnet = tree.resources["network.Subnet"]
    assert [(r.path, r.target.resource.address, r.target.attribute) for r in tree.references(subnet)] == [
        (("VpcId",), "network.Vpc", "Ref"),
        (("DependsOn",), "network.Vpc", "DependsOn"),
        (("DependsOn",), "network.Gateway", "DependsOn"),
    ]
    gateway = tree.resources["network.Gateway"]
    assert [r.target.resource.address for r in tree.references(gateway)] == ["network.Vpc"]


def test_references_are_found_inside_text() -> None:
    tree = _tree(GroupName={"Fn::Sub": ["${A}-${VpcId}-${!No}-${AWS::Region}", {"A": {"Fn::GetAtt": ["Group", "Id"]}}]})
    group = tree.resources["firewall.Group"]
    assert [(r.path, r.target.resource.address) for r in tree.references(group)] == [
        (("VpcId",), "network.Vpc"),
        (("GroupName",), "network.Vpc"),
    ]
    plain = _tree(GroupName={"Fn::Sub": "${Group.GroupId} of ${VpcId}"})
    assert len(plain.references(plain.resources["firewall.Group"])) == 2


def test_referrers_are_the_same_edges_from_their_other_end() -> None:
    tree = _tree()
    sources = [reference.source.address for reference in tree.referrers(tree.resources["network.Vpc"])]
    assert sources == [
        "network.Subnet",
        "network.Subnet",
        "network.Gateway",
        "firewall.Group",
        "service.Target",
        "service.Target",
        "root.Firewall",
    ]
    assert tree.referrers(tree.resources["root.Firewall"]) == ()


def test_resources_by_type_keep_the_order_of_the_templates() -> None:
    tree = _tree()
    assert [r.address for r in tree.of_type("AWS::EC2::SecurityGroup", "AWS::EC2::VPC")] == [
        "network.Vpc",
        "firewall.Group",
    ]


# --- what no build of ours wrote --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "expression",
    [
        {"Fn::GetAtt": 5},
        {"Fn::GetAtt": ["Group"]},
        {"Ref": []},
        {"Fn::Sub": ["a"]},
        {"Fn::Join": ["", "x"]},
        {"Fn::If": []},
    ],
)
def test_a_malformed_function_comes_to_nothing(expression: dict[str, Any]) -> None:
    tree = _tree(Description=expression)
    assert (tree.follow("firewall", expression), tree.text("firewall", expression)) == (None, "")
    assert [found.path for found in tree.references(tree.resources["firewall.Group"])] == [("VpcId",)]


def test_an_attribute_may_be_written_with_a_dot() -> None:
    tree = _tree()
    found = tree.follow("network", {"Fn::GetAtt": "Vpc.CidrBlock"})
    assert found == Target(tree.resources["network.Vpc"], "CidrBlock")


def test_outputs_that_feed_each_other_come_to_nothing() -> None:
    one = {"Resources": {}, "Outputs": {"Id": {"Value": {"Ref": "Id"}}}}
    wires = (Connection("a", "Id", "b", "Id", "VpcId"), Connection("b", "Id", "a", "Id", "VpcId"))
    tree = Tree(Bundle("dev", {"a": one, "b": one}, wires))
    assert tree.follow("a", {"Ref": "Id"}) is None
    assert tree.text("b", {"Ref": "Id"}) == ""


def test_a_default_that_names_itself_comes_to_nothing() -> None:
    default = {"Fn::Sub": "x-${Env}"}
    template = {"Parameters": {"Env": {"Default": default}}, "Resources": {}}
    tree = Tree(Bundle("dev", {"a": template}, ()))
    assert tree.text("a", {"Ref": "Env"}) == "x-"


def test_what_is_not_there_is_left_out() -> None:
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "elsewhere.template.json"}}
    topic = {"Type": "AWS::SNS::Topic", "DependsOn": ["Nobody", "Nested"]}
    tree = Tree(Bundle("dev", {"root": {"Resources": {"Nested": nested, "Topic": topic}}}, ()))
    assert tree.follow("root", {"Fn::GetAtt": ["Nested", "Outputs.Id"]}) is None
    assert [found.target.resource.logical_id for found in tree.references(tree.resources["root.Topic"])] == ["Nested"]
