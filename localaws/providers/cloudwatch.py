"""CloudWatch: alarms, alarms of alarms, dashboards."""

from __future__ import annotations

from collections.abc import Mapping

from localaws.providers.base import Provider
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Look, Removal, Setting, same

_ARN = "arn:aws:cloudwatch:{region}:{account}:alarm:{id}"


def _tags(arn: str) -> Tags:
    return Tags(tag="TagResource", untag="UntagResource", key="ResourceARN", of=arn, lists="ListTagsForResource")


_ALARM = same(
    "ActionsEnabled AlarmActions AlarmDescription ComparisonOperator DatapointsToAlarm Dimensions"
    " EvaluateLowSampleCountPercentile EvaluationPeriods ExtendedStatistic InsufficientDataActions MetricName Metrics"
    " Namespace OKActions Period Statistic Threshold ThresholdMetricId TreatMissingData Unit"
)

ALARM = Row(
    type="AWS::CloudWatch::Alarm",
    service="cloudwatch",
    create_operation="PutMetricAlarm",
    sends=_ALARM | same("AlarmName"),
    named="AlarmName",
    exclusive=True,
    complete=False,
    look=Look(
        operation="DescribeAlarms", key="AlarmNames[]", path="MetricAlarms.0", fixed={"AlarmTypes": ["MetricAlarm"]}
    ),
    attributes={"Arn": _ARN},
    steps=(Setting(operation="PutMetricAlarm", key="AlarmName", sends=_ALARM, whole=True),),
    remove=Removal(operation="DeleteAlarms", key="AlarmNames[]"),
    tags=_tags(_ARN),
)

_COMPOSITE = same(
    "ActionsEnabled ActionsSuppressor ActionsSuppressorExtensionPeriod ActionsSuppressorWaitPeriod AlarmActions"
    " AlarmDescription AlarmRule InsufficientDataActions OKActions"
)

COMPOSITE = Row(
    type="AWS::CloudWatch::CompositeAlarm",
    service="cloudwatch",
    create_operation="PutCompositeAlarm",
    sends=_COMPOSITE | same("AlarmName"),
    named="AlarmName",
    exclusive=True,
    complete=False,
    look=Look(
        operation="DescribeAlarms",
        key="AlarmNames[]",
        path="CompositeAlarms.0",
        fixed={"AlarmTypes": ["CompositeAlarm"]},
    ),
    attributes={"Arn": _ARN},
    steps=(Setting(operation="PutCompositeAlarm", key="AlarmName", sends=_COMPOSITE, whole=True),),
    remove=Removal(operation="DeleteAlarms", key="AlarmNames[]"),
    tags=_tags(_ARN),
)

DASHBOARD = Row(
    type="AWS::CloudWatch::Dashboard",
    service="cloudwatch",
    create_operation="PutDashboard",
    sends=same("DashboardBody DashboardName"),
    named="DashboardName",
    exclusive=True,
    complete=False,
    look=Look(operation="GetDashboard", key="DashboardName", path=""),
    steps=(Setting(operation="PutDashboard", key="DashboardName", sends=same("DashboardBody")),),
    remove=Removal(operation="DeleteDashboards", key="DashboardNames[]"),
    tags=_tags("arn:aws:cloudwatch::{account}:dashboard/{id}"),
)

PROVIDERS: Mapping[str, Provider] = {row.type: row for row in (ALARM, COMPOSITE, DASHBOARD)}
