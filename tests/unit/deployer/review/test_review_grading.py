"""What AWS reports, against what the producers of its values prove."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from deployer.changes import Outcome
from deployer.review.grading import Grader, rank, strongest
from deployer.review.model import Action, Certainty
from deployer.review.trees import Trees

NOISE, POSSIBLE, CERTAIN = Certainty.NOISE, Certainty.POSSIBLE, Certainty.CERTAIN


def verdict(item):
    return item.action, item.certainty


def test_grades_have_an_order():
    assert strongest() is NOISE
    assert strongest(POSSIBLE, CERTAIN, NOISE) is CERTAIN
    assert [rank(grade) for grade in (NOISE, POSSIBLE, CERTAIN)] == [0, 1, 2]


# --- a sibling's output ----------------------------------------------------------------------------------------------
def test_a_value_whose_producer_stays_is_noise_whatever_aws_says(dev, tools):
    """coverage-roadmap#2113: Replacement True, Static, though the value is known only after the change."""
    dev.change(
        "database.Cluster",
        tools.fed(
            "KmsKeyId", "DataKeyArn", "arn:aws:kms:us-east-1:123456789012:key/1", recreate="Always", evaluation="Static"
        ),
        replacement="True",
        policy="ReplaceAndSnapshot",
    )
    assert verdict(dev.item("database.Cluster")) == (Action.MODIFY, NOISE)


def test_a_value_whose_producer_is_replaced_is_certain(dev, tools):
    dev.replace("encryption.DataKey", KeySpec="RSA_2048")
    dev.change(
        "database.Cluster", tools.fed("KmsKeyId", "DataKeyArn", recreate="Always"),
        replacement="Conditional", policy="ReplaceAndSnapshot",
    )  # fmt: skip
    item = dev.item("database.Cluster")
    assert verdict(item) == (Action.REPLACE, CERTAIN)
    assert item.edits[0].replaces


def test_a_value_whose_producer_may_be_replaced_is_possible(dev, tools):
    dev.change(
        "encryption.DataKey", tools.detail("Origin", "AWS_KMS", "EXTERNAL", recreate="Conditionally"),
        replacement="Conditional", policy="ReplaceAndDelete",
    )  # fmt: skip
    dev.change(
        "database.Cluster", tools.fed("KmsKeyId", "DataKeyArn", recreate="Always"),
        replacement="True", policy="ReplaceAndSnapshot",
    )  # fmt: skip
    assert verdict(dev.item("database.Cluster")) == (Action.REPLACE, POSSIBLE)


@pytest.mark.parametrize(
    ("producer", "edited", "consumer", "path", "entity", "grade"),
    [
        # identity: the same resource has the same ARN, name and id
        ("encryption.DataKey", "Description", "database.Cluster", "KmsKeyId", "DataKeyArn", NOISE),
        ("security.DatabaseSecurityGroup", "Tags", "database.Cluster", "VpcSecurityGroupIds", "DatabaseSecurityGroupId", NOISE),
        ("database.Cluster", "EngineVersion", "database.Writer", "DBClusterIdentifier", "Cluster", NOISE),
        ("load_balancer.BlueTargetGroup", "Matcher", "service.RollbackBlueErrors", "Dimensions", "BlueTargetGroupName", NOISE),
        # an attribute that cannot change without a new resource: its property is create-only
        ("network.PrivateSubnet1", "Tags", "database.Writer", "AvailabilityZone", "AvailabilityZone1", NOISE),
        # an attribute that follows a property that stays
        ("database.Cluster", "EngineVersion", "database.Fake", "X", "Cluster.Endpoint.Port", NOISE),
        ("database.Cluster", "Port", "database.Fake", "X", "Cluster.Endpoint.Port", POSSIBLE),
        ("database.Cluster", "ManageMasterUserPassword", "database.Fake", "X", "Cluster.MasterUserSecret.SecretArn", POSSIBLE),
        # any other attribute of a modified resource
        ("database.Cluster", "StorageType", "database.Fake", "X", "Cluster.StorageThroughput", POSSIBLE),
    ],
)  # fmt: skip
def test_a_producer_modified_in_place_keeps_what_names_it(dev, tools, producer, edited, consumer, path, entity, grade):
    if consumer.endswith("Fake"):
        for side in (dev.before, dev.after):
            side["database"]["Resources"]["Fake"] = {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {"X": {"Fn::GetAtt": entity.split(".", 1)}},
            }
    dev.change(producer, tools.detail(edited, "a", "b"), replacement="False")
    dev.change(consumer, tools.fed(path, entity), replacement="False")
    assert dev.item(consumer).certainty is grade


