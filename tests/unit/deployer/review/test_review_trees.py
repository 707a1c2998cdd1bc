from __future__ import annotations

import pytest

from deployer.review.trees import Side, Trees, tier_of

UPLOADED = "https://bucket.s3.us-east-1.amazonaws.com/0f1e2d3c.template.json"


@pytest.mark.parametrize(
    ("logical_id", "tier"),
    [("Database", "database"), ("LoadBalancer", "load_balancer"), ("WAFRules", "waf_rules"), ("Tier2", "tier2")],
)
def test_a_nested_stack_is_named_in_snake_case(logical_id, tier):
    assert tier_of(logical_id, UPLOADED, {}) == tier


def test_a_nested_stack_is_named_by_its_file_where_that_is_a_tier():
    assert tier_of("Front", "https://host/path/load_balancer.template.json", {"load_balancer": {}}) == "load_balancer"


def test_values_are_resolved_through_the_wires(dev):
    side = Side(dev.after)
    balancer = side.body("service.Service").properties["LoadBalancers"][0]
    assert balancer["AdvancedConfiguration"]["ProductionListenerRule"] == "${load_balancer.ProductionRule.Ref}"
    assert balancer["ContainerPort"] == 8443
    secret = side.body("service.TaskDefinition").properties["ContainerDefinitions"][0]["Secrets"][0]["ValueFrom"]
    assert secret == "${database.ApplicationSecret.Ref}:host::"


def test_an_uploaded_template_resolves_as_a_local_one(dev):
    for body in dev.after["root"]["Resources"].values():
        body["Properties"]["TemplateURL"] = UPLOADED
    side = Side(dev.after)
    assert side.body("service.Service").properties["Cluster"] == "${service.Cluster.Ref}"
    assert side.follow("database", "DataKeyArn").resource.address == "encryption.DataKey"


def test_what_the_root_feeds_directly_is_its_value(dev):
    dev.after["root"]["Resources"]["Database"]["Properties"]["Parameters"]["AvailabilityZone1"] = "us-east-1a"
    side = Side(dev.after)
    assert side.body("database.Writer").properties["AvailabilityZone"] == "us-east-1a"
    assert side.follow("database", "AvailabilityZone1") is None


def test_an_output_that_is_not_there_leaves_the_expression_as_it_is(dev):
    del dev.after["network"]["Outputs"]["AvailabilityZone1"]
    side = Side(dev.after)
    assert side.body("database.Writer").properties["AvailabilityZone"] == {"Ref": "AvailabilityZone1"}


def test_an_expression_of_another_hand_stays_as_it_is(dev):
    dev.set("database.Writer", AvailabilityZone={"Fn::GetAtt": "Vpc.AvailabilityZone"})
    dev.set("database.Cluster", Engine={"Fn::If": ["Yes", {"Ref": "X"}, "b"]})
    side = Side(dev.after)
    assert side.body("database.Writer").properties["AvailabilityZone"] == {"Fn::GetAtt": "Vpc.AvailabilityZone"}
    assert side.body("database.Cluster").properties["Engine"] == {"Fn::If": ["Yes", {"Ref": "X"}, "b"]}


def test_sources_are_those_of_the_property_alone(dev):
    side = Side(dev.after)
    assert [found.resource.address for found in side.sources("database.Cluster", "VpcSecurityGroupIds")] == [
        "security.DatabaseSecurityGroup"
    ]
    assert [found.resource.address for found in side.sources("database.Cluster", "VpcSecurityGroupIds/0")] == [
        "security.DatabaseSecurityGroup"
    ]
    assert side.sources("database.Cluster", "EngineVersion") == []
    assert "database.PostgresqlLogGroup" not in {
        found.resource.address for found in side.sources("database.Cluster", "")
    }
    assert side.sources("database.Nothing", "") == []


def test_a_tier_that_was_not_fetched_has_no_deployed_body_but_can_be_followed(dev):
    before = {tier: dev.before[tier] for tier in ("root", "database")}
    trees = Trees(before, dev.after)
    assert trees.before_body("database.Cluster").properties["KmsKeyId"] == "${encryption.DataKey.Arn}"
    assert trees.before_body("encryption.DataKey") is None
    assert trees.after_body("encryption.DataKey").type == "AWS::KMS::Key"
    assert Trees({}, dev.after).before_body("database.Cluster") is None


def test_a_tier_that_only_the_old_root_has_may_be_unknown(dev):
    del dev.after["root"]["Resources"]["Validation"], dev.after["validation"]
    trees = Trees({"root": dev.before["root"]}, dev.after)
    assert trees.before.stacks["Validation"] == "validation"
    assert not trees.before.holds("validation.Function")


def test_differences_leave_out_what_packaging_writes(dev):
    dev.before["validation"]["Resources"]["Function"]["Properties"]["Code"] = {"S3Bucket": "b", "S3Key": "k"}
    dev.set("validation.Function", Timeout=30)
    trees = Trees(dev.before, dev.after)
    assert [name for name, _, _ in trees.differences("validation.Function")] == ["Timeout"]
    assert trees.unlike("validation.Function", "Timeout")
    assert not trees.unlike("validation.Function", "Handler")
    assert not trees.unlike("validation.Nothing", "Handler")
    assert trees.differences("validation.Nothing") == []


def test_a_property_that_comes_or_goes_has_one_side_only(dev):
    dev.set("database.Cluster", BackupRetentionPeriod=None, BacktrackWindow=3600)
    assert Trees(dev.before, dev.after).differences("database.Cluster") == [
        ("BacktrackWindow", None, "3600"),
        ("BackupRetentionPeriod", "7", None),
    ]


def test_an_uploaded_template_is_named_by_its_tier_whatever_its_digest():
    url = f"https://bucket.s3.us-east-1.amazonaws.com/payments-dev/migration.{'0f' * 32}.template.json"
    assert tier_of("Replication", url, {"migration": {}}) == "migration"


def test_a_stack_has_the_same_tier_on_both_sides_whatever_its_file(dev):
    dev.after["ledger"] = dev.after.pop("database")
    dev.after["root"]["Resources"]["Database"]["Properties"]["TemplateURL"] = "ledger.template.json"
    trees = Trees({"root": dev.before["root"], "ledger": dev.before["database"]}, dev.after)
    assert trees.before.stacks["Database"] == trees.after.stacks["Database"] == "ledger"
    assert trees.before_body("ledger.Cluster") == trees.after_body("ledger.Cluster")


def test_an_output_of_a_stack_that_was_not_fetched_is_not_known(dev):
    del dev.after["root"]["Resources"]["Migration"], dev.after["migration"], dev.before["migration"]
    trees = Trees(dev.before, dev.after)
    assert trees.before.follow("monitoring", "ForwardTaskId") is None
    assert trees.before.sources("root.Monitoring", "Parameters/ForwardTaskId") == []


def test_nothing_is_fed_by_others_where_there_was_nothing(dev):
    assert not Trees({}, dev.after).fed_by_others("database.Cluster", "KmsKeyId")
    assert not Trees(dev.before, dev.after).fed_by_others("database.Cluster", "KmsKeyId")
