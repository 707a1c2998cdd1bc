"""The dependency picture: the nested stacks of the tree, and the wires between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compiler.bundle import Bundle, Connection, file_name
from compiler.diagram import style
from compiler.diagram.geometry import Box
from compiler.diagram.layers import NODE, Layers, Signal, place
from compiler.diagram.painting import glyph, heading, pill
from compiler.diagram.style import CODE, HEADING, INK, LABEL, MUTED, PAPER, SMALL, STRONG
from compiler.diagram.svg import Drawing, rounded
from compiler.diagram.words import humanise, plural
from compiler.resolve import NESTED

_MARGIN = 28
_TOP = 104
_WIDTH = 184
_LINE = 18
_TYPES = 3
_STEP = 24
_GAP = 34
_LANE = 11
_ENTRY = 46
_LEAVE = 14
_ROOT = "root"


@dataclass(frozen=True, slots=True)
class _Stack:
    """A template as a box: how many resources it has, and its most frequent types."""

    tier: str
    count: int
    types: tuple[tuple[str, int], ...]
    every: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Frame:
    """The layers placed on the page: `columns` are the left edges of the columns of nodes."""

    layers: Layers
    columns: tuple[float, ...]
    y: float

    def node(self, tier: str) -> Box:
        box = self.layers.nodes[tier]
        return Box(self.columns[self.column(tier)], box.y + self.y, box.width, box.height)

    def column(self, tier: str) -> int:
        return next(index for index, items in enumerate(self.layers.columns) if (NODE, tier) in items)


def draw_dependencies(bundle: Bundle) -> str:
    """The SVG of a bundle's stacks: which feeds which, with how many wires; stacks beside the tree stand apart."""
    root = bundle.templates[_ROOT]["Resources"].values()
    nested_files = {resource["Properties"]["TemplateURL"] for resource in root if resource["Type"] == NESTED}
    stacks = {tier: _read(tier, template) for tier, template in bundle.templates.items() if tier != _ROOT}
    nested = [tier for tier in stacks if file_name(tier) in nested_files]
    beside = [stack for tier, stack in stacks.items() if tier not in nested]
    wires = _bundled(bundle.connections)
    feeders = {tier: sorted({producer for producer, consumer in wires if consumer == tier}) for tier in nested}
    heights = {tier: max(66 + _LINE * len(stacks[tier].types), _STEP * len(feeders[tier]) + 20) for tier in nested}
    frame = _frame(place(feeders, heights, _WIDTH, _GAP, _STEP))
    outputs = _outputs(bundle)

    title = f"Stacks of environment {bundle.suffix}"
    drawing = Drawing(title, _description(wires))
    counts = f"{plural(len(nested), 'nested stack')}, {plural(len(bundle.connections), 'wire')} between them"
    heading(
        drawing,
        title,
        f"{counts}; each stack stands right of all that feed it. Hover over a count for the wires and their kinds.",
        _MARGIN,
    )
    right = frame.columns[-1] + _WIDTH + 32
    root_box = Box(_MARGIN, _TOP, right - _MARGIN, frame.y + frame.layers.height + 84 - _TOP)
    _paint_root(drawing, root_box, outputs)
    colours = {tier: style.SERIES[index % len(style.SERIES)] for index, tier in enumerate(nested)}
    _paint_wires(drawing, frame, wires, colours)
    for tier in nested:
        _paint_stack(drawing, stacks[tier], frame.node(tier), colours[tier])
    for index, stack in enumerate(beside):
        _paint_beside(drawing, stack, Box(_MARGIN + index * 460, root_box.bottom + 24, 440, 86))
    height = root_box.bottom + (24 + 86 if beside else 0) + _MARGIN
    return drawing.render(right + _MARGIN, height, PAPER)


# --- reading ---------------------------------------------------------------------------------------------------------
def _read(tier: str, template: Mapping[str, Any]) -> _Stack:
    types = Counter(resource["Type"] for resource in template["Resources"].values())
    ordered = sorted(types, key=lambda name: (-types[name], name))
    few = tuple((humanise(name.rpartition("::")[2]), types[name]) for name in ordered[:_TYPES])
    return _Stack(tier, types.total(), few, tuple(f"{name}: {types[name]}" for name in ordered))


def _bundled(connections: tuple[Connection, ...]) -> dict[tuple[str, str], list[Connection]]:
    wires: dict[tuple[str, str], list[Connection]] = {}
    for wire in sorted(connections, key=lambda wire: (wire.producer, wire.consumer, wire.parameter)):
        wires.setdefault((wire.producer, wire.consumer), []).append(wire)
    return wires


def _outputs(bundle: Bundle) -> list[tuple[str, str]]:
    """The root's own outputs, with the nested stack that each comes from."""
    return [
        (name, humanise(output["Value"]["Fn::GetAtt"][0]))
        for name, output in bundle.templates[_ROOT].get("Outputs", {}).items()
    ]


def _name(tier: str) -> str:
    return tier.replace("_", " ").capitalize()


