"""The architecture picture: zones, subnets and their routes, what stands in them, and who may talk to whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from compiler.bundle import Bundle
from compiler.diagram import style
from compiler.diagram.connections import paint_paths, paint_routes
from compiler.diagram.geometry import Box
from compiler.diagram.layout import MARGIN, lay_out
from compiler.diagram.legend import paint_legend
from compiler.diagram.network import read_network
from compiler.diagram.outside import Host, Service, read_data_center, read_services
from compiler.diagram.painting import glyph, heading
from compiler.diagram.paths import GATE, Path, find_paths, read_rules, rules_inside
from compiler.diagram.plan import LINE, Area, Plan, Scene, describe, routes_of
from compiler.diagram.style import CODE, HEADING, INK, MUTED, PAPER, SMALL, STRONG
from compiler.diagram.svg import Drawing
from compiler.diagram.words import humanise, plural, regions_named
from compiler.diagram.workloads import Row, read_rows
from compiler.resolve import Tree


def draw_architecture(bundle: Bundle) -> str:
    """The SVG of a bundle's architecture; everything in it is read from the templates."""
    scene = read_scene(bundle)
    plan = lay_out(scene)
    region = _region(bundle)
    title = f"Architecture of environment {bundle.suffix}"
    drawing = Drawing(title, _description(scene))
    heading(drawing, title, _subtitle(bundle, scene), MARGIN)
    _paint_frames(drawing, plan, scene, region)
    for area in plan.areas:
        _paint_area(drawing, area, scene)
    for service, box in plan.services:
        _paint_service(drawing, service, box)
    _paint_data_center(drawing, plan, scene)
    paint_routes(drawing, plan, scene)
    paint_paths(drawing, plan, scene)
    _paint_gates(drawing, plan, scene)
    for row in scene.rows:
        _paint_bar(drawing, row, plan, scene)
    paint_legend(drawing, plan.legend)
    return drawing.render(plan.width, plan.height, PAPER)


def read_scene(bundle: Bundle) -> Scene:
    """Everything that the picture shows, as data."""
    tree = Tree(bundle)
    network = read_network(tree)
    rows = read_rows(tree, network)
    rules = read_rules(tree)
    paths = find_paths(rules, network, {row.key: row.subnets for row in rows})
    return Scene(
        suffix=bundle.suffix,
        tree=tree,
        network=network,
        rows=rows,
        paths=paths,
        inside=rules_inside(rules, network),
        data_center=read_data_center(tree, network, rules, paths),
        services=read_services(tree, network, bundle.suffix),
    )


# --- words -----------------------------------------------------------------------------------------------------------
def _region(bundle: Bundle) -> str:
    """The region that the templates name most; "" where they name none."""
    named = Counter(region for template in bundle.templates.values() for region in regions_named(template))
    return min(named, key=lambda region: (-named[region], region), default="")


def _subtitle(bundle: Bundle, scene: Scene) -> str:
    resources = plural(len(scene.tree.resources), "resource")
    return f"{resources} in {plural(len(bundle.templates), 'stack')}, drawn from the compiled templates"


def _description(scene: Scene) -> str:
    """The picture in words, for those who do not see it."""
    network = scene.network
    words = [
        f"A VPC ({', '.join(network.cidrs)}) with {plural(len(network.subnets), 'subnet')} "
        f"in {plural(len(network.zones), 'zone')} ({', '.join(network.zones)})."
    ]
    words += [f"{row.title} {row.name}, security group {row.group or 'none'}." for row in scene.rows]
    words += [describe(path, scene) + "." for path in scene.paths]
    return " ".join(words)


