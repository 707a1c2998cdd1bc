"""Differences that are there by design: what a service moves by itself because the templates told it to.

Which resources these are is read from the deployed templates, not from their names.
"""

from __future__ import annotations

import re
from typing import Any

from deployer.forecast.evaluation import Side
from deployer.forecast.values import attributes_in

_RULES = ("ProductionListenerRule", "TestListenerRule")
_WEIGHT = re.compile(r"Actions/\d+/ForwardConfig/TargetGroups/\d+/Weight")
_SWUNG = "ECS moves the weights of this rule with every deployment"
_SCALED = "autoscaling sets it"
_UPGRADED = "RDS installs minor versions by itself (AutoMinorVersionUpgrade)"


class Design:
    """What the deployed tree leaves to the services."""

    def __init__(self, side: Side) -> None:
        self._swung: set[str] = set()
        self._scaled: set[str] = set()
        self._upgraded: set[str] = set()
        for stack in side.stacks.values():
            for resource in stack.resources.values():
                if resource.type == "AWS::ECS::Service":
                    self._swung |= _rules_of(resource.properties)
                elif resource.type == "AWS::ApplicationAutoScaling::ScalableTarget":
                    if resource.properties.get("ScalableDimension") == "ecs:service:DesiredCount":
                        self._scaled |= _addresses(resource.properties.get("ResourceId"))
                elif _upgrades_itself(resource.properties):
                    # An Aurora cluster is upgraded with its instances, which are what the setting is of.
                    cluster = _addresses(resource.properties.get("DBClusterIdentifier"))
                    self._upgraded |= {resource.address, *cluster}

    def explain(self, address: str, kind: str, path: str, expected: str, actual: str) -> str:
        """Why a difference is no surprise; "" where it is one.

        `path` is a pointer below the properties, the values are texts as AWS gives them.
        """
        if address in self._swung and _WEIGHT.fullmatch(path):
            return _SWUNG
        if address in self._scaled and kind == "AWS::ECS::Service" and path == "DesiredCount":
            return _SCALED
        if address in self._upgraded and path == "EngineVersion" and _is_minor_upgrade(expected, actual):
            return _UPGRADED
        return ""


def _rules_of(service: Any) -> set[str]:
    """The rules of the load balancer that a service's deployments write to.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
    """
    balancers = service.get("LoadBalancers", [])
    settings = [balancer.get("AdvancedConfiguration", {}) for balancer in balancers]
    return {address for found in settings for rule in _RULES for address in _addresses(found.get(rule))}


def _addresses(value: Any) -> set[str]:
    return {attribute.address for attribute in attributes_in(value)}


def _upgrades_itself(properties: Any) -> bool:
    return str(properties.get("AutoMinorVersionUpgrade", "")).lower() == "true"


def _is_minor_upgrade(expected: str, actual: str) -> bool:
    """Whether both are versions of one major, the actual one the newer: 17.7 → 17.10."""
    if not (re.fullmatch(r"\d+(\.\d+)+", expected) and re.fullmatch(r"\d+(\.\d+)+", actual)):
        return False
    old, new = ([int(part) for part in version.split(".")] for version in (expected, actual))
    return old[0] == new[0] and old < new
