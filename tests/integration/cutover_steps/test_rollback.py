"""The way back, from every step, whatever broke: exactly one gate open, the source's, and nothing written is lost."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from cutover import gate, sequences
from cutover.steps import rollback
from cutover.steps.common import databases, fence, markers, record, returning, tasks, traffic
from cutover.steps.common.errors import Blocked, Retry
from tests.integration.cutover_steps.conftest import FORWARD, PASSWORD, World, until
from tests.integration.cutover_steps.test_forward import Killed, kill
from validator.errors import ValidatorError


def is_back(world: World) -> None:
    """All of it, by looking."""
    assert world.gates() == (True, False)
    assert world.pointer == "data_center"
    assert world.phase == "rolled_back"
    assert "cutover/lock.json" not in world.objects()
    assert (world.word("source"), world.word("target")) == ("ended", "returned")
    assert world.task("reverse")["Status"] in ("ready", "stopped")


def _await(world: World, note: str) -> None:
    until(lambda: note in world.notes("target"))


def test_from_every_step_before_the_target_opens(world: World) -> None:
    world.set_rule("migration", dc=70, blue=30)
    for number, name in enumerate(FORWARD[:-1]):
        world.run_id, world.budget = f"run-{number}", {"freeze_seconds": 60, "frozen_at": None}
        world.go(name)
        answer = world.call("rollback")
        assert (answer["opened"], answer["forward"], "left" in answer) == (False, "running", False), name
        is_back(world)
        assert world.weights() == {"dc": 70, "blue": 30}
        # Replication goes on: what is paid now arrives on the target, and nothing stops the task.
        world.pay("source", f"zz after {name}")
        _await(world, f"zz after {name}")
        assert world.task("forward")["Status"] == "running"
        world.set_rule("migration", dc=60, blue=40)
        assert world.call("rollback")["forward"] == "running"
        is_back(world)
        assert world.weights() == {"dc": 60, "blue": 40}  # whoever has set them meanwhile had a reason
        world.set_rule("migration", dc=70, blue=30)
    with pytest.raises(Blocked, match="of cutover run-7, not of another"):
        world.run_id = "another"
        world.call("rollback")
    # What a rolled back run may still be about to do, it cannot do.
    world.run_id = "run-7"
    for late, said in (
        ("freeze", "closes nothing any more"),
        ("switch", "on its way back"),
        ("reopen", "opens nothing"),
    ):
        with pytest.raises(Blocked, match=said):
            world.call(late)
    assert (world.gates(), world.pointer) == ((True, False), "data_center")


def test_after_the_reopening_nothing_written_on_aws_is_lost(world: World) -> None:
    world.go("reopen")
    number = world.pay("target", "zz on AWS")
    with world.pair.target.dial(world.roles.application, PASSWORD) as writer:
        writer.run("BEGIN; INSERT INTO payment (amount, note) VALUES (1, 'zzz never committed')")
        first = world.call("go_back")
    assert (first["opened"], first["terminated"]) == (True, 1)
    assert world.gates() == (False, False)
    assert world.notes("source")[-1] == "zz on AWS"
    # For the validation: both sides have the marker.
    for server in (world.pair.source, world.pair.target):
        assert server.run(f"SELECT count(*) FROM cutover.marker WHERE id = '{first['marker']}'") == [[1]]
    assert {**world.call("go_back"), "terminated": 1} == first
    answer = world.call("rollback")
    assert answer["opened"]
    assert "reload-target" in answer["forward"]
    is_back(world)
    assert world.task("forward")["Status"] == "stopped"
    assert world.pay("source", "zzz back") > number
    assert world.call("rollback")["opened"]
    is_back(world)
    # A cutover begins anew once the load has.
    world.start("forward", "reload-target")
    until(lambda: len(world.notes("target")) == len(world.notes("source")))
    world.run_id, world.budget = "run-2", {"freeze_seconds": 60, "frozen_at": None}
    world.go("reopen")
    assert world.notes("target")[-1] == "zzz back"


def test_after_the_end(world: World) -> None:
    world.go("reopen")
    world.call("finish")
    world.pay("target", "zz on AWS")
    assert world.call("rollback")["opened"]
    is_back(world)
    assert world.notes("source")[-1] == "zz on AWS"
    with pytest.raises(Blocked, match="the target is returned, its gate closed"):
        world.call("finish")
    with pytest.raises(Blocked, match="nothing to watch"):
        world.call("watch")


def test_an_opening_whose_function_was_given_up_is_found_and_what_it_let_in_is_kept(world: World) -> None:
    world.go("smoke")
    undo = kill(gate, "open")
    with pytest.raises(Killed):
        world.call("reopen")  # undone with its transaction
    undo()
    assert not world.call("go_back")["opened"]
    world.call("rollback")
    is_back(world)

    world.run_id, world.budget = "run-2", {"freeze_seconds": 60, "frozen_at": None}
    world.go("smoke")
    undo = kill(record, "tell", before=True)
    with pytest.raises(Killed):
        world.call("reopen")
    undo()
    world.pay("target", "zz on AWS")
    assert world.call("rollback")["opened"]
    is_back(world)
    assert world.notes("source")[-1] == "zz on AWS"


BEFORE_OPEN = [
    (fence.Fence, "write", False),
    (rollback, "rest", False),
    (gate, "open", False),
    (traffic, "point_at", True),
    (traffic, "set_weights", True),
    (rollback, "hand_over", False),
    (markers, "forget", False),
    (tasks, "_ask", False),
    (record, "release", True),
    (record, "release", False),
]
AFTER_OPEN = [
    (fence.Fence, "write", False),
    (gate, "close", True),
    (gate, "close", False),
    (markers, "write", False),
    (sequences, "advance", True),
    (sequences, "advance", False),
    (gate, "open", True),
    (gate, "open", False),
    (record, "release", False),
]


@pytest.mark.parametrize(("to", "points"), [("switch", BEFORE_OPEN), ("reopen", AFTER_OPEN)])
def test_killed_again_and_again_on_the_way(world: World, to: str, points: list[Any]) -> None:
    world.set_rule("migration", dc=70, blue=30)
    world.go(to)
    if to == "reopen":
        world.pay("target", "zz on AWS")
    ended = 0
    for place, name, before in points:
        undo = kill(place, name, before=before)
        try:
            world.call("rollback")
        except Killed:
            ended += 1
        undo()
        source, target = world.gates()
        assert not (source and target), name
    assert ended == len(points)
    world.call("rollback")
    is_back(world)
    assert world.weights() == {"dc": 70, "blue": 30}
    if to == "reopen":
        assert world.notes("source")[-1] == "zz on AWS"


def test_weights_whose_rule_the_params_have_removed_are_left_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.set_rule("migration", dc=70, blue=30)
    world.go("switch")
    moved = world.weights()
    monkeypatch.delenv("MIGRATION_RULE_ARN")
    world.call("rollback")
    is_back(world)
    assert world.weights() == moved != {"dc": 70, "blue": 30}


def test_a_call_that_does_not_let_go_of_a_gate_loses_its_session(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.go("smoke")
    monkeypatch.setattr(fence, "PATIENCE_SECONDS", 0.2)
    taken, go_on, ended = threading.Event(), threading.Event(), []

    def late() -> None:
        try:
            with databases.on("target") as target, fence.owned(target, world.run_id) as owned:
                taken.set()
                go_on.wait()
                owned.write("opened")
                gate.open(target, world.roles.application, world.roles.writer)
        except ValidatorError as error:
            ended.append(type(error).__name__)

    thread = threading.Thread(target=late)
    thread.start()
    taken.wait()
    with pytest.raises(Retry, match="another call is at work on the gate of the target"):
        world.call("reopen")
    world.call("rollback")
    is_back(world)
    go_on.set()
    thread.join()
    assert ended in (["ConnectionLostError"], ["QueryError"])
    is_back(world)


MOVERS = {"start_reverse": "reverse", "stop_forward": "forward"}


class Late:
    """A step in a thread of its own, which stops where it passes a point for its task until it is let go."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch, name: str, point: str) -> None:
        self.reached, self.go_on, self.ended = threading.Event(), threading.Event(), ""
        self._world, self._name, self._arn = world, name, world.arns[MOVERS[name]]
        self._thread = threading.Thread(target=self._work)
        self._original = getattr(tasks, point)
        monkeypatch.setattr(tasks, point, self._describe if point == "describe" else self._ask)

    def start(self) -> None:
        self._thread.start()
        assert self.reached.wait(60)

    def finish(self) -> str:
        self.go_on.set()
        self._thread.join()
        return self.ended

    def _work(self) -> None:
        try:
            self._world.call(self._name)
            self.ended = "done"
        except ValidatorError as error:
            self.ended = f"{type(error).__name__}: {error}"
        self.reached.set()

    def _describe(self, arn: str) -> Any:
        found = self._original(arn)
        self._wait(arn)
        return found

    def _ask(self, operation: str, arn: str, **more: str) -> Any:
        self._wait(arn)
        return self._original(operation, arn, **more)

    def _wait(self, arn: str) -> None:
        if threading.current_thread() is self._thread and arn == self._arn:
            self.reached.set()
            assert self.go_on.wait(60)


