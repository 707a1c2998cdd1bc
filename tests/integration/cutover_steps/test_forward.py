"""Every step in order; each of them twice; each of them killed halfway and called again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cutover import gate, sequences
from cutover.steps.common import databases, gates, markers, record, tasks, traffic
from cutover.steps.common.errors import Blocked
from cutover.steps.freeze import handle as freeze
from tests.integration.cutover_steps.conftest import FORWARD, PASSWORD, Context, World, until

PHASES = {
    "preflight": "preflight",
    "freeze": "frozen",
    "drain": "drained",
    "start_reverse": "reversed",
    "switch": "switched",
    "reopen": "reopened",
}


class Killed(BaseException):
    """The function ends here, without a word."""


def kill(place: object, name: str, *, before: bool = False) -> Callable[[], None]:
    """Let a call of this end the step's function: before it has done anything, or right after. Undone by the answer."""
    original = getattr(place, name)

    def die(*arguments: Any, **named: Any) -> None:
        if not before:
            original(*arguments, **named)
        raise Killed

    patch = pytest.MonkeyPatch()
    patch.setattr(place, name, die)
    return patch.undo


def test_the_payments_move_to_aws(world: World) -> None:
    last = world.pay("source", "last on the source")
    assert world.gates() == (True, False)
    for name in FORWARD:
        answer = world.call(name)
        json.dumps(answer)
        if name in PHASES:
            assert world.phase == PHASES[name]
        if name == "preflight":
            assert answer["tables"] == 3
            assert 0 <= answer["lag_seconds"] < 5
            assert world.read("cutover/lock.json")["run_id"] == world.run_id
        if name == "sequences":  # of a budget of 60
            assert 0 < answer["seconds_left"] < 60
        assert world.gates() == (name == "preflight", name == "reopen"), name
        assert world.pointer == ("aurora" if name in ("switch", "smoke", "reopen") else "data_center")
    assert world.notes("target")[-1] == "last on the source"
    assert world.task("forward")["Status"] == "stopped"
    assert world.task("reverse")["Status"] == "running"
    assert world.weights() == {"dc": 0, "blue": 100}
    assert world.weights("production") == {"blue": 100, "green": 0}

    # What is paid on AWS has a number of its own, and comes back to the data centre.
    assert world.pay("target", "zz first on AWS") > last + 1000
    until(lambda: world.notes("source")[-1] == "zz first on AWS")

    pause = answer["write_pause_seconds"]
    assert pause > 0
    metrics = world.client("cloudwatch").list_metrics(Namespace=f"cutover/{world.pair.system}")["Metrics"]
    assert {metric["MetricName"] for metric in metrics} == {"Phase", "DrainSeconds", "WritePauseSeconds"}

    watched = world.call("watch", watch={"minutes": 60})
    assert (watched["verdict"], watched["reasons"]) == ("quiet", [])
    assert world.phase == "watching"
    assert world.call("watch", watch={"minutes": 0})["verdict"] == "over"
    for _ in range(2):
        assert world.call("finish") == {"finished": True}
    assert world.phase == "done"
    assert world.gates() == (False, True)
    assert "cutover/lock.json" not in world.objects()
    kept = {key: world.read(key) for key in world.objects()}
    assert {f"cutover/run-1/{name}.json" for name in (*FORWARD, "before", "watch", "finish")} == set(kept)
    assert PASSWORD not in json.dumps(kept)
    assert kept["cutover/run-1/reopen.json"]["answer"] == answer


def test_each_step_twice(world: World) -> None:
    same = {"freeze": "frozen_at", "drain": "marker", "switch": "previous", "reopen": "write_pause_seconds"}
    for name in FORWARD:
        first = world.call(name)
        second = world.call(name)
        if name in same:
            assert first[same[name]] == second[same[name]], name
    assert first["write_pause_seconds"] > 0
    assert world.gates() == (False, True)
    assert world.weights() == {"dc": 0, "blue": 100}
    # Once more from the freeze on, as a new execution that resumes the run does.
    for name in ("freeze", "drain", "stop_forward", "sequences", "start_reverse"):
        answer = world.call(name)
        assert name != "drain" or answer["opened"]
    assert world.task("forward")["Status"] == "stopped"
    assert world.gates() == (False, True)


POINTS = [
    ("preflight", record, "take_lock", False),
    ("preflight", gates, "is_open", True),
    ("freeze", gate, "close", True),
    ("freeze", gate, "close", False),
    ("freeze", gate, "writers_in_flight", False),
    ("freeze", record, "tell", True),
    ("drain", markers, "write", False),
    ("stop_forward", tasks, "_ask", False),
    ("sequences", sequences, "apply", True),
    ("sequences", sequences, "apply", False),
    ("start_reverse", tasks, "_ask", False),
    ("start_reverse", markers, "prove_flow", True),
    ("switch", record, "keep_first", False),
    ("switch", traffic, "set_weights", True),
    ("switch", traffic, "point_at", False),
    ("smoke", traffic, "read_pointer", True),
    ("reopen", gate, "open", True),
    ("reopen", gate, "open", False),
    ("reopen", record, "tell", True),
]


def test_each_step_killed_halfway_and_called_again(world: World) -> None:
    world.set_rule("migration", dc=70, blue=30)
    for name in FORWARD:
        for _, place, function, before in (point for point in POINTS if point[0] == name):
            undo = kill(place, function, before=before)
            with pytest.raises(Killed):
                world.call(name)
            undo()
            source, target = world.gates()
            assert not (source and target), (name, function)
        world.call(name)
    assert world.gates() == (False, True)
    assert world.read("cutover/run-1/before.json") == {
        "pointer": "data_center",
        "weights": {world.arns["dc"]: 70, world.arns["blue"]: 30},
    }
    world.pay("target", "zz on AWS")
    until(lambda: world.notes("source")[-1] == "zz on AWS")


def test_writers_in_flight_are_waited_for_and_then_ended(world: World) -> None:
    world.call("preflight")
    with world.pair.source.dial(world.roles.application, PASSWORD) as writer:
        writer.run("BEGIN; INSERT INTO payment (amount, note) VALUES (1, 'in flight')")
        answer = world.call("freeze")
        assert answer["terminated"] == 1
        assert answer["waited_ms"] >= 300
    assert "in flight" not in world.notes("source")
    assert world.gates() == (False, False)
    assert world.call("freeze") == {"frozen_at": answer["frozen_at"], "waited_ms": 0, "terminated": 0}


@pytest.mark.parametrize("after", ["freeze", "start_reverse"])
def test_what_was_written_through_a_gate_opened_from_outside_never_passes_for_drained(world: World, after: str) -> None:
    world.go(after)
    world.pair.source.run(f"GRANT {world.roles.writer} TO {world.roles.application}")
    for name in ("freeze", "drain", "sequences", "start_reverse", "switch", "reopen"):
        with pytest.raises(Blocked, match="opened from outside"):
            world.call(name)
    assert world.gates() == (True, False)
    world.call("rollback")
    assert (world.gates(), world.phase) == ((True, False), "rolled_back")


def test_a_warm_call_opens_connections_and_does_nothing_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    databases.forget()
    before = world.objects()
    assert freeze({"warm": True}, Context()) == {"warm": True}
    assert sorted(databases._idle) == ["source", "target"]
    assert (world.objects(), world.gates()) == (before, (True, False))
    # A session that has died meanwhile is replaced.
    world.pair.source.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cutover step'"
    )
    world.go("freeze")
    databases.forget()
    monkeypatch.setenv("SOURCE_SECRET_ARN", "")
    assert freeze({"warm": True}, Context()) == {"warm": False}
