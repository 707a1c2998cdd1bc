"""Rows in flight: a source that is written to and a target that follows it, on a clock of the test's own.

Time goes on by a little at each statement that the source is asked, and by what the validator sleeps; whatever is due is
then written. So every interleaving is the same each time, and none takes real time.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.integration.validator.conftest import Pair, told
from validator import compare, comparison, settle
from validator.comparison import Options
from validator.connection import Session
from validator.settle import Patience

LAG = 2.5
TABLES = {
    "ranges": "CREATE TABLE t (id int PRIMARY KEY, v int)",
    "buckets": "CREATE TABLE t (id text PRIMARY KEY, v int)",
    "multiset": "CREATE TABLE t (id int, v int)",
}
DEFECTS = "DELETE FROM t WHERE id = '1'; UPDATE t SET v = -1 WHERE id = '2'; INSERT INTO t VALUES (99, 99)"


class World:
    """Writes that are due on the source, and on the target after replication's delay, at most 2 seconds."""

    def __init__(self, pair: Pair, seed: int) -> None:
        self._pair = pair
        self._random = random.Random(seed)
        self._due: list[tuple[float, bool, str]] = []
        self._last = 0.0
        self.now = 0.0

    def write(self, at: float, sql: str, delay: float | None = None) -> None:
        """Replication keeps the order of writes."""
        delay = self._random.uniform(0, 2) if delay is None else delay
        self._last = max(self._last, at + delay)
        self._due += [(at, False, sql), (self._last, True, sql)]

    def write_now_and_then(self, until: float) -> None:
        """Rows 10 to 29 change, come and go."""
        at = 0.0
        while (at := at + self._random.uniform(0.05, 0.5)) < until:
            row, value = self._random.randrange(10, 30), self._random.randrange(10**6)
            self.write(at, self._random.choice([
                f"UPDATE t SET v = {value} WHERE id = '{row}'",
                f"UPDATE t SET v = {value} WHERE id IN ('{row}', '{row + 1}')",
                f"DELETE FROM t WHERE id = '{row}'; INSERT INTO t VALUES ({row}, {value})",
                f"DELETE FROM t WHERE id = '{row}'",
            ]))  # fmt: skip

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self._due.sort(key=lambda item: item[0])
        while self._due and self._due[0][0] <= self.now:
            _, on_target, sql = self._due.pop(0)
            (self._pair.on_target if on_target else self._pair.on_source)(sql)

    def clock(self) -> float:
        return self.now


