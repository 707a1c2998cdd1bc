"""Slices that cover a table, and findings that add up."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.catalog import Table
from validator.model import HIGHEST, KINDS, LOWEST, REPORTED, Findings, Slice, TableResult, batches, covers

WHOLE = Slice(inner=(LOWEST, HIGHEST), rows=1000)


def _halved(whole: Slice, choices: list[int]) -> list[Slice]:
    """The slices left when the chosen ones are halved, one after the other."""
    slices = [whole]
    for choice in choices:
        halves = slices[choice % len(slices)].halves()
        if halves is not None:
            slices[choice % len(slices) : choice % len(slices) + 1] = halves
    return slices


_choices = st.lists(st.integers(0, 10**6), max_size=12)
_ranges = st.tuples(st.integers(LOWEST, HIGHEST), st.integers(LOWEST, HIGHEST)).map(lambda ends: (min(ends), max(ends)))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.one_of(_ranges, st.just(None)), _choices, st.integers(0, 10**12))
def test_halves_of_halves_cover_the_table(inner: tuple[int, int] | None, choices: list[int], rows: int) -> None:
    slices = _halved(Slice(inner=inner, rows=rows), choices)
    assert covers(slices)
    assert covers(reversed(slices))
    assert sum(part.rows for part in slices) == rows
    if inner is not None:
        assert all(part.inner and part.low <= part.inner[0] <= part.inner[1] <= part.high for part in slices)
    # One left out, or counted twice, is noticed.
    for place in range(len(slices)):
        assert not covers(slices[:place] + slices[place + 1 :])
        assert not covers([*slices, slices[place]])


@settings(derandomize=True, deadline=None, max_examples=100)
@given(_choices, st.integers(0, 2**31 - 1))
def test_every_hash_falls_on_one_slice(choices: list[int], hashed: int) -> None:
    slices = _halved(Slice(rows=10), choices)
    assert sum(hashed & part.parts - 1 == part.part for part in slices) == 1


def test_a_range_of_one_key_cannot_be_halved() -> None:
    assert Slice(inner=(7, 7), rows=10**6).halves() is None
    first, second = Slice(low=LOWEST, high=HIGHEST, inner=(7, 8), rows=3).halves() or ()
    assert (first, second) == (Slice(LOWEST, 7, (7, 7), rows=1), Slice(8, HIGHEST, (8, 8), rows=2))


@pytest.mark.parametrize(
    "slices",
    [
        [],
        [Slice(part=0, parts=2)],
        [Slice(part=0, parts=2), Slice(part=0, parts=2)],
        [Slice(part=0, parts=2), Slice(part=1, parts=3)],
        [Slice(part=0, parts=2), Slice(part=2, parts=2)],
        [Slice(), Slice()],
        [Slice(LOWEST, 0, (0, 0)), Slice(2, HIGHEST, (2, 2))],
        [Slice(LOWEST, 1, (0, 1)), Slice(1, HIGHEST, (1, 2))],
        [Slice(LOWEST, 1, (0, 1))],
        [Slice(0, HIGHEST, (0, 1))],
        [Slice(LOWEST, 1, (0, 1)), Slice(2, HIGHEST)],
        [Slice(LOWEST, HIGHEST, (0, 1)), Slice(HIGHEST + 1, HIGHEST, (0, 1))],
        [WHOLE, Slice()],
    ],
)
def test_what_does_not_cover(slices: list[Slice]) -> None:
    assert not covers(slices)


@pytest.mark.parametrize("part", [WHOLE, Slice(), Slice(-5, 9, (1, 3), rows=7), Slice(part=3, parts=8, rows=1)])
def test_a_slice_survives_json(part: Slice) -> None:
    assert Slice.of(json.loads(json.dumps(part.document()))) == part


def _findings(kind: str, count: int, start: int) -> Findings:
    keys = [{"id": str(number)} for number in range(start, start + count)]
    found = Findings(source_rows=count, target_rows=2 * count, settled=1)
    found.counts[kind] = count
    found.keys[kind] = list(keys[:REPORTED])
    found.columns = Counter({"amount": count})
    found.differences = [{"kind": kind, "key": key} for key in keys[:REPORTED]]
    found.received = Counter(source=3, target=4)
    return found


def test_findings_of_slices_add_up_and_hold_only_so_many_keys() -> None:
    total = Findings()
    for start in (0, 600, 1200):
        total.add(_findings("missing", 600, start))
    total.add(_findings("changed", 2, 5000))
    total.add(_findings("pending", 1, 6000))
    document = total.document()
    assert total.differing == 1802
    assert document["rows"] == {"source": 1803, "target": 3606}
    assert document["missing"]["count"] == 1800
    assert document["missing"]["keys"] == [{"id": str(number)} for number in range(REPORTED)]
    assert document["changed"] == {"count": 2, "keys": [{"id": "5000"}, {"id": "5001"}]}
    assert document["extra"] == {"count": 0, "keys": []}
    assert document["pending"]["count"] == 1
    assert len(document["differences"]) == REPORTED
    assert document["columns"] == {"amount": 1803}
    assert document["settled"] == 5
    assert document["bytes"] == {"source": 15, "target": 20}


def test_findings_survive_json() -> None:
    found = _findings("extra", 3, 1)
    found.add(_findings("pending", 2, 9))
    again = Findings.of(json.loads(json.dumps(found.document())))
    assert again == found
    again.add(_findings("extra", 1, 20))
    assert again.document()["extra"]["count"] == 4
    assert found.document()["extra"]["count"] == 3
    assert Findings.of(Findings().document()) == Findings()


def test_a_table_of_which_nothing_was_read_has_no_rows() -> None:
    document = TableResult(Table("s", "t"), "INCONCLUSIVE", reason="locked").document()
    assert document["rows"] == {"source": None, "target": None}
    assert {kind: document[kind] for kind in KINDS} == {kind: {"count": 0, "keys": []} for kind in KINDS}
    read = TableResult(Table("s", "t"), "PASS", Findings(), notes=("n",), about={"key": ["id"]}).document()
    assert read["rows"] == {"source": 0, "target": 0}
    assert (read["key"], read["notes"], read["schema"], read["table"]) == (["id"], ["n"], "s", "t")


def test_batches() -> None:
    assert [list(batch) for batch in batches([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]
    assert list(batches([], 2)) == []
