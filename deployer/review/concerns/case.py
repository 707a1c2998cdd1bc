"""One resource's change as the rules see it: what it was, what it will be, and what stands around it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from deployer.changes import PropertyChange, ResourceChange
from deployer.review.concerns.surroundings import Surroundings
from deployer.review.grading import Graded
from deployer.review.model import Action, Certainty
from deployer.review.trees import Body
from deployer.review.values import value_of

# Stands where AWS does not tell what a value was. A rule that finds it assumes the worse.
UNKNOWN = "(not known)"
_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")


@dataclass(frozen=True, slots=True)
class Case:
    """`before` is None for a resource that is new, `after` for one that leaves the stack."""

    graded: Graded
    before: Body | None
    after: Body | None
    around: Surroundings

    @property
    def address(self) -> str:
        """`database.Cluster`."""
        return self.graded.change.address

    @property
    def type(self) -> str:
        """The resource's type."""
        return self.graded.change.type

    @property
    def action(self) -> Action:
        """What happens to it."""
        return self.graded.action

    @property
    def stays(self) -> bool:
        """Whether there is such a resource before and after, be it the same or another one in its place."""
        return self.before is not None and self.after is not None

    @property
    def goes(self) -> bool:
        """Whether the resource that is there now is deleted, or may be."""
        return self.action in (Action.DELETE, Action.REPLACE)

    @property
    def touched(self) -> frozenset[str]:
        """The top-level properties and attributes that change, or may."""
        return self.graded.touched

    def old(self) -> Mapping[str, Any]:
        """The properties before; empty where there are none."""
        return {} if self.before is None else self.before.properties

    def new(self) -> Mapping[str, Any]:
        """The properties after; empty where there are none."""
        return {} if self.after is None else self.after.properties


def case_of(graded: Graded, around: Surroundings) -> Case:
    """The case of a graded change. What AWS says stands in where a template is not at hand."""
    change = graded.change
    if graded.action in (Action.DELETE, Action.RETAIN):
        return Case(graded, around.trees.before_body(change.address) or _of_type(change), None, around)
    after = around.trees.after_body(change.address) or _rewritten(graded, _of_type(change), _new)
    if graded.action in (Action.CREATE, Action.IMPORT):
        return Case(graded, None, after, around)
    before = around.trees.before_body(change.address) or _rewritten(graded, after, _old)
    return Case(graded, before, after, around)


def _of_type(change: ResourceChange) -> Body:
    """A resource of which no more is known than its type."""
    return Body(change.type, {}, "", "")


def _old(change: ResourceChange, edit: PropertyChange) -> Any:
    """What a property was."""
    if edit.change == "Add":
        return None
    if edit.before is not None:
        return value_of(edit.before)
    found = parsed(change.before or "{}")
    for name in (edit.attribute, *edit.path.split("/")):
        found = found.get(name, UNKNOWN) if isinstance(found, dict) else UNKNOWN
    return found


def _new(_: ResourceChange, edit: PropertyChange) -> Any:
    """What a property will be."""
    return value_of(edit.after)


def _rewritten(graded: Graded, body: Body, value: Callable[[ResourceChange, PropertyChange], Any]) -> Body:
    """A body with the value of one side put in the place of each edit that is no noise."""
    properties = deepcopy(dict(body.properties))
    policies = dict(zip(_POLICIES, (body.deletion_policy, body.update_replace_policy), strict=True))
    for graded_edit in graded.edits:
        edit = graded_edit.property
        if graded_edit.certainty is Certainty.NOISE:
            continue
        if edit.attribute == "Properties" and edit.path:
            _put(properties, edit, value(graded.change, edit))
        elif edit.attribute in policies:
            policies[edit.attribute] = value(graded.change, edit) or ""
    return Body(body.type, properties, *policies.values())


def _put(properties: dict[str, Any], edit: PropertyChange, value: Any) -> None:
    *parents, last = edit.path.split("/")
    place: Any = properties
    for name in parents:
        place = place.setdefault(name, {}) if isinstance(place, dict) else _item(place, name)
    if isinstance(place, dict):
        place[last] = value
    elif _item(place, last) is not None:
        place[int(last)] = value
    else:
        properties[edit.name] = UNKNOWN  # AWS tells of a place that the template has not got


def _item(place: Any, name: str) -> Any:
    return place[int(name)] if isinstance(place, list) and name.isdecimal() and int(name) < len(place) else None


def parsed(value: Any) -> Any:
    """A property that holds JSON as text, read; {} where it is none."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return {}
    return value