def test_a_new_producer_gives_a_new_value(dev, tools):
    dev.add("database.Other", "AWS::RDS::DBSubnetGroup", SubnetIds=[])
    dev.set("database.Cluster", DBSubnetGroupName={"Ref": "Other"})
    dev.change(
        "database.Cluster", tools.fed("DBSubnetGroupName", "Other", "payments-dev-database", recreate="Always"),
        replacement="Conditional", policy="ReplaceAndSnapshot",
    )  # fmt: skip
    assert verdict(dev.item("database.Cluster")) == (Action.REPLACE, CERTAIN)


def test_an_imported_producer_gives_a_new_value(dev, tools):
    dev.change("encryption.DataKey", action="Import")
    dev.change("database.Cluster", tools.fed("KmsKeyId", "DataKeyArn"), replacement="False")
    assert verdict(dev.item("database.Cluster")) == (Action.MODIFY, CERTAIN)


def test_a_producer_that_is_itself_noise_proves_nothing_new(dev, tools):
    dev.change("security.DatabaseSecurityGroup", tools.fed("VpcId", "VpcId", recreate="Always"), replacement="True")
    dev.change("database.Cluster", tools.fed("VpcSecurityGroupIds", "DatabaseSecurityGroupId"), replacement="False")
    review = dev.review()
    assert [item.certainty for item in review.items()] == [NOISE, NOISE]
    assert review.counts == {}


def test_the_proof_runs_through_a_chain_of_tiers(dev, tools):
    dev.replace("network.Vpc", CidrBlock="10.1.0.0/16")
    dev.change(
        "security.DatabaseSecurityGroup", tools.fed("VpcId", "VpcId", recreate="Always"),
        replacement="Conditional", policy="ReplaceAndDelete",
    )  # fmt: skip
    dev.change("database.Cluster", tools.fed("VpcSecurityGroupIds", "DatabaseSecurityGroupId"), replacement="False")
    assert verdict(dev.item("security.DatabaseSecurityGroup")) == (Action.REPLACE, CERTAIN)
    assert verdict(dev.item("database.Cluster")) == (Action.MODIFY, CERTAIN)


def test_a_removed_producer_gives_nothing_to_those_who_stay(dev, tools):
    """Only a damaged template refers to what it no longer has; nothing is proven by it."""
    dev.change("database.InstanceParameters", action="Remove", policy="Delete")
    dev.change("database.Writer", tools.fed("DBParameterGroupName", "InstanceParameters"), replacement="False")
    assert dev.item("database.Writer").certainty is NOISE


@pytest.mark.parametrize("outcome", [Outcome.FAILED])
def test_a_producer_whose_tier_cannot_be_read_may_change(dev, tools, outcome):
    dev.outcomes["encryption"] = outcome
    dev.change(
        "database.Cluster", tools.fed("KmsKeyId", "DataKeyArn", recreate="Always"),
        replacement="True", policy="ReplaceAndSnapshot",
    )  # fmt: skip
    assert verdict(dev.item("database.Cluster")) == (Action.REPLACE, POSSIBLE)


def test_a_tier_without_a_change_set_of_its_own_may_change(dev, tools):
    dev.stack("Encryption")
    dev.change("database.Cluster", tools.fed("KmsKeyId", "DataKeyArn"), replacement="False")
    assert dev.item("database.Cluster").certainty is POSSIBLE


def test_a_wire_that_now_comes_from_another_resource_brings_another_value(dev, tools):
    parameters = dev.after["root"]["Resources"]["Database"]["Properties"]["Parameters"]
    parameters["DataKeyArn"] = {"Fn::GetAtt": ["Encryption", "Outputs.LogsKeyArn"]}
    dev.change(
        "database.Cluster", tools.fed("KmsKeyId", "DataKeyArn", recreate="Always"),
        replacement="True", policy="ReplaceAndSnapshot",
    )  # fmt: skip
    assert verdict(dev.item("database.Cluster")) == (Action.REPLACE, CERTAIN)


