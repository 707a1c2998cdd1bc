"""What is read of workloads, of the data centre and of services, and the words for it."""

from __future__ import annotations

import pytest

from compiler.bundle import Bundle
from compiler.diagram.architecture import read_scene
from compiler.diagram.network import read_network
from compiler.diagram.outside import read_services
from compiler.diagram.words import humanise, in_a_sentence, plural, regions_named, service_of, short_name
from compiler.resolve import Tree


def row(scene, title):
    return next(row for row in scene.rows if row.title == title)


def application(small, **changes):
    """The scene of a miniature whose application resources have other properties; None takes one away."""

    def change(tiers):
        for name, properties in changes.items():
            for key, value in properties.items():
                if value is None:
                    del tiers["application"][name]["Properties"][key]
                else:
                    tiers["application"][name]["Properties"][key] = value

    return read_scene(small(change))


# --- workloads -------------------------------------------------------------------------------------------------------
def test_rows_run_from_the_front_door_to_the_back(small):
    scene = read_scene(small())
    assert [row.title for row in scene.rows] == [
        "Application load balancer",
        "ECS service",
        "Aurora PostgreSQL",
        "DMS replication instance",
        "Lambda function",
        "Interface endpoints",
    ]
    assert [row.public for row in scene.rows] == [True, False, False, False, False, False]


def test_facts_of_each_kind(small):
    scene = read_scene(small())
    assert {row.title: row.facts for row in scene.rows} == {
        "Application load balancer": ("internet-facing", "HTTPS 443"),
        "ECS service": ("Fargate", "3 tasks", "rolling deployment"),
        "Aurora PostgreSQL": ("version 17.7", "encrypted", "backups 7 days"),
        "DMS replication instance": ("dms.t3.medium", "forward full-load-and-cdc"),
        "Lambda function": ("python3.13",),
        "Interface endpoints": ("logs", "secretsmanager"),
    }


def test_facts_that_a_reviewer_must_not_miss(small):
    scene = application(
        small,
        Balancer={"Type": "network", "Scheme": "internal"},
        Cluster={"StorageEncrypted": None, "Engine": "mysql", "EngineVersion": None, "BackupRetentionPeriod": None},
        Replication={"PubliclyAccessible": None},
        Service={"DeploymentConfiguration": {"Strategy": "BLUE_GREEN"}},
        Validator={"Runtime": None},
    )
    assert row(scene, "Network load balancer").facts[0] == "internal"
    assert row(scene, "Database cluster").facts == ("version chosen by AWS", "not encrypted", "backups 1 day")
    assert row(scene, "DMS replication instance").facts[0] == "publicly accessible"
    assert row(scene, "ECS service").facts[-1] == "blue/green deployment"
    assert row(scene, "Lambda function").facts == ("container image",)


def test_scaling_and_firewall_are_found_by_what_refers_to_the_resource(small):
    def change(tiers):
        tiers["application"]["Scaling"] = {
            "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
            "Properties": {"MinCapacity": 6, "MaxCapacity": 24, "ResourceId": {"Fn::Sub": "service/x/${Service.Name}"}},
        }
        tiers["application"]["Acl"] = {
            "Type": "AWS::WAFv2::WebACLAssociation",
            "Properties": {"ResourceArn": {"Ref": "Balancer"}},
        }

    scene = read_scene(small(change))
    assert "6 to 24 tasks" in row(scene, "ECS service").facts
    assert row(scene, "Application load balancer").facts[-1] == "WAF"


def test_the_writer_is_the_instance_that_waits_for_no_other(small):
    assert row(read_scene(small()), "Aurora PostgreSQL").chips == {
        "use1-az1": "writer · db.t4g.medium",
        "use1-az2": "reader 1 · db.t4g.medium",
        "use1-az3": "reader 2 · db.t4g.medium",
    }

    def change(tiers):
        for name in ("Writer", "Reader1", "Reader2"):
            tiers["application"][name]["DependsOn"] = []
        tiers["application"]["Reader2"]["Properties"]["PromotionTier"] = 0
        tiers["application"]["Reader1"]["Properties"]["AvailabilityZone"] = {"Ref": "Zone1"}

    chips = row(read_scene(small(change)), "Aurora PostgreSQL").chips
    assert chips == {
        "use1-az3": "writer · db.t4g.medium",
        "use1-az1": "reader 1 · db.t4g.medium, reader 2 · db.t4g.medium",
    }


