"""The architecture picture between reading and painting: what is drawn (`Scene`), and where it stands (`Plan`)."""

from __future__ import annotations

from dataclasses import dataclass

from compiler.diagram.geometry import Box
from compiler.diagram.network import Network, Subnet
from compiler.diagram.outside import DataCenter, Host, Service
from compiler.diagram.paths import GATE, INTERNET, OPEN, OUTSIDE, Path
from compiler.diagram.routing import Routing
from compiler.diagram.words import humanise, in_a_sentence, service_of
from compiler.diagram.workloads import Row
from compiler.resolve import Tree

# The distance between lanes, and the height of a line of text.
LANE = 16
LINE = 18


@dataclass(frozen=True, slots=True)
class Scene:
    """What the templates say, ready to be placed; `inside` are remarks by group on rules for blocks of the VPC."""

    suffix: str
    tree: Tree
    network: Network
    rows: tuple[Row, ...]
    paths: tuple[Path, ...]
    inside: dict[str, tuple[str, ...]]
    data_center: DataCenter | None
    services: tuple[Service, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """The subnets of one zone with the same access: public or private."""

    zone: str
    public: bool
    subnets: tuple[Subnet, ...]
    box: Box


@dataclass(frozen=True, slots=True)
class Plan:
    """Every box of the picture, the routing of its paths, and the places where they leave a bar."""

    width: float
    height: float
    region: Box
    vpc: Box
    zones: dict[str, Box]
    areas: tuple[Area, ...]
    bars: dict[str, Box]
    internet: Box
    gates: dict[str, Box]
    nats: dict[str, Box]
    data_center: Box | None
    hosts: tuple[tuple[Host, Box], ...]
    services: tuple[tuple[Service, Box], ...]
    legend: Box
    routing: Routing
    spine: float
    first_lane: float
    left: dict[tuple[str, str], float]
    right: dict[Path, float]

    def lane(self, index: int) -> float:
        """Where a lane runs."""
        return self.first_lane - LANE * index


def routes_of(tree: Tree, subnet: Subnet) -> list[str]:
    """The routes of a subnet in words, the default first."""
    words = []
    for item in sorted(subnet.routes, key=lambda item: not item.default):
        if item.hop.type == "AWS::EC2::VPCEndpoint":
            words.append(f"{service_of(tree, item.hop).upper()} → gateway endpoint")
        else:
            where = "default" if item.default else "propagated" if item.destination is None else str(item.destination)
            words.append(f"{where} → {in_a_sentence(humanise(item.hop.logical_id))}")
    return words


def name_of(key: str, scene: Scene) -> str:
    """An end of a path in words."""
    if key in (INTERNET, OUTSIDE, GATE):
        return {INTERNET: "internet", OUTSIDE: "data centre", GATE: "gateway endpoint"}[key]
    return next((row.title for row in scene.rows if row.key == key), key)


def describe(path: Path, scene: Scene) -> str:
    """A path in one sentence."""
    lack = "" if path.state == OPEN else f" ({path.state})"
    return f"{name_of(path.source, scene)} may send to {name_of(path.target, scene)} on {path.ports}{lack}"
