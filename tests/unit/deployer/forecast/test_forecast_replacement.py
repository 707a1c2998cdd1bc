from __future__ import annotations

import sys

import pytest

from deployer.forecast.attributes import may_move, outlives
from deployer.forecast.replacement import doubt, immutable, known_type, name_kept, recreation
from deployer.forecast.values import ABSENT

CLUSTER, BALANCER, SUBNET = "AWS::RDS::DBCluster", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::EC2::Subnet"


@pytest.fixture(autouse=True)
def _forget():
    known_type.cache_clear()
    yield
    known_type.cache_clear()


@pytest.mark.parametrize(
    ("kind", "path", "expected"),
    [
        (CLUSTER, "DatabaseName", "Always"),
        (CLUSTER, "EngineVersion", "Never"),
        (CLUSTER, "MasterUsername", "Conditionally"),
        (CLUSTER, "MasterUserSecret/KmsKeyId", "Never"),
        ("AWS::ECS::TaskDefinition", "ContainerDefinitions/0/Image", "Always"),
        ("AWS::CloudFormation::Stack", "TemplateURL", "Never"),
        ("AWS::IAM::Policy", "PolicyName", "Never"),
        ("AWS::KMS::Key", "KeySpec", "Never"),
        ("AWS::EC2::Volume", "Size", "Conditionally"),  # its schema names nothing
        ("AWS::Athena::WorkGroup", "Name", "Always"),  # not in the table: the schemas that cfn-lint ships know it
        ("AWS::No::Such", "Name", "Conditionally"),
        ("Custom::Thing", "Name", "Conditionally"),
    ],
)
def test_the_registry_tells_what_replaces(kind, path, expected):
    assert recreation(kind, tuple(path.split("/")), 1, 2) == expected


def test_a_pattern_below_what_comes_or_goes_counts_where_it_has_such_a_place():
    kind, path = "AWS::MSK::Cluster", ("BrokerNodeGroupInfo",)
    assert "BrokerNodeGroupInfo/ClientSubnets" in known_type(kind).create_only
    assert recreation(kind, path, ABSENT, {"ClientSubnets": ["a"]}) == "Always"
    assert recreation(kind, path, {"Other": 1}, ABSENT) == "Never"


def test_a_pattern_with_a_wildcard_reaches_into_lists_and_mappings():
    from deployer.forecast.replacement import _touches

    assert _touches(("A/*/B",), ("A",), ABSENT, [{"C": 1}, {"B": 1}])
    assert _touches(("A/*/B",), ("A",), {"x": {"B": 1}}, ABSENT)
    assert not _touches(("A/*/B",), ("A",), [{"C": 1}], "text")
    assert not _touches(("A/B",), ("A",), [{"B": 1}], ABSENT)
    assert _touches(("A/*/B",), ("A", "0"), {"B": 1}, ABSENT)
    assert not _touches(("A/*/B",), ("B",), {"B": 1}, ABSENT)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (CLUSTER, ""),
        ("AWS::KMS::Key", ""),
        ("AWS::No::Such", "no schema of its type is known, so that any change may replace it"),
        ("AWS::EC2::Volume", "the schema of its type names no property that replaces it, which proves nothing"),
        ("Custom::Thing", "its own handler decides whether it is replaced"),
        ("AWS::CloudFormation::CustomResource", "its own handler decides whether it is replaced"),
    ],
)
def test_what_is_not_known_is_no_promise(kind, why):
    assert doubt(kind) == why


def test_without_cfn_lint_the_table_is_all_there_is(monkeypatch):
    monkeypatch.setitem(sys.modules, "cfnlint.schema", None)
    assert known_type("AWS::Athena::WorkGroup") is None
    assert known_type(CLUSTER) is not None


def test_types_of_the_table_load_no_schemas(monkeypatch):
    monkeypatch.setitem(sys.modules, "compiler.registry", None)
    assert recreation(CLUSTER, ("DatabaseName",), 1, 2) == "Always"


def test_what_cannot_be_changed_at_all_is_told():
    assert immutable("AWS::KMS::Key", frozenset(("KeyUsage", "KeySpec", "Description"))) == (
        "KeySpec, KeyUsage of an existing resource cannot be changed: the update will fail "
        "(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html)"
    )
    assert immutable("AWS::KMS::Key", frozenset(("Description",))) == ""
    assert immutable(CLUSTER, frozenset(("KeySpec",))) == ""


@pytest.mark.parametrize(
    ("kind", "before", "after", "told"),
    [
        (CLUSTER, {"DBClusterIdentifier": "a"}, {"DBClusterIdentifier": "a"}, "DBClusterIdentifier: a"),
        (CLUSTER, {"DBClusterIdentifier": "a"}, {"DBClusterIdentifier": "b"}, ""),
        (CLUSTER, {}, {}, ""),
        ("AWS::ElasticLoadBalancingV2::TargetGroup", {"Name": "a"}, {"Name": "a"}, "Name: a"),
        ("AWS::EC2::SecurityGroup", {"GroupName": "a"}, {"GroupName": "a"}, "GroupName: a"),
        ("AWS::ECS::Service", {"ServiceName": "a", "Cluster": "x"}, {"ServiceName": "a", "Cluster": "y"}, ""),
        (
            "AWS::ECS::Service",
            {"ServiceName": "a", "Cluster": "x"},
            {"ServiceName": "a", "Cluster": "x"},
            "ServiceName",
        ),
        ("AWS::Route53::HostedZone", {"Name": "a"}, {"Name": "a"}, ""),
        ("AWS::EC2::Subnet", {"CidrBlock": "a"}, {"CidrBlock": "a"}, ""),
        ("AWS::ECS::TaskDefinition", {"Family": "a"}, {"Family": "a"}, ""),
        ("AWS::No::Such", {"Name": "a"}, {"Name": "a"}, ""),
    ],
)
def test_a_replaced_resource_that_keeps_its_name_will_fail(kind, before, after, told):
    said = name_kept(kind, before, after)
    assert told in said
    assert bool(said) == bool(told)


# --- attributes ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "attribute", "touched", "moves"),
    [
        ("AWS::IAM::Role", "Arn", {"Policies"}, False),
        (CLUSTER, "Ref", {"EngineVersion"}, False),
        (CLUSTER, "Endpoint.Port", {"EngineVersion"}, False),
        (CLUSTER, "Endpoint.Port", {"Port"}, True),
        (CLUSTER, "MasterUserSecret.SecretArn", {"ManageMasterUserPassword"}, True),
        (BALANCER, "CanonicalHostedZoneID", {"Subnets"}, False),
        (BALANCER, "SecurityGroups", {"SecurityGroups"}, True),
        ("AWS::EC2::VPC", "CidrBlock", {"Tags"}, False),
        ("AWS::No::Such", "Thing", {"Other"}, True),
    ],
)
def test_an_attribute_of_a_resource_that_changes_in_place_may_move(kind, attribute, touched, moves):
    assert may_move(kind, attribute, touched) is moves


def test_what_a_property_decides_outlives_a_replacement():
    zone = {"AvailabilityZoneId": "use1-az1"}
    assert outlives(SUBNET, "AvailabilityZone", zone, {"CidrBlock"})
    assert not outlives(SUBNET, "AvailabilityZone", zone, {"AvailabilityZoneId"})
    assert not outlives(SUBNET, "AvailabilityZone", {}, {"CidrBlock"})
    assert not outlives(CLUSTER, "MasterUserSecret.SecretArn", {"ManageMasterUserPassword": True}, set())
    assert not outlives(SUBNET, "NetworkAclAssociationId", zone, set())