# --- frames ----------------------------------------------------------------------------------------------------------
def _paint_frames(drawing: Drawing, plan: Plan, scene: Scene, region: str) -> None:
    drawing.box(plan.region, style.REGION_FILL, style.REGION_EDGE, radius=12, name="frame")
    x = min(box.x for box in plan.zones.values())
    drawing.text(x, plan.region.y + 28, f"AWS region {region}".strip(), HEADING, INK)
    drawing.box(plan.vpc, style.VPC_FILL, style.VPC_EDGE, radius=10, width=1.8, name="frame")
    length = drawing.text(x, plan.vpc.y + 30, "VPC", HEADING, INK)
    length += drawing.text(x + length + 8, plan.vpc.y + 30, ", ".join(scene.network.cidrs), CODE, INK) + 8
    logged = "every flow logged" if scene.network.flow_logs else "flows not logged"
    drawing.text(x + length + 12, plan.vpc.y + 30, logged, SMALL, MUTED)
    for zone, box in plan.zones.items():
        with drawing.group("zone", zone=zone):
            drawing.box(box, style.ZONE_FILL, style.ZONE_EDGE, radius=8, dash="2 4", name="frame")
            drawing.text(box.x + 12, box.y + 22, f"Zone {zone}", STRONG, INK)
    with drawing.group("internet"):
        drawing.box(plan.internet, PAPER, INK, radius=22, width=1.5, name="box")
        glyph(drawing, "globe", plan.internet.x + 52, plan.internet.y + 11, 22, INK)
        drawing.text(plan.internet.x + 84, plan.internet.y + 28, "Internet", HEADING, INK)


def _paint_area(drawing: Drawing, area: Area, scene: Scene) -> None:
    fill, edge = (style.PUBLIC_FILL, style.PUBLIC_EDGE) if area.public else (style.PRIVATE_FILL, style.PRIVATE_EDGE)
    drawing.box(area.box, fill, edge, radius=6, width=1.2, name="frame")
    y = area.box.y + 22
    for subnet in area.subnets:
        title = humanise(subnet.resource.logical_id)
        with drawing.group("subnet", subnet.resource.address, cidr=subnet.cidr, zone=subnet.zone):
            glyph(drawing, "globe" if area.public else "lock", area.box.x + 10, y - 13, 16, edge)
            length = drawing.text(area.box.x + 32, y, title, STRONG, edge)
            drawing.text(area.box.x + 32 + length + 8, y, subnet.cidr, CODE, INK)
        for line in routes_of(scene.tree, subnet):
            y += LINE
            drawing.text(area.box.x + 32, y, line, SMALL, MUTED)
        y += LINE


# --- what stands in the frames ---------------------------------------------------------------------------------------
def _paint_bar(drawing: Drawing, row: Row, plan: Plan, scene: Scene) -> None:
    box, look = plan.bars[row.key], row.look
    facts = [*row.facts, *_own_paths(plan.routing.own.get(row.key, ())), *scene.inside.get(row.key, ())]
    tooltip = "\n".join((row.key, *(member.address for member in row.members), *facts))
    with drawing.group("workload", tooltip, group=row.key, members=str(len(row.members))):
        drawing.box(box, PAPER, look.colour, radius=8, width=1.6, name="box")
        drawing.box(Box(box.x + 7, box.y + 10, 4, box.height - 20), look.colour, radius=2)
        glyph(drawing, look.glyph, box.x + 20, box.y + 9, 24, look.colour)
        length = drawing.text(box.x + 52, box.y + 22, row.title, HEADING, look.colour)
        name_x = box.x + 52 + length + 10
        group = f"group {row.group}" if row.group else "no security group"
        group_x = box.right - 14 - SMALL.width(group)
        drawing.text(name_x, box.y + 22, CODE.fit(row.name, group_x - name_x - 40), CODE, MUTED)
        glyph(drawing, "shield", group_x - 22, box.y + 9, 17, MUTED)
        drawing.text(group_x, box.y + 22, group, SMALL, MUTED)
        drawing.text(box.x + 52, box.y + 44, SMALL.fit(" · ".join(facts), box.width - 70), SMALL, INK)
        _paint_chips(drawing, row, box, plan)


def _own_paths(paths: Sequence[Path]) -> list[str]:
    return [f"members talk to each other: {path.ports}" for path in paths]


def _paint_chips(drawing: Drawing, row: Row, box: Box, plan: Plan) -> None:
    y = box.bottom - 36
    if row.across:
        chip = Box(box.x + 16, y, box.width - 28, 26)
        drawing.box(chip, style.ZONE_FILL, row.look.colour, radius=5, dash="5 3", name="chip")
        drawing.text(chip.middle[0], y + 17, row.across, SMALL, INK, anchor="middle")
        return
    for zone, text in row.chips.items():
        column = plan.zones[zone]
        left = max(column.x + 10, box.x + 16)
        chip = Box(left, y, min(column.right - 10, box.right - 12) - left, 26)
        with drawing.group("chip", zone=zone, text=text):
            drawing.box(chip, style.ZONE_FILL, row.look.colour, radius=5, name="chip")
            drawing.text(chip.middle[0], y + 17, SMALL.fit(text, chip.width - 12), SMALL, INK, anchor="middle")


