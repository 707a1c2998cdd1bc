"""Where a rehearsal ends, what of it must not be, and what its freeze was made of."""

from __future__ import annotations

import datetime as dt

import pytest

from rehearsal.events import Accepted
from rehearsal.measures import Interval
from rehearsal.rehearse.execution import read_history
from rehearsal.rehearse.faults import Fault
from rehearsal.rehearse.outcome import End, break_down, find_faults
from rehearsal.timeline import Phase, Step

GATES = {"data_center": False, "aurora": True}
PHASES = (Phase("reopened", Interval(1, 2)), Phase("watching", Interval(2, 9)))
AFTER = (Accepted(3.0, "a", 1, 2.9),)


@pytest.mark.parametrize(
    ("pointer", "data_center", "aurora", "name"),
    [
        ("aurora", False, True, "switched"),
        ("data_center", True, False, "back"),
        ("aurora", True, False, "between"),
        ("data_center", False, True, "between"),
        ("aurora", True, True, "between"),
        ("data_center", False, False, "between"),
        ("elsewhere", True, False, "between"),
    ],
)
def test_an_end_is_whole_only_where_one_gate_is_open_and_the_pointer_agrees(pointer, data_center, aurora, name):
    end = End("watching", pointer, {"data_center": data_center, "aurora": aurora}, "")
    assert end.name == name


def found(end, fault=None, events=AFTER, phases=PHASES, *, pending=False):
    return list(find_faults(end, fault, events, phases, pending=pending))


def test_what_must_not_be():
    fault = Fault("target-killed", "Drain")
    switched = End("watching", "aurora", GATES, "")
    back = End("rolled_back", "data_center", {"data_center": True, "aurora": False}, "RolledBack")
    stuck = End("stuck", "aurora", {"data_center": False, "aurora": False}, "Stuck")
    torn = End("stuck", "data_center", {"data_center": True, "aurora": True}, "Stuck")
    assert found(switched) == found(switched, fault) == found(back, fault) == []
    assert found(back) == ["nothing was to break, and the payments are back in the data centre (RolledBack)"]
    assert found(stuck, fault) == ["neither switched nor back: the pointer is aurora, writes are open on neither side"]
    assert found(torn) == [
        "neither switched nor back: the pointer is data_center, writes are open on data_center and aurora"
    ]
    assert found(switched, fault, pending=True) == ["target-killed@Drain never came about"]
    silent = "no payment was accepted after the end of the cutover"
    assert found(switched, events=[Accepted(1.9, "a", 1, 1.8)]) == [silent]
    assert found(switched, events=[], phases=()) == [silent]


def test_a_freeze_is_broken_down_into_states_and_what_their_own_code_took():
    steps = [
        Step("Preflight", Interval(0, 5)),
        Step("StopForward", Interval(10, 11.5)),
        Step("StopForward", Interval(20, 20.25), "Retry"),
        Step("Validate", Interval(11, 15)),
    ]
    record = {"stop_forward": {"at": 20.2, "seconds": 0.2, "answer": {}}, "preflight": {"seconds": 3}}
    assert break_down(steps, record) == {
        "StopForward": {"seconds": 1.75, "code_seconds": 0.2},
        "Validate": {"seconds": 4.0},
    }


def history(*events):
    """Events of an execution: (type, previous, details), one a second."""
    for number, (kind, previous, details) in enumerate(events, 1):
        at = dt.datetime.fromtimestamp(1000 + number, dt.UTC)
        key = "stateEnteredEventDetails" if "Entered" in kind else f"{kind[0].lower()}{kind[1:]}EventDetails"
        key = "stateExitedEventDetails" if "Exited" in kind else key
        yield {
            "id": number,
            "previousEventId": previous,
            "type": kind,
            "timestamp": at,
            **({key: details} if details else {}),
        }


def test_a_history_tells_states_steps_and_failures():
    events = list(
        history(
            ("ExecutionStarted", 0, None),
            ("PassStateEntered", 1, {"name": "Take"}),
            ("PassStateExited", 2, {"name": "Take"}),
            ("TaskStateEntered", 3, {"name": "Freeze"}),
            ("TaskFailed", 4, {"error": "Retry", "cause": "busy"}),
            ("TaskSucceeded", 5, None),
            ("TaskStateExited", 6, {"name": "Freeze"}),
            ("ParallelStateEntered", 7, {"name": "ProveAndTurn"}),
            ("TaskStateEntered", 8, {"name": "Drain"}),
            ("TaskTimedOut", 9, {}),
        )
    )
    told = {"status": "FAILED", "error": "RolledBack", "cause": "a reason"}
    look = read_history(told, events)
    assert (look.status, look.error, look.cause, look.state) == ("FAILED", "RolledBack", "a reason", "Drain")
    assert look.entered == ("Take", "Freeze", "ProveAndTurn", "Drain")
    assert look.failures == ("Retry", "TaskTimedOut")
    assert look.steps == (
        Step("Freeze", Interval(1004, 1007), "Retry"),
        Step("ProveAndTurn", Interval(1008, 1010), "not left"),
        Step("Drain", Interval(1009, 1010), "TaskTimedOut"),
    )
    running = read_history({"status": "RUNNING"}, events)
    assert running.steps[-1].when.end > 1e9  # it goes on, until now
    assert read_history({"status": "RUNNING"}, []).state == ""
