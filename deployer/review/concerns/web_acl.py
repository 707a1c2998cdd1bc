"""A WAF that lets more through than before, or less."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deployer.review.concerns.case import Case
from deployer.review.concerns.compare import number, value_at
from deployer.review.model import Concern, Finding
from deployer.review.values import mapping, mappings, text_of

# Parts of a statement that make it look at less, or do less.
_PARTS = {
    "ExcludedRules": "parts of it are left out",
    "RuleActionOverrides": "parts of it are overridden",
    "ScopeDownStatement": "its scope changes",
}
_WINDOW = 300  # seconds, where a rule names none
_STRICTNESS = {"Allow": 0, "Count": 1, "Captcha": 2, "Challenge": 2, "Block": 3}


def weakened(case: Case) -> Iterator[Finding]:
    """Rules that are gone, that only count what they blocked, that look at less, or whose limit is higher."""
    before, after = (_rules(side) for side in (case.old(), case.new()))
    defaults = [_STRICTNESS[_action(side.get("DefaultAction", {"Allow": {}}))] for side in (case.old(), case.new())]
    if defaults[1] < defaults[0]:
        yield _weaker("what no rule speaks of is let through")
    for name, old in before.items():
        new = after.get(name)
        yield from [_weaker(f"rule {name} is gone")] if new is None else _weakened_rule(name, old, new)
    for name, new in after.items():
        if _strictness(new) == 0 and (name not in before or _strictness(before[name]) > 0):
            yield _weaker(f"rule {name} lets through what it matches, unseen by the rules after it")


def _weakened_rule(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Finding]:
    if _strictness(new) < _strictness(old):
        yield _weaker(f"rule {name} no longer blocks")
    if _per_second(new) > _per_second(old):
        yield _weaker(f"rule {name} lets more requests through ({_limit(old)} → {_limit(new)})")
    for part, what in _PARTS.items():
        if _part(new, part) not in ("null", _part(old, part)):
            yield _weaker(f"rule {name} looks at less, or blocks less ({what})")
    if _looks_for(old) != _looks_for(new):
        yield _weaker(f"rule {name} looks for something else")


def stricter(case: Case) -> Iterator[Finding]:
    """Rules that are new, or that block what they only counted: real clients may be among those who are stopped."""
    before, after = (_rules(side) for side in (case.old(), case.new()))
    for name, new in after.items():
        old = before.get(name)
        if _strictness(new) > (1 if old is None else _strictness(old)):
            yield Finding(Concern.TRAFFIC, "", f"rule {name} blocks requests that pass today")


def blocks_all(case: Case) -> Iterator[Finding]:
    """What no rule speaks of is blocked from now on."""
    before, after = (
        _STRICTNESS[_action(side.get("DefaultAction", {"Allow": {}}))] for side in (case.old(), case.new())
    )
    if after > before:
        yield Finding(Concern.TRAFFIC, "traffic", "requests that no rule lets through are blocked")


def _weaker(text: str) -> Finding:
    return Finding(Concern.PROTECTION, "weaken", text)


def _rules(properties: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(rule.get("Name")): rule for rule in mappings(properties.get("Rules"))}


def _strictness(rule: Mapping[str, Any]) -> int:
    """What a rule does with what it finds; a group of rules does what they say unless it is overridden."""
    override = rule.get("OverrideAction")
    if isinstance(override, Mapping):
        return _STRICTNESS["Count"] if "Count" in override else _STRICTNESS["Block"]
    return _STRICTNESS[_action(rule.get("Action", {}))]


def _action(action: Any) -> str:
    return next((name for name in _STRICTNESS if isinstance(action, Mapping) and name in action), "Allow")


def _rate(rule: Mapping[str, Any]) -> tuple[float | None, float]:
    """Requests that a rate rule lets through, None where it has no limit, and in how many seconds."""
    limit = number(value_at(rule, "Statement/RateBasedStatement/Limit"))
    return limit, number(value_at(rule, "Statement/RateBasedStatement/EvaluationWindowSec")) or _WINDOW


def _per_second(rule: Mapping[str, Any]) -> float:
    limit, window = _rate(rule)
    return float("inf") if limit is None else limit / window


def _limit(rule: Mapping[str, Any]) -> str:
    limit, window = _rate(rule)
    return "no limit" if limit is None else f"{limit:g} in {window:g} s"


def _looks_for(rule: Mapping[str, Any]) -> str:
    """A rule's statement without what is compared by itself."""
    statement = mapping(rule.get("Statement"))
    return text_of(
        {kind: {name: value for name, value in body.items() if name not in (*_PARTS, "Limit", "EvaluationWindowSec")}
         for kind, body in statement.items() if isinstance(body, Mapping)}
    )  # fmt: skip


def _part(rule: Mapping[str, Any], name: str) -> str:
    kinds = ("ManagedRuleGroupStatement", "RuleGroupReferenceStatement", "RateBasedStatement")
    return next(
        (text_of(found) for kind in kinds if (found := value_at(rule, f"Statement/{kind}/{name}")) is not None), "null"
    )
