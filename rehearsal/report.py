"""The report of a rehearsal: one page with the verdict first, and the same for a machine. Nothing is loaded by it."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources

from pages.document import document
from pages.markup import Markup, joined, tag
from rehearsal.drawing import draw
from rehearsal.measures import Bucket, Interval
from rehearsal.tally import Tally
from rehearsal.timeline import Run

_EXAMPLES = 5


def render_json(run: Run) -> str:
    """All figures, `verdict` first."""
    return json.dumps(run.document(), indent=2) + "\n"


def render_html(run: Run) -> str:
    """The page; no script runs in it."""
    state = "passed" if run.tally.passed else "failed"
    return document(
        f"{state}: {run.title}",
        tag("header", tag("p", run.title, class_="place"), tag("h1", _headline(run.tally), class_=state), _found(run)),
        tag("main", _figures(run.tally), *_timelines(run), *_steps(run)),
        style=_style(),
    )


@cache
def _style() -> str:
    return (resources.files("rehearsal") / "page.css").read_text(encoding="utf-8")


def _headline(tally: Tally) -> str:
    if tally.passed:
        return f"Passed: {tally.accepted:,} payments accepted, none lost, none doubled"
    count = len(tally.findings)
    return f"Failed: {count} thing{'s'[: count != 1]} that must not be"


def _found(run: Run) -> Markup:
    """What must not be, and the first of the payments in question."""
    tally = run.tally
    if tally.passed:
        return joined()
    named = (
        ("Lost", tally.lost), ("Doubled", tally.doubled), ("Altered", tally.altered),
        ("Nobody asked for", tally.unasked), ("Ledger out of balance", tally.unbalanced),
        ("History wrong", tally.noted_wrongly),
    )  # fmt: skip
    examples = [
        tag(
            "li",
            f"{words}: ",
            tag("code", ", ".join(map(str, which[:_EXAMPLES]))),
            f" and {len(which) - _EXAMPLES} more" if len(which) > _EXAMPLES else "",
        )
        for words, which in named
        if which
    ]
    return tag("ul", *(tag("li", tag("strong", finding)) for finding in tally.findings), *examples, class_="findings")


def _figures(tally: Tally) -> Markup:
    figures = (
        ("Accepted", f"{tally.accepted:,}", "payments that clients were told are made"),
        ("Present", f"{tally.present:,}", "of them in the database in the end"),
        ("Lost", f"{len(tally.lost):,}", "accepted, and not there"),
        ("Doubled", f"{len(tally.doubled):,}", "orders paid for twice"),
        ("Longest write pause", _seconds(tally.write_pause.seconds), "between two accepted payments"),
        (
            "Read outage",
            _seconds(tally.read_outage.seconds),
            f"{sum(tally.failed_reads.values()):,} of {tally.reads:,} reads failed",
        ),
        ("Refused", f"{tally.refused:,}", f"tries, later accepted; {tally.given_up:,} payments given up"),
        (
            "Latency",
            _seconds(tally.p50),
            f"median; 99 % within {_seconds(tally.p99)}, all {_seconds(tally.slowest_write)}",
        ),
    )
    boxes = (
        tag("div", tag("dt", name), tag("dd", value, class_="value"), tag("dd", words))
        for name, value, words in figures
    )
    return tag("dl", *boxes, class_="figures")


def _timelines(run: Run) -> Iterable[Markup]:
    yield _section("whole", "The whole run", run, run.window, run.whole, 1.0)
    if run.fine:
        yield _section("freeze", "Around the longest pause", run, run.freeze, run.fine, 0.1)


def _section(name: str, heading: str, run: Run, window: Interval, slices: Sequence[Bucket], width: float) -> Markup:
    """A picture, and its values for who does not see it."""
    titles = (
        "From second",
        "Phase",
        "Accepted",
        "Refused",
        "Failed reads",
        "Median, s",
        "99 %, s",
        "Lag, s",
        "Weights",
    )
    table = tag(
        "table",
        tag("thead", tag("tr", *(tag("th", title, scope="col") for title in titles))),
        tag("tbody", *(_row(run, part) for part in slices)),
    )
    picture = tag(
        "div", draw(run, window, slices, width, name), class_="wide", tabindex=0, role="region", aria_label=heading
    )
    values = tag("details", tag("summary", "The same as a table"), tag("div", table, class_="wide", tabindex=0))
    return tag("section", tag("h2", heading), tag("figure", picture, values))


def _row(run: Run, part: Bucket) -> Markup:
    phase = next((phase.name for phase in reversed(run.phases) if phase.when.start <= part.start < phase.when.end), "")
    lag = bisect_right(run.lags, part.start, key=lambda lag: lag.at)
    weights = bisect_right(run.weights, part.start, key=lambda weights: weights.at)
    values = (
        phase,
        str(part.accepted),
        str(part.refused),
        str(part.failed_reads),
        f"{part.p50:.3f}" if part.accepted else "",
        f"{part.p99:.3f}" if part.accepted else "",
        f"{run.lags[lag - 1].seconds:.3f}" if lag else "",
        ", ".join(f"{group} {weight}" for group, weight in run.weights[weights - 1].of.items() if weight)
        if weights
        else "",
    )
    start = tag("th", f"{part.start - run.window.start:.1f}", scope="row")
    return tag("tr", start, *(tag("td", value) for value in values))


def _steps(run: Run) -> Iterable[Markup]:
    if not run.steps:
        return
    rows = (
        tag(
            "tr",
            tag("th", step.name, scope="row"),
            tag("td", f"{step.when.start - run.window.start:.1f}"),
            tag("td", f"{step.when.seconds:.2f}"),
            tag("td", step.outcome),
        )
        for step in run.steps
    )
    titles = tag("tr", *(tag("th", name, scope="col") for name in ("Step", "From second", "Seconds", "Outcome")))
    yield tag("section", tag("h2", "Steps"), tag("table", tag("thead", titles), tag("tbody", *rows), class_="steps"))


def _seconds(value: float) -> str:
    """Seconds in words: milliseconds below one."""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"
