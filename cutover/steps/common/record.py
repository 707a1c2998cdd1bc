"""What a cutover leaves for people and for its own commands: lock, phase, the answer of each step, metrics.

    cutover/lock.json               {"run_id", "since"}: the run that is under way
    cutover/<run id>/<step>.json    {"at", "seconds", "waited_seconds", "answer"}; one that failed has, as
                                    <step>.failed.json, "error" and "message" instead of the answer

An object for each step, because steps run side by side. Nothing that moves payments is decided by these, so what cannot
be written is only logged: a cutover does not stop, and a gate does not stay closed, because a report bucket is away.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from cutover.steps.common import settings
from cutover.steps.common.aside import together
from cutover.steps.common.cloud import client, is_code
from cutover.steps.common.errors import Retry

# In the order in which a cutover passes them; a phase's place is the value of the metric `Phase`.
PHASES = (
    "replicating", "preflight", "awaiting_approval", "frozen", "drained", "reversed", "switched", "reopened",
    "watching", "done", "rolling_back", "rolled_back", "stuck",
)  # fmt: skip
_LOCK = "cutover/lock.json"


def take_lock(run_id: str) -> tuple[str, bool]:
    """Take the lock, which one cutover at a time can have: who has it now, and whether it was taken just now."""
    wanted = {"run_id": run_id, "since": time.time()}
    kept = keep_first(_LOCK, wanted)
    return str(kept["run_id"]), kept == wanted


def lock_holder(bucket: str = "") -> str:
    """The run that is under way; "" for none."""
    return str((read_object(_LOCK, bucket) or {}).get("run_id", ""))


def release(run_id: str) -> None:
    """Give the lock up, where the run has it."""
    if lock_holder() == run_id:
        client("s3").delete_object(Bucket=settings.text("RUN_BUCKET"), Key=_LOCK)


def key(run_id: str, name: str) -> str:
    """Where something of a run is kept."""
    return f"cutover/{run_id}/{name}.json"


def read_object(at: str, bucket: str = "") -> dict[str, Any] | None:
    """A JSON object of the bucket (default: RUN_BUCKET); None where there is none."""
    from botocore.exceptions import ClientError

    try:
        body = client("s3").get_object(Bucket=bucket or settings.text("RUN_BUCKET"), Key=at)["Body"].read()
    except ClientError as error:
        if not is_code(error, "NoSuchKey", "404"):
            raise
        return None
    found: dict[str, Any] = json.loads(body)
    return found


def write_object(at: str, document: Mapping[str, Any], bucket: str = "", **conditions: str) -> None:
    """Write one; `conditions` as PutObject takes them."""
    body = json.dumps(document).encode()
    client("s3").put_object(
        Bucket=bucket or settings.text("RUN_BUCKET"), Key=at, Body=body, ContentType="application/json", **conditions
    )


def keep_first(at: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Write the object where there is none; what is there in the end. Raises `Retry` when that has just gone."""
    from botocore.exceptions import ClientError

    try:
        write_object(at, document, IfNoneMatch="*")
    except ClientError as error:
        if not is_code(error, "PreconditionFailed", "ConditionalRequestConflict"):
            raise
        if (found := read_object(at)) is None:
            raise Retry(f"{at} was there a moment ago") from None
        return found
    return dict(document)


def tell(run_id: str, step: str, document: Mapping[str, Any], phase: str, metrics: Mapping[str, float]) -> None:
    """Write down what a step did, set the phase ("": as it is), send metrics; side by side, and none of it must."""
    works = [partial(write_object, key(run_id, step), {"at": time.time(), **document})]
    if phase:
        works.append(partial(set_phase, phase))
    values = {**metrics, **({"Phase": float(PHASES.index(phase))} if phase else {})}
    if values:
        works.append(partial(_put_metrics, values))
    together(*(partial(_attempt, work, step) for work in works))


def announce(run_id: str, phase: str) -> None:
    """Say that a phase begins, where people would otherwise see the one before while it goes on."""
    tell(run_id, f"{phase}.begun", {}, phase, {})


def set_phase(phase: str) -> None:
    """Set what people see."""
    client("ssm").put_parameter(Name=settings.text("PHASE_PARAMETER"), Value=phase, Type="String", Overwrite=True)


def _put_metrics(values: Mapping[str, float]) -> None:
    data = [
        {"MetricName": name, "Value": value, "Unit": "Seconds" if name.endswith("Seconds") else "None"}
        for name, value in values.items()
    ]
    client("cloudwatch").put_metric_data(Namespace=settings.text("METRIC_NAMESPACE"), MetricData=data)


def _attempt(work: Any, step: str) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    from validator.errors import UsageError

    try:
        work()
    except (BotoCoreError, ClientError, UsageError) as error:
        print(json.dumps({"step": step, "not_recorded": str(error)}))
