"""Grade what AWS reports: certain, possible or noise, by following each value to the resource that gives it.

A change set does not follow values across stacks: a property fed by a sibling's output is reported as changed, and as a
replacement where it is create-only, as soon as anything in that sibling changes.
https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/759 (and #2113). So such a report counts
for what its producer's own change proves, and for nothing where the producer does not change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.resolve import Target
from contract import resource_types
from deployer.changes import NESTED_STACK, ROOT, ChangeSet, Outcome, PropertyChange, ResourceChange
from deployer.forecast.attributes import may_move, outlives
from deployer.review.concerns.stateful import is_stateful
from deployer.review.model import Action, Certainty
from deployer.review.trees import Trees

_ORDER = (Certainty.NOISE, Certainty.POSSIBLE, Certainty.CERTAIN)
_MASKED = frozenset(("****", "*****"))


def rank(grade: Certainty) -> int:
    """How certain: 0 for noise."""
    return _ORDER.index(grade)


def strongest(*grades: Certainty) -> Certainty:
    """The most certain of these; noise where there is none."""
    return max(grades, key=rank, default=Certainty.NOISE)


@dataclass(frozen=True, slots=True)
class Source:
    """Where an edit's new value comes from: `parameter` of the own tier, or "", and the resource behind it."""

    target: Target
    grade: Certainty


@dataclass(frozen=True, slots=True)
class GradedEdit:
    """An edit, how sure it is, whether it replaces the resource, and the sources that may change its value."""

    property: PropertyChange
    certainty: Certainty
    replaces: bool
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Graded:
    """A resource's change with its verdict. `replaced` is noise where it is not replaced."""

    change: ResourceChange
    action: Action
    certainty: Certainty
    replaced: Certainty
    edits: tuple[GradedEdit, ...]

    @property
    def touched(self) -> frozenset[str]:
        """The top-level properties and attributes that change, or may."""
        return frozenset(
            edit.property.name or edit.property.attribute
            for edit in self.edits
            if edit.certainty is not Certainty.NOISE
        )


