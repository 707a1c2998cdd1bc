from __future__ import annotations

import json
import pickle
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError


def _certificate() -> str:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Data centre")])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, datetime.now(UTC), datetime.now(UTC) + timedelta(1)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


PEM = _certificate()


@pytest.fixture
def dms(remote: Any) -> Any:
    return remote("dms")


def _new(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def _refused(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"]


@pytest.fixture(scope="module")
def subnets(remote: Any) -> tuple[str, list[str]]:
    ec2 = remote("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    made = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"]
        for number, zone in enumerate("abc")
    ]
    return vpc, [subnet["SubnetId"] for subnet in made]


def _group(dms: Any, subnets: tuple[str, list[str]], **more: Any) -> dict[str, Any]:
    return dms.create_replication_subnet_group(
        ReplicationSubnetGroupIdentifier=_new("Group"),
        ReplicationSubnetGroupDescription="d",
        SubnetIds=subnets[1][:2],
        **more,
    )["ReplicationSubnetGroup"]


def _instance(dms: Any, **more: Any) -> dict[str, Any]:
    given = {"ReplicationInstanceIdentifier": _new("instance"), "ReplicationInstanceClass": "dms.t3.medium", **more}
    return dms.create_replication_instance(**given)["ReplicationInstance"]


def _endpoint(dms: Any, side: str = "source", **more: Any) -> dict[str, Any]:
    given = {"EndpointIdentifier": _new(side), "EndpointType": side, "EngineName": "postgres", **more}
    return dms.create_endpoint(**given)["Endpoint"]


def _task(dms: Any, **more: Any) -> dict[str, Any]:
    given = {
        "ReplicationTaskIdentifier": _new("task"),
        "SourceEndpointArn": _endpoint(dms)["EndpointArn"],
        "TargetEndpointArn": _endpoint(dms, "target")["EndpointArn"],
        "ReplicationInstanceArn": _instance(dms)["ReplicationInstanceArn"],
        "MigrationType": "full-load-and-cdc",
        "TableMappings": '{"rules": []}',
        **more,
    }
    return dms.create_replication_task(**given)["ReplicationTask"]


def _described(dms: Any, arn: str) -> dict[str, Any]:
    found = dms.describe_replication_tasks(Filters=[{"Name": "replication-task-arn", "Values": [arn]}])
    return found["ReplicationTasks"][0]


class TestCertificates:
    def test_is_read_and_told(self, dms: Any) -> None:
        name = _new("certificate")
        made = dms.import_certificate(
            CertificateIdentifier=name, CertificatePem=PEM, Tags=[{"Key": "a", "Value": "1"}]
        )["Certificate"]
        by_arn = [{"Name": "certificate-arn", "Values": [made["CertificateArn"]]}]
        assert dms.describe_certificates(Filters=by_arn)["Certificates"] == [made]
        assert made["CertificateOwner"] == "CN=Data centre"
        assert made["KeyLength"] == 2048
        assert made["SigningAlgorithm"] == "sha256WithRSAEncryption"
        assert made["ValidFromDate"] < made["ValidToDate"]
        assert _refused(dms.import_certificate, CertificateIdentifier=name.upper(), CertificatePem=PEM) == (
            "ResourceAlreadyExistsFault"
        )
        dms.delete_certificate(CertificateArn=made["CertificateArn"])
        assert _refused(dms.describe_certificates, Filters=by_arn) == "ResourceNotFoundFault"
        assert _refused(dms.delete_certificate, CertificateArn=made["CertificateArn"]) == "ResourceNotFoundFault"
        assert _refused(dms.list_tags_for_resource, ResourceArn=made["CertificateArn"]) == "ResourceNotFoundFault"

    def test_what_is_none_is_refused(self, dms: Any) -> None:
        refusal = _refused(dms.import_certificate, CertificateIdentifier=_new("c"), CertificatePem="no certificate")
        assert refusal == "InvalidCertificateFault"

    def test_a_wallet_is_not_read(self, dms: Any) -> None:
        made = dms.import_certificate(CertificateIdentifier=_new("c"), CertificateWallet=b"wallet")["Certificate"]
        assert "KeyLength" not in made

    def test_stays_while_an_endpoint_uses_it(self, dms: Any) -> None:
        made = dms.import_certificate(CertificateIdentifier=_new("c"), CertificatePem=PEM)["Certificate"]
        arn = made["CertificateArn"]
        _endpoint(dms)
        endpoint = _endpoint(dms, CertificateArn=arn, SslMode="verify-full")
        assert _refused(dms.delete_certificate, CertificateArn=arn) == "InvalidResourceStateFault"
        dms.delete_endpoint(EndpointArn=endpoint["EndpointArn"])
        dms.delete_certificate(CertificateArn=arn)


class TestSubnetGroups:
    def test_tells_the_real_subnets(self, dms: Any, subnets: tuple[str, list[str]]) -> None:
        made = _group(dms, subnets, Tags=[{"Key": "a", "Value": "1"}])
        name = made["ReplicationSubnetGroupIdentifier"]
        assert name == name.lower()
        assert made["VpcId"] == subnets[0]
        assert [one["SubnetIdentifier"] for one in made["Subnets"]] == subnets[1][:2]
        assert [one["SubnetAvailabilityZone"]["Name"] for one in made["Subnets"]] == ["us-east-1a", "us-east-1b"]
        changed = dms.modify_replication_subnet_group(
            ReplicationSubnetGroupIdentifier=name, ReplicationSubnetGroupDescription="new", SubnetIds=subnets[1][1:]
        )["ReplicationSubnetGroup"]
        by_name = [{"Name": "replication-subnet-group-id", "Values": [name]}]
        assert dms.describe_replication_subnet_groups(Filters=by_name)["ReplicationSubnetGroups"] == [changed]
        assert changed["ReplicationSubnetGroupDescription"] == "new"
        assert [one["SubnetIdentifier"] for one in changed["Subnets"]] == subnets[1][1:]
        arn = f"arn:aws:dms:us-east-1:123456789012:subgrp:{name}"
        assert dms.list_tags_for_resource(ResourceArn=arn)["TagList"] == [
            {"Key": "a", "Value": "1", "ResourceArn": arn}
        ]
        dms.delete_replication_subnet_group(ReplicationSubnetGroupIdentifier=name)
        assert _refused(dms.describe_replication_subnet_groups, Filters=by_name) == "ResourceNotFoundFault"

    def test_needs_subnets_that_exist_in_two_zones(self, dms: Any, subnets: tuple[str, list[str]]) -> None:
        given = {"ReplicationSubnetGroupIdentifier": _new("g"), "ReplicationSubnetGroupDescription": "d"}
        assert _refused(dms.create_replication_subnet_group, **given, SubnetIds=["subnet-12345678"]) == "InvalidSubnet"
        assert _refused(dms.create_replication_subnet_group, **given, SubnetIds=subnets[1][:1]) == (
            "ReplicationSubnetGroupDoesNotCoverEnoughAZs"
        )

    def test_stays_while_an_instance_is_in_it(self, dms: Any, subnets: tuple[str, list[str]]) -> None:
        name = _group(dms, subnets)["ReplicationSubnetGroupIdentifier"]
        _instance(dms)
        instance = _instance(dms, ReplicationSubnetGroupIdentifier=name)
        assert _refused(dms.delete_replication_subnet_group, ReplicationSubnetGroupIdentifier=name) == (
            "InvalidResourceStateFault"
        )
        dms.delete_replication_instance(ReplicationInstanceArn=instance["ReplicationInstanceArn"])
        dms.delete_replication_subnet_group(ReplicationSubnetGroupIdentifier=name)


class TestInstances:
    def test_keeps_what_it_is_given(self, dms: Any, subnets: tuple[str, list[str]]) -> None:
        group = _group(dms, subnets)
        made = _instance(
            dms,
            ReplicationSubnetGroupIdentifier=group["ReplicationSubnetGroupIdentifier"],
            ResourceIdentifier="own-name",
            VpcSecurityGroupIds=["sg-1"],
            MultiAZ=True,
            EngineVersion="3.5.4",
        )
        assert made["ReplicationInstanceStatus"] == "creating"
        arn = made["ReplicationInstanceArn"]
        assert arn == "arn:aws:dms:us-east-1:123456789012:rep:own-name"
        by_arn = [{"Name": "replication-instance-arn", "Values": [arn]}]
        (found,) = dms.describe_replication_instances(Filters=by_arn)["ReplicationInstances"]
        assert found["ReplicationInstanceStatus"] == "available"
        assert found["ReplicationSubnetGroup"] == group
        assert found["ReplicationInstancePrivateIpAddress"].startswith("10.20.0.")
        assert found["ReplicationInstancePrivateIpAddresses"] == [found["ReplicationInstancePrivateIpAddress"]]
        assert found["VpcSecurityGroups"] == [{"VpcSecurityGroupId": "sg-1", "Status": "active"}]
        assert (found["MultiAZ"], found["EngineVersion"], found["AllocatedStorage"]) == (True, "3.5.4", 50)

    def test_changes_at_once(self, dms: Any) -> None:
        arn = _instance(dms)["ReplicationInstanceArn"]
        name = _new("renamed")
        changed = dms.modify_replication_instance(
            ReplicationInstanceArn=arn,
            ReplicationInstanceIdentifier=name,
            ReplicationInstanceClass="dms.r5.large",
            VpcSecurityGroupIds=["sg-2"],
        )["ReplicationInstance"]
        by_name = [{"Name": "replication-instance-id", "Values": [name]}]
        assert dms.describe_replication_instances(Filters=by_name)["ReplicationInstances"] == [changed]
        assert changed["ReplicationInstanceClass"] == "dms.r5.large"
        assert [one["VpcSecurityGroupId"] for one in changed["VpcSecurityGroups"]] == ["sg-2"]
        other = _instance(dms)["ReplicationInstanceArn"]
        taken = {"ReplicationInstanceArn": other, "ReplicationInstanceIdentifier": name}
        assert _refused(dms.modify_replication_instance, **taken) == "ResourceAlreadyExistsFault"

    def test_a_new_major_version_needs_leave(self, dms: Any) -> None:
        arn = _instance(dms)["ReplicationInstanceArn"]
        dms.modify_replication_instance(ReplicationInstanceArn=arn, EngineVersion="3.6.2")
        change = {"ReplicationInstanceArn": arn, "EngineVersion": "3.7.0"}
        assert _refused(dms.modify_replication_instance, **change) == "InvalidParameterCombinationException"
        dms.modify_replication_instance(**change, AllowMajorVersionUpgrade=True)

    def test_stays_while_it_has_tasks(self, dms: Any) -> None:
        task = _task(dms)
        _task(dms)
        arn = task["ReplicationInstanceArn"]
        dms.test_connection(ReplicationInstanceArn=arn, EndpointArn=task["SourceEndpointArn"])
        other = _task(dms)
        dms.test_connection(
            ReplicationInstanceArn=other["ReplicationInstanceArn"], EndpointArn=other["SourceEndpointArn"]
        )
        assert _refused(dms.delete_replication_instance, ReplicationInstanceArn=arn) == "InvalidResourceStateFault"
        dms.delete_replication_task(ReplicationTaskArn=task["ReplicationTaskArn"])
        dms.delete_replication_instance(ReplicationInstanceArn=arn)
        assert _refused(dms.delete_replication_instance, ReplicationInstanceArn=arn) == "ResourceNotFoundFault"
        connections = dms.describe_connections()["Connections"]
        assert arn not in [one["ReplicationInstanceArn"] for one in connections]
        assert other["ReplicationInstanceArn"] in [one["ReplicationInstanceArn"] for one in connections]


class TestEndpoints:
    def test_keeps_all_but_the_password(self, dms: Any) -> None:
        made = _endpoint(
            dms,
            Username="u",
            Password="hidden",
            ServerName="h",
            Port=5432,
            ResourceIdentifier="own-endpoint",
            PostgreSQLSettings={"PluginName": "test-decoding", "ExecuteTimeout": 300},
        )
        by_arn = [{"Name": "endpoint-arn", "Values": [made["EndpointArn"]]}]
        assert dms.describe_endpoints(Filters=by_arn)["Endpoints"] == [made]
        assert made["EndpointArn"].endswith(":endpoint:own-endpoint")
        assert (made["Status"], made["SslMode"], made["EngineDisplayName"]) == ("active", "none", "postgres")
        assert "hidden" not in str(made)
        assert _refused(
            dms.create_endpoint,
            EndpointIdentifier=made["EndpointIdentifier"],
            EndpointType="source",
            EngineName="postgres",
        ) == ("ResourceAlreadyExistsFault")

    def test_settings_are_merged_unless_they_are_exact(self, dms: Any) -> None:
        arn = _endpoint(dms, PostgreSQLSettings={"PluginName": "test-decoding"})["EndpointArn"]
        change = {"EndpointArn": arn, "PostgreSQLSettings": {"ExecuteTimeout": 300}, "DatabaseName": "d"}
        merged = dms.modify_endpoint(**change)["Endpoint"]
        assert merged["PostgreSQLSettings"] == {"PluginName": "test-decoding", "ExecuteTimeout": 300}
        assert merged["DatabaseName"] == "d"
        exact = dms.modify_endpoint(**change, ExactSettings=True)["Endpoint"]
        assert exact["PostgreSQLSettings"] == {"ExecuteTimeout": 300}
        name = _new("renamed")
        dms.modify_endpoint(EndpointArn=arn, EndpointIdentifier=name)
        other = _endpoint(dms)["EndpointArn"]
        assert _refused(dms.modify_endpoint, EndpointArn=other, EndpointIdentifier=name) == "ResourceAlreadyExistsFault"

    def test_needs_a_certificate_that_exists(self, dms: Any) -> None:
        arn = "arn:aws:dms:us-east-1:123456789012:cert:ABSENT"
        endpoint = _endpoint(dms)["EndpointArn"]
        assert _refused(dms.modify_endpoint, EndpointArn=endpoint, CertificateArn=arn) == "ResourceNotFoundFault"

    def test_stays_while_a_task_uses_it(self, dms: Any) -> None:
        task = _task(dms)
        arn = task["TargetEndpointArn"]
        dms.test_connection(ReplicationInstanceArn=task["ReplicationInstanceArn"], EndpointArn=arn)
        assert _refused(dms.delete_endpoint, EndpointArn=arn) == "InvalidResourceStateFault"
        dms.delete_replication_task(ReplicationTaskArn=task["ReplicationTaskArn"])
        dms.delete_endpoint(EndpointArn=arn)
        assert arn not in [one["EndpointArn"] for one in dms.describe_connections()["Connections"]]


class TestTasks:
    def test_is_ready_at_once_and_keeps_what_it_is_given(self, dms: Any) -> None:
        settings = '{"Logging": {"EnableLogging": true}}'
        made = _task(dms, ResourceIdentifier="own-task", ReplicationTaskSettings=settings, CdcStartPosition="p")
        assert made["Status"] == "creating"
        assert made["ReplicationTaskArn"].endswith(":task:own-task")
        found = _described(dms, made["ReplicationTaskArn"])
        assert found == {**made, "Status": "ready"}
        assert (found["ReplicationTaskSettings"], found["CdcStartPosition"]) == (settings, "p")
        lean = dms.describe_replication_tasks(
            Filters=[{"Name": "replication-task-arn", "Values": [made["ReplicationTaskArn"]]}], WithoutSettings=True
        )["ReplicationTasks"][0]
        assert "ReplicationTaskSettings" not in lean
        again = {"ReplicationTaskIdentifier": made["ReplicationTaskIdentifier"]}
        with pytest.raises(dms.exceptions.ResourceAlreadyExistsFault):
            _task(dms, **again)

    @pytest.mark.parametrize("member", ["ReplicationInstanceArn", "SourceEndpointArn", "TargetEndpointArn"])
    def test_needs_what_it_stands_on(self, dms: Any, member: str) -> None:
        with pytest.raises(dms.exceptions.ResourceNotFoundFault):
            _task(dms, **{member: "arn:aws:dms:us-east-1:123456789012:x:ABSENT"})

    @pytest.mark.parametrize("member", ["TableMappings", "ReplicationTaskSettings"])
    def test_documents_are_json(self, dms: Any, member: str) -> None:
        with pytest.raises(ClientError, match=f"{member} is not JSON"):
            _task(dms, **{member: "{"})

    @pytest.mark.parametrize(
        ("member", "value"),
        [("TableMappings", '{"rules": [1]}'), ("ReplicationTaskSettings", '{"FullLoadSettings": 1}')],
    )
    def test_documents_have_their_form(self, dms: Any, member: str, value: str) -> None:
        with pytest.raises(ClientError, match=f"{member} has a value of the wrong type"):
            _task(dms, **{member: value})

    def test_what_has_never_run_is_neither_stopped_nor_resumed(self, dms: Any) -> None:
        arn = _task(dms)["ReplicationTaskArn"]
        assert _refused(dms.stop_replication_task, ReplicationTaskArn=arn) == "InvalidResourceStateFault"
        for kind in ("resume-processing", "reload-target"):
            start = {"ReplicationTaskArn": arn, "StartReplicationTaskType": kind}
            assert _refused(dms.start_replication_task, **start) == "InvalidResourceStateFault"
        assert dms.describe_table_statistics(ReplicationTaskArn=arn)["TableStatistics"] == []

    def test_one_that_cannot_run_fails_and_says_why(self, dms: Any) -> None:
        arn = _task(dms)["ReplicationTaskArn"]
        start = {"ReplicationTaskArn": arn, "StartReplicationTaskType": "start-replication"}
        assert dms.start_replication_task(**start)["ReplicationTask"]["Status"] == "starting"
        until = time.monotonic() + 60
        while (found := _described(dms, arn))["Status"] != "failed":
            assert time.monotonic() < until
            time.sleep(0.01)
        assert found["LastFailureMessage"] == (
            "Last Error  Username, Password, ServerName, Port not given Stop Reason FATAL_ERROR Error Level FATAL"
        )
        dms.delete_replication_task(ReplicationTaskArn=arn)
        assert _refused(dms.stop_replication_task, ReplicationTaskArn=arn) == "ResourceNotFoundFault"

    def test_changes_while_it_rests(self, dms: Any) -> None:
        arn, name = _task(dms)["ReplicationTaskArn"], _new("renamed")
        changed = dms.modify_replication_task(
            ReplicationTaskArn=arn, ReplicationTaskIdentifier=name, TableMappings='{"rules": []}'
        )["ReplicationTask"]
        assert changed["Status"] == "modifying"
        assert _described(dms, arn) == {**changed, "Status": "ready"}
        dms.modify_replication_task(ReplicationTaskArn=arn, MigrationType="cdc")
        assert _described(dms, arn)["MigrationType"] == "cdc"
        other = _task(dms)["ReplicationTaskArn"]
        taken = {"ReplicationTaskArn": other, "ReplicationTaskIdentifier": name}
        assert _refused(dms.modify_replication_task, **taken) == "ResourceAlreadyExistsFault"

    def test_is_found_by_either_end(self, dms: Any) -> None:
        task = _task(dms)
        for end in ("SourceEndpointArn", "TargetEndpointArn"):
            filters = [
                {"Name": "endpoint-arn", "Values": [task[end]]},
                {"Name": "migration-type", "Values": ["full-load-and-cdc"]},
            ]
            (found,) = dms.describe_replication_tasks(Filters=filters)["ReplicationTasks"]
            assert found["ReplicationTaskArn"] == task["ReplicationTaskArn"]


class TestConnections:
    def _message(self, dms: Any, **settings: Any) -> str:
        instance, endpoint = _instance(dms)["ReplicationInstanceArn"], _endpoint(dms, **settings)["EndpointArn"]
        tested = dms.test_connection(ReplicationInstanceArn=instance, EndpointArn=endpoint)["Connection"]
        assert tested["Status"] == "testing"
        filters = [
            {"Name": "endpoint-arn", "Values": [endpoint]},
            {"Name": "replication-instance-arn", "Values": [instance]},
        ]
        (found,) = dms.describe_connections(Filters=filters)["Connections"]
        assert (found["Status"] == "successful") == (found["LastFailureMessage"] == "")
        return found["LastFailureMessage"]

    def test_needs_all_that_a_connection_needs(self, dms: Any) -> None:
        assert self._message(dms) == "Test Endpoint failed: Username, Password, ServerName, Port not given"
        given = {"Username": "u", "Password": "p", "ServerName": "127.0.0.1", "Port": 1}
        assert self._message(dms, **given) == "Test Endpoint failed: DatabaseName not given"
        assert self._message(dms, **given, DatabaseName="d") == (
            "Test Endpoint failed: cannot reach the source database 'd' at 127.0.0.1:1: Connection refused"
        )

    @pytest.mark.parametrize(
        ("secret", "expected"),
        [
            (
                {"username": "u", "password": "p", "host": "127.0.0.1", "port": 1},
                "cannot reach the source database 'd' at 127.0.0.1:1: Connection refused",
            ),
            ({"username": "u", "password": "p"}, "the secret has no host, port"),
            (None, "the secret cannot be read (ResourceNotFoundException)"),
            ("text", "the secret cannot be read (JSONDecodeError)"),
            ("[]", "the secret cannot be read (AttributeError)"),
        ],
    )
    def test_reads_the_secret(self, dms: Any, remote: Any, secret: Any, expected: str) -> None:
        name = _new("secret")
        if secret is not None:
            text = secret if isinstance(secret, str) else json.dumps(secret)
            remote("secretsmanager").create_secret(Name=name, SecretString=text)
        found = self._message(dms, DatabaseName="d", PostgreSQLSettings={"SecretsManagerSecretId": name})
        assert found == f"Test Endpoint failed: {expected}"


class TestService:
    def test_tags_of_any_resource(self, dms: Any) -> None:
        one, other = _endpoint(dms, Tags=[{"Key": "a", "Value": "1"}])["EndpointArn"], _endpoint(dms)["EndpointArn"]
        dms.add_tags_to_resource(ResourceArn=other, Tags=[{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}])
        dms.remove_tags_from_resource(ResourceArn=other, TagKeys=["c", "absent"])
        assert dms.list_tags_for_resource(ResourceArnList=[one, other])["TagList"] == [
            {"Key": "a", "Value": "1", "ResourceArn": one},
            {"Key": "b", "Value": "2", "ResourceArn": other},
        ]

    def test_answers_in_pages(self, dms: Any) -> None:
        made = [_endpoint(dms, "target", EngineName="sybase")["EndpointArn"] for _ in range(25)]
        pages = dms.get_paginator("describe_endpoints").paginate(
            Filters=[{"Name": "engine-name", "Values": ["sybase"]}], PaginationConfig={"PageSize": 20}
        )
        sizes = [[one["EndpointArn"] for one in page["Endpoints"]] for page in pages]
        assert [len(page) for page in sizes] == [20, 5]
        assert sizes[0] + sizes[1] == made

    def test_a_filter_that_nobody_knows_is_refused(self, dms: Any) -> None:
        refusal = _refused(dms.describe_endpoints, Filters=[{"Name": "colour", "Values": ["red"]}])
        assert refusal == "InvalidParameterValueException"

    def test_an_operation_that_is_not_emulated_says_so(self, dms: Any) -> None:
        with pytest.raises(ClientError, match="no operation DescribeSchemas of DMS") as caught:
            dms.describe_schemas(EndpointArn="arn:x")
        assert caught.value.response["Error"]["Code"] == "UnknownOperationException"

    def test_a_request_that_breaks_the_model_is_refused(self) -> None:
        from localaws.dms.service import Dms
        from localaws.dms.store import DmsError

        service = Dms("us-east-1", "123456789012", None)
        with pytest.raises(DmsError, match="EndpointIdentifier"):
            service._answer("CreateEndpoint", {"EndpointType": "source"})
        with pytest.raises(DmsError, match="no operation Load"):
            service._answer("Load", {})

    def test_its_state_can_be_kept(self) -> None:
        from localaws.dms.service import Dms

        service = Dms("us-east-1", "123456789012", None)
        made = service._answer(
            "CreateEndpoint", {"EndpointIdentifier": "e", "EndpointType": "source", "EngineName": "postgres"}
        )
        other = Dms("us-east-1", "123456789012", None)
        other.load(pickle.loads(pickle.dumps(service.dump())))
        assert other._answer("DescribeEndpoints", {})["Endpoints"] == [made["Endpoint"]]
