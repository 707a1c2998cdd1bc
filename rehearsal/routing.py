"""Where a request goes: an Application Load Balancer's rules, as DescribeRules answers them, and its weights.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehearsal.errors import RehearsalError

_LAST = 1 << 31


@dataclass(frozen=True, slots=True)
class Forward:
    """Forward to target groups by weight: (ARN, weight)."""

    weights: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Fixed:
    """Answer without asking anybody."""

    status: int
    content_type: str
    body: str


@dataclass(frozen=True, slots=True)
class Route:
    """A rule: the paths it takes (None: every one), and what it does. Lower priorities are looked at first."""

    priority: int
    paths: re.Pattern[str] | None
    action: Forward | Fixed


def read_rules(rules: Iterable[Mapping[str, Any]]) -> tuple[Route, ...]:
    """The routes of a listener in the order of their priority; RehearsalError for what this balancer does not know."""
    return tuple(sorted((_route(rule) for rule in rules), key=lambda route: route.priority))


def choose_route(routes: Sequence[Route], path: str) -> Route | None:
    """The first rule that takes the path; None only while no rules are known."""
    return next((route for route in routes if route.paths is None or route.paths.fullmatch(path)), None)


def _route(rule: Mapping[str, Any]) -> Route:
    priority = _LAST if rule["Priority"] == "default" else int(rule["Priority"])
    patterns: list[str] = []
    for condition in rule.get("Conditions", []):
        if condition["Field"] != "path-pattern":
            raise RehearsalError(
                f"the rehearsal's load balancer knows no condition {condition['Field']} ({rule['RuleArn']})",
                hint="give the rule conditions on the path alone, or teach it to rehearsal/routing.py",
            )
        patterns += condition.get("PathPatternConfig", {}).get("Values") or condition["Values"]
    # * stands for any characters, slashes too, and ? for one; case counts.
    translated = (re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".") for pattern in patterns)
    paths = re.compile("|".join(translated), re.DOTALL) if patterns else None
    return Route(priority, paths, _action(rule))


def _action(rule: Mapping[str, Any]) -> Forward | Fixed:
    action = rule["Actions"][-1]  # whatever decides comes last; authentication may stand before it
    if action["Type"] == "forward":
        groups = action.get("ForwardConfig", {}).get("TargetGroups")
        if groups:
            return Forward(tuple((group["TargetGroupArn"], int(group.get("Weight", 1))) for group in groups))
        return Forward(((action["TargetGroupArn"], 1),))
    if action["Type"] == "fixed-response":
        fixed = action["FixedResponseConfig"]
        return Fixed(int(fixed["StatusCode"]), fixed.get("ContentType", "text/plain"), fixed.get("MessageBody", ""))
    raise RehearsalError(
        f"the rehearsal's load balancer knows no action {action['Type']} ({rule['RuleArn']})",
        hint="give it a listener whose rules forward or answer, not the one that redirects",
    )


class Split:
    """Shares requests by weight, evenly spread: of 100 requests at 1 : 3, every fourth is the first group's.

    The smooth weighted round robin of nginx: https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1
    """

    def __init__(self) -> None:
        self._weights: tuple[tuple[str, int], ...] = ()
        self._credit: dict[str, int] = {}

    def choose(self, forward: Forward) -> str | None:
        """The target group of the next request; None when all weights are 0."""
        if forward.weights != self._weights:
            self._weights, self._credit = forward.weights, dict.fromkeys((arn for arn, _ in forward.weights), 0)
        total = sum(weight for _, weight in self._weights)
        if not total:
            return None
        for arn, weight in self._weights:
            self._credit[arn] += weight
        chosen = max((arn for arn, weight in self._weights if weight), key=self._credit.__getitem__)
        self._credit[chosen] -= total
        return chosen


def group_name(arn: str) -> str:
    """The name in a target group's ARN (…:targetgroup/NAME/ID)."""
    return arn.split("/")[-2] if arn.count("/") > 1 else arn
