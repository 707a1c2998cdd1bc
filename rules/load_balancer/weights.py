"""E9190: weights that a load balancer refuses, or that send requests nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Resource
from rules._values import at, each, number

_ACTIONS = {
    "AWS::ElasticLoadBalancingV2::Listener": "DefaultActions",
    "AWS::ElasticLoadBalancingV2::ListenerRule": "Actions",
}
_HEAVIEST = 999


class BadWeights(HouseRule):
    """A target group without a weight has 1."""

    id = "E9190"
    shortdesc = "Target group weights outside 0 to 999, or all 0"
    description = "The load balancer refuses weights above 999, and answers 503 where all are 0"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html"
    tags = ["house", "load balancer"]
    fix = "give whole weights from 0 to 999, at least one of them above 0"
    types = tuple(_ACTIONS)

    def check(self, resource: Resource) -> Iterator[Finding]:
        for path, groups in resource.each(_ACTIONS[resource.type], "*", "ForwardConfig", "TargetGroups"):
            weights = []
            for inner, group in each(groups, "*"):
                value = at(group, "Weight")
                weight = 1 if value is None else number(value)
                weights.append(weight)
                if weight is not None and (not 0 <= weight <= _HEAVIEST or weight % 1):
                    yield resource.finding(f"weight {value} is not from 0 to {_HEAVIEST}", *path, *inner, "Weight")
            if weights and all(weight == 0 for weight in weights):
                yield resource.finding("all weights are 0", *path)
