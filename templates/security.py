"""Security: one group per kind of network interface, and every path between them as a pair of rules.

A path is written once, as `Path`: the source's way out and the target's way in come from the same line, with the same
reason. What is not written here is not reachable. DNS needs no rule: the VPC's resolver is not subject to groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from troposphere import GetAtt, ec2

from contract import names
from contract.kinds import SecurityGroupId, VpcId
from contract.stack import Stack, Tier
from contract.wiring import Inputs as BaseInputs
from contract.wiring import Output, Wire, camel_case
from contract.wiring import Outputs as BaseOutputs
from settings.model import Settings

_HTTPS = 443
_HTTP = 80

# Name → what it guards. The name is that of the physical group, and names the logical ids.
_GROUPS = {
    "load-balancer": "The load balancer, the only way in from the internet",
    "service": "Tasks of the Java application",
    "database": "Aurora PostgreSQL",
    "dms": "The DMS replication instance",
    "validator": "The function that compares both databases",
    "cutover": "The functions that move the payments",
}


class Inputs(BaseInputs):
    """The VPC, and the group of its interface endpoints, which already lets the private subnets in."""

    vpc_id: Wire[VpcId]
    endpoint_security_group_id: Wire[SecurityGroupId]


class Outputs(BaseOutputs):
    """A group for each kind of network interface."""

    load_balancer_security_group_id: Output[SecurityGroupId]
    service_security_group_id: Output[SecurityGroupId]
    database_security_group_id: Output[SecurityGroupId]
    dms_security_group_id: Output[SecurityGroupId]
    validator_security_group_id: Output[SecurityGroupId]
    cutover_security_group_id: Output[SecurityGroupId]


@dataclass(frozen=True, slots=True)
class Path:
    """TCP from `source` to `target` on `port`, and why.

    Ends are group names, CIDR blocks, a prefix list (`pl-…`), or "endpoints". At least one is a group of this tier.
    """

    source: str
    target: str
    port: int
    reason: str


def build(stack: Stack, needs: Inputs) -> None:
    """Fill the security template."""
    for name, guards in _GROUPS.items():
        group = _group(stack, needs, name, guards)
        stack.give(Outputs.fields()[f"{name.replace('-', '_')}_security_group_id"], GetAtt(group, "GroupId"))
    for path in paths(stack.settings):
        if path.source in _GROUPS:
            _way_out(stack, needs, path)
        if path.target in _GROUPS:
            _way_in(stack, path)


def paths(settings: Settings) -> Iterator[Path]:
    """Every path that may carry traffic in this environment."""
    yield from _front_door(settings)
    yield from _databases(settings)
    # What the private tiers call of AWS.
    yield Path("service", "endpoints", _HTTPS, "pulls the image, reads secrets and the pointer, writes logs")
    yield Path("dms", "endpoints", _HTTPS, "reads the secrets of its endpoints")
    yield Path("validator", "endpoints", _HTTPS, "reads secrets, puts metrics")
    yield Path("cutover", "endpoints", _HTTPS, "reads secrets, moves pointer, weights and tasks, puts metrics")
    s3 = settings.network.s3_prefix_list_id
    yield Path("service", s3, _HTTPS, "pulls image layers from S3, where ECR keeps them")
    yield Path("validator", s3, _HTTPS, "writes reports to S3")
    yield Path("cutover", s3, _HTTPS, "keeps its runs in S3")
    if settings.cutover.smoke_url is not None:
        # The load balancer's addresses change, and the way there is out by a NAT gateway.
        yield Path("cutover", "0.0.0.0/0", smoke_port(settings.cutover.smoke_url), "asks the front door, as clients do")


def _front_door(settings: Settings) -> Iterator[Path]:
    for cidr in settings.security.ingress_cidrs:
        yield Path(cidr, "load-balancer", _HTTPS, "clients pay")
        yield Path(cidr, "load-balancer", _HTTP, "clients are redirected to HTTPS")
    for cidr in (settings.network.vpc_cidr, *settings.data_center.cidrs):
        yield Path(cidr, "load-balancer", settings.load_balancer.test_port, "tests reach the next version first")
    yield Path("load-balancer", "service", settings.service.port, "requests and health checks over TLS")
    if settings.load_balancer.aws_weight < 100:  # noqa: PLR2004 - percent
        place = settings.data_center
        for address in place.application_ips:
            reason = "share of the data centre, until all requests have moved"
            yield Path("load-balancer", f"{address}/32", place.application_port, reason)


def _databases(settings: Settings) -> Iterator[Path]:
    place, aurora = settings.data_center, settings.database.port
    yield Path("service", "database", aurora, "payments")
    yield Path("dms", "database", aurora, "replicates to Aurora, and back after the cutover")
    yield Path("validator", "database", aurora, "compares")
    yield Path("cutover", "database", aurora, "opens and closes the gate, waits for markers, sets sequences")
    source = f"{place.database_address}/32"
    # Whatever params say, the pointer may lead there: before the cutover, and after a way back.
    yield Path("service", source, place.database_port, "payments, while the pointer leads to the data centre")
    yield Path("dms", source, place.database_port, "replicates from the data centre, and back after the cutover")
    yield Path("validator", source, place.database_port, "compares")
    yield Path("cutover", source, place.database_port, "opens and closes the gate, waits for markers, sets sequences")


def smoke_port(url: str) -> int:
    """The port of a URL of params."""
    return urlsplit(url).port or (_HTTPS if url.startswith("https:") else _HTTP)


def _group(stack: Stack, needs: Inputs, name: str, guards: str) -> ec2.SecurityGroup:
    return stack.add(
        ec2.SecurityGroup(
            _logical_id(name),
            GroupName=stack.name(names.SECURITY_GROUP, name),
            GroupDescription=guards,
            VpcId=needs.vpc_id.ref,
            # Rules stand beside the groups, for two groups can name each other only so. Without an egress rule in it,
            # CloudFormation would leave the group with "allow all"; this one leads nowhere.
            # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html
            SecurityGroupEgress=[
                ec2.SecurityGroupRule(
                    IpProtocol="-1", CidrIp="127.0.0.1/32", Description="No way out but the rules beside this group"
                )
            ],
        ),
        name=f"{name}-group",
    )


def _way_out(stack: Stack, needs: Inputs, path: Path) -> None:
    if path.target in _GROUPS:
        target = {"DestinationSecurityGroupId": GetAtt(_logical_id(path.target), "GroupId")}
    elif path.target == "endpoints":
        target = {"DestinationSecurityGroupId": needs.endpoint_security_group_id.ref}
    elif path.target.startswith("pl-"):
        target = {"DestinationPrefixListId": path.target}
    else:
        target = {"CidrIp": path.target}
    stack.add(
        ec2.SecurityGroupEgress(
            f"{_word(path.source)}To{_word(path.target)}Port{path.port}",
            GroupId=GetAtt(_logical_id(path.source), "GroupId"),
            Description=_description(path),
            IpProtocol="tcp",
            FromPort=path.port,
            ToPort=path.port,
            **target,
        )
    )


def _way_in(stack: Stack, path: Path) -> None:
    if path.source in _GROUPS:
        source: dict[str, GetAtt | str] = {"SourceSecurityGroupId": GetAtt(_logical_id(path.source), "GroupId")}
    else:
        source = {"CidrIp": path.source}
    stack.add(
        ec2.SecurityGroupIngress(
            f"{_word(path.target)}From{_word(path.source)}Port{path.port}",
            GroupId=GetAtt(_logical_id(path.target), "GroupId"),
            Description=_description(path),
            IpProtocol="tcp",
            FromPort=path.port,
            ToPort=path.port,
            **source,
        )
    )


def _description(path: Path) -> str:
    return f"{path.source} to {path.target}: {path.reason}"


def _logical_id(name: str) -> str:
    return f"{_word(name)}SecurityGroup"


def _word(end: str) -> str:
    """An end as part of a logical id: `load-balancer` → `LoadBalancer`, `10.0.0.0/8` → `10x0x0x0x8`.

    A block names its rule, so that reordering params changes nothing: EC2 refuses a rule that another one already is.
    """
    if end[0].isdigit():
        return end.replace(".", "x").replace("/", "x")
    return camel_case(end.replace("-", "_"))


TIER = Tier(Inputs, Outputs, build, "Security: groups of the network interfaces, and the only paths between them")
