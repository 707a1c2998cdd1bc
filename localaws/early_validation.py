"""Early validation: what CloudFormation finds in a change set before anything is made.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from contract import resource_types
from localaws.core import Core, log
from localaws.language import holds_unknown
from localaws.providers.base import Context, ProviderError
from localaws.stacks import ChangeSet, Event, Json, Stack
from localaws.template import load
from localaws.template_checks import strange_properties

FAILED = (
    "The following hook(s)/validation failed: [{names}]. To troubleshoot Early Validation errors, use the "
    "DescribeEvents API for detailed failure information."
)

# The page above lists the types that early validation does not look at; of those that are emulated, these remain
# whose name alone tells whether one exists.
NAMED = {
    "AWS::Lambda::Function": "FunctionName",
    "AWS::S3::Bucket": "BucketName",
}


class Validator:
    """Looks at one stack's part of a change set, and writes what it finds into its events."""

    def __init__(self, core: Core, change_set: ChangeSet, stack: Stack) -> None:
        self._core = core
        self._change_set = change_set
        self._stack = stack

    def run(self, plan: list[Json], properties: dict[str, Json]) -> str:
        """The reason to fail with, "" for none; `properties` are those evaluated of each resource to be added."""
        failed = [*self._strange(), *self._existing(plan, properties), *self._injected()]
        self._warn(plan)
        return FAILED.format(names=", ".join(dict.fromkeys(failed))) if failed else ""

    def _strange(self) -> Iterator[str]:
        template = load(self._change_set.wanted.body)
        for logical_id, name in strange_properties(template):
            path = f"/Resources/{logical_id}/Properties/{name}"
            reason = f"Properties validation failed for resource {logical_id}: extraneous key [{name}] is not permitted"
            yield self._note(logical_id, template.resources[logical_id]["Type"], "PropertyValidation", reason, path)

    def _existing(self, plan: list[Json], properties: dict[str, Json]) -> Iterator[str]:
        for change in plan:
            kind, logical_id = change["ResourceType"], change["LogicalResourceId"]
            name = properties.get(logical_id, {}).get(NAMED.get(kind, ""))
            if change["Action"] != "Add" or not isinstance(name, str) or holds_unknown(name):
                continue
            if self._exists(kind, logical_id, name, properties[logical_id]):
                path = f"/Resources/{logical_id}/Properties/{NAMED[kind]}"
                reason = f"Resource of type '{kind}' with identifier '{name}' already exists."
                yield self._note(logical_id, kind, "ResourceExistenceCheck", reason, path)

    def _exists(self, kind: str, logical_id: str, name: str, properties: Json) -> bool:
        from botocore.exceptions import ClientError

        provider = self._core.find_provider(kind)
        stack = self._stack
        context = Context(stack.name, stack.id, logical_id, stack.region, self._core.account_id, {}, name)
        try:
            return provider is not None and provider.read(self._core.clients, name, properties, context) is not None
        except (ProviderError, ClientError):
            return False

    def _injected(self) -> Iterator[str]:
        for logical_id, body in load(self._change_set.wanted.body).resources.items():
            path = self._core.path(self._stack, logical_id)
            message = self._core.faults.take("validate", self._stack.name, path)
            if message is not None:
                yield self._note(logical_id, body["Type"], "PropertyValidation", message, f"/Resources/{logical_id}")
            message = self._core.faults.take("warn", self._stack.name, path)
            if message is not None:
                self._note(logical_id, body["Type"], "ServiceQuotaCheck", message, f"/Resources/{logical_id}", "WARN")

    def _warn(self, plan: list[Json]) -> None:
        """A bucket that is to be deleted and is not empty."""
        for change in plan:
            going = change.get("PolicyAction") in ("Delete", "ReplaceAndDelete")
            if change["ResourceType"] == "AWS::S3::Bucket" and going and self._filled(change["PhysicalResourceId"]):
                logical_id = change["LogicalResourceId"]
                reason = f"Bucket {change['PhysicalResourceId']} is not empty; its deletion will fail."
                self._note(
                    logical_id,
                    change["ResourceType"],
                    "S3BucketEmptinessCheck",
                    reason,
                    f"/Resources/{logical_id}",
                    "WARN",
                )

    def _filled(self, bucket: str) -> bool:
        from botocore.exceptions import ClientError

        try:
            return bool(self._core.clients("s3").list_objects_v2(Bucket=bucket, MaxKeys=1).get("KeyCount"))
        except ClientError as refused:
            log.info("bucket %s cannot be listed: %s", bucket, refused)
            return False

    def _note(self, logical_id: str, kind: str, name: str, reason: str, path: str, mode: str = "FAIL") -> str:
        name = f"AWS::EarlyValidation::{name}"
        current = self._stack.resources.get(logical_id)
        event = Event(
            id=str(uuid.uuid4()),
            operation_id=self._change_set.operation_id,
            logical_id=logical_id,
            physical_id=current.physical_id if current is not None else "",
            type=kind,
            time=self._core.clock.now(),
            status="",
            kind="VALIDATION_ERROR",
            detailed_status="VALIDATION_FAILED",
            validation={
                "ValidationFailureMode": mode,
                "ValidationName": name,
                "ValidationPath": path,
                "ValidationStatus": "FAILED",
                "ValidationStatusReason": reason,
            },
        )
        with self._core.lock:
            self._change_set.events.append(event)
        return name


def named_types_are_known() -> bool:
    """Whether the registry's table knows every property that names a type here."""
    known = ((resource_types.find(kind), name) for kind, name in NAMED.items())
    return all(facts is not None and name in facts.properties for facts, name in known)
