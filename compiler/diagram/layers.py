"""Layers: a graph laid out from left to right, each node right of all that feed it, and its lines bundled by feeder.

A feeder's lines run as one: from its node into a channel between two columns, from there to nodes of the next column
and, for nodes further on, along a track through that column into the next channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from compiler.diagram.geometry import Box, bounds

# A place in a column: a node (its name), or the track of a feeder through it (the feeder's name).
Item = tuple[str, str]
NODE, TRACK = "node", "track"

_SWEEPS = 6
_TRACK_HEIGHT = 16


@dataclass(frozen=True, slots=True)
class Signal:
    """A feeder's way through one channel: enters at height `start`, leaves at the heights of `ends`, along `lane`."""

    feeder: str
    start: float
    ends: tuple[tuple[Item, float], ...]
    lane: int

    @property
    def span(self) -> tuple[float, float]:
        return bounds((self.start, *(height for _, height in self.ends)))


@dataclass(frozen=True, slots=True)
class Layers:
    """Where all stands: heights of tracks by (feeder, column), of ports by (node, feeder).

    Channel i follows column i.
    """

    columns: tuple[tuple[Item, ...], ...]
    nodes: dict[str, Box]
    tracks: dict[tuple[str, int], float]
    ports: dict[tuple[str, str], float]
    channels: tuple[tuple[Signal, ...], ...]

    @property
    def height(self) -> float:
        """From the top, which is 0, to the lowest of all."""
        return max(
            [box.bottom for box in self.nodes.values()] + [at + _TRACK_HEIGHT / 2 for at in self.tracks.values()]
        )


