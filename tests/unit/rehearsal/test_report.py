"""The report tells what happened: figures, pictures whose shapes are where the events were, tables, and the same as JSON."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest

from rehearsal.drawing import draw
from rehearsal.events import Accepted, Refused, Sent
from rehearsal.measures import Interval
from rehearsal.report import render_html, render_json
from rehearsal.timeline import Lag, Phase, tell
from tests.unit.rehearsal.runs import RATE, START, bare, events, run


def _page(of):
    """The page as a tree; HTML's void elements are closed for it."""
    text = render_html(of).removeprefix("<!DOCTYPE html>\n")
    style = re.search("<style>.*</style>", text, re.DOTALL)
    assert style
    return ET.fromstring(re.sub(r"<(meta|link)\b([^>]*)>", r"<\1\2/>", text.replace(style[0], "")))


def _texts(tree, kind):
    return ["".join(found.itertext()) for found in tree.iter(kind)]


def _shapes(of, name, window=None):
    """The shapes of a class in the picture of the whole run, or of a window of it."""
    tree = ET.fromstring(draw(of, window or of.window, of.whole, 1.0, "picture"))
    return [shape for shape in tree.iter() if name in shape.get("class", "").split()]


def _points(shape):
    return [tuple(map(float, pair.split(","))) for pair in shape.get("points").split()]


def test_the_whole_window_is_told_from_the_clients_and_the_finer_one_from_the_longest_pause():
    of = run()
    assert of.window.start == START
    assert of.window.seconds == pytest.approx(9.91)
    assert [part.accepted for part in of.whole] == [10, 10, 10, 10, 0, 0, 20, 20, 10, 10]
    assert sum(part.refused for part in of.whole) == 2 * RATE
    assert (of.freeze.start - START, of.freeze.end - START) == (pytest.approx(1.91), pytest.approx(8.01))
    assert len(of.fine) == pytest.approx(61, abs=1)
    assert [weights.of for weights in of.weights] == [{"dc": 100, "blue": 0}, {"dc": 0, "blue": 100}]


def test_the_verdict_is_the_headline_and_the_title():
    for of, words in (
        (run(), "Passed: 100 payments accepted, none lost, none doubled"),
        (run({3, 5}), "Failed: 1 thing that must not be"),
    ):
        page = _page(of)
        assert _texts(page, "h1") == [words]
        assert _texts(page, "title")[0] == f"{words[:6].lower()}: Rehearsal of payments-dev"


def test_what_must_not_be_is_named_with_examples():
    text = " ".join(_texts(_page(run({3, 5})), "li"))
    assert text == "2 payments lost Lost: order-3, order-5"
    many = " ".join(_texts(_page(run(set(range(8)))), "li"))
    assert many.endswith("order-4 and 3 more")
    assert not _texts(_page(run()), "li")


def test_the_figures_are_the_tally_s():
    page = _page(run({3}))
    values = [element.text for element in page.iter("dd") if element.get("class") == "value"]
    assert values == ["100", "99", "1", "0", "2.10 s", "100 ms", "20", "10 ms"]


def test_a_policy_forbids_all_but_the_page_s_own_style():
    text = render_html(run())
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert policy[1].startswith("default-src &#x27;none&#x27;; style-src &#x27;sha256-")
    assert not re.search(r"<script|style=|https?://(?!www\.w3)|onload", text)


def test_words_from_elsewhere_stay_words():
    text = render_html(run(title="<b>&"))
    assert "<b>" not in text
    assert "&lt;b&gt;&amp;" in text


def test_each_picture_has_its_values_as_a_table():
    page = _page(run())
    whole, fine, steps = page.iter("table")
    rows = [[cell.text or "" for cell in row] for row in whole.iter("tr")][1:]
    assert rows[4] == ["4.0", "frozen", "0", "10", "0", "", "", "0.080", "blue 100"]
    assert rows[6][:7] == ["6.0", "watching", "20", "0", "0", "0.010", "2.010"]
    assert rows[8][4] == "1"
    assert len(list(fine.iter("tr"))) == 1 + len(run().fine)
    assert [cell.text for cell in list(steps.iter("tr"))[2]] == ["frozen", "4.0", "0.40", "done"]
    described = {element.get("aria-labelledby") for element in page.iter("svg")}
    assert described == {"whole-title whole-desc", "freeze-title freeze-desc"}
    assert _texts(page, "desc")[0].startswith("100 payments accepted and 20 tries refused.")


