"""The marker: durable where it is written, seen when it arrives, and said what was seen when it does not."""

from __future__ import annotations

from typing import Any

import pytest

from cutover import marker


def test_it_is_written_behind_everything_before_it(pair: Any) -> None:
    with pair.sessions() as (source, target):
        for session in (source, target):
            marker.create(session)
            marker.create(session)
        before = source.value("SELECT pg_current_wal_lsn()::text")
        source.query("CREATE TABLE public.t AS SELECT generate_series(1, 1000) AS n")
        written = marker.write(source)
        after = source.value("SELECT pg_current_wal_flush_lsn()::text")
        assert source.value(f"SELECT '{before}'::pg_lsn < '{written.lsn}' AND '{written.lsn}'::pg_lsn < '{after}'")
        assert source.query("SELECT id::text, lsn::text, written_at::text FROM cutover.marker") == [
            [written.id, written.lsn, written.written_at]
        ]


def test_one_that_arrives(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pair.sessions() as (source, target):
        for session in (source, target):
            marker.create(session)
        written = marker.write(source)

        def arrive(_: float) -> None:
            # The key is there once: to wait again after it arrived would fail.
            pair.target.run(
                f"INSERT INTO cutover.marker VALUES ('{written.id}', '{written.lsn}', '{written.written_at}')"
            )

        monkeypatch.setattr("cutover.marker.time.sleep", arrive)
        sighting = marker.wait(target, written, timeout_seconds=60)
        assert (sighting.arrived, sighting.looks, sighting.newest) == (True, 2, written)
        assert str(sighting) == f"the marker arrived after {sighting.waited_seconds:.2f} s"


def test_one_that_does_not(pair: Any) -> None:
    with pair.sessions() as (source, target):
        for session in (source, target):
            marker.create(session)
        first, second = marker.write(source), marker.write(source)
        sighting = marker.wait(target, second, timeout_seconds=0)
        assert (sighting.arrived, sighting.looks, sighting.newest) == (False, 1, None)
        assert str(sighting) == "the marker has not arrived within 0.0 s; none is there"
        pair.target.run(f"INSERT INTO cutover.marker VALUES ('{first.id}', '{first.lsn}', '{first.written_at}')")
        sighting = marker.wait(target, second, timeout_seconds=0.05)
        assert not sighting.arrived
        assert sighting.newest == first
        assert str(sighting).endswith(f"the newest there is of {first.written_at} at {first.lsn}")