def test_a_wire_that_now_comes_from_a_neighbour_may_bring_the_same_zone(dev, tools):
    parameters = dev.after["root"]["Resources"]["Database"]["Properties"]["Parameters"]
    parameters["AvailabilityZone1"] = {"Fn::GetAtt": ["Network", "Outputs.AvailabilityZone2"]}
    dev.change("database.Writer", tools.fed("AvailabilityZone", "AvailabilityZone1"), replacement="False")
    assert verdict(dev.item("database.Writer")) == (Action.MODIFY, POSSIBLE)


def test_references_in_a_circle_prove_nothing(dev, tools):
    for side in (dev.before, dev.after):
        side["database"]["Resources"]["A"] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "B"}}}
        side["database"]["Resources"]["B"] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "A"}}}
    dev.change("database.A", tools.fed("TopicName", "B", recreate="Always"), replacement="True")
    dev.change("database.B", tools.fed("TopicName", "A", recreate="Always"), replacement="True")
    assert verdict(dev.item("database.A")) == (Action.REPLACE, POSSIBLE)


# --- the causing entity ----------------------------------------------------------------------------------------------
def test_without_a_causing_entity_every_source_of_the_property_counts(dev, tools):
    dev.replace("encryption.DataKey", KeySpec="RSA_2048")
    dev.change(
        "database.Cluster", tools.detail("KmsKeyId", "a", recreate="Always", evaluation="Dynamic", known=False),
        replacement="Conditional",
    )  # fmt: skip
    assert verdict(dev.item("database.Cluster")) == (Action.REPLACE, CERTAIN)


WEIGHT = "Actions/0/ForwardConfig/TargetGroups/{}/Weight"
GROUP = "Actions/0/ForwardConfig/TargetGroups/{}/TargetGroupArn"


def reweighted(scene, tools, *edits):
    """The migration rule sends a tenth to AWS, and AWS tells these edits of it."""
    actions = json.loads(json.dumps(scene.properties("load_balancer.MigrationRule")["Actions"]))
    for group, weight in zip(actions[0]["ForwardConfig"]["TargetGroups"], (90, 10), strict=True):
        group["Weight"] = weight
    scene.set("load_balancer.MigrationRule", Actions=actions)
    scene.change("load_balancer.MigrationRule", *edits, replacement="False")
    return {edit.property.path: edit.certainty for edit in scene.item("load_balancer.MigrationRule").edits}


def test_a_place_that_the_templates_feed_as_before_is_noise_beside_one_that_aws_tells(dev, tools):
    place, weight = GROUP.format(0), WEIGHT.format(0)
    found = reweighted(
        dev, tools, tools.fed(place, "DcTargetGroup", "arn:aws:x"), tools.detail(weight, "100", "90"),
    )  # fmt: skip
    assert found == {place: NOISE, weight: CERTAIN}


def test_what_aws_passes_over_is_not_lost_with_a_place_that_stays(dev, tools):
    """No edit tells of the weights: the only one of their property stands for them."""
    assert reweighted(dev, tools, tools.fed(GROUP.format(0), "DcTargetGroup", "arn:aws:x")) == {
        GROUP.format(0): POSSIBLE
    }


def test_a_place_that_another_resource_feeds_is_no_noise(dev, tools):
    groups = dev.after["load_balancer"]["Resources"]["MigrationRule"]["Properties"]["Actions"][0]["ForwardConfig"]
    groups["TargetGroups"][0]["TargetGroupArn"] = {"Ref": "GreenTargetGroup"}
    beyond = GROUP.format(7)
    found = reweighted(
        dev, tools, tools.fed(GROUP.format(0), "GreenTargetGroup", "arn:aws:x"),
        tools.fed(beyond, "GreenTargetGroup", "arn:aws:x"), tools.detail(WEIGHT.format(0), "100", "90"),
    )  # fmt: skip
    assert found[GROUP.format(0)] is CERTAIN
    assert found[beyond] is NOISE  # there is no such place, before or after


