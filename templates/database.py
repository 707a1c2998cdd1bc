"""Database: Aurora PostgreSQL, a writer and two readers in three zones, a user's secret per consumer, the pointer."""

from __future__ import annotations

from awacs import rds_db
from troposphere import GetAtt, Ref, Sub, iam, logs, rds

from contract import names
from contract.kinds import (
    AvailabilityZone,
    DatabaseClusterId,
    DatabaseEndpoint,
    DatabaseInstanceId,
    DatabaseResourceId,
    KmsKeyArn,
    ParameterName,
    PortNumber,
    RoleArn,
    RoleName,
    SecretArn,
    SecurityGroupId,
    SubnetId,
)
from contract.policies import allow, document
from contract.stack import Stack, Tier
from contract.wiring import Inputs as BaseInputs
from contract.wiring import Output, Report, Wire
from contract.wiring import Outputs as BaseOutputs
from templates.database_parameters import cluster_parameters, family, instance_parameters, major
from templates.database_pointer import add_pointer
from templates.database_secrets import (
    APPLICATION,
    CONSUMERS,
    CUTOVER,
    DMS,
    VALIDATOR,
    Consumer,
    add_aurora_secret,
    add_source_secret,
)
from templates.log_groups import add_log_group

_ENGINE = "aurora-postgresql"
# Why a token was refused is said in a log of its own. The third type, `instance`, holds auto-pause events of serverless
# instances only. https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_LogAccess.Concepts.PostgreSQL.html
_LOG_TYPES = ("postgresql", "iam-db-auth-error")
# Database Insights keeps the data of its advanced mode for exactly this long.
_ADVANCED_INSIGHTS_DAYS = 465


class Inputs(BaseInputs):
    """Where the cluster stands, what guards it, and who may connect."""

    private_subnet_1_id: Wire[SubnetId]
    private_subnet_2_id: Wire[SubnetId]
    private_subnet_3_id: Wire[SubnetId]
    availability_zone_1: Wire[AvailabilityZone]
    availability_zone_2: Wire[AvailabilityZone]
    availability_zone_3: Wire[AvailabilityZone]
    database_security_group_id: Wire[SecurityGroupId]
    data_key_arn: Wire[KmsKeyArn]
    logs_key_arn: Wire[KmsKeyArn]
    monitoring_role_arn: Wire[RoleArn]
    task_role_name: Wire[RoleName]
    validator_role_name: Wire[RoleName]


class Outputs(BaseOutputs):
    """How to reach the cluster, and with which secrets."""

    cluster_id: Output[DatabaseClusterId]
    cluster_endpoint: Output[DatabaseEndpoint]
    reader_endpoint: Output[DatabaseEndpoint]
    writer_instance_id: Output[DatabaseInstanceId]
    reader_1_instance_id: Output[DatabaseInstanceId]
    reader_2_instance_id: Output[DatabaseInstanceId]
    dms_secret_arn: Output[SecretArn]
    validator_secret_arn: Output[SecretArn]
    source_dms_secret_arn: Output[SecretArn]
    source_validator_secret_arn: Output[SecretArn]
    cutover_secret_arn: Output[SecretArn]
    source_cutover_secret_arn: Output[SecretArn]
    application_secret_arn: Output[SecretArn]
    source_application_secret_arn: Output[SecretArn]
    pointer_name: Output[ParameterName]
    master_secret_arn: Report[SecretArn]
    cluster_resource_id: Report[DatabaseResourceId]
    port: Report[PortNumber]


