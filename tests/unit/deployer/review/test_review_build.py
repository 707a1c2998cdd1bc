"""Whole reviews: what a person reads first, and that nothing else slips in."""

from __future__ import annotations

import json

import pytest

from deployer.changes import ChangeSet, Outcome, ResourceChange
from deployer.render.document import read_review, review_document
from deployer.review.build import build_review
from deployer.review.model import Action, Certainty, Severity


def realistic(scene, tools):
    """An engine upgrade, a shift of weights and a secret under another name, with the noise that AWS adds."""
    scene.edit("database.Cluster", EngineVersion="17.10")
    groups = scene.properties("load_balancer.MigrationRule")["Actions"][0]["ForwardConfig"]["TargetGroups"]
    groups[0]["Weight"], groups[1]["Weight"] = 90, 10
    scene.change(
        "load_balancer.MigrationRule",
        tools.detail("Actions/0/ForwardConfig/TargetGroups/0/Weight", "100", "90"),
        tools.detail("Actions/0/ForwardConfig/TargetGroups/1/Weight", "0", "10"),
        replacement="False",
    )
    scene.edit(
        "database.ApplicationSecret", recreate="Always", replacement="True", policy="ReplaceAndRetain",
        Name="payments/prod/app",
    )  # fmt: skip
    scene.change(
        "database.Writer",
        tools.fed("DBClusterIdentifier", "Cluster", recreate="Always"),
        replacement="Conditional",
        policy="ReplaceAndDelete",
    )
    scene.change(
        "migration.ForwardTask",
        tools.fed("ReplicationInstanceArn", "ReplicationInstance", recreate="Always"),
        replacement="Conditional",
    )
    params = (("database.engine_version", "17.7", "17.10"), ("load_balancer.aws_weight", "0", "10"))
    return scene.review(params=params)


def test_a_realistic_change(prod, tools):
    review = realistic(prod, tools)
    assert review.headline == (
        "data: database.ApplicationSecret replaced, database.Cluster to look at; "
        "traffic: load_balancer.MigrationRule affected; access: none"
    )
    assert review.data == (
        "database.ApplicationSecret is replaced (old one retained); "
        "database.Cluster: engine upgrade 17.7 → 17.10, connections break while it restarts"
    )
    assert review.access == "nothing lets more in or allows more"
    assert review.counts == {"modify": 2, "replace": 1}
    assert [(item.address, item.severity) for item in review.items()] == [
        ("database.Cluster", Severity.WARN),
        ("database.ApplicationSecret", Severity.STOP),
        ("database.Writer", Severity.QUIET),
        ("load_balancer.MigrationRule", Severity.STOP),
        ("migration.ForwardTask", Severity.QUIET),
    ]
    assert tools.find(review, "load_balancer.MigrationRule").edits[0].chain[0].name == "load_balancer.aws_weight"
    assert tools.find(review, "database.ApplicationSecret").summary == "replaced because Name changes"
    assert tools.find(review, "database.Cluster").summary == "changes EngineVersion"


def test_a_review_survives_its_document(prod, tools):
    review = realistic(prod, tools)
    assert read_review(json.loads(json.dumps(review_document(review)))) == review


def test_every_tier_is_there_in_the_order_of_the_change_set(prod, tools):
    review = realistic(prod, tools)
    outcomes = {tier.tier: tier.outcome for tier in review.tiers}
    assert next(iter(outcomes)) == "root"
    assert outcomes["database"] == "changed"
    assert outcomes["network"] == "unchanged"
    assert outcomes.keys() == prod.after.keys()


@pytest.mark.parametrize("forecast", [True, False])
def test_the_word_safe_is_never_said(prod, tools, forecast):
    assert "safe" not in repr(realistic(prod, tools)).lower()
    assert "safe" not in repr(prod.review(forecast=forecast)).lower()


