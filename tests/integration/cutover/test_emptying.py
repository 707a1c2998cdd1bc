"""Emptying the target: never while its rows may be the only ones."""

from __future__ import annotations

from typing import Any

import pytest

from cutover import gate, marker
from cutover.__main__ import main

TABLES = """
    CREATE TABLE public.account (id int PRIMARY KEY);
    CREATE TABLE public."Odd one" (id int PRIMARY KEY, account int REFERENCES public.account);
    CREATE TABLE public.parted (id int) PARTITION BY RANGE (id);
    CREATE TABLE public.part PARTITION OF public.parted DEFAULT;
    INSERT INTO public.account VALUES (1); INSERT INTO public."Odd one" VALUES (1, 1); INSERT INTO public.parted VALUES (1);
"""
NAMES = ["cutover.marker", 'public."Odd one"', "public.account", "public.part", "public.parted"]
FENCE = """
    CREATE TABLE cutover.fence (single boolean, run_id text, word text, since timestamptz, frozen_at timestamptz,
        opened_at timestamptz);
    INSERT INTO cutover.fence VALUES (true, 'run-1', '{}', now())
"""


@pytest.fixture
def both(pair: Any) -> Any:
    """The same rows on both sides; the source's gate is open."""
    pair.on_both(TABLES)
    for server in (pair.source, pair.target):
        server.run(f"CREATE ROLE {pair.system}_application LOGIN; CREATE ROLE {pair.system}_writer")
        server.run(f"CREATE ROLE {pair.system}_dms LOGIN PASSWORD 'x'")
    with pair.sessions() as (source, target):
        for session in (source, target):
            marker.create(session)
            marker.write(session)
        gate.open(source, f"{pair.system}_application", f"{pair.system}_writer")
    return pair


def _empty(pair: Any, *more: str) -> int:
    places = ("--source", pair.source.dsn(), "--target", pair.target.dsn())
    return main(["empty", *places, "--system", pair.system, *more])


def _rows(server: Any) -> list[int]:
    return [server.run(f"SELECT count(*) FROM {name}")[0][0] for name in NAMES]


def test_named_first_and_emptied_when_asked(both: Any, capsys: pytest.CaptureFixture[str]) -> None:
    both.target.run(FENCE.format("returned"))
    assert _empty(both) == 0
    assert capsys.readouterr().out.splitlines() == [*NAMES, f"5 tables of the target {_place(both)} to empty"]
    assert _rows(both.target) == [1] * 5
    assert _empty(both, "--apply") == 0
    assert capsys.readouterr().out.endswith(" emptied\n")
    assert (_rows(both.target), _rows(both.source)) == ([0] * 5, [1] * 5)
    assert both.target.run("SELECT word FROM cutover.fence") == [["returned"]]


def _place(pair: Any) -> str:
    return str(pair.target.endpoint()).removeprefix("target ")


def test_refused_with_every_reason(both: Any, capsys: pytest.CaptureFixture[str]) -> None:
    both.target.run(FENCE.format("ended"))
    roles = f"{both.system}_application", f"{both.system}_writer"
    both.source.run(f"REVOKE {roles[1]} FROM {roles[0]}")
    both.target.run(f"GRANT {roles[1]} TO {roles[0]}")
    with both.target.dial(f"{both.system}_dms", "x"):
        assert _empty(both, "--apply") == 1
    said = capsys.readouterr().err
    for reason in (
        "the source's gate is closed",
        "the target's gate is open",
        "cutover run-1 has not gone back: the target is ended",
        f"{both.system}_dms is at work on the target",
    ):
        assert reason in said
    assert _rows(both.target) == [1] * 5
