from __future__ import annotations

import json
import re
from typing import Any

import pytest

from templates import database
from templates.database_parameters import family, major


def of_type(template: Any, kind: Any) -> Any:
    return {name: body for name, body in template["Resources"].items() if body["Type"] == kind}


@pytest.fixture(params=["dev", "staging", "prod"])
def env(request: Any) -> Any:
    return request.param


@pytest.fixture
def template(env: Any, settings: Any, compile_tier: Any) -> Any:
    return compile_tier(database, settings(env))


@pytest.fixture
def prod(settings: Any, compile_tier: Any) -> Any:
    return compile_tier(database, settings("prod"))


@pytest.fixture
def dev(settings: Any, compile_tier: Any) -> Any:
    return compile_tier(database, settings("dev"))


def cluster(template: Any) -> Any:
    return template["Resources"]["Cluster"]


class TestCluster:
    def test_is_aurora_postgresql_of_a_literal_version(self, template: Any, env: Any, settings: Any) -> None:
        properties = cluster(template)["Properties"]
        assert properties["Engine"] == "aurora-postgresql"
        assert properties["EngineVersion"] == settings(env).database.engine_version
        assert properties["EngineLifecycleSupport"] == "open-source-rds-extended-support-disabled"

    def test_is_encrypted_with_the_data_key(self, template: Any) -> None:
        properties = cluster(template)["Properties"]
        assert properties["StorageEncrypted"] is True
        assert properties["KmsKeyId"] == {"Ref": "DataKeyArn"}
        assert properties["PerformanceInsightsKmsKeyId"] == {"Ref": "DataKeyArn"}

    def test_leaves_the_master_password_to_rds(self, template: Any) -> None:
        properties = cluster(template)["Properties"]
        assert properties["ManageMasterUserPassword"] is True
        assert properties["MasterUserSecret"] == {"KmsKeyId": {"Ref": "DataKeyArn"}}
        assert properties["MasterUsername"] not in {"admin", "postgres"}
        assert "MasterUserPassword" not in properties

    def test_stands_in_the_private_subnets_behind_its_security_group(self, template: Any) -> None:
        properties = cluster(template)["Properties"]
        group = template["Resources"][properties["DBSubnetGroupName"]["Ref"]]["Properties"]
        assert group["SubnetIds"] == [{"Ref": f"PrivateSubnet{number}Id"} for number in (1, 2, 3)]
        assert properties["VpcSecurityGroupIds"] == [{"Ref": "DatabaseSecurityGroupId"}]

    @pytest.mark.parametrize(("name", "days"), [("dev", 7), ("staging", 7), ("prod", 35)])
    def test_is_backed_up_for_as_many_days_as_the_environment_wants(
        self, name: Any, days: Any, settings: Any, compile_tier: Any
    ) -> None:
        properties = cluster(compile_tier(database, settings(name)))["Properties"]
        assert properties["BackupRetentionPeriod"] == days
        assert properties["PreferredBackupWindow"] == "02:00-03:00"
        assert properties["PreferredMaintenanceWindow"] == "sun:04:00-sun:05:00"
        assert properties["CopyTagsToSnapshot"] is True

    def test_lets_users_sign_in_with_tokens(self, template: Any) -> None:
        assert cluster(template)["Properties"]["EnableIAMDatabaseAuthentication"] is True

    def test_is_hard_to_delete_where_durable(self, prod: Any) -> None:
        assert cluster(prod)["Properties"]["DeletionProtection"] is True
        assert cluster(prod)["Properties"]["DeleteAutomatedBackups"] is False
        assert cluster(prod)["DeletionPolicy"] == cluster(prod)["UpdateReplacePolicy"] == "Snapshot"

    def test_leaves_no_trace_where_disposable(self, dev: Any) -> None:
        assert cluster(dev)["Properties"]["DeletionProtection"] is False
        assert cluster(dev)["Properties"]["DeleteAutomatedBackups"] is True
        assert {body.get("DeletionPolicy", "Delete") for body in dev["Resources"].values()} == {"Delete"}
        assert {body.get("UpdateReplacePolicy", "Delete") for body in dev["Resources"].values()} == {"Delete"}

    @pytest.mark.parametrize(("days", "mode"), [(7, "standard"), (465, "advanced")])
    def test_insights_mode_follows_their_retention(
        self, days: Any, mode: Any, settings: Any, compile_tier: Any
    ) -> None:
        chosen = settings("dev", database={"insights_retention_days": days})
        properties = cluster(compile_tier(database, chosen))["Properties"]
        assert properties["DatabaseInsightsMode"] == mode
        assert properties["PerformanceInsightsEnabled"] is True
        assert properties["PerformanceInsightsRetentionPeriod"] == days


