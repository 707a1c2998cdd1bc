"""Dimensions under which AWS publishes metrics: an alarm on any other set never has data, and nothing says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_Sets = tuple[frozenset[str], ...]


def _sets(*names: str) -> _Sets:
    return tuple(frozenset(name.split()) for name in names)


# Namespace → the sets of dimensions of its metrics. Other namespaces are not judged.
DIMENSIONS: Final[Mapping[str, _Sets]] = {
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    "AWS/ApplicationELB": _sets(
        "LoadBalancer",
        "LoadBalancer AvailabilityZone",
        "LoadBalancer TargetGroup",
        "LoadBalancer TargetGroup AvailabilityZone",
    ),
    # https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Monitoring.html
    "AWS/DMS": _sets("ReplicationInstanceIdentifier", "ReplicationInstanceIdentifier ReplicationTaskIdentifier"),
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
    "AWS/ECS": _sets("ClusterName", "ClusterName ServiceName", "ClusterName CapacityProviderName"),
    # https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    "AWS/Lambda": _sets("FunctionName", "FunctionName Resource", "FunctionName Resource ExecutedVersion"),
    # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/dimensions.html
    "AWS/RDS": _sets(
        "DBClusterIdentifier", "DBClusterIdentifier Role", "DBInstanceIdentifier", "DatabaseClass", "EngineName"
    ),
    # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html
    "AWS/States": _sets("StateMachineArn", "ActivityArn", "LambdaFunctionArn", "ServiceIntegrationResourceArn"),
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
    "ECS/ContainerInsights": _sets(
        "ClusterName",
        "ClusterName ServiceName",
        "ClusterName TaskDefinitionFamily",
        "ClusterName TaskDefinitionFamily ServiceName",
        "ClusterName TaskId ServiceName",
    ),
}

# Namespace → (start of the metric's name, the dimensions that it always has, those that it never has).
OF_METRICS: Final[Mapping[str, tuple[tuple[str, frozenset[str], frozenset[str]], ...]]] = {
    "AWS/ApplicationELB": (
        ("HealthyHost", frozenset({"TargetGroup"}), frozenset()),
        ("UnHealthyHost", frozenset({"TargetGroup"}), frozenset()),
        ("HTTPCode_ELB_", frozenset(), frozenset({"TargetGroup"})),
    ),
    "AWS/DMS": (
        ("CDC", frozenset({"ReplicationTaskIdentifier"}), frozenset()),
        ("FullLoad", frozenset({"ReplicationTaskIdentifier"}), frozenset()),
        ("Validation", frozenset({"ReplicationTaskIdentifier"}), frozenset()),
        ("Free", frozenset(), frozenset({"ReplicationTaskIdentifier"})),
        ("SwapUsage", frozenset(), frozenset({"ReplicationTaskIdentifier"})),
    ),
    "AWS/RDS": (
        ("Volume", frozenset({"DBClusterIdentifier"}), frozenset()),
        ("FreeLocalStorage", frozenset({"DBInstanceIdentifier"}), frozenset()),
    ),
    "ECS/ContainerInsights": (
        ("RunningTaskCount", frozenset({"ServiceName"}), frozenset({"TaskId"})),
        ("DesiredTaskCount", frozenset({"ServiceName"}), frozenset({"TaskId"})),
        ("PendingTaskCount", frozenset({"ServiceName"}), frozenset({"TaskId"})),
    ),
}

# Dimension → resource type and the attribute of it that is the dimension's value ("Ref" for its reference). A literal
# or another reference would do as well; another attribute of such a resource (an ARN, mostly) never does.
VALUES: Final[Mapping[str, tuple[str, str | None]]] = {
    "ClusterName": ("AWS::ECS::Cluster", "Ref"),
    "DBClusterIdentifier": ("AWS::RDS::DBCluster", "Ref"),
    "DBInstanceIdentifier": ("AWS::RDS::DBInstance", "Ref"),
    "FunctionName": ("AWS::Lambda::Function", "Ref"),
    "LoadBalancer": ("AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerFullName"),
    "ReplicationInstanceIdentifier": ("AWS::DMS::ReplicationInstance", None),
    "ReplicationTaskIdentifier": ("AWS::DMS::ReplicationTask", None),
    "ServiceName": ("AWS::ECS::Service", "Name"),
    "TargetGroup": ("AWS::ElasticLoadBalancingV2::TargetGroup", "TargetGroupFullName"),
}
