"""Layout: where everything of the architecture picture stands. From what is drawn to boxes, before any line is drawn.

From top to bottom: the internet, then inside the region the VPC with a column per zone, its public and its private
subnets, across them a bar per security group, then the AWS services outside the VPC. The data centre stands to the
right, lanes run to the left of the columns.
"""

from __future__ import annotations

from collections.abc import Sequence

from compiler.diagram import style
from compiler.diagram.geometry import Box, bounds, spread
from compiler.diagram.outside import Host, Service
from compiler.diagram.paths import GATE, INTERNET, Path
from compiler.diagram.plan import LANE, LINE, Area, Plan, Scene, routes_of
from compiler.diagram.routing import label_of, route

MARGIN = 28
TOP = 100
COLUMN, COLUMN_GAP = 254, 26
STEP = 26
_BAR = 96
_GAP, _ARROW_GAP = 18, 50
_NAT = 40
_AREA_GAP = 52
_TUNNEL = 84
_DATA_CENTER = 282
_CARD = 86
_CARDS = 5


class _Layout:
    """The plan in the making; each step places what the next one hangs on."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.zones = scene.network.zones or ("no zone",)
        public = [row.key for row in scene.rows if row.public]
        private = [row.key for row in scene.rows if not row.public]
        self.sides = {True: public, False: private}
        gate = [GATE] if scene.network.gateway_endpoints else []
        self.order = [INTERNET, *public, *private, *gate]
        self.routing = route(scene.paths, self.order, frozenset(gate))

    # --- sizes -------------------------------------------------------------------------------------------------------
    def pill(self, paths: Sequence[Path]) -> float:
        """The width that the labels of these paths need."""
        return max((style.LABEL.width(label_of(path)) + 16 for path in paths), default=0)

    def bar_height(self, key: str) -> float:
        ports = max(len(self.routing.left_ports[key]), len(self.routing.right_ports.get(key, ())))
        return max(_BAR, STEP * ports + 16)

    def gap(self, upper: str, lower: str) -> float:
        return _ARROW_GAP if (upper, lower) in self.routing.direct else _GAP

    def header(self, *, public: bool) -> float:
        """The height of what stands at the top of a subnet: its name, its block, its routes."""
        subnets = [s for s in self.scene.network.subnets if s.public == public]
        counts = [sum(1 + len(routes_of(self.scene.tree, s)) for s in subnets if s.zone == zone) for zone in self.zones]
        return 16 + LINE * max(counts, default=0)

    # --- placing -----------------------------------------------------------------------------------------------------
    def plan(self) -> Plan:
        routing = self.routing
        laned = [path for trunk in routing.trunks for path in trunk.paths]
        lanes_width = (self.pill(laned) + 22 + LANE * routing.lanes + 14) if laned else 24
        channel = self.pill(routing.right) + 40 if routing.right else 24
        gate_width = 34 if self.scene.network.vpn_gateways else 0
        region_x = MARGIN
        vpc_x = region_x + 22
        columns_x = vpc_x + lanes_width
        columns_width = COLUMN * len(self.zones) + COLUMN_GAP * (len(self.zones) - 1)
        vpc_right = columns_x + columns_width + channel + gate_width / 2
        region_right = vpc_right + 22 + gate_width / 2
        # Between two columns no text is in the way of what runs from the top to the bottom.
        before = len(self.zones) // 2
        spine = columns_x + (before + 1) * (COLUMN + COLUMN_GAP) - COLUMN_GAP / 2
        spine = min(spine, columns_x + columns_width - 2 * COLUMN_GAP)
        internet = Box(spine - 105, TOP, 210, 44)
        region_y = internet.bottom + 46
        vpc_y = region_y + 62
        zone_y = vpc_y + 44

        xs = {zone: columns_x + index * (COLUMN + COLUMN_GAP) for index, zone in enumerate(self.zones)}
        bars: dict[str, Box] = {}
        areas: list[Area] = []
        y = zone_y + 34
        nats: dict[str, Box] = {}
        y = self._side(y, xs, bars, areas, nats, public=True)
        y = self._side(y + _AREA_GAP, xs, bars, areas, nats, public=False)
        zones = {zone: Box(x, zone_y, COLUMN, y + 10 - zone_y) for zone, x in xs.items()}
        vpc = Box(vpc_x, vpc_y, vpc_right - vpc_x, y + 52 - vpc_y)
        services, bottom = self._services(vpc)
        region = Box(region_x, region_y, region_right - region_x, bottom + 18 - region_y)

        left, right = self._ports(bars)
        gates = self._gates(vpc, spine, columns_x, right)
        data_center, hosts = self._data_center(region, vpc, right)
        left |= self._ports_of(INTERNET, internet.y, internet.bottom)
        if GATE in gates:
            left |= self._ports_of(GATE, gates[GATE].y, vpc.bottom)
        width = max(region.right, data_center.right if data_center else 0) + MARGIN
        lowest = max(region.bottom, data_center.bottom if data_center else 0)
        legend = Box(MARGIN, lowest + 22, width - 2 * MARGIN, 100)
        return Plan(
            width=width,
            height=legend.bottom + MARGIN,
            region=region,
            vpc=vpc,
            zones=zones,
            areas=tuple(areas),
            bars=bars,
            internet=internet,
            gates=gates,
            nats=nats,
            data_center=data_center,
            hosts=hosts,
            services=services,
            legend=legend,
            routing=routing,
            spine=spine,
            first_lane=columns_x - self.pill(laned) - 22,
            left=left,
            right=right,
        )

    def _side(
        self,
        y: float,
        xs: dict[str, float],
        bars: dict[str, Box],
        areas: list[Area],
        nats: dict[str, Box],
        *,
        public: bool,
    ) -> float:
        """Place the public or the private subnets, the bars across them and NAT gateways in them; returns their end."""
        subnets = [s for s in self.scene.network.subnets if s.public == public]
        top = y
        y += self.header(public=public)
        keys = self.sides[public]
        x, right = min(xs.values()) + 12, max(xs.values()) + COLUMN - 12
        for index, key in enumerate(keys):
            y += self.gap(keys[index - 1], key) if index else 0
            bars[key] = Box(x, y, right - x, self.bar_height(key))
            y = bars[key].bottom
        levels = dict.fromkeys(self.zones, 0)
        for nat, subnet in self.scene.network.nat_gateways:
            if subnet in subnets:
                level = levels[subnet.zone]
                # Each a little to the right of the one above, so that the routes to that one pass it by.
                x = xs[subnet.zone] + 12 + 16 * level
                nats[nat.address] = Box(x, y + 12 + level * (_NAT + 8), 168, _NAT)
                levels[subnet.zone] += 1
        y += max(levels.values()) * (_NAT + 8) + 12
        for zone, left in xs.items():
            inside = tuple(s for s in subnets if s.zone == zone)
            if inside:
                areas.append(Area(zone, public, inside, Box(left, top, COLUMN, y - top)))
        return y

    def _ports(self, bars: dict[str, Box]) -> tuple[dict[tuple[str, str], float], dict[Path, float]]:
        """The heights at which paths leave each bar, to the left by trunk and to the right by path."""
        left: dict[tuple[str, str], float] = {}
        right: dict[Path, float] = {}
        for key, box in bars.items():
            left |= self._ports_of(key, box.y, box.bottom)
            paths = self.routing.right_ports.get(key, ())
            right |= dict(zip(paths, spread(len(paths), box.y, box.bottom, STEP), strict=True))
        return left, right

    def _ports_of(self, key: str, top: float, bottom: float) -> dict[tuple[str, str], float]:
        """The heights, between top and bottom, at which trunks reach one end."""
        trunks = self.routing.left_ports[key]
        step = min(STEP, (bottom - top) / max(len(trunks), 1))
        heights = spread(len(trunks), top, bottom, step)
        return {(key, trunk): at for trunk, at in zip(trunks, heights, strict=True)}

    def _gates(self, vpc: Box, spine: float, columns_x: float, right: dict[Path, float]) -> dict[str, Box]:
        """The gateways on the border of the VPC."""
        network = self.scene.network
        gates: dict[str, Box] = {}
        for index, gateway in enumerate(network.internet_gateways):
            gates[gateway.address] = Box(spine - 80 - index * 180, vpc.y - 17, 160, 34)
        if network.gateway_endpoints:
            gates[GATE] = Box(columns_x + 12, vpc.bottom - 24, 196, 34)
        low, high = bounds(right.values()) if right else (vpc.middle[1], vpc.middle[1])
        for index, gateway in enumerate(network.vpn_gateways):
            gates[gateway.address] = Box(vpc.right - 17 - index * 40, low - 60, 34, high - low + 120)
        return gates

    def _data_center(
        self, region: Box, vpc: Box, right: dict[Path, float]
    ) -> tuple[Box | None, tuple[tuple[Host, Box], ...]]:
        """The data centre with its hosts, each at the height of the paths that lead to its port."""
        place = self.scene.data_center
        if place is None:
            return None, ()
        x = region.right + _TUNNEL
        low, high = bounds(right.values()) if right else (vpc.middle[1], vpc.middle[1])
        heading = 66 + LINE * (len(place.blocks) + 2 * len(place.gateways))
        top = low - heading - 30
        cards: list[tuple[Host, Box]] = []
        bottom = high + 30
        for host in place.hosts:
            height = 40 + LINE * len(host.lines) + (LINE if host.port else 0)
            heights = [at for path, at in right.items() if host.port in path.ports.split(", ")]
            first, last = bounds(heights) if heights else (bottom + 12, bottom + 12)
            box = Box(x + 14, first - 26, _DATA_CENTER - 28, max(height, last - first + 52))
            if any(box.y < other.bottom + 10 and other.y < box.bottom + 10 for _, other in cards):
                box = Box(box.x, max(other.bottom for _, other in cards) + 12, box.width, height)
            cards.append((host, box))
            bottom = max(bottom, box.bottom)
        return Box(x, top, _DATA_CENTER, bottom + 18 - top), tuple(cards)

    def _services(self, vpc: Box) -> tuple[tuple[tuple[Service, Box], ...], float]:
        gap = 12
        width = (vpc.width - gap * (_CARDS - 1)) / _CARDS
        top = vpc.bottom + 76
        placed = []
        for index, service in enumerate(self.scene.services):
            column, line = index % _CARDS, index // _CARDS
            placed.append((service, Box(vpc.x + column * (width + gap), top + line * (_CARD + gap), width, _CARD)))
        return tuple(placed), max((box.bottom for _, box in placed), default=vpc.bottom)


def lay_out(scene: Scene) -> Plan:
    """Place everything."""
    return _Layout(scene).plan()
