"""Paths: who may talk to whom, computed from every security group rule of the tree.

A packet needs three things: an egress rule of the sender's group, an ingress rule of the receiver's, and a route. A
path says which of them it has. Between two groups both rules are looked for; a peer outside the VPC has no group of
ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compiler.diagram.network import (
    Cidr,
    Network,
    Subnet,
    block,
    is_nowhere,
    is_private,
    reaches_internet,
    reaches_outside,
    reaches_prefix_list,
    within,
)
from compiler.diagram.ports import Ports
from compiler.resolve import Resource, Tree

SECURITY_GROUP = "AWS::EC2::SecurityGroup"
RULES = {"ingress": "AWS::EC2::SecurityGroupIngress", "egress": "AWS::EC2::SecurityGroupEgress"}

INTERNET = "internet"
GATE = "gate"
OUTSIDE = "outside"
_PREFIX_LIST = "pl-"

OPEN = "open"
EGRESS_ONLY = "egress only"
INGRESS_ONLY = "ingress only"
NO_ROUTE = "no route"

_PEERS = {
    "ingress": ("SourceSecurityGroupId", "SourcePrefixListId"),
    "egress": ("DestinationSecurityGroupId", "DestinationPrefixListId"),
}
# EC2 gives a new group a rule that lets everything out. An inline egress rule takes its place, a standalone one is only
# added to it. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html
_ALLOW_ALL = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0", "Description": "EC2's default: no inline egress rule"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of `group`: `peer` is another group, an address block, or the text of anything else."""

    group: Resource
    direction: str
    ports: Ports
    peer: Resource | Cidr | str
    reason: str


@dataclass(frozen=True, slots=True)
class Path:
    """`source` may send to `target` on `ports`.

    Ends are addresses of groups, or INTERNET, GATE (the gateway endpoints), OUTSIDE. `state` is OPEN, or what the path
    lacks; `reasons` are the descriptions of its rules; `peer` is what is known of an end that is text only.
    """

    source: str
    target: str
    ports: str
    state: str
    reasons: tuple[str, ...]
    peer: str = ""


def read_rules(tree: Tree) -> tuple[Rule, ...]:
    """Every rule of every group, inline and standalone, and the one that EC2 adds where a group has none."""
    return tuple(_inline_rules(tree)) + tuple(_standalone_rules(tree))


def _inline_rules(tree: Tree) -> Iterator[Rule]:
    for group in tree.of_type(SECURITY_GROUP):
        for body in group.properties.get("SecurityGroupIngress", ()):
            yield _rule(tree, group, "ingress", group.tier, body)
        for body in group.properties.get("SecurityGroupEgress") or (_ALLOW_ALL,):
            yield _rule(tree, group, "egress", group.tier, body)


def _standalone_rules(tree: Tree) -> Iterator[Rule]:
    for direction, rule_type in RULES.items():
        for resource in tree.of_type(rule_type):
            group = tree.target(resource.tier, resource.properties["GroupId"])
            if group is not None:
                yield _rule(tree, group, direction, resource.tier, resource.properties)


def _rule(tree: Tree, group: Resource, direction: str, tier: str, body: Mapping[str, Any]) -> Rule:
    group_key, list_key = _PEERS[direction]
    named = body.get(group_key)
    written = tree.text(tier, body.get("CidrIp") or body.get("CidrIpv6") or body.get(list_key) or named)
    peer = (tree.target(tier, named) if named else None) or block(written) or written
    return Rule(group, direction, Ports.of_rule(body), peer, tree.text(tier, body.get("Description")))


def find_paths(rules: Sequence[Rule], network: Network, places: Mapping[str, Sequence[Subnet]]) -> tuple[Path, ...]:
    """Every path that some rule admits, in the order of the groups. `places` are the subnets of a group's members."""
    groups = list(dict.fromkeys(rule.group.address for rule in rules))
    paths = [path for source in groups for target in groups for path in _between(source, target, rules, places)]
    for group in groups:
        for direction in RULES:
            paths += _beyond(group, direction, rules, network, places.get(group, ()))
    return tuple(paths)


