"""Compare the properties of a resource before and after, down to the last pointer.

What differs in its form only (statements of a policy in another order, JSON with other spaces) is told apart: AWS lists
it as a change, and nothing comes of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contract import resource_types
from deployer.forecast.values import (
    ABSENT,
    Text,
    attributes_in,
    is_unknown,
    placeholder,
    plain,
    scalar_text,
)

# Lists that AWS reads as sets.
_SETS = frozenset(
    (
        "EnableCloudwatchLogsExports",
        "EventCategories",
        "ManagedPolicyArns",
        "SecurityGroupIds",
        "SecurityGroups",
        "SubnetIds",
        "Subnets",
        "VpcSecurityGroupIds",
        "VPCSecurityGroups",
    )
)
# Writing these anew does harm by itself, so a change of form is a change: a listener rule's live weights are reset.
# https://github.com/aws/aws-cdk/issues/36649
_LITERAL = frozenset(("AWS::ElasticLoadBalancingV2::ListenerRule",))
_STATEMENT_LISTS = ("Action", "NotAction", "Resource", "NotResource")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where both sides differ; `ABSENT` stands on a side that has nothing there.

    `path` leads from the properties ("VpcConfig", "SubnetIds", "0"); of tags it is the property and the key.
    `form_only`: both mean the same.
    """

    path: tuple[str, ...]
    before: Any
    after: Any
    form_only: bool = False


@dataclass(frozen=True, slots=True)
class Fed:
    """A place where both sides have the same unknown value, which changes when its resources do."""

    path: tuple[str, ...]
    value: Any


def compare(kind: str, before: Any, after: Any) -> Iterator[Difference | Fed]:
    """Every place in which the properties of a resource of this type differ, or may."""
    known = resource_types.find(kind)
    tags = known.tag_property if known else "Tags"
    for name in _keys(before, after):
        old, new = before.get(name, ABSENT), after.get(name, ABSENT)
        if kind in _LITERAL:
            yield from _literally((name,), old, new)
        elif name == tags and _are_tags(old) and _are_tags(new):
            yield from _tags(name, old, new)
        else:
            yield from _values((name,), old, new)


def _keys(before: Any, after: Any) -> list[str]:
    return [*before, *(key for key in after if key not in before)]


def _values(path: tuple[str, ...], before: Any, after: Any) -> Iterator[Difference | Fed]:
    if isinstance(before, dict) and isinstance(after, dict):
        if "Statement" in before and "Statement" in after:
            yield from _policies(path, before, after)
        else:
            for key in _keys(before, after):
                yield from _values((*path, key), before.get(key, ABSENT), after.get(key, ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        if path[-1] in _SETS and before != after and _sorted(before) == _sorted(after):
            yield Difference(path, before, after, form_only=True)
        else:
            yield from _items(path, before, after, _values)
    else:
        yield from _leaves(path, before, after)


def _leaves(path: tuple[str, ...], before: Any, after: Any) -> Iterator[Difference | Fed]:
    if _same(before, after):
        if any(True for _ in attributes_in(after)):
            yield Fed(path, after)
    else:
        yield Difference(path, before, after, form_only=_same_json(before, after))


def _literally(path: tuple[str, ...], before: Any, after: Any) -> Iterator[Difference | Fed]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in _keys(before, after):
            yield from _literally((*path, key), before.get(key, ABSENT), after.get(key, ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _items(path, before, after, _literally)
    else:
        for found in _leaves(path, before, after):
            yield Difference(found.path, found.before, found.after) if isinstance(found, Difference) else found


def _items(path: tuple[str, ...], before: list[Any], after: list[Any], walk: Any) -> Iterator[Difference | Fed]:
    for index in range(max(len(before), len(after))):
        old = before[index] if index < len(before) else ABSENT
        new = after[index] if index < len(after) else ABSENT
        yield from walk((*path, str(index)), old, new)


def _same(before: Any, after: Any) -> bool:
    """Whether two leaves are the same; a whole list or mapping may stand against something else."""
    if before is ABSENT or after is ABSENT or is_unknown(before) or is_unknown(after):
        return bool(before == after)
    if isinstance(before, dict | list) or isinstance(after, dict | list):
        return False
    return scalar_text(before) == scalar_text(after)


# --- what means the same ---------------------------------------------------------------------------------------------
def _same_json(before: Any, after: Any) -> bool:
    """Whether two texts are the same JSON, written differently."""
    if not (isinstance(before, str | Text) and isinstance(after, str | Text)):
        return False
    old, new = (value if isinstance(value, str) else placeholder(value) for value in (before, after))
    if old[:1] not in ("{", "[") or new[:1] not in ("{", "["):
        return False
    try:
        return bool(json.loads(old) == json.loads(new))
    except ValueError:
        return False


def _are_tags(value: Any) -> bool:
    if value is ABSENT or isinstance(value, dict):
        return True
    return isinstance(value, list) and all(isinstance(tag, dict) and isinstance(tag.get("Key"), str) for tag in value)


def _tags(name: str, before: Any, after: Any) -> Iterator[Difference | Fed]:
    old, new = _by_key(before), _by_key(after)
    found = [
        item for key in _keys(old, new) for item in _values((name, key), old.get(key, ABSENT), new.get(key, ABSENT))
    ]
    if before != after and not any(isinstance(item, Difference) for item in found):
        yield Difference((name,), before, after, form_only=True)
    yield from found


def _by_key(tags: Any) -> dict[str, Any]:
    """The tags' values by key, whichever form the type takes them in; a tag of an Auto Scaling group has more."""
    if tags is ABSENT:
        return {}
    if isinstance(tags, dict):
        return tags
    return {
        tag["Key"]: tag.get("Value") if tag.keys() <= {"Key", "Value"} else {k: v for k, v in tag.items() if k != "Key"}
        for tag in tags
    }


def _policies(path: tuple[str, ...], before: dict[str, Any], after: dict[str, Any]) -> Iterator[Difference | Fed]:
    """Two policy documents: the order of statements, actions, resources and principals means nothing to IAM.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    found = [
        item
        for key in _keys(before, after)
        for item in _literally((*path, key), before.get(key, ABSENT), after.get(key, ABSENT))
    ]
    differs = any(isinstance(item, Difference) for item in found)
    if differs and _sorted_policy(before) == _sorted_policy(after):
        yield Difference(path, before, after, form_only=True)
        yield from (item for item in found if isinstance(item, Fed))
    else:
        yield from found


def _sorted_policy(document: dict[str, Any]) -> Any:
    statements = document["Statement"]
    return document | {"Statement": _sorted([_sorted_statement(s) for s in _listed(statements)])}


def _sorted_statement(statement: Any) -> Any:
    if not isinstance(statement, dict):
        return statement
    ordered: dict[str, Any] = dict(statement)
    for key in ordered.keys() & set(_STATEMENT_LISTS):
        ordered[key] = _sorted(_listed(ordered[key]))
    for key in ("Principal", "NotPrincipal"):
        if isinstance(ordered.get(key), dict):
            ordered[key] = {kind: _sorted(_listed(value)) for kind, value in ordered[key].items()}
    if isinstance(ordered.get("Condition"), dict):
        ordered["Condition"] = {
            operator: {key: _sorted(_listed(value)) for key, value in keys.items()} if isinstance(keys, dict) else keys
            for operator, keys in ordered["Condition"].items()
        }
    return ordered


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _sorted(items: list[Any]) -> list[str]:
    return sorted(json.dumps(plain(item), sort_keys=True) for item in items)