class TestLogs:
    def test_every_exported_log_has_a_group_made_before_the_cluster(self, template: Any, env: Any) -> None:
        identifier = cluster(template)["Properties"]["DBClusterIdentifier"]
        exported = cluster(template)["Properties"]["EnableCloudwatchLogsExports"]
        assert exported == ["postgresql", "iam-db-auth-error"]
        groups = of_type(template, "AWS::Logs::LogGroup")
        assert {body["Properties"]["LogGroupName"] for body in groups.values()} == {
            f"/aws/rds/cluster/{identifier}/{log_type}" for log_type in exported
        }
        assert set(cluster(template)["DependsOn"]) == set(groups)
        assert identifier == f"payments-{env}-database"

    def test_groups_are_encrypted_and_kept_a_year_but_not_forever(self, template: Any) -> None:
        for body in of_type(template, "AWS::Logs::LogGroup").values():
            assert body["Properties"]["KmsKeyId"] == {"Ref": "LogsKeyArn"}
            assert body["Properties"]["RetentionInDays"] == 365


class TestParameters:
    @pytest.mark.parametrize(
        ("version", "expected"), [("17.7", "aurora-postgresql17"), ("16.13", "aurora-postgresql16")]
    )
    def test_family_follows_the_major_version(
        self, version: Any, expected: Any, settings: Any, compile_tier: Any
    ) -> None:
        template = compile_tier(database, settings("dev", database={"engine_version": version}))
        for kind in ("AWS::RDS::DBClusterParameterGroup", "AWS::RDS::DBParameterGroup"):
            (body,) = of_type(template, kind).values()
            assert body["Properties"]["Family"] == expected == family(version)

    def test_an_upgrade_renames_the_groups_so_that_they_can_be_replaced(self, settings: Any, compile_tier: Any) -> None:
        names = []
        for version in ("16.13", "17.7"):
            template = compile_tier(database, settings("dev", database={"engine_version": version}))
            (body,) = of_type(template, "AWS::RDS::DBClusterParameterGroup").values()
            names.append(body["Properties"]["DBClusterParameterGroupName"])
            (body,) = of_type(template, "AWS::RDS::DBParameterGroup").values()
            names.append(body["Properties"]["DBParameterGroupName"])
        assert len(set(names)) == 4
        assert major("17.7") == "17"

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("rds.force_ssl", "1"),
            ("ssl_min_protocol_version", "TLSv1.2"),
            ("password_encryption", "scram-sha-256"),
            ("rds.logical_replication", "1"),
            ("synchronous_commit", "on"),
            ("wal_sender_timeout", "30000"),
            ("idle_in_transaction_session_timeout", "0"),
            ("log_connections", "1"),
            ("log_disconnections", "1"),
            ("log_lock_waits", "1"),
            ("pgaudit.log", "ddl,role"),
            ("pgaudit.role", "rds_pgaudit"),
        ],
    )
    def test_the_cluster_is_set_up_for_tls_replication_and_audit(self, name: Any, value: Any, template: Any) -> None:
        group = template["Resources"][cluster(template)["Properties"]["DBClusterParameterGroupName"]["Ref"]]
        assert group["Properties"]["Parameters"][name] == value

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("log_statement", "none"),
            ("log_min_duration_statement", "-1"),
            ("log_min_error_statement", "panic"),
            ("log_error_verbosity", "terse"),
            ("log_parameter_max_length", "0"),
            ("log_parameter_max_length_on_error", "0"),
            ("pgaudit.log_parameter", "0"),
            ("pg_stat_statements.track_utility", "0"),
        ],
    )
    def test_no_statement_parameter_or_detail_reaches_a_log(self, name: Any, value: Any, template: Any) -> None:
        group = template["Resources"][cluster(template)["Properties"]["DBClusterParameterGroupName"]["Ref"]]
        assert group["Properties"]["Parameters"][name] == value

    def test_every_library_that_a_parameter_is_of_is_loaded(self, template: Any) -> None:
        (body,) = of_type(template, "AWS::RDS::DBClusterParameterGroup").values()
        parameters = body["Properties"]["Parameters"]
        loaded = parameters["shared_preload_libraries"].split(",")
        assert {name.partition(".")[0] for name in parameters if "." in name} - {"rds"} <= set(loaded)

    def test_values_are_strings_as_the_api_takes_them(self, template: Any) -> None:
        for kind in ("AWS::RDS::DBClusterParameterGroup", "AWS::RDS::DBParameterGroup"):
            (body,) = of_type(template, kind).values()
            assert all(isinstance(value, str) for value in body["Properties"]["Parameters"].values())


