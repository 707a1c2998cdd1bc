"""IAM statements: whether one allows what others allow already.

Compared by what AWS evaluates (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html):
an action is allowed where some Allow matches it and no Deny does. The comparison is exact where it says "covered", and
errs to the other side: two statements that together cover a third, or conditions that mean the same in other words, are
reported as wider.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from deployer.review.values import mapping, mappings, short, text_of

_NOT = ("NotAction", "NotResource", "NotPrincipal")
_MANY = 3
_OWN = re.compile(r"\$\{AWS::(Partition|Region|AccountId)\}")
_PARTS = 6  # arn:partition:service:region:account:resource


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; `body` is what the template says, its expressions resolved."""

    allows: bool
    body: Mapping[str, Any]

    @property
    def conditions(self) -> dict[tuple[str, str], frozenset[str]]:
        """The values of each condition by operator and key."""
        return {
            (operator, key): frozenset(text_of(value).lower() for value in _list(values))
            for operator, keys in mapping(self.body.get("Condition")).items()
            for key, values in mapping(keys).items()
        }

    def speaks_of(self, action: str) -> bool:
        """Whether the statement is about an action."""
        if "NotAction" in self.body:
            return not _matches(self.body["NotAction"], action, ignore_case=True)
        return _matches(self.body.get("Action"), action, ignore_case=True)

    def __str__(self) -> str:
        parts = [f"{_few(self.body.get(name))}" for name in ("Action", "NotAction") if name in self.body]
        told = f"{'everything but ' if 'NotAction' in self.body else ''}{', '.join(parts)}"
        on = _few(self.body.get("Resource", self.body.get("NotResource")))
        who = self.body.get("Principal", self.body.get("NotPrincipal"))
        return f"{told}{f' on {on}' if on else ''}{f' by {_principals(who)}' if who else ''}"


def statements(document: Any) -> list[Statement]:
    """The statements of a policy document; a single one need be no list."""
    found = mapping(document).get("Statement")
    return [Statement(part.get("Effect") == "Allow", part) for part in mappings(found)]


def uncovered(statement: Statement, others: Iterable[Statement]) -> tuple[Statement, ...]:
    """What of a statement no other one of its effect says as broadly; nothing where all of it is said already.

    Each action on each resource by each principal is asked about by itself, so that what was there is not told as new.
    """
    peers = [other for other in others if other.allows == statement.allows]
    if any(other.body == statement.body for other in peers):
        return ()
    if any(name in statement.body for name in _NOT):
        return (statement,)
    candidates = [
        other
        for other in peers
        if not any(name in other.body for name in _NOT) and _is_as_broad(other.conditions, statement.conditions)
    ]
    parts: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Any]] = {}
    for principal in _each(statement.body.get("Principal")):
        broad = [other for other in candidates if _holds_principals(other.body.get("Principal"), principal)]
        for resources, actions in _new_pairs(statement, broad).items():
            parts.setdefault((actions, resources), []).append(principal)
    return tuple(_part(statement, *pairs, principals) for pairs, principals in parts.items())


def _new_pairs(statement: Statement, others: list[Statement]) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Resources on which none of `others` speaks of the actions, with these actions."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for action in _texts(statement.body.get("Action")):
        speaking = [other for other in others if _matches(other.body.get("Action"), action, ignore_case=True)]
        new = tuple(
            resource
            for resource in _texts(_resources(statement))
            if not any(_matches(_resources(other), resource) for other in speaking)
        )
        if new:
            found[new] = (*found.get(new, ()), action)
    return found


def _part(
    statement: Statement, actions: tuple[str, ...], resources: tuple[str, ...], principals: list[Any]
) -> Statement:
    narrowed = {"Action": list(actions), "Resource": list(resources), "Principal": _together(principals)}
    return Statement(statement.allows, {name: narrowed.get(name, value) for name, value in statement.body.items()})


def _each(principal: Any) -> list[Any]:
    """The principals one by one, each as a policy would write it."""
    if not isinstance(principal, Mapping):
        return [principal]
    return [{kind: name} for kind, names in principal.items() for name in _list(names)] or [principal]


def _together(principals: list[Any]) -> Any:
    if not all(isinstance(principal, Mapping) for principal in principals):
        return principals[0]  # everyone
    found: dict[str, list[Any]] = {}
    for principal in principals:
        for kind, name in principal.items():
            found.setdefault(kind, []).append(name)
    return found


def _resources(statement: Statement) -> Any:
    """Trust policies name no resource: they stand at it."""
    return statement.body.get("Resource", "*")


def _list(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is None else [value]


def _texts(value: Any) -> list[str]:
    return [text_of(part) for part in _list(value)]


def _matches(patterns: Any, wanted: str, *, ignore_case: bool = False) -> bool:
    if ignore_case:
        wanted = wanted.lower()
    return any(_pattern(text.lower() if ignore_case else text).fullmatch(wanted) for text in _texts(patterns))


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    """IAM's wildcards; a `*` in what is compared is a pattern itself, and only a `*` holds it."""
    parts = {"*": ".*", "?": "[^*]"}
    return re.compile("".join(parts.get(char) or re.escape(char) for char in text), re.DOTALL)


def _holds_principals(wider: Any, narrower: Any) -> bool:
    if wider == narrower or _is_everyone(wider):
        return True
    if not isinstance(wider, Mapping) or not isinstance(narrower, Mapping):
        return False
    return all(
        set(_texts(names)) <= set(_texts(wider.get(kind))) or "*" in _texts(wider.get(kind))
        for kind, names in narrower.items()
    )


def _is_everyone(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, Mapping) and "*" in _texts(principal.get("AWS")))


def _is_as_broad(
    wider: Mapping[tuple[str, str], frozenset[str]], narrower: Mapping[tuple[str, str], frozenset[str]]
) -> bool:
    """Whether every condition of `wider` is one of `narrower` too, with at least as many values that it lets pass."""
    for (operator, key), values in wider.items():
        theirs = narrower.get((operator, key))
        if theirs is None:
            return False
        if values != theirs and not (
            values <= theirs if "Not" in operator else _is_choice(operator) and theirs <= values
        ):
            return False
    return True


def _is_choice(operator: str) -> bool:
    """Whether each further value of an operator lets more pass."""
    return operator.removesuffix("IfExists").startswith(("String", "Arn", "Bool", "IpAddress"))


def _few(value: Any) -> str:
    texts = [short(_within_the_account(text)) for text in _texts(value)]
    more = f" and {len(texts) - _MANY} more" if len(texts) > _MANY else ""
    return ", ".join(texts[:_MANY]) + more


def _within_the_account(text: str) -> str:
    """An ARN's own part, where the rest of it is the stack's account and region: `secret:payments/dev/dms-??????`."""
    parts = _OWN.sub("", text).split(":", 5)
    own = len(parts) == _PARTS and parts[0] == "arn" and not any((parts[1], parts[3], parts[4]))
    return parts[-1] if own else text


def _principals(who: Any) -> str:
    if not isinstance(who, Mapping):
        return "everyone" if who == "*" else text_of(who)
    return _few([name for names in who.values() for name in _list(names)])
