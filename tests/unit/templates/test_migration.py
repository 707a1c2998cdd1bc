from __future__ import annotations

import json
from typing import Any

import pytest

from contract import certificates
from templates import migration


def of_type(template: Any, kind: Any) -> Any:
    return {name: body for name, body in template["Resources"].items() if body["Type"] == kind}


@pytest.fixture(params=["dev", "staging", "prod"])
def env(request: Any) -> Any:
    return request.param


@pytest.fixture
def template(env: Any, settings: Any, compile_tier: Any) -> Any:
    return compile_tier(migration, settings(env))


@pytest.fixture
def instance(template: Any) -> Any:
    return template["Resources"]["ReplicationInstance"]["Properties"]


@pytest.fixture
def endpoints(template: Any) -> Any:
    return {name: body["Properties"] for name, body in of_type(template, "AWS::DMS::Endpoint").items()}


class TestReplicationInstance:
    def test_is_private_and_encrypted(self, instance: Any) -> None:
        assert instance["PubliclyAccessible"] is False
        assert instance["KmsKeyId"] == {"Ref": "DataKeyArn"}
        assert instance["VpcSecurityGroupIds"] == [{"Ref": "DmsSecurityGroupId"}]

    def test_is_as_params_say(self, instance: Any, env: Any, settings: Any) -> None:
        wanted = settings(env).migration
        assert instance["EngineVersion"] == wanted.engine_version
        assert instance["ReplicationInstanceClass"] == wanted.instance_class
        assert instance["AllocatedStorage"] == wanted.allocated_storage_gib
        assert instance["PreferredMaintenanceWindow"] == wanted.maintenance_window

    @pytest.mark.parametrize(("name", "standby"), [("dev", False), ("staging", True), ("prod", True)])
    def test_has_a_standby_in_staging_and_prod(self, name: Any, standby: Any, settings: Any, compile_tier: Any) -> None:
        template = compile_tier(migration, settings(name))
        assert template["Resources"]["ReplicationInstance"]["Properties"]["MultiAZ"] is standby

    def test_takes_minor_versions_and_no_major_one(self, instance: Any) -> None:
        assert instance["AutoMinorVersionUpgrade"] is True
        assert instance["AllowMajorVersionUpgrade"] is False

    def test_stands_in_the_private_subnets(self, template: Any, instance: Any) -> None:
        group = template["Resources"][instance["ReplicationSubnetGroupIdentifier"]["Ref"]]["Properties"]
        assert group["SubnetIds"] == [{"Ref": f"PrivateSubnet{number}Id"} for number in (1, 2, 3)]

    def test_writes_to_a_log_group_made_before_it(self, template: Any, instance: Any) -> None:
        group = template["Resources"]["LogGroup"]["Properties"]
        assert group["LogGroupName"] == f"dms-tasks-{instance['ReplicationInstanceIdentifier']}"
        assert group["KmsKeyId"] == {"Ref": "LogsKeyArn"}
        assert group["RetentionInDays"] == 365
        assert template["Resources"]["ReplicationInstance"]["DependsOn"] == "LogGroup"


