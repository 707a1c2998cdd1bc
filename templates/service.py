"""Service: the Java application on ECS Fargate, deployed blue/green by ECS itself, with alarms that roll back."""

from __future__ import annotations

from troposphere import GetAtt, Ref, Sub, applicationautoscaling, ecs, logs

from contract import names
from contract.kinds import (
    EcsClusterName,
    EcsServiceArn,
    EcsServiceName,
    KmsKeyArn,
    ListenerRuleArn,
    LoadBalancerName,
    LogGroupName,
    ParameterName,
    RoleArn,
    SecretArn,
    SecurityGroupId,
    SubnetId,
    TargetGroupArn,
    TargetGroupName,
    TaskDefinitionArn,
)
from contract.policies import arn
from contract.stack import Stack, Tier
from contract.wiring import Inputs as BaseInputs
from contract.wiring import Output, Report, Wire
from contract.wiring import Outputs as BaseOutputs
from templates.alarms import Dimension, Metric, NoData, Watch, add_alarm
from templates.log_groups import add_log_group
from templates.service_container import CONTAINER, container

_CLUSTER = "cluster"
# How long the load balancer's verdict on a task is ignored while the JVM starts.
_START_SECONDS = 120
_NOT_STARTED = {"E9188": "service.started is false: the database users have no passwords yet, so no task runs"}
# Scaling out is urgent, scaling in is not: a burst of payments is followed by another.
_SCALE_OUT_SECONDS, _SCALE_IN_SECONDS = 60, 300


class Inputs(BaseInputs):
    """Where tasks run, who they are, which databases they may use, and what ECS may turn at the load balancer."""

    private_subnet_1_id: Wire[SubnetId]
    private_subnet_2_id: Wire[SubnetId]
    private_subnet_3_id: Wire[SubnetId]
    service_security_group_id: Wire[SecurityGroupId]
    blue_target_group_arn: Wire[TargetGroupArn]
    green_target_group_arn: Wire[TargetGroupArn]
    production_rule_arn: Wire[ListenerRuleArn]
    test_rule_arn: Wire[ListenerRuleArn]
    task_execution_role_arn: Wire[RoleArn]
    task_role_arn: Wire[RoleArn]
    infrastructure_role_arn: Wire[RoleArn]
    aurora_secret_arn: Wire[SecretArn]
    data_center_secret_arn: Wire[SecretArn]
    pointer_name: Wire[ParameterName]
    logs_key_arn: Wire[KmsKeyArn]
    load_balancer_name: Wire[LoadBalancerName]
    blue_target_group_name: Wire[TargetGroupName]
    green_target_group_name: Wire[TargetGroupName]


class Outputs(BaseOutputs):
    """What alarms watch and deployments name."""

    cluster_name: Output[EcsClusterName]
    service_name: Output[EcsServiceName]
    service_arn: Report[EcsServiceArn]
    task_definition_arn: Report[TaskDefinitionArn]
    log_group_name: Report[LogGroupName]


def build(stack: Stack, needs: Inputs) -> None:
    """Fill the service template."""
    logs_key = needs.logs_key_arn.ref
    log_group = add_log_group(stack, "LogGroup", stack.name(names.LOG_GROUP, "service"), logs_key)
    # ECS would make the group of Container Insights itself, without our key, and leave it behind with the cluster.
    # https://github.com/aws/containers-roadmap/issues/2315
    insights = add_log_group(
        stack, "InsightsLogGroup", stack.name(names.INSIGHTS_LOG_GROUP, f"{_CLUSTER}/performance"), logs_key
    )
    cluster = stack.add(
        ecs.Cluster(
            "Cluster",
            DependsOn=insights.title,
            ClusterName=stack.name(names.ECS_CLUSTER, _CLUSTER),
            CapacityProviders=["FARGATE"],
            ClusterSettings=[ecs.ClusterSetting(Name="containerInsights", Value="enhanced")],
        )
    )
    task = _task_definition(stack, needs, log_group)
    service = _service(stack, needs, cluster, task)
    _scaling(stack, cluster, service)
    stack.give(Outputs.cluster_name, Ref(cluster))
    stack.give(Outputs.service_name, GetAtt(service, "Name"))
    stack.give(Outputs.service_arn, Ref(service))
    stack.give(Outputs.task_definition_arn, Ref(task))
    stack.give(Outputs.log_group_name, Ref(log_group))


