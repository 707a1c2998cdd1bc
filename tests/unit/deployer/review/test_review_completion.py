"""What the templates prove and the change set does not say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deployer.changes import ChangeSet, Outcome, ResourceChange
from deployer.review.completion import UNNAMED
from deployer.review.model import Action, Certainty, Severity


def actions(review, tier):
    found = next(found for found in review.tiers if found.tier == tier)
    return {item.logical_id: item.action for item in found.items}


# --- a whole tier ----------------------------------------------------------------------------------------------------
def without(scene, logical_id, tier):
    del scene.after["root"]["Resources"][logical_id], scene.after[tier]
    return scene


def test_a_removed_tier_takes_everything_in_it(prod, tools):
    without(prod, "Database", "database").stack("Database", action="Remove", policy="Delete")
    review = prod.review()
    found = actions(review, "database")
    assert len(found) == len(prod.before["database"]["Resources"])
    assert found["Cluster"] is Action.DELETE  # a snapshot is no database
    assert found["ApplicationSecret"] is Action.RETAIN
    assert found["Writer"] is Action.DELETE
    assert tools.find(review, "database.Cluster").keeps == "snapshot taken, then deleted"
    assert tools.rules(tools.find(review, "database.Writer")) == ["delete"]
    assert next(tier.outcome for tier in review.tiers if tier.tier == "database") == "deleted"


def test_a_removed_tier_is_an_item_of_the_root_too(prod, tools):
    without(prod, "Monitoring", "monitoring").stack("Monitoring", action="Remove", policy="Delete")
    review = prod.review()
    item = tools.find(review, "root.Monitoring")
    assert (item.action, item.severity) == (Action.DELETE, Severity.STOP)
    assert tools.rules(item) == ["delete", "weaken"]
    alarms = [found for found in review.items() if found.type == "AWS::CloudWatch::Alarm"]
    assert len(alarms) > 20
    assert not any(alarm.findings for alarm in alarms)  # named once, at the root


def test_a_removed_tier_without_watchers_weakens_nothing(prod, tools):
    without(prod, "Encryption", "encryption").stack("Encryption", action="Remove", policy="Delete")
    assert tools.rules(tools.find(prod.review(), "root.Encryption")) == ["delete"]


@pytest.mark.parametrize(("policy", "written"), [("Retain", "Delete"), ("", "Retain"), ("", "RetainExceptOnCreate")])
def test_a_removed_tier_that_is_kept_is_kept_whole(prod, tools, policy, written):
    prod.before["root"]["Resources"]["Database"]["DeletionPolicy"] = written
    without(prod, "Database", "database").stack("Database", action="Remove", policy=policy)
    review = prod.review()
    assert actions(review, "root") == {"Database": Action.RETAIN}
    tier = next(tier for tier in review.tiers if tier.tier == "database")
    assert (tier.outcome, tier.items, tier.cause) == ("deleted", (), "it stays in the account with all that is in it")
    assert tools.rules(tools.find(review, "root.Database")) == []


def test_a_removed_tier_whose_template_is_not_known_is_refused_whole(prod, tools):
    without(prod, "Database", "database").stack("Database", action="Remove", policy="Delete")
    prod.fetched = {"root"}
    review = prod.review()
    item = tools.find(review, "root.Database")
    assert (item.action, tools.rules(item)) == (Action.DELETE, ["delete"])
    assert "not known" in next(tier.cause for tier in review.tiers if tier.tier == "database")


def test_what_aws_tells_of_a_removed_tier_is_kept(prod, tools):
    told = ResourceChange(
        "database", "Cluster", "payments-prod-database", "AWS::RDS::DBCluster", "Remove", "Delete", "", (), ()
    )
    gone = replace(told, logical_id="NotInTheTemplate", physical_id="x")
    child = ChangeSet("database", "arn", "id", "nested", "UPDATE", Outcome.CHANGED, "", (told, gone))
    without(prod, "Database", "database").stack("Database", action="Remove", policy="Delete", child=child)
    review = prod.review()
    assert tools.find(review, "database.Cluster").physical_id == "payments-prod-database"
    assert tools.find(review, "database.NotInTheTemplate").action is Action.DELETE
    assert tools.find(review, "database.Writer").physical_id == ""


@pytest.mark.parametrize(
    ("policy", "written", "keeps"),
    [
        ("ReplaceAndDelete", "Retain", "snapshot taken, then deleted"),
        ("", "Delete", "snapshot taken, then deleted"),
        ("", "Retain", "retained"),
        ("ReplaceAndRetain", "Delete", "retained"),
    ],
)
def test_a_replaced_tier_replaces_everything_in_it(prod, tools, policy, written, keeps):
    prod.resource("root.Database")["UpdateReplacePolicy"] = written
    prod.stack("Database", replacement="True", policy=policy)
    review = prod.review()
    cluster = tools.find(review, "database.Cluster")
    assert (cluster.action, cluster.certainty, cluster.keeps) == (Action.REPLACE, Certainty.CERTAIN, keeps)
    assert "replace" in tools.rules(tools.find(review, "root.Database"))
    assert set(actions(review, "database").values()) == {Action.REPLACE}


def test_a_nested_stack_is_not_replaced_on_a_condition(dev):
    dev.stack("Database", replacement="Conditional")
    dev.edit("database.Cluster", Port=5433)
    assert actions(dev.review(), "root") == {}


def test_a_new_tier_without_a_change_set_of_its_own_creates_what_its_template_holds(dev, tools):
    del dev.before["root"]["Resources"]["Validation"]
    del dev.before["validation"]
    dev.stack("Validation", action="Add")
    review = dev.review()
    assert set(actions(review, "validation").values()) == {Action.CREATE}
    assert actions(review, "root") == {"Validation": Action.CREATE}
    assert next(tier.outcome for tier in review.tiers if tier.tier == "validation") == "created"


def test_a_new_tier_of_which_not_even_the_template_is_known(dev):
    dev.stack_changes.append(ResourceChange("root", "Ghost", "", "AWS::CloudFormation::Stack", "Add", "", "", (), ()))
    review = dev.review()
    assert actions(review, "root") == {"Ghost": Action.CREATE}
    assert next(tier for tier in review.tiers if tier.tier == "Ghost").cause.startswith("AWS gave no change set")


def test_a_new_tier_with_its_change_set_is_taken_as_it_is(dev):
    dev.kind = "CREATE"
    dev.change("validation.Function", action="Add")
    assert actions(dev.review(), "validation") == {"Function": Action.CREATE}


def test_a_tier_whose_changes_nobody_tells_is_refused(dev, tools):
    dev.stack("Database")
    review = dev.review()
    item = tools.find(review, "root.Database")
    assert (item.action, item.certainty, item.severity) == (Action.MODIFY, Certainty.POSSIBLE, Severity.STOP)
    assert item.summary == "what changes in it is not known"
    assert tools.rules(item) == ["replace"]


# --- a nested stack's own properties ---------------------------------------------------------------------------------
def test_a_tier_that_is_kept_less_is_an_item(prod, tools):
    prod.resource("root.Database")["DeletionPolicy"] = "Delete"
    prod.edit("database.Cluster", Port=5433)
    item = tools.find(prod.review(), "root.Database")
    assert (item.action, item.severity) == (Action.MODIFY, Severity.STOP)
    assert tools.rules(item) == ["weaken"]
    assert item.summary == "changes DeletionPolicy"


def test_what_feeds_a_tier_is_no_item(dev, tools):
    dev.stack("Database", tools.fed("Parameters/DataKeyArn", "Encryption.Outputs.DataKeyArn"))
    dev.edit("database.Cluster", Port=5433)
    assert actions(dev.review(), "root") == {}


# --- what AWS passes over --------------------------------------------------------------------------------------------
def test_a_resource_that_the_change_set_passes_over_is_found(dev, tools):
    """aws-cdk-cli#1780: with property values, whole resources can be missing."""
    dev.edit("database.Cluster", Port=5433)
    dev.set("database.Writer", DBInstanceIdentifier="another")
    item = tools.find(dev.review(), "database.Writer")
    assert (item.action, item.certainty) == (Action.REPLACE, Certainty.CERTAIN)
    assert item.warnings == (UNNAMED,)
    assert tools.rules(item) == ["replace"]


