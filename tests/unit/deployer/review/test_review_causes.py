"""Cause chains: which edited value is behind a property, and the way from there."""

from __future__ import annotations

import pytest

VERSION = ("database.engine_version", "17.7", "17.10")


def first(item, index=0):
    return item.edits[index].chain[0]


def test_a_params_key_is_named_by_its_values(dev, tools):
    dev.edit("database.Cluster", EngineVersion="17.10")
    item = dev.item("database.Cluster", params=(("database.port", "1", "2"), VERSION))
    assert tools.chain(item.edits[0]) == [
        ("param", "database.engine_version", "17.7 → 17.10"),
        ("property", "database.Cluster.EngineVersion", "17.7 → 17.10"),
    ]


@pytest.mark.parametrize(
    ("param", "address", "property", "before", "after"),
    [
        (("database.engine_version", "17.7", "18.1"), "database.ClusterParameters", "Family", "aurora-postgresql17", "aurora-postgresql18"),
        (("monitoring.database_free_local_storage_gib", "2", "4"), "monitoring.X", "Threshold", "2147483648", "4294967296"),
        (("service.bake_time_minutes", "1", "2"), "service.X", "Timeout", "60", "120"),
        (("load_balancer.aws_weight", "0", "10"), "load_balancer.MigrationRule", "Actions/0/Weight", "100", "90"),
        (("load_balancer.waf_mode", "block", "count"), "load_balancer.WebAcl", "Rules/0/Action", '{"Block":{}}', '{"Count":{}}'),
        (("monitoring.alarm_emails", "(none)", "a@example.com"), "monitoring.X", "Endpoint", None, "a@example.com"),
        (("network.vpn.bgp_asn", "(not set)", "65020"), "network.X", "BgpAsn", None, "65020"),
        (("monitoring.alarm_emails", "[]", '["a@example.com"]'), "monitoring.X", "Endpoint", None, "a@example.com"),
        (("data_center.application_ips", '["1.1.1.1","1.1.1.2"]', '["1.1.1.1"]'), "load_balancer.DcTargetGroup", "Targets",
         '[{"Id":"1.1.1.1"},{"Id":"1.1.1.2"}]', '[{"Id":"1.1.1.1"}]'),
        (("migration.multi_az", "false", "true"), "migration.ReplicationInstance", "MultiAZ", "false", "true"),
    ],
)  # fmt: skip
def test_a_params_value_is_recognised_in_the_forms_of_templates(
    dev, tools, param, address, property, before, after  # noqa: A002 - the term of the field
):  # fmt: skip
    dev.change(address, tools.detail(property, before, after), type_="AWS::SNS::Topic", replacement="False")
    assert first(dev.item(address, params=(param,))).name == param[0]


@pytest.mark.parametrize(
    ("param", "property", "before", "after"),
    [
        (("database.engine_version", "17.7", "17.10"), "Port", "17.7", "17.9"),
        (("database.engine_version", "17.7", "17.10"), "Port", "5.7", "17.10"),
        (("migration.multi_az", "false", "true"), "DeletionProtection", "false", "true"),
        (("tags.team", "x", "x"), "Port", "1", "2"),
        (("service.min_tasks", "3", "6"), "Name", "a-3-b-6", "a-6-b-3"),
        (
            ("data_center.database_host", "db.dev.example", "db.staging.example"),
            "Name",
            "payments-dev",
            "payments-staging",
        ),
    ],
)
def test_values_that_do_not_fit_are_not_blamed(dev, tools, param, property, before, after):  # noqa: A002
    dev.change("database.Cluster", tools.detail(property, before, after), replacement="False")
    assert first(dev.item("database.Cluster", params=(param,))) == first(
        dev.item("database.Cluster", params=(("tags.team", "a", "b"),))
    )
    assert first(dev.item("database.Cluster", params=(param,))).detail == "edited; no changed param explains it"


def test_without_changed_params_the_template_was_edited(dev, tools):
    dev.edit("database.Cluster", Port=5433)
    assert tools.chain(dev.item("database.Cluster").edits[0])[0] == ("template", "database.Cluster", "edited")


def test_of_two_params_that_fit_the_one_of_the_tier_and_name_is_named(dev):
    dev.edit("database.Cluster", Port=5433)
    params = (("data_center.database_port", "5432", "5433"), ("database.port", "5432", "5433"))
    assert first(dev.item("database.Cluster", params=params)).name == "database.port"
    assert first(dev.item("database.Cluster", params=params[::-1])).name == "database.port"


def test_values_that_aws_does_not_tell_are_read_from_the_templates(dev, tools):
    dev.set("database.Cluster", EngineVersion="17.10")
    dev.change("database.Cluster", tools.detail("EngineVersion"), replacement="False")
    assert first(dev.item("database.Cluster", params=(VERSION,))).kind == "param"
    dev.fetched = {"root"}
    assert first(dev.item("database.Cluster", params=(VERSION,))).kind == "template"


