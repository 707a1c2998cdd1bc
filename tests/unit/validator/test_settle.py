"""Rows in flight against a clock of our own: nothing late is called wrong, nothing wrong is called late for ever."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.rows import Candidate
from validator.settle import Patience, Settled, settle

# The time → what a row of each side is then; None for no row.
Rows = Callable[[float], tuple[str | None, str | None]]


class World:
    """Rows that change with the time. Looks take these `seconds`, by turns; both sides are read at their beginning."""

    def __init__(
        self,
        rows: dict[str, Rows],
        seconds: Sequence[float] = (0.0,),
        version: Callable[[float], str] = lambda _: "",
    ) -> None:
        self._rows = rows
        self._version = version
        self._seconds = itertools.cycle(seconds)
        self.now = 100.0
        self.looks = 0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def look(self, words: Sequence[str]) -> list[Candidate]:
        self.looks += 1
        read = [(word, self._rows[word](self.now - 100)) for word in words]
        version = self._version(self.now - 100)
        self.now += next(self._seconds)
        return [
            Candidate(word, tuple(filter(None, [source])), tuple(filter(None, [target])), version)
            for word, (source, target) in read
            if source != target
        ]

    def settle(self, lag: float, deadline: float) -> Settled:
        found = self.look(list(self._rows))
        return settle(found, self.look, Patience(lag, deadline), clock=self.clock, sleep=self.sleep)


def _words(candidates: list[Candidate]) -> list[str]:
    return sorted(candidate.word for candidate in candidates)


def test_a_row_that_arrives_is_equal() -> None:
    result = World({"1": lambda at: ("a", "a" if at > 3 else None)}).settle(8, 20)
    assert (result.equal, result.confirmed, result.pending) == (1, [], [])


def test_a_row_that_arrives_soon_is_soon_found_equal() -> None:
    world = World({"1": lambda at: ("a", "a" if at > 0.6 else None)})
    assert world.settle(60, 120).equal == 1
    assert (world.now, world.looks) == (100.75, 3)


def test_the_pauses_grow_to_the_longest() -> None:
    world = World({"1": lambda at: ("a", "a" if at > 17 else None)})
    assert world.settle(16, 120).equal == 1
    assert world.now == 100 + 0.25 + 0.5 + 1 + 2 + 4 + 4 + 4 + 4
    assert world.looks == 9


def test_a_row_that_never_arrives_is_wrong_after_the_lag_and_not_before() -> None:
    world = World({"1": lambda _: ("a", None)})
    result = world.settle(8, 60)
    assert result.confirmed == [Candidate("1", ("a",), ())]
    assert 108 <= world.now < 112


def test_a_row_that_keeps_changing_is_pending() -> None:
    result = World({"1": lambda at: (f"a{at // 1}", f"a{(at - 3) // 1}")}).settle(8, 30)
    assert (_words(result.pending), result.confirmed, result.equal) == (["1"], [], 0)


def test_what_the_source_held_before_is_late_not_wrong() -> None:
    # It changes once, at 3; replication stands still for longer than it may.
    result = World({"1": lambda at: ("a" if at < 3 else "b", "old" if at < 5 else "a")}).settle(8, 60)
    assert (_words(result.pending), result.confirmed) == (["1"], [])


@pytest.mark.parametrize("seen", [True, False])
def test_a_row_that_was_changed_and_changed_back_is_late_not_wrong(seen: bool) -> None:
    """The source wrote b at 7.1 and a again at 7.2, which nobody saw; the target has b from 7.5 to 11.5."""
    rows = {"1": lambda at: ("a", "old" if at < 7 else "b" if at < 11.5 else "a")}
    result = World(rows, version=lambda at: "1" if at < 7.1 else "3" if seen else "1").settle(8, 60)
    assert (result.equal, _words(result.confirmed)) == ((1, []) if seen else (0, ["1"]))


def test_a_row_that_stops_changing_is_proven_then() -> None:
    result = World({"1": lambda at: (f"a{min(int(at), 10)}", "wrong")}).settle(8, 60)
    assert result.confirmed == [Candidate("1", ("a10",), ("wrong",))]


def test_the_deadline_is_kept() -> None:
    world = World({str(n): lambda at: (f"a{at}", None) for n in range(3)})
    result = world.settle(2, 10)
    assert len(result.pending) == 3
    assert world.now <= 100 + 10 + Patience(2, 10).pause_seconds


def test_a_look_that_takes_longer_than_the_lag_proves_nothing_early() -> None:
    """The source changes before a quick look; the next takes 10 seconds, but reads the target before the lag is over."""
    world = World({"1": lambda at: ("b" if at >= 1.9 else "a", "b" if at >= 9.5 else "x")}, seconds=(0, 0, 10))
    result = world.settle(8, 60)
    assert (result.equal, result.confirmed, result.pending) == (1, [], [])


def test_many_rows_are_looked_at_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("validator.settle._BATCH", 2)
    world = World({str(n): lambda at, n=n: ("a", "a" if n < 3 and at > 1 else None) for n in range(5)})  # type: ignore[misc]
    result = world.settle(2, 10)
    assert (result.equal, _words(result.confirmed)) == (3, ["3", "4"])
    assert world.looks > 5


def test_nothing_to_settle_takes_no_time() -> None:
    world = World({})
    assert world.settle(8, 60) == Settled()
    assert (world.now, world.looks) == (100.0, 1)


@pytest.mark.parametrize(("lag", "pause"), [(0.1, 0.2), (4, 1), (60, 5)])
def test_the_pause_between_looks(lag: float, pause: float) -> None:
    assert Patience(lag).pause_seconds == pause


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    changes=st.lists(st.floats(0, 40), max_size=6),
    lag=st.floats(1, 10),
    behind=st.floats(0, 1),
    seconds=st.lists(st.sampled_from([0.0, 0.1, 3.0, 12.0]), min_size=1, max_size=5),
    broken=st.booleans(),
)
def test_a_row_within_its_lag_is_never_called_wrong_and_a_broken_one_never_equal(
    changes: list[float], lag: float, behind: float, seconds: list[float], broken: bool
) -> None:
    def source(at: float) -> str:
        return str(sum(change <= at for change in changes))

    def target(at: float) -> str:
        return "broken" if broken else source(at - lag * behind)

    world = World({"1": lambda at: (source(at), target(at))}, seconds)
    # A row that was equal at first is nothing to settle.
    result = world.settle(lag, 50 + 4 * lag)
    if broken:
        assert result.equal == 0
        assert len(result.confirmed) + len(result.pending) == 1
        if max(seconds) < lag:
            assert result.confirmed
    else:
        assert result.confirmed == []
