"""The details of a resource's change: each place that changes, with what changes it, in the words of a change set.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChangeDetail.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract import resource_types
from deployer.changes import PropertyChange
from deployer.forecast.comparison import Difference, Fed
from deployer.forecast.evaluation import Side
from deployer.forecast.replacement import ALWAYS, NEVER, recreation
from deployer.forecast.values import ABSENT, attributes_in, shown
from deployer.forecast.verdicts import Pair, Verdicts

# DependsOn and Condition are no attributes of a resource in a change set: they only say when, or whether.
_ATTRIBUTES = ("Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")
_PLACEHOLDER = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True, slots=True)
class _Cause:
    """What changes a place: `source` is AWS's word for it, `entity` the parameter, resource or attribute."""

    evaluation: str
    source: str
    entity: str


_DIRECT = _Cause("Static", "DirectModification", "")


class Details:
    """Writes the details of changes of one tree."""

    def __init__(self, before: Side, after: Side, verdicts: Verdicts) -> None:
        self._before, self._after, self._verdicts = before, after, verdicts

    def of(self, pair: Pair) -> tuple[PropertyChange, ...]:
        """Every detail of the change of a resource, () where nothing changes."""
        return (*self._of_properties(pair), *_of_attributes(pair.before.body, pair.after.body))

    def _of_properties(self, pair: Pair) -> Iterator[PropertyChange]:
        for place in pair.places:
            if isinstance(place, Difference):
                yield from self._different(pair, place)
            elif self._verdicts.moves(place.value):
                yield from self._fed(pair, place)

    def _different(self, pair: Pair, place: Difference) -> Iterator[PropertyChange]:
        change = "Add" if place.before is ABSENT else "Remove" if place.after is ABSENT else "Modify"
        known = self._stands(place.after)
        before, after = shown(place.before), shown(place.after) if known else None
        if place.form_only and known:
            after = before  # equal texts: nothing comes of it
        for cause in self._causes(pair, place.path):
            yield _detail(pair, place, change, before, after, cause, known=known)

    def _fed(self, pair: Pair, place: Fed) -> Iterator[PropertyChange]:
        difference = Difference(place.path, place.value, place.value)
        for cause in self._causes(pair, place.path):
            fed = _Cause("Dynamic", cause.source, cause.entity)
            yield _detail(pair, difference, "Modify", shown(place.value), None, fed, known=False)

    def _stands(self, value: Any) -> bool:
        """Whether AWS knows the value before it applies the change: all of it is there, and stays as it is."""
        there = all(attribute.address in self._verdicts.pairs for attribute in attributes_in(value))
        return there and not self._verdicts.moves(value)

    # --- causes ------------------------------------------------------------------------------------------------------
    def _causes(self, pair: Pair, path: tuple[str, ...]) -> list[_Cause]:
        """What changes the value at `path`: an edit of the template, or what the expression there names."""
        old, new = (_expression(body.get("Properties", {}), path) for body in (pair.before.body, pair.after.body))
        if old != new:
            return [_DIRECT]
        named = dict.fromkeys(_named(new, self._after.stacks[pair.after.tier].template.get("Conditions", {})))
        found = [cause for name, attribute in named for cause in self._cause(pair.after.tier, name, attribute)]
        return found or [_DIRECT]

    def _cause(self, tier: str, name: str, attribute: str) -> Iterator[_Cause]:
        before, after = self._before.named(tier, name, attribute), self._after.named(tier, name, attribute)
        if before == after and not self._verdicts.moves(after):
            return
        if name in self._after.stacks[tier].template.get("Parameters", {}):
            yield _Cause("Static" if self._stands(after) else "Dynamic", "ParameterReference", name)
        elif attribute == "Ref":
            yield _Cause("Dynamic", "ResourceReference", name)
        else:
            yield _Cause("Dynamic", "ResourceAttribute", f"{name}.{attribute}")


def _detail(
    pair: Pair, place: Difference, change: str, before: str | None, after: str | None, cause: _Cause, *, known: bool
) -> PropertyChange:
    kind = pair.after.type
    facts = resource_types.find(kind)
    tags = facts is not None and place.path[0] == facts.tag_property
    return PropertyChange(
        attribute="Tags" if tags else "Properties",
        path="/".join(place.path[1:] if tags else place.path),
        change=change,
        before=before,
        after=after,
        requires_recreation=recreation(kind, place.path, place.before, place.after),
        evaluation=cause.evaluation,
        source=cause.source,
        causing_entity=cause.entity,
        after_known=known,
    )


def _of_attributes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[PropertyChange]:
    for attribute in _ATTRIBUTES:
        old, new = before.get(attribute, ABSENT), after.get(attribute, ABSENT)
        if old != new:
            change = "Add" if old is ABSENT else "Remove" if new is ABSENT else "Modify"
            yield PropertyChange(
                attribute, "", change, shown(old), shown(new), NEVER, _DIRECT.evaluation, _DIRECT.source, ""
            )


def replacement(details: tuple[PropertyChange, ...]) -> str:
    """`True`, `Conditional` or `False`, by the rule that AWS documents for its own change sets.

    What differs in form only is no proof of a replacement.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
    """
    if any(
        detail.requires_recreation == ALWAYS and detail.evaluation == "Static" and not _is_form(detail)
        for detail in details
    ):
        return "True"
    return "Conditional" if any(detail.requires_recreation != NEVER for detail in details) else "False"


def _is_form(detail: PropertyChange) -> bool:
    return detail.after_known and detail.before == detail.after


# --- expressions -----------------------------------------------------------------------------------------------------
def _expression(node: Any, path: tuple[str, ...]) -> Any:
    """What is written at `path`, or the function above it that makes it."""
    for step in path:
        if isinstance(node, Mapping):
            if len(node) == 1 and next(iter(node)).startswith(("Fn::", "Ref")):
                return node
            node = node.get(step, ABSENT)
        elif isinstance(node, list) and step.isdecimal():
            node = node[int(step)] if int(step) < len(node) else ABSENT
        elif isinstance(node, list):  # tags, of which the path names the key
            node = next((tag for tag in node if isinstance(tag, Mapping) and tag.get("Key") == step), ABSENT)
        else:
            return node
    return node


def _named(node: Any, conditions: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What an expression names: ("Vpc", "Ref"), ("Vpc", "CidrBlock"); the parameters of its conditions too."""
    if isinstance(node, list):
        for item in node:
            yield from _named(item, conditions)
    elif isinstance(node, Mapping):
        function, argument = next(iter(node.items())) if len(node) == 1 else ("", [])
        if function == "Ref" and isinstance(argument, str):
            yield from _of_reference(argument)
        elif function == "Fn::GetAtt":
            name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
            if isinstance(name, str) and isinstance(attribute, str):
                yield name, attribute
            else:  # made by functions of their own
                yield from _named(argument, conditions)
        elif function == "Fn::Sub":
            yield from _of_text(argument, conditions)
        elif function == "Fn::If":
            yield from _named(conditions.get(argument[0]), {})
            yield from _named(argument[1:], conditions)
        else:
            for value in node.values():
                yield from _named(value, conditions)


def _of_text(sub: Any, conditions: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    text, variables = (sub, {}) if isinstance(sub, str) else sub
    for match in _PLACEHOLDER.findall(text):
        name, _, attribute = match.strip().partition(".")
        if match.strip() not in variables:
            yield from _of_reference(name, attribute or "Ref")
    yield from _named(variables, conditions)


def _of_reference(name: str, attribute: str = "Ref") -> Iterator[tuple[str, str]]:
    if not name.startswith("AWS::"):
        yield name, attribute