def _description(wires: Mapping[tuple[str, str], list[Connection]]) -> str:
    return " ".join(
        f"{_name(producer)} feeds {_name(consumer).lower()} by {plural(len(found), 'wire')}."
        for (producer, consumer), found in wires.items()
    )


# --- placing ---------------------------------------------------------------------------------------------------------
def _frame(layers: Layers) -> _Frame:
    """Columns as far apart as the lanes between them need, and room for the counts where the lines enter."""
    columns = [_MARGIN + 32.0]
    for channel in layers.channels:
        columns.append(columns[-1] + _WIDTH + _LEAVE + _LANE * len(channel) + _ENTRY)
    return _Frame(layers, tuple(columns), _TOP + 62)


# --- painting --------------------------------------------------------------------------------------------------------
def _paint_root(drawing: Drawing, box: Box, outputs: list[tuple[str, str]]) -> None:
    with drawing.group("root", "\n".join(f"{name} ← {tier}" for name, tier in outputs)):
        drawing.box(box, style.REGION_FILL, style.REGION_EDGE, radius=12, name="frame")
        glyph(drawing, "stack", box.x + 20, box.y + 14, 22, INK)
        drawing.text(box.x + 52, box.y + 31, "Root stack", HEADING, INK)
        x, y = box.x + 32, box.bottom - 26
        x += drawing.text(x, y, "Its outputs:", STRONG, INK) + 12 if outputs else 0
        for name, tier in outputs:
            x += drawing.text(x, y, name, CODE, INK) + 6
            x += drawing.text(x, y, f"from {tier.lower()}", SMALL, MUTED) + 20


def _paint_stack(drawing: Drawing, stack: _Stack, box: Box, colour: str) -> None:
    with drawing.group("stack", "\n".join(stack.every), tier=stack.tier, resources=str(stack.count)):
        drawing.box(box, PAPER, colour, radius=8, width=1.8, name="box")
        drawing.box(Box(box.x + 7, box.y + 10, 4, box.height - 20), colour, radius=2)
        drawing.text(box.x + 22, box.y + 26, _name(stack.tier), HEADING, colour)
        drawing.text(box.x + 22, box.y + 46, plural(stack.count, "resource"), STRONG, INK)
        for index, (words, count) in enumerate(stack.types):
            y = box.y + 66 + _LINE * index
            drawing.text(box.x + 22, y, SMALL.fit(words, box.width - 64), SMALL, MUTED)
            drawing.text(box.right - 14, y, str(count), SMALL, MUTED, anchor="end")


def _paint_beside(drawing: Drawing, stack: _Stack, box: Box) -> None:
    with drawing.group("beside", "\n".join(stack.every), tier=stack.tier, resources=str(stack.count)):
        drawing.box(box, PAPER, MUTED, radius=8, width=1.6, dash="6 4", name="box")
        drawing.text(box.x + 20, box.y + 28, f"{_name(stack.tier)} stack", HEADING, INK)
        drawing.text(box.x + 20, box.y + 49, "beside the tree, once per AWS account; no wires", SMALL, MUTED)
        types = ", ".join(f"{words}: {count}" for words, count in stack.types)
        drawing.text(box.x + 20, box.y + 70, SMALL.fit(types, box.width - 40), SMALL, INK)


def _paint_wires(
    drawing: Drawing,
    frame: _Frame,
    wires: Mapping[tuple[str, str], list[Connection]],
    colours: Mapping[str, str],
) -> None:
    """The lines of every feeder, then the counts where they enter a stack."""
    for feeder, colour in colours.items():
        lines = [
            line
            for index, channel in enumerate(frame.layers.channels)
            for signal in channel
            if signal.feeder == feeder
            for line in _lines(frame, index, signal)
        ]
        for line in lines:  # all halos first: lines of one feeder do not cut each other
            drawing.path(line, style.REGION_FILL, width=6)
        for line in lines:
            drawing.path(line, colour, width=2, name="line")
    for (producer, consumer), found in wires.items():
        box = frame.node(consumer)
        y = frame.layers.ports[consumer, producer] + frame.y
        tooltip = [f"{_name(producer)} → {_name(consumer)}: {plural(len(found), 'wire')}"]
        tooltip += [f"{wire.output} → {wire.parameter} ({wire.kind})" for wire in found]
        with drawing.group("edge", "\n".join(tooltip), source=producer, target=consumer, wires=str(len(found))):
            drawing.arrow_head((box.x, y), (box.x - 20, y), colours[producer])
            pill(drawing, (box.x - 27, y), str(len(found)), colours[producer], font=LABEL)


def _lines(frame: _Frame, index: int, signal: Signal) -> list[str]:
    """One feeder's lines through one channel, and along its tracks through the next column."""
    x = frame.columns[index] + _WIDTH + _LEAVE + _LANE * signal.lane
    start = (frame.columns[index] + _WIDTH, signal.start + frame.y)
    lines = []
    for (kind, _), height in signal.ends:
        end = frame.columns[index + 1] + (-4 if kind == NODE else _WIDTH)
        lines.append(rounded([start, (x, start[1]), (x, height + frame.y), (end, height + frame.y)]))
    return lines
