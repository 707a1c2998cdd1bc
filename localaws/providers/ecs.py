"""ECS: clusters, task definitions and services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Custom, Look, Removal, Setting, Work, same

_INACTIVE = ("status", frozenset({"INACTIVE"}))


def _tags(of: str, read: str = "tags") -> Tags:
    return Tags(
        create="tags",
        tag="TagResource",
        untag="UntagResource",
        key="resourceArn",
        of=of,
        tags="tags",
        keys="tagKeys",
        names=("key", "value"),
        lists="ListTagsForResource",
        read=read,
    )


def _put_capacity(work: Work) -> None:
    """The operation wants both lists, and an empty one where the template has none."""
    work.call(
        "PutClusterCapacityProviders",
        cluster=work.physical_id,
        capacityProviders=work.after.get("CapacityProviders", []),
        defaultCapacityProviderStrategy=work.after.get("DefaultCapacityProviderStrategy", []),
    )


CLUSTER = Row(
    type="AWS::ECS::Cluster",
    service="ecs",
    create_operation="CreateCluster",
    sends=same(
        "CapacityProviders ClusterName Configuration DefaultCapacityProviderStrategy", ClusterSettings="settings"
    ),
    named="ClusterName",
    made="cluster",
    physical="cluster.clusterName",
    look=Look(
        operation="DescribeClusters",
        key="clusters[]",
        path="clusters.0",
        fixed={"include": ["CONFIGURATIONS", "SETTINGS", "TAGS"]},
        dead=_INACTIVE,
    ),
    attributes={"Arn": "clusterArn"},
    steps=(
        Setting(operation="UpdateCluster", key="cluster", sends=same("Configuration", ClusterSettings="settings")),
        Custom(
            properties=frozenset({"CapacityProviders", "DefaultCapacityProviderStrategy"}),
            calls={"PutClusterCapacityProviders": ("cluster", "capacityProviders", "defaultCapacityProviderStrategy")},
            function=_put_capacity,
        ),
    ),
    remove=Removal(operation="DeleteCluster", key="cluster"),
    tags=_tags("clusterArn"),
)

TASK_DEFINITION = Row(
    type="AWS::ECS::TaskDefinition",
    service="ecs",
    create_operation="RegisterTaskDefinition",
    sends=same(
        "ContainerDefinitions Cpu EphemeralStorage ExecutionRoleArn Family Memory NetworkMode PidMode"
        " RequiresCompatibilities RuntimePlatform TaskRoleArn Volumes"
    ),
    named="Family",
    made="taskDefinition",
    physical="taskDefinition.taskDefinitionArn",
    look=Look(
        operation="DescribeTaskDefinition",
        key="taskDefinition",
        path="taskDefinition",
        fixed={"include": ["TAGS"]},
        dead=_INACTIVE,
    ),
    attributes={"TaskDefinitionArn": ""},
    remove=Removal(operation="DeregisterTaskDefinition", key="taskDefinition", asks=True),
    tags=_tags(""),
)

_SERVICE = same(
    "AvailabilityZoneRebalancing CapacityProviderStrategy DeploymentConfiguration DesiredCount EnableECSManagedTags"
    " EnableExecuteCommand HealthCheckGracePeriodSeconds LoadBalancers NetworkConfiguration PlatformVersion"
    " PropagateTags ServiceConnectConfiguration TaskDefinition DeploymentController"
)


def _cluster(work: Work) -> Mapping[str, Any]:
    """The cluster, as every operation on a service wants it; a service's ARN holds its name.

    arn:aws:ecs:region:account:service/cluster/service
    """
    return {"cluster": work.physical_id.split("/")[1]}


def _look_at_service(work: Work) -> Mapping[str, Any] | None:
    return Look(
        operation="DescribeServices",
        key="services[]",
        path="services.0",
        fixed={**_cluster(work), "include": ["TAGS"]},
        dead=_INACTIVE,
    )(work)


def _update_service(work: Work) -> None:
    Setting(operation="UpdateService", key="service", sends=_SERVICE, fixed=_cluster(work)).apply(work)


def _delete_service(work: Work) -> None:
    """With its tasks; CloudFormation scales down first, which comes to the same here."""
    Removal(operation="DeleteService", key="service", fixed={**_cluster(work), "force": True}, asks=True)(work)


SERVICE = Row(
    type="AWS::ECS::Service",
    service="ecs",
    create_operation="CreateService",
    sends=_SERVICE | same("Cluster LaunchType SchedulingStrategy ServiceName"),
    named="ServiceName",
    made="service",
    physical="service.serviceArn",
    look=_look_at_service,
    attributes={"Name": "serviceName", "ServiceArn": ""},
    steps=(
        Custom(
            properties=frozenset(_SERVICE),
            calls={"UpdateService": ("cluster", "service", *_SERVICE.values())},
            function=_update_service,
        ),
    ),
    remove=_delete_service,
    tags=_tags(""),
    reads={"Cluster": None},
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (CLUSTER, TASK_DEFINITION, SERVICE)}
