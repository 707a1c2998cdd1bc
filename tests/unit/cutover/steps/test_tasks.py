"""Replication tasks: started by what they say of themselves; what DMS answers is played here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from cutover.steps.common import tasks
from cutover.steps.common.deadline import Deadline
from cutover.steps.common.errors import Blocked

ARN = "arn:aws:dms:us-east-1:123456789012:task:FORWARD"


class Played:
    """A task whose states come one after the other; every one is looked at once."""

    def __init__(self, stubber: Stubber) -> None:
        self.stubber = stubber

    def states(self, *states: str, **told: Any) -> None:
        for status in states:
            answer = {"ReplicationTasks": [{"Status": status, **told}]}
            self.stubber.add_response("describe_replication_tasks", answer)

    def takes_a_start(self) -> None:
        expected = {"ReplicationTaskArn": ARN, "StartReplicationTaskType": "resume-processing"}
        self.stubber.add_response("start_replication_task", {}, expected)

    def refuses_a_start(self, code: str) -> None:
        self.stubber.add_client_error("start_replication_task", code)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    dms = botocore.session.get_session().create_client(
        "dms", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    monkeypatch.setattr(tasks, "client", lambda _: dms)
    monkeypatch.setattr(tasks, "_PAUSE_SECONDS", 0)
    with Stubber(dms) as stubber:
        yield Played(stubber)
        stubber.assert_no_pending_responses()


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 20_000


def start() -> bool:
    return tasks.start(ARN, "resume-processing", Deadline({}, Context()))


def test_one_that_is_on_its_way_is_waited_for_and_not_asked(played: Played) -> None:
    played.states("starting", "starting", "running")
    assert start() is False


def test_one_that_still_stops_is_asked_when_it_has_and_as_often_as_it_is_refused(played: Played) -> None:
    played.states("stopping", "stopped")
    played.refuses_a_start("InvalidResourceStateFault")
    played.states("stopped")
    played.takes_a_start()
    played.states("starting", "running")
    assert start() is True


def test_what_is_still_told_as_it_was_before_the_start_is_waited_for(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    played.states("stopped")
    played.takes_a_start()
    played.states("stopped", "stopped", "starting", "running")
    assert start() is True
    monkeypatch.setattr(tasks, "_LATE_SECONDS", -1)
    played.states("stopped")
    played.takes_a_start()
    played.states("stopped", StopReason="Stop Reason NORMAL")
    with pytest.raises(Blocked, match="does not run, it is stopped: Stop Reason NORMAL"):
        start()


def test_one_that_fails_at_once_is_blocked_at_once(played: Played) -> None:
    played.states("stopped")
    played.takes_a_start()
    played.states("failed", LastFailureMessage="no slot")
    with pytest.raises(Blocked, match="it is failed: no slot"):
        start()


def test_one_that_ends_where_it_was_asked_to_run_is_blocked(played: Played) -> None:
    played.states("stopped")
    played.takes_a_start()
    played.states("starting")
    played.states("failed", LastFailureMessage="no slot")
    with pytest.raises(Blocked, match="the replication task FORWARD does not run, it is failed: no slot"):
        start()
