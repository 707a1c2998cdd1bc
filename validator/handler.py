"""The Lambda function's door: plan a run, compare one table, summarise the results.

    {"action": "plan"} → {"run_id", "tables": [{"schema", "table"}, …], "skipped": [{"schema", "name", "kind"}, …]}
    {"action": "compare", "run_id", "table": {"schema", "table"}} → {"schema", "table", "verdict", "rows", …}
    {"action": "summarise", "run_id", "results": […]} → {"verdict", "mismatches", "tables", "report_key"}

`summarise` also takes the plan's `tables` and `skipped`: then a table without a result is seen. Environment:
SOURCE_SECRET_ARN, TARGET_SECRET_ARN, SOURCE_CA, TARGET_CA (PEM files, relative to the function's code), SCHEMAS (comma
separated), REPORT_BUCKET, METRIC_NAMESPACE.

What a run cannot do without (settings, a reachable database, a place for the report) raises, so that the state machine
fails; what goes wrong with one table is that table's INCONCLUSIVE. One line of JSON is logged per call, without values.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from validator import aws
from validator.catalog import Table
from validator.compare import Sides, compare_table, list_both
from validator.endpoint import Endpoint, from_secret
from validator.errors import AuthenticationError, UsageError
from validator.report import summarise

_CODE = Path(__file__).parents[1]
# Kept from a statement's timeout to the function's, to say what happened.
_MARGIN_SECONDS = 15
_endpoints: dict[str, Endpoint] = {}


class Context(Protocol):
    """What is read of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int: ...


def handle(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Do one step of a run; raises `ValidatorError` with a sentence that says what is wrong."""
    actions: dict[str, Callable[[], dict[str, Any]]] = {
        "plan": lambda: _plan(context),
        "compare": lambda: _compare(event, context),
        "summarise": lambda: _summarise(event),
    }
    action = event.get("action")
    if action not in actions:
        raise UsageError(f"action {action!r} is not known", hint="known are " + ", ".join(actions))
    began = time.monotonic()
    answer = actions[action]()
    record = {key: answer[key] for key in ("run_id", "schema", "table", "verdict", "rows", "reason") if key in answer}
    print(json.dumps({"action": action, "seconds": round(time.monotonic() - began, 3), **record}))
    return answer


def _plan(context: Context) -> dict[str, Any]:
    schemas = [name for name in _setting("SCHEMAS").split(",") if name]
    source, target = _with_sides(context, lambda sides: list_both(sides, schemas))
    return {
        "run_id": f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{uuid.uuid4().hex[:8]}",
        "tables": [{"schema": table.schema, "table": table.name} for table in sorted(source.tables | target.tables)],
        "skipped": [
            {"schema": item.schema, "name": item.name, "kind": item.kind}
            for item in sorted(source.skipped | target.skipped)
        ],
    }


def _compare(event: dict[str, Any], context: Context) -> dict[str, Any]:
    table = Table(event["table"]["schema"], event["table"]["table"])
    result = _with_sides(context, lambda sides: compare_table(sides, table))
    return {"run_id": event["run_id"], **result.document()}


def _summarise(event: dict[str, Any]) -> dict[str, Any]:
    report = summarise(event["run_id"], event["results"], planned=event.get("tables"), skipped=event.get("skipped", ()))
    key = aws.write_report(aws.client("s3"), _setting("REPORT_BUCKET"), report)
    aws.put_metrics(aws.client("cloudwatch"), _setting("METRIC_NAMESPACE"), report)
    return {
        "run_id": report["run_id"],
        "verdict": report["verdict"],
        "mismatches": report["mismatches"],
        "inconclusive": report["inconclusive"],
        "tables": report["compared"],
        "report_key": key,
    }


def _with_sides(context: Context, work: Callable[[Sides], Any]) -> Any:
    """`work` with both databases; secrets are read anew once when a server refuses them, for they may have rotated."""
    timeout_seconds = max(context.get_remaining_time_in_millis() // 1000 - _MARGIN_SECONDS, 1)
    if not _endpoints:
        _endpoints.update(_read_endpoints())
    try:
        with Sides(_endpoints["source"], _endpoints["target"], timeout_seconds) as sides:
            return work(sides)
    except AuthenticationError:
        _endpoints.update(_read_endpoints())
        with Sides(_endpoints["source"], _endpoints["target"], timeout_seconds) as sides:
            return work(sides)


def _read_endpoints() -> dict[str, Endpoint]:
    secrets = aws.client("secretsmanager")
    return {
        side: from_secret(
            side,
            aws.read_secret(secrets, _setting(f"{side.upper()}_SECRET_ARN")),
            _CODE / _setting(f"{side.upper()}_CA"),
        )
        for side in ("source", "target")
    }


def _setting(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise UsageError(f"the environment variable {name} is not set")
    return value
