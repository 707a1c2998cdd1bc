"""How a table is cut into slices of bounded work, and a slice into buckets. Pure.

* `ranges`: by the leading key column, an integer, where an index finds a range of it on both sides and the rows lie
  about in its order. A bucket is a range as well; reading one costs what its rows cost, so that any bucket can be
  looked at again.
* `buckets`: by the hash of any other key. A slice reads the whole table and hashes its part of the rows, so that a
  table is cut only where one part would run for minutes. No order is used: collations differ between servers.
* `multiset`: rows without a key, by their own hash; equal rows are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from validator.catalog import Layout
from validator.model import HIGHEST, LOWEST, Slice, Strategy

# Rows of a bucket: few, for every row of a mismatching one is fetched; many, for each costs an answer of some 30 bytes.
_BUCKET_ROWS = 512
_MOST_BUCKETS = 65536
# Rows of a slice: some seconds of work.
RANGE_ROWS = 500_000
# A slice by hash reads the whole table, at a sixth of the price of hashing it.
HASHED_ROWS = 50_000_000
# Out of order, a range reads as many pages as it has rows; below some rows all is in memory anyway.
_ORDERED = 0.8
_SMALL = 100_000
# Every partition is looked into for every bucket.
_MOST_LEAVES = 16


@dataclass(frozen=True, slots=True)
class Sight:
    """What planning knows of one side: an estimate of rows, partitions, and the layout by the leading key column."""

    rows: int
    leaves: int
    layout: Layout | None


def choose(key: Sequence[str], source: Sight, target: Sight) -> Strategy:
    """The cheapest strategy that is right; `Sight.layout` is None unless the leading column is an integer."""
    if not key:
        return "multiset"
    return "ranges" if _in_order(source) and _in_order(target) else "buckets"


def cut(strategy: Strategy, source: Sight, target: Sight, range_rows: int = RANGE_ROWS) -> list[Slice]:
    """Slices of about `range_rows` rows that cover the table."""
    rows = max(source.rows, target.rows)
    if strategy != "ranges":
        parts = 1
        while rows > parts * HASHED_ROWS:
            parts *= 2
        return [Slice(part=part, parts=parts, rows=rows // parts) for part in range(parts)]
    layouts = [sight.layout for sight in (source, target) if sight.layout]
    first, last = _shared_range(layouts)
    wanted = max(-(-rows // range_rows), 1)
    bounds = next((layout.bounds for layout in layouts if len(layout.bounds) > 1), (first, last))
    starts = _starts(first, last, bounds, wanted)
    edges = [*starts, last + 1]
    return [
        Slice(
            low=LOWEST if place == 0 else start,
            high=HIGHEST if place == len(starts) - 1 else edges[place + 1] - 1,
            inner=(start, edges[place + 1] - 1),
            rows=rows // len(starts),
        )
        for place, start in enumerate(starts)
    ]


def bucket_ranges(part: Slice) -> tuple[list[int], list[int]]:
    """The lower and upper ends, both inclusive, of the buckets of a slice by ranges; they cover it."""
    assert part.inner is not None
    first, last = part.inner
    wanted = min(max(-(-part.rows // _BUCKET_ROWS), 1), _MOST_BUCKETS, last - first + 1)
    width = last - first + 1
    starts = [first + width * place // wanted for place in range(wanted)]
    lows, highs = list(starts), [start - 1 for start in starts[1:]] + [last]
    if part.low < first:
        lows.insert(0, part.low)
        highs.insert(0, first - 1)
    if part.high > last:
        lows.append(last + 1)
        highs.append(part.high)
    return lows, highs


def bucket_count(rows: int, parts: int = 1) -> int:
    """How many buckets a table of about `rows` rows has in all by hash: a power of two, at least `parts`."""
    count = parts
    while count * _BUCKET_ROWS < rows and count < _MOST_BUCKETS * parts:
        count *= 2
    return count


def _in_order(sight: Sight) -> bool:
    layout = sight.layout
    if layout is None or not layout.indexed or sight.leaves > _MOST_LEAVES:
        return False
    return sight.rows <= _SMALL or layout.correlation is None or abs(layout.correlation) >= _ORDERED


def _shared_range(layouts: Sequence[Layout]) -> tuple[int, int]:
    """The range that both sides have keys in: a stray key far away on one must not stretch all buckets."""
    lows = [layout.lowest for layout in layouts if layout.lowest is not None]
    highs = [layout.highest for layout in layouts if layout.highest is not None]
    if not lows:
        return 0, 0
    if max(lows) <= min(highs):
        return max(lows), min(highs)
    return min(lows), max(highs)


def _starts(first: int, last: int, bounds: Sequence[int], wanted: int) -> list[int]:
    """Where `wanted` parts of equal size begin, by bounds that cut the rows into parts of equal size."""
    starts = {first}
    steps = len(bounds) - 1
    for place in range(1, wanted):
        step, rest = divmod(place * steps, wanted)
        start = bounds[step] + (bounds[step + 1] - bounds[step]) * rest // wanted
        if first < start <= last:
            starts.add(start)
    return sorted(starts)
