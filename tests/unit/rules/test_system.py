"""The system that this repository compiles, with one control broken at a time: what no other suite sees is seen here."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path

import pytest

from compiler.linking import link
from rules._catalogue import house_rules
from rules._template import Template
from settings.load import load
from templates.root import system

ROOT = Path(__file__).resolve().parents[3]
RULES = {rule_id: rule() for rule_id, rule in house_rules().items()}


@cache
def tree(env):
    settings = load(ROOT / "params", env, env, {})
    return json.loads(json.dumps(link(system(settings), settings).templates))


def findings(template):
    """As cfn-lint gives them: without those that a resource's metadata excepts."""
    for rule_id, rule in RULES.items():
        for found in rule.findings(Template(template)):
            body = template["Resources"][found.path[1]] if found.path[0] == "Resources" else {}
            excepted = body.get("Metadata", {}).get("cfn-lint", {}).get("config", {}).get("ignore_checks", ())
            if rule_id not in excepted or rule_id == "E9123":
                yield rule_id, found


@pytest.mark.parametrize("env", ["dev", "staging", "prod"])
def test_the_compiled_system_has_no_findings(env):
    found = [(tier, rule_id, item) for tier, template in tree(env).items() for rule_id, item in findings(template)]

    assert found == []


def put(*path_and_value):
    *path, key, value = path_and_value

    def change(resource):
        node = resource
        for part in path:
            node = node[part]
        node[key] = value

    return change


def drop(*path):
    def change(resource):
        node = resource
        for part in path[:-1]:
            node = node[part]
        del node[path[-1]]

    return change


def in_json(key, change):
    """A change inside of an embedded document."""

    def inside(resource):
        value = resource["Properties"][key]
        document = json.loads(value["Fn::Sub"] if isinstance(value, dict) else value)
        change(document)
        text = json.dumps(document)
        resource["Properties"][key] = {"Fn::Sub": text} if isinstance(value, dict) else text

    return inside


def attribute(key, value):
    def change(resource):
        for item in resource["Properties"]["LoadBalancerAttributes"]:
            if item["Key"] == key:
                item["Value"] = value

    return change


def every_container(change):
    def inside(resource):
        for container in resource["Properties"]["ContainerDefinitions"]:
            change(container)

    return inside


def without_conditions(resource):
    for statement in resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]:
        statement.pop("Condition", None)


def wildcard(resource):
    resource["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"] = ["s3:*"]


def every_resource(resource):
    resource["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"] = "*"


def admit_partner(resource):
    resource["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": "210987654321"}


def malformed(key):
    return put("Properties", key, "{")


def rename(key, value):
    return put("Properties", key, value)


