"""One resource's change as an item of the review: its edits with their causes, what it harms, and a line of text."""

from __future__ import annotations

from dataclasses import replace

from deployer.changes import NESTED_STACK, PropertyChange, ResourceChange
from deployer.review.causes import Causes
from deployer.review.concerns.case import Case, case_of
from deployer.review.concerns.data import keeps
from deployer.review.concerns.findings import findings
from deployer.review.concerns.protection import WATCHERS
from deployer.review.concerns.replication import steps
from deployer.review.concerns.surroundings import Surroundings
from deployer.review.grading import Graded, GradedEdit, Grader
from deployer.review.model import Action, Certainty, Concern, Edit, Finding, Item, Link, Severity
from deployer.review.values import HIDDEN, is_sensitive

# Every change of these makes a new one by design; what was there stays as it is.
_ROUTINE = frozenset(("AWS::ECS::TaskDefinition", "AWS::Lambda::Version", "AWS::Lambda::LayerVersion"))
_GRAVE = (Action.REPLACE, Action.DELETE, Action.RETAIN, Action.IMPORT)
_UNREADABLE = "what changes in this tier is not known, and whatever it holds may be replaced or deleted"
_SHOWN = 2


class Writer:
    """Writes the items of one change set."""

    def __init__(self, grader: Grader, causes: Causes, around: Surroundings) -> None:
        self._grader = grader
        self._causes = causes
        self._around = around

    def item(self, change: ResourceChange) -> Item:
        """The item of one resource's change."""
        graded = self._grader.grade(change)
        case = case_of(graded, self._around)
        found = (*findings(case), *_of_a_tier(change, graded))
        edits = tuple(self._edit(graded, edit) for edit in graded.edits)
        warnings = () if graded.certainty is Certainty.NOISE else steps(case)
        return Item(
            address=change.address,
            tier=change.tier,
            logical_id=change.logical_id,
            physical_id=change.physical_id,
            type=change.type,
            action=graded.action,
            certainty=graded.certainty,
            severity=self._severity(graded, found),
            concerns=tuple(concern for concern in Concern if any(finding.concern is concern for finding in found)),
            summary=_summary(case, edits),
            keeps=keeps(case),
            edits=edits,
            warnings=(*change.warnings, *warnings),
            findings=found,
        )

    def _edit(self, graded: Graded, edit: GradedEdit) -> Edit:
        shown = _without_credentials(edit.property)
        return Edit(shown, edit.certainty, edit.replaces, self._causes.chain(graded, replace(edit, property=shown)))

    def _severity(self, graded: Graded, found: tuple[Finding, ...]) -> Severity:
        if any(finding.rule for finding in found):
            return Severity.STOP
        if graded.certainty is Certainty.NOISE:
            return Severity.QUIET
        grave = graded.action in _GRAVE and graded.change.type not in _ROUTINE
        if graded.change.warnings or grave or (found and not self._around.first):
            return Severity.WARN
        return Severity.NOTE


def _of_a_tier(change: ResourceChange, graded: Graded) -> tuple[Finding, ...]:
    """What a nested stack's own item says of the whole tier."""
    if change.type != NESTED_STACK or graded.action in (Action.CREATE, Action.RETAIN, Action.IMPORT):
        return ()
    if change.child is None:
        return (Finding(Concern.DATA, "delete" if graded.action is Action.DELETE else "replace", _UNREADABLE),)
    if graded.action is Action.MODIFY:
        return ()
    word, rule = ("deleted", "delete") if graded.action is Action.DELETE else ("replaced", "replace")
    whole = Finding(Concern.DATA, rule, f"the whole tier is {word}, {len(change.child.changes)} resources")
    watchers = sum(found.type in WATCHERS for found in change.child.changes)
    if not watchers or graded.action is not Action.DELETE:
        return (whole,)
    return whole, Finding(Concern.PROTECTION, "weaken", f"{watchers} alarms, logs or filters go with it")


def _without_credentials(edit: PropertyChange) -> PropertyChange:
    if not is_sensitive(edit.path):
        return edit
    hidden = tuple(None if value is None else HIDDEN for value in (edit.before, edit.after))
    return replace(edit, before=hidden[0], after=hidden[1])


# --- one line --------------------------------------------------------------------------------------------------------
def _summary(case: Case, edits: tuple[Edit, ...]) -> str:
    graded = case.graded
    may = graded.certainty is not Certainty.CERTAIN
    match graded.action:
        case Action.CREATE:
            return "created"
        case Action.IMPORT:
            return "imported: the stack takes it over as it is"
        case Action.DELETE:
            return "deleted"
        case Action.RETAIN:
            return "leaves the stack, stays in the account"
    if graded.certainty is Certainty.NOISE:
        return "stays as it is; AWS reports it because something that it refers to changes"
    if graded.change.action == "SyncWithActual":
        return "the stack takes over what is really there; the resource is left alone"
    if graded.change.action != "Modify":
        return f"AWS cannot tell yet what happens to it (action {graded.change.action})"
    if graded.action is Action.REPLACE:
        forcing = [edit for edit in edits if edit.replaces]
        return f"{'may be ' if may else ''}replaced{_because(forcing)}"
    real = [edit for edit in edits if edit.certainty is not Certainty.NOISE]
    if not real:
        return "its tags change" if "Tags" in graded.change.scope else "what changes in it is not known"
    names = list(dict.fromkeys(_top(edit) for edit in real))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{'may change' if may else 'changes'} {', '.join(names[:_SHOWN])}{more}"


def _because(forcing: list[Edit]) -> str:
    if not forcing:
        return "; AWS does not say why"
    edit = next((edit for edit in forcing if edit.certainty is Certainty.CERTAIN), forcing[0])
    source = next((link for link in reversed(edit.chain) if link.kind == "resource"), None)
    name = _top(edit)
    verb = "changes" if edit.certainty is Certainty.CERTAIN else "may change"
    if source is not None:
        return f" because {name} comes from {source.name}, which {_is(source)}"
    return f" because {name} {verb}"


def _is(source: Link) -> str:
    return source.detail if source.detail.startswith("may") else f"is {source.detail}"


def _top(edit: Edit) -> str:
    """The property or attribute that an edit is of; its place and values are told with the edit itself."""
    return edit.property.name or edit.property.attribute
