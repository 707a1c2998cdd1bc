"""Security group rules, whether they stand in the group or as resources of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rules._template import Finding, Resource, Template
from rules._values import Path, at, listed, names, number, referred, text

_LOAD_BALANCER = re.compile(r"load[ _-]?balancer|\balb\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GroupRule:
    """One rule of a security group."""

    resource: Resource
    path: Path
    body: Any
    group: str  # what the template calls the group: logical id, parameter, name

    @property
    def peer(self) -> str | None:
        """The block of addresses that it admits, if it is known."""
        return text(at(self.body, "CidrIp")) or text(at(self.body, "CidrIpv6"))

    @property
    def is_open(self) -> bool:
        """Whether it is about every address there is."""
        return (self.peer or "").endswith("/0")

    @property
    def ports(self) -> tuple[float, float] | None:
        """First and last port; None for every port and protocol."""
        first, last = number(at(self.body, "FromPort")), number(at(self.body, "ToPort"))
        if first is None or last is None or at(self.body, "IpProtocol") in ("-1", -1):
            return None
        return first, last

    def finding(self, message: str, *keys: str) -> Finding:
        """A finding at a part of the rule."""
        return self.resource.finding(message, *self.path, *keys)


def group_rules(template: Template, direction: str) -> Iterator[GroupRule]:
    """Every rule of a direction: "Ingress" or "Egress"."""
    for group in template.of("AWS::EC2::SecurityGroup"):
        name = f"{group.logical_id} {text(group.properties.get('GroupName')) or ''}"
        for path, body in group.each(f"SecurityGroup{direction}", "*"):
            yield GroupRule(group, path, body, name)
    for resource in template.of(f"AWS::EC2::SecurityGroup{direction}"):
        target = referred(resource.properties.get("GroupId"))
        yield GroupRule(resource, (), resource.properties, target[0] if target else "")


def is_load_balancer(group: str, template: Template) -> bool:
    """Whether a group is the load balancer's: one of this template uses it, or it is called so."""
    logical_id = group.partition(" ")[0]
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", group)  # AlbSecurityGroup → Alb Security Group
    return bool(_LOAD_BALANCER.search(words)) or any(
        names(used, logical_id)
        for balancer in template.of("AWS::ElasticLoadBalancingV2::LoadBalancer")
        for used in listed(balancer.at("SecurityGroups"))
    )
