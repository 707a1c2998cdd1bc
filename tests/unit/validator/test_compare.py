"""What a table's findings come to: the verdict, in words, and what the source is spared."""

from __future__ import annotations

from typing import Any

import pytest

from validator import compare, comparison
from validator.catalog import Definition, Table
from validator.compare import conclude, once_more
from validator.comparison import Comparison, Progress
from validator.errors import ConnectionLostError
from validator.matching import Matched
from validator.model import Findings, Slice
from validator.rows import Candidate

_DEFINITION = Definition(relation=1, partitioned=False, columns=(), key=("id",))


def _comparison(
    faults: tuple[str, ...] = (), unjudged: tuple[str, ...] = (), notes: tuple[str, ...] = ()
) -> Comparison:
    matched = Matched(
        Table("public", "payments"), _DEFINITION, _DEFINITION, ((), ()), ("id",), "fast", faults, unjudged, notes
    )
    return Comparison(matched, "ranges", (Slice(), Slice()), ("a", "b"), 1)


def _progress(settled: int = 0, unwatched: int = 0, notes: tuple[str, ...] = (), **counts: int) -> Progress:
    progress = Progress(Findings(settled=settled), unwatched=unwatched, notes=list(notes))
    progress.findings.counts.update(counts)
    return progress


@pytest.mark.parametrize(
    ("comparison", "progress", "problem", "verdict", "reason"),
    [
        (_comparison(), _progress(), "", "PASS", ""),
        (_comparison(), _progress(settled=3), "", "PASS", ""),
        (_comparison(), _progress(missing=1), "", "FAIL", "1 row missing on the target"),
        (
            _comparison(),
            _progress(missing=2, extra=1, changed=3),
            "",
            "FAIL",
            "2 rows missing on the target; 1 row extra on the target; 3 rows changed",
        ),
        (_comparison(faults=("column a is missing on the target",)), _progress(), "", "FAIL", "column a is missing on the target"),
        (_comparison(unjudged=("column o cannot be compared",)), _progress(), "", "INCONCLUSIVE", "column o cannot be compared"),
        (_comparison(), _progress(pending=2), "", "INCONCLUSIVE", "2 rows were still in flight at the deadline"),
        (_comparison(), _progress(), "locked", "INCONCLUSIVE", "locked"),
        (_comparison(), _progress(changed=1, pending=1), "locked", "FAIL", "1 row changed; 1 rows were still in flight at the deadline; locked"),
    ],
)  # fmt: skip
def test_the_verdict(comparison: Comparison, progress: Progress, problem: str, verdict: str, reason: str) -> None:
    result = conclude(comparison, progress, problem)
    assert (result.verdict, result.reason) == (verdict, reason)


def test_more_rows_than_are_watched_are_doubts() -> None:
    result = conclude(_comparison(), _progress(unwatched=5))
    assert result.verdict == "INCONCLUSIVE"
    assert result.reason.startswith("5 more rows differ than can be watched")


def test_what_does_not_decide_is_noted() -> None:
    result = conclude(_comparison(notes=("a",)), _progress(settled=3, notes=("b",)), mode="full")
    assert result.notes == ("a", "b", "3 rows were in flight and arrived")
    document = result.document()
    assert (document["mode"], document["strategy"], document["slices"], document["key"]) == (
        "full",
        "ranges",
        2,
        ["id"],
    )


def test_rows_to_be_watched_add_up_to_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "_WATCHED", 3)
    total = Progress()
    for start in (0, 2, 4):
        total.add(Progress(waiting=[Candidate(str(start + n), ("a",), ()) for n in range(2)], notes=[str(start)]))
    total.add(Progress(unwatched=7))
    assert [candidate.word for candidate in total.waiting] == ["0", "1", "2"]
    assert (total.unwatched, total.notes) == (10, ["0", "2", "4"])


@pytest.mark.parametrize(("share", "pauses"), [(1.0, []), (0.5, [8.0]), (0.25, [24.0])])
def test_the_source_is_left_alone_for_its_share(
    share: float, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("validator.compare.time.sleep", slept.append)

    class Source:
        busy = 8.0

        def take_busy(self) -> float:
            busy, self.busy = self.busy, 0.0
            return busy

    source: Any = Source()
    compare._rest(source, share)
    assert slept == pauses
    assert source.busy == 0


def test_work_is_done_once_more_on_new_connections() -> None:
    closed = []
    turns: list[int] = []

    class Opened:
        def close(self) -> None:
            closed.append(len(turns))

    def work() -> str:
        turns.append(1)
        if len(turns) < 2:
            raise ConnectionLostError("cut")
        return "done"

    sides: Any = Opened()
    assert once_more(sides, work) == "done"
    assert (closed, len(turns)) == ([1], 2)
    with pytest.raises(ConnectionLostError):
        once_more(sides, lambda: (_ for _ in ()).throw(ConnectionLostError("again")))