def _task_definition(stack: Stack, needs: Inputs, log_group: logs.LogGroup) -> ecs.TaskDefinition:
    settings = stack.settings.service
    return stack.add(
        ecs.TaskDefinition(
            "TaskDefinition",
            Family=stack.name(names.ECS_TASK_FAMILY, "service"),
            RequiresCompatibilities=["FARGATE"],
            NetworkMode="awsvpc",
            Cpu=str(settings.cpu_units),
            Memory=str(settings.memory_mib),
            RuntimePlatform=ecs.RuntimePlatform(CpuArchitecture=settings.architecture, OperatingSystemFamily="LINUX"),
            ExecutionRoleArn=needs.task_execution_role_arn.ref,
            TaskRoleArn=needs.task_role_arn.ref,
            ContainerDefinitions=[
                container(
                    stack.settings,
                    {"AURORA": needs.aurora_secret_arn.label, "DATA_CENTER": needs.data_center_secret_arn.label},
                    needs.pointer_name.ref,
                    log_group,
                )
            ],
        )
    )


def _service(stack: Stack, needs: Inputs, cluster: ecs.Cluster, task: ecs.TaskDefinition) -> ecs.Service:
    """The service, with the blue/green deployment that ECS runs itself.

    CloudFormation sends DesiredCount with every change of the service, so a deployment starts the new version with
    `min_tasks`, however many autoscaling had started; it scales out during a deployment, but not in. Left out, a new
    service would start with a single task. Hence: deploy outside of peaks, or raise `min_tasks` first.

    The deployment that makes the secrets cannot wait for healthy tasks, whose users get their passwords from those
    secrets: it starts none (`service.started`).
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-auto-scaling.html#service-auto-scaling-deployments
    """
    settings = stack.settings.service
    return stack.add(
        ecs.Service(
            "Service",
            ServiceName=stack.name(names.ECS_SERVICE, "service"),
            Cluster=Ref(cluster),
            TaskDefinition=Ref(task),
            LaunchType="FARGATE",
            PlatformVersion=settings.platform_version,
            SchedulingStrategy="REPLICA",
            DesiredCount=settings.fewest_tasks,
            # Tasks move back into a zone that has recovered.
            AvailabilityZoneRebalancing="ENABLED",
            EnableECSManagedTags=True,
            PropagateTags="SERVICE",
            # Nobody opens a shell where card numbers are in memory.
            EnableExecuteCommand=False,
            HealthCheckGracePeriodSeconds=_START_SECONDS,
            DeploymentController=ecs.DeploymentController(Type="ECS"),
            DeploymentConfiguration=ecs.DeploymentConfiguration(
                Strategy="BLUE_GREEN",
                BakeTimeInMinutes=settings.bake_time_minutes,
                MinimumHealthyPercent=100,
                MaximumPercent=200,
                DeploymentCircuitBreaker=ecs.DeploymentCircuitBreaker(Enable=True, Rollback=True),
                Alarms=ecs.DeploymentAlarms(AlarmNames=_rollback_alarms(stack, needs), Enable=True, Rollback=True),
            ),
            NetworkConfiguration=ecs.NetworkConfiguration(
                AwsvpcConfiguration=ecs.AwsvpcConfiguration(
                    AssignPublicIp="DISABLED",
                    SecurityGroups=[needs.service_security_group_id.ref],
                    Subnets=[
                        needs.private_subnet_1_id.ref,
                        needs.private_subnet_2_id.ref,
                        needs.private_subnet_3_id.ref,
                    ],
                )
            ),
            LoadBalancers=[
                ecs.LoadBalancer(
                    ContainerName=CONTAINER,
                    ContainerPort=settings.port,
                    TargetGroupArn=needs.blue_target_group_arn.ref,
                    AdvancedConfiguration=ecs.AdvancedConfiguration(
                        AlternateTargetGroupArn=needs.green_target_group_arn.ref,
                        ProductionListenerRule=needs.production_rule_arn.ref,
                        TestListenerRule=needs.test_rule_arn.ref,
                        RoleArn=needs.infrastructure_role_arn.ref,
                    ),
                )
            ],
        ),
        excepted=None if settings.started else _NOT_STARTED,
    )


