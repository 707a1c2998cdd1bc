"""What a terminal and the other forms of a report say; what a result may not claim."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.validator.reports import CASES, differing, equal, hostile, table
from validator.report import lines, summarise
from validator.wording import headline, next_steps


def test_a_terminal_tells_how_rows_differ() -> None:
    assert lines(differing()) == [
        "verdict       table             source rows  target rows  missing  extra  changed  pending   rows/s  why",
        "PASS          public.accounts     1,000,000    1,000,000        0      0        0        0  400,000",
        "FAIL          public.audit_log      200,000      199,999        1      0        0        0   16,000  it has no key: rows are compared by how often they occur",
        "PASS          public.customers      500,000      500,000        0      0        0        0  400,000",
        "INCONCLUSIVE  public.ledger       2,000,000    2,000,000        0      0        0        1  160,000  1 row was still in flight after 60 s",
        "FAIL          public.payments     5,000,000    4,999,990       12      2       10        0  400,000",
        "public.audit_log: 1 missing",
        "public.payments: 12 missing, 2 extra, 10 changed; by column: reference 5, amount 2, card_number 1, created_at 1, currency 1, place 1, rate 1",
        "  missing: payment_id 100; payment_id 101; payment_id 102; payment_id 103; payment_id 104; and 7 more",
        "  extra: payment_id -1; payment_id -2",
        "  changed: payment_id 17; payment_id 18; payment_id 19; payment_id 20; payment_id 21; and 5 more",
        "public.ledger: 1 pending",
        "  pending: account_id 7, entry 3",
        "sequence public.payments_id_seq FAIL: 5,000,111 on the source, 1 on the target",
        "sequences: 2 compared, 1 not as they must be",
        "left out: 1 view",
        "FAIL: 5 tables compared, 3 differ, 1 inconclusive",
    ]


def test_equal_tables_need_a_line_each() -> None:
    assert lines(equal()) == [
        "verdict  table            source rows  target rows   rows/s  why",
        "PASS     public.accounts    5,000,000    5,000,000  400,000",
        "PASS     public.payments    5,000,000    5,000,000  400,000",
        "sequences: 1 compared, 0 not as they must be",
        "left out: 2 views",
        "PASS: 2 tables compared, 0 differ, 0 inconclusive",
    ]


def test_a_null_key_is_told() -> None:
    report = summarise("r", [table("t", "FAIL", {"kind": "extra", "key": {"a": None}})])
    assert "  extra: a NULL" in lines(report)


def test_no_control_character_reaches_the_terminal() -> None:
    told = lines(hostile())
    assert any("\\x1b[31m\\u202e" in line for line in told)
    assert all(line.isprintable() for line in told)


def test_the_document_has_what_was_given() -> None:
    report = differing()
    assert report["source"] == {"version": 15.18}
    assert report["target"] == {"version": 17.11}
    assert report["marker"] == {"lsn": "0/16B3748"}
    assert (report["mode"], report["started_at"], report["seconds"]) == ("full", "2026-11-30T08:00:00Z", 31.25)
    assert [item["verdict"] for item in report["sequences"]] == ["FAIL", "PASS"]
    assert (report["verdict"], report["mismatches"], report["inconclusive"]) == ("FAIL", 3, 1)
    plain = summarise("r", [table("t", "PASS")])
    assert (plain["sequences"], plain["source"], plain["target"], plain["marker"]) == ([], {}, {}, None)


@pytest.mark.parametrize(
    ("sequences", "verdict", "counted"),
    [
        ([{"verdict": "PASS"}], "PASS", (0, 0)),
        ([{"verdict": "FAIL"}, {"verdict": "PASS"}], "FAIL", (1, 0)),
        ([{"verdict": "INCONCLUSIVE"}], "INCONCLUSIVE", (0, 1)),
        ([{}], "INCONCLUSIVE", (0, 1)),
        ([{"verdict": "pass"}], "INCONCLUSIVE", (0, 1)),
    ],
)
def test_sequences_count(sequences: list[dict[str, Any]], verdict: str, counted: tuple[int, int]) -> None:
    report = summarise("r", [table("t", "PASS")], sequences=sequences)
    assert (report["verdict"], (report["mismatches"], report["inconclusive"])) == (verdict, counted)
    assert lines(report)[-1].startswith(verdict)


@pytest.mark.parametrize(
    ("changes", "denied"),
    [
        ({"pending": {"count": 1, "keys": []}}, "has 1 pending"),
        ({"missing": {"count": 2, "keys": []}, "changed": {"count": 3, "keys": []}}, "has 2 missing, 3 changed"),
        ({"rows": {"source": 5, "target": 4}}, "5 rows on the source, 4 on the target"),
        ({"rows": {"source": None, "target": 4}}, "a side was not read"),
    ],
)
def test_a_pass_that_its_own_counts_deny_is_none(changes: dict[str, Any], denied: str) -> None:
    report = summarise("r", [table("t", "PASS", **changes)])
    assert report["verdict"] == "INCONCLUSIVE"
    assert report["problems"] == [f"public.t: says PASS, but {denied}"]


def test_rows_that_settled_were_counted_in_flight() -> None:
    assert summarise("r", [table("t", "PASS", rows={"source": 5, "target": 4}, settled=1)])["verdict"] == "PASS"


@pytest.mark.parametrize("rows", [None, 5, {}, {"source": 1}])
def test_a_result_without_rows_is_none(rows: Any) -> None:
    report = summarise("r", [table("t", "PASS", rows=rows), table("u", "PASS")])
    assert report["problems"] == ["a comparison ended without a result"]


def test_the_headline_counts_what_differs() -> None:
    assert headline(differing()) == (
        "2 of 5 tables equal, 13 rows missing on the target, 2 rows on the target only, 10 rows changed, "
        "1 row still in flight, 1 sequence behind"
    )


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"missing": {"count": 1, "keys": []}}, "repair.sql makes the rows of the target equal"),
        ({"reason": "column x is missing on the target"}, "Look at the reason of each table that differs"),
        ({"pending": {"count": 1, "keys": []}}, "Run again when replication has caught up"),
    ],
)
def test_what_to_do_fits_what_was_found(changes: dict[str, Any], step: str) -> None:
    def told(report: dict[str, Any]) -> str:
        return "\n".join(next_steps(report))

    assert step in told(summarise("r", [table("t", "FAIL", **changes)]))
    assert step not in told(summarise("r", [table("t", "INCONCLUSIVE")]))
    assert "Do not switch over" in told(summarise("r", [table("t", "FAIL", **changes)]))
    assert "Mend the problems" in told(summarise("r", [], problem="cut"))
    assert "Set the sequences" in told(summarise("r", [table("t", "PASS")], sequences=[{"verdict": "FAIL"}]))
    assert told(summarise("r", [table("t", "PASS")])) == (
        "Nothing: every row of every compared table is the same on both sides."
    )


@pytest.mark.parametrize("name", CASES)
def test_every_report_can_be_told(name: str) -> None:
    report = CASES[name]()
    assert lines(report)[-1].startswith(f"{report['verdict']}: {len(report['tables'])} table")
