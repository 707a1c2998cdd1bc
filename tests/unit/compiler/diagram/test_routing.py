"""Routing: which side a path takes, in which lane, and in which order lanes leave a bar."""

from __future__ import annotations

from compiler.diagram.paths import OPEN, Path
from compiler.diagram.routing import label_of, route


def path(source, target, ports="1", state=OPEN, peer=""):
    return Path(source, target, ports, state, (), peer)


def routed(*paths, apart=()):
    return route(paths, ["a", "b", "c", "d"], frozenset(apart))


def test_neighbours_are_joined_directly_whichever_of_them_sends():
    down, up = path("a", "b"), path("c", "b")
    routing = routed(down, up)
    assert routing.direct == {("a", "b"): (down,), ("b", "c"): (up,)}
    assert (routing.trunks, routing.right, routing.own) == ((), (), {})


def test_ends_apart_have_no_neighbours():
    routing = routed(path("c", "d"), apart=["d"])
    assert routing.direct == {}
    assert [trunk.target for trunk in routing.trunks] == ["d"]


def test_paths_within_an_end_and_out_of_the_picture():
    own, out, into = path("b", "b"), path("b", "beyond"), path("beyond", "c")
    routing = routed(own, out, into)
    assert routing.own == {"b": (own,)}
    assert routing.right == (out, into)
    assert routing.right_ports == {"b": (out,), "c": (into,)}


def test_paths_of_one_state_to_one_target_share_a_trunk():
    first, second, broken = path("a", "d"), path("b", "d"), path("b", "d", "2", "egress only")
    trunks = {trunk.key: trunk for trunk in routed(first, second, broken).trunks}
    assert trunks["d open"].paths == (first, second)
    assert trunks["d open"].ends == ("a", "b", "d")
    assert trunks["d egress only"].paths == (broken,)
    assert trunks["d egress only"].lane != trunks["d open"].lane


def test_short_trunks_lie_inside_and_those_that_only_touch_share_a_lane():
    routing = route([path("a", "c"), path("e", "c"), path("e", "g"), path("a", "g")], list("abcdefg"), frozenset())
    assert {trunk.target: trunk.lane for trunk in routing.trunks} == {"c": 0, "g": 1}
    assert routing.lanes == 2
    touching = route([path("a", "c"), path("c", "e")], list("abcde"), frozenset())
    assert [trunk.lane for trunk in touching.trunks] == [0, 0]
    assert touching.left_ports["c"] == ("c open", "e open")


def test_lanes_leave_a_bar_so_that_their_stubs_do_not_cross():
    down = routed(path("a", "c"), path("a", "d"))
    assert down.left_ports["a"] == ("d open", "c open")
    up = routed(path("d", "b"), path("d", "a"))
    assert up.left_ports["d"] == ("b open", "a open")
    # One that comes from both sides lies between those that only lead up and those that only lead down.
    order = list("abcdefg")
    both = route([path("d", "a"), path("a", "g"), path("d", "g"), path("d", "f")], order, frozenset())
    assert both.left_ports["d"] == ("a open", "g open", "f open")


def test_labels_say_what_a_path_lacks_and_whom_it_names():
    assert label_of(path("a", "b", "443")) == "443"
    assert label_of(path("a", "b", "443", "no route")) == "443 no route"
    assert label_of(path("a", "b", "443", "no route", "sg-1")) == "443 sg-1 no route"
