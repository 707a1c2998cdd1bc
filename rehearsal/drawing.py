"""The timeline as SVG: panels one above the other with one axis of time, phases as bands through all of them. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pages.markup import Markup, joined, tag
from rehearsal.measures import Bucket, Interval
from rehearsal.timeline import Phase, Run, Weights

_WIDTH, _LEFT, _RIGHT = 960, 60, 12
_PANEL, _GAP, _ROW, _FOOT = 96, 40, 16, 34
_LETTER = 6.4  # the width of a character of a label
_TICKS = 8
_PERCENT = 100
# The axis of latencies: powers of ten of a second, and their words.
_WORDS = {-3: "1 ms", -2: "10 ms", -1: "100 ms", 0: "1 s", 1: "10 s", 2: "100 s"}
_FASTEST_DECADE = min(_WORDS)
_SHADES = 5  # of the bands, and of the groups whose weights are drawn: page.css has as many


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to places: `low` to `high` becomes `start` to `end` of the picture."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)


def draw(run: Run, window: Interval, slices: Sequence[Bucket], width: float, name: str) -> Markup:
    """The picture of a window of the run, in slices of `width` seconds; `name` makes its ids unique on the page."""
    time = Axis(window.start, window.end, _LEFT, _WIDTH - _RIGHT)
    phases = [phase for phase in run.phases if phase.when.end > window.start and phase.when.start < window.end]
    labels, rows = _labels(phases, time)
    panels = [
        (title, keys, list(draw_panel))
        for title, keys, draw_panel in _panels(run, window, slices, width, time, top=rows * _ROW + _GAP)
    ]
    bottom = rows * _ROW + len(panels) * (_PANEL + _GAP)
    height = bottom + _FOOT
    drawn: list[Markup] = [*_bands(phases, time, rows * _ROW, bottom), *labels]
    for number, (title, keys, content) in enumerate(panels):
        top = rows * _ROW + _GAP + number * (_PANEL + _GAP)
        drawn += [_heading(title, keys, top - 10), *content]
    drawn += _time_axis(window, run.window.start, time, bottom)
    return _shape(
        "svg",
        _shape("title", _title(window, run), id=f"{name}-title"),
        _shape("desc", _description(run, slices), id=f"{name}-desc"),
        *drawn,
        viewBox=f"0 0 {_WIDTH} {height}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_="timeline",
    )


def _title(window: Interval, run: Run) -> str:
    start, end = window.start - run.window.start, window.end - run.window.start
    return f"Payments, latency, replication lag and weights from second {start:.1f} to {end:.1f}"


def _description(run: Run, slices: Sequence[Bucket]) -> str:
    accepted, refused = sum(part.accepted for part in slices), sum(part.refused for part in slices)
    worst = max((part.p99 for part in slices), default=0.0)
    lag = max((lag.seconds for lag in run.lags), default=0.0)
    return (
        f"{accepted} payments accepted and {refused} tries refused. The 99th percentile of latency is {worst:.2f} s, "
        f"the replication lag {lag:.2f} s. The table below the picture has the values."
    )


# --- panels -----------------------------------------------------------------------------------------------------------
def _panels(
    run: Run, window: Interval, slices: Sequence[Bucket], width: float, time: Axis, *, top: int
) -> Iterator[tuple[str, Sequence[tuple[str, str]], Iterator[Markup]]]:
    """Title, keys (class, words) and content of each panel."""
    tops = iter(range(top, 10**6, _PANEL + _GAP))
    rates = max((max(part.accepted, part.refused) for part in slices), default=0) / width
    keys = [("accepted", "accepted"), ("refused", "tries refused"), ("failed", "reads failed")]
    yield "Payments a second", keys, _rates(slices, width, time, _vertical(rates, next(tops)))
    keys = [("p50", "median"), ("p99", "99th percentile")]
    yield "Latency of payments, from when they were due", keys, _latencies(slices, width, time, next(tops))
    lags = [lag for lag in run.lags if window.start <= lag.at <= window.end]
    vertical = _vertical(max((lag.seconds for lag in lags), default=0.0), next(tops))
    points = [(time.place(lag.at), vertical.place(lag.seconds)) for lag in lags]
    title = "Replication lag, s" if lags else "Replication lag: not measured in this time"
    yield title, [], iter([*_scale(vertical, time), *([_line("lag", points)] if points else [])])
    groups = list(dict.fromkeys(group for weights in run.weights for group in weights.of))
    keys = [(f"group shade-{number % _SHADES}", group) for number, group in enumerate(groups)]
    yield "Weights of the listener, %", keys, _weights(run.weights, groups, window, time, next(tops))


def _rates(slices: Sequence[Bucket], width: float, time: Axis, vertical: Axis) -> Iterator[Markup]:
    yield from _scale(vertical, time)
    for name in ("accepted", "refused"):
        for run in _runs(slices, lambda part, name=name: getattr(part, name) > 0):  # type: ignore[misc]
            ends = [(time.place(run[0].start), vertical.start)]
            for part in run:
                height = vertical.place(getattr(part, name) / width)
                ends += [(time.place(part.start), height), (time.place(part.start + width), height)]
            ends.append((ends[-1][0], vertical.start))
            yield _shape("polygon", points=_points(ends), class_=f"area {name}")
    for part in slices:
        if part.failed_reads:
            x = time.place(part.start + width / 2)
            yield _shape("path", d=f"M{x} {vertical.start - 8}v8", class_="failed")


def _latencies(slices: Sequence[Bucket], width: float, time: Axis, top: int) -> Iterator[Markup]:
    """Each line ten times the one below, lest a pause flatten the rest; without payments there is no latency."""
    decades = _FASTEST_DECADE, max(_decade(max((part.p99 for part in slices), default=0.0)), 0)
    vertical = Axis(*decades, top + _PANEL, top)
    yield from _rules(((decade, _WORDS[decade]) for decade in range(decades[0], decades[1] + 1)), vertical, time)
    for name in ("p99", "p50"):
        for run in _runs(slices, lambda part: part.accepted > 0):
            values = ((part.start + width / 2, math.log10(max(getattr(part, name), 1e-9))) for part in run)
            yield _line(name, [(time.place(at), vertical.place(value)) for at, value in values])


def _decade(seconds: float) -> int:
    return min(math.ceil(math.log10(max(seconds, 1e-9))), max(_WORDS))


def _runs(slices: Iterable[Bucket], wanted: Callable[[Bucket], bool]) -> Iterator[list[Bucket]]:
    """The stretches of slices that are wanted."""
    return (list(run) for is_wanted, run in groupby(slices, wanted) if is_wanted)


def _weights(
    weights: Sequence[Weights], groups: Sequence[str], window: Interval, time: Axis, top: int
) -> Iterator[Markup]:
    vertical = Axis(0, _PERCENT, top + _PANEL, top)
    yield from _scale(vertical, time)
    until = [*(each.at for each in weights[1:]), math.inf]  # one too many where nothing is known
    for each, end in zip(weights, until, strict=False):
        if end <= window.start or each.at >= window.end:
            continue
        left, right = time.place(each.at), time.place(end)
        total, below = sum(each.of.values()) or 1, 0.0
        for number, group in enumerate(groups):
            share = each.of.get(group, 0) / total * _PERCENT
            if share:
                high, low = vertical.place(below + share), vertical.place(below)
                yield _shape(
                    "rect", x=left, y=high, width=round(right - left, 1), height=round(low - high, 1),
                    class_=f"group shade-{number % _SHADES}",
                )  # fmt: skip
            below += share


# --- parts ------------------------------------------------------------------------------------------------------------
def _vertical(highest: float, top: int) -> Axis:
    """An axis from 0 to a round number above the highest value; a picture of nothing but zeros goes to 1."""
    step = _round_step(highest or 1.0, 2)
    return Axis(0.0, math.ceil((highest or 1.0) / step) * step, top + _PANEL, top)


def _round_step(span: float, parts: int) -> float:
    """1, 2 or 5 times a power of ten, so that `span` has about `parts` of it."""
    rough = span / parts
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)


def _scale(vertical: Axis, time: Axis) -> Iterator[Markup]:
    """Lines at nothing, half and all of the scale."""
    return _rules(((value, f"{value:g}") for value in (0.0, vertical.high / 2, vertical.high)), vertical, time)


def _rules(values: Iterable[tuple[float, str]], vertical: Axis, time: Axis) -> Iterator[Markup]:
    for value, words in values:
        y = vertical.place(value)
        yield _shape("path", d=f"M{time.start} {y}H{time.end}", class_="rule")
        yield _shape("text", words, x=_LEFT - 8, y=y + 4, class_="tick end")


def _time_axis(window: Interval, zero: float, time: Axis, bottom: int) -> Iterator[Markup]:
    """Seconds since the run began."""
    step = _round_step(max(window.seconds, 0.001), _TICKS)
    first = math.ceil((window.start - zero) / step)
    for number in range(first, math.floor((window.end - zero) / step) + 1):
        x = time.place(zero + number * step)
        yield _shape("path", d=f"M{x} {bottom}v5", class_="axis")
        yield _shape("text", f"{number * step:g}", x=x, y=bottom + 18, class_="tick middle")
    yield _shape("path", d=f"M{time.start} {bottom}H{time.end}", class_="axis")
    yield _shape("text", "seconds since the clients began", x=time.end, y=bottom + 31, class_="tick end")


def _heading(title: str, keys: Iterable[tuple[str, str]], y: int) -> Markup:
    """The title of a panel, and what its colours mean."""
    parts = [_shape("text", title, x=_LEFT, y=y, class_="heading")]
    x = _LEFT + len(title) * (_LETTER + 1) + 20
    for name, words in keys:
        parts.append(_shape("rect", x=round(x, 1), y=y - 9, width=10, height=10, class_=f"key {name}"))
        parts.append(_shape("text", words, x=round(x + 15, 1), y=y, class_="tick"))
        x += len(words) * _LETTER + 36
    return joined(*parts)


def _bands(phases: Sequence[Phase], time: Axis, top: int, bottom: int) -> Iterator[Markup]:
    for number, phase in enumerate(phases):
        left, right = time.place(phase.when.start), time.place(phase.when.end)
        place: dict[str, float] = {
            "x": left,
            "y": top + 4,
            "width": max(round(right - left, 1), 0.5),
            "height": bottom - top - 4,
        }
        yield _shape("rect", class_=f"band {'even' if number % 2 else 'odd'}", **place)


def _labels(phases: Sequence[Phase], time: Axis) -> tuple[list[Markup], int]:
    """The names of the phases, each where its band begins, in as many rows as keep them apart, and how many rows."""
    free: list[float] = []
    rows = 1
    drawn = []
    for phase in phases:
        words = f"{phase.name} {phase.when.seconds:.1f} s"
        x = time.place(phase.when.start)
        # At the right edge a label ends where the picture does.
        left = min(x, time.end - len(words) * _LETTER)
        # Below every label that is still there: the line from it down to its band then crosses none.
        row = 1 + max((number for number, until in enumerate(free) if until > left), default=-1)
        free[row:] = [left + len(words) * _LETTER + 10]
        rows = max(rows, row + 1)
        drawn.append((row, x, left, words))
    labels = []
    for row, x, left, words in drawn:
        y = row * _ROW + 12
        labels.append(_shape("path", d=f"M{x} {y - 10}V{rows * _ROW + 4}", class_="leader"))
        labels.append(_shape("text", words, x=round(left + 3, 1), y=y, class_="phase"))
    return labels, rows


def _shape(name: str, /, *children: str, **attributes: str | float) -> Markup:
    """An element whose places and sizes may be fractions."""
    return tag(
        name,
        *children,
        **{key: f"{given:g}" if isinstance(given, float) else given for key, given in attributes.items()},
    )


def _line(name: str, points: Sequence[tuple[float, float]]) -> Markup:
    if len(points) == 1:
        return _shape("circle", cx=points[0][0], cy=points[0][1], r=2, class_=f"dot {name}")
    return _shape("polyline", points=_points(points), class_=f"line {name}")


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