def test_a_change_of_no_property_has_its_attribute_for_a_name(dev, tools):
    dev.change("database.Cluster", tools.detail("", attribute="Metadata"), replacement="False")
    assert tools.chain(dev.item("database.Cluster").edits[0]) == [
        ("template", "database.Cluster", "edited"),
        ("property", "database.Cluster.Metadata", ""),
    ]


def test_the_chain_runs_from_the_params_key_through_every_wire(dev, tools):
    dev.replace("network.Vpc", CidrBlock="10.1.0.0/16")
    dev.change(
        "security.DatabaseSecurityGroup", tools.fed("VpcId", "VpcId", "vpc-1", recreate="Always"), replacement="True"
    )
    dev.change("database.Cluster", tools.fed("VpcSecurityGroupIds", "DatabaseSecurityGroupId"), replacement="False")
    item = dev.item("database.Cluster", params=(("network.vpc_cidr", "10.0.0.0/16", "10.1.0.0/16"),))
    assert tools.chain(item.edits[0]) == [
        ("param", "network.vpc_cidr", "10.0.0.0/16 → 10.1.0.0/16"),
        ("property", "network.Vpc.CidrBlock", "10.0.0.0/16 → 10.1.0.0/16"),
        ("resource", "network.Vpc", "replaced"),
        ("output", "network.VpcId", ""),
        ("parameter", "security.VpcId", ""),
        ("property", "security.DatabaseSecurityGroup.VpcId", "vpc-1 → (known only when applied)"),
        ("resource", "security.DatabaseSecurityGroup", "replaced"),
        ("output", "security.DatabaseSecurityGroupId", ""),
        ("parameter", "database.DatabaseSecurityGroupId", ""),
        ("property", "database.Cluster.VpcSecurityGroupIds", ""),
    ]


def test_noise_says_which_resource_stays(dev, tools):
    dev.change("database.Cluster", tools.fed("KmsKeyId", "DataKeyArn"), replacement="False")
    assert tools.chain(dev.item("database.Cluster").edits[0]) == [
        ("resource", "encryption.DataKey", "stays as it is"),
        ("output", "encryption.DataKeyArn", ""),
        ("parameter", "database.DataKeyArn", ""),
        ("property", "database.Cluster.KmsKeyId", ""),
    ]


def test_a_rewired_value_is_an_edit_of_the_template(dev, tools):
    dev.set("database.Cluster", KmsKeyId={"Ref": "LogsKeyArn"})
    dev.change("database.Cluster", tools.fed("KmsKeyId", "LogsKeyArn"), replacement="False")
    assert tools.chain(dev.item("database.Cluster").edits[0])[0][0] == "template"


@pytest.mark.parametrize(
    ("action", "fate"), [("Add", "created"), ("Import", "imported"), ("Dynamic", "may be replaced")]
)
def test_a_producer_says_what_becomes_of_it(dev, tools, action, fate):
    if action == "Add":
        del dev.before["encryption"]["Resources"]["DataKey"]
    dev.change("encryption.DataKey", action=action)
    dev.change("database.Cluster", tools.fed("KmsKeyId", "DataKeyArn"), replacement="False")
    assert ("resource", "encryption.DataKey", fate) in tools.chain(dev.item("database.Cluster").edits[0])


def test_a_producer_that_is_modified_says_so(dev, tools):
    for side in (dev.before, dev.after):
        side["database"]["Resources"]["User"] = {
            "Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::GetAtt": ["Cluster", "Endpoint.Port"]}},
        }  # fmt: skip
    dev.edit("database.Cluster", Port=5433)
    dev.change("database.User", tools.fed("DisplayName", "Cluster.Endpoint.Port"), replacement="False")
    assert tools.chain(dev.item("database.User").edits[0]) == [
        ("template", "database.Cluster", "edited"),
        ("property", "database.Cluster.Port", "5432 → 5433"),
        ("resource", "database.Cluster", "modified"),
        ("property", "database.User.DisplayName", ""),
    ]


def test_a_producer_in_a_tier_that_cannot_be_read_may_change(dev, tools):
    dev.stack("Encryption")
    dev.change("database.Cluster", tools.fed("KmsKeyId", "DataKeyArn"), replacement="False")
    assert ("resource", "encryption.DataKey", "may change: what changes in its tier is not known") in tools.chain(
        dev.item("database.Cluster").edits[0]
    )


def test_a_circle_of_references_ends(dev, tools):
    for side in (dev.before, dev.after):
        side["database"]["Resources"]["A"] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "B"}}}
        side["database"]["Resources"]["B"] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "A"}}}
    dev.change("database.A", tools.fed("TopicName", "B", recreate="Always"), replacement="True")
    dev.change("database.B", tools.fed("TopicName", "A", recreate="Always"), replacement="True")
    assert len(dev.item("database.A").edits[0].chain) < 40
