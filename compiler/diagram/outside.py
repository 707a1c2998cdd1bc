"""Outside: the data centre as the templates know it, and the AWS services that stand outside the VPC."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from compiler.diagram.network import Network, is_private, within
from compiler.diagram.paths import OUTSIDE, Path, Rule
from compiler.diagram.style import BROWN, GREEN, INDIGO, OLIVE, ORANGE, PINK, RED, TEAL
from compiler.diagram.svg import NBSP
from compiler.diagram.words import plural, service_of, short_name
from compiler.resolve import Resource, Tree


@dataclass(frozen=True, slots=True)
class Host:
    """Something in the data centre that the templates name: an application, a database."""

    title: str
    glyph: str
    lines: tuple[str, ...]
    port: str


@dataclass(frozen=True, slots=True)
class DataCenter:
    """The private network beyond the VPC: its address blocks, its end of the VPN, its hosts.

    `blocks` also names peers of rules that are known by their text only.
    """

    blocks: tuple[str, ...]
    gateways: tuple[str, ...]
    hosts: tuple[Host, ...]
    title: str


def read_data_center(tree: Tree, network: Network, rules: Sequence[Rule], paths: Iterable[Path]) -> DataCenter | None:
    """What is known of it; None where no rule, gateway or target leads there."""
    blocks = sorted(
        {
            rule.peer
            for rule in rules
            if not isinstance(rule.peer, Resource | str) and is_private(rule.peer) and not network.holds(rule.peer)
        },
        key=str,
    )
    gateways = tuple(
        f"{tree.text(gateway.tier, gateway.properties.get('IpAddress'))}, AS {gateway.properties.get('BgpAsn', 65000)}"
        for gateway in tree.of_type("AWS::EC2::CustomerGateway")
    )
    hosts = (*_applications(tree, network), *_databases(tree))
    ends = [path for path in paths if OUTSIDE in (path.source, path.target)]
    if not (ends or gateways or hosts):
        return None
    widest = [str(cidr) for cidr in blocks if not any(within(cidr, other) for other in blocks if other != cidr)]
    peers = sorted({path.peer for path in ends if path.peer})
    title = "Data centre" if widest or gateways or hosts else "Elsewhere"
    return DataCenter((*widest, *peers), gateways, hosts, title)


def _applications(tree: Tree, network: Network) -> list[Host]:
    """The targets of a load balancer that lie outside the VPC."""
    found: dict[str, list[str]] = {}
    for group in tree.of_type("AWS::ElasticLoadBalancingV2::TargetGroup"):
        for target in group.properties.get("Targets", ()):
            address = tree.text(group.tier, target["Id"])
            if _is_address(address) and not network.holds(ip_network(address)):
                found.setdefault(str(target.get("Port", group.properties.get("Port", ""))), []).append(address)
    return [Host("Application", "container", tuple(addresses), port) for port, addresses in sorted(found.items())]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _databases(tree: Tree) -> list[Host]:
    """The hosts that secrets of database users name as literals."""
    found: dict[tuple[str, str, str], None] = {}
    for secret in tree.of_type("AWS::SecretsManager::Secret"):
        template = secret.properties.get("GenerateSecretString", {}).get("SecretStringTemplate", "")
        try:
            content = json.loads(tree.text(secret.tier, template))
        except ValueError:
            continue
        if isinstance(content, dict) and "host" in content and "${" not in str(content["host"]):
            found[str(content.get("engine", "Database")), str(content["host"]), str(content.get("port", ""))] = None
    names = {"postgres": "PostgreSQL", "mysql": "MySQL", "oracle": "Oracle"}
    return [
        Host(f"{names.get(engine, engine)} database", "database", (host,), port) for engine, host, port in sorted(found)
    ]


# --- services --------------------------------------------------------------------------------------------------------
# How a VPC reaches a service without the internet, and "" for not at all.
DOORS = ("gateway endpoint", "interface endpoint", "")


@dataclass(frozen=True, slots=True)
class Service:
    """An AWS service outside the VPC: `summary` says what of it the templates make, `door` how the VPC reaches it."""

    title: str
    glyph: str
    colour: str
    summary: str
    every: tuple[str, ...]
    door: str


@dataclass(frozen=True, slots=True)
class _Kind:
    title: str
    glyph: str
    colour: str
    types: dict[str, str]
    endpoints: tuple[str, ...]


_KINDS = (
    _Kind("Amazon S3", "bucket", GREEN, {"AWS::S3::Bucket": "bucket"}, ("s3", "s3express")),
    _Kind(
        "Secrets Manager", "secret", RED, {"AWS::SecretsManager::Secret": "secret"}, ("secretsmanager",)
    ),
    _Kind("AWS KMS", "key", BROWN, {"AWS::KMS::Key": "key"}, ("kms", "kms-fips")),
    _Kind("Amazon ECR", "layers", ORANGE, {"AWS::ECR::Repository": "repository"}, ("ecr.api", "ecr.dkr")),
    _Kind(
        "Amazon CloudWatch",
        "chart",
        PINK,
        {
            "AWS::Logs::LogGroup": "log group",
            "AWS::CloudWatch::Alarm": "alarm",
            "AWS::CloudWatch::CompositeAlarm": "composite alarm",
            "AWS::CloudWatch::Dashboard": "dashboard",
        },
        ("logs", "monitoring", "events"),
    ),
    _Kind("Amazon SNS", "bell", INDIGO, {"AWS::SNS::Topic": "topic"}, ("sns",)),
    _Kind("Step Functions", "workflow", TEAL, {"AWS::StepFunctions::StateMachine": "state machine"}, ("states",)),
    _Kind("AWS WAF", "wall", OLIVE, {"AWS::WAFv2::WebACL": "web ACL"}, ()),
    _Kind("AWS IAM", "person", BROWN, {"AWS::IAM::Role": "role"}, ()),
)  # fmt: skip


def read_services(tree: Tree, network: Network, suffix: str) -> tuple[Service, ...]:
    """The services that the templates use or the VPC has an endpoint for; those behind endpoints come first."""
    services = [service for kind in _KINDS if (service := _service(tree, network, suffix, kind))]
    return tuple(sorted(services, key=lambda service: DOORS.index(service.door)))


def _service(tree: Tree, network: Network, suffix: str, kind: _Kind) -> Service | None:
    counts: list[str] = []
    every: list[str] = []
    for resource_type, noun in kind.types.items():
        names = [short_name(tree, resource, suffix) for resource in tree.of_type(resource_type)]
        every += [f"{noun} {name}" for name in names]
        if names:
            counts.append(
                plural(len(names), noun).replace(" ", NBSP) + (f": {', '.join(names)}" if len(kind.types) == 1 else "")
            )
    door = _door(tree, network, kind)
    if not counts and not door:
        return None
    return Service(kind.title, kind.glyph, kind.colour, " · ".join(counts), tuple(every), door)


def _door(tree: Tree, network: Network, kind: _Kind) -> str:
    for endpoints, door in zip((network.gateway_endpoints, network.interface_endpoints), DOORS, strict=False):
        if any(service_of(tree, endpoint) in kind.endpoints for endpoint in endpoints):
            return door
    return ""