@pytest.fixture
def world(pair: Pair, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[World]:
    world = World(pair, getattr(request, "param", 1))
    query = Session.query

    def asked(session: Session, sql: str, **values: Any) -> Any:
        if session.endpoint.side == "source":
            world.advance(0.05)
        return query(session, sql, **values)

    monkeypatch.setattr(Session, "query", asked)
    monkeypatch.setattr(compare, "settle", partial(settle.settle, clock=world.clock, sleep=world.advance))
    return world


def _make(pair: Pair, strategy: str) -> None:
    pair.on_both(f"{TABLES[strategy]}; INSERT INTO t SELECT n, n FROM generate_series(1, 40) n; ANALYZE t")


OPTIONS = Options(patience=Patience(LAG, 15), range_rows=15)


@pytest.mark.parametrize("strategy", TABLES)
@pytest.mark.parametrize("world", [1, 2, 3], indirect=True)
def test_what_is_in_flight_arrives_and_what_is_wrong_is_found(pair: Pair, world: World, strategy: str) -> None:
    _make(pair, strategy)
    pair.on_target(DEFECTS)
    world.write_now_and_then(until=25)
    document = pair.compare(options=OPTIONS)
    assert document["strategy"] == strategy
    assert told(document) == (
        ["extra 2,-1", "extra 99,99", "missing 1,1", "missing 2,2"]
        if strategy == "multiset"
        else ["changed 2: v", "extra 99", "missing 1"]
    )
    assert (document["verdict"], document["pending"]["count"]) == ("FAIL", 0)
    assert document["settled"] > 0
    assert document["notes"] == [f"{document['settled']} rows were in flight and arrived"]


def test_what_was_only_late_passes(pair: Pair, world: World) -> None:
    _make(pair, "ranges")
    world.write_now_and_then(until=25)
    document = pair.compare(options=OPTIONS)
    assert (document["verdict"], document["reason"], told(document)) == ("PASS", "", [])
    assert document["settled"] > 0


def test_what_was_changed_and_changed_back_between_two_looks_is_late_not_wrong(pair: Pair, world: World) -> None:
    """The target holds what the source held for a moment; the source's row looks as it did all the while."""
    _make(pair, "ranges")
    for at, value, arrives in ((0.01, 0, 2.45), (2.46, 1, 2.47), (2.48, 0, 4.97)):
        world.write(at, f"UPDATE t SET v = {value} WHERE id = 7", delay=arrives - at)
    document = pair.compare(options=OPTIONS)
    assert (document["verdict"], told(document), document["settled"]) == ("PASS", [], 1)


def test_without_patience_what_is_in_flight_is_a_difference(pair: Pair, world: World) -> None:
    _make(pair, "ranges")
    world.write(0.01, "UPDATE t SET v = 0 WHERE id = 7", delay=1000)
    assert told(pair.compare()) == ["changed 7: v"]


@pytest.mark.parametrize("defects", [True, False])
def test_rows_that_never_rest_are_pending_and_never_pass(pair: Pair, world: World, defects: bool) -> None:
    _make(pair, "ranges")
    if defects:
        pair.on_target(DEFECTS)
    for step in range(100):
        world.write(0.01 + step * 0.3, f"UPDATE t SET v = {1000 + step} WHERE id IN (20, 21)", delay=2)
    document = pair.compare(options=OPTIONS)
    assert document["pending"] == {"count": 2, "keys": [{"id": "20"}, {"id": "21"}]}
    assert document["verdict"] == ("FAIL" if defects else "INCONCLUSIVE")
    assert told(document) == (["changed 2: v", "extra 99", "missing 1"] if defects else [])
    assert document["reason"].endswith("2 rows were still in flight at the deadline")
    assert world.now < 20


def test_rows_without_a_key_that_never_arrive_in_time_have_no_key(pair: Pair, world: World) -> None:
    _make(pair, "multiset")
    pair.on_target("DELETE FROM t WHERE id = 3")
    document = pair.compare(options=Options(patience=Patience(LAG, 15)))
    assert (told(document), document["verdict"]) == (["missing 3,3"], "FAIL")
    # The same rows come and go on the source: nothing can be said of them.
    for step in range(100):
        world.write(world.now + step * 0.5, f"INSERT INTO t VALUES (3, {3 if step % 2 else 4})", delay=1000)
    document = pair.compare(options=Options(patience=Patience(LAG, 15)))
    assert document["pending"] == {"count": document["pending"]["count"], "keys": []}
    assert document["pending"]["count"] > 0
    assert document["verdict"] in ("FAIL", "INCONCLUSIVE")


def test_a_row_that_arrives_while_it_is_described_has_settled(
    pair: Pair, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for strategy in TABLES:
        _make(pair, strategy)
        pair.on_target(
            "DELETE FROM t WHERE id = '3'; UPDATE t SET v = -1 WHERE id = '4'; INSERT INTO t VALUES (50, 50)"
        )

        def repair(found: Any, look_again: Any, patience: Any) -> Any:
            result = settle.settle(found, look_again, patience, clock=world.clock, sleep=world.advance)
            assert len(result.confirmed) == (4 if strategy == "multiset" else 3)  # noqa: B023 - called in this turn
            pair.on_target(
                "INSERT INTO t VALUES (3, 3); UPDATE t SET v = 4 WHERE id = '4'; DELETE FROM t WHERE id = '50'"
            )
            return result

        monkeypatch.setattr(compare, "settle", repair)
        document = pair.compare(options=OPTIONS)
        if strategy == "multiset":
            # Whose rows are gone from where they were said to be; of those that are there, nothing new is known.
            assert document["settled"] == 2
        else:
            assert (document["verdict"], document["settled"], told(document)) == ("PASS", 3, [])
        pair.on_both("DROP TABLE t")


def test_more_rows_than_can_be_watched_are_inconclusive(
    pair: Pair, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "_WATCHED", 3)
    _make(pair, "ranges")
    world.write(0.01, "UPDATE t SET v = v + 1", delay=2.4)
    document = pair.compare(options=OPTIONS)
    assert (document["verdict"], document["settled"]) == ("INCONCLUSIVE", 3)
    assert document["reason"].startswith("37 more rows differ than can be watched")
