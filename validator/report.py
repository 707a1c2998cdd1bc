"""The results of a run → one verdict, the report's document, and lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from validator.wording import (
    KINDS,
    SIDES,
    count_of,
    counts,
    left_out,
    looked_at,
    loudest_first,
    name_of,
    number,
    printable,
    speed,
    summary,
    why,
)

__all__ = ["lines", "printable", "summarise"]

_VERDICTS = ("PASS", "FAIL", "INCONCLUSIVE")
_KEYS = 5  # of each kind in a terminal; the document has more


def summarise(  # noqa: PLR0913 - what a run is made of; all but the results by name
    run_id: str,
    results: Sequence[Any],
    *,
    planned: Iterable[Mapping[str, Any]] | None = None,
    skipped: Iterable[Mapping[str, Any]] = (),
    problem: str = "",
    sequences: Iterable[Mapping[str, Any]] = (),
    source: Mapping[str, Any] | None = None,
    target: Mapping[str, Any] | None = None,
    marker: Mapping[str, Any] | None = None,
    mode: str = "full",
    started_at: str = "",
    seconds: float | None = None,
) -> dict[str, Any]:
    """The report of a run: the verdict first, then every table's result.

    Fails closed: a result that is no result, one that says PASS beside counts that deny it, a planned table without
    exactly one, a run without tables, and one that a `problem` ended are each INCONCLUSIVE. `mismatches` counts the
    tables and sequences that failed.
    """
    problems = [problem] if problem else [] if results else ["no table was compared"]
    tables = []
    for result in results:
        if _is_result(result):
            tables.append(dict(result))
        else:
            problems.append("a comparison ended without a result")
    problems += _unplanned(tables, planned)
    problems += [f"{name_of(table)}: says PASS, but {denied}" for table in tables for denied in _denials(table)]
    checked = [dict(item) for item in sequences]
    problems += [
        f"sequence {name_of(item)}: compared without a result"
        for item in checked
        if item.get("verdict") not in _VERDICTS
    ]
    found = Counter(item.get("verdict") for item in (*tables, *checked))
    verdict = "FAIL" if found["FAIL"] else "INCONCLUSIVE" if found["INCONCLUSIVE"] or problems else "PASS"
    return {
        "verdict": verdict,
        "run_id": run_id,
        "started_at": started_at,
        "seconds": seconds,
        "mode": mode,
        "compared": len(tables),
        "mismatches": found["FAIL"],
        "inconclusive": found["INCONCLUSIVE"] + len(problems),
        "problems": problems,
        "tables": sorted(tables, key=lambda table: (table["schema"], table["table"])),
        "sequences": checked,
        "skipped": [dict(item) for item in skipped],
        "source": dict(source or {}),
        "target": dict(target or {}),
        "marker": None if marker is None else dict(marker),
    }


def _is_result(result: Any) -> bool:
    return (
        isinstance(result, Mapping)
        and result.get("verdict") in _VERDICTS
        and {"schema", "table"} <= result.keys()
        and isinstance(result.get("rows"), Mapping)
        and set(SIDES) <= result["rows"].keys()
    )


def _unplanned(tables: Iterable[Mapping[str, Any]], planned: Iterable[Mapping[str, Any]] | None) -> Iterator[str]:
    compared = Counter((table["schema"], table["table"]) for table in tables)
    expected = compared if planned is None else Counter((table["schema"], table["table"]) for table in planned)
    for schema, name in sorted({*compared, *expected}):
        if compared[schema, name] != 1 or expected[schema, name] != 1:
            yield f"{schema}.{name}: {compared[schema, name]} results for {expected[schema, name]} planned comparisons"


def _denials(table: Mapping[str, Any]) -> Iterator[str]:
    """What a table's own counts say against its PASS; rows that settled were counted while they were in flight."""
    if table["verdict"] != "PASS":
        return
    if counts(table):
        yield f"has {counts(table)}"
    source, target = (table["rows"][side] for side in SIDES)
    if source is None or target is None:
        yield "a side was not read"
    elif source != target and not table.get("settled"):
        yield f"{number(source)} rows on the source, {number(target)} on the target"


def lines(report: Mapping[str, Any]) -> list[str]:
    """The report for a terminal: a line per table, how rows differ, what was left out; the verdict last."""
    tables = report["tables"]
    kinds = [kind for kind in KINDS if any(count_of(table, kind) for table in tables)]
    timed = any(table.get("seconds") for table in tables)
    rows = [("verdict", "table", "source rows", "target rows", *kinds, *(["rows/s"] if timed else []), "why")]
    for table in tables:
        figures = [
            *(number(table["rows"][side]) for side in SIDES),
            *(number(count_of(table, kind)) for kind in kinds),
            *([number(speed([table], table.get("seconds")))] if timed else []),
        ]
        rows.append((table["verdict"], printable(name_of(table)), *figures, printable(why(table))))
    text = _aligned(rows)
    for table in loudest_first(tables):
        text += _details(table)
    text += _sequences(report.get("sequences", ()))
    if left_out(report):
        text.append(printable(f"left out: {left_out(report)}"))
    text += [printable(f"problem: {problem}") for problem in report["problems"]]
    text.append(summary(report))
    return text


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns as wide as what they hold: words to the left, figures to the right, the last one as it is."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
    return [
        "  ".join(
            [
                *(f"{row[place]:{'<' if place < len(SIDES) else '>'}{width}}" for place, width in enumerate(widths)),
                row[-1],
            ]
        ).rstrip()
        for row in rows
    ]


def _details(table: Mapping[str, Any]) -> Iterator[str]:
    """How the rows of a table differ: by column, and the first keys of each kind."""
    if not counts(table):
        return
    columns = sorted((table.get("columns") or {}).items(), key=lambda item: (-item[1], item[0]))
    by_column = ", ".join(f"{name} {number(count)}" for name, count in columns)
    yield printable(
        f"{name_of(table)}: {counts(table)}{f'; by column{looked_at(table)}: {by_column}' if by_column else ''}"
    )
    for kind in KINDS:
        keys = [key_text(key) for key in islice((table.get(kind) or {}).get("keys", ()), _KEYS) if key]
        more = count_of(table, kind) - len(keys)
        if keys:
            yield printable(f"  {kind}: {'; '.join(keys)}{f'; and {number(more)} more' if more > 0 else ''}")


def key_text(key: Mapping[str, Any]) -> str:
    """`account_id 7, payment_id 17`."""
    return ", ".join(f"{column} {'NULL' if value is None else value}" for column, value in key.items())


def _sequences(sequences: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    checked = list(sequences)
    wrong = [item for item in checked if item.get("verdict") != "PASS"]
    for item in wrong:
        values = ", ".join(f"{number(item.get(side))} on the {side}" for side in SIDES)
        yield printable(f"sequence {name_of(item)} {item.get('verdict')}: {values}")
    if checked:
        yield f"sequences: {len(checked)} compared, {len(wrong)} not as they must be"
