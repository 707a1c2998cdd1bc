"""The change set of a whole tree, told from the templates of both sides.

Where AWS would report a value as unknown because a sibling's output feeds it, the forecast follows the value to its
resource and leaves it out if that stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from contract import resource_types
from deployer.changes import NESTED_STACK, ROOT, ChangeSet, Outcome, PropertyChange, ResourceChange
from deployer.forecast.details import Details, replacement
from deployer.forecast.evaluation import Resource, Side, Template
from deployer.forecast.replacement import NEVER, doubt, immutable, name_kept
from deployer.forecast.values import plain
from deployer.forecast.verdicts import Pair, Verdicts, same_stack
from deployer.review.values import mappings

_CONTEXT = ("Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")
_DATABASE = "AWS::RDS::DBInstance"


def forecast(
    before: Mapping[str, Template], after: Mapping[str, Template], *, stack_name: str, region: str
) -> tuple[ChangeSet, tuple[str, ...]]:
    """The change set of the root that AWS would make, and one sentence for each thing that cannot be told.

    Both are templates by tier, the root under "root"; an empty `before` is a first deployment. Code and templates are
    compared by what their names say, so name them by content first: `deployer.forecast.sources.by_content`.
    """
    return _Forecast(before, after, stack_name, region).run()


class _Forecast:
    """One run."""

    def __init__(
        self, before: Mapping[str, Template], after: Mapping[str, Template], stack_name: str, region: str
    ) -> None:
        self._after = Side(after, stack_name=stack_name, region=region)
        self._before = Side(before, stack_name=stack_name, region=region, names=self._after.owners)
        self._verdicts = Verdicts(self._before, self._after)
        self._details = Details(self._before, self._after, self._verdicts)
        self._unknowns: list[str] = []

    def run(self) -> tuple[ChangeSet, tuple[str, ...]]:
        change_set = self._changed_stack(ROOT, frozenset())
        self._unknowns += _renames(change_set, self._before, self._after)
        notes = (*self._after.notes, *self._before.notes, *self._unknowns)
        return change_set, tuple(dict.fromkeys(notes))

    # --- stacks ------------------------------------------------------------------------------------------------------
    def _changed_stack(self, tier: str, retagged: frozenset[str]) -> ChangeSet:
        """The change set of a stack of the after side; `retagged` are keys of tags that change on the stack itself."""
        stack = self._after.stacks[tier]
        if not same_stack(self._before, self._after, tier):
            changes = tuple(self._added(resource) for resource in stack.resources.values())
            return ChangeSet(tier, "", "", stack.name, "CREATE", Outcome.CHANGED, "", changes)
        old = self._before.stacks[tier]
        found = [self._modified_or_added(resource, retagged) for resource in stack.resources.values()]
        gone = [self._removed(r) for logical_id, r in old.resources.items() if logical_id not in stack.resources]
        changes = (*(change for change in found if change is not None), *gone)
        told = changes or old.template.get("Outputs", {}) != stack.template.get("Outputs", {})
        outcome = Outcome.CHANGED if told else Outcome.UNCHANGED
        return ChangeSet(tier, "", "", stack.name, "UPDATE", outcome, "", changes)

    def _gone_stack(self, tier: str) -> ChangeSet:
        stack = self._before.stacks[tier]
        changes = tuple(self._removed(resource) for resource in stack.resources.values())
        return ChangeSet(tier, "", "", stack.name, "UPDATE", Outcome.CHANGED, "", changes)

    # --- resources ---------------------------------------------------------------------------------------------------
    def _added(self, resource: Resource) -> ResourceChange:
        nested = self._after.stacks[resource.tier].nested.get(resource.logical_id)
        child = self._changed_stack(nested, frozenset()) if nested else None
        return ResourceChange(
            resource.tier, resource.logical_id, "", resource.type, "Add", "", "", (), (),
            after=_context(resource), child=child,
        )  # fmt: skip

    def _removed(self, resource: Resource) -> ResourceChange:
        policy = _deletion_policy(resource)
        nested = self._before.stacks[resource.tier].nested.get(resource.logical_id)
        child = self._gone_stack(nested) if nested and policy != "Retain" else None
        return ResourceChange(
            resource.tier, resource.logical_id, "", resource.type, "Remove", policy, "", (), (),
            before=_context(resource), child=child,
        )  # fmt: skip

    def _modified_or_added(self, resource: Resource, retagged: frozenset[str]) -> ResourceChange | None:
        pair = self._verdicts.pairs.get(resource.address)
        if pair is None:
            return self._added(resource)
        details = self._details.of(pair)
        child, opaque = None, resource.type == NESTED_STACK
        nested = self._after.stacks[resource.tier].nested.get(resource.logical_id, "")
        if same_stack(self._before, self._after, nested):
            tags = frozenset(detail.path for detail in details if detail.attribute == "Tags")
            child, opaque = self._changed_stack(nested, tags), False
            details = (*self._template_change(nested), *details)
        elif opaque:
            self._unknowns.append(f"{resource.address}: what changes in it is not known without both its templates")
        inherits = bool(retagged - _own_tags(resource)) and _takes_tags(resource.type)
        below = child is not None and child.outcome is not Outcome.UNCHANGED
        if not (details or below or opaque or inherits or pair.other_type):
            return None
        return self._modified(pair, details, child, inherits=inherits)

    def _modified(
        self, pair: Pair, details: tuple[PropertyChange, ...], child: ChangeSet | None, *, inherits: bool
    ) -> ResourceChange:
        replaced = "True" if pair.other_type else replacement(details)
        scope = dict.fromkeys(detail.attribute for detail in details)
        if inherits:
            scope["Tags"] = None
        policy = f"ReplaceAnd{pair.after.body.get('UpdateReplacePolicy', 'Delete')}" if replaced != "False" else ""
        names = frozenset(detail.name for detail in details)
        warnings = [immutable(pair.after.type, names)]
        if pair.other_type:
            warnings.append(
                f"its type changes from {pair.before.type} to {pair.after.type}, which CloudFormation refuses: "
                "give it another logical id"
            )
        elif replaced == "True":
            warnings.append(name_kept(pair.after.type, pair.before.properties, pair.after.properties))
        if names and (why := doubt(pair.after.type)):
            self._unknowns.append(f"{pair.after.address} ({pair.after.type}): {why}")
        return ResourceChange(
            pair.after.tier, pair.after.logical_id, "", pair.after.type, "Modify", policy, replaced,
            tuple(scope), details,
            before=_context(pair.before), after=_context(pair.after),
            warnings=tuple(warning for warning in warnings if warning), child=child,
        )  # fmt: skip

    def _template_change(self, tier: str) -> Iterator[PropertyChange]:
        """A nested stack's template by another content. Both addresses are left out: they tell a reader nothing."""
        if self._before.stacks[tier].template != self._after.stacks[tier].template:
            yield PropertyChange(
                "Properties", "TemplateURL", "Modify", None, None, NEVER, "Static", "DirectModification", ""
            )