class TestEndpoints:
    def test_two_of_them_make_each_direction(self, template: Any, endpoints: Any) -> None:
        tasks = of_type(template, "AWS::DMS::ReplicationTask")
        directions = {
            name: (
                endpoints[body["Properties"]["SourceEndpointArn"]["Ref"]]["EndpointIdentifier"].split("-", 2)[2],
                endpoints[body["Properties"]["TargetEndpointArn"]["Ref"]]["EndpointIdentifier"].split("-", 2)[2],
            )
            for name, body in tasks.items()
        }
        assert directions == {
            "ForwardTask": ("data-center-source", "aurora-target"),
            "ReverseTask": ("aurora-source", "data-center-target"),
        }

    @pytest.mark.parametrize(
        ("name", "kind", "engine", "secret", "certificate"),
        [
            ("DataCenterSource", "source", "postgres", "SourceDmsSecretArn", "DataCenterCertificate"),
            ("DataCenterTarget", "target", "postgres", "SourceDmsSecretArn", "DataCenterCertificate"),
            ("AuroraSource", "source", "aurora-postgresql", "DmsSecretArn", "AuroraCertificate"),
            ("AuroraTarget", "target", "aurora-postgresql", "DmsSecretArn", "AuroraCertificate"),
        ],
    )
    def test_each_knows_its_side(
        self, endpoints: Any, name: Any, kind: Any, engine: Any, secret: Any, certificate: Any
    ) -> None:
        endpoint = endpoints[name]
        assert endpoint["EndpointType"] == kind
        assert endpoint["EngineName"] == engine
        assert endpoint["DatabaseName"] == "payments"
        assert endpoint["PostgreSqlSettings"]["SecretsManagerSecretId"] == {"Ref": secret}
        assert endpoint["CertificateArn"] == {"Ref": certificate}

    def test_each_verifies_the_server_in_full(self, endpoints: Any) -> None:
        assert len(endpoints) == 4
        for endpoint in endpoints.values():
            assert endpoint["SslMode"] == "verify-full"

    def test_each_has_its_credentials_from_a_secret_alone(self, endpoints: Any) -> None:
        for endpoint in endpoints.values():
            assert endpoint["KmsKeyId"] == {"Ref": "DataKeyArn"}
            assert endpoint["PostgreSqlSettings"]["SecretsManagerAccessRoleArn"] == {"Ref": "DmsSecretsRoleArn"}
            assert not {"ServerName", "Port", "Username", "Password"} & set(endpoint)

    def test_amounts_and_booleans_keep_their_types_on_both_ends(self, endpoints: Any) -> None:
        for endpoint in endpoints.values():
            assert endpoint["ExtraConnectionAttributes"] == "MapUnboundedNumericAsString=true"
            assert endpoint["PostgreSqlSettings"]["MapBooleanAsBoolean"] is True
            assert endpoint["PostgreSqlSettings"]["ExecuteTimeout"] > 60

    def test_sources_keep_their_slot_moving_and_cut_nothing(self, endpoints: Any, env: Any, settings: Any) -> None:
        for name in ("DataCenterSource", "AuroraSource"):
            found = endpoints[name]["PostgreSqlSettings"]
            assert found["HeartbeatEnable"] is True
            assert found["HeartbeatFrequency"] == settings(env).migration.heartbeat_minutes
            assert found["HeartbeatSchema"] == found["DdlArtifactsSchema"] == "awsdms"
            assert found["FailTasksOnLobTruncation"] is True
            assert found["CaptureDdls"] is True
            assert found["PluginName"] == "test-decoding"
            assert "AfterConnectScript" not in found

    def test_targets_fire_no_triggers(self, endpoints: Any) -> None:
        for name in ("DataCenterTarget", "AuroraTarget"):
            found = endpoints[name]["PostgreSqlSettings"]
            assert found["AfterConnectScript"] == "SET session_replication_role = replica"
            assert "HeartbeatEnable" not in found


class TestCertificates:
    def test_hold_the_text_of_the_files(self, template: Any) -> None:
        for title, path in (
            ("DataCenterCertificate", "params/data-center-ca.pem"),
            ("AuroraCertificate", "validator/certificates/rds-us-east-1.pem"),
        ):
            pem = template["Resources"][title]["Properties"]["CertificatePem"]
            assert pem.startswith("-----BEGIN CERTIFICATE-----\n")
            file = (certificates.REPOSITORY / path).read_text()
            assert pem.count("BEGIN CERTIFICATE") == file.count("BEGIN CERTIFICATE") > 0

    def test_are_renamed_when_they_change_because_they_can_only_be_replaced(
        self, settings: Any, compile_anew: Any, tmp_path: Any, monkeypatch: Any
    ) -> None:
        (tmp_path / "params").mkdir()
        (tmp_path / "validator/certificates").mkdir(parents=True)
        roots = (certificates.REPOSITORY / "validator/certificates/rds-us-east-1.pem").read_text()
        (tmp_path / "validator/certificates/rds-us-east-1.pem").write_text(roots)
        names = set()
        for length in (1, 2):
            parts = roots.split("-----END CERTIFICATE-----\n")[:length]
            text = "".join(part + "-----END CERTIFICATE-----\n" for part in parts)
            (tmp_path / "params/data-center-ca.pem").write_text(text)
            monkeypatch.setattr(certificates, "REPOSITORY", tmp_path)
            template = compile_anew(migration, settings("dev"))
            names.add(template["Resources"]["DataCenterCertificate"]["Properties"]["CertificateIdentifier"])
        assert len(names) == 2


