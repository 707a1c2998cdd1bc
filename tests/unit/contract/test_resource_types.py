"""What the registry says of a type, read from the table."""

from __future__ import annotations

import pytest

from compiler.registry import distil
from contract.resource_types import find, matches, resource_type


def test_a_cluster_s_name_cannot_change_in_place():
    cluster = find("AWS::RDS::DBCluster")
    assert {"DBClusterIdentifier", "DatabaseName", "KmsKeyId"} <= set(cluster.create_only)
    assert "Engine" in cluster.conditional_create_only
    assert "EngineVersion" in cluster.properties - {*cluster.create_only, *cluster.conditional_create_only}
    assert "Endpoint/Address" in cluster.read_only
    assert "MasterUserPassword" in cluster.write_only
    assert (cluster.name, cluster.primary_identifier, cluster.tag_property) == (
        "AWS::RDS::DBCluster",
        ("DBClusterIdentifier",),
        "Tags",
    )


def test_a_type_without_lists_has_none():
    key = find("AWS::KMS::Key")
    assert (key.create_only, key.conditional_create_only) == ((), ())


def test_a_type_that_takes_no_tags_names_no_property():
    assert find("AWS::EC2::Route").tag_property is None


def test_what_the_table_does_not_hold_is_not_known():
    assert find("AWS::EC2::Volume") is None
    assert "AvailabilityZone" in resource_type("AWS::EC2::Volume", distil("AWS::EC2::Volume")).properties


@pytest.mark.parametrize(
    ("pattern", "path", "same"),
    [
        ("KmsKeyId", "KmsKeyId", True),
        ("Endpoint", "Endpoint/Address", True),
        ("Endpoint/Address", "Endpoint", False),
        ("Actions/*/Order", "Actions/0/Order", True),
        ("Actions/*/Order", "Actions/0/Type", False),
        ("Name", "NameServers", False),
    ],
)
def test_a_pattern_names_a_path_and_what_lies_below(pattern, path, same):
    assert matches(pattern, path) is same
