"""Lines of both sides → the rows that differ, however often a row is there."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator import rows
from validator.model import Slice
from validator.rows import Candidate, candidates, differing_buckets, differing_rows, surplus


def test_rows_that_differ_by_key() -> None:
    found = candidates(["1 a", "2 b", "3 c", " e", "5 f"], ["1 a", "3 d", "4 e", " g", "5 f"])
    assert found == [
        Candidate("", ("e",), ("g",)),
        Candidate("2", ("b",), ()),
        Candidate("3", ("c",), ("d",)),
        Candidate("4", (), ("e",)),
    ]
    assert [candidate.kind for candidate in found] == ["changed", "missing", "changed", "extra"]


_lines = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=12)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(_lines, _lines)
def test_rows_that_repeat_are_counted(source: list[tuple[str, str]], target: list[tuple[str, str]]) -> None:
    found = candidates(*([f"{key} {value}" for key, value in side] for side in (source, target)))
    assert len({candidate.word for candidate in found}) == len(found)
    for candidate in found:
        ours, theirs = (Counter(value for key, value in side if key == candidate.word) for side in (source, target))
        assert Counter(candidate.source) == ours - theirs
        assert Counter(candidate.target) == theirs - ours
    words = {candidate.word for candidate in found}
    for key in {key for key, _ in source + target} - words:
        assert sorted(row for row in source if row[0] == key) == sorted(row for row in target if row[0] == key)
    kinds: Counter[str] = sum((candidate.kinds for candidate in found), Counter())
    assert len(source) - len(target) == kinds["missing"] - kinds["extra"]


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 5)),
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 5)),
)
def test_rows_without_a_key_that_one_side_has_more_of(source: dict[str, int], target: dict[str, int]) -> None:
    found = surplus(*([f"{hashed} {count}" for hashed, count in side.items()] for side in (source, target)))
    more = {candidate.word: len(candidate.source) - len(candidate.target) for candidate in found}
    expected = {key: source.get(key, 0) - target.get(key, 0) for key in source | target}
    assert more == {key: count for key, count in expected.items() if count}
    assert all(candidate.kinds.total() == abs(more[candidate.word]) for candidate in found)


@pytest.mark.parametrize(
    ("source", "target", "kinds"),
    [
        (("a",), ("b",), {"changed": 1}),
        (("a", "b"), ("c",), {"changed": 1, "missing": 1}),
        (("a",), ("b", "c", "d"), {"changed": 1, "extra": 2}),
        ((), ("b", "c"), {"extra": 2}),
    ],
)
def test_a_key_that_repeats_counts_as_many_rows(source: tuple[str, ...], target: tuple[str, ...], kinds: Any) -> None:
    assert Candidate("1", source, target).kinds == kinds


def test_a_candidate_survives_json() -> None:
    candidate = Candidate("1", ("a", "b"), ())
    assert Candidate.of(json.loads(json.dumps(candidate.document()))) == candidate


def test_buckets_that_differ() -> None:
    source = {0: (3, "7"), 1: (2, "5"), 2: (1, "1"), 3: (4, "0")}
    target = {0: (3, "7"), 1: (2, "6"), 3: (5, "0"), 4: (9, "2")}
    assert differing_buckets(source, target) == {1: 2, 2: 1, 3: 5, 4: 9}


class _Reader:
    """Answers what it is asked, and notes it: which buckets, and how many rows they were said to hold."""

    def __init__(self, strategy: str) -> None:
        self.strategy = strategy
        self.asked: list[Any] = []

    def buckets(self, part: Slice) -> dict[int, tuple[int, str]]:
        self.asked.append(("buckets", part.rows))
        return dict.fromkeys(range(3), (50, "x"))

    def finer_buckets(self, part: Slice, numbers: list[int], finer: int) -> dict[int, tuple[int, str]]:
        self.asked.append(("finer", numbers, finer))
        return {number + 1000: (60, "x") for number in numbers}

    def lines_of_buckets(self, part: Slice, numbers: list[int], finer: int) -> list[str]:
        self.asked.append((numbers, finer))
        return [f"{number} 1" for number in numbers]

    def lines_of_ranges(self, lows: list[int], highs: list[int]) -> list[str]:
        self.asked.append((lows, highs))
        return [f"{low} 1" for low in lows]

    def subdivide(self, low: int, high: int, rows: int) -> dict[int, tuple[int, str]]:
        self.asked.append(("subdivide", low, high, rows))
        return {0: (50, "x"), 1: (60, "x"), 2: (500, "x")}

    def lines_of_subdivision(self, low: int, high: int, rows: int, numbers: list[int]) -> list[str]:
        self.asked.append((low, high, rows, numbers))
        return [f"{number} 1" for number in numbers]


def _asked(
    strategy: str, part: Slice, bad: dict[int, int], monkeypatch: pytest.MonkeyPatch, counted: int = 0
) -> tuple[list[Any], int]:
    """What was asked of a source that has rows and a target that has none; and how many rows were found."""
    for name, number in (("_BATCH_ROWS", 100), ("_SCAN_ROWS", 200), ("_OVERFULL", 400)):
        monkeypatch.setattr(rows, name, number)
    reader: Any = _Reader(strategy)

    def ask(question: Any) -> Any:
        answer = question(reader)
        return answer, type(answer)()

    found = [candidate for batch in differing_rows(ask, part, reader, bad, counted) for candidate in batch]
    assert {candidate.kind for candidate in found} <= {"missing"}
    return reader.asked, len(found)


@pytest.mark.parametrize("strategy", ["buckets", "multiset"])
class TestByHash:
    """Every question reads the whole table."""

    def test_buckets_are_fetched_a_bounded_number_of_rows_at_a_time(
        self, strategy: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bad = {5: 40, 1: 120, 2: 80, 3: 61}
        assert _asked(strategy, Slice(rows=1000), bad, monkeypatch) == ([([1, 2], 1), ([3, 5], 1)], 4)
        assert _asked(strategy, Slice(rows=1000), {}, monkeypatch) == ([], 0)

    def test_of_many_rows_the_equal_ones_are_sorted_out_first(
        self, strategy: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked, found = _asked(strategy, Slice(rows=9000), dict.fromkeys(range(5), 390), monkeypatch)
        assert asked == [
            ("finer", [0, 1, 2, 3], 64),
            ([1000, 1001, 1002], 64),
            ([1003], 64),
            ("finer", [4], 64),
            ([1004], 64),
        ]
        assert found == 5

    def test_buckets_too_full_because_of_old_statistics_are_made_anew(
        self, strategy: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked, found = _asked(strategy, Slice(rows=10), {7: 401}, monkeypatch, counted=401)
        assert asked == [("buckets", 401), ([0, 1, 2], 1)]
        assert found == 3
        # A row that is there so often fills its bucket however many there are.
        assert _asked(strategy, Slice(rows=401), {7: 400}, monkeypatch, counted=401)[0] == [([7], 1)]
        assert _asked(strategy, Slice(rows=500), {7: 401}, monkeypatch, counted=500)[0][0] == ("finer", [7], 64)


def test_a_range_too_full_to_be_fetched_is_cut_by_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Slice(1, 2048, (1, 2048), rows=2048)
    asked, found = _asked("ranges", part, {0: 10, 1: 101, 2: 80, 3: 20}, monkeypatch)
    assert asked == [
        ("subdivide", 513, 1024, 101),
        (513, 1024, 101, [0]),
        (513, 1024, 101, [1]),
        (513, 1024, 101, [2]),
        ([1, 1025], [512, 1536]),
        ([1537], [2048]),
    ]
    assert found == 6