class TestInstances:
    def test_each_times_its_reads_and_writes(self, template: Any) -> None:
        parameters = template["Resources"]["InstanceParameters"]["Properties"]["Parameters"]
        assert parameters == {"track_io_timing": "1"}

    def test_one_writer_and_two_readers_each_in_a_zone_of_its_own(self, template: Any, env: Any) -> None:
        instances = of_type(template, "AWS::RDS::DBInstance")
        assert {body["Properties"]["DBInstanceIdentifier"] for body in instances.values()} == {
            f"payments-{env}-writer",
            f"payments-{env}-reader-1",
            f"payments-{env}-reader-2",
        }
        zones = [body["Properties"]["AvailabilityZone"]["Ref"] for body in instances.values()]
        assert sorted(zones) == ["AvailabilityZone1", "AvailabilityZone2", "AvailabilityZone3"]

    def test_the_writer_comes_first_and_is_promoted_first(self, template: Any) -> None:
        instances = of_type(template, "AWS::RDS::DBInstance")
        assert "DependsOn" not in instances["Writer"]
        assert instances["Reader1"]["DependsOn"] == instances["Reader2"]["DependsOn"] == "Writer"
        tiers = [instances[name]["Properties"]["PromotionTier"] for name in ("Writer", "Reader1", "Reader2")]
        assert tiers == [0, 1, 2]

    def test_each_belongs_to_the_cluster_and_is_private(self, template: Any, env: Any, settings: Any) -> None:
        wanted = settings(env).database
        for body in of_type(template, "AWS::RDS::DBInstance").values():
            properties = body["Properties"]
            assert properties["DBClusterIdentifier"] == {"Ref": "Cluster"}
            assert properties["PubliclyAccessible"] is False
            assert properties["DBInstanceClass"] == wanted.instance_class
            assert properties["CACertificateIdentifier"] == wanted.ca_certificate
            assert properties["DBParameterGroupName"] == {"Ref": "InstanceParameters"}

    def test_each_is_monitored(self, template: Any, env: Any, settings: Any) -> None:
        for body in of_type(template, "AWS::RDS::DBInstance").values():
            assert body["Properties"]["MonitoringInterval"] == settings(env).database.monitoring_interval_seconds > 0
            assert body["Properties"]["MonitoringRoleArn"] == {"Ref": "MonitoringRoleArn"}

    def test_none_outlives_its_cluster(self, template: Any) -> None:
        for body in of_type(template, "AWS::RDS::DBInstance").values():
            assert body["DeletionPolicy"] == body["UpdateReplacePolicy"] == "Delete"

    @pytest.mark.parametrize("wanted", [True, False])
    def test_minor_versions_come_as_params_say(self, wanted: bool, settings: Any, compile_tier: Any) -> None:
        template = compile_tier(database, settings("dev", database={"auto_minor_version_upgrade": wanted}))
        for body in of_type(template, "AWS::RDS::DBInstance").values():
            assert body["Properties"]["AutoMinorVersionUpgrade"] is wanted