def layer_of(feeders: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The layer of each node: one more than the highest of its feeders'."""
    layers: dict[str, int] = {}
    for node in TopologicalSorter({n: sorted(f) for n, f in sorted(feeders.items())}).static_order():
        layers[node] = max((layers[feeder] + 1 for feeder in feeders[node]), default=0)
    return layers


def columns_of(feeders: Mapping[str, Sequence[str]]) -> tuple[tuple[Item, ...], ...]:
    """The items of each column from top to bottom, ordered so that few lines cross."""
    layers = layer_of(feeders)
    last = {f: max(layers[n] for n in feeders if f in feeders[n]) for f in {f for fs in feeders.values() for f in fs}}
    columns: list[list[Item]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for node in sorted(layers, key=lambda n: (layers[n], n)):
        columns[layers[node]].append((NODE, node))
        for column in range(layers[node] + 1, last.get(node, 0)):
            columns[column].append((TRACK, node))
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        order = range(1, len(columns)) if forward else range(len(columns) - 2, -1, -1)
        for index in order:
            near = columns[index - 1 if forward else index + 1]
            _sort_by_neighbours(columns[index], near, feeders, forward=forward)
    return tuple(map(tuple, columns))


def _sort_by_neighbours(
    column: list[Item], near: list[Item], feeders: Mapping[str, Sequence[str]], *, forward: bool
) -> None:
    """Order a column by the mean place of what its items are joined to in the column beside it."""
    place = {item: index / max(len(near) - 1, 1) for index, item in enumerate(near)}
    before = {item: index / max(len(column) - 1, 1) for index, item in enumerate(column)}

    def weight(item: Item) -> float:
        left, right = (near, [item]) if forward else ([item], near)
        joined = [place[a if forward else b] for a in left for b in right if _joined(a, b, feeders)]
        return sum(joined) / len(joined) if joined else before[item]

    weights = {item: weight(item) for item in column}
    column.sort(key=lambda item: (weights[item], before[item]))


def _joined(left: Item, right: Item, feeders: Mapping[str, Sequence[str]]) -> bool:
    """Whether a line runs from an item to one of the next column: from a node or its track, to its track or a node."""
    return left[1] == right[1] if right[0] == TRACK else left[1] in feeders[right[1]]


# --- heights ---------------------------------------------------------------------------------------------------------
def place(
    feeders: Mapping[str, Sequence[str]], heights: Mapping[str, float], width: float, gap: float, step: float
) -> Layers:
    """Heights of everything, the top at 0; boxes stand at x = 0, for the columns' widths follow from the lanes."""
    columns = columns_of(feeders)
    nodes: dict[str, Box] = {}
    tracks: dict[tuple[str, int], float] = {}
    middles: list[dict[str, float]] = []
    for index, column in enumerate(columns):
        wanted = [_wanted(item, middles[-1] if middles else {}, feeders) for item in column]
        sizes = [heights[name] if kind == NODE else _TRACK_HEIGHT for kind, name in column]
        middles.append({})
        for (kind, name), middle, size in zip(column, _apart(wanted, sizes, gap), sizes, strict=True):
            middles[index][name] = middle
            if kind == NODE:
                nodes[name] = Box(0, middle - size / 2, width, size)
            else:
                tracks[name, index] = middle
    _straighten(tracks, nodes, columns, gap)
    for (name, index), at in tracks.items():
        middles[index][name] = at
    ports = _ports(columns, nodes, middles, feeders, step)
    channels = tuple(
        _channel(columns[index + 1], middles[index], middles[index + 1], feeders, ports)
        for index in range(len(columns) - 1)
    )
    return _from_the_top(Layers(columns, nodes, tracks, ports, channels))


def _wanted(item: Item, before: Mapping[str, float], feeders: Mapping[str, Sequence[str]]) -> float | None:
    kind, name = item
    sources = [name] if kind == TRACK else [feeder for feeder in feeders[name] if feeder in before]
    found = [before[source] for source in sources if source in before]
    return sum(found) / len(found) if found else None


def _apart(wanted: Sequence[float | None], sizes: Sequence[float], gap: float) -> list[float]:
    """Middles near the wanted ones, in the same order and `gap` apart."""
    middles: list[float] = []
    edge: float | None = None
    for middle, size in zip(wanted, sizes, strict=True):
        lowest = edge + gap + size / 2 if edge is not None else None
        at = middle if middle is not None else lowest if lowest is not None else 0
        at = at if lowest is None else max(at, lowest)
        middles.append(at)
        edge = at + size / 2
    aims = [(at, aim) for at, aim in zip(middles, wanted, strict=True) if aim is not None]
    shift = sum(aim - at for at, aim in aims) / len(aims) if aims else 0
    return [at + shift for at in middles]


def _straighten(
    tracks: dict[tuple[str, int], float], nodes: Mapping[str, Box], columns: Sequence[Sequence[Item]], gap: float
) -> None:
    """Bring the tracks of a feeder to one height, the nearest at which they are clear of all nodes and other tracks."""
    chains: dict[str, list[tuple[str, int]]] = {}
    for name, index in tracks:
        chains.setdefault(name, []).append((name, index))
    for chain in sorted(chains.values(), key=lambda chain: (-len(chain), chain)):
        passed = [nodes[name] for _, index in chain for kind, name in columns[index] if kind == NODE]
        others = [at for key, at in tracks.items() if key not in chain and key[1] in {index for _, index in chain}]
        candidates = {tracks[key] for key in chain}
        candidates |= {edge for box in passed for edge in (box.y - gap, box.bottom + gap)}
        candidates |= {at + side * _TRACK_HEIGHT for at in others for side in (-1, 1)}
        clear = [
            at
            for at in candidates
            if all(at <= box.y - gap / 2 or at >= box.bottom + gap / 2 for box in passed)
            and all(abs(at - other) >= _TRACK_HEIGHT for other in others)
        ]
        # Above or below everything there is always room.
        height = min(clear, key=lambda at: (sum(abs(at - tracks[key]) for key in chain), at))
        for key in chain:
            tracks[key] = height


def _ports(
    columns: Sequence[Sequence[Item]],
    nodes: Mapping[str, Box],
    middles: Sequence[Mapping[str, float]],
    feeders: Mapping[str, Sequence[str]],
    step: float,
) -> dict[tuple[str, str], float]:
    """Where the lines enter a node, in the order in which they come from the column before."""
    ports: dict[tuple[str, str], float] = {}
    for index, column in enumerate(columns):
        for kind, name in column:
            if kind == NODE and feeders[name]:
                ordered = sorted(feeders[name], key=middles[index - 1].__getitem__)
                first = nodes[name].middle[1] - step * (len(ordered) - 1) / 2
                ports |= {(name, feeder): first + step * at for at, feeder in enumerate(ordered)}
    return ports


def _channel(
    column: Sequence[Item],
    before: Mapping[str, float],
    after: Mapping[str, float],
    feeders: Mapping[str, Sequence[str]],
    ports: Mapping[tuple[str, str], float],
) -> tuple[Signal, ...]:
    ends: dict[str, list[tuple[Item, float]]] = {}
    for kind, name in column:
        if kind == TRACK:
            ends.setdefault(name, []).append(((kind, name), after[name]))
        else:
            for feeder in feeders[name]:
                ends.setdefault(feeder, []).append(((kind, name), ports[name, feeder]))
    signals = [Signal(feeder, before[feeder], tuple(found), 0) for feeder, found in sorted(ends.items())]
    ordered = _untangle(signals)
    return tuple(Signal(s.feeder, s.start, s.ends, lane) for lane, s in enumerate(ordered))


def _untangle(signals: list[Signal]) -> list[Signal]:
    """An order of lanes from left to right in which swapping no two neighbours would save a crossing."""
    ordered = list(signals)
    improved = True
    while improved:
        improved = False
        for index in range(len(ordered) - 1):
            left, right = ordered[index], ordered[index + 1]
            if _crossings(right, left) < _crossings(left, right):
                ordered[index], ordered[index + 1] = right, left
                improved = True
    return ordered


def _crossings(left: Signal, right: Signal) -> int:
    """How often two signals cross, one's lane being left of the other's."""
    low, high = right.span
    first, last = left.span
    return sum(low < height < high for _, height in left.ends) + (first < right.start < last)


def _from_the_top(layers: Layers) -> Layers:
    """The same, moved so that the topmost thing stands at 0."""
    top = min([box.y for box in layers.nodes.values()] + [at - _TRACK_HEIGHT / 2 for at in layers.tracks.values()])
    return Layers(
        layers.columns,
        {name: Box(box.x, box.y - top, box.width, box.height) for name, box in layers.nodes.items()},
        {key: at - top for key, at in layers.tracks.items()},
        {key: at - top for key, at in layers.ports.items()},
        tuple(
            tuple(Signal(s.feeder, s.start - top, tuple((i, at - top) for i, at in s.ends), s.lane) for s in channel)
            for channel in layers.channels
        ),
    )