def test_instances_in_zones_of_awss_choice_are_named_across_all(small):
    scene = application(small, Writer={"AvailabilityZone": None})
    assert row(scene, "Aurora PostgreSQL").across == (
        "writer · db.t4g.medium, reader 1 · db.t4g.medium, reader 2 · db.t4g.medium"
    )
    by_name = application(small, Writer={"AvailabilityZone": "us-east-1a"})
    assert row(by_name, "Aurora PostgreSQL").chips["us-east-1a"] == "writer · db.t4g.medium"


@pytest.mark.parametrize(
    ("multi_az", "words"),
    [(True, "primary and standby, in two of these zones"), (False, "one instance, in one of these zones")],
)
def test_dms_chooses_the_zone_of_its_instance(small, multi_az, words):
    found = row(application(small, Replication={"MultiAZ": multi_az}), "DMS replication instance")
    assert (found.across, found.chips) == (words, {})


def test_one_endpoint_alone(small):
    def change(tiers):
        del tiers["application"]["LogsEndpoint"]

    endpoints = row(read_scene(small(change)), "Interface endpoints")
    assert set(endpoints.chips.values()) == {"network interfaces"}


def test_an_unknown_kind_is_called_by_its_type(small):
    def change(tiers):
        tiers["application"]["Bastion"] = tiers["application"].pop("Validator")
        tiers["application"]["Bastion"]["Type"] = "AWS::EC2::Instance"
        del tiers["application"]["Bastion"]["Properties"]["FunctionName"]

    found = row(read_scene(small(change)), "Instance")
    assert (found.name, found.facts, found.group) == ("Bastion", (), "payments-dev-validator")
    assert set(found.chips.values()) == {"network interface"}


def test_a_group_without_a_name_is_called_by_its_logical_id(small):
    def change(tiers):
        del tiers["security"]["Dms"]["Properties"]["GroupName"]

    assert row(read_scene(small(change)), "DMS replication instance").group == "DMS"


def test_nested_stacks_are_no_members_of_the_groups_they_hand_on(small):
    bundle = small()
    bundle.templates["root"]["Resources"]["Application"]["Properties"]["Parameters"] = {
        "ServiceGroupId": {"Fn::GetAtt": ["Security", "Outputs.ServiceGroupId"]}
    }
    assert [member.address for member in row(read_scene(bundle), "ECS service").members] == ["application.Service"]


# --- the data centre -------------------------------------------------------------------------------------------------
def test_the_data_centre_as_rules_targets_secrets_and_gateways_name_it(small):
    place = read_scene(small(vpn=True)).data_center
    assert place.title == "Data centre"
    assert place.blocks == ("192.168.0.0/16",)
    assert place.gateways == ("203.0.113.20, AS 65020",)
    assert [(host.title, host.lines, host.port) for host in place.hosts] == [
        ("Application", ("192.168.20.10",), "8443"),
        ("PostgreSQL database", ("db.datacenter.example",), "5432"),
    ]


def test_secrets_and_targets_that_name_no_host_outside(small):
    scene = application(
        small,
        SourceSecret={"GenerateSecretString": {"SecretStringTemplate": "not json"}},
        DataCenterTargets={"Targets": [{"Id": "10.0.11.7"}, {"Id": "i-0123"}]},
    )
    assert scene.data_center.hosts == ()
    attached = application(
        small, SourceSecret={"GenerateSecretString": {"SecretStringTemplate": '{"host": "${Cluster.Endpoint}"}'}}
    )
    assert [host.title for host in attached.data_center.hosts] == ["Application"]
    plain = application(small, SourceSecret={"GenerateSecretString": {"SecretStringTemplate": '["host"]'}})
    assert [host.title for host in plain.data_center.hosts] == ["Application"]
    other = application(
        small, SourceSecret={"GenerateSecretString": {"SecretStringTemplate": '{"engine": "db2", "host": "h"}'}}
    )
    assert (other.data_center.hosts[1].title, other.data_center.hosts[1].port) == ("db2 database", "")


def test_a_peer_that_is_only_text_is_elsewhere_not_the_data_centre(small):
    def change(tiers):
        for name in [name for name in tiers["security"] if "192168" in name]:
            del tiers["security"][name]
        for name in ("SourceSecret", "DataCenterTargets"):
            del tiers["application"][name]
        tiers["security"]["Partner"] = {
            "Type": "AWS::EC2::SecurityGroupEgress",
            "Properties": {
                "GroupId": {"Fn::GetAtt": ["Dms", "GroupId"]},
                "IpProtocol": "-1",
                "DestinationSecurityGroupId": "sg-42",
            },
        }

    place = read_scene(small(change)).data_center
    assert (place.title, place.blocks) == ("Elsewhere", ("sg-42",))


