"""Painting: the pieces that both pictures are made of."""

from __future__ import annotations

from compiler.diagram import style
from compiler.diagram.geometry import Box, Point
from compiler.diagram.style import GLYPHS, INK, LABEL, PAPER
from compiler.diagram.svg import Drawing, Font


def glyph(drawing: Drawing, name: str, x: float, y: float, size: float, colour: str) -> None:
    """A glyph with its upper left corner at x, y."""
    drawing.path(GLYPHS[name], colour, width=1.6, at=(x, y), scale=size / 24)


def pill(drawing: Drawing, centre: Point, text: str, colour: str, *, dash: str = "", font: Font = LABEL) -> Box:
    """A label on a line."""
    width = font.width(text) + 14
    box = Box(centre[0] - width / 2, centre[1] - 10, width, 20)
    drawing.box(box, PAPER, colour, radius=10, width=1.2, dash=dash, name="label")
    drawing.text(centre[0], centre[1] + font.size * 0.36, text, font, colour, anchor="middle")
    return box


def heading(drawing: Drawing, title: str, subtitle: str, x: float) -> None:
    """The title of a picture and the line below it."""
    drawing.text(x, 50, title, style.TITLE, INK)
    drawing.text(x, 76, subtitle, style.BODY, style.MUTED)
