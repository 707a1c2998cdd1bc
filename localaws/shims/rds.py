"""Corrections to moto's RDS."""

from __future__ import annotations

from typing import Any

from localaws.shims.patch import added, around

# What moto does not keep of a cluster, and what DescribeDBClusters calls it.
_CLUSTER = {
    "DatabaseInsightsMode": "database_insights_mode",
    "EngineLifecycleSupport": "engine_lifecycle_support",
    "EnablePerformanceInsights": "performance_insights_enabled",
    "PerformanceInsightsKMSKeyId": "performance_insights_kms_key_id",
    "PerformanceInsightsRetentionPeriod": "performance_insights_retention_period",
    "MonitoringInterval": "monitoring_interval",
    "MonitoringRoleArn": "monitoring_role_arn",
    "AutoMinorVersionUpgrade": "auto_minor_version_upgrade",
    "EnableIAMDatabaseAuthentication": "iam_auth",
}
_INSTANCE = {
    "DatabaseInsightsMode": "database_insights_mode",
    "EngineLifecycleSupport": "engine_lifecycle_support",
    "EnablePerformanceInsights": "performance_insights_enabled",
    "PerformanceInsightsKMSKeyId": "performance_insights_kms_key_id",
    "PerformanceInsightsRetentionPeriod": "performance_insights_retention_period",
    "MonitoringInterval": "monitoring_interval",
    "MonitoringRoleArn": "monitoring_role_arn",
}


def take_the_storage_type_aurora() -> None:
    """StorageType "aurora" and "aurora-iopt1" are Aurora's own; moto knows neither and fails.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html
    """
    from moto.rds.models import DBCluster

    @around(DBCluster, "default_allocated_storage")
    def default_allocated_storage(original: Any, engine: str, storage_type: str) -> int:
        return 1 if storage_type.startswith("aurora") else int(original(engine, storage_type))


def replace_automated_snapshots_of_the_same_minute() -> None:
    """The automated snapshot of a cluster or an instance goes with it; moto keeps the cluster's.

    A cluster that is made anew within the minute then collides with the snapshot of the first.
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_DeleteCluster.html
    """
    from moto.rds.models import RDSBackend

    @around(RDSBackend, "create_auto_cluster_snapshot")
    def cluster_snapshot(original: Any, self: Any, cluster: str, snapshot: str) -> Any:
        self.cluster_snapshots.pop(snapshot, None)
        return original(self, cluster, snapshot)

    @around(RDSBackend, "create_auto_snapshot")
    def instance_snapshot(original: Any, self: Any, instance: str, snapshot: str) -> Any:
        self.database_snapshots.pop(snapshot, None)
        return original(self, instance, snapshot)


def keep_what_is_observed_of_databases() -> None:
    """Performance Insights, enhanced monitoring, Database Insights, lifecycle support: moto forgets them.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBCluster.html
    """
    from moto.rds.responses import RDSResponse

    for operation in ("create_db_cluster", "modify_db_cluster"):

        @around(RDSResponse, operation)
        def keep_cluster(original: Any, self: Any) -> Any:
            # moto overwrites the names while it works.
            name = self.params.get("NewDBClusterIdentifier") or self.params["DBClusterIdentifier"]
            answer = original(self)
            _keep(self, _CLUSTER, self.backend.clusters, name.lower(), answer.result["DBCluster"])
            return answer

    for operation in ("create_db_instance", "modify_db_instance"):

        @around(RDSResponse, operation)
        def keep_instance(original: Any, self: Any) -> Any:
            name = self.params.get("NewDBInstanceIdentifier") or self.params["DBInstanceIdentifier"]
            answer = original(self)
            _keep(self, _INSTANCE, self.backend.databases, name.lower(), answer.result["DBInstance"])
            return answer


def _keep(response: Any, members: dict[str, str], resources: dict[str, Any], name: str, told: Any) -> None:
    """Keep the parameters `members` of a request on the resource, and on the copy of it that is answered."""
    for parameter, attribute in members.items():
        value = response.params.get(parameter)
        if value is not None:
            setattr(resources[name], attribute, value)
            setattr(told, attribute, value)


def switch_the_log_exports_of_clusters() -> None:
    """ModifyDBCluster reads the exports to switch under a name that the API does not have.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CloudwatchLogsExportConfiguration.html
    """
    from moto.rds.responses import RDSResponse

    @around(RDSResponse, "modify_db_cluster")
    def modify_db_cluster(original: Any, self: Any) -> Any:
        name = self.params.get("NewDBClusterIdentifier") or self.params["DBClusterIdentifier"]
        answer = original(self)
        switched = self.params.get("CloudwatchLogsExportConfiguration") or {}
        cluster = self.backend.clusters[name.lower()]
        kept = [
            one for one in cluster.enabled_cloudwatch_logs_exports if one not in (switched.get("DisableLogTypes") or [])
        ]
        added = [one for one in (switched.get("EnableLogTypes") or []) if one not in kept]
        for told in (cluster, answer.result["DBCluster"]):
            told.enabled_cloudwatch_logs_exports = [*kept, *added]
        return answer


