"""What the control plane remembers; everything here can be pickled, and holds no lock, thread or client."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Resource:
    """A resource of a stack.

    `properties` are those last handed to the service, intrinsic functions evaluated and dynamic references not; `tags`
    are the stack's at that time; `body` is the resource in the template that made it so.
    """

    logical_id: str
    type: str
    body: Json
    unique_name: str
    updated: datetime
    physical_id: str = ""
    status: str = ""
    reason: str = ""
    properties: Json = field(default_factory=dict)
    attributes: Json = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    drift: str = "NOT_CHECKED"
    drift_checked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a stack's history, or of a change set's validation; `kind` is what DescribeEvents calls it."""

    id: str
    operation_id: str
    logical_id: str
    physical_id: str
    type: str
    time: datetime
    status: str
    reason: str = ""
    properties: str = ""
    token: str = ""
    kind: str = "STACK_EVENT"
    detailed_status: str = ""
    validation: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Wanted:
    """What a stack is to be, or was before an update: all that a deployment decides."""

    body: str
    parameters: dict[str, str]
    tags: dict[str, str]
    capabilities: list[str]
    notification_arns: list[str] = field(default_factory=list)
    role_arn: str = ""
    rollback_configuration: Json = field(default_factory=dict)


def nothing() -> Wanted:
    """What a stack is that waits for its first change set."""
    return Wanted('{"Resources": {}}', {}, {}, [])


@dataclass(slots=True)
class Before:
    """A stack as it stood when an update began: what a rollback goes back to."""

    wanted: Wanted
    outputs: list[Json]
    resources: dict[str, Resource]


@dataclass(slots=True)
class Discarded:
    """A resource that a failed update made and its rollback has to remove; `rank` is its place in that template."""

    resource: Resource
    rank: int


@dataclass(slots=True)
class Stack:
    """A stack, nested ones included: those have a parent and a root.

    `change_set_id` is the last change set that was executed, `executing` the one that the current operation carries
    out, "" for none. `before` is there from an update's beginning until its cleanup or rollback is done.
    """

    id: str
    name: str
    region: str
    wanted: Wanted
    created: datetime
    status: str = ""
    reason: str = ""
    updated: datetime | None = None
    deleted: datetime | None = None
    parent_id: str = ""
    root_id: str = ""
    parent_logical_id: str = ""
    change_set_id: str = ""
    executing: str = ""
    termination_protection: bool = False
    policy: str = ""
    policy_during_update: str = ""
    disable_rollback: bool = False
    on_failure: str = "ROLLBACK"
    retain_except_on_create: bool = False
    timeout_minutes: int | None = None
    deletion_mode: str = ""
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[Json] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    before: Before | None = None
    discarded: list[Discarded] = field(default_factory=list)
    cancelled: bool = False
    operation_id: str = ""
    operation_type: str = ""
    token: str = ""
    drift: str = "NOT_CHECKED"
    drift_checked: datetime | None = None
    snapshots: list[tuple[str, str]] = field(default_factory=list)

    def remember(self) -> None:
        """Keep how the stack stands, once for each update."""
        if self.before is None:
            resources = {name: replace(resource) for name, resource in self.resources.items()}
            self.before = Before(replace(self.wanted), list(self.outputs), resources)

    @property
    def in_progress(self) -> bool:
        """Whether an operation is under way; a stack that waits for its first change set is not."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


@dataclass(slots=True)
class ChangeSet:
    """A change set; `children` are those of nested stacks by logical id, `shells` the stacks made for it alone."""

    id: str
    name: str
    stack_id: str
    stack_name: str
    region: str
    type: str
    wanted: Wanted
    created: datetime
    description: str = ""
    token: str = ""
    status: str = "CREATE_PENDING"
    reason: str = ""
    execution_status: str = "UNAVAILABLE"
    include_nested: bool = False
    on_stack_failure: str = ""
    parent_id: str = ""
    root_id: str = ""
    operation_id: str = ""
    validate: bool = True
    changes: list[Json] = field(default_factory=list)
    children: dict[str, str] = field(default_factory=dict)
    shells: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    deleted: bool = False

    @property
    def unchanged(self) -> bool:
        """Whether it failed only because there was nothing to change."""
        return self.status == "FAILED" and self.reason == NO_CHANGES


NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass(slots=True)
class Detection:
    """One run of drift detection."""

    id: str
    stack_id: str
    started: datetime
    status: str = "DETECTION_IN_PROGRESS"
    reason: str = ""
    drifted: int = 0


@dataclass(slots=True)
class State:
    """Everything; the keys are ARNs and ids."""

    stacks: dict[str, Stack] = field(default_factory=dict)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    detections: dict[str, Detection] = field(default_factory=dict)
    drifts: dict[str, dict[str, Json]] = field(default_factory=dict)
    tokens: dict[tuple[str, str], tuple[str, str, Json]] = field(default_factory=dict)
