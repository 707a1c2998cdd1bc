"""Network paths: which rule of a security group lets in what, and whether others let it in already."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from deployer.review.concerns.case import Case
from deployer.review.concerns.surroundings import Surroundings, address_in
from deployer.review.model import Action, Concern, Finding
from deployer.review.trees import Body
from deployer.review.values import mappings

_GROUP = "AWS::EC2::SecurityGroup"
_INGRESS = "AWS::EC2::SecurityGroupIngress"
_EGRESS = "AWS::EC2::SecurityGroupEgress"
_TYPES = (_GROUP, _INGRESS, _EGRESS)
_PEERS = (
    "CidrIp",
    "CidrIpv6",
    "SourceSecurityGroupId",
    "DestinationSecurityGroupId",
    "SourcePrefixListId",
    "DestinationPrefixListId",
    "SourceSecurityGroupName",
)
_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_ALL = "-1"
_LAST_PORT = 65535
_WITH_PORTS = ("tcp", "udp")  # ICMP has types and codes instead
# The rule that a security group gets when its template names no way out.
_EVERYTHING_OUT: Mapping[str, Any] = {"IpProtocol": _ALL, "CidrIp": "0.0.0.0/0"}


@dataclass(frozen=True, slots=True)
class Path:
    """Traffic that a group lets in or out: ports `low` to `high` of `protocol` ("-1" for all) with `peer`."""

    group: str
    inward: bool
    protocol: str
    low: int
    high: int
    peer: str

    def covers(self, other: Path) -> bool:
        """Whether whatever `other` lets through, this one does."""
        ports = self.protocol == _ALL or (self.low <= other.low and other.high <= self.high)
        return ports and self.meets(other)

    def meets(self, other: Path) -> bool:
        """Whether this one lets through what `other` does on some port at least."""
        return (
            self.group == other.group
            and self.inward == other.inward
            and self.protocol in (_ALL, other.protocol)
            and _holds(self.peer, other.peer)
        )

    def beyond(self, others: Iterable[Path]) -> list[Path]:
        """What of this path none of the others lets through: the ports that are left, for the same peer."""
        known = [other for other in others if other.meets(self)]
        if any(other.covers(self) for other in known):
            return []
        left = [(self.low, self.high)]
        for other in known if self.protocol in _WITH_PORTS else ():
            pieces = [
                piece
                for low, high in left
                for piece in ((low, min(high, other.low - 1)), (max(low, other.high + 1), high))
            ]
            left = [(low, high) for low, high in pieces if low <= high]
        return [replace(self, low=low, high=high) for low, high in left]

    def __str__(self) -> str:
        ports = "" if self.protocol == _ALL else f" {self.low}" if self.low == self.high else f" {self.low}-{self.high}"
        protocol = "everything" if self.protocol == _ALL else self.protocol
        return f"{protocol}{ports} {'from' if self.inward else 'to'} {self.peer}"


def opened(case: Case) -> Iterator[Finding]:
    """Paths that no rule of the group lets through today."""
    if case.type not in _TYPES or case.after is None:
        return
    before = [path for _, path in _paths(case.around, after=False)]
    before += _paths_of(case.address, case.before) if case.before else []
    rule = "" if case.around.first else "access"
    for path in _paths_of(case.address, case.after):
        for new in path.beyond(before):
            yield Finding(Concern.ACCESS, rule, f"{new.group} lets through {new}")


def closed(case: Case) -> Iterator[Finding]:
    """Paths that nothing lets through any more: whoever uses one is cut off."""
    if case.type not in _TYPES or case.before is None or case.action is Action.RETAIN:
        return
    after = [path for _, path in _paths(case.around, after=True)]
    for path in _paths_of(case.address, case.before):
        for lost in path.beyond(after):
            yield Finding(Concern.TRAFFIC, "", f"{lost.group} no longer lets through {lost}")


def _paths(around: Surroundings, *, after: bool) -> Iterator[tuple[str, Path]]:
    for address, body in around.bodies(*_TYPES, after=after):
        for path in _paths_of(address, body):
            yield address, path


def _paths_of(address: str, body: Body) -> list[Path]:
    """What one resource lets through; a rule for the loopback address lets nothing through."""
    if body.type != _GROUP:
        group = address_in(body.properties.get("GroupId") or body.properties.get("GroupName"))
        rules = [(body.type == _INGRESS, group, body.properties)]
    else:
        inward = body.properties.get("SecurityGroupIngress", ())
        outward = body.properties.get("SecurityGroupEgress", (_EVERYTHING_OUT,))
        rules = [(True, address, rule) for rule in mappings(inward)] + [
            (False, address, rule) for rule in mappings(outward)
        ]
    found = [_path(group, rule, inward=inward) for inward, group, rule in rules]
    return [path for path in found if not _is_loopback(path.peer)]


def _path(group: str, rule: Mapping[str, Any], *, inward: bool) -> Path:
    protocol = str(rule.get("IpProtocol", _ALL)).lower()
    protocol = _PROTOCOLS.get(protocol, protocol)
    low, high = (_port(rule.get(name), missing) for name, missing in (("FromPort", 0), ("ToPort", _LAST_PORT)))
    peer = next((address_in(rule[name]) for name in _PEERS if name in rule), "anything")
    return Path(group, inward, protocol, low, high, peer)


def _port(value: Any, missing: int) -> int:
    try:
        port = int(value)
    except (TypeError, ValueError):
        return missing
    return missing if port < 0 else port


def _network(peer: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(peer, strict=False)
    except ValueError:
        return None


def _holds(wider: str, narrower: str) -> bool:
    if wider == narrower:
        return True
    outer, inner = _network(wider), _network(narrower)
    if isinstance(outer, ipaddress.IPv4Network) and isinstance(inner, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(outer, ipaddress.IPv6Network) and isinstance(inner, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False


def _is_loopback(peer: str) -> bool:
    network = _network(peer)
    return network is not None and network.is_loopback
