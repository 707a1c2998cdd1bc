"""SVG: a drawing is built by small calls and rendered to text whose bytes depend on nothing but them.

Everything is a presentation attribute: no style sheet, script or font file, so the picture looks the same in a README,
an editor and a printer. Text carries its length, computed with the metrics of Arial, so that a machine with other fonts
squeezes the glyphs instead of letting labels run into each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape

from compiler.diagram.geometry import Box, Point

SANS = "Arial, 'Helvetica Neue', Helvetica, 'Liberation Sans', sans-serif"
MONO = "Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"

# A space at which no line breaks.
NBSP = "\u00a0"

# Advance widths of U+0020 to U+007E in thousandths of the font size, of Arial and its metric twins.
_REGULAR = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
)  # fmt: skip
_BOLD = (
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584,
)  # fmt: skip
_OTHERS = {NBSP: 278, "·": 278, "…": 1000, "→": 1000}
_UNKNOWN = 667
_MONO = 602


@dataclass(frozen=True, slots=True)
class Font:
    """How a piece of text is set; `size` in pixels."""

    size: float
    bold: bool = False
    mono: bool = False

    def width(self, text: str) -> float:
        """The length of `text` in pixels."""
        if self.mono:
            return len(text) * _MONO * self.size / 1000
        table = _BOLD if self.bold else _REGULAR
        units = sum(table[ord(char) - 32] if " " <= char <= "~" else _OTHERS.get(char, _UNKNOWN) for char in text)
        return units * self.size / 1000

    def wrap(self, text: str, width: float, lines: int) -> list[str]:
        """`text` broken between words into at most so many lines of `width` pixels; the last one may be cut."""
        broken: list[str] = []
        for word in text.split(" "):
            longer = f"{broken[-1]} {word}" if broken else word
            if broken and (self.width(longer) <= width or len(broken) == lines):
                broken[-1] = longer
            else:
                broken.append(word)
        return [self.fit(line, width) for line in broken]

    def fit(self, text: str, width: float) -> str:
        """`text`, cut with an ellipsis where it is longer than `width` pixels."""
        if self.width(text) <= width:
            return text
        while text and self.width(text + "…") > width:
            text = text[:-1]
        return text.rstrip(" ·,") + "…"


def number(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{round(value, 1) + 0:.1f}".removesuffix(".0")  # + 0: there is no -0


def rounded(points: Sequence[Point], radius: float = 7) -> str:
    """The path data of a line through `points` whose corners are rounded."""
    start = points[0]
    data = [f"M{number(start[0])} {number(start[1])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        enter, leave = _towards(corner, before, radius), _towards(corner, after, radius)
        data.append(f"L{number(enter[0])} {number(enter[1])}")
        data.append(f"Q{number(corner[0])} {number(corner[1])} {number(leave[0])} {number(leave[1])}")
    data.append(f"L{number(points[-1][0])} {number(points[-1][1])}")
    return "".join(data)


def _towards(corner: Point, other: Point, radius: float) -> Point:
    length = abs(other[0] - corner[0]) + abs(other[1] - corner[1])
    share = min(radius, length / 2) / length if length else 0
    return (corner[0] + (other[0] - corner[0]) * share, corner[1] + (other[1] - corner[1]) * share)


class Drawing:
    """An SVG document in the making."""

    def __init__(self, title: str, description: str) -> None:
        self._title = title
        self._description = description
        self._parts: list[str] = []

    @contextmanager
    def group(self, name: str, title: str = "", **data: str) -> Iterator[None]:
        """A group of what is drawn inside the `with`: `title` is its tooltip, `data` become data-… attributes."""
        attributes = {"class": name, **{f"data-{key.replace('_', '-')}": value for key, value in data.items()}}
        self._parts.append(f"<g{_attributes(attributes)}>")
        if title:
            self._parts.append(f"<title>{escape(title, quote=False)}</title>")
        yield
        self._parts.append("</g>")

    def box(
        self, box: Box, fill: str, stroke: str = "none", *, radius: float = 6, width: float = 1, dash: str = "",
        name: str = "",
    ) -> None:  # fmt: skip
        """A rectangle; `dash` as in stroke-dasharray."""
        shape = {
            "class": name,
            "x": number(box.x),
            "y": number(box.y),
            "width": number(box.width),
            "height": number(box.height),
            "rx": number(radius),
            "fill": fill,
            "stroke": stroke,
            "stroke-width": number(width) if stroke != "none" else "",
            "stroke-dasharray": dash,
        }
        self._parts.append(f"<rect{_attributes(shape)}/>")

    def text(
        self, x: float, y: float, text: str, font: Font, fill: str, *, anchor: str = "start", turned: bool = False
    ) -> float:
        """One line of text on the base line y; `turned` reads from top to bottom. Returns its length in pixels."""
        length = font.width(text)
        shape = {
            "x": number(x),
            "y": number(y),
            "font-size": number(font.size),
            "font-family": MONO if font.mono else "",
            "font-weight": "bold" if font.bold else "",
            "text-anchor": anchor if anchor != "start" else "",
            "textLength": number(length),
            "lengthAdjust": "spacingAndGlyphs",
            "fill": fill,
            "transform": f"rotate(90 {number(x)} {number(y)})" if turned else "",
        }
        self._parts.append(f"<text{_attributes(shape)}>{escape(text, quote=False)}</text>")
        return length

    def path(
        self, data: str, stroke: str, *, width: float = 1.5, dash: str = "", fill: str = "none",
        at: Point | None = None, scale: float = 1, name: str = "",
    ) -> None:  # fmt: skip
        """A line along path data, moved to `at` and scaled (the stroke is not)."""
        moved = f"translate({number(at[0])} {number(at[1])})" if at else ""
        shape = {
            "class": name,
            "d": data,
            "fill": fill,
            "stroke": stroke,
            "stroke-width": number(width / scale),
            "stroke-dasharray": dash,
            "stroke-linecap": "round",
            "stroke-linejoin": "round",
            "transform": moved + (f" scale({scale:g})" if scale != 1 else ""),
        }
        self._parts.append(f"<path{_attributes(shape)}/>")

    def arrow_head(self, tip: Point, towards: Point, colour: str, size: float = 8) -> None:
        """A filled head at `tip`, coming from the direction of `towards` (along an axis)."""
        length = abs(tip[0] - towards[0]) + abs(tip[1] - towards[1])
        along = ((tip[0] - towards[0]) / length, (tip[1] - towards[1]) / length)
        base = (tip[0] - along[0] * size, tip[1] - along[1] * size)
        half = size * 0.55
        corners = (
            tip,
            (base[0] - along[1] * half, base[1] + along[0] * half),
            (base[0] + along[1] * half, base[1] - along[0] * half),
        )
        points = " ".join(f"{number(x)},{number(y)}" for x, y in corners)
        self._parts.append(f"<polygon{_attributes({'points': points, 'fill': colour})}/>")

    def render(self, width: float, height: float, background: str) -> str:
        """The document; its own background keeps it legible on dark pages."""
        size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
        return "\n".join(
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc"'
                f' font-family="{SANS}">',
                f'<title id="title">{escape(self._title, quote=False)}</title>',
                f'<desc id="desc">{escape(self._description, quote=False)}</desc>',
                f'<rect width="100%" height="100%" fill="{background}"/>',
                *self._parts,
                "</svg>\n",
            )
        )


def _attributes(values: dict[str, str]) -> str:
    return "".join(f' {key}="{escape(value)}"' for key, value in values.items() if value)
