"""The AWS services of a run but for its store: secrets in, metrics out.

boto3 is the Lambda runtime's own and is imported where it is used, so that the command line does without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from validator.errors import UsageError
from validator.wording import count_of

_ROWS = {"MissingRows": "missing", "ExtraRows": "extra", "ChangedRows": "changed", "PendingRows": "pending"}


@cache
def client(service: str) -> Any:
    """A client of the region and role that the process runs in; the same one for all calls of the process."""
    import boto3  # not there on a laptop, and a fifth of a second in Lambda

    make: Any = boto3.client  # typed for literal service names only
    return make(service)


def read_secret(secrets: Any, arn: str) -> Mapping[str, Any]:
    """The JSON object of a secret; raises `UsageError` when it is not one. The message never holds its text."""
    text = secrets.get_secret_value(SecretId=arn)["SecretString"]
    try:
        secret = json.loads(text)
    except ValueError:
        secret = None
    if not isinstance(secret, dict):
        raise UsageError(f"the secret {arn} is not a JSON object")
    return secret


def put_metrics(metrics: Any, namespace: str, report: Mapping[str, Any]) -> None:
    """Send what the alarms, the dashboard and the cutover read; without dimensions.

    `Mismatches` and `Inconclusive` count tables, the alarms stand on them; the others say how much, and of what.
    """
    tables = report["tables"]
    counts = {
        "Mismatches": report["mismatches"],
        "Inconclusive": report["inconclusive"],
        "TablesCompared": report["compared"],
        "RowsCompared": sum(table["rows"]["source"] or 0 for table in tables),
        **{name: sum(count_of(table, kind) for table in tables) for name, kind in _ROWS.items()},
    }
    data = [{"MetricName": name, "Value": value, "Unit": "Count"} for name, value in counts.items()]
    data.append({"MetricName": "DurationSeconds", "Value": report["seconds"] or 0, "Unit": "Seconds"})
    metrics.put_metric_data(Namespace=namespace, MetricData=data)