def test_a_parameter_that_the_root_feeds_is_compared_by_value(dev, tools):
    for side, zone in ((dev.before, "us-east-1a"), (dev.after, "us-east-1b")):
        side["root"]["Resources"]["Database"]["Properties"]["Parameters"]["AvailabilityZone1"] = zone
        side["root"]["Resources"]["Database"]["Properties"]["Parameters"]["AvailabilityZone2"] = "us-east-1c"
    dev.change(
        "database.Writer",
        tools.fed("AvailabilityZone", "AvailabilityZone1", recreate="Conditionally"),
        replacement="Conditional",
    )
    dev.change("database.Reader1", tools.fed("AvailabilityZone", "AvailabilityZone2"), replacement="False")
    assert verdict(dev.item("database.Writer")) == (Action.REPLACE, POSSIBLE)
    assert dev.item("database.Writer").edits[0].certainty is CERTAIN
    assert dev.item("database.Reader1").certainty is NOISE


def test_a_parameter_of_a_tier_that_is_new_has_no_value_to_compare(dev, tools):
    del dev.before["root"]["Resources"]["Validation"]
    dev.after["root"]["Resources"]["Validation"]["Properties"]["Parameters"]["DataKeyArn"] = "arn:x"
    dev.change("validation.Function", tools.fed("KmsKeyArn", "DataKeyArn"), replacement="False")
    assert dev.item("validation.Function").certainty is POSSIBLE


def test_a_parameter_of_the_root_itself_counts_as_aws_says(dev, tools):
    dev.after["root"]["Parameters"] = {"Level": {"Type": "String"}}
    dev.after["root"]["Resources"]["Own"] = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Level"}}}
    dev.change("root.Own", tools.fed("DisplayName", "Level", evaluation="Static"), replacement="False")
    assert dev.item("root.Own").certainty is CERTAIN


def test_a_dynamic_change_without_any_source_is_possible(dev, tools):
    dev.change(
        "database.Cluster",
        tools.detail("", attribute="Metadata", evaluation="Dynamic", known=False),
        replacement="False",
    )
    assert dev.item("database.Cluster").certainty is POSSIBLE


# --- values and words of AWS -----------------------------------------------------------------------------------------
def test_equal_values_are_no_change(dev, tools):
    dev.change("database.Cluster", tools.detail("EngineVersion", "17.7", "17.7"), replacement="False")
    assert dev.item("database.Cluster").certainty is NOISE


def test_equal_values_do_not_disprove_a_replacement(dev, tools):
    dev.change("database.Cluster", tools.detail("DatabaseName", "a", "a", recreate="Always"), replacement="True")
    assert verdict(dev.item("database.Cluster")) == (Action.REPLACE, POSSIBLE)


def test_masked_values_are_never_equal(dev, tools):
    dev.change("database.Cluster", tools.detail("MasterUserPassword", "****", "****"), replacement="False")
    assert dev.item("database.Cluster").certainty is CERTAIN


def test_different_values_are_certain_even_where_aws_calls_them_dynamic(dev, tools):
    dev.change("database.Cluster", tools.detail("Port", "5432", "5433", evaluation="Dynamic"), replacement="False")
    assert dev.item("database.Cluster").certainty is CERTAIN


@pytest.mark.parametrize(
    ("replacement", "policy", "recreate", "expected"),
    [
        ("True", "ReplaceAndDelete", "Always", (Action.REPLACE, CERTAIN)),
        ("True", "", "Always", (Action.REPLACE, CERTAIN)),
        ("", "ReplaceAndDelete", "Always", (Action.REPLACE, CERTAIN)),
        ("False", "", "Always", (Action.REPLACE, CERTAIN)),
        ("Conditional", "ReplaceAndDelete", "Conditionally", (Action.REPLACE, POSSIBLE)),
        ("True", "ReplaceAndDelete", "Conditionally", (Action.REPLACE, CERTAIN)),
        ("False", "ReplaceAndRetain", "Never", (Action.REPLACE, POSSIBLE)),
        ("True", "ReplaceAndDelete", "Never", (Action.REPLACE, CERTAIN)),
        ("Conditional", "", "Never", (Action.REPLACE, POSSIBLE)),
        ("False", "", "Conditionally", (Action.MODIFY, CERTAIN)),
        ("False", "", "Never", (Action.MODIFY, CERTAIN)),
    ],
)
def test_replacement_is_read_from_every_word_of_aws(dev, tools, replacement, policy, recreate, expected):
    dev.change(
        "database.Cluster", tools.detail("Engine", "a", "b", recreate=recreate), replacement=replacement, policy=policy
    )
    assert verdict(dev.item("database.Cluster")) == expected


