"""RDS, DMS, Secrets Manager and KMS as AWS does it: what protects data, and what a change does to it."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws.account import Account
from localaws.dms.runs import Run
from localaws.providers import dms as dms_provider
from localaws.providers.base import ProviderError
from tests.unit.localaws.providers.cases import CASES
from tests.unit.localaws.providers.conftest import Made, World, key_policy


def value_of(world: World, secret: str) -> Any:
    return json.loads(world.clients("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])


class TestCluster:
    def test_says_where_it_is_and_where_its_password_is(self, world: World) -> None:
        cluster = world.cluster("database", Port=5432)
        told = world.clients("rds").describe_db_clusters(DBClusterIdentifier="database")["DBClusters"][0]
        assert cluster.attributes == {
            "Endpoint.Address": told["Endpoint"],
            "Endpoint.Port": 5432,
            "ReadEndpoint.Address": told["ReaderEndpoint"],
            "DBClusterArn": told["DBClusterArn"],
            "DBClusterResourceId": told["DbClusterResourceId"],
            "MasterUserSecret.SecretArn": told["MasterUserSecret"]["SecretArn"],
        }
        assert ".cluster-" in told["Endpoint"]
        assert ".cluster-ro-" in told["ReaderEndpoint"]

    def test_is_not_deleted_while_it_is_protected(self, world: World) -> None:
        cluster = world.cluster("database", DeletionProtection=True)
        with pytest.raises(ClientError, match="disable deletion protection"):
            cluster.delete()
        assert cluster.read() is not None

    def test_is_not_deleted_while_it_has_instances(self, world: World) -> None:
        cluster = world.cluster("database")
        world.make(
            "RDS::DBInstance",
            DBInstanceIdentifier="writer",
            DBClusterIdentifier="database",
            DBInstanceClass="db.r7g.large",
            Engine="aurora-postgresql",
        )
        with pytest.raises(ClientError, match="InvalidDBClusterStateFault"):
            cluster.delete()

    def test_has_its_instances(self, world: World) -> None:
        world.cluster("database")
        for name in ("writer", "reader-1"):
            made = world.make(
                "RDS::DBInstance",
                DBInstanceIdentifier=name,
                DBClusterIdentifier="database",
                DBInstanceClass="db.r7g.large",
                Engine="aurora-postgresql",
            )
            assert made.attributes["Endpoint.Port"] == 5432
        told = world.clients("rds").describe_db_clusters(DBClusterIdentifier="database")["DBClusters"][0]
        members = {each["DBInstanceIdentifier"]: each["IsClusterWriter"] for each in told["DBClusterMembers"]}
        assert members == {"writer": True, "reader-1": False}

    def test_exports_are_switched_one_by_one(self, world: World) -> None:
        cluster = world.cluster("database", EnableCloudwatchLogsExports=["postgresql"])
        cluster.update(EnableCloudwatchLogsExports=["postgresql", "iam-db-auth-error"])
        told = world.clients("rds").describe_db_clusters(DBClusterIdentifier="database")["DBClusters"][0]
        assert told["EnabledCloudwatchLogsExports"] == ["postgresql", "iam-db-auth-error"]

    def test_a_change_by_hand_is_told(self, world: World) -> None:
        cluster = world.cluster("database", BackupRetentionPeriod=7)
        world.clients("rds").modify_db_cluster(
            DBClusterIdentifier="database", BackupRetentionPeriod=1, ApplyImmediately=True
        )
        told = cluster.read()
        assert told is not None
        assert told["BackupRetentionPeriod"] == 1

    def test_what_the_template_drops_stays_where_aws_keeps_it(self, world: World) -> None:
        cluster = world.cluster("database", PreferredBackupWindow="02:00-03:00")
        cluster.update(PreferredBackupWindow=None)
        told = world.clients("rds").describe_db_clusters(DBClusterIdentifier="database")["DBClusters"][0]
        assert told["PreferredBackupWindow"] == "02:00-03:00"

    def test_many_parameters_go_in_batches(self, world: World) -> None:
        parameters = {f"parameter_{number:02}": str(number) for number in range(45)}
        group = world.make(
            "RDS::DBParameterGroup",
            DBParameterGroupName="many",
            Description="Many",
            Family="aurora-postgresql17",
            Parameters=parameters,
        )
        assert group.id == "many"
        assert group.read() == group.properties


class TestReplication:
    def make(self, world: World) -> tuple[Made, Any]:
        built = CASES["AWS::DMS::ReplicationTask"](world)
        return world.make("DMS::ReplicationTask", **built.properties), built

    def test_the_last_part_of_an_arn_is_the_resource_identifier(self, world: World) -> None:
        task, _ = self.make(world)
        assert task.id == "arn:aws:dms:us-east-1:123456789012:task:payments-for"
        assert task.attributes == {"ReplicationTaskArn": task.id}

    def test_a_task_that_runs_is_neither_changed_nor_deleted(self, world: World, account: Account) -> None:
        task, built = self.make(world)
        store = account.dms("us-east-1").store
        store.tasks[task.id].document["Status"] = "running"
        with pytest.raises(ClientError, match="InvalidResourceStateFault"):
            task.update(**built.changes)
        with pytest.raises(ClientError, match="InvalidResourceStateFault"):
            task.delete()
        store.tasks[task.id].document["Status"] = "stopped"
        task.delete()

    def test_a_task_is_gone_once_it_is_not_told_of_any_more(
        self, world: World, account: Account, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It has left the servers by then; what is left of it is removed on a thread of its own."""
        task, _ = self.make(world)
        service = account.dms("us-east-1")
        service.store.runs[task.id] = Run("dms_gone", "cdc", 0, 0, may_have_objects=True)
        polled: list[float] = []
        removed = threading.Event()
        monkeypatch.setattr(service.runner, "_remove_objects", lambda *_, **__: removed.wait(60))

        def poll(seconds: float) -> None:
            polled.append(seconds)
            removed.set()

        monkeypatch.setattr(dms_provider.time, "sleep", poll)
        task.delete()
        assert polled
        assert task.id not in service.store.tasks

    def test_an_instance_with_a_task_is_not_deleted(self, world: World) -> None:
        task, _ = self.make(world)
        instance = next(made for made in world.made if made.type == "AWS::DMS::ReplicationInstance")
        assert instance.id == task.properties["ReplicationInstanceArn"]
        with pytest.raises(ClientError, match="InvalidResourceStateFault"):
            instance.delete()

    def test_a_major_version_needs_leave(self, world: World) -> None:
        built = CASES["AWS::DMS::ReplicationInstance"](world)
        instance = world.make("DMS::ReplicationInstance", **{**built.properties, "EngineVersion": "2.4.5"})
        with pytest.raises(ClientError, match="AllowMajorVersionUpgrade"):
            instance.update(EngineVersion="3.6.1")
        instance.update(EngineVersion="3.6.1", AllowMajorVersionUpgrade=True)
        instance.update(AllowMajorVersionUpgrade=False)
        told = instance.read()
        assert told is not None
        assert told["EngineVersion"] == "3.6.1"

    def test_a_subnet_group_knows_its_subnets(self, world: World) -> None:
        built = CASES["AWS::DMS::ReplicationInstance"](world)
        instance = world.make("DMS::ReplicationInstance", **built.properties)
        told = world.clients("dms").describe_replication_instances(
            Filters=[{"Name": "replication-instance-arn", "Values": [instance.id]}]
        )["ReplicationInstances"][0]["ReplicationSubnetGroup"]
        subnets = [made.id for made in world.made if made.type == "AWS::EC2::Subnet"]
        assert sorted(subnet["SubnetIdentifier"] for subnet in told["Subnets"]) == sorted(subnets)

    def test_settings_that_the_template_drops_go(self, world: World) -> None:
        endpoint = world.make("DMS::Endpoint", **CASES["AWS::DMS::Endpoint"](world).properties)
        endpoint.update(PostgreSqlSettings={"CaptureDdls": True})
        told = world.clients("dms").describe_endpoints(Filters=[{"Name": "endpoint-arn", "Values": [endpoint.id]}])
        assert told["Endpoints"][0]["PostgreSQLSettings"] == {"CaptureDdls": True}