def test_a_removal_and_an_addition_that_it_passes_over_are_found(dev, tools):
    dev.edit("database.Cluster", Port=5433)
    secret = dev.after["database"]["Resources"].pop("ApplicationSecret")
    dev.after["database"]["Resources"]["NewSecret"] = secret
    review = dev.review()
    assert tools.find(review, "database.ApplicationSecret").action is Action.DELETE
    assert tools.find(review, "database.NewSecret").action is Action.CREATE


def test_a_removed_tier_that_it_passes_over_is_found(dev, tools):
    without(dev, "Validation", "validation").edit("database.Cluster", Port=5433)
    review = dev.review()
    assert tools.find(review, "root.Validation").action is Action.DELETE
    assert tools.find(review, "validation.ReportBucket").action is Action.DELETE


def test_a_property_that_its_details_pass_over_is_found(dev, tools):
    dev.edit("database.Cluster", Port=5433)
    dev.set("database.Cluster", DeletionProtection=None, BackupRetentionPeriod=1, BacktrackWindow=60)
    item = tools.find(dev.review(), "database.Cluster")
    assert {(edit.property.name, edit.property.change) for edit in item.edits} == {
        ("Port", "Modify"), ("BackupRetentionPeriod", "Modify"), ("DeletionProtection", "Remove"), ("BacktrackWindow", "Add"),
    }  # fmt: skip
    assert item.warnings == (UNNAMED,)


