"""Any calls in any order, killed anywhere, given up and still at work: never both gates open, and a way back at the end.

CUTOVER_EXAMPLES says how many sequences are tried (default: 6); the fixed seed makes them the same ones each time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pg8000.exceptions
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from cutover import gate, sequences
from cutover.database import Session
from cutover.steps.common import databases, fence, markers, record, tasks, traffic
from cutover.steps.common.errors import StepError
from tests.integration.cutover_steps.conftest import DENIED, FORWARD, World, until
from tests.integration.cutover_steps.test_forward import Killed

_EXAMPLES = int(os.environ.get("CUTOVER_EXAMPLES", "6"))
_POINTS: list[tuple[Any, str]] = [
    (gate, "open"), (gate, "close"), (gate, "is_open"), (fence.Fence, "write"), (markers, "write"), (markers, "find"),
    (tasks, "_ask"), (tasks, "describe"), (traffic, "point_at"), (record, "tell"), (record, "keep_first"),
    (sequences, "apply"), (Session, "query"),
]  # fmt: skip
# What a machine does, and what no machine should: steps left out, repeated, out of order.
_in_order = st.integers(0, len(FORWARD)).map(lambda end: list(FORWARD[:end]))
_steps = st.sampled_from([*FORWARD, *FORWARD[5:], "cancel", "finish", "watch", "go_back", "rollback"])
_faults = st.one_of(
    st.none(),
    st.tuples(st.integers(0, len(_POINTS) - 1), st.booleans(), st.integers(0, 6)),
    st.just("late"),
)
_calls = st.tuples(_in_order, st.lists(st.tuples(_steps, _faults), min_size=1, max_size=6))


class Books:
    """The payments that were accepted."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._accepted: list[str] = []

    def pay(self) -> None:
        """Try to pay on both sides; never may both accept."""
        accepted = 0
        for side in ("source", "target"):
            text = f"payment {len(self._accepted)} on {side} in {self._world.run_id}"
            try:
                self._world.pay(side, text)
            except pg8000.exceptions.DatabaseError as error:
                if error.args[0]["C"] != DENIED:
                    raise
                continue
            accepted += 1
            self._accepted.append(text)
        assert accepted <= 1, "both gates are open"

    def check(self) -> None:
        """All of them are in the data centre, once."""
        notes = self._world.notes("source")
        assert [text for text in self._accepted if notes.count(text) != 1] == []


def _call(world: World, name: str, left: float = 8.0) -> str:
    """How the call ended."""
    try:
        world.call(name, left)
    except Killed:
        return "killed"
    except StepError as error:
        return type(error).__name__
    return "done"


def _dying(world: World, name: str, fault: tuple[int, bool, int]) -> str:
    """A call whose function ends somewhere in it: at the n-th time that it passes a point."""
    number, before, times = fault
    place, point = _POINTS[number]
    original = getattr(place, point)
    passed = 0

    def count(*arguments: Any, **named: Any) -> Any:
        nonlocal passed
        passed += 1
        if passed <= times:
            return original(*arguments, **named)
        if not before:
            original(*arguments, **named)
        raise Killed

    setattr(place, point, count)
    try:
        return _call(world, name)
    finally:
        setattr(place, point, original)


def _late(world: World, name: str, books: Books) -> str:
    """A call that was given up while it was about to move a gate, and goes on when the way back has been gone."""
    reached, go_on, ended = threading.Event(), threading.Event(), []
    moving = {point: getattr(gate, point) for point in ("open", "close")}

    def wait(original: Callable[..., Any]) -> Callable[..., Any]:
        def moved(*arguments: Any, **named: Any) -> Any:
            if threading.current_thread() is thread:
                reached.set()
                assert go_on.wait(60)
            return original(*arguments, **named)

        return moved

    def work() -> None:
        ended.append(_call(world, name, 60.0))
        reached.set()

    thread = threading.Thread(target=work)
    with ExitStack() as stack:
        for point, original in moving.items():
            setattr(gate, point, wait(original))
            stack.callback(setattr, gate, point, original)
        thread.start()
        assert reached.wait(60)
        back = _call(world, "rollback", 30.0)
        books.pay()
        go_on.set()
        thread.join()
    return f"{back}, then {ended[0]}"


def _begin(world: World, number: int) -> None:
    """The next run, once the tasks are where a cutover begins."""
    world.run_id, world.budget = f"run-{number}", {"freeze_seconds": 60, "frozen_at": None}
    if world.task("forward")["Status"] != "running":
        world.stop("reverse")
        world.start("forward", "reload-target")
    until(lambda: len(world.notes("target")) == len(world.notes("source")))


# What is killed while it connects leaves its socket to the process, which ends in Lambda and not here.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_never_both_gates_and_always_a_way_back(world: World) -> None:
    numbers = iter(range(10_000))
    fence_patience, fence.PATIENCE_SECONDS = fence.PATIENCE_SECONDS, 0.5
    books = Books(world)

    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(_calls)
    def run(calls: tuple[list[str], list[tuple[str, Any]]]) -> None:
        _begin(world, next(numbers))
        for name, fault in [*((name, None) for name in calls[0]), *calls[1]]:
            if fault is None:
                ended = _call(world, name)
            elif fault == "late":
                ended = _late(world, name, books)
            else:
                ended = _dying(world, name, fault)
            note(f"{name} {fault}: {ended}")
            books.pay()
        if world.pair.source.run("SELECT to_regclass('cutover.fence')") == [[None]]:
            assert world.gates() == (True, False)
            return
        mine = world.pair.target.run("SELECT run_id FROM cutover.fence") == [[world.run_id]]
        assert _call(world, "rollback", 30.0) == ("done" if mine else "Blocked")
        if not mine:
            _call(world, "cancel")
        assert world.gates() == (True, False)
        assert world.task("reverse")["Status"] in ("ready", "stopped", "failed")
        assert world.pointer == "data_center"
        assert "cutover/lock.json" not in world.objects()
        books.pay()
        books.check()

    try:
        run()
    finally:
        fence.PATIENCE_SECONDS = fence_patience
        databases.forget()