class TestTasks:
    def test_forward_loads_everything_and_follows(self, template: Any) -> None:
        assert template["Resources"]["ForwardTask"]["Properties"]["MigrationType"] == "full-load-and-cdc"

    def test_reverse_only_follows(self, template: Any) -> None:
        assert template["Resources"]["ReverseTask"]["Properties"]["MigrationType"] == "cdc"

    def test_embedded_documents_are_canonical_json(self, template: Any) -> None:
        for body in of_type(template, "AWS::DMS::ReplicationTask").values():
            for name in ("TableMappings", "ReplicationTaskSettings"):
                text = body["Properties"][name]
                document = json.loads(text)
                assert document
                assert text == json.dumps(document, sort_keys=True, separators=(",", ":"))

    def test_schemas_and_lob_limit_come_from_params(self, settings: Any, compile_tier: Any) -> None:
        template = compile_tier(
            migration, settings("dev", migration={"schemas": ["cards", "ledger"], "max_lob_kib": 77})
        )
        for body in of_type(template, "AWS::DMS::ReplicationTask").values():
            rules = json.loads(body["Properties"]["TableMappings"])["rules"]
            assert [r["object-locator"]["schema-name"] for r in rules if r["rule-action"] == "include"] == [
                "cards",
                "ledger",
                "cutover",
            ]
            assert json.loads(body["Properties"]["ReplicationTaskSettings"])["TargetMetadata"]["LobMaxSize"] == 77

    def test_both_directions_leave_out_the_same_tables(self, settings: Any, compile_tier: Any) -> None:
        excluded = {"schemas": ["cards"], "excluded_tables": ["cards.entry"]}
        template = compile_tier(migration, settings("dev", migration=excluded))
        forward, reverse = (
            body["Properties"]["TableMappings"] for body in of_type(template, "AWS::DMS::ReplicationTask").values()
        )
        assert forward == reverse
        assert {"schema-name": "cards", "table-name": "entry"} in [
            rule["object-locator"] for rule in json.loads(forward)["rules"] if rule["rule-action"] == "exclude"
        ]

    def test_ids_are_the_dimensions_that_alarms_name(self, template: Any, env: Any) -> None:
        outputs = {name: output["Value"] for name, output in template["Outputs"].items()}
        for direction, part in (("Forward", "for"), ("Reverse", "rev")):
            task = template["Resources"][f"{direction}Task"]["Properties"]
            assert task["ResourceIdentifier"] == outputs[f"{direction}TaskId"] == f"payments-{env}-{part}"
            assert outputs[f"{direction}TaskArn"] == {"Ref": f"{direction}Task"}
        identifier = template["Resources"]["ReplicationInstance"]["Properties"]["ReplicationInstanceIdentifier"]
        assert outputs["ReplicationInstanceId"] == identifier == identifier.lower()

    def test_outputs_name_the_endpoints_by_direction(self, template: Any) -> None:
        outputs = {name: output["Value"] for name, output in template["Outputs"].items()}
        assert outputs["DataCenterSourceArn"] == {"Ref": "DataCenterSource"}
        assert outputs["AuroraTargetArn"] == {"Ref": "AuroraTarget"}
        assert outputs["AuroraSourceArn"] == {"Ref": "AuroraSource"}
        assert outputs["DataCenterTargetArn"] == {"Ref": "DataCenterTarget"}
        assert outputs["ReplicationInstanceArn"] == {"Ref": "ReplicationInstance"}
        assert outputs["LogGroupName"] == {"Ref": "LogGroup"}

    @pytest.mark.parametrize(("name", "kept"), [("dev", False), ("prod", True)])
    def test_all_of_it_is_kept_together_or_not_at_all(
        self, name: Any, kept: Any, settings: Any, compile_tier: Any, is_kept: Any
    ) -> None:
        template = compile_tier(migration, settings(name))
        for body in template["Resources"].values():
            assert is_kept(body) == kept
