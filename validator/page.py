"""The report as one page for a browser: nothing is loaded, nothing is sent, and all is there without the script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pages.document import document
from pages.markup import Markup, joined, tag
from pages.style import DIFFERENCES
from validator.page_assets import SCRIPT, STYLE
from validator.page_tables import Tables, badge
from validator.repair import repair_sql
from validator.wording import (
    KINDS,
    SIDES,
    count_of,
    differing,
    headline,
    left_out,
    loudest_first,
    name_of,
    next_steps,
    number,
    plural,
    printable,
    speed,
    standing,
    why,
)

STATEMENTS = 200  # of the repair that the page shows; repair.sql has all
_LISTED = 1_000  # tables, problems, sequences or left out things in one list


def render_page(report: Mapping[str, Any]) -> str:
    """The page."""
    return document(
        f"{report['verdict']}: comparison {printable(str(report['run_id']))}",
        tag("a", "Skip to the tables", href="#tables", class_="skip"),
        _top(report),
        tag("main", *_sections(report)),
        tag(
            "footer", tag("p", f"Comparison {printable(str(report['run_id']))}. It may hold data of rows: treat it so.")
        ),
        tag("p", class_="unseen", role="status", id="told"),
        style=f"{DIFFERENCES}{STYLE}",
        script=SCRIPT,
    )


def _top(report: Mapping[str, Any]) -> Markup:
    """What a hurried reader reads: the verdict, what it says, and the size of what was compared."""
    tables = report["tables"]
    figures = [
        ("Tables", number(report["compared"]), ""),
        *((f"Rows on the {side}", number(sum(table["rows"][side] or 0 for table in tables)), "") for side in SIDES),
        ("Rows that differ", number(sum(map(differing, tables))), ""),
        ("Time", *_time(report)),
    ]
    return tag(
        "header",
        tag("p", ", ".join(_facts(report)), class_="place"),
        tag("h1", standing(report)),
        tag("p", report["verdict"], class_=f"standing {report['verdict'].lower()}"),
        tag("p", f"{headline(report)}.", class_="headline"),
        tag(
            "dl",
            *(
                tag("div", tag("dt", name), tag("dd", value, *([" ", tag("small", more)] if more else [])))
                for name, value, more in figures
            ),
            class_="figures",
        ),
    )


def _facts(report: Mapping[str, Any]) -> Iterator[str]:
    yield f"Run {printable(str(report['run_id']))}"
    if report.get("started_at"):
        yield printable(str(report["started_at"]))
    yield "what changed since the last run" if report.get("mode") == "incremental" else "all rows"
    for side in SIDES:
        version = (report.get(side) or {}).get("version")
        if version:
            yield f"{side} PostgreSQL {printable(str(version))}"
    if report.get("marker"):
        yield "marker " + ", ".join(printable(f"{name} {value}") for name, value in report["marker"].items())


def _time(report: Mapping[str, Any]) -> tuple[str, str]:
    """How long it took, and how fast that was."""
    if not report.get("seconds"):
        return "-", ""
    received = sum((table.get("bytes") or {}).get(side) or 0 for table in report["tables"] for side in SIDES)
    rate = speed(report["tables"], report["seconds"])
    parts = [f"{number(rate)} rows/s"] if rate else []
    if received:
        parts.append(f"{received / 2**20:,.1f} MiB received")
    return f"{report['seconds']:,.1f} s", ", ".join(parts)


def _sections(report: Mapping[str, Any]) -> Iterator[Markup]:
    steps = tag("ol", *(tag("li", step) for step in next_steps(report)))
    yield section("next", "Next", steps)
    if report["problems"]:
        yield section("problems", "Problems", _listed(map(printable, report["problems"])))
    tables = loudest_first(report["tables"])
    yield section("tables", "Tables", *_overview(tables))
    differing_tables = Tables(tables)
    if differing_tables.told:
        yield section("differences", "Differences", *differing_tables.render())
    if report.get("sequences"):
        yield section("sequences", "Sequences", *_sequences(report["sequences"]))
    if left_out(report):
        names = (f"{printable(name_of(item))} ({printable(item['kind'])})" for item in report["skipped"])
        yield section(
            "left-out",
            "Left out",
            tag("p", f"{printable(left_out(report))}: nothing is said here about them."),
            _listed(names),
        )
    script = repair_sql(report, most=STATEMENTS)
    if script:
        yield section("repair", "Repair", *_repair(script))


def section(name: str, heading: str, *children: str) -> Markup:
    """A part of the page under its own heading."""
    return tag(
        "section", tag("h2", heading, id=f"{name}-heading"), *children, id=name, aria_labelledby=f"{name}-heading"
    )


def _listed(items: Iterable[str]) -> Markup:
    every = list(items)
    more = [tag("li", f"and {number(len(every) - _LISTED)} more")] if len(every) > _LISTED else []
    return tag("ul", *(tag("li", item) for item in every[:_LISTED]), *more)


def _overview(tables: list[Mapping[str, Any]]) -> Iterator[Markup]:
    kinds = [kind for kind in KINDS if any(count_of(table, kind) for table in tables)]
    names = ("Table", "Verdict", "Rows, source", "Rows, target", *map(str.capitalize, kinds), "Rows/s", "Why")
    rows = []
    for place, table in enumerate(tables[:_LISTED]):
        schema, name = printable(table["schema"]), printable(table["table"])
        broken = joined(f"{schema}.", tag("wbr"), name)
        linked = tag("a", broken, href=f"#table-{place}") if Tables.is_told(table) else broken
        figures = [
            *((number(table["rows"][side]), "") for side in SIDES),
            *((number(count_of(table, kind)), "loud" if count_of(table, kind) else "zero") for kind in kinds),
            (number(speed([table], table.get("seconds"))), ""),
        ]
        cells = [tag("td", figure, class_=f"figure {look}".rstrip()) for figure, look in figures]
        rows.append(
            tag(
                "tr",
                tag("th", linked, scope="row"),
                tag("td", badge(table["verdict"])),
                *cells,
                tag("td", printable(why(table)), class_="why"),
            )
        )
    head = tag("tr", *(tag("th", name, scope="col") for name in names))
    yield _scrolled("All tables", tag("table", tag("thead", head), tag("tbody", *rows), class_="overview"))
    if len(tables) > _LISTED:
        yield tag("p", f"{plural(len(tables) - _LISTED, 'more table')} are not drawn here: report.json has them.")


def _scrolled(name: str, table: Markup) -> Markup:
    """A table that scrolls by itself where the window is too narrow, by keyboard too."""
    return tag("div", table, class_="scroll", role="region", aria_label=name, tabindex=0)


def _sequences(sequences: list[Mapping[str, Any]]) -> Iterator[Markup]:
    wrong = [item for item in sequences if item.get("verdict") != "PASS"]
    how = f"{number(len(wrong))} not as they must be" if wrong else "all as they must be"
    yield tag("p", f"{plural(len(sequences), 'sequence')} compared, {how}.")
    if not wrong:
        return
    rows = (
        tag(
            "tr",
            tag("th", printable(name_of(item)), scope="row"),
            tag("td", badge(str(item.get("verdict")))),
            *(tag("td", number(item.get(side)), class_="figure") for side in SIDES),
        )
        for item in wrong[:_LISTED]
    )
    head = tag("tr", *(tag("th", name, scope="col") for name in ("Sequence", "Verdict", "Source", "Target")))
    yield _scrolled(
        "Sequences that are not as they must be",
        tag("table", tag("thead", head), tag("tbody", *rows), class_="overview"),
    )


def _repair(script: str) -> Iterator[Markup]:
    yield tag(
        "p",
        "SQL for the target. It changes no row that has changed since, and nothing at all until its end is COMMIT.",
    )
    yield tag("button", "Copy the SQL", type="button", id="copy", hidden=True)
    yield tag("pre", tag("code", script), id="sql", tabindex=0, role="region", aria_label="Repair as SQL")
