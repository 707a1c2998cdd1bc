"""A slice that runs into the statement timeout: done in halves, of which each row is in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.validator.conftest import Pair, told
from validator import compare, plan, scan


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """Makes the target's statement timeout strike whenever a slice has more than so many rows; gives the slices' rows."""

    def strike(most: int) -> list[int]:
        read: list[int] = []
        buckets = scan.Reader.buckets

        def timed(reader: scan.Reader, part: Any) -> Any:
            if reader.session.endpoint.side == "target":
                read.append(part.rows)
                if part.rows > most:
                    reader.session.query("SET LOCAL statement_timeout TO '1ms'")
                    reader.session.query("SELECT pg_sleep(60)")
            return buckets(reader, part)

        monkeypatch.setattr(scan.Reader, "buckets", timed)
        monkeypatch.setattr(compare, "_INDIVISIBLE", 6)
        return read

    return strike


SHAPES = {
    "ranges": "CREATE TABLE big (id int PRIMARY KEY, v int)",
    "buckets": "CREATE TABLE big (id text PRIMARY KEY, v int)",
    "multiset": "CREATE TABLE big (id int, v int)",
}


@pytest.mark.parametrize("strategy", SHAPES)
def test_a_slice_that_takes_too_long_is_done_in_halves(
    pair: Pair, strategy: str, slow: Callable[[int], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "_BUCKET_ROWS", 4)
    pair.on_both(f"{SHAPES[strategy]}; INSERT INTO big SELECT n, n FROM generate_series(1, 64) n; ANALYZE big")
    pair.on_target("DELETE FROM big WHERE v = 1; UPDATE big SET v = 0 WHERE v = 40; INSERT INTO big VALUES (65, 65)")
    at_once = pair.compare("big")
    read = slow(16)
    document = pair.compare("big")
    assert document["strategy"] == strategy
    assert read == [64, 32, 16, 16, 32, 16, 16]
    assert told(document) == told(at_once)
    assert len(told(document)) == (4 if strategy == "multiset" else 3)
    assert document["rows"] == at_once["rows"] == {"source": 64, "target": 64}


def test_a_slice_that_cannot_be_halved_any_more_is_inconclusive(pair: Pair, slow: Callable[[int], list[int]]) -> None:
    pair.on_both(f"{SHAPES['ranges']}; INSERT INTO big SELECT n, n FROM generate_series(1, 30) n; ANALYZE big")
    read = slow(0)
    document = pair.compare("big")
    assert (document["verdict"], read) == ("INCONCLUSIVE", [30, 15, 7, 3])
    assert document["reason"] == "the target says: canceling statement due to statement timeout (57014)"