def test_other_expressions_may_stand_for_the_same(dev, tools):
    dev.edit("database.Cluster", Port=5433)
    dev.set("database.Writer", MonitoringRoleArn={"Fn::Sub": "x${MonitoringRoleArn}"})
    item = tools.find(dev.review(), "database.Writer")
    assert item.certainty is Certainty.POSSIBLE


def test_a_removal_policy_that_changes_alone_is_found(dev, tools):
    dev.edit("database.Writer", PromotionTier=3)
    dev.before["database"]["Resources"]["Cluster"]["DeletionPolicy"] = "Snapshot"
    dev.resource("database.ClusterParameters")["DeletionPolicy"] = "Retain"
    review = dev.review()
    assert tools.rules(tools.find(review, "database.Cluster")) == ["weaken"]
    assert tools.rules(tools.find(review, "database.ClusterParameters")) == []


def test_a_resource_of_another_type_is_not_compared(dev):
    dev.edit("database.Cluster", Port=5433)
    dev.resource("database.SubnetGroup")["Type"] = "AWS::RDS::DBProxy"
    dev.change("database.SubnetGroup", replacement="True", policy="ReplaceAndDelete")
    assert actions(dev.review(), "database")["SubnetGroup"] is Action.REPLACE


@pytest.mark.parametrize(
    ("address", "name", "expected"),
    [
        ("database.Cluster", "DatabaseName", "Always"),
        ("database.Cluster", "MasterUsername", "Conditionally"),
        ("database.Cluster", "EngineVersion", "Never"),
        ("database.Odd", "Size", "Conditionally"),
    ],
)
def test_the_registry_says_what_a_found_difference_does(dev, tools, address, name, expected):
    for side in (dev.before, dev.after):
        side["database"]["Resources"]["Odd"] = {"Type": "Acme::Odd::Thing", "Properties": {"Size": 1}}
    dev.edit("database.Writer", PromotionTier=3)
    dev.set(address, **{name: "another"})
    edit = next(edit for edit in tools.find(dev.review(), address).edits if edit.property.name == name)
    assert edit.property.requires_recreation == expected


def test_tags_are_told_under_whatever_name_the_type_gives_them(dev, tools):
    dev.set("network.DatabaseZone", HostedZoneTags=[])
    dev.change("network.DatabaseZone", tools.detail("Environment", "a", None, attribute="Tags"), replacement="False")
    item = tools.find(dev.review(), "network.DatabaseZone")
    assert (len(item.edits), item.warnings) == (1, ())


def test_where_the_deployed_template_is_not_at_hand_nothing_is_added(dev):
    dev.edit("database.Cluster", Port=5433)
    dev.set("database.Writer", DBInstanceIdentifier="another")
    dev.fetched = {"root"}
    assert actions(dev.review(), "database") == {"Cluster": Action.MODIFY}


def test_a_failed_tier_is_shown_as_aws_gives_it(dev):
    dev.outcomes["database"] = Outcome.FAILED
    dev.set("database.Writer", DBInstanceIdentifier="another")
    review = dev.review()
    assert actions(review, "database") == {}
    assert next(tier.outcome for tier in review.tiers if tier.tier == "database") == "failed"


def test_a_nested_stack_that_only_aws_speaks_of_is_no_change(dev, tools):
    """AWS names every nested stack of an update, and makes up an edit that stands for whatever is in it."""
    made_up = tools.detail("", source="Automatic", evaluation="Dynamic", attribute="Properties")
    dev.outcomes["encryption"] = Outcome.UNCHANGED
    dev.stack("Encryption", made_up)
    review = dev.review()
    assert [item.address for item in review.items()] == []
    assert [tier.outcome for tier in review.tiers if tier.tier == "encryption"] == ["unchanged"]


def test_what_leaves_under_the_name_of_what_comes_is_told_by_itself(dev, tools):
    """A tier's stack is renamed: every address is there twice, once deleted and once created."""
    root = dev.after["root"]["Resources"]
    root["Replication"] = root.pop("Migration")
    resources = dev.before["migration"]["Resources"].items()
    for action, stack in (("Add", "Replication"), ("Remove", "Migration")):
        changes = tuple(
            ResourceChange(
                "migration", name, "", body["Type"], action, "Delete" if action == "Remove" else "", "", (), ()
            )
            for name, body in resources
        )
        kind = "CREATE" if action == "Add" else "UPDATE"
        child = ChangeSet("migration", "", "", stack, kind, Outcome.CHANGED, "", changes)
        dev.stack(stack, action=action, policy="Delete" if action == "Remove" else "", child=child)
    told = {(item.address, item.action): tools.rules(item) for item in dev.review().items()}
    assert told["migration.ForwardTask", Action.CREATE] == []
    assert told["migration.ForwardTask", Action.DELETE] == ["delete"]
