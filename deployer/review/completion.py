"""Make a change set say all that its templates prove: what goes with a whole tier, and what AWS passes over.

With property values a description can lack whole resources (https://github.com/aws/aws-cdk-cli/issues/1780), and a
removed nested stack names none of the resources that go with it. The templates of both sides are the second witness.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from compiler.resolve import Resource
from contract import resource_types
from deployer.changes import NESTED_STACK, ChangeSet, Outcome, PropertyChange, ResourceChange
from deployer.review.concerns.stateful import default_deletion_policy
from deployer.review.trees import Body, Trees, tier_of

UNNAMED = "the change set does not name this change; the templates differ in it"
# Fed by the tiers themselves, and by the deployer's packaging: shown where they end up.
_WIRING = ("TemplateURL", "Parameters")
_POLICIES = {"DeletionPolicy": "deletion_policy", "UpdateReplacePolicy": "update_replace_policy"}


def completed(change_set: ChangeSet, trees: Trees) -> ChangeSet:
    """The change set, with every change that the templates prove."""
    changes = tuple(_completed(change, trees) for change in change_set.changes)
    if change_set.outcome is Outcome.FAILED or change_set.change_set_type == "CREATE":
        return replace(change_set, changes=changes)
    named = {change.address for change in changes}
    return replace(change_set, changes=(*changes, *_unnamed(change_set.tier, named, trees)))


def _completed(change: ResourceChange, trees: Trees) -> ResourceChange:
    if change.type != NESTED_STACK:
        return _with_differences(change, trees) if change.action == "Modify" else change
    change = replace(change, details=tuple(edit for edit in change.details if not _is_told_below(edit, change)))
    if change.action == "Modify" and change.replacement != "True":
        child = completed(change.child, trees) if change.child else None
        return replace(_with_differences(change, trees), child=child)
    if change.action == "Remove" or change.replacement == "True":
        return replace(change, child=_with_all_of_it(change, trees))
    return change if change.child else replace(change, child=_all_new(change, trees))


def _is_told_below(edit: PropertyChange, stack: ResourceChange) -> bool:
    """Whether an edit of a nested stack says no more than its own change set does.

    AWS names every nested stack of an update, with an edit of its own making that stands for whatever is in it.
    """
    automatic = edit.source == "Automatic" and stack.child is not None
    return edit.attribute == "Properties" and (edit.name in _WIRING or automatic)


# --- a tier that goes as a whole -------------------------------------------------------------------------------------
def is_kept(change: ResourceChange, trees: Trees) -> bool:
    """Whether a nested stack that goes stays in the account, with all that is in it."""
    removed = change.action == "Remove"
    body = trees.before_body(change.address) if removed else trees.after_body(change.address)
    written = (body.deletion_policy if removed else body.update_replace_policy) if body else ""
    return (change.policy_action or written).removeprefix("ReplaceAnd").startswith("Retain")


def _with_all_of_it(change: ResourceChange, trees: Trees) -> ChangeSet | None:
    """The change set of a nested stack that goes, with everything in it; as AWS gives it where that is not known."""
    tier = change.child.tier if change.child else _tier(change, trees)
    kept = is_kept(change, trees)
    if (kept and change.action == "Remove") or trees.before is None or tier not in trees.fetched:
        return change.child
    told = {found.logical_id: found for found in change.child.changes} if change.child else {}
    going = {
        resource.logical_id: _going(change, trees.before.resolved(resource), resource, told, kept=kept)
        for resource in trees.before.tree.resources.values()
        if resource.tier == tier
    }
    others = (found for logical_id, found in told.items() if logical_id not in going)
    name = change.child.stack_name if change.child else change.logical_id
    return ChangeSet(tier, "", change.physical_id, name, "UPDATE", Outcome.CHANGED, "", (*going.values(), *others))


def _tier(change: ResourceChange, trees: Trees) -> str:
    known = trees.before.stacks.get(change.logical_id) if trees.before else None
    return known or tier_of(change.logical_id)


def _going(
    stack: ResourceChange, body: Body, resource: Resource, told: Mapping[str, ResourceChange], *, kept: bool
) -> ResourceChange:
    default = default_deletion_policy(body.type, of_a_cluster="DBClusterIdentifier" in body.properties)
    policy = "Retain" if kept else (body.deletion_policy or default).removesuffix("ExceptOnCreate")
    known = told.get(resource.logical_id)
    physical_id = known.physical_id if known else ""
    action, replacement = ("Remove", "") if stack.action == "Remove" else ("Modify", "True")
    policy = policy if stack.action == "Remove" else f"ReplaceAnd{policy}"
    return ResourceChange(
        resource.tier, resource.logical_id, physical_id, body.type, action, policy, replacement, (), ()
    )


def _all_new(change: ResourceChange, trees: Trees) -> ChangeSet | None:
    """The change set of a nested stack that AWS names without one: everything in its template is created."""
    tier = trees.after.stacks.get(change.logical_id, "")
    if tier not in trees.after.templates:
        return None
    made = tuple(
        ResourceChange(tier, logical_id, "", body["Type"], "Add", "", "", (), ())
        for logical_id, body in trees.after.templates[tier]["Resources"].items()
    )
    return ChangeSet(tier, "", "", change.logical_id, "CREATE", Outcome.CHANGED, "", made)


# --- what AWS passes over --------------------------------------------------------------------------------------------
def _with_differences(change: ResourceChange, trees: Trees) -> ResourceChange:
    """A change with the differences of the templates that its details do not tell of."""
    told = {edit.name or edit.attribute for edit in change.details}
    known = resource_types.find(change.type)
    if "Tags" in told and known is not None and known.tag_property:
        told.add(known.tag_property)  # HostedZoneTags, say: AWS calls them all Tags
    found = _differences(change.address, change.type, trees)
    missing = tuple(edit for edit in found if (edit.name or edit.attribute) not in told)
    if not missing:
        return change
    return replace(change, details=(*change.details, *missing), warnings=(*change.warnings, UNNAMED))


def _unnamed(tier: str, named: set[str], trees: Trees) -> Iterator[ResourceChange]:
    """Resources in which the templates differ, and that the change set does not name at all."""
    if trees.before is None or tier not in trees.fetched:
        return
    both = {**trees.before.tree.resources, **trees.after.tree.resources}
    for address, resource in both.items():
        if resource.tier != tier or address in named:
            continue
        details: tuple[PropertyChange, ...] = ()
        if not trees.after.holds(address):
            action = "Remove"
        elif not trees.before.holds(address):
            action = "Add"
        else:
            action, details = "Modify", tuple(_differences(address, resource.type, trees))
        if details or action != "Modify":
            found = ResourceChange(
                tier, resource.logical_id, "", resource.type, action, "", "", (), details, warnings=(UNNAMED,)
            )
            yield _completed(found, trees)


def _differences(address: str, kind: str, trees: Trees) -> Iterator[PropertyChange]:
    before, after = trees.before_body(address), trees.after_body(address)
    if before is None or after is None or before.type != after.type:
        return
    for name, old, new in trees.differences(address):
        # Two expressions may stand for the same value; two literals do not.
        sure = "${" not in f"{old}{new}" and "Fn::" not in f"{old}{new}"
        evaluation = "Static" if sure else "Dynamic"
        yield PropertyChange(
            "Properties", name, _kind(old, new), old, new, _recreation(kind, name), evaluation, "", "", after_known=sure
        )
    for attribute, field in _POLICIES.items():
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            yield PropertyChange(
                attribute, "", _kind(old or None, new or None), old or None, new or None, "Never", "Static", "", ""
            )


def _kind(before: str | None, after: str | None) -> str:
    return "Add" if before is None else "Remove" if after is None else "Modify"


def _recreation(kind: str, name: str) -> str:
    """What the registry says of changing a property, in the words of a change set."""
    known = resource_types.find(kind)
    if known is None:
        return "Conditionally"
    if any(path.partition("/")[0] == name for path in known.create_only):
        return "Always"
    conditional = any(path.partition("/")[0] == name for path in known.conditional_create_only)
    return "Conditionally" if conditional else "Never"
