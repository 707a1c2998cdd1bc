"""The words that the terminal, the Markdown and the page share: counts, sentences, what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

KINDS = ("missing", "extra", "changed", "pending")
SIDES = ("source", "target")
_STANDINGS = {
    "PASS": "The databases hold the same rows",
    "FAIL": "The databases differ",
    "INCONCLUSIVE": "Nothing is proven",
}
_ORDER = {"FAIL": 0, "INCONCLUSIVE": 1, "PASS": 2}


def printable(text: str) -> str:
    """Control characters, which a name may hold, written as escapes: they must not reach a terminal or a log."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def number(count: float | None) -> str:
    """A count with its thousands apart, - for one that is not known."""
    return "-" if count is None else f"{count:,.0f}"


def plural(count: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def name_of(item: Mapping[str, Any]) -> str:
    """`schema.table`, as it is: whoever shows it escapes it."""
    return f"{item.get('schema')}.{item.get('table', item.get('name'))}"


def count_of(table: Mapping[str, Any], kind: str) -> int:
    """How many rows of a table are missing, extra, changed or pending."""
    return int((table.get(kind) or {}).get("count", 0))


def differing(table: Mapping[str, Any]) -> int:
    """How many rows of a table are known to differ."""
    return sum(count_of(table, kind) for kind in KINDS if kind != "pending")


def counts(table: Mapping[str, Any]) -> str:
    """`11 missing, 5 extra`; "" for none."""
    return ", ".join(f"{number(count_of(table, kind))} {kind}" for kind in KINDS if count_of(table, kind))


def speed(items: Iterable[Mapping[str, Any]], seconds: float | None) -> float | None:
    """Rows compared per second: the longer side's, None where it cannot be known."""
    rows = sum(max(item["rows"][side] or 0 for side in SIDES) for item in items)
    return rows / seconds if rows and seconds else None


def why(table: Mapping[str, Any]) -> str:
    """The reason of a table's verdict and its notes, in one line."""
    return "; ".join(filter(None, [table.get("reason"), *table.get("notes", ())]))


def loudest_first(tables: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Tables that differ, then those that nothing is known of, then equal ones; by name within."""
    return sorted(tables, key=lambda table: (_ORDER[table["verdict"]], table["schema"], table["table"]))


def standing(report: Mapping[str, Any]) -> str:
    """The verdict as a sentence without its full stop."""
    return _STANDINGS[report["verdict"]]


def headline(report: Mapping[str, Any]) -> str:
    """What was found, in one sentence: how many tables, and how their rows differ."""
    tables = report["tables"]
    verdicts = Counter(table["verdict"] for table in tables)
    total: Counter[str] = Counter()
    for table in tables:
        total.update({kind: count_of(table, kind) for kind in KINDS})
    parts = [f"{number(verdicts['PASS'])} of {plural(len(tables), 'table')} equal"]
    if total["missing"]:
        parts.append(f"{plural(total['missing'], 'row')} missing on the target")
    if total["extra"]:
        parts.append(f"{plural(total['extra'], 'row')} on the target only")
    if total["changed"]:
        parts.append(f"{plural(total['changed'], 'row')} changed")
    if total["pending"]:
        parts.append(f"{plural(total['pending'], 'row')} still in flight")
    behind = sum(item.get("verdict") != "PASS" for item in report.get("sequences", ()))
    if behind:
        parts.append(f"{plural(behind, 'sequence')} behind")
    return ", ".join(parts)


def summary(report: Mapping[str, Any]) -> str:
    """The last line of a run."""
    return (
        f"{report['verdict']}: {plural(report['compared'], 'table')} compared, {report['mismatches']} differ, "
        f"{report['inconclusive']} inconclusive"
    )


def left_out(report: Mapping[str, Any]) -> str:
    """`1 sequence, 2 views`; "" for none."""
    kinds = Counter(item["kind"] for item in report.get("skipped", ()))
    return ", ".join(plural(count, kind) for kind, count in sorted(kinds.items()))


def next_steps(report: Mapping[str, Any]) -> Iterator[str]:
    """What to do now, most urgent first."""
    tables = report["tables"]
    if report["verdict"] == "PASS":
        which = "every row that changed since the last run" if report.get("mode") == "incremental" else "every row"
        yield f"Nothing: {which} of every compared table is the same on both sides."
        if report.get("skipped"):
            yield "Know what was left out: nothing is said about it here."
        return
    yield "Do not switch over: only PASS proves that every row has arrived."
    if report["problems"]:
        yield "Mend the problems told here and run again; until then nothing is proven."
    if any(table["verdict"] == "FAIL" and not differing(table) for table in tables):
        yield "Look at the reason of each table that differs without differing rows: its definition is not the same."
    if any(map(differing, tables)):
        yield (
            "Find out why rows differ before mending them: the errors of DMS are in the task's log and in "
            "awsdms_apply_exceptions on the target."
        )
        yield "repair.sql makes the rows of the target equal; read it, run it, and only then let it COMMIT."
    if any(count_of(table, "pending") for table in tables):
        yield "Run again when replication has caught up, or after writes have stopped: rows were still in flight."
    if any(item.get("verdict") != "PASS" for item in report.get("sequences", ())):
        yield "Set the sequences of the target to at least the source's values: otherwise new rows take used numbers."
    yield "Run the comparison again: only its verdict counts."


def looked_at(table: Mapping[str, Any]) -> str:
    """Of how many changed rows the columns are known, "" where it is all of them."""
    described = table.get("described")
    return f" (first {number(described)})" if described is not None and described < count_of(table, "changed") else ""