def test_nothing_is_said_of_nothing(dev):
    review = dev.review()
    assert (review.headline, review.data, review.traffic, review.access) == ("", "unchanged", "unchanged", "unchanged")
    assert review.counts == {}
    assert dev.review(forecast=True).data == "unchanged"


def test_of_what_harms_nothing_it_is_said_that_it_does_not(dev):
    dev.edit("monitoring.Dashboard", DashboardName="x")
    review = dev.review()
    assert review.headline == "data: none; traffic: none; access: none"
    assert review.data == "nothing that holds data is replaced or deleted, and no protection is weakened"


def test_a_forecast_only_foresees(dev):
    review = dev.review(forecast=True, unknowns=["what AWS has done since"])
    assert review.headline == "data: none foreseen; traffic: none foreseen; access: none foreseen"
    assert review.traffic == "nothing foreseen changes the way of requests"
    assert (review.forecast, review.unknowns) == (True, ("what AWS has done since",))


def test_a_first_creation_has_nothing_to_lose(prod, tools):
    prod.kind = "CREATE"
    for tier, template in prod.after.items():
        for logical_id, body in template["Resources"].items():
            if tier != "root":
                prod.change(f"{tier}.{logical_id}", action="Add", type_=body["Type"])
    review = prod.review()
    assert review.headline.startswith("data: none yet, this is the first creation")
    assert {item.action for item in review.items()} == {Action.CREATE}
    assert not any(tools.rules(item) for item in review.items())
    assert {item.severity for item in review.items()} == {Severity.NOTE}
    assert {tier.outcome for tier in review.tiers} == {"created"}
    assert not [item for item in review.items() if item.tier == "root"]


def test_what_may_happen_is_told_apart(dev):
    dev.change("database.Cluster", replacement="Conditional", policy="ReplaceAndSnapshot")
    dev.change("service.Service", action="Dynamic")
    review = dev.review()
    assert review.data == "database.Cluster may be replaced (old one snapshot taken, then deleted)"


def test_a_possible_effect_says_so(dev, tools):
    dev.change(
        "load_balancer.ProductionRule",
        tools.detail("", attribute="Metadata", evaluation="Dynamic", known=False),
        replacement="False",
    )
    assert dev.review().traffic.startswith("load_balancer.ProductionRule (possibly): Amazon ECS")


def test_a_deletion_says_what_is_left(prod):
    prod.drop("database.Reader1", "Snapshot")
    prod.drop("database.Reader2", "Delete")
    assert prod.review().data == (
        "database.Reader1 is deleted (snapshot taken, then deleted); database.Reader2 is deleted"
    )


def test_protection_is_a_matter_of_data(dev):
    for side in ("before", "after"):
        dev.properties("database.Cluster", side)["DeletionProtection"] = True
    dev.edit("database.Cluster", DeletionProtection=False)
    assert dev.review().data == "database.Cluster: deletion protection is switched off, true → false"


def test_summaries_name_two_properties_and_count_the_rest(dev, tools):
    dev.edit("database.Cluster", Port=5433, EngineVersion="17.10", StorageType="aurora-iopt1")
    assert dev.item("database.Cluster").summary == "changes Port, EngineVersion and 1 more"
    dev.changes.clear()
    dev.change(
        "database.Cluster",
        tools.detail("", attribute="Metadata", evaluation="Dynamic", known=False),
        replacement="False",
    )
    dev.after["database"] = dev.before["database"]
    assert dev.item("database.Cluster").summary == "may change Metadata"


def test_a_tag_is_named_as_one(dev, tools):
    dev.change("service.TaskDefinition", tools.detail("Environment", "a", "b", attribute="Tags"), replacement="False")
    item = dev.item("service.TaskDefinition")
    assert item.summary == "changes Tags"
    assert item.edits[0].chain[-1].name == "service.TaskDefinition.Tags.Environment"


