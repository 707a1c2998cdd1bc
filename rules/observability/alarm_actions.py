"""E9202: an alarm that nobody hears."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import equals


class SilentAlarm(HouseRule):
    """An alarm that only rolls back a deployment is heard too: people want to know why."""

    id = "E9202"
    shortdesc = "Alarm without actions"
    description = "AlarmActions names a topic, and ActionsEnabled is not false"
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/cloudwatch-controls.html#cloudwatch-15"
    tags = ["house", "alarms"]
    fix = "set AlarmActions to the alarm topic"
    types = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")

    def check(self, resource: Resource) -> Iterator[Finding]:
        if not resource.at("AlarmActions"):
            yield resource.finding("AlarmActions is empty", "AlarmActions")
        if equals(resource.at("ActionsEnabled"), "false"):
            yield resource.finding("ActionsEnabled is false", "ActionsEnabled")
