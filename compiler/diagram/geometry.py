"""Geometry: boxes, and the lanes in which lines run beside each other. Pixels; x grows to the right, y down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle by its upper left corner and size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> Point:
        return (self.x + self.width / 2, self.y + self.height / 2)


def assign_lanes(spans: Mapping[str, tuple[float, float]], margin: float) -> dict[str, int]:
    """A lane, from 0, for each span so that no two in a lane come closer than `margin`; short spans lie inside."""
    lanes: dict[str, int] = {}
    for key in sorted(spans, key=lambda k: (spans[k][1] - spans[k][0], spans[k], k)):
        start, end = spans[key]
        taken = {
            lane for other, lane in lanes.items() if spans[other][0] - margin < end and start < spans[other][1] + margin
        }
        lanes[key] = next(lane for lane in range(len(taken) + 1) if lane not in taken)
    return lanes


def spread(count: int, start: float, end: float, step: float) -> list[float]:
    """`count` positions `step` apart, centred between `start` and `end`."""
    first = (start + end) / 2 - step * (count - 1) / 2
    return [first + step * index for index in range(count)]


def bounds(values: Iterable[float]) -> tuple[float, float]:
    """The least and the greatest of some positions."""
    found = list(values)
    return min(found), max(found)
