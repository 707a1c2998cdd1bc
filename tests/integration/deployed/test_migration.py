"""DMS as it stands: instance, endpoints, tasks and their settings."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def dms(deployed):
    return deployed.client("dms")


@pytest.fixture(scope="module")
def instance(dms, deployed):
    found = dms.describe_replication_instances(
        Filters=[{"Name": "replication-instance-arn", "Values": [deployed["Migration.ReplicationInstanceArn"]]}]
    )
    return found["ReplicationInstances"][0]


@pytest.fixture(scope="module")
def endpoints(dms, deployed):
    names = ("AuroraSource", "AuroraTarget", "DataCenterSource", "DataCenterTarget")
    arns = {deployed[f"Migration.{name}Arn"]: name for name in names}
    found = dms.describe_endpoints(Filters=[{"Name": "endpoint-arn", "Values": list(arns)}])["Endpoints"]
    return {arns[endpoint["EndpointArn"]]: endpoint for endpoint in found}


@pytest.fixture(scope="module")
def tasks(dms, deployed):
    arns = {deployed[f"Migration.{name}TaskArn"]: name for name in ("Forward", "Reverse")}
    found = dms.describe_replication_tasks(Filters=[{"Name": "replication-task-arn", "Values": list(arns)}])
    return {arns[task["ReplicationTaskArn"]]: task for task in found["ReplicationTasks"]}


def test_the_instance_is_private_and_encrypted(instance, deployed, settings):
    assert instance["PubliclyAccessible"] is False
    assert instance["KmsKeyId"] == deployed["Encryption.DataKeyArn"]
    assert instance["ReplicationInstanceClass"] == settings.migration.instance_class
    assert instance["AllocatedStorage"] == settings.migration.allocated_storage_gib
    assert instance["ReplicationInstanceStatus"] == "available"


def test_the_instance_has_the_version_of_the_params(instance, settings):
    assert instance["EngineVersion"] == settings.migration.engine_version


def test_the_instance_stands_in_the_private_subnets(instance, deployed):
    group = instance["ReplicationSubnetGroup"]
    assert {subnet["SubnetIdentifier"] for subnet in group["Subnets"]} == {
        deployed[f"Network.PrivateSubnet{zone}Id"] for zone in (1, 2, 3)
    }
    assert group["VpcId"] == deployed["VPCId"]


def test_the_instance_has_dms_s_security_group(instance, deployed):
    assert [group["VpcSecurityGroupId"] for group in instance["VpcSecurityGroups"]] == [
        deployed["Security.DmsSecurityGroupId"]
    ]


def test_endpoints_read_and_write_both_databases(endpoints):
    assert {name: (e["EndpointType"].lower(), e["EngineName"]) for name, e in endpoints.items()} == {
        "AuroraSource": ("source", "aurora-postgresql"),
        "AuroraTarget": ("target", "aurora-postgresql"),
        "DataCenterSource": ("source", "postgres"),
        "DataCenterTarget": ("target", "postgres"),
    }


def test_endpoints_verify_the_certificate_of_the_other_end(endpoints):
    for endpoint in endpoints.values():
        assert endpoint["SslMode"] == "verify-full"
        assert endpoint["CertificateArn"]


def test_endpoints_find_their_passwords_in_secrets(endpoints, deployed):
    for name, endpoint in endpoints.items():
        output = "DmsSecretArn" if name.startswith("Aurora") else "SourceDmsSecretArn"
        settings = endpoint["PostgreSQLSettings"]
        assert settings["SecretsManagerSecretId"] == deployed[f"Database.{output}"]
        assert settings["SecretsManagerAccessRoleArn"] == deployed["Identity.DmsSecretsRoleArn"]
        assert not settings.get("Password")


def test_the_forward_task_loads_and_goes_on_with_changes(tasks, deployed):
    task = tasks["Forward"]
    assert task["MigrationType"] == "full-load-and-cdc"
    assert task["SourceEndpointArn"] == deployed["Migration.DataCenterSourceArn"]
    assert task["TargetEndpointArn"] == deployed["Migration.AuroraTargetArn"]
    assert task["ReplicationTaskArn"] == deployed["DMSReplicationTaskArn"]


def test_the_reverse_task_is_the_way_back(tasks, deployed):
    task = tasks["Reverse"]
    assert task["MigrationType"] == "cdc"
    assert task["SourceEndpointArn"] == deployed["Migration.AuroraSourceArn"]
    assert task["TargetEndpointArn"] == deployed["Migration.DataCenterTargetArn"]


def test_no_task_starts_by_itself(tasks):
    assert {task["Status"] for task in tasks.values()} <= {"ready", "stopped"}


@pytest.mark.parametrize("name", ["Forward", "Reverse"])
def test_a_task_stops_at_an_error_rather_than_skip_a_row(tasks, name):
    errors = json.loads(tasks[name]["ReplicationTaskSettings"])["ErrorBehavior"]
    policies = [errors[f"ApplyError{kind}Policy"] for kind in ("Delete", "Insert", "Update")]
    assert policies == ["STOP_TASK"] * 3


@pytest.mark.parametrize("name", ["Forward", "Reverse"])
def test_a_task_validates_and_logs(tasks, name):
    settings = json.loads(tasks[name]["ReplicationTaskSettings"])
    assert settings["ValidationSettings"]["EnableValidation"] is True
    assert settings["Logging"]["EnableLogging"] is True


def test_the_forward_task_takes_the_schemas_of_the_params(tasks, settings):
    rules = json.loads(tasks["Forward"]["TableMappings"])["rules"]
    included = [rule["object-locator"]["schema-name"] for rule in rules if rule["rule-action"] == "include"]
    # And the marker of the cutover, which shows that all before it has arrived.
    assert included == [*settings.migration.schemas, "cutover"]