RULE = {
    "ExcludeCharacters": "IO01",
    "ExcludeLowercase": True,
    "ExcludePunctuation": True,
    "GenerateStringKey": "password",
    "PasswordLength": 40,
    "SecretStringTemplate": json.dumps({"username": "application"}),
}


class TestSecret:
    def test_a_password_is_made_after_the_rule(self, world: World) -> None:
        secret = world.make("SecretsManager::Secret", Name="generated", GenerateSecretString=RULE)
        value = value_of(world, secret.id)
        assert value["username"] == "application"
        assert len(value["password"]) == 40
        assert value["password"].isalnum()
        assert value["password"].upper() == value["password"]

    def test_a_password_alone(self, world: World) -> None:
        secret = world.make("SecretsManager::Secret", Name="alone", GenerateSecretString={"PasswordLength": 16})
        text = world.clients("secretsmanager").get_secret_value(SecretId=secret.id)["SecretString"]
        assert len(text) == 16

    def test_a_value_comes_with_a_changed_rule_and_only_with_it(self, world: World) -> None:
        secret = world.make("SecretsManager::Secret", Name="generated", GenerateSecretString=RULE)
        first = value_of(world, secret.id)
        secret.update(Description="Of the application")
        assert value_of(world, secret.id) == first
        secret.update(GenerateSecretString={**RULE, "PasswordLength": 20})
        assert len(value_of(world, secret.id)["password"]) == 20

    def test_a_value_stays_where_the_template_says_none(self, world: World) -> None:
        secret = world.make("SecretsManager::Secret", Name="given", SecretString='{"a": 1}')
        secret.update(SecretString=None)
        assert value_of(world, secret.id) == {"a": 1}

    def test_without_a_value(self, world: World) -> None:
        secret = world.make("SecretsManager::Secret", Name="empty")
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            value_of(world, secret.id)

    def test_its_name_is_free_at_once(self, world: World) -> None:
        world.make("SecretsManager::Secret", Name="again", SecretString="{}").delete()
        world.make("SecretsManager::Secret", Name="again", SecretString="{}")


