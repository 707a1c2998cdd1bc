"""Ports: sets of protocol and port ranges, as security group rules write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# IpProtocol takes names and IANA numbers; "-1" is every protocol.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroupingress.html
_NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
_WITH_PORTS = ("tcp", "udp")
_EVERY = ("icmp", "icmpv6", "other", "tcp", "udp")
_LAST = 65535

Range = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Ports:
    """Sorted, merged ranges (protocol, first, last); protocols without ports have the range 0 to 65535."""

    ranges: tuple[Range, ...] = ()

    @classmethod
    def of_rule(cls, rule: Mapping[str, Any]) -> Ports:
        """What one rule admits."""
        protocol = str(rule.get("IpProtocol", "-1")).lower()
        protocol = _NUMBERS.get(protocol, protocol)
        if protocol == "-1":
            return cls(tuple((name, 0, _LAST) for name in _EVERY))
        if protocol not in _WITH_PORTS:
            return cls(((protocol, 0, _LAST),))
        return cls(((protocol, int(rule.get("FromPort", 0)), int(rule.get("ToPort", _LAST))),))

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __or__(self, other: Ports) -> Ports:
        merged: list[Range] = []
        for protocol, first, last in sorted((*self.ranges, *other.ranges)):
            if merged and merged[-1][0] == protocol and first <= merged[-1][2] + 1:
                merged[-1] = (protocol, merged[-1][1], max(last, merged[-1][2]))
            else:
                merged.append((protocol, first, last))
        return Ports(tuple(merged))

    def __and__(self, other: Ports) -> Ports:
        return Ports().union(
            Ports(((mine[0], max(mine[1], theirs[1]), min(mine[2], theirs[2])),))
            for mine in self.ranges
            for theirs in other.ranges
            if mine[0] == theirs[0] and mine[1] <= theirs[2] and theirs[1] <= mine[2]
        )

    def __sub__(self, other: Ports) -> Ports:
        left = list(self.ranges)
        for protocol, first, last in other.ranges:
            cut: list[Range] = []
            for mine in left:
                if mine[0] != protocol or mine[2] < first or last < mine[1]:
                    cut.append(mine)
                    continue
                cut += [(protocol, mine[1], first - 1)] if mine[1] < first else []
                cut += [(protocol, last + 1, mine[2])] if last < mine[2] else []
            left = cut
        return Ports(tuple(left))

    def union(self, others: Iterable[Ports]) -> Ports:
        """All of these together."""
        together = self
        for other in others:
            together |= other
        return together

    @property
    def label(self) -> str:
        """As a person writes it: "443", "80, 443", "udp 53", "1024-65535", "everything"."""
        if {protocol for protocol, first, last in self.ranges if (first, last) == (0, _LAST)} >= set(_EVERY):
            return "everything"
        return ", ".join(_label(*item) for item in self.ranges)


def _label(protocol: str, first: int, last: int) -> str:
    if protocol not in _WITH_PORTS:
        return protocol
    text = str(first) if first == last else "all ports" if (first, last) == (0, _LAST) else f"{first}-{last}"
    return text if protocol == "tcp" else f"{protocol} {text}"
