"""Doors: what connects the network or the account with the outside, beside security groups and policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from deployer.review.concerns.case import Case
from deployer.review.concerns.surroundings import Surroundings, address_in
from deployer.review.model import Action, Concern, Finding
from deployer.review.trees import Body
from deployer.review.values import mappings, text_of

_TOPIC = "AWS::SNS::Topic"
_SUBSCRIPTION = "AWS::SNS::Subscription"
_ROUTE = "AWS::EC2::Route"
_ASSOCIATION = "AWS::EC2::SubnetRouteTableAssociation"
_GATEWAY = "AWS::EC2::InternetGateway"
# type → what a new one opens
_DOORS = {
    "AWS::EC2::TransitGatewayAttachment": "another network can reach the VPC",
    "AWS::EC2::TransitGatewayVpcAttachment": "another network can reach the VPC",
    "AWS::EC2::VPCPeeringConnection": "another network can reach the VPC",
    "AWS::IAM::AccessKey": "a key that signs in from anywhere, and does not expire",
    "AWS::IAM::User": "somebody who signs in with credentials that do not expire",
    "AWS::Lambda::Url": "the function can be called from the internet",
}
_TO_OTHERS = ("TransitGatewayId", "VpcPeeringConnectionId")


def unlocked(case: Case) -> Iterator[Finding]:
    """Doors that are not there today."""
    if case.after is None:
        return
    rule = "" if case.around.first else "access"
    if case.action is Action.CREATE and case.type in _DOORS:
        yield Finding(Concern.ACCESS, rule, _DOORS[case.type])
    elif case.type in (_TOPIC, _SUBSCRIPTION):
        yield from _recipients(case, rule)
    elif case.type == _ROUTE and case.around.served(_table(case.new())):
        yield from _routes(case, rule)
    elif case.type == _ASSOCIATION and case.around.served(address_in(case.new().get("SubnetId"))):
        public = {_table(body.properties) for _, body in case.around.bodies(_ROUTE, after=True) if _leaves(case, body)}
        if _table(case.new()) in public and _table(case.old()) not in public:
            yield Finding(Concern.ACCESS, rule, "the internet reaches its subnet")


def _recipients(case: Case, rule: str) -> Iterator[Finding]:
    """Addresses to which a topic sends what it sent to nobody there before."""
    today = [
        *case.around.bodies(_TOPIC, _SUBSCRIPTION, after=False),
        *([(case.address, case.before)] if case.before else []),
    ]
    known = {recipient for address, body in today for recipient in _subscribed(address, body)}
    for topic, protocol, endpoint in _subscribed(case.address, case.after) if case.after else ():
        if (topic, protocol, endpoint) not in known:
            told = f"what {topic} publishes goes to a new address, {protocol} {_shown(endpoint)}"
            yield Finding(Concern.ACCESS, rule, told)


def _subscribed(address: str, body: Body) -> Iterator[tuple[str, str, str]]:
    """Topic, protocol and endpoint of each recipient that a resource names."""
    own = body.type == _SUBSCRIPTION
    topic = address_in(body.properties.get("TopicArn")) if own else address
    for recipient in [body.properties] if own else mappings(body.properties.get("Subscription")):
        yield topic, text_of(recipient.get("Protocol", "")), text_of(recipient.get("Endpoint", ""))


def _shown(endpoint: str) -> str:
    """An endpoint without what a URL may hold of keys."""
    host = urlsplit(endpoint).hostname if endpoint.startswith(("http://", "https://")) else ""
    return host or address_in(endpoint)


def _routes(case: Case, rule: str) -> Iterator[Finding]:
    before, after = (_to_internet(case.around, side.get("GatewayId")) for side in (case.old(), case.new()))
    if after and not before:
        yield Finding(Concern.ACCESS, rule, f"the internet reaches the subnets of {_table(case.new())}")
    if any(case.new().get(name) not in (None, case.old().get(name)) for name in _TO_OTHERS):
        yield Finding(Concern.ACCESS, rule, f"another network and the subnets of {_table(case.new())} reach each other")


def _leaves(case: Case, body: Any) -> bool:
    return _to_internet(case.around, body.properties.get("GatewayId"))


def _table(properties: Mapping[str, Any]) -> str:
    return address_in(properties.get("RouteTableId"))


def _to_internet(around: Surroundings, gateway: Any) -> bool:
    known = {address for address, _ in around.bodies(_GATEWAY, after=True)}
    return address_in(gateway) in known or str(gateway).startswith("igw-")
