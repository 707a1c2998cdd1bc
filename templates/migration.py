"""Migration: DMS carries the data centre's database to Aurora, with every later change; a second task leads back.

CloudFormation creates tasks and never starts them, and DMS refuses to change a task or endpoint that is in use:
starting, stopping and changing them is for the cutover runbook.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troposphere import Ref, dms

from contract import names
from contract.certificates import RDS_BUNDLE, fingerprint, read_certificates
from contract.kinds import (
    EndpointArn,
    KmsKeyArn,
    LogGroupName,
    ReplicationInstanceArn,
    ReplicationInstanceId,
    ReplicationTaskArn,
    ReplicationTaskId,
    RoleArn,
    SecretArn,
    SecurityGroupId,
    SubnetId,
)
from contract.stack import Stack, Tier
from contract.wiring import Inputs as BaseInputs
from contract.wiring import Output, Report, Wire
from contract.wiring import Outputs as BaseOutputs
from templates.documents import canonical_json
from templates.log_groups import add_log_group
from templates.task_settings import ARTIFACTS_SCHEMA, forward_settings, reverse_settings, table_mappings

# The replication instance and all that is named after it.
_PART = "replication"
# Seconds. The default of 60 ends the statements that read or compare a large table.
_EXECUTE_TIMEOUT = 300
# A NUMERIC without precision would become NUMERIC(28,6), and amounts would be rounded. CloudFormation has no property
# for it yet; DMS wants it on both ends of a task. It helps, and proves nothing: DMS still documents 28 digits for
# changes, and six decimals for targets. A column that needs more has to get a precision at the source first.
# https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Source.PostgreSQL.html
# https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.PostgreSQL.html
_EXACT_NUMERIC = "MapUnboundedNumericAsString=true"


class Inputs(BaseInputs):
    """Where the replication instance stands, and the secrets it reads as which role."""

    private_subnet_1_id: Wire[SubnetId]
    private_subnet_2_id: Wire[SubnetId]
    private_subnet_3_id: Wire[SubnetId]
    dms_security_group_id: Wire[SecurityGroupId]
    data_key_arn: Wire[KmsKeyArn]
    logs_key_arn: Wire[KmsKeyArn]
    dms_secrets_role_arn: Wire[RoleArn]
    dms_secret_arn: Wire[SecretArn]
    source_dms_secret_arn: Wire[SecretArn]


class Outputs(BaseOutputs):
    """The tasks, to start and to watch."""

    forward_task_arn: Output[ReplicationTaskArn]
    replication_instance_id: Output[ReplicationInstanceId]
    forward_task_id: Output[ReplicationTaskId]
    reverse_task_id: Output[ReplicationTaskId]
    reverse_task_arn: Report[ReplicationTaskArn]
    replication_instance_arn: Report[ReplicationInstanceArn]
    data_center_source_arn: Report[EndpointArn]
    aurora_target_arn: Report[EndpointArn]
    aurora_source_arn: Report[EndpointArn]
    data_center_target_arn: Report[EndpointArn]
    log_group_name: Report[LogGroupName]


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two databases, as its endpoints name it."""

    title: str
    part: str
    engine: str
    database: str
    secret_arn: Ref
    certificate: dms.Certificate


def build(stack: Stack, needs: Inputs) -> None:
    """Fill the migration template.

    All of it is kept together where the environment is durable: DMS refuses to delete what a kept task uses.
    """
    instance = _replication_instance(stack, needs)
    data_center = _data_center(stack, needs)
    aurora = _aurora(stack, needs)
    forward = _task(
        stack,
        "Forward",
        instance,
        _source(stack, needs, data_center),
        _target(stack, needs, aurora),
        "full-load-and-cdc",
        forward_settings(stack.settings.migration.max_lob_kib),
    )
    reverse = _task(
        stack,
        "Reverse",
        instance,
        _source(stack, needs, aurora),
        _target(stack, needs, data_center),
        "cdc",
        reverse_settings(stack.settings.migration.max_lob_kib),
    )
    stack.give(Outputs.forward_task_arn, Ref(forward))
    stack.give(Outputs.forward_task_id, forward.ResourceIdentifier)
    stack.give(Outputs.reverse_task_arn, Ref(reverse))
    stack.give(Outputs.reverse_task_id, reverse.ResourceIdentifier)
    stack.give(Outputs.data_center_source_arn, forward.SourceEndpointArn)
    stack.give(Outputs.aurora_target_arn, forward.TargetEndpointArn)
    stack.give(Outputs.aurora_source_arn, reverse.SourceEndpointArn)
    stack.give(Outputs.data_center_target_arn, reverse.TargetEndpointArn)


def _replication_instance(stack: Stack, needs: Inputs) -> dms.ReplicationInstance:
    settings = stack.settings.migration
    # DMS would make the log group itself, kept forever and without our key.
    log_group = add_log_group(stack, "LogGroup", stack.name(names.DMS_LOG_GROUP, _PART), needs.logs_key_arn.ref)
    # Needs the role dms-vpc-role, of the account's own stack.
    subnets = stack.add_stateful(
        dms.ReplicationSubnetGroup(
            "SubnetGroup",
            ReplicationSubnetGroupIdentifier=stack.name(names.DMS_SUBNET_GROUP, _PART),
            ReplicationSubnetGroupDescription="Private subnets, one per zone",
            SubnetIds=[needs.private_subnet_1_id.ref, needs.private_subnet_2_id.ref, needs.private_subnet_3_id.ref],
        )
    )
    identifier = stack.name(names.DMS_INSTANCE, _PART)
    instance = stack.add_stateful(
        dms.ReplicationInstance(
            "ReplicationInstance",
            DependsOn=log_group.title,
            ReplicationInstanceIdentifier=identifier,
            ReplicationInstanceClass=settings.instance_class,
            EngineVersion=settings.engine_version,
            AllowMajorVersionUpgrade=False,
            AutoMinorVersionUpgrade=True,
            PreferredMaintenanceWindow=settings.maintenance_window,
            AllocatedStorage=settings.allocated_storage_gib,
            KmsKeyId=needs.data_key_arn.ref,
            MultiAZ=settings.multi_az,
            NetworkType="IPV4",
            # The default is true.
            PubliclyAccessible=False,
            ReplicationSubnetGroupIdentifier=Ref(subnets),
            VpcSecurityGroupIds=[needs.dms_security_group_id.ref],
        )
    )
    stack.give(Outputs.replication_instance_id, identifier)
    stack.give(Outputs.replication_instance_arn, Ref(instance))
    stack.give(Outputs.log_group_name, Ref(log_group))
    return instance


