"""What happened: statuses of stacks and resources, each with its line in the stack's history.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from localaws.core import Core
from localaws.language import normal
from localaws.stacks import Event, Json, Resource, Stack
from localaws.template import NESTED_STACK

OPERATION_OF = {
    "CREATE": "CREATE_STACK",
    "UPDATE": "UPDATE_STACK",
    "DELETE": "DELETE_STACK",
    "ROLLBACK": "ROLLBACK",
    "CONTINUE": "CONTINUE_ROLLBACK",
}


class Log:
    """Writes statuses and events together, so that they never disagree."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def begin(self, stack: Stack, operation: str, token: str = "", operation_id: str = "") -> str:
        """Open an operation on a stack; nested stacks take part in their parent's."""
        with self._core.lock:
            stack.operation_id = operation_id or str(uuid.uuid4())
            stack.operation_type = OPERATION_OF[operation]
            stack.token = token
            return stack.operation_id

    def stack(self, stack: Stack, status: str, reason: str = "") -> None:
        """A stack's new status."""
        with self._core.lock:
            now = self._core.clock.now()
            stack.status, stack.reason = status, reason
            if status in ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"):
                stack.updated = now
            if status in ("DELETE_IN_PROGRESS", "DELETE_COMPLETE"):
                stack.deleted = now
            event = Event(
                id=str(uuid.uuid4()),
                operation_id=stack.operation_id,
                logical_id=stack.name,
                physical_id=stack.id,
                type=NESTED_STACK,
                time=now,
                status=status,
                reason=reason,
                token=stack.token,
            )
            stack.events.append(event)

    def resource(
        self, stack: Stack, resource: Resource, status: str, reason: str = "", properties: Json | None = None
    ) -> None:
        """A resource's new status; `properties` are shown where they are not yet those that it has."""
        with self._core.lock:
            resource.status, resource.reason, resource.updated = status, reason, self._core.clock.now()
            self._append(stack, resource, resource.properties if properties is None else properties)

    def _append(self, stack: Stack, resource: Resource, properties: Json) -> None:
        event = Event(
            id=f"{resource.logical_id}-{uuid.uuid4()}",
            operation_id=stack.operation_id,
            logical_id=resource.logical_id,
            physical_id=resource.physical_id,
            type=resource.type,
            time=resource.updated,
            status=resource.status,
            reason=resource.reason,
            properties=compact(properties) if properties else "",
            token=stack.token,
            kind="PROVISIONING_ERROR" if resource.status.endswith("_FAILED") else "STACK_EVENT",
        )
        stack.events.append(event)


def compact(value: Any) -> str:
    """JSON as the API shows properties: no blanks, scalars as texts."""
    return json.dumps(normal(value), separators=(",", ":"))
