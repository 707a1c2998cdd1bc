"""Alarms and the two tasks, as preflight and watch look at them; each answers with sentences, none when all is well."""

from __future__ import annotations

from typing import Any

from cutover.steps.common import settings, tasks
from cutover.steps.common.cloud import client

_CHUNK = 100
_LOADED, _WELL = "Table completed", ("Validated", "Not enabled", "Pending records", "No primary key")
_SHOWN = 5


def alarms() -> list[str]:
    """Those of ALARM_NAMES that are in alarm, or are not there; one without data says nothing."""
    wanted = settings.names("ALARM_NAMES")
    states: dict[str, str] = {}
    for start in range(0, len(wanted), _CHUNK):
        # Composite alarms are told in a list of their own.
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
        answer = client("cloudwatch").describe_alarms(
            AlarmNames=wanted[start : start + _CHUNK], AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=_CHUNK
        )
        found = answer.get("MetricAlarms", []) + answer.get("CompositeAlarms", [])
        states.update((alarm["AlarmName"], alarm["StateValue"]) for alarm in found)
    missing = [f"the alarm {name} does not exist" for name in wanted if name not in states]
    return missing + [f"the alarm {name} is in alarm" for name in wanted if states.get(name) == "ALARM"]


def forward() -> tuple[list[str], int]:
    """What of the forward task is not as it must be, and how many tables it has."""
    arn = settings.text("FORWARD_TASK_ARN")
    task = tasks.describe(arn)
    if task["Status"] != "running":
        return [f"the forward task is {task['Status']}, not running"], 0
    told, statistics = [], task.get("ReplicationTaskStats", {})
    if (percent := statistics.get("FullLoadProgressPercent", 0)) != 100:  # noqa: PLR2004 - per cent
        told.append(f"the full load is at {percent} %")
    tables = _tables(arn)
    if not tables:
        told.append("the forward task has no tables")
    for what, wrong in (
        ("not loaded", [table for table in tables if table["TableState"] != _LOADED]),
        ("not valid for DMS", [table for table in tables if table.get("ValidationState", _WELL[0]) not in _WELL]),
    ):
        if wrong:
            shown = ", ".join(f"{table['SchemaName']}.{table['TableName']}" for table in wrong[:_SHOWN])
            told.append(f"{len(wrong)} tables are {what}: {shown}")
    return told, len(tables)


def _tables(arn: str) -> list[dict[str, Any]]:
    pages = client("dms").get_paginator("describe_table_statistics").paginate(ReplicationTaskArn=arn)
    return [table for page in pages for table in page["TableStatistics"]]