class TestSecrets:
    def test_each_consumer_has_one_on_each_side(self, template: Any, env: Any) -> None:
        secrets = of_type(template, "AWS::SecretsManager::Secret")
        assert {body["Properties"]["Name"] for body in secrets.values()} == {
            f"payments/{env}/{part}"
            for consumer in ("application", "dms", "validator", "cutover")
            for part in (consumer, f"source-{consumer}")
        }
        for body in secrets.values():
            assert body["Properties"]["KmsKeyId"] == {"Ref": "DataKeyArn"}

    def test_each_user_is_of_one_consumer_alone(self, template: Any) -> None:
        users = {
            body["Properties"]["Name"].rpartition("/")[2]: form(body)["username"]
            for body in of_type(template, "AWS::SecretsManager::Secret").values()
        }
        assert users["application"] == users["source-application"] == "payments_application"
        assert users["dms"] == users["source-dms"] == "payments_dms"
        assert users["validator"] == users["source-validator"] == "payments_validator"
        assert users["cutover"] == users["source-cutover"] == "payments_cutover"

    def test_passwords_are_generated_and_dms_can_read_them(self, template: Any) -> None:
        for body in of_type(template, "AWS::SecretsManager::Secret").values():
            generate = body["Properties"]["GenerateSecretString"]
            assert generate["GenerateStringKey"] == "password"
            assert generate["PasswordLength"] >= 32
            assert generate["RequireEachIncludedType"] is True
            assert set(";.:+{}*&,%\\\"'/@ ") - {" "} <= set(generate["ExcludeCharacters"])
            assert "IncludeSpace" not in generate
            assert "SecretString" not in body["Properties"]

    def test_those_on_aurora_get_their_host_by_attachment(self, template: Any) -> None:
        attachments = of_type(template, "AWS::SecretsManager::SecretTargetAttachment")
        assert {body["Properties"]["SecretId"]["Ref"] for body in attachments.values()} == {
            "ApplicationSecret",
            "CutoverSecret",
            "DmsSecret",
            "ValidatorSecret",
        }
        for body in attachments.values():
            assert body["Properties"]["TargetId"] == {"Ref": "Cluster"}
            assert body["Properties"]["TargetType"] == "AWS::RDS::DBCluster"

    def test_those_on_aurora_name_its_database(self, settings: Any, compile_tier: Any) -> None:
        template = compile_tier(database, settings("dev", database={"name": "cards"}))
        for name in ("ApplicationSecret", "CutoverSecret", "DmsSecret", "ValidatorSecret"):
            assert form(template["Resources"][name]) == {
                "dbname": "cards",
                "username": f"payments_{name.removesuffix('Secret').lower()}",
            }
        assert cluster(template)["Properties"]["DatabaseName"] == "cards"

    def test_those_in_the_data_center_hold_its_host(self, settings: Any, compile_tier: Any) -> None:
        place = {"database_host": "db.example", "database_port": 6432, "database_name": "cards"}
        template = compile_tier(database, settings("dev", data_center=place))
        for name in ("SourceApplicationSecret", "SourceDmsSecret", "SourceValidatorSecret"):
            found = form(template["Resources"][name])
            assert (found["host"], found["port"], found["dbname"]) == ("db.example", 6432, "cards")
            assert found["engine"] == "postgres"

    def test_that_nothing_rotates_them_is_an_exception_with_a_reason(self, template: Any) -> None:
        for body in of_type(template, "AWS::SecretsManager::Secret").values():
            assert "runbooks/database-users.md" in body["Metadata"]["Exceptions"]["E9116"]

    def test_they_are_kept_where_durable(self, prod: Any, is_kept: Any) -> None:
        for body in of_type(prod, "AWS::SecretsManager::Secret").values():
            assert is_kept(body)


