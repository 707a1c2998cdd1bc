"""What DMS tells CloudWatch of a task that runs.

https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Monitoring.html#CHAP_Monitoring.Metrics.Task
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

_NAMESPACE = "AWS/DMS"
_UNITS = {
    "CDCLatencySource": "Seconds",
    "CDCLatencyTarget": "Seconds",
    "CDCThroughputRowsTarget": "Count/Second",
}


class Metrics:
    """Those of one task: `instance` is its instance's identifier, `task` the last part of its ARN."""

    def __init__(self, clients: Any, instance: str, task: str) -> None:
        self._clients = clients
        self._dimensions = [
            {"Name": "ReplicationInstanceIdentifier", "Value": instance},
            {"Name": "ReplicationTaskIdentifier", "Value": task},
        ]

    def put(self, values: dict[str, float]) -> None:
        """One value of each, now."""
        now = datetime.now(UTC)
        self._clients("cloudwatch").put_metric_data(
            Namespace=_NAMESPACE,
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": self._dimensions,
                    "Timestamp": now,
                    "Value": value,
                    "Unit": _UNITS.get(name, "Count"),
                }
                for name, value in values.items()
            ],
        )
