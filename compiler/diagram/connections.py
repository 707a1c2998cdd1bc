"""Connections: the lines of the architecture picture, drawn under the boxes that they pass through or end at."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.diagram import style
from compiler.diagram.geometry import Box, Point
from compiler.diagram.outside import DOORS, Service
from compiler.diagram.painting import pill
from compiler.diagram.paths import GATE, INTERNET, NO_ROUTE, OPEN, Path
from compiler.diagram.plan import Plan, Scene, describe
from compiler.diagram.routing import Trunk, label_of
from compiler.diagram.style import ALARM, ROUTE, SMALL
from compiler.diagram.svg import Drawing, rounded

_DASHES = {OPEN: "", NO_ROUTE: "1.5 5"}
_ONE_SIDED = "7 5"
_HALO = 6


def _dash(state: str) -> str:
    return _DASHES.get(state, _ONE_SIDED)


def _colour(path: Path, scene: Scene) -> str:
    """A line has the colour of what it leads to; what is one-sided has the colour of alarm."""
    if path.state not in _DASHES:
        return ALARM
    colours = {row.key: row.look.colour for row in scene.rows} | {INTERNET: style.INK, GATE: style.GREEN}
    return colours.get(path.target, style.OUTSIDE_EDGE)


# --- who may talk to whom --------------------------------------------------------------------------------------------
def paint_paths(drawing: Drawing, plan: Plan, scene: Scene) -> None:
    """Every path of the security groups, an arrow each; then their labels, so that no line runs over one."""
    labels: list[tuple[Point, Path]] = []
    for trunk in plan.routing.trunks:
        labels += _paint_trunk(drawing, trunk, plan, scene)
    for (upper, lower), paths in plan.routing.direct.items():
        labels += _paint_direct(drawing, upper, lower, paths, plan, scene)
    for path in plan.routing.right:
        labels.append(_paint_right(drawing, path, plan, scene))
    for centre, path in labels:
        pill(drawing, centre, label_of(path), _colour(path, scene), dash="" if path.state == OPEN else "3 2")


def _paint_path(drawing: Drawing, path: Path, points: Sequence[Point], scene: Scene) -> None:
    tooltip = "\n".join((describe(path, scene), *path.reasons))
    with drawing.group("path", tooltip, source=path.source, target=path.target, ports=path.ports, state=path.state):
        colour = _colour(path, scene)
        drawing.path(rounded(points), colour, width=2, dash=_dash(path.state), name="line")
        drawing.arrow_head(points[-1], points[-2], colour)


def _paint_trunk(drawing: Drawing, trunk: Trunk, plan: Plan, scene: Scene) -> list[tuple[Point, Path]]:
    x = plan.lane(trunk.lane)
    end = plan.left[trunk.target, trunk.key]
    lines = []
    for path in trunk.paths:
        start = plan.left[path.source, trunk.key]
        lines.append([(_edge(path.source, plan), start), (x, start), (x, end), (_edge(trunk.target, plan), end)])
    columns = min(box.x for box in plan.zones.values()) - 1
    for line in lines:  # all halos first: the paths of a trunk do not cut each other
        halo = [(min(place, columns), height) for place, height in line]
        drawing.path(rounded(halo), style.VPC_FILL, width=_HALO)
    labels = []
    for path, line in zip(trunk.paths, lines, strict=True):
        _paint_path(drawing, path, line, scene)
        width = style.LABEL.width(label_of(path)) + 14
        labels.append(((line[0][0] - 22 - width / 2, line[0][1]), path))
    return labels


def _edge(key: str, plan: Plan) -> float:
    """The left edge of an end."""
    if key == INTERNET:
        return plan.internet.x
    return plan.gates[GATE].x if key == GATE else plan.bars[key].x


def _paint_direct(
    drawing: Drawing, upper: str, lower: str, paths: Sequence[Path], plan: Plan, scene: Scene
) -> list[tuple[Point, Path]]:
    above = plan.internet if upper == INTERNET else plan.bars[upper]
    below = plan.bars[lower]
    step = max(style.LABEL.width(label_of(path)) + 30 for path in paths)
    labels = []
    for index, path in enumerate(paths):
        x = plan.spine - step * index
        line = [(x, above.bottom), (x, below.y)]
        if path.source == lower:
            line.reverse()
        _paint_path(drawing, path, line, scene)
        labels.append(((x, _label_height(above, below, upper, plan)), path))
    return labels


def _label_height(above: Box, below: Box, upper: str, plan: Plan) -> float:
    """Half-way between neighbours; where subnets end or the region begins in between, clear of their frames."""
    if upper == INTERNET:
        return (above.bottom + plan.region.y) / 2 - 2
    frames = [area.box.bottom for area in plan.areas if above.bottom < area.box.bottom < below.y]
    return min(frames) + 18 if frames else (above.bottom + below.y) / 2 - 3


def _paint_right(drawing: Drawing, path: Path, plan: Plan, scene: Scene) -> tuple[Point, Path]:
    y = plan.right[path]
    inside = path.source if path.source in plan.bars else path.target
    bar = plan.bars[inside]
    reach = plan.data_center.x if plan.data_center else plan.region.right
    for host, box in plan.hosts:
        if host.port in path.ports.split(", ") and box.y < y < box.bottom:
            reach = box.x
    line = [(bar.right, y), (reach, y)]
    if path.target == inside:
        line.reverse()
    _paint_path(drawing, path, line, scene)
    column = max(box.right for box in plan.zones.values())
    gate = min((box.x for box in plan.gates.values() if box.height > box.width), default=plan.vpc.right)
    return ((column + gate) / 2, y), path


# --- which way packets take ------------------------------------------------------------------------------------------
def paint_routes(drawing: Drawing, plan: Plan, scene: Scene) -> None:
    """The default routes of private subnets to their NAT gateways, the VPN, and the way of the endpoints."""
    _paint_nat_routes(drawing, plan)
    _paint_tunnel(drawing, plan, scene)
    _paint_doors(drawing, plan, scene)


def _paint_nat_routes(drawing: Drawing, plan: Plan) -> None:
    for area in plan.areas:
        for subnet in area.subnets:
            for route in subnet.routes:
                box = plan.nats.get(route.hop.address)
                if box is None or box.bottom > area.box.y:
                    continue  # a NAT gateway beside or below its users is said in words only
                start, end = (box.x + 8, box.bottom), (area.box.x + 20, area.box.y)
                bus = area.box.y - 14
                line = [start, end] if start[0] == end[0] else [start, (start[0], bus), (end[0], bus), end]
                with drawing.group(
                    "route", f"{subnet.resource.address} → {route.hop.address}",
                    source=subnet.resource.address, target=route.hop.address,
                ):  # fmt: skip
                    # Drawn from the gateway, where lines meet: so their dashes fall into one.
                    drawing.path(rounded(line), ROUTE, width=1.6, dash="4 3", name="line")
                    drawing.arrow_head(line[0], line[1], ROUTE, 7)


def _paint_tunnel(drawing: Drawing, plan: Plan, scene: Scene) -> None:
    """A VPN, as a tunnel through which the paths to the data centre run."""
    if plan.data_center is None:
        return
    for gateway in scene.network.vpn_gateways:
        gate = plan.gates[gateway.address]
        connections = [
            reference.source
            for reference in scene.tree.referrers(gateway)
            if reference.source.type == "AWS::EC2::VPNConnection"
        ]
        if not connections:
            continue
        box = Box(gate.right - 8, gate.y + 26, plan.data_center.x - gate.right + 8, gate.height - 52)
        with drawing.group("tunnel", connections[0].address):
            drawing.box(box, style.OUTSIDE_FILL, style.OUTSIDE_EDGE, radius=0, dash="5 3", name="tunnel")
            drawing.text(box.middle[0] + 4, box.y + 18, "Site-to-site VPN", SMALL, style.OUTSIDE_EDGE, anchor="middle")


def _paint_doors(drawing: Drawing, plan: Plan, scene: Scene) -> None:
    """From the endpoints down to the services that they lead to, as far as these stand in the first line."""
    first_line = min((box.y for _, box in plan.services), default=0)
    near = [(service, box) for service, box in plan.services if box.y == first_line]
    for service, card in near:
        line = _gate_line(plan, card) if service.door == DOORS[0] else _endpoint_line(plan, scene, card, near)
        if not service.door or not line:
            continue
        with drawing.group("door", f"{service.door} to {service.title}", service=service.title):
            drawing.path(rounded(line), ROUTE, width=1.6, dash="4 3", name="line")
            drawing.arrow_head(line[-1], line[-2], ROUTE, 7)


def _gate_line(plan: Plan, card: Box) -> list[Point]:
    gate = plan.gates[GATE]
    x, end = gate.x + 28, card.right - 24
    if x <= end:
        return [(x, gate.bottom), (x, card.y)]
    return [(x, gate.bottom), (x, card.y - 34), (end, card.y - 34), (end, card.y)]


def _endpoint_line(plan: Plan, scene: Scene, card: Box, near: Sequence[tuple[Service, Box]]) -> list[Point]:
    """From the bar of the interface endpoints, first straight to the card in the middle."""
    bars = [plan.bars[row.key] for row in scene.rows if set(row.members) & set(scene.network.interface_endpoints)]
    if not bars:
        return []
    middle = plan.vpc.middle[0]
    centres = [box.middle[0] for service, box in near if service.door == DOORS[1]]
    x = min(centres, key=lambda centre: abs(centre - middle))
    bus = card.y - 22
    start, end = (x, bars[-1].bottom), (card.middle[0], card.y)
    return [start, end] if x == end[0] else [start, (x, bus), (end[0], bus), end]