def _is_at_rest(world: World, note: str) -> None:
    """The reverse task rests, and the forward task brings what is paid."""
    is_back(world)
    world.pay("source", note)
    _await(world, note)
    assert world.task("forward")["Status"] == "running"
    assert world.task("reverse")["Status"] in ("ready", "stopped")


@pytest.mark.parametrize("name", MOVERS)
def test_a_step_that_was_given_up_moves_no_task_after_the_way_back(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Step Functions ends a branch whose neighbour has failed; the function that it has called works on."""
    world.go(FORWARD[FORWARD.index(name) - 1])
    late = Late(world, monkeypatch, name, "describe")
    late.start()
    assert "left" not in world.call("rollback")
    assert late.finish().startswith("Blocked: cutover run-1 does not go on any more: the target is returned")
    _is_at_rest(world, "zz after all")


@pytest.mark.parametrize("name", MOVERS)
def test_a_way_back_waits_for_a_task_that_is_just_being_moved_and_undoes_it(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    world.go(FORWARD[FORWARD.index(name) - 1])
    late = Late(world, monkeypatch, name, "_ask")
    late.start()
    taken: list[bool] = []

    def rest(call: Any) -> Any:
        with databases.on("target") as target:  # nobody else can have the lock while the request is on its way
            taken.extend(row[0] for row in target.query(fence._LOCK))
        late.go_on.set()
        return returning.rest(call)

    monkeypatch.setattr(rollback, "rest", rest)
    assert "left" not in world.call("rollback")
    assert taken == [False]
    late.finish()
    _is_at_rest(world, "zz after all")


def test_the_way_back_looks_once_more_that_the_reverse_task_rests(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever started it: with both at work, each would carry what the other brought."""
    world.go("stop_forward")
    original, asked = tasks._ask, []

    def ask(operation: str, arn: str, **more: str) -> bool:
        if arn == world.arns["forward"] and not asked:
            asked.append(operation)
            world.start("reverse")
        return original(operation, arn, **more)

    monkeypatch.setattr(tasks, "_ask", ask)
    answer = world.call("rollback")
    assert (asked, answer["reverse"]) == (["start_replication_task"], "stopped")
    _is_at_rest(world, "zz after all")


def test_without_a_way_to_bring_payments_back_both_gates_stay_closed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.go("reopen")
    world.stall("reverse", on=True)
    world.pay("target", "zz on AWS")
    with pytest.raises(Retry, match="waiting for the marker at .* of the target on the source"):
        world.call("rollback", left=2.5)
    assert world.gates() == (False, False)
    assert world.word("target") == "retreating"
    assert world.phase == "rolling_back"
    cause = world.call("stuck", error="Retry")["cause"]
    assert "the source's gate is closed (frozen)" in cause
    assert "the target's gate is closed (retreating)" in cause
    assert "python -m cutover go-back" in cause
    assert world.phase == "stuck"
    world.stall("reverse", on=False)
    world.call("rollback")
    is_back(world)
    assert world.notes("source")[-1] == "zz on AWS"


def test_replication_that_cannot_go_on_does_not_hold_the_payments_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.go("stop_forward")
    target = world.pair.target
    (name,) = target.run("SELECT subname FROM pg_subscription WHERE NOT subenabled")[0]
    target.run(f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")
    target.run(f"DROP SUBSCRIPTION {name}")
    answer = world.call("rollback")
    assert "the replication tasks are not where they should be" in answer["left"]
    is_back(world)


def test_the_source_stays_closed_while_the_target_is_not_at_rest(world: World) -> None:
    world.go("reopen")
    call = type("Call", (), {"run_id": world.run_id})
    with pytest.raises(Blocked, match="the target is not at rest \\(opened\\)"):
        returning._open_source(call)  # type: ignore[arg-type]
    assert world.gates() == (False, True)
    world.call("rollback")
    # Closed from outside after all that, no later call of this run takes it for its own to open.
    world.pair.source.run(
        f"REVOKE {world.roles.writer} FROM {world.roles.application} GRANTED BY {world.roles.cutover}"
    )
    world.pair.source.run("UPDATE cutover.fence SET run_id = 'another'")
    with pytest.raises(Blocked, match="closed, and not by this cutover"):
        world.call("rollback")


def test_where_nothing_was_claimed_there_is_nothing_to_roll_back(world: World) -> None:
    with pytest.raises(Blocked, match="the target has been claimed by none, not of run-1"):
        world.call("rollback")
    assert world.gates() == (True, False)
    stuck = world.call("stuck")["cause"]
    assert "the source's gate is open (unclaimed)" in stuck


def test_a_spent_budget_does_not_stop_the_way_back(world: World) -> None:
    world.go("start_reverse")
    world.budget = {"freeze_seconds": 1, "frozen_at": time.time() - 100}
    answer = world.call("rollback")
    assert (answer["reverse"], answer["forward"], "left" in answer) == ("stopped", "running", False)
    is_back(world)


def test_a_target_opened_from_outside_keeps_what_it_took(world: World) -> None:
    world.go("start_reverse")
    grant = f"GRANT {world.roles.writer} TO {world.roles.application} GRANTED BY {world.roles.cutover}"
    world.pair.target.run(grant)
    world.pay("target", "zz on AWS")
    assert world.call("rollback")["opened"]
    is_back(world)
    assert world.notes("source")[-1] == "zz on AWS"
    world.pair.target.run(grant)
    with pytest.raises(Blocked, match="opened from outside, after cutover run-1 had closed it"):
        world.call("rollback")
