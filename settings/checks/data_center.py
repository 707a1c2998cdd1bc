"""Rules of the data centre: what is routed there, and what the load balancer may send requests to."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from settings.checks.rule import Fault, Where, rule
from settings.fields import Ipv4
from settings.model import Settings

# What an ALB takes as ip targets outside of its VPC (RFC 1918 and RFC 6598).
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-type
_TARGET_BLOCKS = tuple(map(IPv4Network, ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")))


@rule("network.vpc_cidr", "data_center.cidrs")
def data_center_lies_outside(settings: Settings, where: Where) -> Iterator[Fault]:
    """Of two overlapping blocks, the VPC's own route always wins: the data centre could not be reached."""
    vpc = IPv4Network(settings.network.vpc_cidr)
    for index, block in enumerate(settings.data_center.cidrs):
        if IPv4Network(block).overlaps(vpc):
            yield Fault(
                f"data_center.cidrs[{index}]",
                f"{block} overlaps {where('network.vpc_cidr')}, {vpc}",
                "a block outside of the VPC, which never routes its own addresses elsewhere",
            )


@rule("data_center.cidrs", "data_center.application_ips")
def application_is_a_target(settings: Settings, where: Where) -> Iterator[Fault]:
    """ELB refuses other addresses as targets; unrouted ones would be unhealthy for ever."""
    for index, address in enumerate(settings.data_center.application_ips):
        key = f"data_center.application_ips[{index}]"
        if not _inside(address, _TARGET_BLOCKS):
            blocks = ", ".join(map(str, _TARGET_BLOCKS))
            yield Fault(key, f"{address} is no private address", f"a load balancer takes targets in {blocks} only")
        elif not _inside(address, _blocks(settings)):
            yield _unrouted(key, address, where)


@rule("data_center.cidrs", "data_center.database_address")
def database_is_routed(settings: Settings, where: Where) -> Iterator[Fault]:
    """A database outside of what is routed to the data centre is out of reach, or is somebody else's."""
    address = settings.data_center.database_address
    if not _inside(address, _blocks(settings)):
        yield _unrouted("data_center.database_address", address, where)


@rule("data_center.database_host", "data_center.database_address")
def database_is_found(settings: Settings, where: Where) -> Iterator[Fault]:
    """The VPC resolves the host's name by a hosted zone of its own; Route 53 makes none for a top-level domain."""
    place = settings.data_center
    key = "data_center.database_host"
    if Ipv4().accepts(place.database_host):
        if place.database_is_named:
            other = f"{where('data_center.database_address')}, {place.database_address}"
            yield Fault(key, f"{place.database_host} is not {other}", "the same address, or the host's name")
    elif "." not in place.database_host:
        yield Fault(key, f"{place.database_host} is a name without a domain", "the full name, like db.example.com")


def _blocks(settings: Settings) -> tuple[IPv4Network, ...]:
    return tuple(map(IPv4Network, settings.data_center.cidrs))


def _inside(address: str, blocks: tuple[IPv4Network, ...]) -> bool:
    return any(IPv4Network(address).subnet_of(block) for block in blocks)


def _unrouted(key: str, address: str, where: Where) -> Fault:
    allowed = f"an address inside {where('data_center.cidrs')}: only those are routed there"
    return Fault(key, f"{address} is not in the data centre", allowed)
