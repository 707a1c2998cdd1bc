"""Style: colours, fonts and glyphs of the pictures.

Every ink stands at least 4.5:1 against the fills it is set on (WCAG 2.1 AA), and no meaning rests on colour alone: each
kind of thing has a glyph and a word, each kind of line a dash and a label.
"""

from __future__ import annotations

from compiler.diagram.svg import Font

TITLE = Font(26, bold=True)
HEADING = Font(16, bold=True)
STRONG = Font(14, bold=True)
BODY = Font(14)
SMALL = Font(13)
CODE = Font(12.5, mono=True)
LABEL = Font(12.5, bold=True, mono=True)

INK = "#172033"
MUTED = "#4d5b70"
PAPER = "#ffffff"
HAIRLINE = "#c3ccd9"
REGION_FILL, REGION_EDGE = "#f6f8fb", "#8a99ae"
VPC_FILL, VPC_EDGE = "#ffffff", "#5b6b82"
ZONE_FILL, ZONE_EDGE = "#f3f5f9", "#a9b5c6"
PUBLIC_FILL, PUBLIC_EDGE = "#e6f4e8", "#2c6a36"
PRIVATE_FILL, PRIVATE_EDGE = "#e5effb", "#2b5c9e"
OUTSIDE_FILL, OUTSIDE_EDGE = "#faf3e8", "#8a6114"
ROUTE = "#6b788c"
ALARM = "#b3261e"

PURPLE, ORANGE, BLUE, TEAL, PINK, SLATE = "#6a3fb5", "#a84a06", "#1d5fb8", "#0c6b63", "#a0306b", "#44536a"
GREEN, RED, BROWN, INDIGO, OLIVE = "#2f7036", "#a8281f", "#7d560f", "#4349a8", "#5d6414"

# Glyphs on a grid of 24 by 24, drawn by their outline.
GLYPHS = {
    "globe": "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M3 12h18M12 3c5 5 5 13 0 18M12 3c-5 5-5 13 0 18",
    "balancer": "M4 12h6M10 12l5-7h5M10 12h10M10 12l5 7h5M17 2l3 3l-3 3M17 9l3 3l-3 3M17 16l3 3l-3 3",
    "container": "M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5l8-4.5M12 12v9",
    "database": "M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
    "replication": "M3 8h15M14 4l4 4l-4 4M21 16H6M10 12l-4 4l4 4",
    "function": "M5 20l6.5-11M7 4h3l7 16h3",
    "plug": "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
    "gateway": "M5 21V9a7 7 0 0 1 14 0v12M3 21h18M9 14h6M12 11l3 3l-3 3",
    "nat": "M4 5h16v14H4zM8 12h8M13 9l3 3l-3 3",
    "lock": "M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3M12 14v3",
    "shield": "M12 3l8 3v6c0 5-4 8-8 9c-4-1-8-4-8-9V6z",
    "bucket": "M4 6h16l-2.5 14h-11zM4 6c0-3 16-3 16 0",
    "key": "M8 9a4.5 4.5 0 1 0 0 9a4.5 4.5 0 1 0 0-9M11.5 10.5L20 2M16 6l4 4",
    "secret": "M5 10h14v10H5zM8 10V7a4 4 0 0 1 8 0v3M8.5 15h.1M12 15h.1M15.5 15h.1",
    "bell": "M6 17V10a6 6 0 0 1 12 0v7l2 1H4zM10 21h4",
    "chart": "M4 4v16h16M8 15l3-5l4 3l5-7",
    "workflow": "M9 3h6v5H9zM3 16h6v5H3zM15 16h6v5h-6zM12 8v4M6 16v-4h12v4",
    "person": "M12 4a4 4 0 1 0 0 8a4 4 0 1 0 0-8M4 21c0-9 16-9 16 0",
    "layers": "M12 3l9 5l-9 5l-9-5zM3 12l9 5l9-5M3 16l9 5l9-5",
    "building": "M4 21V4h10v17M14 9h6v12M2 21h20M8 8h2M8 12h2M8 16h2M17 13h.1M17 17h.1",
    "wall": "M3 5h18v14H3zM3 9.7h18M3 14.3h18M9 5v4.7M15 9.7v4.6M9 14.3V19",
    "cube": "M4 4h16v16H4z",
    "stack": "M4 4h16v5H4zM4 11h16v4H4zM4 17h16v3H4z",
}  # fmt: skip

# For lines that are told apart by what they start from.
SERIES = (BLUE, ORANGE, GREEN, PURPLE, RED, TEAL, PINK, BROWN, INDIGO, OLIVE, SLATE)
