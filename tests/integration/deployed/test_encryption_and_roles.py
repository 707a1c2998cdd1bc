"""Keys that rotate, and roles that trust one service each."""

from __future__ import annotations

import json

import pytest

ROLES = {
    "DmsSecretsRoleArn": "dms",
    "FlowLogsRoleArn": "vpc-flow-logs.amazonaws.com",
    "InfrastructureRoleArn": "ecs.amazonaws.com",
    "MonitoringRoleArn": "monitoring.rds.amazonaws.com",
    "StateMachineRoleArn": "states.amazonaws.com",
    "TaskExecutionRoleArn": "ecs-tasks.amazonaws.com",
    "TaskRoleArn": "ecs-tasks.amazonaws.com",
    "ValidatorRoleArn": "lambda.amazonaws.com",
}


@pytest.mark.parametrize("key", ["DataKeyArn", "LogsKeyArn"])
def test_a_key_is_enabled_and_rotates(deployed, key):
    kms = deployed.client("kms")
    arn = deployed[f"Encryption.{key}"]
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Enabled"
    assert kms.get_key_rotation_status(KeyId=arn)["KeyRotationEnabled"] is True


@pytest.mark.parametrize(("key", "part"), [("DataKeyArn", "data"), ("LogsKeyArn", "logs")])
def test_a_key_has_an_alias_of_this_environment(deployed, settings, key, part):
    aliases = deployed.client("kms").list_aliases(KeyId=deployed[f"Encryption.{key}"])["Aliases"]
    assert [alias["AliasName"] for alias in aliases] == [f"alias/{settings.system}-{settings.suffix}-{part}"]


@pytest.fixture(scope="module")
def roles(deployed):
    iam = deployed.client("iam")
    return {
        output: iam.get_role(RoleName=deployed[f"Identity.{output}"].rpartition("/")[2])["Role"] for output in ROLES
    }


@pytest.mark.parametrize("output", ROLES)
def test_a_role_trusts_one_service(roles, deployed, settings, output):
    document = roles[output]["AssumeRolePolicyDocument"]
    document = json.loads(document) if isinstance(document, str) else document
    service = ROLES[output]
    wanted = f"dms.{settings.region}.amazonaws.com" if service == "dms" else service
    assert [statement["Principal"] for statement in document["Statement"]] == [{"Service": wanted}]
    assert {statement["Effect"] for statement in document["Statement"]} == {"Allow"}


def test_the_roles_are_different_ones(roles):
    assert len({role["Arn"] for role in roles.values()}) == len(ROLES)


def statements(deployed, role_name):
    iam = deployed.client("iam")
    for name in iam.list_role_policies(RoleName=role_name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"]
        document = json.loads(document) if isinstance(document, str) else document
        yield from document["Statement"]


@pytest.mark.parametrize("output", ROLES)
def test_a_role_may_not_do_everything(deployed, roles, output):
    for statement in statements(deployed, roles[output]["RoleName"]):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if action == "*" or action.endswith(":*")], statement


def test_the_application_and_the_validator_sign_in_to_this_cluster_only(deployed):
    for output in ("TaskRoleName", "ValidatorRoleName"):
        connects = [
            resource
            for statement in statements(deployed, deployed[f"Identity.{output}"])
            if "rds-db:connect" in statement["Action"]
            for resource in (
                [statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]
            )
        ]
        assert len(connects) == 1
        assert f":dbuser:{deployed['Database.ClusterResourceId']}/" in connects[0]


def test_dms_finds_its_two_roles_by_name(deployed):
    iam = deployed.client("iam")
    for name, policy in (
        ("dms-vpc-role", "AmazonDMSVPCManagementRole"),
        ("dms-cloudwatch-logs-role", "AmazonDMSCloudWatchLogsRole"),
    ):
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        assert policy in [entry["PolicyName"] for entry in attached]
