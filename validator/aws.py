"""The three AWS services of a run: secrets in, report and metrics out.

boto3 is the Lambda runtime's own and is imported where it is used, so that the command line does without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from validator.errors import UsageError


def client(service: str) -> Any:
    """A client of the region and role that the process runs in."""
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


def write_report(storage: Any, bucket: str, report: Mapping[str, Any]) -> str:
    """Put the report as JSON under the run's id; encrypted as the bucket's default says. Returns its key."""
    key = f"runs/{report['run_id']}/report.json"
    body = json.dumps(report, indent=1, ensure_ascii=False).encode()
    storage.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
    return key


def put_metrics(metrics: Any, namespace: str, report: Mapping[str, Any]) -> None:
    """Send what the alarms and the cutover read: `Mismatches`, `TablesCompared`, `Inconclusive`, without dimensions."""
    values = {
        "Mismatches": report["mismatches"],
        "TablesCompared": report["compared"],
        "Inconclusive": report["inconclusive"],
    }
    metrics.put_metric_data(
        Namespace=namespace,
        MetricData=[{"MetricName": name, "Value": value, "Unit": "Count"} for name, value in values.items()],
    )