SETTINGS, ERRORS = "ReplicationTaskSettings", "ErrorBehavior"
BREAKS = [
    # the list of the design: seen by no suite
    ("E9171", "AWS::DMS::ReplicationTask", in_json(SETTINGS, put("Logging", "EnableLogging", False))),
    ("E9172", "AWS::DMS::ReplicationTask", in_json(SETTINGS, put("ValidationSettings", "EnableValidation", False))),
    ("E9140", "AWS::DMS::ReplicationInstance", drop("Properties", "KmsKeyId")),
    ("E9154", "AWS::ElasticLoadBalancingV2::TargetGroup", put("Properties", "Protocol", "HTTP")),
    ("E9117", "AWS::Lambda::Function", put("Properties", "Environment", "Variables", "DB_PASSWORD", "correct-horse")),
    ("E9160", "AWS::RDS::DBCluster", put("Properties", "BackupRetentionPeriod", 0)),
    # seen by one suite only
    ("E9157", "AWS::RDS::DBClusterParameterGroup", put("Properties", "Parameters", "rds.force_ssl", "0")),
    ("E9152", "AWS::DMS::Endpoint", put("Properties", "SslMode", "none")),
    ("E9180", "AWS::ECS::TaskDefinition", every_container(drop("User"))),
    ("E9181", "AWS::ECS::TaskDefinition", every_container(drop("ReadonlyRootFilesystem"))),
    ("E9131", "AWS::ECS::Service", put("Properties", "NetworkConfiguration", "AwsvpcConfiguration", "AssignPublicIp", "ENABLED")),
    ("E9202", "AWS::CloudWatch::Alarm", drop("Properties", "AlarmActions")),
    ("E9204", "AWS::StepFunctions::StateMachine", put("Properties", "LoggingConfiguration", "Level", "OFF")),
    ("E9113", "AWS::IAM::Role", admit_partner),
    ("E9201", "AWS::Logs::LogGroup", put("Properties", "RetentionInDays", 30)),
    # names, identity, keeping
    ("E9101", "AWS::RDS::DBCluster", rename("DBClusterIdentifier", "payments")),
    ("E9102", "AWS::ElasticLoadBalancingV2::LoadBalancer", rename("Name", "payments-dev-load-balancer-of-the-system")),
    ("E9103", "AWS::EC2::VPC", drop("Properties", "Tags")),
    ("E9110", "AWS::IAM::Role", every_resource),
    ("E9111", "AWS::IAM::Role", wildcard),
    ("E9112", "AWS::IAM::Role", without_conditions),
    ("E9116", "AWS::SecretsManager::Secret", lambda resource: resource.pop("Metadata")),
    ("E9118", "AWS::RDS::DBCluster", put("Properties", "MasterUserPassword", "correct-horse")),
    ("E9120", "AWS::RDS::DBCluster", drop("UpdateReplacePolicy")),
    ("E9121", "AWS::RDS::DBCluster", put("Properties", "EngineVersion", "13.7")),
    ("E9121", "AWS::DMS::ReplicationInstance", put("Properties", "EngineVersion", "3.4.7")),
    ("E9123", "AWS::SecretsManager::Secret", drop("Metadata", "Exceptions")),
    # exposure
    ("E9130", "AWS::DMS::ReplicationInstance", drop("Properties", "PubliclyAccessible")),
    ("E9130", "AWS::RDS::DBInstance", put("Properties", "PubliclyAccessible", True)),
    ("E9132", "AWS::EC2::SecurityGroup", put("Properties", "SecurityGroupIngress", [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0", "Description": "x"}])),
    ("E9133", "AWS::S3::Bucket", put("Properties", "PublicAccessBlockConfiguration", "BlockPublicPolicy", False)),
    ("E9134", "AWS::EC2::Subnet", put("Properties", "MapPublicIpOnLaunch", True)),
    ("E9135", "AWS::EC2::SecurityGroup", put("Properties", "SecurityGroupEgress", [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/16"}])),
    ("E9136", "AWS::EC2::SecurityGroup", put("Properties", "SecurityGroupEgress", [])),
    # encryption
    ("E9140", "AWS::SNS::Topic", drop("Properties", "KmsMasterKeyId")),
    ("E9141", "AWS::RDS::DBCluster", put("Properties", "StorageEncrypted", False)),
    ("E9142", "AWS::S3::Bucket", drop("Properties", "BucketEncryption")),
    ("E9143", "AWS::Lambda::Function", drop("Properties", "KmsKeyArn")),
    ("E9144", "AWS::KMS::Key", put("Properties", "EnableKeyRotation", False)),
    # in transit
    ("E9153", "AWS::DMS::Endpoint", drop("Properties", "CertificateArn")),
    ("E9156", "AWS::ElasticLoadBalancingV2::Listener", put("Properties", "SslPolicy", "ELBSecurityPolicy-2016-08")),
    # database
    ("E9161", "AWS::RDS::DBCluster", put("Properties", "EnableIAMDatabaseAuthentication", False)),
    ("E9162", "AWS::RDS::DBCluster", put("Properties", "EnableCloudwatchLogsExports", [])),
    ("E9163", "AWS::RDS::DBCluster", lambda resource: resource.update(DeletionPolicy="Retain")),
    # migration
    ("E9170", "AWS::DMS::Endpoint", drop("Properties", "PostgreSqlSettings", "FailTasksOnLobTruncation")),
    ("E9173", "AWS::DMS::ReplicationTask", in_json(SETTINGS, put(ERRORS, "DataErrorPolicy", "LOG_ERROR"))),
    ("E9176", "AWS::DMS::Endpoint", drop("Properties", "ExtraConnectionAttributes")),
    ("E9174", "AWS::DMS::ReplicationTask", in_json("TableMappings", put("rules", []))),
    ("E9175", "AWS::DMS::ReplicationInstance", rename("ReplicationInstanceIdentifier", "Payments-dev-replication")),
    # service
    ("E9182", "AWS::ECS::TaskDefinition", every_container(put("Privileged", True))),
    ("E9184", "AWS::ECS::Service", drop("Properties", "LoadBalancers", 0, "AdvancedConfiguration", "RoleArn")),
    ("E9185", "AWS::ECS::Service", put("Properties", "DeploymentConfiguration", "LifecycleHooks", [{"LifecycleStages": ["PRODUCTION_TRAFFIC_SHIFT"], "TargetType": "PAUSE"}])),
    ("E9187", "AWS::ECS::Cluster", drop("Properties", "ClusterSettings")),
    ("E9188", "AWS::ApplicationAutoScaling::ScalableTarget", put("Properties", "MinCapacity", 1)),
    ("E9189", "AWS::ECS::Service", drop("Properties", "DeploymentConfiguration", "Alarms")),
    # load balancer
    ("E9191", "AWS::ElasticLoadBalancingV2::LoadBalancer", attribute("routing.http.drop_invalid_header_fields.enabled", "false")),
    ("E9192", "AWS::ElasticLoadBalancingV2::LoadBalancer", attribute("access_logs.s3.enabled", "false")),
    # documents
    ("E9205", "AWS::CloudWatch::Dashboard", malformed("DashboardBody")),
    ("E9205", "AWS::DMS::ReplicationTask", malformed("TableMappings")),
    ("E9205", "AWS::StepFunctions::StateMachine", malformed("DefinitionString")),
]  # fmt: skip

# Controls that are resources of their own: broken by leaving them out.
REMOVALS = [
    ("E9150", "AWS::S3::BucketPolicy"),
    ("E9151", "AWS::SNS::TopicPolicy"),
    ("E9193", "AWS::WAFv2::WebACLAssociation"),
    ("E9194", "AWS::WAFv2::LoggingConfiguration"),
    ("E9200", "AWS::EC2::FlowLog"),
]


def having(kind):
    """The first template of the tree with resources of a type, to be broken, and their logical ids."""
    for template in tree("dev").values():
        ids = [logical_id for logical_id, body in template["Resources"].items() if body["Type"] == kind]
        if ids:
            return copy.deepcopy(template), ids
    pytest.fail(f"the system has no {kind}")


@pytest.mark.parametrize(("rule_id", "kind", "change"), BREAKS, ids=[f"{b[0]}-{b[1]}" for b in BREAKS])
def test_a_broken_control_is_found_where_it_was_broken(rule_id, kind, change):
    broken = set()
    template, ids = having(kind)
    for logical_id in ids:
        candidate = copy.deepcopy(template)
        try:
            change(candidate["Resources"][logical_id])
        except (KeyError, IndexError, TypeError):
            continue  # another resource of the type has what is to be broken
        found = {found.path[1] for found_id, found in findings(candidate) if found_id == rule_id}
        if logical_id in found:
            broken.add(logical_id)

    assert broken


@pytest.mark.parametrize(("rule_id", "kind"), REMOVALS)
def test_a_control_left_out_is_found(rule_id, kind):
    template, ids = having(kind)
    for logical_id in ids:
        del template["Resources"][logical_id]

    assert rule_id in {found_id for found_id, _ in findings(template)}


def test_a_redirect_turned_into_service_is_found():
    template, ids = having("AWS::ElasticLoadBalancingV2::Listener")
    for logical_id in ids:
        properties = template["Resources"][logical_id]["Properties"]
        if properties["Protocol"] == "HTTP":
            properties["DefaultActions"] = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]

    assert "E9155" in {found_id for found_id, _ in findings(template)}


def test_weights_that_send_requests_nowhere_are_found():
    template, ids = having("AWS::ElasticLoadBalancingV2::ListenerRule")
    for logical_id in ids:
        for action in template["Resources"][logical_id]["Properties"]["Actions"]:
            for group in action.get("ForwardConfig", {}).get("TargetGroups", ()):
                group["Weight"] = 0

    assert "E9190" in {found_id for found_id, _ in findings(template)}


def test_the_name_of_a_task_instead_of_its_resource_id_is_no_dimension():
    template = copy.deepcopy(tree("dev")["monitoring"])
    for body in template["Resources"].values():
        for dimension in body["Properties"].get("Dimensions", ()):
            if dimension["Name"] == "ReplicationTaskIdentifier":
                dimension["Name"] = "ReplicationTaskId"

    assert "E9203" in {found_id for found_id, _ in findings(template)}


def test_a_tag_instead_of_a_digest_is_found_in_prod_only():
    found = {}
    for env in ("dev", "prod"):
        template = copy.deepcopy(tree(env)["service"])
        for body in template["Resources"].values():
            for container in body["Properties"].get("ContainerDefinitions", ()):
                container["Image"] = "123456789012.dkr.ecr.us-east-1.amazonaws.com/payments:1.2.3"
        found[env] = {found_id for found_id, _ in findings(template)}

    assert "E9183" in found["prod"]
    assert "E9183" not in found["dev"]


def test_every_rule_is_broken_here_but_that_of_what_the_system_does_not_use():
    broken = {rule_id for rule_id, *_ in (*BREAKS, *REMOVALS)} | {"E9155", "E9183", "E9190", "E9203"}

    assert set(RULES) - broken == {"E9164"}
