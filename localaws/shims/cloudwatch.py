"""Corrections to moto's CloudWatch."""

from __future__ import annotations

from typing import Any

from localaws.shims.patch import added, around

_COMPOSITE = "CompositeAlarm"
_SUPPRESSION = {
    "ActionsSuppressor": "actions_suppressor",
    "ActionsSuppressorWaitPeriod": "actions_suppressor_wait_period",
    "ActionsSuppressorExtensionPeriod": "actions_suppressor_extension_period",
}


def have_composite_alarms() -> None:
    """PutCompositeAlarm is missing, and DescribeAlarms tells of composite alarms unasked.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html (AlarmTypes)
    """
    from moto.cloudwatch.responses import CloudWatchResponse
    from moto.core.responses import ActionResult, EmptyResult

    @added(CloudWatchResponse)
    def put_composite_alarm(self: Any) -> Any:
        name, backend = self._get_param("AlarmName"), self.cloudwatch_backend
        nothing = dict.fromkeys(
            (
                "namespace",
                "metric_name",
                "comparison_operator",
                "evaluation_periods",
                "period",
                "threshold",
                "statistic",
            )
        )
        alarm = backend.put_metric_alarm(
            **nothing,
            name=name,
            description=self._get_param("AlarmDescription"),
            dimensions=[],
            actions_enabled=self._get_bool_param("ActionsEnabled"),
            alarm_actions=self._get_param("AlarmActions", []),
            ok_actions=self._get_param("OKActions", []),
            insufficient_data_actions=self._get_param("InsufficientDataActions", []),
            rule=self._get_param("AlarmRule"),
            tags=self._get_param("Tags", []),
        )
        for parameter, attribute in _SUPPRESSION.items():
            setattr(alarm, attribute, self._get_param(parameter))
        return EmptyResult()

    @around(CloudWatchResponse, "describe_alarms")
    def describe_alarms(original: Any, self: Any) -> Any:
        kinds = self._get_param("AlarmTypes") or ["MetricAlarm"]
        found = original(self).result
        return ActionResult({name: alarms if name[:-1] in kinds else [] for name, alarms in found.items()})


def tag_dashboards() -> None:
    """PutDashboard takes tags, and Tag-, Untag- and ListTagsForResource a dashboard's ARN; moto knows only alarms.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
    """
    from moto.cloudwatch.models import CloudWatchBackend
    from moto.cloudwatch.responses import CloudWatchResponse

    @around(CloudWatchResponse, "put_dashboard")
    def put_dashboard(original: Any, self: Any) -> Any:
        answer = original(self)
        dashboard = self.cloudwatch_backend.dashboards[self._get_param("DashboardName")]
        if tags := self._get_param("Tags", []):
            self.cloudwatch_backend.tagger.tag_resource(dashboard.arn, [dict(tag) for tag in tags])
        return answer

    @around(CloudWatchBackend, "tag_resource")
    def tag_resource(original: Any, self: Any, arn: str, tags: dict[str, str]) -> None:
        if any(dashboard.arn == arn for dashboard in self.dashboards.values()):
            self.tagger.tag_resource(arn, self.tagger.convert_dict_to_tags_input(tags))
        else:
            original(self, arn, tags)


def forget_the_tags_of_what_is_deleted() -> None:
    """Tags go with their alarm or dashboard; moto gives them to the next one of that name."""
    from moto.cloudwatch.models import CloudWatchBackend

    @around(CloudWatchBackend, "delete_alarms")
    def delete_alarms(original: Any, self: Any, alarm_names: list[str]) -> None:
        for alarm in self.get_alarms_by_alarm_names(alarm_names):
            self.tagger.delete_all_tags_for_resource(alarm.alarm_arn)
        original(self, alarm_names)

    @around(CloudWatchBackend, "delete_dashboards")
    def delete_dashboards(original: Any, self: Any, dashboards: list[str]) -> Any:
        arns = [self.dashboards[name].arn for name in dashboards if name in self.dashboards]
        answer = original(self, dashboards)
        if answer is None:
            for arn in arns:
                self.tagger.delete_all_tags_for_resource(arn)
        return answer