def _context(resource: Resource) -> str:
    body = {key: resource.body[key] for key in _CONTEXT if key in resource.body}
    return json.dumps({"Properties": plain(resource.properties)} | body, separators=(",", ":"), ensure_ascii=False)


def _deletion_policy(resource: Resource) -> str:
    """What becomes of a resource that leaves its stack.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
    """
    alone = resource.type == _DATABASE and "DBClusterIdentifier" not in resource.properties
    default = "Snapshot" if alone or resource.type == "AWS::RDS::DBCluster" else "Delete"
    return str(resource.body.get("DeletionPolicy", default)).removesuffix("ExceptOnCreate")


def _takes_tags(kind: str) -> bool:
    known = resource_types.find(kind)
    return known is not None and known.tag_property is not None


def _own_tags(resource: Resource) -> frozenset[str]:
    """The keys of the tags that the resource sets itself: they win over its stack's."""
    known = resource_types.find(resource.type)
    tags = resource.properties.get(known.tag_property, []) if known and known.tag_property else []
    return frozenset(tags) if isinstance(tags, dict) else frozenset(str(tag.get("Key")) for tag in mappings(tags))


def _renames(change_set: ChangeSet, before: Side, after: Side) -> Iterator[str]:
    """Pairs of a removed and an added resource that look like one under another name."""
    for stack in change_set.walk():
        added = [change for change in stack.changes if change.action == "Add"]
        for gone in (change for change in stack.changes if change.action == "Remove"):
            old = before.resource(gone.address)
            for come in added:
                new = after.resource(come.address)
                if old and new and gone.type == come.type and plain(old.properties) == plain(new.properties):
                    yield (
                        f"{gone.address} → {come.address}: renamed? A logical id that changes deletes the resource and "
                        "creates another, which fails where the physical name is the same"
                    )
