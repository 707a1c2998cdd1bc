"""Rules of the network: region and zones, blocks of addresses, the VPN."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations

from settings.checks.rule import Fault, Where, rule
from settings.errors import did_you_mean
from settings.model import Settings
from settings.regions import RESERVED_ASNS, S3_PREFIX_LISTS, ZONE_PREFIXES, region_of_zone

# Addresses of a subnet that AWS keeps for itself: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
_KEPT_ADDRESSES = 5
# Network interfaces in a private subnet besides the tasks: interface endpoints, database, DMS, Lambda.
_OTHER_INTERFACES = 20
# The Amazon side's number, unless a gateway says otherwise; two systems of one number are no external peers.
_AMAZON_ASN = 64512
# What nobody can reach through the internet (documentation blocks aside: examples use them).
_UNROUTED = tuple(
    map(IPv4Network, ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"))
) + tuple(map(IPv4Network, ("192.168.0.0/16", "224.0.0.0/3")))


@rule("region")
def region_is_known(settings: Settings, _where: Where) -> Iterator[Fault]:
    """A misspelt region fails with "could not resolve host", if anything says so at all."""
    if settings.region not in ZONE_PREFIXES:
        guess = did_you_mean(settings.region, ZONE_PREFIXES)
        allowed = guess or "one of settings/regions.py; a new region of AWS is added there, with its zones' prefix"
        yield Fault("region", f"{settings.region} is no region that is known here", allowed)


@rule("region", "network.availability_zone_ids")
def zones_lie_in_the_region(settings: Settings, where: Where) -> Iterator[Fault]:
    """A subnet cannot be created in a zone of another region."""
    prefix = ZONE_PREFIXES.get(settings.region)
    for index, zone in enumerate(settings.network.availability_zone_ids):
        if prefix and not zone.startswith(f"{prefix}-"):
            home = region_of_zone(zone)
            found = f"{zone} is a zone of {home}" if home else f"{zone} is a zone of no region that is known here"
            yield Fault(
                f"network.availability_zone_ids[{index}]",
                found,
                f"zones of {where('region')}, {settings.region}, begin with {prefix}-az",
            )


@rule("region", "network.s3_prefix_list_id")
def prefix_list_is_the_regions(settings: Settings, where: Where) -> Iterator[Fault]:
    """The security groups would open the way to nowhere, and image layers, which come from S3, would not load."""
    region, given = settings.region, settings.network.s3_prefix_list_id
    wanted = S3_PREFIX_LISTS.get(region)
    homes = [other for other, known in S3_PREFIX_LISTS.items() if known == given and region in ZONE_PREFIXES]
    if wanted and given != wanted:
        found = f"{given} is not the list of S3 in {where('region')}, {region}"
        yield Fault("network.s3_prefix_list_id", found, f"write {wanted}")
    elif not wanted and homes:
        yield Fault(
            "network.s3_prefix_list_id",
            f"{given} is the list of S3 in {homes[0]}, not in {where('region')}, {region}",
            f"ask: aws ec2 describe-managed-prefix-lists --region {region}",
        )


@rule("network.vpc_cidr", "network.public_subnet_cidrs", "network.private_subnet_cidrs")
def subnets_lie_in_the_vpc(settings: Settings, where: Where) -> Iterator[Fault]:
    """A subnet is a part of its VPC's block."""
    vpc = IPv4Network(settings.network.vpc_cidr)
    for key, block in _subnets(settings).items():
        if not block.subnet_of(vpc):
            allowed = f"a block inside {where('network.vpc_cidr')}, {vpc}"
            yield Fault(key, f"{block} lies outside of the VPC", allowed)


@rule("network.public_subnet_cidrs", "network.private_subnet_cidrs")
def subnets_are_apart(settings: Settings, where: Where) -> Iterator[Fault]:
    """Two subnets of a VPC share no address."""
    for (first, block), (second, other) in combinations(_subnets(settings).items(), 2):
        if block.overlaps(other):
            yield Fault(second, f"{other} overlaps {block} of {where(first)}", "blocks of a VPC share no address")


def _subnets(settings: Settings) -> dict[str, IPv4Network]:
    """Every subnet's block by the key that sets it."""
    kinds = {"public": settings.network.public_subnet_cidrs, "private": settings.network.private_subnet_cidrs}
    return {
        f"network.{kind}_subnet_cidrs[{index}]": IPv4Network(block)
        for kind, blocks in kinds.items()
        for index, block in enumerate(blocks)
    }


@rule("network.private_subnet_cidrs", "service.max_tasks")
def tasks_have_addresses(settings: Settings, where: Where) -> Iterator[Fault]:
    """During a blue/green deployment twice the tasks run; without an address for each it hangs, then rolls back."""
    tasks = -(-2 * settings.service.max_tasks // len(settings.network.private_subnet_cidrs))
    needed = tasks + _OTHER_INTERFACES
    for index, block in enumerate(settings.network.private_subnet_cidrs):
        free = IPv4Network(block).num_addresses - _KEPT_ADDRESSES
        if free < needed:
            yield Fault(
                f"network.private_subnet_cidrs[{index}]",
                f"{block} has {free} addresses",
                f"at least {needed}: twice {where('service.max_tasks')}, {settings.service.max_tasks}, over the zones, "
                f"and {_OTHER_INTERFACES} for endpoints, database, DMS and Lambda",
            )


@rule("region", "network.vpn")
def vpn_peer_is_possible(settings: Settings, where: Where) -> Iterator[Fault]:
    """A customer gateway that AWS refuses, or one whose tunnels never come up."""
    vpn = settings.network.vpn
    if vpn is None:
        return
    address = IPv4Network(vpn.customer_gateway_ip)
    if any(address.subnet_of(block) for block in _UNROUTED):
        yield Fault(
            "network.vpn.customer_gateway_ip",
            f"{vpn.customer_gateway_ip} is not reachable from the internet",
            "the public address of the VPN device, or of the NAT before it",
        )
    if vpn.bgp_asn in RESERVED_ASNS[""] + RESERVED_ASNS.get(settings.region, ()):
        found = f"{vpn.bgp_asn} is reserved in {where('region')}, {settings.region}"
        yield Fault("network.vpn.bgp_asn", found, "a private number: 64513 to 65534")
    if vpn.bgp_asn == _AMAZON_ASN:
        found = f"{vpn.bgp_asn} is the Amazon side's own number"
        yield Fault("network.vpn.bgp_asn", found, "another private number: 64513 to 65534")
