"""The report as Markdown, for a pull request or a ticket: the verdict first, then where to look, then what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from validator.wording import (
    KINDS,
    SIDES,
    count_of,
    counts,
    headline,
    left_out,
    looked_at,
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

GITHUB_LIMIT = 65_536  # characters of a comment's body
_SIGNS = {"PASS": "✅", "FAIL": "❌", "INCONCLUSIVE": "⚠️"}
_KEYS = 5  # of each kind and table
_SIZES = (200, 50, 20, 5, 0)  # tables told in detail: as many as fit
_LONGEST = 200  # characters of a reason, a name or a key
_MARKUP = re.compile(r"[\\`*_\[\]<>&|~$]|:(?=//)|(?<=www)\.", re.IGNORECASE)
# What GitHub makes links and pictures of after Markdown is done, but not in code: mentions, issues, emoji.
_PULLS = re.compile(r"@|#(?=\d)|:(?=\w+:)")
_OPENING = re.compile(r"^(?=[-+=#]|\d+[.)])")  # what begins a list, a heading, a rule
_PLAIN_CODE = re.compile(r"[^`|\\<>&]+")
_ZERO_WIDTH_SPACE = "&#8203;"


def render_markdown(report: Mapping[str, Any], *, limit: int = GITHUB_LIMIT) -> str:
    """The report in at most `limit` characters (4,000 or more); what does not fit is counted, nothing is cut short."""
    text = ""
    for size in _SIZES:
        text = "\n".join(_lines(report, size)).rstrip() + "\n"
        if len(text) <= limit:
            break
    return text


def prose(text: str) -> str:
    """The text as words, fit for a table's cell; nothing of it becomes markup, a link or a mention."""
    pulled = _PULLS.sub(lambda match: f"{match[0]}\0", _shortened(printable(text)))
    return _OPENING.sub(_ZERO_WIDTH_SPACE, _entities(pulled).replace("\0", _ZERO_WIDTH_SPACE))


def code(text: str) -> str:
    """The text as code, fit for a table's cell."""
    shown = _shortened(printable(text))
    if _PLAIN_CODE.fullmatch(shown) and shown == shown.strip():
        return f"`{shown}`"
    return f"<code>{_entities(shown)}</code>"


def _entities(text: str) -> str:
    return _MARKUP.sub(lambda match: f"&#{ord(match[0])};", text)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _lines(report: Mapping[str, Any], size: int) -> Iterator[str]:
    yield f"## {_SIGNS[report['verdict']]} {report['verdict']}: {standing(report).lower()}"
    yield ""
    yield f"{prose(headline(report))}."
    yield ""
    yield from _listed("Problems", [prose(problem) for problem in report["problems"]], size)
    tables = loudest_first(report["tables"])
    yield from _overview(tables, size)
    for table in islice((table for table in tables if counts(table)), size):
        yield from _table(table)
    yield from _sequences(report.get("sequences", ()), size)
    if left_out(report):
        yield f"Left out, so that nothing is said about it: {prose(left_out(report))}."
        yield ""
    yield "### Next"
    yield ""
    yield from (f"{place}. {step}" for place, step in enumerate(next_steps(report), start=1))
    yield ""
    yield _footer(report)


def _listed(heading: str, items: list[str], size: int) -> Iterator[str]:
    if not items:
        return
    most = max(size, 1)
    yield f"### {heading}"
    yield ""
    yield from (f"- {item}" for item in items[:most])
    if len(items) > most:
        yield f"- and {number(len(items) - most)} more"
    yield ""


def _overview(tables: list[Mapping[str, Any]], size: int) -> Iterator[str]:
    """A table of the tables; equal ones are the first to go when there is no room."""
    if not tables:
        return
    shown = tables[:size]
    if shown:
        names = ("Verdict", "Table", "Source rows", "Target rows", *map(str.capitalize, KINDS), "Rows/s", "Why")
        yield f"| {' | '.join(names)} |"
        yield f"|:--|:--|{'--:|' * (len(names) - 3)}:--|"
        for table in shown:
            figures = (
                *(number(table["rows"][side]) for side in SIDES),
                *(number(count_of(table, kind) or None) for kind in KINDS),
                number(speed([table], table.get("seconds"))),
            )
            cells = (table["verdict"], code(name_of(table)), *figures, prose(why(table)))
            yield f"| {' | '.join(cells)} |"
    if len(tables) > len(shown):
        yield ""
        yield f"{plural(len(tables) - len(shown), 'more table')}: the page has them all."
    yield ""


def _table(table: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {code(name_of(table))}"
    yield ""
    yield f"{prose(counts(table))}."
    columns = sorted((table.get("columns") or {}).items(), key=lambda item: (-item[1], item[0]))
    if columns:
        told = ", ".join(f"{code(name)} {number(count)}" for name, count in islice(columns, 20))
        more = f" and {plural(len(columns) - 20, 'more column')}" if len(columns) > 20 else ""  # noqa: PLR2004 - as above
        yield f"Changed rows by column{looked_at(table)}: {told}{more}."
    yield ""
    for kind in KINDS:
        keys = [key for key in islice((table.get(kind) or {}).get("keys", ()), _KEYS) if key]
        if keys:
            others = count_of(table, kind) - len(keys)
            rest = f", and {number(others)} more" if others > 0 else ""
            yield f"- {kind}: {', '.join(map(_key, keys))}{rest}"
    yield ""


def _key(key: Mapping[str, Any]) -> str:
    return code(", ".join(f"{column}={'NULL' if value is None else value}" for column, value in key.items()))


def _sequences(sequences: Iterable[Mapping[str, Any]], size: int) -> Iterator[str]:
    told = [
        f"{prose(str(item.get('verdict')))} {code(name_of(item))}: "
        + ", ".join(f"{number(item.get(side))} on the {side}" for side in SIDES)
        for item in sequences
        if item.get("verdict") != "PASS"
    ]
    yield from _listed("Sequences", told, size)


def _footer(report: Mapping[str, Any]) -> str:
    facts = [f"Run {code(str(report['run_id']))}", prose(str(report.get("mode") or "full"))]
    if report.get("started_at"):
        facts.append(code(str(report["started_at"])))
    if report.get("seconds"):
        facts.append(f"{report['seconds']:,.1f} s")
    return f"<sub>{', '.join(facts)}</sub>"
