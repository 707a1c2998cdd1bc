"""The results of a run → one verdict, the report's document, and lines for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_VERDICTS = ("PASS", "FAIL", "INCONCLUSIVE")


def summarise(
    run_id: str,
    results: Sequence[Any],
    *,
    planned: Iterable[Mapping[str, Any]] | None = None,
    skipped: Iterable[Mapping[str, Any]] = (),
    problem: str = "",
) -> dict[str, Any]:
    """The report of a run: the verdict first, then every table's result.

    Fails closed: a result that is no result, a planned table without exactly one, a run without tables, and one that a
    `problem` ended are each INCONCLUSIVE. `mismatches` counts the tables that failed.
    """
    problems = [problem] if problem else [] if results else ["no table was compared"]
    tables = []
    for result in results:
        if _is_result(result):
            tables.append(dict(result))
        else:
            problems.append("a comparison ended without a result")
    compared = Counter((table["schema"], table["table"]) for table in tables)
    expected = compared if planned is None else Counter((table["schema"], table["table"]) for table in planned)
    for schema, name in sorted({*compared, *expected}):
        if compared[schema, name] != 1 or expected[schema, name] != 1:
            problems.append(
                f"{schema}.{name}: {compared[schema, name]} results for {expected[schema, name]} planned comparisons"
            )
    counts = Counter(table["verdict"] for table in tables)
    verdict = "FAIL" if counts["FAIL"] else "INCONCLUSIVE" if counts["INCONCLUSIVE"] or problems else "PASS"
    return {
        "verdict": verdict,
        "run_id": run_id,
        "compared": len(tables),
        "mismatches": counts["FAIL"],
        "inconclusive": counts["INCONCLUSIVE"] + len(problems),
        "problems": problems,
        "tables": sorted(tables, key=lambda table: (table["schema"], table["table"])),
        "skipped": [dict(item) for item in skipped],
    }


def _is_result(result: Any) -> bool:
    return isinstance(result, Mapping) and result.get("verdict") in _VERDICTS and {"schema", "table"} <= result.keys()


def lines(report: Mapping[str, Any]) -> list[str]:
    """The report for a terminal: a line per table, what was left out, the verdict last."""
    rows = [("verdict", "table", "source rows", "target rows", "why")]
    for table in report["tables"]:
        why = "; ".join(filter(None, [table["reason"], *table.get("notes", ())]))
        counts = [_number(table["rows"][side]) for side in ("source", "target")]
        rows.append((table["verdict"], printable(f"{table['schema']}.{table['table']}"), *counts, printable(why)))
    widths = [max(len(row[place]) for row in rows) for place in range(4)]
    text = [
        f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}  {row[4]}".rstrip()
        for row in rows
    ]
    kinds = Counter(item["kind"] for item in report["skipped"])
    if kinds:
        text.append(
            "left out: "
            + ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(kinds.items()))
        )
    text += [printable(f"problem: {problem}") for problem in report["problems"]]
    text.append(
        f"{report['verdict']}: {report['compared']} tables compared, {report['mismatches']} differ, "
        f"{report['inconclusive']} inconclusive"
    )
    return text


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def printable(text: str) -> str:
    """Control characters, which a name may hold, written as escapes: they must not reach a terminal or a log."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
