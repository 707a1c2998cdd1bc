"""Where requests go: the pointer, which names the database, and the weights of the migration rule.

ECS's own production rule is read and never written: it says which of blue and green is live.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutover.steps.common import settings
from cutover.steps.common.cloud import client
from cutover.steps.common.errors import Blocked

DATA_CENTER, AURORA = "data_center", "aurora"
_ALL = 100

Weights = dict[str, int]


def read_pointer() -> str:
    """The database that the application uses."""
    return str(client("ssm").get_parameter(Name=settings.text("POINTER_PARAMETER"))["Parameter"]["Value"])


def point_at(database: str) -> None:
    """Let it use that one."""
    client("ssm").put_parameter(Name=settings.text("POINTER_PARAMETER"), Value=database, Type="String", Overwrite=True)


def read_weights() -> tuple[Weights, str]:
    """The migration rule's target groups with their weights, none where there is no such rule; and the live group."""
    migration = settings.optional("MIGRATION_RULE_ARN")
    if not migration:
        return {}, ""
    production = settings.text("PRODUCTION_RULE_ARN")
    rules = client("elbv2").describe_rules(RuleArns=[migration, production])["Rules"]
    by_arn = {rule["RuleArn"]: rule for rule in rules}
    live = [group for group, weight in _weights(by_arn[production]).items() if weight > 0]
    if len(live) != 1:
        raise Blocked(
            f"the production rule sends requests to {len(live)} target groups: a deployment of ECS is under way",
            hint="wait until it has ended",
        )
    return _weights(by_arn[migration]), live[0]


def all_to(live: str, weights: Mapping[str, int]) -> Weights:
    """The weights with which everything goes to the live group. A rule may name it that has not named it before."""
    return {**dict.fromkeys(weights, 0), live: _ALL}


def are_same(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    """Whether requests are split alike: a group that gets none may as well not be named."""
    return _shares(one) == _shares(other)


def set_weights(weights: Mapping[str, int]) -> None:
    """Let the migration rule split requests so; its conditions and stickiness stay."""
    rule = settings.text("MIGRATION_RULE_ARN")
    (found,) = client("elbv2").describe_rules(RuleArns=[rule])["Rules"]
    forward = dict(_forward(found))
    forward["TargetGroups"] = [{"TargetGroupArn": group, "Weight": weight} for group, weight in weights.items()]
    client("elbv2").modify_rule(RuleArn=rule, Actions=[{"Type": "forward", "ForwardConfig": forward}])


def healthy_targets(group: str) -> int:
    """How many targets of a group take requests."""
    told = client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return sum(target["TargetHealth"]["State"] == "healthy" for target in told)


def _weights(rule: Mapping[str, Any]) -> Weights:
    groups = _forward(rule)["TargetGroups"]
    return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups}


def _forward(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    for action in rule["Actions"]:
        if action["Type"] == "forward" and action.get("ForwardConfig", {}).get("TargetGroups"):
            config: Mapping[str, Any] = action["ForwardConfig"]
            return config
    raise Blocked(f"the rule {rule['RuleArn']} forwards to no target groups", hint="deploy the load balancer tier")


def _shares(weights: Mapping[str, int]) -> dict[str, float]:
    total = sum(weights.values())
    return {group: weight / total for group, weight in weights.items() if weight}
