"""The operator of a rehearsal: what is decided, and when a cutover has come to its end."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from rehearsal.errors import RehearsalError
from rehearsal.rehearse import story
from rehearsal.rehearse.execution import Look
from rehearsal.rehearse.faults import Fault
from rehearsal.rehearse.story import Rehearsal


def look(status, *entered, error=""):
    return Look(status, error, "", entered, (), ())


class Script:
    """A cutover that stands as it is told, one look after the other, and notes what is decided."""

    def __init__(self, looks, phase="frozen", question="", *, takes=True):
        self._takes = takes
        self._looks = iter(looks)
        self._phase = phase
        self._question = question
        self.decided = []

    def look(self):
        return next(self._looks)

    def phase(self):
        return self._phase

    def question(self):
        return self._question

    def decide(self, word):
        self.decided.append(word)
        return self._takes


class Breaks:
    """A breaker of which `at` is the number of the look at which it strikes; None: never."""

    def __init__(self, at=None, *, away=False, seen=0, pending=False):
        self._at, self._count = at, 0
        self.is_away, self.seen_before = away, seen
        self.pending = pending or at is not None

    def watch(self, _):
        self._count += 1
        struck = self._count == self._at
        self.pending = self.pending and not struck
        return struck


class Quiet:
    def __init__(self):
        self.said = []

    def say(self, text, **_):
        self.said.append(text)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(story.time, "sleep", lambda _: None)


def attend(script, breaks, fault=None):
    stage = SimpleNamespace(check=lambda: None)
    rehearsal = Rehearsal(None, fault, stage, Quiet())
    return rehearsal._attend(script, breaks), rehearsal.screen.said


def test_a_quiet_watch_is_the_end_and_nothing_is_decided_but_what_is_asked():
    script = Script([look("RUNNING"), look("RUNNING", "Approve"), look("RUNNING", "Watch", "WatchOn")])
    ended, _ = attend(script, Breaks())
    assert (ended.state, script.decided) == ("WatchOn", [])
    asked = Script([look("RUNNING", "Approve"), look("SUCCEEDED", "Done")], question="freeze")
    ended, said = attend(asked, Breaks())
    assert (ended.status, asked.decided) == ("SUCCEEDED", ["approve"])
    assert said == ["asked: freeze? approved"]


def test_nobody_answers_who_is_away():
    script = Script([look("RUNNING", "Approve"), look("FAILED", error="NotBegun")], question="freeze")
    assert attend(script, Breaks(away=True))[0].error == "NotBegun"
    assert script.decided == []


def test_after_a_fault_while_it_is_watched_another_quiet_look_is_waited_for():
    looks = [
        look("RUNNING", "Watch", "WatchOn"),  # it strikes here
        look("RUNNING", "Watch", "WatchOn"),
        look("RUNNING", "Watch", "WatchOn", "Watch", "WatchOn"),
    ]
    fault = Fault("target-killed", "Watch")
    ended, said = attend(Script(looks), Breaks(1, seen=1), fault)
    assert ended.entered.count("WatchOn") == 2
    assert said == ["target-killed@Watch"]
    # What has not come about by then never will.
    assert attend(Script(looks), Breaks(pending=True))[0].entered.count("WatchOn") == 1


@pytest.mark.parametrize("error", ["NotReady", "NotBegun", "RolledBack"])
def test_what_ended_back_is_an_end(error):
    script = Script([look("FAILED", error=error)])
    assert attend(script, Breaks())[0].error == error
    assert script.decided == []


@pytest.mark.parametrize(
    ("status", "phase", "word"),
    [
        ("ABORTED", "frozen", "resume"),
        ("ABORTED", "watching", "resume"),
        ("ABORTED", "preflight", "go-back"),
        ("ABORTED", "rolling_back", "go-back"),
        ("FAILED", "frozen", "go-back"),
        ("TIMED_OUT", "switched", "go-back"),
    ],
)
def test_what_ended_halfway_is_gone_on_with_where_it_was_stopped_and_back_where_it_failed(status, phase, word):
    script = Script([look(status, error="Stuck"), look("SUCCEEDED", "BackAsWanted")], phase=phase)
    _, said = attend(script, Breaks())
    assert script.decided == [word]
    assert said == [f"{status.lower()}: Stuck; the operator decides to {word}"]


def test_nobody_decides_for_ever():
    script = Script([look("FAILED")] * 9, takes=False)
    ended, said = attend(script, Breaks())
    assert ended.status == "FAILED"
    assert script.decided == ["go-back"] * 3
    assert said.count("go-back was refused") == 3


def test_an_answer_that_is_not_taken_is_given_again_while_it_is_asked():
    script = Script([look("RUNNING", "Approve")] * 2 + [look("SUCCEEDED")], question="freeze", takes=False)
    _, said = attend(script, Breaks())
    assert said == ["asked: freeze? the answer was not taken"] * 2


def test_a_cutover_without_an_end_is_given_up(monkeypatch):
    monkeypatch.setattr(story, "_CUTOVER_SECONDS", -1.0)
    with pytest.raises(RehearsalError, match="came to no end within -1 s: it is at Drain") as given_up:
        attend(Script([look("RUNNING", "Drain")]), Breaks())
    assert "--keep" in given_up.value.hint
