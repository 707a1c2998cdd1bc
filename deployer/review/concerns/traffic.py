"""Live traffic: what moves requests, cuts a path, or resets what Amazon ECS or a person has set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from deployer.review.concerns import containers, paths, web_acl
from deployer.review.concerns.case import UNKNOWN, Case
from deployer.review.concerns.compare import lower, number
from deployer.review.concerns.surroundings import LISTENER_RULE, SERVICE, address_in, weights
from deployer.review.model import Action, Concern, Finding
from deployer.review.values import arrow, mappings, text_of

_LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
_TARGETS = "AWS::ElasticLoadBalancingV2::TargetGroup"
_RECORD = "AWS::Route53::RecordSet"
_SCALING = "AWS::ApplicationAutoScaling::ScalableTarget"
# type → what does not work while a resource of it is gone or new
_CARRIERS = {
    _LISTENER: "clients cannot connect until the new one listens",
    _TARGETS: "requests find no target until all are registered and healthy again",
    SERVICE: "no task answers until the new service has started",
    _RECORD: "the name does not resolve meanwhile",
    "AWS::EC2::InternetGateway": "nothing reaches the internet, and nobody the load balancer",
    "AWS::EC2::NatGateway": "connections to the internet break",
    "AWS::EC2::Route": "what it leads to cannot be reached meanwhile",
    "AWS::EC2::RouteTable": "its subnets reach nothing meanwhile",
    "AWS::EC2::Subnet": "whatever has an interface in it moves",
    "AWS::EC2::SubnetRouteTableAssociation": "the subnet takes the VPC's main routes meanwhile",
    "AWS::EC2::VPC": "everything in it moves",
    "AWS::EC2::VPCEndpoint": "the AWS service cannot be reached meanwhile",
    "AWS::EC2::VPCGatewayAttachment": "nothing passes the gateway meanwhile",
    "AWS::EC2::VPNGatewayRoutePropagation": "the data centre cannot be reached meanwhile",
}
# Changes of a service that start no deployment.
_NO_DEPLOYMENT = frozenset(("Tags", "DesiredCount", "Metadata", "DeletionPolicy", "UpdateReplacePolicy"))
# (type, property) → what a reader should know of its change
_NOTES = {
    ("AWS::ECS::Service", "TaskDefinition"): "Amazon ECS starts new tasks and moves requests to them",
    (_LISTENER, "Certificates"): "clients are shown another certificate",
    (_TARGETS, "Matcher"): "other answers count as healthy",
    (
        _TARGETS,
        "HealthCheckPath",
    ): "health is asked at another path, and targets that do not answer there get no requests",
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Subnets"): "the load balancer gets other addresses",
    ("AWS::RDS::DBInstance", "DBInstanceClass"): "the instance restarts, and its connections break",
    ("AWS::RDS::DBInstance", "CACertificateIdentifier"): "the instance shows another certificate, and may restart",
}


def moved(case: Case) -> Iterator[Finding]:
    """What the change does to requests under way."""
    if case.around.first:
        return
    if case.goes and case.type in _CARRIERS:
        yield Finding(Concern.TRAFFIC, "traffic", _CARRIERS[case.type])
    yield from _BY_TYPE.get(case.type, _nothing)(case)
    if case.action is Action.MODIFY:
        notes = (_NOTES.get((case.type, name)) for name in sorted(case.touched))
        yield from (Finding(Concern.TRAFFIC, "", note) for note in notes if note)
    yield from paths.closed(case)


def _nothing(_: Case) -> Iterator[Finding]:
    return iter(())


def _rule(case: Case) -> Iterator[Finding]:
    """A listener rule: CloudFormation writes it whole, weights included, whatever of it changes, tags too.

    https://github.com/aws/aws-cdk/issues/36649
    """
    before, after = weights(case.old()), weights(case.new())
    if case.action is Action.CREATE:
        if case.around.served(address_in(case.new().get("ListenerArn"))):
            yield Finding(Concern.TRAFFIC, "traffic", f"a new rule takes requests to {_shares(after)}")
    elif case.action is Action.DELETE:
        yield Finding(Concern.TRAFFIC, "traffic", f"requests go to the next rule instead of {_shares(before)}")
    elif not case.stays:
        return
    elif case.address in case.around.managed_rules:
        yield Finding(
            Concern.TRAFFIC,
            "traffic",
            f"Amazon ECS moves this rule's weights with every deployment; it is written anew with {_shares(after)}, "
            "and requests may go to a target group that has no tasks",
        )
    elif before != after:
        yield Finding(Concern.TRAFFIC, "traffic", f"requests move from {_shares(before)} to {_shares(after)}")
    elif _splits(after):
        yield Finding(
            Concern.TRAFFIC,
            "traffic",
            f"it is written anew with {_shares(after)}, and weights that a person set are lost",
        )


def _splits(split: tuple[tuple[str, int], ...]) -> bool:
    return len(split) > 1


def _shares(split: tuple[tuple[str, int], ...]) -> str:
    return ", ".join(f"{name.rpartition('.')[2]} {weight}" for name, weight in split) or "no target group"


def _listener(case: Case) -> Iterator[Finding]:
    for name in ("Port", "Protocol") if case.stays else ():
        before, after = (text_of(side.get(name)) for side in (case.old(), case.new()))
        if before != after:
            yield Finding(Concern.TRAFFIC, "traffic", f"clients must connect otherwise ({arrow(before, after)})")
    before, after = (text_of(side.get("DefaultActions")) for side in (case.old(), case.new()))
    if case.stays and before != after:
        rule = "" if _fixed(case.old()) and _fixed(case.new()) else "traffic"
        yield Finding(Concern.TRAFFIC, rule, "requests that no rule takes are answered otherwise")


def _fixed(properties: Mapping[str, Any]) -> bool:
    """Whether a listener answers by itself what no rule takes."""
    return all(action.get("Type") == "fixed-response" for action in mappings(properties.get("DefaultActions")))


def _scaling(case: Case) -> Iterator[Finding]:
    for name in ("MinCapacity", "MaxCapacity") if case.stays else ():
        before, after = case.old().get(name), case.new().get(name)
        if lower(before, after):
            yield Finding(Concern.TRAFFIC, "", f"fewer tasks ({name} {arrow(text_of(before), text_of(after))})")


def _web_acl(case: Case) -> Iterator[Finding]:
    if case.stays:
        yield from web_acl.blocks_all(case)
        yield from web_acl.stricter(case)


def _record(case: Case) -> Iterator[Finding]:
    if case.action is not Action.MODIFY:
        return
    name = case.new().get("Name", case.address)
    for key in ("ResourceRecords", "AliasTarget", "Name", "Type", "Weight"):
        before, after = (text_of(side.get(key)) for side in (case.old(), case.new()))
        if before != after:
            yield Finding(Concern.TRAFFIC, "traffic", f"{name} leads elsewhere ({key} {arrow(before, after)})")


def _task(case: Case) -> Iterator[Finding]:
    return containers.secrets_moved(case) if case.stays else iter(())


def _service(case: Case) -> Iterator[Finding]:
    if case.action is not Action.MODIFY:
        return
    before, after = case.old().get("DesiredCount"), case.new().get("DesiredCount")
    if number(after) == 0 and number(before) != 0:
        yield Finding(Concern.TRAFFIC, "traffic", "no task answers, as DesiredCount is 0")
    elif before != UNKNOWN and lower(before, after):
        yield Finding(Concern.TRAFFIC, "", f"fewer tasks (DesiredCount {arrow(text_of(before), text_of(after))})")
    split = case.around.live_split
    if split and case.touched - _NO_DEPLOYMENT:
        rule, shares = split
        yield Finding(
            Concern.TRAFFIC,
            "traffic",
            f"a deployment moves tasks to the other target group while {rule} splits requests ({_shares(shares)}), "
            "and what it sends to the group of today finds no tasks there",
        )


_BY_TYPE: dict[str, Callable[[Case], Iterator[Finding]]] = {
    LISTENER_RULE: _rule,
    SERVICE: _service,
    _LISTENER: _listener,
    _RECORD: _record,
    _SCALING: _scaling,
    "AWS::ECS::TaskDefinition": _task,
    "AWS::WAFv2::WebACL": _web_acl,
}