class Grader:
    """Grades the changes of a tree; the grade of one may hang on those of others."""

    def __init__(self, change_set: ChangeSet, trees: Trees) -> None:
        self.trees = trees
        # Where a tier's stack is renamed, what leaves and what comes have the same address: values are the new one's.
        changes = sorted(change_set.resource_changes(), key=lambda change: change.action != "Remove")
        self._changes = {change.address: change for change in changes}
        # Tiers of which AWS did not tell what changes in them.
        self._opaque = {found.tier for found in change_set.walk() if found.outcome is Outcome.FAILED} | {
            trees.after.stacks.get(change.logical_id, "")
            for change in change_set.changes
            if change.type == NESTED_STACK and change.child is None
        }
        self._graded: dict[tuple[str, str], Graded | None] = {}

    def grade(self, change: ResourceChange) -> Graded:
        """The verdict on one change."""
        key = change.address, change.action
        known = self._graded.get(key)
        if known is not None:
            return known
        self._graded[key] = None  # under way: a circle of references proves nothing
        graded = self._grade(change)
        self._graded[key] = graded
        return graded

    def graded(self, address: str) -> Graded | None:
        """The verdict on the change at `address`; None where the change set names none."""
        change = self._changes.get(address)
        return None if change is None else self.grade(change)

    def _grade(self, change: ResourceChange) -> Graded:
        match change.action:
            case "Add":
                return Graded(change, Action.CREATE, Certainty.CERTAIN, Certainty.NOISE, ())
            case "Remove":
                kept = change.policy_action == "Retain" or (not change.policy_action and self._is_kept(change))
                return Graded(change, Action.RETAIN if kept else Action.DELETE, Certainty.CERTAIN, Certainty.NOISE, ())
            case "Import":
                return Graded(change, Action.IMPORT, Certainty.CERTAIN, Certainty.NOISE, self._edits(change))
            case "Modify":
                return self._modified(change)
            case "SyncWithActual":
                # The stack takes over what is really there, the resource is left alone.
                # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html
                return Graded(change, Action.MODIFY, Certainty.POSSIBLE, Certainty.NOISE, self._edits(change))
        # Dynamic ("the exact action cannot be determined"), and whatever AWS adds one day: it may be the worst.
        worst = Certainty.POSSIBLE if is_stateful(change.type) else Certainty.NOISE
        action = Action.REPLACE if worst is Certainty.POSSIBLE else Action.MODIFY
        return Graded(change, action, Certainty.POSSIBLE, worst, self._edits(change))

    def _is_kept(self, change: ResourceChange) -> bool:
        body = self.trees.before_body(change.address)
        return body is not None and body.deletion_policy.startswith("Retain")

    # --- a change in place, or a replacement -------------------------------------------------------------------------
    def _modified(self, change: ResourceChange) -> Graded:
        edits = self._edits(change)
        replaced = self._replaced(change, edits)
        certainty = strongest(*(edit.certainty for edit in edits))
        if not change.details and "Tags" in change.scope:
            certainty = Certainty.CERTAIN  # tags of the stack, which AWS passes on to the resource without details
        if change.type == NESTED_STACK and change.child is None:
            certainty = Certainty.POSSIBLE  # nobody tells what changes in it
        if replaced is not Certainty.NOISE:
            return Graded(change, Action.REPLACE, replaced, replaced, edits)
        return Graded(change, Action.MODIFY, certainty, replaced, edits)

    def _replaced(self, change: ResourceChange, edits: tuple[GradedEdit, ...]) -> Certainty:
        """How sure it is that the resource is replaced: what AWS says, less what its producers disprove.

        Replacement and PolicyAction are both read, as neither alone is promised to tell:
        https://github.com/aws/aws-cdk-cli/issues/1971.
        """
        said = change.replacement in ("True", "Conditional") or change.policy_action.startswith("ReplaceAnd")
        if change.type == NESTED_STACK:  # has no property that would replace it; "Conditional" means its parameters
            return Certainty.CERTAIN if change.replacement == "True" else Certainty.NOISE
        always = [edit.certainty for edit in edits if edit.property.requires_recreation == "Always"]
        found = strongest(*always)
        if not said:
            return found
        forcing = [edit for edit in edits if edit.property.requires_recreation in ("Always", "Conditionally")]
        if not forcing:  # AWS says so, and not why
            return Certainty.CERTAIN if change.replacement == "True" else Certainty.POSSIBLE
        perhaps = [edit.certainty for edit in forcing if edit.property.requires_recreation == "Conditionally"]
        if strongest(*perhaps) is not Certainty.NOISE:
            sure = change.replacement == "True" and Certainty.CERTAIN in perhaps
            found = strongest(found, Certainty.CERTAIN if sure else Certainty.POSSIBLE)
        if found is Certainty.NOISE and not all(edit.sources for edit in forcing):
            return Certainty.POSSIBLE  # equal values are no proof against AWS's word; a producer that stays is
        return found

    # --- one edit ----------------------------------------------------------------------------------------------------
    def _edits(self, change: ResourceChange) -> tuple[GradedEdit, ...]:
        return tuple(self._edit(change, edit) for edit in change.details)

    def _edit(self, change: ResourceChange, edit: PropertyChange) -> GradedEdit:
        sources: tuple[Source, ...] = ()
        if edit.before is not None and edit.after is not None and edit.after_known and edit.before not in _MASKED:
            certainty = Certainty.NOISE if edit.before == edit.after else Certainty.CERTAIN
        elif edit.evaluation == "Static" and edit.source in ("", "DirectModification") and edit.after_known:
            certainty = Certainty.CERTAIN
        else:
            sources = tuple(self._sources(change, edit))
            certainty = self._by_sources(change, edit, sources)
        if certainty is not Certainty.NOISE and not sources:
            sources = tuple(source for source in self._sources(change, edit) if source.grade is not Certainty.NOISE)
        forces = edit.requires_recreation in ("Always", "Conditionally") and change.type != NESTED_STACK
        return GradedEdit(edit, certainty, forces and certainty is not Certainty.NOISE, sources)

    def _by_sources(self, change: ResourceChange, edit: PropertyChange, sources: tuple[Source, ...]) -> Certainty:
        if not sources:
            fed = self._parameter_change(change, edit)
            return fed or (Certainty.CERTAIN if edit.evaluation == "Static" else Certainty.POSSIBLE)
        found = strongest(*(source.grade for source in sources))
        # Only a value that AWS tells, of the same property, proves that no more of it changes than is told.
        place = edit.path if any(_tells_of(other, edit) for other in change.details) else edit.name
        if found is Certainty.NOISE and self.trees.unlike(change.address, place):
            # The same sources, put together otherwise, or others: two resources never have the same name.
            named = all(_is_named_by(source.target) for source in sources)
            other = self.trees.fed_by_others(change.address, edit.path)
            return Certainty.CERTAIN if named and other else Certainty.POSSIBLE
        return found

    def _parameter_change(self, change: ResourceChange, edit: PropertyChange) -> Certainty | None:
        """The grade of a value that a nested parameter takes from the root itself; None where it does not."""
        before, after, name = self.trees.before, self.trees.after, edit.causing_entity
        if before is None or name not in after.templates.get(change.tier, {}).get("Parameters", {}):
            return None
        if change.tier == ROOT or change.tier not in before.templates:
            return None
        old, new = (side.resolve(change.tier, {"Ref": name}) for side in (before, after))
        return Certainty.NOISE if old == new else Certainty.CERTAIN

    def _sources(self, change: ResourceChange, edit: PropertyChange) -> Iterator[Source]:
        """The resources that give the new value, each with how sure it is that the value it gives is a new one."""
        side = self.trees.after
        name, _, attribute = edit.causing_entity.partition(".")
        known = name in side.templates.get(change.tier, {}).get("Resources", {}) or name in side.templates.get(
            change.tier, {}
        ).get("Parameters", {})
        if known:
            found = side.follow(change.tier, name, attribute or "Ref")
            targets = [] if found is None else [found]
        elif edit.attribute == "Properties":
            targets = side.sources(change.address, edit.path)
        else:
            targets = []
        for target in targets:
            yield Source(target, self.value_of(target))

    def value_of(self, target: Target) -> Certainty:
        """How sure it is that an attribute of a resource gets another value."""
        if target.resource.tier in self._opaque:
            return Certainty.POSSIBLE
        change = self._changes.get(target.resource.address)
        if change is None:
            return Certainty.NOISE
        key = change.address, change.action
        if key in self._graded and self._graded[key] is None:
            return Certainty.POSSIBLE
        graded = self.grade(change)
        match graded.action:
            case Action.CREATE | Action.IMPORT:
                return Certainty.CERTAIN
            case Action.REPLACE:
                body = self.trees.after_body(change.address)
                same = body and outlives(change.type, target.attribute, body.properties, graded.touched)
                return Certainty.NOISE if same else graded.certainty
            case Action.MODIFY if graded.certainty is not Certainty.NOISE:
                moves = may_move(change.type, target.attribute, graded.touched)
                return Certainty.POSSIBLE if moves else Certainty.NOISE
        return Certainty.NOISE


def _tells_of(other: PropertyChange, edit: PropertyChange) -> bool:
    """Whether another edit of the same property has both values, and they differ."""
    known = other.before is not None and other.after is not None and other.after_known
    return other is not edit and other.name == edit.name and known and other.before != other.after


def _is_named_by(target: Target) -> bool:
    """Whether an attribute is of its resource alone, as an ARN is; two subnets may well share a zone."""
    known = resource_types.find(target.resource.type)
    return known is not None and not may_move(target.resource.type, target.attribute, known.properties)
