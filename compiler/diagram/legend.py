"""The legend: what each kind of line, frame and mark of the architecture picture means."""

from __future__ import annotations

from compiler.diagram import style
from compiler.diagram.geometry import Box
from compiler.diagram.painting import glyph
from compiler.diagram.style import ALARM, INK, MUTED, ROUTE, SMALL, STRONG
from compiler.diagram.svg import Drawing

_COLUMNS = (
    (
        (style.BLUE, "", "allowed by the security groups at both ends, on these ports"),
        (style.BLUE, "1.5 5", "allowed, but no route leads there"),
    ),
    (
        (ALARM, "7 5", "one-sided: only one of the two groups allows it"),
        (ROUTE, "4 3", "default route to a NAT gateway; endpoint to its service"),
    ),
)
_FRAMES = (
    (style.PUBLIC_FILL, style.PUBLIC_EDGE, "globe", "public subnet: routed to the internet"),
    (style.PRIVATE_FILL, style.PRIVATE_EDGE, "lock", "private subnet: no way in from the internet"),
)
_NOTE = (
    "A line has the colour of what it leads to. "
    "Hover over a line, bar or service for the rules and resources behind it."
)


def paint_legend(drawing: Drawing, box: Box) -> None:
    """The legend, in columns across its box."""
    with drawing.group("legend"):
        drawing.box(box, style.PAPER, style.HAIRLINE, radius=8, name="frame")
        drawing.text(box.x + 18, box.y + 29, "Legend", STRONG, INK)
        x = box.x + 96
        for column in _COLUMNS:
            for index, (colour, dash, text) in enumerate(column):
                y = box.y + 24 + index * 28
                drawing.path(f"M{x:.0f} {y:.0f}h40", colour, width=2, dash=dash)
                drawing.arrow_head((x + 46, y), (x, y), colour)
                drawing.text(x + 56, y + 5, text, SMALL, INK)
            x += 56 + max(SMALL.width(text) for _, _, text in column) + 40
        for index, (fill, edge, mark, text) in enumerate(_FRAMES):
            y = box.y + 24 + index * 28
            drawing.box(Box(x, y - 11, 34, 22), fill, edge, radius=4, width=1.2)
            glyph(drawing, mark, x + 9, y - 8, 16, edge)
            drawing.text(x + 46, y + 5, text, SMALL, INK)
        drawing.text(box.x + 96, box.bottom - 16, _NOTE, SMALL, MUTED)