def _rollback_alarms(stack: Stack, needs: Inputs) -> list[Ref]:
    """The alarms that end a deployment: both groups are watched, because either may hold the new version.

    One that is raised when a deployment begins is not looked at, so that a fix can be deployed.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
    """
    # The topic belongs to a tier that is made later, from what this one gives.
    topic = arn("sns", stack.named_elsewhere(names.TOPIC, "alarms"))
    errors = stack.settings.monitoring.http_5xx_threshold
    watches = [
        *_rollback_watches("blue", needs.load_balancer_name, needs.blue_target_group_name, errors),
        *_rollback_watches("green", needs.load_balancer_name, needs.green_target_group_name, errors),
    ]
    return [Ref(add_alarm(stack, watch, [topic])) for watch in watches]


def _rollback_watches(color: str, balancer: Dimension, group: Dimension, errors: int) -> list[Watch]:
    place = {"LoadBalancer": balancer, "TargetGroup": group}
    return [
        Watch(
            f"rollback-{color}-errors",
            (Metric("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", place, "Sum"),),
            ">=",
            errors,
            2,
            NoData.NOTHING_HAPPENED,
            f"Tasks in the {color} target group answer with 5xx. A deployment under way is rolled back.",
            "Read the service's log, mend the new version, deploy again.",
        ),
        Watch(
            f"rollback-{color}-unhealthy",
            # The minimum counts a task only when every node of the load balancer finds it unhealthy.
            (Metric("AWS/ApplicationELB", "UnHealthyHostCount", place, "Minimum"),),
            ">=",
            1,
            # Minutes; longer than a JVM takes to start.
            5,
            NoData.NOTHING_HAPPENED,
            f"Tasks in the {color} target group fail their health check. A deployment under way is rolled back.",
            "Read the service's log and its events, mend the new version, deploy again.",
        ),
    ]


def _scaling(stack: Stack, cluster: ecs.Cluster, service: ecs.Service) -> None:
    """Application Auto Scaling uses its own service-linked role: none is named here."""
    settings = stack.settings.service
    target = stack.add(
        applicationautoscaling.ScalableTarget(
            "ScalableTarget",
            ServiceNamespace="ecs",
            ScalableDimension="ecs:service:DesiredCount",
            ResourceId=Sub(f"service/${{{cluster.title}}}/${{{service.title}.Name}}"),
            MinCapacity=settings.fewest_tasks,
            MaxCapacity=settings.max_tasks,
        ),
        excepted=None if settings.started else _NOT_STARTED,
    )
    stack.add(
        applicationautoscaling.ScalingPolicy(
            "CpuScalingPolicy",
            PolicyName=stack.name(names.SCALING_POLICY, "service-cpu"),
            PolicyType="TargetTrackingScaling",
            ScalingTargetId=Ref(target),
            TargetTrackingScalingPolicyConfiguration=applicationautoscaling.TargetTrackingScalingPolicyConfiguration(
                PredefinedMetricSpecification=applicationautoscaling.PredefinedMetricSpecification(
                    PredefinedMetricType="ECSServiceAverageCPUUtilization"
                ),
                TargetValue=settings.cpu_target_percent,
                ScaleOutCooldown=_SCALE_OUT_SECONDS,
                ScaleInCooldown=_SCALE_IN_SECONDS,
            ),
        )
    )


TIER = Tier(Inputs, Outputs, build, "Service: ECS cluster, Fargate service with blue/green deployment, autoscaling")
