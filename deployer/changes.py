"""A change set of the whole tree, as data: what AWS (or the forecast) says, before anybody judges it.

Member names follow the CloudFormation API in snake case; "Modify", "Conditional" and the like are its own words.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

ROOT = "root"
NESTED_STACK = "AWS::CloudFormation::Stack"


class Outcome(StrEnum):
    """What became of one change set of the tree."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """One entry of `Details`, and its target.

    `attribute`: Properties, Metadata, Tags, DeletionPolicy, UpdateReplacePolicy, CreationPolicy, UpdatePolicy.
    `path`: pointer below the attribute without a leading slash ("VpcConfig/SubnetIds/0"); "" for the whole of it.
    `change`: Add, Remove, Modify, SyncWithActual. `before` and `after` are texts as AWS gives them (JSON for what is
    no scalar), None where not known or not there; `after_known` is False where AWS will know only when it has applied
    ({{changeSet:KNOWN_AFTER_APPLY}}). `requires_recreation`: Never, Conditionally, Always. `evaluation`: Static,
    Dynamic. `source`: DirectModification, ParameterReference, ResourceReference, ResourceAttribute, Automatic,
    NoModification, or "" where not told. `causing_entity`: "Vpc", "Vpc.CidrBlock" or a parameter's name.
    """

    attribute: str
    path: str
    change: str
    before: str | None
    after: str | None
    requires_recreation: str
    evaluation: str
    source: str
    causing_entity: str
    after_known: bool = True

    @property
    def name(self) -> str:
        """The top-level property, "" where the attribute is none of Properties."""
        return self.path.partition("/")[0] if self.attribute == "Properties" else ""


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One resource's change.

    `action`: Add, Modify, Remove, Import, Dynamic, SyncWithActual. `replacement`: "True", "False", "Conditional", or ""
    where the action has none. `policy_action`: Delete, Retain, Snapshot, ReplaceAndDelete, ReplaceAndRetain,
    ReplaceAndSnapshot or "". `before` and `after` are the resource's whole JSON contexts where AWS gives them.
    `warnings` are early validation warnings of this resource. `child` is a nested stack's own change set.
    """

    tier: str
    logical_id: str
    physical_id: str
    type: str
    action: str
    policy_action: str
    replacement: str
    scope: tuple[str, ...]
    details: tuple[PropertyChange, ...]
    before: str | None = None
    after: str | None = None
    warnings: tuple[str, ...] = ()
    child: ChangeSet | None = None

    @property
    def address(self) -> str:
        """`database.Cluster`; a nested stack of the root stands at `root.Database`."""
        return f"{self.tier}.{self.logical_id}"


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """One stack's change set; the root's holds those of its nested stacks below its changes.

    `tier` is "root" or the nested stack's tier name. `arn` and `stack_id` are "" in a forecast, and `stack_id` is ""
    where the nested stack does not exist yet and AWS names none. `cause` says why it failed: its own reason, never
    the root's. `change_set_type`: CREATE or UPDATE. `warnings` belong to no single resource.
    """

    tier: str
    arn: str
    stack_id: str
    stack_name: str
    change_set_type: str
    outcome: Outcome
    cause: str
    changes: tuple[ResourceChange, ...]
    warnings: tuple[str, ...] = ()

    def walk(self) -> Iterator[ChangeSet]:
        """This change set and all below it, parents first."""
        yield self
        for change in self.changes:
            if change.child is not None:
                yield from change.child.walk()

    def resource_changes(self) -> Iterator[ResourceChange]:
        """Every change of every stack, in the order of the tree."""
        for change_set in self.walk():
            yield from change_set.changes