def test_areas_stand_where_payments_were_accepted_and_refused():
    before, after = (_points(shape) for shape in _shapes(run(), "accepted") if shape.tag == "polygon")
    (refused,) = (_points(shape) for shape in _shapes(run(), "refused") if shape.tag == "polygon")
    assert before[0][0] == 60
    assert before[-1][0] == pytest.approx(refused[0][0], abs=1)
    assert refused[-1][0] == pytest.approx(after[0][0], abs=1)
    assert min(y for _, y in after) < min(y for _, y in before) == min(y for _, y in refused)  # 20 a second is above 10


def test_latency_has_a_gap_where_nothing_was_accepted_and_a_dot_where_one_slice_stands_alone():
    assert [len(_points(line)) for line in _shapes(run(), "p50") if line.tag == "polyline"] == [4, 4]
    lonely = [
        Sent(START, "a", 1, "1.00", "EUR"),
        Accepted(START + 0.5, "a", 1, START),
        Refused(START + 3, "b", 503, ""),
    ]
    assert [shape.tag for shape in _shapes(bare(lonely), "p99")] == ["rect", "circle"]


def test_the_axis_of_latency_has_room_for_the_slowest():
    def ticks(seconds):
        of = bare([Sent(START, "a", 1, "1.00", "EUR"), Accepted(START + seconds, "a", 1, START)])
        return [tick.text for tick in _shapes(of, "tick") if tick.text.endswith(" s")]

    assert ticks(0.5)[-1] == "1 s"
    assert ticks(30)[-1] == "100 s"
    assert ticks(5000)[-1] == "100 s"


def test_weights_fill_the_panel_by_their_share_from_when_they_hold():
    left, right = [shape for shape in _shapes(run(), "group") if "key" not in shape.get("class")]
    assert float(left.get("x")) + float(left.get("width")) == pytest.approx(float(right.get("x")))
    assert (left.get("class"), right.get("class")) == ("group shade-0", "group shade-1")
    assert left.get("height") == right.get("height") == "96"
    later = _shapes(run(), "group", Interval(START + 3, START + 5))
    assert [shape.get("class") for shape in later if "key" not in shape.get("class")] == ["group shade-1"]
    earlier = _shapes(run(), "group", Interval(START, START + 1))
    assert [shape.get("class") for shape in earlier if "key" not in shape.get("class")] == ["group shade-0"]


def test_labels_of_phases_never_cross_and_stay_inside():
    labels = _shapes(run(), "phase")
    assert [label.text for label in labels] == [
        "replicating 3.5 s", "preflight 0.5 s", "frozen 0.4 s", "drained 0.6 s", "switched 1.0 s", "watching 4.0 s",
    ]  # fmt: skip
    rows = {}
    for label in labels:
        x, y = float(label.get("x")), float(label.get("y"))
        assert x + len(label.text) * 6 < 960
        assert rows.get(y, 0) <= x
        rows[y] = x + len(label.text) * 6
    late = [Phase("done", Interval(START + 9.9, START + 11))]
    of = tell("late", run().tally, events(), late)
    (label,) = _shapes(of, "phase")
    assert float(label.get("x")) + len(label.text) * 6 < 960
    assert len(_shapes(of, "band")) == 1
    assert not _shapes(of, "band", Interval(START, START + 5))


def test_lag_is_drawn_where_it_was_measured_and_missed_where_not():
    (line,) = _shapes(run(), "lag")
    assert len(_points(line)) == 9
    once = tell("once", run().tally, events(), lags=[Lag(START + 1, 0.5)])
    assert [shape.tag for shape in _shapes(once, "lag")] == ["circle"]
    assert "Replication lag: not measured in this time" in [
        shape.text for shape in _shapes(bare(list(events())), "heading")
    ]


def test_failed_reads_are_marked():
    (mark,) = [shape for shape in _shapes(run(), "failed") if shape.tag == "path"]
    assert float(mark.get("d").split()[0][1:]) == pytest.approx(60 + (8.5 / 9.91) * 888, abs=1)


def test_a_run_without_anything_is_still_a_page():
    page = _page(bare())
    assert _texts(page, "h1") == ["Failed: 1 thing that must not be"]
    assert _texts(page, "h2") == ["The whole run"]
    assert not bare().weights


def test_the_json_says_the_same():
    document = json.loads(render_json(run({3})))
    assert (document["verdict"], document["accepted"], document["lost"]) == ("failed: 1 payment lost", 100, 1)
    assert document["phases"][2] == {"name": "frozen", "at_s": 4.0, "seconds": 0.4}
    assert document["steps"][1] == {"name": "frozen", "at_s": 4.0, "seconds": 0.4, "outcome": "done"}
    assert document["timeline"][4]["refused"] == 10
    assert document["weights"] == [[-1.0, {"dc": 100, "blue": 0}], [2.0, {"dc": 0, "blue": 100}]]
    assert document["lag_s"][2] == [1.0, 0.02]