@pytest.mark.parametrize(("replacement", "expected"), [("True", CERTAIN), ("Conditional", POSSIBLE)])
def test_a_replacement_without_details_is_believed(dev, replacement, expected):
    dev.change("database.Cluster", replacement=replacement)
    item = dev.item("database.Cluster")
    assert verdict(item) == (Action.REPLACE, expected)
    assert item.summary.endswith("; AWS does not say why")


def test_a_change_without_details_is_noise_where_the_templates_are_equal(dev):
    dev.change("database.Cluster", replacement="False")
    assert verdict(dev.item("database.Cluster")) == (Action.MODIFY, NOISE)


def test_tags_of_the_stack_reach_a_resource_without_details(dev):
    dev.change("load_balancer.ProductionRule", scope=("Tags",), replacement="False")
    item = dev.item("load_balancer.ProductionRule")
    assert verdict(item) == (Action.MODIFY, CERTAIN)
    assert item.summary == "its tags change"


# --- actions ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("action", "address", "expected", "word"),
    [
        ("Import", "database.Cluster", (Action.IMPORT, CERTAIN), "imported"),
        ("Dynamic", "database.Cluster", (Action.REPLACE, POSSIBLE), "Dynamic"),
        ("Dynamic", "service.Service", (Action.MODIFY, POSSIBLE), "Dynamic"),
        ("SyncWithActual", "database.Cluster", (Action.MODIFY, POSSIBLE), "really there"),
        ("Teleport", "database.Cluster", (Action.REPLACE, POSSIBLE), "Teleport"),
    ],
)
def test_an_action_that_is_not_known_is_shown_and_never_taken_lightly(dev, action, address, expected, word):
    dev.change(address, action=action)
    item = dev.item(address)
    assert verdict(item) == expected
    assert word in item.summary


@pytest.mark.parametrize(
    ("policy", "written", "expected"),
    [
        ("Retain", "Delete", Action.RETAIN),
        ("Delete", "Retain", Action.DELETE),
        ("Snapshot", "Retain", Action.DELETE),
        ("", "Retain", Action.RETAIN),
        ("", "RetainExceptOnCreate", Action.RETAIN),
        ("", "Snapshot", Action.DELETE),
    ],
)
def test_a_removed_resource_is_kept_where_aws_says_so_or_else_its_template(dev, policy, written, expected):
    dev.before["database"]["Resources"]["Cluster"]["DeletionPolicy"] = written
    dev.drop("database.Cluster", policy)
    assert dev.item("database.Cluster").action is expected


def test_a_removal_of_which_nothing_is_known_deletes(dev):
    dev.drop("database.Cluster", "")
    dev.fetched = {"root"}
    assert dev.item("database.Cluster").action is Action.DELETE


def test_a_grader_knows_what_the_change_set_names(dev):
    dev.edit("database.Cluster", Port=5433)
    change_set = dev.change_set()
    grader = Grader(change_set, Trees(dev.before, dev.after))
    assert grader.graded("database.Writer") is None
    found = grader.graded("database.Cluster")
    assert grader.grade(found.change) is found
    assert grader.grade(replace(found.change)) is found  # by address


def test_a_type_that_the_registry_table_lacks_may_always_move(dev, tools):
    for side in (dev.before, dev.after):
        side["database"]["Resources"]["Odd"] = {"Type": "Acme::Odd::Thing", "Properties": {}}
        side["database"]["Resources"]["User"] = {
            "Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::GetAtt": ["Odd", "Mood"]}},
        }  # fmt: skip
    dev.change("database.Odd", tools.detail("Size", "1", "2"), replacement="False")
    dev.change("database.User", tools.fed("DisplayName", "Odd.Mood"), replacement="False")
    assert dev.item("database.User").certainty is POSSIBLE