def build(stack: Stack, needs: Inputs) -> None:
    """Fill the database template."""
    cluster = _cluster(stack, needs)
    _instances(stack, needs, cluster)
    _secrets(stack, needs, cluster)
    _token_policy(stack, APPLICATION, needs.task_role_name.ref, cluster)
    _token_policy(stack, VALIDATOR, needs.validator_role_name.ref, cluster)
    stack.give(Outputs.pointer_name, Ref(add_pointer(stack)))
    stack.give(Outputs.cluster_id, Ref(cluster))
    stack.give(Outputs.cluster_endpoint, GetAtt(cluster, "Endpoint.Address"))
    stack.give(Outputs.reader_endpoint, GetAtt(cluster, "ReadEndpoint.Address"))
    stack.give(Outputs.port, GetAtt(cluster, "Endpoint.Port"))
    stack.give(Outputs.cluster_resource_id, GetAtt(cluster, "DBClusterResourceId"))
    stack.give(Outputs.master_secret_arn, GetAtt(cluster, "MasterUserSecret.SecretArn"))


def _cluster(stack: Stack, needs: Inputs) -> rds.DBCluster:
    settings, durable = stack.settings.database, stack.settings.durable
    subnets = stack.add(
        rds.DBSubnetGroup(
            "SubnetGroup",
            DBSubnetGroupName=stack.name(names.DB_SUBNET_GROUP, "database"),
            DBSubnetGroupDescription="Private subnets, one per zone",
            SubnetIds=[needs.private_subnet_1_id.ref, needs.private_subnet_2_id.ref, needs.private_subnet_3_id.ref],
        )
    )
    # A group belongs to one major version for life: the version in its name lets an upgrade replace it.
    parameters = stack.add(
        rds.DBClusterParameterGroup(
            "ClusterParameters",
            DBClusterParameterGroupName=stack.name(
                names.DB_PARAMETER_GROUP, f"cluster-{major(settings.engine_version)}"
            ),
            Description="TLS forced, logical replication, audit, no data in logs",
            Family=family(settings.engine_version),
            Parameters=cluster_parameters(),
        )
    )
    insights = "advanced" if settings.insights_retention_days == _ADVANCED_INSIGHTS_DAYS else "standard"
    return stack.add_stateful(
        rds.DBCluster(
            "Cluster",
            # RDS would make the log groups itself, kept forever and without our key.
            DependsOn=[group.title for group in _log_groups(stack, needs)],
            DBClusterIdentifier=stack.name(names.DB_CLUSTER, "database"),
            DatabaseName=settings.name,
            Engine=_ENGINE,
            EngineVersion=settings.engine_version,
            # The default enrols the cluster in paid extended support when its major version ends.
            EngineLifecycleSupport="open-source-rds-extended-support-disabled",
            Port=settings.port,
            NetworkType="IPV4",
            StorageType="aurora",
            DBSubnetGroupName=Ref(subnets),
            VpcSecurityGroupIds=[needs.database_security_group_id.ref],
            DBClusterParameterGroupName=Ref(parameters),
            StorageEncrypted=True,
            KmsKeyId=needs.data_key_arn.ref,
            MasterUsername=settings.master_username,
            ManageMasterUserPassword=True,
            MasterUserSecret=rds.MasterUserSecret(KmsKeyId=needs.data_key_arn.ref),
            EnableIAMDatabaseAuthentication=True,
            BackupRetentionPeriod=settings.backup_retention_days,
            PreferredBackupWindow=settings.backup_window,
            PreferredMaintenanceWindow=settings.maintenance_window,
            CopyTagsToSnapshot=True,
            DeletionProtection=durable,
            # Point-in-time recovery outlives a durable cluster; of a disposable one nothing stays.
            DeleteAutomatedBackups=not durable,
            EnableCloudwatchLogsExports=list(_LOG_TYPES),
            # Set here, for the instances to inherit: in its advanced mode Database Insights belongs to the cluster.
            DatabaseInsightsMode=insights,
            PerformanceInsightsEnabled=True,
            PerformanceInsightsKmsKeyId=needs.data_key_arn.ref,
            PerformanceInsightsRetentionPeriod=settings.insights_retention_days,
        ),
        snapshot=True,
    )


def _log_groups(stack: Stack, needs: Inputs) -> list[logs.LogGroup]:
    return [
        add_log_group(stack, title, stack.name(names.RDS_LOG_GROUP, f"database/{log_type}"), needs.logs_key_arn.ref)
        for title, log_type in zip(("PostgresqlLogGroup", "IamAuthenticationLogGroup"), _LOG_TYPES, strict=True)
    ]


