"""How tables are cut: whatever the statistics say, every key is in one slice and in one bucket of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator import plan
from validator.catalog import Layout
from validator.model import HIGHEST, LOWEST, Slice, covers
from validator.plan import Sight, bucket_count, bucket_ranges, choose, cut


def _layout(
    bounds: tuple[int, ...] = (),
    lowest: int | None = 1,
    highest: int | None = 1000,
    correlation: float | None = 1.0,
    *,
    indexed: bool = True,
) -> Layout:
    return Layout(indexed, correlation, bounds, lowest, highest)


_keys = st.one_of(
    st.integers(LOWEST, HIGHEST), st.integers(-1000, 1000), st.sampled_from([LOWEST, LOWEST + 1, -1, 0, HIGHEST])
)


@st.composite
def _sights(draw: st.DrawFn) -> Sight:
    """Statistics as they may be: of other rows than are there now, skewed, with equal bounds, of an empty table."""
    bounds = tuple(sorted(draw(st.lists(_keys, max_size=12))))
    ends = draw(st.one_of(st.just((None, None)), st.tuples(_keys, _keys).map(sorted)))
    layout = draw(st.sampled_from([None, _layout(bounds, *ends)]))
    return Sight(draw(st.integers(0, 10**10)), 1, layout)


def _tiles(lows: list[int], highs: list[int], part: Slice) -> None:
    """The buckets follow each other without a gap, from one end of the slice to the other."""
    assert (lows[0], highs[-1]) == (part.low, part.high)
    assert lows[1:] == [high + 1 for high in highs[:-1]]
    assert all(low <= high for low, high in zip(lows, highs, strict=True))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(_sights(), _sights(), st.integers(1, 10**9))
def test_slices_cover_every_key_once_and_buckets_every_key_of_a_slice(
    source: Sight, target: Sight, range_rows: int
) -> None:
    fewest = max(source.rows, target.rows) // 50 + 1
    slices = cut("ranges", source, target, max(range_rows, fewest))
    assert covers(slices)
    with pytest.MonkeyPatch.context() as patch:
        # As many would be right as well, but take a minute to look at.
        patch.setattr(plan, "_MOST_BUCKETS", 20)
        for part in slices:
            _tiles(*bucket_ranges(part), part)
            for half in part.halves() or ():
                _tiles(*bucket_ranges(half), half)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.sampled_from(["buckets", "multiset"]), st.integers(0, 10**11), st.integers(0, 10**11))
def test_slices_by_hash_cover_the_table(strategy: plan.Strategy, source: int, target: int) -> None:
    slices = cut(strategy, Sight(source, 1, None), Sight(target, 1, None))
    assert covers(slices)
    assert max(part.rows for part in slices) <= plan.HASHED_ROWS


def test_a_table_is_cut_by_its_histogram() -> None:
    # Half of the rows lie from 0 to 10, the others up to a million.
    layout = _layout((0, 5, 10, 500_000, 1_000_000), 0, 1_000_000)
    slices = cut("ranges", Sight(400, 1, layout), Sight(400, 1, None), 100)
    assert [part.inner for part in slices] == [(0, 4), (5, 9), (10, 499_999), (500_000, 1_000_000)]
    assert (slices[0].low, slices[-1].high) == (LOWEST, HIGHEST)
    assert [part.rows for part in slices] == [100] * 4


def test_the_other_sides_histogram_is_as_good() -> None:
    source = Sight(0, 1, _layout((), 0, 1000))
    target = Sight(200, 1, _layout((0, 900, 1000), 0, 1000))
    assert [part.inner for part in cut("ranges", source, target, 100)] == [(0, 899), (900, 1000)]


def test_a_stray_key_of_one_side_does_not_stretch_the_buckets() -> None:
    source, target = _layout((), 1, 1000), _layout((), -5, 2**63 - 1)
    slices = cut("ranges", Sight(1000, 1, source), Sight(1000, 1, target), 500)
    assert [part.inner for part in slices] == [(1, 499), (500, 1000)]
    assert covers(slices)


def test_sides_without_a_key_in_common_are_cut_over_both() -> None:
    slices = cut("ranges", Sight(10, 1, _layout((), 1, 10)), Sight(10, 1, _layout((), 20, 30)))
    assert [part.inner for part in slices] == [(1, 30)]


def test_without_statistics_a_table_is_cut_evenly() -> None:
    sights = Sight(300, 1, _layout((), 0, 300)), Sight(0, 1, _layout((), None, None))
    assert [part.inner for part in cut("ranges", *sights, 100)] == [(0, 99), (100, 199), (200, 300)]


def test_an_empty_table_is_one_slice() -> None:
    empty = Sight(0, 1, _layout((), None, None))
    assert cut("ranges", empty, empty) == [Slice(inner=(0, 0))]


def test_statistics_of_keys_that_are_gone_cut_nothing_off() -> None:
    layout = _layout((5000, 6000, 7000), 1, 10)
    slices = cut("ranges", Sight(500, 1, layout), Sight(500, 1, layout), 100)
    assert covers(slices)
    assert [part.inner for part in slices] == [(1, 10)]


def test_rows_outside_of_the_range_have_buckets_of_their_own() -> None:
    assert bucket_ranges(Slice(inner=(10, 19), rows=1024)) == ([LOWEST, 10, 15, 20], [9, 14, 19, HIGHEST])
    assert bucket_ranges(Slice(10, 19, (10, 19), rows=1)) == ([10], [19])
    assert bucket_ranges(Slice(inner=(LOWEST, HIGHEST), rows=1)) == ([LOWEST], [HIGHEST])


def test_buckets_are_no_more_than_keys_and_than_can_be_answered() -> None:
    lows, _ = bucket_ranges(Slice(1, 3, (1, 3), rows=10**9))
    assert lows == [1, 2, 3]
    lows, _ = bucket_ranges(Slice(1, 10**9, (1, 10**9), rows=10**9))
    assert len(lows) == 65536


@pytest.mark.parametrize(
    ("rows", "parts", "count"),
    [(0, 1, 1), (512, 1, 1), (513, 1, 2), (10**9, 1, 65536), (0, 4, 4), (10**12, 4, 4 * 65536)],
)
def test_the_buckets_of_a_hash(rows: int, parts: int, count: int) -> None:
    assert bucket_count(rows, parts) == count


_ORDERED = Sight(10**6, 1, _layout())


@pytest.mark.parametrize(
    ("sight", "strategy"),
    [
        (_ORDERED, "ranges"),
        (Sight(10**6, 1, None), "buckets"),
        (Sight(10**6, 1, _layout(indexed=False)), "buckets"),
        (Sight(10**6, 1, _layout(correlation=0.1)), "buckets"),
        (Sight(10**6, 1, _layout(correlation=-0.9)), "ranges"),
        (Sight(10**6, 1, _layout(correlation=None)), "ranges"),
        (Sight(1000, 1, _layout(correlation=0.1)), "ranges"),
        (Sight(10**6, 16, _layout()), "ranges"),
        (Sight(10**6, 17, _layout()), "buckets"),
    ],
)
def test_the_strategy_is_what_both_sides_can_do(sight: Sight, strategy: str) -> None:
    assert choose(("id",), sight, _ORDERED) == strategy
    assert choose(("id",), _ORDERED, sight) == strategy
    assert choose((), sight, _ORDERED) == "multiset"