def test_a_summary_says_where_a_replacement_comes_from(dev, tools):
    dev.replace("encryption.DataKey", KeySpec="RSA_2048")
    dev.change("database.Cluster", tools.fed("KmsKeyId", "DataKeyArn", recreate="Always"), replacement="Conditional")
    assert dev.item("database.Cluster").summary == (
        "replaced because KmsKeyId comes from encryption.DataKey, which is replaced"
    )
    dev.changes["encryption"].clear()
    dev.change("encryption.DataKey", replacement="Conditional")
    assert dev.item("database.Cluster").summary == (
        "may be replaced because KmsKeyId comes from encryption.DataKey, which may be replaced"
    )


def test_a_replacement_of_which_no_values_are_known_has_no_arrow(dev, tools):
    dev.change("database.Cluster", tools.detail("Engine", recreate="Conditionally"), replacement="Conditional")
    assert dev.item("database.Cluster").summary == "may be replaced because Engine changes"
    dev.changes.clear()
    dev.change(
        "database.Cluster",
        tools.detail("X", recreate="Always", evaluation="Dynamic", known=False),
        replacement="Conditional",
    )
    assert dev.item("database.Cluster").summary == "may be replaced because X may change"


def test_warnings_of_aws_raise_the_voice(dev, tools):
    dev.change(
        "service.TaskDefinition", tools.detail("Tags", "a", "b"), replacement="False", warnings=("a quota is near",)
    )
    item = dev.item("service.TaskDefinition")
    assert (item.severity, item.warnings) == (Severity.WARN, ("a quota is near",))


def test_a_new_revision_is_routine_and_another_replacement_is_not(dev):
    dev.replace("service.TaskDefinition", Cpu="2048")
    dev.replace("database.SubnetGroup", DBSubnetGroupName="another")
    review = dev.review()
    assert {item.logical_id: item.severity for item in review.items()} == {
        "SubnetGroup": Severity.WARN, "TaskDefinition": Severity.NOTE,
    }  # fmt: skip


def test_an_import_and_a_sync_are_told_in_words(dev):
    dev.change("database.Cluster", action="Import")
    dev.change("database.Writer", action="SyncWithActual")
    review = dev.review()
    assert [item.summary for item in review.items()] == [
        "imported: the stack takes it over as it is", "the stack takes over what is really there; the resource is left alone",
    ]  # fmt: skip


def test_a_stack_that_is_no_tree_is_reviewed_too():
    """The account stack: one template, nothing nested."""
    template = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "dms-vpc-role"}}}}
    added = ResourceChange("root", "Role", "", "AWS::IAM::Role", "Add", "", "", (), ())
    change_set = ChangeSet("root", "", "", "account", "CREATE", Outcome.CHANGED, "", (added,), ("a warning",))
    review = build_review(
        change_set, {}, {"root": template}, stack="account", environment="account", suffix="account",
        region="us-east-1", durable=True,
    )  # fmt: skip
    assert [(tier.tier, tier.outcome, tier.warnings) for tier in review.tiers] == [("root", "created", ("a warning",))]
    assert review.counts == {"create": 1}


def test_a_nested_stack_that_neither_side_has_is_named_by_its_logical_id(dev):
    dev.stack("Ghost")
    review = dev.review()
    assert next(tier for tier in review.tiers if tier.tier == "Ghost").outcome == "changed"
    assert next(item for item in review.items() if item.address == "root.Ghost").certainty is Certainty.POSSIBLE


def test_a_nested_stack_of_a_tree_without_anything_deployed(dev):
    dev.stack("Ghost", action="Remove")
    dev.fetched = set()
    assert next(tier for tier in dev.review().tiers if tier.tier == "Ghost").outcome == "deleted"


def test_a_replaced_stack_says_how(prod):
    prod.stack("Database", replacement="True", policy="ReplaceAndDelete")
    review = prod.review()
    assert next(item for item in review.items() if item.address == "root.Database").action is Action.REPLACE