class TestTokens:
    @pytest.mark.parametrize(
        ("title", "role", "user"),
        [
            ("ApplicationTokenPolicy", "TaskRoleName", "payments_application"),
            ("ValidatorTokenPolicy", "ValidatorRoleName", "payments_validator"),
        ],
    )
    def test_a_role_signs_in_to_this_cluster_as_its_own_user(
        self, template: Any, title: Any, role: Any, user: Any
    ) -> None:
        properties = template["Resources"][title]["Properties"]
        assert properties["Roles"] == [{"Ref": role}]
        (statement,) = properties["PolicyDocument"]["Statement"]
        assert statement["Effect"] == "Allow"
        assert statement["Action"] == ["rds-db:connect"]
        (resource,) = statement["Resource"]
        assert resource["Fn::Sub"].endswith(":dbuser:${Cluster.DBClusterResourceId}/" + user)


def test_no_password_is_written_anywhere(template: Any) -> None:
    text = json.dumps(template)
    assert not re.search(r'"[A-Za-z]*Password": "(?!\{\{resolve)', text)
    for body in of_type(template, "AWS::SecretsManager::Secret").values():
        assert "password" not in form(body)


class TestPointer:
    @pytest.mark.parametrize("side", ["data_center", "aurora"])
    def test_begins_where_params_say_and_can_name_nothing_else(
        self, side: str, settings: Any, compile_tier: Any
    ) -> None:
        template = compile_tier(database, settings("dev", service={"database": side}))
        pointer = template["Resources"]["Pointer"]
        assert pointer["Type"] == "AWS::SSM::Parameter"
        assert pointer["Properties"]["Name"] == "/payments/dev/database"
        assert (pointer["Properties"]["Type"], pointer["Properties"]["Value"]) == ("String", side)
        assert re.fullmatch(pointer["Properties"]["AllowedPattern"], side)
        assert not re.fullmatch(pointer["Properties"]["AllowedPattern"], "both")
        assert template["Outputs"]["PointerName"]["Value"] == {"Ref": "Pointer"}

    def test_outlives_a_durable_stack(self, template: Any, env: Any, is_kept: Any) -> None:
        assert is_kept(template["Resources"]["Pointer"]) == (env == "prod")


def test_outputs_name_the_cluster_its_instances_and_secrets(template: Any) -> None:
    assert set(template["Outputs"]) == {
        "ApplicationSecretArn", "ClusterEndpoint", "ClusterId", "ClusterResourceId", "CutoverSecretArn",
        "DmsSecretArn", "MasterSecretArn", "PointerName", "Port", "Reader1InstanceId", "Reader2InstanceId",
        "ReaderEndpoint", "SourceApplicationSecretArn", "SourceCutoverSecretArn", "SourceDmsSecretArn",
        "SourceValidatorSecretArn", "ValidatorSecretArn", "WriterInstanceId",
    }  # fmt: skip
    value = {name: output["Value"] for name, output in template["Outputs"].items()}
    assert value["ClusterEndpoint"] == {"Fn::GetAtt": ["Cluster", "Endpoint.Address"]}
    assert value["ReaderEndpoint"] == {"Fn::GetAtt": ["Cluster", "ReadEndpoint.Address"]}
    assert value["MasterSecretArn"] == {"Fn::GetAtt": ["Cluster", "MasterUserSecret.SecretArn"]}
    assert value["Port"] == {"Fn::GetAtt": ["Cluster", "Endpoint.Port"]}
    assert value["ClusterResourceId"] == {"Fn::GetAtt": ["Cluster", "DBClusterResourceId"]}
    assert value["WriterInstanceId"] == {"Ref": "Writer"}
    assert value["DmsSecretArn"] == {"Ref": "DmsSecret"}
    assert value["SourceDmsSecretArn"] == {"Ref": "SourceDmsSecret"}
    assert value["ApplicationSecretArn"] == {"Ref": "ApplicationSecret"}
    assert value["SourceApplicationSecretArn"] == {"Ref": "SourceApplicationSecret"}


def form(secret: Any) -> Any:
    return json.loads(secret["Properties"]["GenerateSecretString"]["SecretStringTemplate"])