class TestAttachment:
    def attach(self, world: World, **target: str) -> Made:
        secret = world.make(
            "SecretsManager::Secret", Name="tied", SecretString=json.dumps({"username": "a", "password": "b"})
        )
        return world.make("SecretsManager::SecretTargetAttachment", SecretId=secret.id, **target)

    def test_says_where_the_cluster_is(self, world: World) -> None:
        cluster = world.cluster("database")
        tied = self.attach(world, TargetId="database", TargetType="AWS::RDS::DBCluster")
        assert value_of(world, tied.id) == {
            "username": "a",
            "password": "b",
            "engine": "postgres",
            "host": cluster.attributes["Endpoint.Address"],
            "port": 5432,
            "dbname": "payments",
            "dbClusterIdentifier": "database",
        }
        tied.delete()
        assert value_of(world, tied.id) == {"username": "a", "password": "b"}

    def test_says_where_an_instance_is(self, world: World) -> None:
        instance = world.clients("rds").create_db_instance(
            DBInstanceIdentifier="lone",
            DBInstanceClass="db.t4g.micro",
            Engine="postgres",
            MasterUsername="owner",
            MasterUserPassword="not-a-real-one",
            AllocatedStorage=20,
        )["DBInstance"]
        tied = self.attach(world, TargetId="lone", TargetType="AWS::RDS::DBInstance")
        value = value_of(world, tied.id)
        assert (value["engine"], value["dbInstanceIdentifier"]) == ("postgres", "lone")
        assert "dbname" not in value
        assert value["port"] == instance["Endpoint"]["Port"]
        assert tied.read() == tied.properties
        tied.delete()
        world.clients("rds").delete_db_instance(DBInstanceIdentifier="lone", SkipFinalSnapshot=True)

    def test_of_a_secret_that_is_gone_is_gone(self, world: World) -> None:
        world.cluster("database")
        tied = self.attach(world, TargetId="database", TargetType="AWS::RDS::DBCluster")
        world.clients("secretsmanager").delete_secret(SecretId=tied.id, ForceDeleteWithoutRecovery=True)
        assert tied.read() is None
        tied.delete()

    def test_knows_no_other_targets(self, world: World) -> None:
        with pytest.raises(ProviderError, match="no secret can be attached to a AWS::Redshift::Cluster"):
            self.attach(world, TargetId="x", TargetType="AWS::Redshift::Cluster")

    def test_wants_a_secret(self, world: World) -> None:
        world.cluster("database")
        arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:none-AAAAAA"
        with pytest.raises(ProviderError, match="does not exist") as caught:
            world.make(
                "SecretsManager::SecretTargetAttachment",
                SecretId=arn,
                TargetId="database",
                TargetType="AWS::RDS::DBCluster",
            )
        assert caught.value.code == "ResourceNotFoundException"


class TestKey:
    def test_waits_for_its_end(self, world: World) -> None:
        key = world.make("KMS::Key", KeyPolicy=key_policy(), PendingWindowInDays=7)
        key.delete()
        told = world.clients("kms").describe_key(KeyId=key.id)["KeyMetadata"]
        assert told["KeyState"] == "PendingDeletion"
        waits = told["DeletionDate"] - told["CreationDate"]
        assert round(waits.total_seconds() / 86400) == 7
        assert key.attributes == {"Arn": told["Arn"], "KeyId": key.id}

    def test_rotates_when_told(self, world: World) -> None:
        kms = world.clients("kms")
        key = world.make("KMS::Key", KeyPolicy=key_policy(), EnableKeyRotation=False, Enabled=True)
        assert kms.get_key_rotation_status(KeyId=key.id)["KeyRotationEnabled"] is False
        key.update(EnableKeyRotation=True, RotationPeriodInDays=180)
        assert kms.get_key_rotation_status(KeyId=key.id)["KeyRotationEnabled"] is True
        key.update(EnableKeyRotation=None)
        assert kms.get_key_rotation_status(KeyId=key.id)["KeyRotationEnabled"] is False

    def test_is_off_when_told(self, world: World) -> None:
        kms = world.clients("kms")
        key = world.make("KMS::Key", KeyPolicy=key_policy(), Enabled=False)
        assert kms.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"] == "Disabled"
        key.update(Enabled=True)
        assert kms.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"] == "Enabled"
        key.update(Enabled=False)
        assert kms.describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"] == "Disabled"

    def test_tells_only_what_the_template_says(self, world: World) -> None:
        key = world.make("KMS::Key", Description="plain")
        assert key.read() == {"Description": "plain"}
