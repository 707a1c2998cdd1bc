"""Routing: on which side of the picture a path runs, and in which lane.

The ends of paths stand one above the other. Neighbours are joined by an arrow between them; ends further apart by a
trunk in a lane to the left, shared by all that lead to the same target; what leads out of the VPC runs to the right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compiler.diagram.geometry import assign_lanes, bounds
from compiler.diagram.paths import OPEN, Path


@dataclass(frozen=True, slots=True)
class Trunk:
    """Paths of one state to one target: `lane` counts from the innermost."""

    target: str
    state: str
    paths: tuple[Path, ...]
    lane: int

    @property
    def key(self) -> str:
        return f"{self.target} {self.state}"

    @property
    def ends(self) -> tuple[str, ...]:
        return (*dict.fromkeys(path.source for path in self.paths), self.target)


@dataclass(frozen=True, slots=True)
class Routing:
    """Where each path runs. `direct` is keyed by the upper and the lower neighbour; `own` are paths within a group."""

    direct: dict[tuple[str, str], tuple[Path, ...]]
    trunks: tuple[Trunk, ...]
    right: tuple[Path, ...]
    own: dict[str, tuple[Path, ...]]
    left_ports: dict[str, tuple[str, ...]]
    right_ports: dict[str, tuple[Path, ...]]

    @property
    def lanes(self) -> int:
        return max((trunk.lane + 1 for trunk in self.trunks), default=0)


def label_of(path: Path) -> str:
    """What stands on the line of a path: its ports, a peer known by its text only, and what it lacks."""
    return " ".join(filter(None, (path.ports, path.peer, path.state if path.state != OPEN else "")))


def route(paths: Sequence[Path], order: Sequence[str], apart: frozenset[str]) -> Routing:
    """Lay the paths. `order` are the ends from top to bottom; those in `apart` are no one's neighbours."""
    place = {key: index for index, key in enumerate(order)}
    direct: dict[tuple[str, str], list[Path]] = {}
    lanes: dict[tuple[str, str], list[Path]] = {}
    own: dict[str, list[Path]] = {}
    right: list[Path] = []
    for path in paths:
        if path.source not in place or path.target not in place:
            right.append(path)
        elif path.source == path.target:
            own.setdefault(path.source, []).append(path)
        elif abs(place[path.source] - place[path.target]) == 1 and not apart & {path.source, path.target}:
            upper, lower = sorted((path.source, path.target), key=lambda key: place[key])
            direct.setdefault((upper, lower), []).append(path)
        else:
            lanes.setdefault((path.target, path.state), []).append(path)
    trunks = _trunks(lanes, place)
    right_ports: dict[str, list[Path]] = {}
    for path in right:
        right_ports.setdefault(path.source if path.source in place else path.target, []).append(path)
    return Routing(
        direct={pair: tuple(found) for pair, found in direct.items()},
        trunks=trunks,
        right=tuple(right),
        own={key: tuple(found) for key, found in own.items()},
        left_ports={key: _left_ports(key, trunks, place) for key in order},
        right_ports={key: tuple(found) for key, found in right_ports.items()},
    )


def _trunks(lanes: dict[tuple[str, str], list[Path]], place: dict[str, int]) -> tuple[Trunk, ...]:
    trunks = {
        trunk.key: trunk
        for (target, state), found in lanes.items()
        for trunk in [Trunk(target, state, tuple(found), 0)]
    }
    assigned = assign_lanes({key: bounds(place[end] for end in trunk.ends) for key, trunk in trunks.items()}, 0)
    return tuple(Trunk(trunk.target, trunk.state, trunk.paths, assigned[key]) for key, trunk in trunks.items())


def _left_ports(key: str, trunks: Sequence[Trunk], place: dict[str, int]) -> tuple[str, ...]:
    """The trunks that touch an end, from its top to its bottom, so that the stubs to them do not cross.

    A stub to a lane that leads up only meets the lanes inside it, so the inner comes first; downwards it is the other
    way round.
    """

    def order(trunk: Trunk) -> tuple[int, int]:
        first, last = bounds(place[end] for end in trunk.ends)
        up, down = first < place[key], last > place[key]
        return (0, trunk.lane) if up and not down else (1, trunk.lane) if up else (2, -trunk.lane)

    return tuple(trunk.key for trunk in sorted((t for t in trunks if key in t.ends), key=order))
