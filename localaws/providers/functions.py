"""Lambda: functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.providers.base import Provider
from localaws.providers.table import Row
from localaws.providers.tags import Tags
from localaws.providers.work import Custom, Look, Removal, Setting, Work, same

_CONFIGURATION = same(
    "DeadLetterConfig Description Environment EphemeralStorage Handler LoggingConfig MemorySize Role Runtime"
    " Timeout TracingConfig VpcConfig Layers",
    KmsKeyArn="KMSKeyArn",
)


def _put_code(work: Work) -> None:
    where = {name: value for name, value in work.after["Code"].items() if name != "SourceKMSKeyArn"}
    machines = {"Architectures": work.after["Architectures"]} if "Architectures" in work.after else {}
    work.call("UpdateFunctionCode", {**where, **machines}, FunctionName=work.physical_id)


def _put_concurrency(work: Work) -> None:
    reserved = work.after.get("ReservedConcurrentExecutions")
    if reserved is None:
        work.call("DeleteFunctionConcurrency", FunctionName=work.physical_id)
    else:
        work.call("PutFunctionConcurrency", FunctionName=work.physical_id, ReservedConcurrentExecutions=reserved)


_FIND = Look(operation="GetFunction", key="FunctionName", path="")


def _look(work: Work) -> Mapping[str, Any] | None:
    found = _FIND(work)
    if found is None:
        return None
    told = dict(found["Configuration"])
    told["Environment"] = {"Variables": told.get("Environment", {}).get("Variables", {})}
    told["ReservedConcurrentExecutions"] = found.get("Concurrency", {}).get("ReservedConcurrentExecutions")
    told["Tags"] = found.get("Tags", {})
    return told


FUNCTION = Row(
    type="AWS::Lambda::Function",
    service="lambda",
    create_operation="CreateFunction",
    sends=_CONFIGURATION | same("Architectures Code FunctionName PackageType"),
    named="FunctionName",
    name_limit=64,
    physical="FunctionName",
    look=_look,
    attributes={"Arn": "FunctionArn"},
    steps=(
        Setting(operation="UpdateFunctionConfiguration", key="FunctionName", sends=_CONFIGURATION),
        Custom(
            properties=frozenset({"Code", "Architectures"}),
            calls={"UpdateFunctionCode": ("FunctionName", "S3Bucket", "S3Key", "Architectures")},
            function=_put_code,
        ),
        Custom(
            properties=frozenset({"ReservedConcurrentExecutions"}),
            calls={
                "PutFunctionConcurrency": ("FunctionName", "ReservedConcurrentExecutions"),
                "DeleteFunctionConcurrency": ("FunctionName",),
            },
            function=_put_concurrency,
            creates=True,
        ),
    ),
    remove=Removal(operation="DeleteFunction", key="FunctionName"),
    tags=Tags(tag="TagResource", untag="UntagResource", key="Resource", of="FunctionArn", names=None),
    # No answer says from which object the code came.
    reads={"Code": None},
)

PROVIDERS: Mapping[str, Provider] = {FUNCTION.type: FUNCTION}
