"""RDS: clusters and their instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.shapes import at
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Look, Removal, Setting, Work, custom, same


def rds_tags(arn: str) -> Tags:
    """RDS's form of tags: by ARN, which stands at `arn` of a description."""
    return Tags(
        tag="AddTagsToResource",
        untag="RemoveTagsFromResource",
        key="ResourceName",
        of=arn,
        lists="ListTagsForResource",
        read="TagList",
    )


# What CloudFormation calls otherwise than the API does.
_INSIGHTS = {
    "PerformanceInsightsEnabled": "EnablePerformanceInsights",
    "PerformanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
}
_CLUSTER_BOTH = (
    same(
        "BackupRetentionPeriod CopyTagsToSnapshot DBClusterParameterGroupName DatabaseInsightsMode DeletionProtection"
        " EnableHttpEndpoint EnableIAMDatabaseAuthentication EngineLifecycleSupport EngineVersion"
        " ManageMasterUserPassword MasterUserPassword MonitoringInterval MonitoringRoleArn NetworkType"
        " Port PreferredBackupWindow PreferredMaintenanceWindow ServerlessV2ScalingConfiguration StorageType"
        " VpcSecurityGroupIds"
    )
    | {"MasterUserSecret/KmsKeyId": "MasterUserSecretKmsKeyId"}
    | _INSIGHTS
)
_INSTANCE_BOTH = same(
    "AutoMinorVersionUpgrade CACertificateIdentifier CopyTagsToSnapshot DBInstanceClass DBParameterGroupName"
    " MonitoringInterval MonitoringRoleArn PreferredMaintenanceWindow PromotionTier PubliclyAccessible"
    " EnablePerformanceInsights EngineVersion PerformanceInsightsRetentionPeriod",
    PerformanceInsightsKMSKeyId="PerformanceInsightsKMSKeyId",
)


def change_log_exports(work: Work) -> None:
    """Exports are switched one by one, by the name of the log."""
    old, new = (side.get("EnableCloudwatchLogsExports") or [] for side in (work.before, work.after))
    work.call(
        "ModifyDBCluster",
        DBClusterIdentifier=work.physical_id,
        ApplyImmediately=True,
        CloudwatchLogsExportConfiguration={
            "EnableLogTypes": [name for name in new if name not in old],
            "DisableLogTypes": [name for name in old if name not in new],
        },
    )


_FIND_CLUSTER = Look(operation="DescribeDBClusters", key="DBClusterIdentifier", path="DBClusters.0")
_FIND_INSTANCE = Look(operation="DescribeDBInstances", key="DBInstanceIdentifier", path="DBInstances.0")


def _groups(found: Mapping[str, Any]) -> list[str]:
    return [group["VpcSecurityGroupId"] for group in found.get("VpcSecurityGroups", ())]


def _look_at_cluster(work: Work) -> Mapping[str, Any] | None:
    found = _FIND_CLUSTER(work)
    return found and {
        **found,
        "VpcSecurityGroupIds": _groups(found),
        "ManageMasterUserPassword": "MasterUserSecret" in found,
    }


def _delete_cluster(work: Work) -> None:
    """Without a last snapshot, which is for the control plane to take before, where a template asks for one."""
    backups = work.after.get("DeleteAutomatedBackups", True)
    fixed = {"SkipFinalSnapshot": True, "DeleteAutomatedBackups": backups}
    Removal(operation="DeleteDBCluster", key="DBClusterIdentifier", fixed=fixed)(work)


CLUSTER = Row(
    type="AWS::RDS::DBCluster",
    service="rds",
    create_operation="CreateDBCluster",
    sends=_CLUSTER_BOTH
    | same(
        "AvailabilityZones DBClusterIdentifier DBSubnetGroupName DatabaseName EnableCloudwatchLogsExports Engine"
        " EngineMode KmsKeyId MasterUsername StorageEncrypted"
    ),
    named="DBClusterIdentifier",
    name_limit=63,
    name_lower=True,
    made="DBCluster",
    physical="DBCluster.DBClusterIdentifier",
    look=_look_at_cluster,
    attributes={
        "Endpoint.Address": "Endpoint",
        "Endpoint.Port": "Port",
        "ReadEndpoint.Address": "ReaderEndpoint",
        "DBClusterArn": "DBClusterArn",
        "DBClusterResourceId": "DbClusterResourceId",
        "MasterUserSecret.SecretArn": "MasterUserSecret.SecretArn",
    },
    steps=(
        Setting(
            operation="ModifyDBCluster",
            key="DBClusterIdentifier",
            sends=_CLUSTER_BOTH,
            fixed={"ApplyImmediately": True, "AllowMajorVersionUpgrade": True},
        ),
        custom("EnableCloudwatchLogsExports", "ModifyDBCluster", change_log_exports),
    ),
    remove=_delete_cluster,
    tags=rds_tags("DBClusterArn"),
    reads={
        "DBClusterParameterGroupName": "DBClusterParameterGroup",
        "DBSubnetGroupName": "DBSubnetGroup",
        "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
        "EnableCloudwatchLogsExports": "EnabledCloudwatchLogsExports",
        "EnableHttpEndpoint": "HttpEndpointEnabled",
        "MasterUserPassword": None,
        "VpcSecurityGroupIds": "VpcSecurityGroupIds",
    },
    ignored={"DeleteAutomatedBackups": "only the deleting call takes it, and is given it"},
)


def _look_at_instance(work: Work) -> Mapping[str, Any] | None:
    found = _FIND_INSTANCE(work)
    return found and {
        **found,
        "DBParameterGroupName": at(found, "DBParameterGroups.0.DBParameterGroupName"),
        "Groups": _groups(found),
    }


INSTANCE = Row(
    type="AWS::RDS::DBInstance",
    service="rds",
    create_operation="CreateDBInstance",
    sends=_INSTANCE_BOTH | same("AvailabilityZone DBClusterIdentifier DBInstanceIdentifier DBSubnetGroupName Engine"),
    named="DBInstanceIdentifier",
    name_limit=63,
    name_lower=True,
    made="DBInstance",
    physical="DBInstance.DBInstanceIdentifier",
    look=_look_at_instance,
    attributes={
        "Endpoint.Address": "Endpoint.Address",
        "Endpoint.Port": "Endpoint.Port",
        "Endpoint.HostedZoneId": "Endpoint.HostedZoneId",
        "DBInstanceArn": "DBInstanceArn",
        "DbiResourceId": "DbiResourceId",
    },
    steps=(
        Setting(
            operation="ModifyDBInstance",
            key="DBInstanceIdentifier",
            sends=_INSTANCE_BOTH,
            fixed={"ApplyImmediately": True, "AllowMajorVersionUpgrade": True},
        ),
    ),
    remove=Removal(operation="DeleteDBInstance", key="DBInstanceIdentifier", fixed={"SkipFinalSnapshot": True}),
    tags=rds_tags("DBInstanceArn"),
    reads={
        "DBSubnetGroupName": "DBSubnetGroup.DBSubnetGroupName",
        "EnablePerformanceInsights": "PerformanceInsightsEnabled",
        "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
    },
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (CLUSTER, INSTANCE)}
