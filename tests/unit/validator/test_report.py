"""Results → verdict, document and lines; it fails closed."""

from __future__ import annotations

from typing import Any

import pytest

from validator.report import lines, summarise


def _result(verdict: str, name: str = "t", **changes: Any) -> dict[str, Any]:
    return {
        "schema": "s",
        "table": name,
        "verdict": verdict,
        "rows": {"source": 1234, "target": 1234},
        "checksum": {"source": "1:2", "target": "1:2"},
        "reason": "",
        "notes": [],
        **changes,
    }


@pytest.mark.parametrize(
    ("verdicts", "verdict", "mismatches", "inconclusive"),
    [
        (["PASS", "PASS"], "PASS", 0, 0),
        (["PASS", "FAIL"], "FAIL", 1, 0),
        (["PASS", "INCONCLUSIVE"], "INCONCLUSIVE", 0, 1),
        (["INCONCLUSIVE", "FAIL"], "FAIL", 1, 1),
        (["FAIL", "FAIL"], "FAIL", 2, 0),
    ],
)
def test_the_worst_table_decides(verdicts: list[str], verdict: str, mismatches: int, inconclusive: int) -> None:
    report = summarise("r", [_result(each, f"t{place}") for place, each in enumerate(verdicts)])
    assert report["verdict"] == verdict
    assert report["mismatches"] == mismatches
    assert report["inconclusive"] == inconclusive
    assert report["compared"] == 2
    assert report["problems"] == []
    assert report["run_id"] == "r"


def test_nothing_compared_is_inconclusive() -> None:
    report = summarise("r", [])
    assert (report["verdict"], report["problems"]) == ("INCONCLUSIVE", ["no table was compared"])


@pytest.mark.parametrize(
    "result",
    [
        None,
        "PASS",
        {},
        {"verdict": "PASS"},
        {"schema": "s", "table": "t", "verdict": "pass"},
        {"Error": "x", "Cause": "y"},
    ],
)
def test_what_is_no_result_is_inconclusive(result: Any) -> None:
    report = summarise("r", [_result("PASS"), result])
    assert report["verdict"] == "INCONCLUSIVE"
    assert report["inconclusive"] == 1
    assert report["problems"] == ["a comparison ended without a result"]


def test_every_planned_table_has_one_result() -> None:
    planned = [{"schema": "s", "table": "a"}, {"schema": "s", "table": "b"}]
    assert summarise("r", [_result("PASS", "a"), _result("PASS", "b")], planned=planned)["verdict"] == "PASS"
    report = summarise("r", [_result("PASS", "a"), _result("PASS", "a"), _result("PASS", "c")], planned=planned)
    assert report["verdict"] == "INCONCLUSIVE"
    assert report["problems"] == [
        "s.a: 2 results for 1 planned comparisons",
        "s.b: 0 results for 1 planned comparisons",
        "s.c: 1 results for 0 planned comparisons",
    ]


def test_a_table_with_two_results_is_inconclusive_without_a_plan() -> None:
    assert summarise("r", [_result("PASS"), _result("PASS")])["verdict"] == "INCONCLUSIVE"


def test_a_problem_ends_a_run_inconclusive_or_failed() -> None:
    assert summarise("r", [_result("PASS")], problem="cut")["verdict"] == "INCONCLUSIVE"
    assert summarise("r", [], problem="cut")["problems"] == ["cut"]
    assert summarise("r", [_result("FAIL")], problem="cut")["verdict"] == "FAIL"


def test_lines_for_people() -> None:
    report = summarise(
        "r",
        [
            _result("PASS", "b", notes=["column x is int on the source"]),
            _result("FAIL", "a\x1b[2J\n", rows={"source": None, "target": None}, reason="the table is missing"),
        ],
        skipped=[{"schema": "s", "name": n, "kind": k} for n, k in (("v", "view"), ("w", "view"), ("q", "sequence"))],
        problem="cut\x07",
    )
    assert lines(report) == [
        "verdict  table         source rows  target rows  why",
        "FAIL     s.a\\x1b[2J\\n            -            -  the table is missing",
        "PASS     s.b                 1,234        1,234  column x is int on the source",
        "left out: 1 sequence, 2 views",
        "problem: cut\\x07",
        "FAIL: 2 tables compared, 1 differ, 1 inconclusive",
    ]