def _instances(stack: Stack, needs: Inputs, cluster: rds.DBCluster) -> None:
    """The writer and two readers, one per zone; each reader may take over, the first one first."""
    settings = stack.settings.database
    parameters = stack.add(
        rds.DBParameterGroup(
            "InstanceParameters",
            DBParameterGroupName=stack.name(names.DB_PARAMETER_GROUP, f"instance-{major(settings.engine_version)}"),
            Description="What may differ between instances",
            Family=family(settings.engine_version),
            Parameters=instance_parameters(),
        )
    )
    places = (
        ("Writer", "writer", needs.availability_zone_1, 0, Outputs.writer_instance_id),
        ("Reader1", "reader-1", needs.availability_zone_2, 1, Outputs.reader_1_instance_id),
        ("Reader2", "reader-2", needs.availability_zone_3, 2, Outputs.reader_2_instance_id),
    )
    for title, part, zone, tier, output in places:
        instance = rds.DBInstance(
            title,
            # An instance holds no data, the cluster does; and a kept instance would keep the cluster from being deleted
            # after its snapshot.
            DeletionPolicy="Delete",
            UpdateReplacePolicy="Delete",
            DBInstanceIdentifier=stack.name(names.DB_INSTANCE, part),
            DBClusterIdentifier=Ref(cluster),
            DBInstanceClass=settings.instance_class,
            Engine=_ENGINE,
            AvailabilityZone=zone.ref,
            PromotionTier=tier,
            PubliclyAccessible=False,
            DBParameterGroupName=Ref(parameters),
            CACertificateIdentifier=settings.ca_certificate,
            AutoMinorVersionUpgrade=settings.auto_minor_version_upgrade,
            PreferredMaintenanceWindow=settings.maintenance_window,
            MonitoringInterval=settings.monitoring_interval_seconds,
            MonitoringRoleArn=needs.monitoring_role_arn.ref,
        )
        if part != "writer":
            # The first instance of a cluster becomes its writer, so the readers wait for it.
            instance.DependsOn = "Writer"
        stack.add(instance)
        stack.give(output, Ref(instance))


def _secrets(stack: Stack, needs: Inputs, cluster: rds.DBCluster) -> None:
    outputs = {
        APPLICATION: (Outputs.application_secret_arn, Outputs.source_application_secret_arn),
        DMS: (Outputs.dms_secret_arn, Outputs.source_dms_secret_arn),
        VALIDATOR: (Outputs.validator_secret_arn, Outputs.source_validator_secret_arn),
        CUTOVER: (Outputs.cutover_secret_arn, Outputs.source_cutover_secret_arn),
    }
    for consumer in CONSUMERS:
        on_aurora, in_data_center = outputs[consumer]
        secret = add_aurora_secret(stack, consumer, needs.data_key_arn.ref, Ref(cluster))
        stack.give(on_aurora, Ref(secret))
        stack.give(in_data_center, Ref(add_source_secret(stack, consumer, needs.data_key_arn.ref)))


def _token_policy(stack: Stack, consumer: Consumer, role_name: Ref, cluster: rds.DBCluster) -> None:
    """Lets a role of the identity tier sign in with a token: to this cluster alone, as its one user.

    The policy stands here because the cluster's resource id is known only after the cluster is.
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
    """
    user = Sub(
        "arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}:dbuser:"
        f"${{{cluster.title}.DBClusterResourceId}}/{consumer.user(stack.settings.system)}"
    )
    stack.add(
        iam.PolicyType(
            f"{consumer.part.capitalize()}TokenPolicy",
            PolicyName=stack.name(names.IAM_POLICY, f"{consumer.part}-database-token"),
            PolicyDocument=document(allow("SignInWithAToken", [rds_db.connect], [user])),
            Roles=[role_name],
        )
    )


TIER = Tier(Inputs, Outputs, build, "Database: Aurora PostgreSQL in three zones, its users' secrets, its logs")