# --- services --------------------------------------------------------------------------------------------------------
def test_services_with_what_the_templates_make_of_them_and_how_they_are_reached(small):
    services = {service.title: service for service in read_scene(small()).services}
    assert list(services) == ["Amazon S3", "Secrets Manager", "Amazon CloudWatch", "AWS IAM"]
    assert services["Amazon S3"].summary.replace("\xa0", " ") == "1 bucket: reports"
    assert services["Amazon S3"].door == "gateway endpoint"
    assert services["Secrets Manager"].every == ("secret source-dms",)
    assert (services["Amazon CloudWatch"].summary, services["Amazon CloudWatch"].door) == ("", "interface endpoint")
    assert services["AWS IAM"].door == ""


def test_services_of_several_types_are_counted():
    made = {
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {}},
        "Alarm1": {"Type": "AWS::CloudWatch::Alarm", "Properties": {}},
        "Alarm2": {"Type": "AWS::CloudWatch::Alarm", "Properties": {}},
        "Images": {"Type": "AWS::ECR::Repository", "Properties": {}},
        "More": {"Type": "AWS::ECR::Repository", "Properties": {}},
    }
    tree = Tree(Bundle("dev", {"monitoring": {"Resources": made}}, ()))
    summaries = {s.title: s.summary.replace("\xa0", " ") for s in read_services(tree, read_network(tree), "dev")}
    assert summaries == {"Amazon ECR": "2 repositories: images, more", "Amazon CloudWatch": "1 log group · 2 alarms"}


# --- words -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("logical_id", "words"),
    [
        ("NatGateway1", "NAT gateway 1"),
        ("PublicSubnet3", "Public subnet 3"),
        ("DBInstance", "DB instance"),
        ("VpnGateway", "VPN gateway"),
        ("S3Endpoint", "S3 endpoint"),
        ("SecurityGroupEgress", "Security group egress"),
    ],
)
def test_logical_ids_in_words(logical_id, words):
    assert humanise(logical_id) == words


def test_words_in_a_sentence_keep_their_acronyms():
    assert in_a_sentence("Internet gateway") == "internet gateway"
    assert in_a_sentence("NAT gateway 1") == "NAT gateway 1"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("payments-dev-reports", "reports"),
        ({"Fn::Sub": "payments-dev-reports-${AWS::AccountId}"}, "reports"),
        ("/payments/dev/flow-logs", "flow-logs"),
        ("payments/dev/source-dms", "source-dms"),
        ("payments-dev", "reports bucket"),
        ("elsewhere", "reports bucket"),
        (None, "reports bucket"),
    ],
)
def test_short_names_are_what_follows_the_suffix(name, expected):
    properties = {} if name is None else {"BucketName": name}
    bundle = Bundle(
        "dev", {"t": {"Resources": {"ReportsBucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}}}, ()
    )
    tree = Tree(bundle)
    assert short_name(tree, tree.resources["t.ReportsBucket"], "dev") == expected


@pytest.mark.parametrize("region", ["us-east-1", "${AWS::Region}"])
def test_the_service_of_an_endpoint(region):
    properties = {"ServiceName": {"Fn::Sub": f"com.amazonaws.{region}.ecr.api"}}
    tree = Tree(
        Bundle("dev", {"t": {"Resources": {"E": {"Type": "AWS::EC2::VPCEndpoint", "Properties": properties}}}}, ())
    )
    assert service_of(tree, tree.resources["t.E"]) == "ecr.api"


def test_plurals():
    assert [plural(n, noun) for n, noun in ((1, "key"), (2, "key"), (2, "repository"), (0, "bucket"))] == [
        "1 key",
        "2 keys",
        "2 repositories",
        "0 buckets",
    ]


def test_regions_are_read_from_literals():
    named = regions_named(
        {
            "a": ["com.amazonaws.eu-central-1.s3", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/x"],
            "b": {"c": "arn:aws:acm:us-gov-west-1:123456789012:certificate/x", "d": "payments-us-east-1"},
        }
    )
    assert named == ["eu-central-1", "eu-central-1", "us-gov-west-1"]
