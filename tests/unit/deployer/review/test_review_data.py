"""What is lost with a resource, what becomes of the old one, and edits in place that destroy a value."""

from __future__ import annotations

import json
from pathlib import Path

import cfnlint
import pytest

from deployer.changes import NESTED_STACK
from deployer.review.concerns.stateful import default_deletion_policy, is_stateful, loss
from deployer.review.model import Action, Certainty, Concern, Severity


def test_everything_that_cfn_lint_calls_stateful_is_in_the_table():
    path = Path(cfnlint.__file__).parent / "data/AdditionalSpecs/StatefulResources.json"
    listed = json.loads(path.read_text())["ResourceTypes"].keys() - {NESTED_STACK}  # judged by what is in it
    assert not [name for name in listed if not is_stateful(name)]


def test_everything_that_the_templates_protect_is_in_the_table(prod):
    kept = {
        body["Type"]
        for template in prod.after.values()
        for body in template["Resources"].values()
        if body.get("DeletionPolicy", "Delete") != "Delete" and body["Type"] != NESTED_STACK
    }
    assert kept
    assert not [name for name in kept if not is_stateful(name)]


def test_what_holds_nothing_loses_nothing():
    assert not is_stateful("AWS::ECS::TaskDefinition")
    assert loss("AWS::ECS::TaskDefinition") == ""


@pytest.mark.parametrize(
    ("type_", "of_a_cluster", "policy"),
    [
        ("AWS::RDS::DBCluster", False, "Snapshot"),
        ("AWS::RDS::DBInstance", False, "Snapshot"),
        ("AWS::RDS::DBInstance", True, "Delete"),
        ("AWS::S3::Bucket", False, "Delete"),
    ],
)
def test_databases_are_snapshotted_where_no_policy_says_otherwise(type_, of_a_cluster, policy):
    assert default_deletion_policy(type_, of_a_cluster=of_a_cluster) == policy


STATEFUL = [
    "database.Cluster", "database.Writer", "database.ApplicationSecret", "database.PostgresqlLogGroup",
    "encryption.DataKey", "encryption.DataKeyAlias", "validation.ReportBucket", "migration.ReplicationInstance",
    "migration.ForwardTask", "migration.DataCenterSource", "migration.SubnetGroup", "monitoring.Topic",
    "network.NatGatewayAddress1", "network.DatabaseZone", "load_balancer.LoadBalancer",
]  # fmt: skip


@pytest.mark.parametrize("address", STATEFUL)
@pytest.mark.parametrize(
    ("replacement", "certainty"), [("True", Certainty.CERTAIN), ("Conditional", Certainty.POSSIBLE)]
)
def test_replacement_of_what_holds_state_is_refused_even_where_it_is_only_possible(
    dev, tools, address, replacement, certainty
):
    dev.change(address, replacement=replacement, policy="ReplaceAndDelete")
    item = dev.item(address)
    assert (item.action, item.certainty, item.severity) == (Action.REPLACE, certainty, Severity.STOP)
    assert "replace" in tools.rules(item)
    verb = "is" if certainty is Certainty.CERTAIN else "may be"
    assert item.findings[0].text == f"{verb} replaced, the old one deleted; what goes is {loss(item.type)}"


@pytest.mark.parametrize("address", STATEFUL)
def test_deletion_of_what_holds_state_is_refused(dev, tools, address):
    dev.drop(address)
    item = dev.item(address)
    assert (item.action, item.keeps) == (Action.DELETE, "deleted")
    assert "delete" in tools.rules(item)


def test_replacing_the_task_says_that_the_full_load_starts_again(dev):
    dev.replace("migration.ForwardTask", MigrationType="cdc")
    item = dev.item("migration.ForwardTask")
    assert "restarts the full load" in item.findings[0].text
    assert Concern.DATA in item.concerns


@pytest.mark.parametrize(
    ("policy", "written", "keeps"),
    [
        ("ReplaceAndDelete", "Retain", "deleted"),
        ("ReplaceAndSnapshot", "Delete", "snapshot taken, then deleted"),
        ("ReplaceAndRetain", "Delete", "retained"),
        ("", "Snapshot", "snapshot taken, then deleted"),
        ("", "Retain", "retained"),
        ("", None, "deleted"),
        ("ReplaceAndForget", None, "deleted"),
    ],
)
def test_what_becomes_of_a_replaced_resource_is_said(dev, policy, written, keeps):
    for side in ("before", "after"):
        body = dev.resource("database.Cluster", side)
        body.pop("UpdateReplacePolicy")
        if written:
            body["UpdateReplacePolicy"] = written
    dev.change("database.Cluster", replacement="True", policy=policy)
    assert dev.item("database.Cluster").keeps == keeps


@pytest.mark.parametrize(
    ("address", "written", "keeps"),
    [
        ("database.Cluster", None, "snapshot taken, then deleted"),
        ("database.Writer", None, "deleted"),
        ("database.Cluster", "Delete", "deleted"),
        ("database.Cluster", "Snapshot", "snapshot taken, then deleted"),
    ],
)
def test_what_becomes_of_a_removed_resource_is_said(dev, address, written, keeps):
    body = dev.resource(address, "before")
    body.pop("DeletionPolicy")
    if written:
        body["DeletionPolicy"] = written
    dev.drop(address, "")
    assert dev.item(address).keeps == keeps


def test_a_snapshot_is_no_database(prod, tools):
    prod.drop("database.Cluster", "Snapshot")
    item = prod.item("database.Cluster")
    assert tools.rules(item) == ["delete"]
    assert item.findings[0].text.startswith("is deleted (snapshot taken, then deleted); ")


def test_what_is_left_behind_is_worth_a_look(prod, tools):
    prod.drop("database.ApplicationSecret", "Retain")
    item = prod.item("database.ApplicationSecret")
    assert (item.action, item.severity, item.keeps) == (Action.RETAIN, Severity.WARN, "retained")
    assert tools.rules(item) == []
    assert item.concerns == (Concern.DATA,)


def test_what_is_left_behind_and_holds_nothing_is_no_loss(dev):
    dev.drop("service.TaskDefinition", "Retain")
    assert dev.item("service.TaskDefinition").findings == ()


# --- in place --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["GenerateSecretString", "SecretString"])
def test_a_secret_that_is_generated_anew_has_another_password(dev, tools, name):
    value = {"GenerateSecretString": {"PasswordLength": 50}, "SecretString": "x"}[name]
    dev.edit("database.DmsSecret", **{name: value})
    item = dev.item("database.DmsSecret")
    plain = ["weaken"] if name == "SecretString" else []
    assert (item.action, tools.rules(item)) == (Action.MODIFY, ["replace", *plain])
    assert "locked out" in item.findings[0].text


def test_a_secret_whose_description_changes_keeps_its_password(dev):
    dev.edit("database.DmsSecret", Description="other words")
    assert dev.item("database.DmsSecret").findings == ()


def test_a_secret_value_is_never_shown(dev):
    dev.edit("database.DmsSecret", SecretString="hunter2")
    review = dev.review()
    assert "hunter2" not in repr(review)
    edit = next(item for item in review.items()).edits[0]
    assert (edit.property.before, edit.property.after) == (None, "(not shown)")
