"""Monitoring: who is told of what, the verdicts that the cutover waits for, and the picture of it all."""

from __future__ import annotations

from collections.abc import Sequence

from troposphere import Ref, Sub, cloudwatch, sns

from contract import names
from contract.kinds import (
    AlarmName,
    DashboardName,
    DatabaseClusterId,
    DatabaseInstanceId,
    EcsClusterName,
    EcsServiceName,
    FunctionName,
    KmsKeyArn,
    LoadBalancerName,
    MetricNamespace,
    ReplicationInstanceArn,
    ReplicationInstanceId,
    ReplicationTaskId,
    StateMachineArn,
    TargetGroupName,
    TopicArn,
    WebAclMetricName,
)
from contract.stack import Stack, Tier
from contract.wiring import Inputs as BaseInputs
from contract.wiring import Outputs as BaseOutputs
from contract.wiring import Report, Wire, camel_case
from templates.alarms import Watch, add_alarm
from templates.monitoring_cutover import cutover
from templates.monitoring_dashboard import dashboard_body
from templates.monitoring_events import add_event_rules, add_subscriptions
from templates.monitoring_migrating import replication, replication_instance, validation
from templates.monitoring_serving import WEIGHTED_PATH, aurora, front_door, tasks
from templates.monitoring_topic import add_topic

# What must be well for the cutover to begin, and for the way back to be open: parts of alarms.
_CUTOVER = (
    "dms-forward-lag-source", "dms-forward-lag-target", "dms-forward-validation-failed",
    "dms-forward-validation-suspended", "dms-storage", "dms-memory", "validation-mismatches", "validation-inconclusive",
    "ecs-tasks", "alb-healthy-targets", WEIGHTED_PATH, "aurora-cpu-writer", "aurora-connections-writer",
)  # fmt: skip
_ROLLBACK = (
    "dms-reverse-lag-source", "dms-reverse-lag-target", "dms-reverse-validation-failed",
    "dms-reverse-validation-suspended", "dms-storage", "dms-memory", "aurora-slot-lag", "alb-unhealthy-dc",
)  # fmt: skip


class Inputs(BaseInputs):
    """What is watched, as its metrics name it."""

    data_key_arn: Wire[KmsKeyArn]
    cluster_id: Wire[DatabaseClusterId]
    writer_instance_id: Wire[DatabaseInstanceId]
    reader_1_instance_id: Wire[DatabaseInstanceId]
    reader_2_instance_id: Wire[DatabaseInstanceId]
    load_balancer_name: Wire[LoadBalancerName]
    blue_target_group_name: Wire[TargetGroupName]
    green_target_group_name: Wire[TargetGroupName]
    data_center_target_group_name: Wire[TargetGroupName]
    web_acl_metric_name: Wire[WebAclMetricName]
    cluster_name: Wire[EcsClusterName]
    service_name: Wire[EcsServiceName]
    replication_instance_arn: Wire[ReplicationInstanceArn]
    replication_instance_id: Wire[ReplicationInstanceId]
    forward_task_id: Wire[ReplicationTaskId]
    reverse_task_id: Wire[ReplicationTaskId]
    function_name: Wire[FunctionName]
    state_machine_arn: Wire[StateMachineArn]
    metric_namespace: Wire[MetricNamespace]
    cutover_machine_arn: Wire[StateMachineArn]
    cutover_namespace: Wire[MetricNamespace]


class Outputs(BaseOutputs):
    """Where to subscribe, and what the cutover asks."""

    topic_arn: Report[TopicArn]
    cutover_alarm_name: Report[AlarmName]
    rollback_alarm_name: Report[AlarmName]
    dashboard_name: Report[DashboardName]


def build(stack: Stack, needs: Inputs) -> None:
    """Fill the monitoring template."""
    topic, topic_policy = add_topic(stack, needs.data_key_arn.ref)
    add_subscriptions(stack, needs, topic, topic_policy)
    add_event_rules(stack, needs, topic)

    # In the order in which a person looks: from the clients inwards, then the migration.
    groups = (
        front_door(stack.settings, needs),
        tasks(stack.settings, needs),
        aurora(stack.settings, needs),
        replication(stack.settings, needs),
        replication_instance(stack.settings, needs),
        validation(needs),
        cutover(stack.settings, needs),
    )
    for group in groups:
        for watch in group.watches:
            add_alarm(stack, watch, [Ref(topic)])
    watches = {watch.part: watch for group in groups for watch in group.watches}
    verdicts = [
        _verdict(
            stack,
            topic,
            "cutover-no-go",
            [watch for part, watch in watches.items() if part in _CUTOVER],
            "The cutover must not begin: an alarm of those named here is raised, or has no data.",
            "Look at the dashboard; begin when this alarm is OK.",
        ),
        _verdict(
            stack,
            topic,
            "rollback-no-go",
            [watch for part, watch in watches.items() if part in _ROLLBACK],
            "The way back to the data centre is not open: the reverse task does not run, lags, or found a difference.",
            "It must be OK after the cutover, for as long as going back shall be possible; before, it says nothing.",
        ),
    ]
    stack.give(Outputs.topic_arn, Ref(topic))
    stack.give(Outputs.cutover_alarm_name, Ref(verdicts[0]))
    stack.give(Outputs.rollback_alarm_name, Ref(verdicts[1]))
    dashboard = stack.add(
        cloudwatch.Dashboard(
            "Dashboard",
            DashboardName=stack.name(names.DASHBOARD, "overview"),
            DashboardBody=Sub(dashboard_body(stack.settings, groups, [verdict.title for verdict in verdicts])),
        )
    )
    stack.give(Outputs.dashboard_name, Ref(dashboard))


def _verdict(
    stack: Stack, topic: sns.Topic, part: str, watches: Sequence[Watch], meaning: str, todo: str
) -> cloudwatch.CompositeAlarm:
    """An alarm that is raised unless every one of `watches` is well; having no data is not being well.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
    """
    all_well = " AND ".join(f'OK("${{{watch.logical_id}}}")' for watch in watches)
    return stack.add(
        cloudwatch.CompositeAlarm(
            camel_case(part.replace("-", "_")),
            AlarmName=stack.name(names.ALARM, part),
            AlarmDescription=f"{meaning} {todo}",
            AlarmRule=Sub(f"NOT ({all_well})"),
            ActionsEnabled=True,
            AlarmActions=[Ref(topic)],
            OKActions=[Ref(topic)],
        )
    )


TIER = Tier(
    Inputs, Outputs, build, "Monitoring: topic, alarms, event subscriptions, verdicts for the cutover, dashboard"
)
