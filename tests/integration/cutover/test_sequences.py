"""Sequences: moved to where the source's are and never back, whatever their names and directions."""

from __future__ import annotations

from typing import Any

import pytest

from cutover import sequences
from cutover.__main__ import main
from cutover.errors import RefusedError
from validator.errors import QueryError

SQL = """
    CREATE SCHEMA "Odd ""1"" s";
    CREATE SEQUENCE public.used; SELECT setval('used', 41);
    CREATE SEQUENCE public.fresh START 7;
    CREATE SEQUENCE public.tens INCREMENT 10 CACHE 5; SELECT nextval('tens');
    CREATE SEQUENCE public.down INCREMENT -2 MINVALUE -100 MAXVALUE 100 START 100; SELECT nextval('down'), nextval('down');
    CREATE SEQUENCE public.full AS smallint; SELECT setval('full', 32760);
    CREATE SEQUENCE "Odd ""1"" s"."my 'seq"; SELECT setval('"Odd ""1"" s"."my ''seq"', 9);
    CREATE TABLE public.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n serial);
    INSERT INTO public.t DEFAULT VALUES
"""


@pytest.fixture
def both(pair: Any) -> Any:
    pair.source.run(SQL)
    for line in SQL.split(";"):
        if "CREATE" in line:
            pair.target.run(line.split("SELECT")[0])
    return pair


def _command(pair: Any, *more: str) -> int:
    return main(["sequences", "--source", pair.source.dsn(), "--target", pair.target.dsn(), *more])


def _next(server: Any, name: str) -> int:
    value: int = server.run(f"SELECT nextval('{name}')")[0][0]
    return value


def test_what_would_move(both: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert _command(both) == 0
    assert capsys.readouterr().out.splitlines() == [
        'Odd "1" s.my \'seq: 0 → 9',
        "public.down: 102 → 98",
        "public.full: 0 → 32760",
        "public.t_id_seq: 0 → 1",
        "public.t_n_seq: 0 → 1",
        "public.tens: -9 → 41",
        "public.used: 0 → 41",
        "7 to move, 1 right already, 0 that cannot be moved",
    ]
    assert both.target.run("SELECT last_value, is_called FROM public.used") == [[1, False]]


def test_moved(both: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert _command(both, "--apply") == 0
    assert capsys.readouterr().out.endswith("7 moved, 1 right already, 0 that cannot be moved\n")
    assert _next(both.target, "public.used") == 42
    assert _next(both.target, "public.fresh") == 7
    assert _next(both.target, "public.tens") == 51
    assert _next(both.target, "public.down") == 96
    assert _next(both.target, '"Odd ""1"" s"."my \'\'seq"') == 10
    # Again, and ahead: nothing moves, and nothing moves back.
    assert _command(both, "--apply") == 0
    assert capsys.readouterr().out == "0 moved, 8 right already, 0 that cannot be moved\n"
    assert _next(both.target, "public.used") == 43


def test_with_a_margin(both: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert _command(both, "--apply", "--margin", "20", "--schema", "public") == 0
    assert "public.used: 0 → 61, 20 steps beyond the source" in capsys.readouterr().out
    assert _next(both.target, "public.used") == 62
    assert _next(both.target, "public.fresh") == 27
    assert _next(both.target, "public.tens") == 251
    assert _next(both.target, "public.down") == 56
    # Its margin would be its end.
    assert _next(both.target, "public.full") == 32761
    assert both.target.run('SELECT last_value FROM "Odd ""1"" s"."my \'seq"') == [[1]]


def test_what_cannot_be_moved(both: Any, capsys: pytest.CaptureFixture[str]) -> None:
    both.target.run("""
        DROP SEQUENCE public.tens; ALTER SEQUENCE public.fresh INCREMENT 2;
        ALTER SEQUENCE public.full MAXVALUE 100; SELECT setval('used', 40)
    """)
    assert _command(both) == 1
    said = capsys.readouterr().out
    assert "cannot be moved: public.tens is missing on the target" in said
    assert "cannot be moved: public.fresh counts by 1 on the source, by 2 on the target" in said
    assert "cannot be moved: public.full stands at 32760, outside 1 to 100 there" in said
    assert _command(both, "--apply") == 1
    assert "public.tens is missing on the target" in capsys.readouterr().err
    assert both.target.run("SELECT last_value FROM public.used") == [[40]]


def test_more_than_fit_into_one_statement(pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequences, "_CHUNK", 3)
    pair.on_both("DO $$ BEGIN FOR n IN 1..8 LOOP EXECUTE format('CREATE SEQUENCE s%s', n); END LOOP; END $$")
    pair.source.run("SELECT setval(oid, 5) FROM pg_class WHERE relkind = 'S'")
    with pair.sessions() as (source, target):
        assert len(sequences.advance(source, target, ["public"]).moves) == 8
    assert pair.target.run("SELECT count(*) FROM pg_sequences WHERE last_value = 5") == [[8]]


def test_one_that_ran_ahead_meanwhile_is_left_there(both: Any) -> None:
    with both.sessions() as (source, target):
        plan = sequences.compare(sequences.read(source, ["public"]), sequences.read(target, ["public"]))
        both.target.run("SELECT setval('public.used', 1000), setval('public.down', 10)")
        sequences.apply(target, plan.moves)
    assert _next(both.target, "public.used") == 1001
    assert _next(both.target, "public.down") == 8


def test_that_they_moved_is_looked_at(both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequences, "apply", lambda target, moves: None)
    with both.sessions() as (source, target), pytest.raises(RefusedError, match="did not move: .*public.used: 0 → 41"):
        sequences.advance(source, target, ["public"])


def test_one_that_may_not_be_read_is_no_zero(both: Any) -> None:
    both.source.run(f"CREATE ROLE {both.system}_u LOGIN PASSWORD 'u'")
    with both.source.session(f"{both.system}_u", "u") as session, pytest.raises(QueryError, match="permission denied"):
        sequences.read(session, ["public"])