def rules_inside(rules: Sequence[Rule], network: Network) -> dict[str, tuple[str, ...]]:
    """In words, by group: the rules for address blocks of the VPC itself, which make no path to any one peer."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for rule in rules:
        if not isinstance(rule.peer, Resource | str) and network.holds(rule.peer):
            found.setdefault((rule.group.address, rule.direction, rule.ports.label), []).append(str(rule.peer))
    words: dict[str, tuple[str, ...]] = {}
    for (group, direction, ports), blocks in found.items():
        verb = "admits" if direction == "ingress" else "may send to"
        words[group] = (*words.get(group, ()), f"{verb} {', '.join(blocks)} on {ports}")
    return words


# --- between two groups ----------------------------------------------------------------------------------------------
def _between(source: str, target: str, rules: Sequence[Rule], places: Mapping[str, Sequence[Subnet]]) -> Iterator[Path]:
    leaving = [rule for rule in rules if rule.group.address == source and rule.direction == "egress"]
    entering = [rule for rule in rules if rule.group.address == target and rule.direction == "ingress"]
    out = [rule for rule in leaving if _names(rule, target)]
    into = [rule for rule in entering if _names(rule, source)]
    may_leave = Ports().union(r.ports for r in out) | _admitted(leaving, places.get(target, ()))
    may_enter = Ports().union(r.ports for r in into) | _admitted(entering, places.get(source, ()))
    for state, ports in (
        (OPEN, may_leave & may_enter),
        # Only what a rule says of this very pair is one-sided: a rule for a block of addresses is one of many pairs.
        (EGRESS_ONLY, Ports().union(r.ports for r in out) - may_enter),
        (INGRESS_ONLY, Ports().union(r.ports for r in into) - may_leave),
    ):
        if ports:
            reasons = [rule.reason for rule in (*out, *into) if rule.reason and rule.ports & ports]
            yield Path(source, target, ports.label, state, tuple(dict.fromkeys(reasons)))


def _names(rule: Rule, group: str) -> bool:
    return isinstance(rule.peer, Resource) and rule.peer.address == group


def _admitted(rules: Sequence[Rule], subnets: Sequence[Subnet]) -> Ports:
    """The ports that rules with address blocks admit for each of these subnets."""
    admitted: Ports | None = None
    for subnet in subnets:
        cidr = block(subnet.cidr)
        ports = Ports().union(
            rule.ports
            for rule in rules
            if cidr and not isinstance(rule.peer, Resource | str) and within(cidr, rule.peer)
        )
        admitted = ports if admitted is None else admitted & ports
    return admitted or Ports()


# --- between a group and what lies beyond the VPC --------------------------------------------------------------------
def _beyond(
    group: str, direction: str, rules: Sequence[Rule], network: Network, subnets: Sequence[Subnet]
) -> Iterator[Path]:
    ends: dict[tuple[str, str, str], list[Rule]] = {}
    for rule in rules:
        if rule.group.address != group or rule.direction != direction or isinstance(rule.peer, Resource):
            continue
        end = _end(rule.peer, network)
        if end:
            lacks = not all(_routed(subnet, rule.peer, inbound=direction == "ingress") for subnet in subnets)
            peer = rule.peer if isinstance(rule.peer, str) and end == OUTSIDE else ""
            ends.setdefault((end, NO_ROUTE if lacks else OPEN, peer), []).append(rule)
    for (end, state, peer), found in ends.items():
        source, target = (end, group) if direction == "ingress" else (group, end)
        reasons = dict.fromkeys(f"{rule.reason} ({rule.peer})".strip() for rule in found)
        yield Path(source, target, Ports().union(rule.ports for rule in found).label, state, tuple(reasons), peer)


def _end(peer: Cidr | str, network: Network) -> str:
    """The end of a path that a peer stands for; "" where it is inside the VPC, or nowhere at all."""
    if isinstance(peer, str):
        return GATE if peer.startswith(_PREFIX_LIST) and network.gateway_endpoints else OUTSIDE
    if is_nowhere(peer) or network.holds(peer):
        return ""
    return OUTSIDE if is_private(peer) else INTERNET


def _routed(subnet: Subnet, peer: Cidr | str, *, inbound: bool) -> bool:
    if isinstance(peer, str):
        return reaches_prefix_list(subnet) or not peer.startswith(_PREFIX_LIST)
    return reaches_outside(subnet, peer) if is_private(peer) else reaches_internet(subnet, inbound=inbound)