def change_subnet_groups_in_place() -> None:
    """ModifyDBSubnetGroup takes the group away and does not put it back.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSubnetGroup.html
    """
    from moto.rds.models import RDSBackend

    @around(RDSBackend, "modify_db_subnet_group")
    def modify(original: Any, self: Any, subnet_name: str, description: str, subnets: Any) -> Any:
        group = self.subnet_groups[subnet_name] = original(self, subnet_name, description, subnets)
        return group


def tell_the_subnets_of_cluster_instances() -> None:
    """An instance of a cluster is in the cluster's subnet group; moto tells none.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html
    """
    from moto.rds.models import DBInstanceClustered

    @around(DBInstanceClustered, "__init__")
    def initialize(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        name = self.cluster.db_subnet_group_name
        if not self._db_subnet_group_name and name in self.backend.subnet_groups:
            self.db_subnet_group_name = name


def refuse_to_delete_groups_in_use() -> None:
    """A subnet group or parameter group that a database uses cannot be deleted; moto deletes it.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBSubnetGroup.html
    """
    from moto.rds.exceptions import RDSClientError
    from moto.rds.models import RDSBackend

    @around(RDSBackend, "delete_subnet_group")
    def delete_subnet_group(original: Any, self: Any, subnet_name: str) -> Any:
        users = [one.db_cluster_identifier for one in self.clusters.values() if one.db_subnet_group_name == subnet_name]
        if users:
            raise RDSClientError(
                "InvalidDBSubnetGroupStateFault",
                f"Cannot delete the subnet group '{subnet_name}' because at least one database instance: {users[0]} is "
                "still using it.",
            )
        return original(self, subnet_name)

    @around(RDSBackend, "delete_db_cluster_parameter_group")
    def delete_cluster_parameter_group(original: Any, self: Any, db_cluster_parameter_group_name: str) -> Any:
        name = db_cluster_parameter_group_name
        _refuse_in_use(name, (cluster.parameter_group for cluster in self.clusters.values()))
        return original(self, name)

    @around(RDSBackend, "delete_db_parameter_group")
    def delete_parameter_group(original: Any, self: Any, db_parameter_group_name: str) -> Any:
        name = db_parameter_group_name
        _refuse_in_use(name, (instance.db_parameter_group_name for instance in self.databases.values()))
        return original(self, name)


def _refuse_in_use(name: str, used: Any) -> None:
    from moto.rds.exceptions import RDSClientError

    if name in used:
        raise RDSClientError(
            "InvalidDBParameterGroupState", "One or more database instances are still members of this parameter group."
        )


def change_event_subscriptions() -> None:
    """ModifyEventSubscription, AddSourceIdentifierToSubscription and RemoveSource… are missing.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyEventSubscription.html
    """
    from moto.core.responses import ActionResult
    from moto.rds.responses import RDSResponse

    def subscription(response: Any) -> Any:
        return response.backend.describe_event_subscriptions(response.params["SubscriptionName"])[0]

    @added(RDSResponse)
    def modify_event_subscription(self: Any) -> Any:
        found = subscription(self)
        names = {
            "SnsTopicArn": "sns_topic_arn",
            "SourceType": "source_type",
            "EventCategories": "event_categories",
            "Enabled": "enabled",
        }
        for parameter, attribute in names.items():
            if self.params.get(parameter) is not None:
                setattr(found, attribute, self.params[parameter])
        return ActionResult({"EventSubscription": found})

    @added(RDSResponse)
    def add_source_identifier_to_subscription(self: Any) -> Any:
        found, source = subscription(self), self.params["SourceIdentifier"]
        found.source_ids = [*(one for one in found.source_ids if one != source), source]
        return ActionResult({"EventSubscription": found})

    @added(RDSResponse)
    def remove_source_identifier_from_subscription(self: Any) -> Any:
        found, source = subscription(self), self.params["SourceIdentifier"]
        found.source_ids = [one for one in found.source_ids if one != source]
        return ActionResult({"EventSubscription": found})


def reset_parameter_groups() -> None:
    """ResetDBParameterGroup and ResetDBClusterParameterGroup are missing.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ResetDBParameterGroup.html
    """
    from moto.core.responses import ActionResult
    from moto.rds.exceptions import DBParameterGroupNotFoundError
    from moto.rds.responses import RDSResponse

    def reset(response: Any, groups: dict[str, Any], member: str) -> Any:
        name = response.params[member]
        if name not in groups:
            raise DBParameterGroupNotFoundError(name)
        parameters = groups[name].parameters
        chosen = response.params.get("Parameters")
        for parameter in [one["ParameterName"] for one in chosen] if chosen else list(parameters):
            parameters.pop(parameter, None)
        return ActionResult({member: name})

    @added(RDSResponse)
    def reset_db_parameter_group(self: Any) -> Any:
        return reset(self, self.backend.db_parameter_groups, "DBParameterGroupName")

    @added(RDSResponse)
    def reset_db_cluster_parameter_group(self: Any) -> Any:
        return reset(self, self.backend.db_cluster_parameter_groups, "DBClusterParameterGroupName")