def _data_center(stack: Stack, needs: Inputs) -> _Side:
    place = stack.settings.data_center
    return _Side(
        title="DataCenter",
        part="data-center",
        engine="postgres",
        database=place.database_name,
        secret_arn=needs.source_dms_secret_arn.ref,
        certificate=_certificate(stack, "DataCenter", place.database_ca_pem, "data_center.database_ca_pem"),
    )


def _aurora(stack: Stack, needs: Inputs) -> _Side:
    bundle = RDS_BUNDLE.format(region=stack.settings.region)
    return _Side(
        title="Aurora",
        part="aurora",
        engine="aurora-postgresql",
        database=stack.settings.database.name,
        secret_arn=needs.dms_secret_arn.ref,
        certificate=_certificate(stack, "Aurora", bundle, "region"),
    )


def _certificate(stack: Stack, title: str, path: str, setting: str) -> dms.Certificate:
    """The CA certificates of one side. A certificate cannot be changed, only replaced, so its name changes with it."""
    certificates = read_certificates(path, setting)
    part = f"{title.lower()}-{fingerprint(certificates)}"
    return stack.add_stateful(
        dms.Certificate(
            f"{title}Certificate",
            CertificateIdentifier=stack.name(names.DMS_CERTIFICATE, part),
            CertificatePem=certificates,
        )
    )


def _source(stack: Stack, needs: Inputs, side: _Side) -> dms.Endpoint:
    """Where a task reads. The heartbeat moves the replication slot on when no payment does, so that WAL can be removed.

    `test-decoding` and not pglogical, which takes no table with REPLICA IDENTITY FULL. DDL is captured because a column
    that the stream does not know would be left out silently.
    """
    return _endpoint(
        stack,
        needs,
        side,
        "source",
        {
            "CaptureDdls": True,
            "DdlArtifactsSchema": ARTIFACTS_SCHEMA,
            "FailTasksOnLobTruncation": True,
            "HeartbeatEnable": True,
            "HeartbeatFrequency": stack.settings.migration.heartbeat_minutes,
            "HeartbeatSchema": ARTIFACTS_SCHEMA,
            "PluginName": "test-decoding",
        },
    )


def _target(stack: Stack, needs: Inputs, side: _Side) -> dms.Endpoint:
    """Where a task writes: without firing triggers and foreign keys, whose effects come over as rows of their own.

    https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Target.PostgreSQL.html
    """
    return _endpoint(stack, needs, side, "target", {"AfterConnectScript": "SET session_replication_role = replica"})


def _endpoint(stack: Stack, needs: Inputs, side: _Side, role: str, settings: dict[str, Any]) -> dms.Endpoint:
    return stack.add_stateful(
        dms.Endpoint(
            f"{side.title}{role.capitalize()}",
            EndpointIdentifier=stack.name(names.DMS_ENDPOINT, f"{side.part}-{role}"),
            EndpointType=role,
            EngineName=side.engine,
            # The secret holds no database name that DMS would read.
            DatabaseName=side.database,
            SslMode="verify-full",
            CertificateArn=Ref(side.certificate),
            KmsKeyId=needs.data_key_arn.ref,
            ExtraConnectionAttributes=_EXACT_NUMERIC,
            PostgreSqlSettings=dms.PostgreSqlSettings(
                SecretsManagerAccessRoleArn=needs.dms_secrets_role_arn.ref,
                SecretsManagerSecretId=side.secret_arn,
                ExecuteTimeout=_EXECUTE_TIMEOUT,
                # Else a boolean becomes varchar(5); DMS wants it on both ends of a task.
                MapBooleanAsBoolean=True,
                **settings,
            ),
        )
    )


def _task(
    stack: Stack,
    title: str,
    instance: dms.ReplicationInstance,
    source: dms.Endpoint,
    target: dms.Endpoint,
    migration_type: str,
    settings: dict[str, Any],
) -> dms.ReplicationTask:
    """A task; replacing it would begin the full load anew.

    The resource identifier is the last part of the task's ARN and the dimension of its metrics; without it DMS makes
    one up, and alarms could not name it.
    """
    part, moving = title.lower(), stack.settings.migration
    return stack.add_stateful(
        dms.ReplicationTask(
            f"{title}Task",
            ReplicationTaskIdentifier=stack.name(names.DMS_TASK, part),
            ResourceIdentifier=stack.name(names.DMS_RESOURCE_ID, part[:3]),
            MigrationType=migration_type,
            ReplicationInstanceArn=Ref(instance),
            SourceEndpointArn=Ref(source),
            TargetEndpointArn=Ref(target),
            TableMappings=canonical_json(table_mappings(moving.schemas, moving.excluded_tables)),
            ReplicationTaskSettings=canonical_json(settings),
        )
    )


TIER = Tier(Inputs, Outputs, build, "Migration: DMS from the data centre to Aurora, and the way back")