def _paint_gates(drawing: Drawing, plan: Plan, scene: Scene) -> None:
    resources = {r.address: r for r in scene.tree.resources.values()}
    for key, box in plan.gates.items():
        upright = box.height > box.width
        title = "Gateway endpoint" if key == GATE else humanise(resources[key].logical_id)
        with drawing.group("gate", key):
            drawing.box(box, PAPER, INK, radius=17, width=1.6, name="box")
            if upright:
                x, y = box.middle
                length = STRONG.width(title)
                glyph(drawing, "lock", x - 9, y - length / 2 - 26, 18, INK)
                drawing.text(x - 4.5, y, title, STRONG, INK, anchor="middle", turned=True)
            else:
                glyph(drawing, "gateway", box.x + 14, box.y + 8, 18, INK)
                drawing.text(box.x + 38, box.y + 22, title, STRONG, INK)
    for address, box in plan.nats.items():
        with drawing.group("nat", address):
            drawing.box(box, PAPER, style.PUBLIC_EDGE, radius=6, width=1.4, name="box")
            glyph(drawing, "nat", box.x + 10, box.y + 10, 20, style.PUBLIC_EDGE)
            drawing.text(box.x + 38, box.y + 25, humanise(resources[address].logical_id), STRONG, INK)


def _paint_service(drawing: Drawing, service: Service, box: Box) -> None:
    with drawing.group("service", "\n".join((service.title, *service.every)), service=service.title):
        drawing.box(box, PAPER, style.HAIRLINE, radius=8, width=1.2, name="box")
        glyph(drawing, service.glyph, box.x + 12, box.y + 9, 20, service.colour)
        drawing.text(box.x + 40, box.y + 24, service.title, STRONG, service.colour)
        lines = [(line, INK) for line in SMALL.wrap(service.summary, box.width - 22, 2 if service.door else 3) if line]
        lines += [(f"reached by {service.door}", MUTED)] if service.door else []
        for index, (line, colour) in enumerate(lines):
            drawing.text(box.x + 12, box.y + 44 + index * 16, line, SMALL, colour)


def _paint_data_center(drawing: Drawing, plan: Plan, scene: Scene) -> None:
    place, box = scene.data_center, plan.data_center
    if place is None or box is None:
        return
    with drawing.group("data-center"):
        drawing.box(box, style.OUTSIDE_FILL, style.OUTSIDE_EDGE, radius=10, width=1.6, name="frame")
        glyph(drawing, "building", box.x + 14, box.y + 12, 24, style.OUTSIDE_EDGE)
        drawing.text(box.x + 46, box.y + 30, place.title, HEADING, style.OUTSIDE_EDGE)
        y = box.y + 54
        for cidr in place.blocks:
            drawing.text(box.x + 16, y, cidr, CODE, INK)
            y += LINE
        for gateway in place.gateways:
            drawing.text(box.x + 16, y, "Customer gateway", SMALL, MUTED)
            drawing.text(box.x + 16, y + LINE, gateway, CODE, INK)
            y += 2 * LINE
        for host, card in plan.hosts:
            _paint_host(drawing, host, card)


def _paint_host(drawing: Drawing, host: Host, box: Box) -> None:
    with drawing.group("host", port=host.port):
        drawing.box(box, PAPER, style.OUTSIDE_EDGE, radius=6, name="box")
        lines = [*host.lines, *([f"port {host.port}"] if host.port else [])]
        y = box.middle[1] - (LINE * len(lines) + 10) / 2
        glyph(drawing, host.glyph, box.x + 14, y - 11, 20, style.OUTSIDE_EDGE)
        drawing.text(box.x + 42, y + 4, host.title, STRONG, INK)
        for index, line in enumerate(lines):
            drawing.text(box.x + 16, y + 26 + LINE * index, CODE.fit(line, box.width - 22), CODE, INK)
