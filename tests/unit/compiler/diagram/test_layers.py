"""Layers: columns, tracks and channels of a graph that runs from left to right."""

from __future__ import annotations

from itertools import pairwise

import pytest

from compiler.diagram.geometry import Box, assign_lanes, bounds, spread
from compiler.diagram.layers import NODE, TRACK, Signal, _crossings, _untangle, columns_of, layer_of, place

CHAIN = {"a": [], "b": ["a"], "c": ["b"], "d": ["a", "c"]}


def placed(feeders):
    return place(feeders, dict.fromkeys(feeders, 100), 180, 30, 24)


def test_a_node_stands_right_of_all_that_feed_it():
    assert layer_of({"d": ["b", "c"], "c": ["a"], "b": [], "a": []}) == {"a": 0, "b": 0, "c": 1, "d": 2}


def test_a_line_that_passes_a_column_has_a_track_there():
    assert columns_of(CHAIN) == (((NODE, "a"),), columns_of(CHAIN)[1], columns_of(CHAIN)[2], ((NODE, "d"),))
    assert set(columns_of(CHAIN)[1]) == {(NODE, "b"), (TRACK, "a")}
    assert set(columns_of(CHAIN)[2]) == {(NODE, "c"), (TRACK, "a")}


def test_columns_are_ordered_so_that_lines_do_not_cross():
    # Alphabetical order would cross both pairs.
    assert columns_of({"a": [], "b": [], "x": ["b"], "y": ["a"]})[1] in (
        ((NODE, "y"), (NODE, "x")),
        ((NODE, "x"), (NODE, "y")),
    )
    feeders = {"a": [], "b": [], "x": ["b"], "y": ["a"]}
    left, right = columns_of(feeders)
    assert [feeders[name][0] for _, name in right] == [name for _, name in left]


def test_a_track_runs_straight_and_clear_of_nodes():
    layers = placed(CHAIN)
    heights = {at for (feeder, _), at in layers.tracks.items() if feeder == "a"}
    assert len(heights) == 1
    (height,) = heights
    for name in ("b", "c"):
        assert not layers.nodes[name].y <= height <= layers.nodes[name].bottom


def test_a_track_past_several_nodes_keeps_one_height():
    feeders = {"a": [], "i": ["a"], "n": ["a", "i"], "s": ["n"], "t": ["n"], "z": ["a", "i", "n", "s", "t"]}
    layers = placed(feeders)
    for feeder in ("a", "i"):
        heights = {at for (name, _), at in layers.tracks.items() if name == feeder}
        assert len(heights) == 1, feeder


def test_tracks_keep_apart():
    feeders = {"a": [], "b": [], "c": [], "m": ["a", "b", "c"], "n": ["m"], "z": ["a", "b", "c", "n"]}
    layers = placed(feeders)
    for column in (1, 2):
        heights = sorted(at for (_, index), at in layers.tracks.items() if index == column)
        assert len(heights) == 3
        assert all(second - first >= 16 for first, second in pairwise(heights))


def test_nodes_of_a_column_keep_apart_and_the_topmost_thing_stands_at_zero():
    layers = placed({"a": [], "b": ["a"], "c": ["a"], "d": ["a"], "e": []})
    for column in layers.columns:
        boxes = sorted((layers.nodes[name] for kind, name in column if kind == NODE), key=lambda box: box.y)
        assert all(below.y - above.bottom >= 30 for above, below in pairwise(boxes))
    assert min(box.y for box in layers.nodes.values()) == 0
    assert layers.height == max(box.bottom for box in layers.nodes.values())


def test_ports_lie_on_the_node_in_the_order_of_what_feeds_it():
    feeders = {"a": [], "b": [], "c": [], "z": ["a", "b", "c"]}
    layers = placed(feeders)
    order = [name for _, name in layers.columns[0]]
    heights = [layers.ports["z", name] for name in order]
    assert heights == sorted(heights)
    box = layers.nodes["z"]
    assert all(box.y < height < box.bottom for height in heights)


def test_every_wire_of_the_graph_is_a_signal():
    layers = placed(CHAIN)
    reached = [{(signal.feeder, item) for signal in channel for item, _ in signal.ends} for channel in layers.channels]
    assert reached == [
        {("a", (NODE, "b")), ("a", (TRACK, "a"))},
        {("b", (NODE, "c")), ("a", (TRACK, "a"))},
        {("c", (NODE, "d")), ("a", (NODE, "d"))},
    ]


def signal(feeder, start, *ends):
    return Signal(feeder, start, tuple(((NODE, f"n{end}"), end) for end in ends), 0)


def test_lanes_are_swapped_where_that_saves_crossings():
    # The upper goes down, the lower stays: left of it, its end would cross the other's riser.
    upper, lower = signal("upper", 0, 50), signal("lower", 40, 100)
    assert _crossings(upper, lower) > _crossings(lower, upper)
    assert [s.feeder for s in _untangle([upper, lower])] == ["lower", "upper"]
    assert [s.feeder for s in _untangle([lower, upper])] == ["lower", "upper"]
    assert upper.span == (0, 50)


# --- geometry --------------------------------------------------------------------------------------------------------
def test_lanes_hold_spans_that_do_not_meet():
    lanes = assign_lanes({"long": (0, 10), "short": (2, 4), "next": (4, 6), "other": (3, 5)}, 0)
    assert lanes["short"] == lanes["next"] == 0
    assert sorted({lanes["other"], lanes["long"]}) == [1, 2]
    assert lanes["long"] == 2
    assert assign_lanes({"a": (0, 1), "b": (2, 3)}, 1.5) == {"a": 0, "b": 1}


def test_boxes():
    box = Box(10, 20, 30, 40)
    assert (box.right, box.bottom, box.middle) == (40, 60, (25, 40))


def test_spread_is_centred():
    assert spread(3, 0, 100, 20) == [30, 50, 70]
    assert spread(0, 0, 100, 20) == []
    assert bounds(iter([3, 1, 2])) == (1, 3)


@pytest.mark.parametrize("feeders", [{"only": []}, {"a": [], "b": []}])
def test_graphs_without_lines(feeders):
    layers = placed(feeders)
    assert layers.channels == ()
    assert layers.tracks == {}
