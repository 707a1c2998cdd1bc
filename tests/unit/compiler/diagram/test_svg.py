"""SVG: well-formed, deterministic, measured text; and colours that everyone can tell from their ground."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from compiler.diagram import style
from compiler.diagram.geometry import Box
from compiler.diagram.svg import Drawing, Font, number, rounded

PLAIN = Font(10)


def drawn(paint):
    drawing = Drawing("A & B", "what <it> shows")
    paint(drawing)
    return ET.fromstring(drawing.render(200, 100.04, "#ffffff"))


def test_text_is_measured_with_the_metrics_of_arial():
    assert PLAIN.width("") == 0
    assert PLAIN.width("iii") == pytest.approx(6.66)
    assert PLAIN.width("WWW") == pytest.approx(28.32)
    assert Font(10, bold=True).width("iii") == pytest.approx(8.34)
    assert Font(10, mono=True).width("iii") == Font(10, mono=True).width("WWW") == pytest.approx(18.06)
    assert PLAIN.width("→") == pytest.approx(10)
    assert PLAIN.width("ü") == pytest.approx(6.67)


def test_text_too_long_is_cut_with_an_ellipsis():
    assert PLAIN.fit("short", 100) == "short"
    cut = PLAIN.fit("access-logs, report-access, reports", 100)
    assert cut.startswith("access-logs")
    assert cut.endswith("…")
    assert PLAIN.width(cut) <= 100
    assert PLAIN.fit("one, two", PLAIN.width("one, …")) == "one…"
    assert PLAIN.fit("anything", 1) == "…"


def test_text_is_wrapped_between_words():
    assert PLAIN.wrap("one two three", 1000, 2) == ["one two three"]
    assert PLAIN.wrap("one two three", PLAIN.width("one two") + 1, 2) == ["one two", "three"]
    assert PLAIN.wrap("one two three four", PLAIN.width("one two") + 1, 2) == ["one two", "three…"]
    assert PLAIN.wrap("", 100, 2) == [""]


@pytest.mark.parametrize(("value", "text"), [(1, "1"), (1.04, "1"), (1.06, "1.1"), (-0.01, "0"), (12.5, "12.5")])
def test_numbers_have_at_most_one_decimal(value, text):
    assert number(value) == text


def test_corners_are_rounded_but_not_further_than_the_lines_reach():
    assert rounded([(0, 0), (10, 0)]) == "M0 0L10 0"
    assert rounded([(0, 0), (100, 0), (100, 100)]) == "M0 0L93 0Q100 0 100 7L100 100"
    assert rounded([(0, 0), (4, 0), (4, 100)]) == "M0 0L2 0Q4 0 4 7L4 100"
    assert rounded([(0, 0), (0, 0), (9, 0)]) == "M0 0L0 0Q0 0 4.5 0L9 0"


def test_a_document_is_labelled_and_has_its_own_ground():
    root = drawn(lambda drawing: None)
    assert root.attrib["viewBox"] == "0 0 200 100"
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "title desc"
    assert [element.text for element in root if element.text] == ["A & B", "what <it> shows"]
    assert root.find("{*}rect").attrib == {"width": "100%", "height": "100%", "fill": "#ffffff"}


def test_groups_carry_a_tooltip_and_data():
    def paint(drawing):
        with drawing.group("path", 'a "b" <c>', source_end='x"y'):
            drawing.text(1, 2, "a < b", PLAIN, "#000000")

    group = drawn(paint).find("{*}g")
    assert group.attrib == {"class": "path", "data-source-end": 'x"y'}
    assert [child.text for child in group] == ['a "b" <c>', "a < b"]


def test_shapes_carry_only_what_they_need():
    def paint(drawing):
        drawing.box(Box(1, 2, 3, 4), "#ffffff")
        drawing.box(Box(1, 2, 3, 4), "#ffffff", "#000000", dash="2 2", width=1.5)
        drawing.path("M0 0h1", "#000000")
        drawing.path("M0 0h1", "#000000", at=(5, 6), scale=0.5, width=2)
        drawing.text(1, 2, "x", PLAIN, "#000000", anchor="middle", turned=True)

    ground, plain, edged, line, moved, text = [e for e in drawn(paint) if not e.tag.endswith(("title", "desc"))]
    assert "stroke-width" not in plain.attrib
    assert (edged.get("stroke-width"), edged.get("stroke-dasharray")) == ("1.5", "2 2")
    assert "transform" not in line.attrib
    assert (moved.get("transform"), moved.get("stroke-width")) == ("translate(5 6) scale(0.5)", "4")
    assert (text.get("transform"), text.get("text-anchor")) == ("rotate(90 1 2)", "middle")
    assert ground.get("width") == "100%"


@pytest.mark.parametrize(
    ("towards", "points"),
    [
        ((0, 10), "20,10 12,14.4 12,5.6"),
        ((40, 10), "20,10 28,5.6 28,14.4"),
        ((20, 0), "20,10 15.6,2 24.4,2"),
    ],
)
def test_arrow_heads_point_away_from_where_they_come(towards, points):
    head = drawn(lambda drawing: drawing.arrow_head((20, 10), towards, "#000000")).find("{*}polygon")
    corners = {tuple(map(float, corner.split(","))) for corner in head.get("points").split()}
    assert corners == {tuple(map(float, corner.split(","))) for corner in points.split()}


# --- colours ---------------------------------------------------------------------------------------------------------
def contrast(ink, ground):
    """https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio"""

    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


GROUNDS = (style.PAPER, style.REGION_FILL, style.ZONE_FILL, style.PUBLIC_FILL, style.PRIVATE_FILL, style.OUTSIDE_FILL)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("ink", [style.INK, style.MUTED])
def test_text_can_be_read_on_every_ground(ink, ground):
    assert contrast(ink, ground) >= 4.5


@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        (style.PUBLIC_EDGE, style.PUBLIC_FILL),
        (style.PRIVATE_EDGE, style.PRIVATE_FILL),
        (style.OUTSIDE_EDGE, style.OUTSIDE_FILL),
        *((colour, style.PAPER) for colour in (*style.SERIES, style.ALARM, style.OUTSIDE_EDGE)),
    ],
)
def test_coloured_text_can_be_read_on_its_ground(ink, ground):
    assert contrast(ink, ground) >= 4.5


@pytest.mark.parametrize("ground", GROUNDS)
def test_lines_stand_out(ground):
    assert all(contrast(colour, ground) >= 3 for colour in (*style.SERIES, style.ALARM, style.ROUTE))


def test_pictures_import_the_standard_library_only():
    code = (
        "import sys, compiler.diagram.architecture, compiler.diagram.dependencies\n"
        "print([m for m in sys.modules if m.partition('.')[0] not in {*sys.stdlib_module_names, 'compiler'}"
        " and not m.startswith(('_', 'a1_'))])"
    )
    result = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
