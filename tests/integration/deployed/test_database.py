"""The Aurora cluster as it stands: version, instances, encryption, backups, users."""

from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def rds(deployed):
    return deployed.client("rds")


@pytest.fixture(scope="module")
def cluster(rds, deployed):
    return rds.describe_db_clusters(DBClusterIdentifier=deployed["Database.ClusterId"])["DBClusters"][0]


@pytest.fixture(scope="module")
def instances(rds, deployed):
    found = {}
    for role in ("Writer", "Reader1", "Reader2"):
        name = deployed[f"Database.{role}InstanceId"]
        found[role] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    return found


def test_the_engine_is_the_one_of_the_params(cluster, settings):
    assert (cluster["Engine"], cluster["EngineVersion"]) == ("aurora-postgresql", settings.database.engine_version)
    assert (cluster["DatabaseName"], cluster["Port"]) == (settings.database.name, settings.database.port)
    assert cluster["Status"] == "available"


def test_the_outputs_are_the_cluster_s_endpoints(cluster, deployed):
    assert cluster["Endpoint"] == deployed["RDSClusterEndpoint"] == deployed["Database.ClusterEndpoint"]
    assert cluster["ReaderEndpoint"] == deployed["RDSClusterReaderEndpoint"] == deployed["Database.ReaderEndpoint"]


def test_storage_is_encrypted_with_our_key(cluster, deployed):
    assert cluster["StorageEncrypted"] is True
    assert cluster["KmsKeyId"] == deployed["Encryption.DataKeyArn"]


def test_backups_are_kept_as_long_as_the_params_say(cluster, settings):
    assert cluster["BackupRetentionPeriod"] == settings.database.backup_retention_days
    assert cluster["PreferredBackupWindow"] == settings.database.backup_window
    assert cluster["CopyTagsToSnapshot"] is True


def test_deletion_is_protected_where_the_environment_is_durable(cluster, settings):
    assert cluster["DeletionProtection"] is settings.durable


def test_applications_may_sign_in_by_role(cluster):
    assert cluster["IAMDatabaseAuthenticationEnabled"] is True


def test_logs_leave_for_cloudwatch(cluster):
    assert set(cluster["EnabledCloudwatchLogsExports"]) == {"postgresql", "iam-db-auth-error"}


def test_only_the_database_s_group_guards_it(cluster, deployed):
    assert [group["VpcSecurityGroupId"] for group in cluster["VpcSecurityGroups"]] == [
        deployed["Security.DatabaseSecurityGroupId"]
    ]


def test_the_cluster_has_a_writer_and_two_readers(cluster, deployed):
    members = {member["DBInstanceIdentifier"]: member["IsClusterWriter"] for member in cluster["DBClusterMembers"]}
    assert members == {
        deployed["Database.WriterInstanceId"]: True,
        deployed["Database.Reader1InstanceId"]: False,
        deployed["Database.Reader2InstanceId"]: False,
    }


def test_each_instance_stands_in_a_zone_of_its_own(instances, deployed):
    zones = [instance["AvailabilityZone"] for instance in instances.values()]
    assert zones == [deployed[f"Network.AvailabilityZone{zone}"] for zone in (1, 2, 3)]


def test_instances_are_of_the_class_of_the_params_and_private(instances, settings):
    for instance in instances.values():
        assert instance["DBInstanceClass"] == settings.database.instance_class
        assert instance["PubliclyAccessible"] is False
        assert instance["CACertificateIdentifier"] == settings.database.ca_certificate
        assert instance["AutoMinorVersionUpgrade"] is settings.database.auto_minor_version_upgrade


def test_instances_are_watched_from_inside(instances, deployed, settings):
    for instance in instances.values():
        assert instance["MonitoringInterval"] == settings.database.monitoring_interval_seconds
        assert instance["MonitoringRoleArn"] == deployed["Identity.MonitoringRoleArn"]


def test_the_subnets_are_the_private_ones(rds, cluster, deployed):
    group = rds.describe_db_subnet_groups(DBSubnetGroupName=cluster["DBSubnetGroup"])["DBSubnetGroups"][0]
    assert {subnet["SubnetIdentifier"] for subnet in group["Subnets"]} == {
        deployed[f"Network.PrivateSubnet{zone}Id"] for zone in (1, 2, 3)
    }


@pytest.mark.parametrize(("parameter", "value"), [("rds.logical_replication", "1"), ("rds.force_ssl", "1")])
def test_the_cluster_replicates_logically_and_refuses_plaintext(rds, cluster, parameter, value):
    pages = rds.get_paginator("describe_db_cluster_parameters").paginate(
        DBClusterParameterGroupName=cluster["DBClusterParameterGroup"]
    )
    found = {p["ParameterName"]: p.get("ParameterValue") for page in pages for p in page["Parameters"]}
    assert found[parameter] == value


def secret(deployed, output):
    found = deployed.client("secretsmanager").get_secret_value(SecretId=deployed[f"Database.{output}"])
    return json.loads(found["SecretString"])


@pytest.mark.parametrize("output", ["ApplicationSecretArn", "DmsSecretArn", "ValidatorSecretArn"])
def test_users_of_aurora_have_secrets_that_point_at_the_cluster(deployed, settings, output):
    found = secret(deployed, output)
    assert found["host"] == deployed["Database.ClusterEndpoint"]
    assert (int(found["port"]), found["dbname"]) == (settings.database.port, settings.database.name)
    assert len(found["password"]) >= 24
    assert found["username"] != settings.database.master_username


@pytest.mark.parametrize("output", ["SourceApplicationSecretArn", "SourceDmsSecretArn", "SourceValidatorSecretArn"])
def test_users_of_the_data_centre_have_secrets_that_point_there(deployed, settings, output):
    found = secret(deployed, output)
    assert found["host"] == settings.data_center.database_host
    assert int(found["port"]) == settings.data_center.database_port


def test_no_two_users_share_a_password(deployed):
    outputs = [name.partition(".")[2] for name in deployed.outputs if name.startswith("Database.")]
    secrets = [name for name in outputs if name.endswith("SecretArn") and name != "MasterSecretArn"]
    assert len({secret(deployed, name)["password"] for name in secrets}) == len(secrets) == 8


def test_secrets_are_encrypted_with_our_key(deployed):
    found = deployed.client("secretsmanager").describe_secret(SecretId=deployed["Database.ApplicationSecretArn"])
    assert found["KmsKeyId"] == deployed["Encryption.DataKeyArn"]


def test_the_master_s_password_is_kept_by_rds(cluster, deployed):
    assert cluster["MasterUserSecret"]["SecretArn"] == deployed["Database.MasterSecretArn"]
