"""What the steps share, where neither database nor AWS is needed to see it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoRegionError

from cutover.errors import RefusedError
from cutover.steps.common import settings
from cutover.steps.common.aside import together
from cutover.steps.common.deadline import Deadline
from cutover.steps.common.errors import Blocked, BudgetExceeded, NotReady, Retry, StepError, translate
from validator.errors import AuthenticationError, ConnectError, ConnectionLostError, MarkerError, QueryError, UsageError


class Context:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


def refused(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Op")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refused("ThrottlingException"), Retry),
        (refused("Throttling"), Retry),
        (refused("TooManyRequestsException"), Retry),
        (refused("InternalFailure"), Retry),
        (refused("Whatever", 503), Retry),
        (refused("AccessDeniedException"), Blocked),
        (refused("ParameterNotFound"), Blocked),
        (ClientError({}, "Op"), Blocked),
        (EndpointConnectionError(endpoint_url="http://x"), Retry),
        (NoRegionError(), Blocked),
        (ConnectError("m"), Retry),
        (ConnectionLostError("m"), Retry),
        (AuthenticationError("m"), Blocked),
        (UsageError("m"), Blocked),
        (RefusedError("m"), Blocked),
        (MarkerError("m"), Blocked),
        (QueryError("m", "40001"), Retry),
        (QueryError("m", "55P03"), Retry),
        (QueryError("m", "57P01"), Retry),
        (QueryError("m", "57014"), Retry),
        (QueryError("m", "42501"), Blocked),
        (NotReady(["a", "b"]), NotReady),
        (ZeroDivisionError(), None),
    ],
)
def test_errors_by_the_names_that_the_machine_knows(error: Exception, kind: type[StepError] | None) -> None:
    told = translate(error)
    assert type(told) is (kind or type(None))
    if isinstance(error, StepError):
        assert told is error
        assert str(told) == "a; b (nothing was done)"


def test_the_call_ends_before_the_function_does() -> None:
    deadline = Deadline({}, Context(12))
    assert 9.5 < deadline.left() <= 10
    deadline.check("x")
    assert deadline.within(5).left() <= 5
    assert deadline.within(500).left() <= 10
    with pytest.raises(Retry, match="the function's time is up: drawing breath"):
        Deadline({"budget": {"freeze_seconds": 60, "frozen_at": None}}, Context(2)).check("drawing breath")


def test_the_budget_runs_from_the_freeze() -> None:
    now = time.time()
    spent = Deadline({"budget": {"freeze_seconds": 5, "frozen_at": now - 6}}, Context(100))
    assert spent.left() < -0.5
    with pytest.raises(BudgetExceeded, match=r"refused for 6\.\d s of 5: draining"):
        spent.check("draining")
    # Both over: a call that came back would find the budget spent as well.
    with pytest.raises(BudgetExceeded):
        Deadline({"budget": {"freeze_seconds": 5, "frozen_at": now - 6}}, Context(0)).check("draining")
    with pytest.raises(Retry):
        Deadline({"budget": {"freeze_seconds": 500, "frozen_at": now}}, Context(0)).check("draining")
    assert Deadline({"budget": {"freeze_seconds": 500, "frozen_at": now}}, Context(100)).left() <= 98
    # Without a limit in the event there is none.
    assert Deadline({"budget": {"frozen_at": now - 1000}}, Context(100)).left() > 90


def test_what_comes_next_ends_within_the_budget() -> None:
    def left(frozen_for: float, most: int = 90) -> int:
        budget = {"freeze_seconds": 60, "frozen_at": time.time() - frozen_for}
        return Deadline({"budget": budget}, Context(2)).hand_on(most, "the final validation")

    # Half a second goes to the handing on, and the fraction of a second is given away.
    assert (left(0.2), left(30.2), left(0.2, most=20), left(58.4)) == (59, 29, 20, 1)
    with pytest.raises(BudgetExceeded, match=r"refused for 58\.\d s of 60: the final validation"):
        left(58.6)
    for budget in ({"freeze_seconds": 0, "frozen_at": 1.0}, {"freeze_seconds": 60, "frozen_at": None}):
        assert Deadline({"budget": budget}, Context(2)).hand_on(90, "x") == 90


def test_waiting_looks_at_least_once_and_gives_up_in_time() -> None:
    late = Deadline({}, Context(0))
    assert late.wait(lambda: "there", "x", 0.01) == "there"
    looks: list[int] = []
    with pytest.raises(Retry):
        late.wait(lambda: looks.append(1), "x", 60)
    assert looks == [1]
    answers = iter([None, None, False])
    assert Deadline({}, Context(60)).wait(lambda: next(answers), "x", 0.001) is False


def test_together_waits_for_all_and_raises_the_first_error() -> None:
    done: list[str] = []

    def fail() -> None:
        raise KeyError("first")

    assert together(lambda: 1, lambda: 2) == [1, 2]
    with pytest.raises(KeyError, match="first"):
        together(fail, lambda: done.append("second"), lambda: 1 / 0)
    assert done == ["second"]


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEMAS", "public,ledger")
    monkeypatch.setenv("ALARM_NAMES", "a,,b")
    monkeypatch.setenv("N", "2.5")
    monkeypatch.setenv("APPLICATION_ROLE", "payments_application")
    monkeypatch.setenv("WRITER_ROLE", "payments_writer")
    assert settings.schemas() == ["public", "ledger"]
    assert settings.names("ALARM_NAMES") == ["a", "b"]
    assert settings.names("NOT_THERE") == []
    assert (settings.number("N", 1), settings.number("NOT_THERE", 1)) == (2.5, 1.0)
    assert settings.sequence_margin() == 1000
    assert settings.roles().dms == "payments_dms"
    for wrong in ("x", "-1", "inf", "nan"):
        monkeypatch.setenv("N", wrong)
        with pytest.raises(UsageError, match="N is"):
            settings.number("N", 1)
    with pytest.raises(UsageError, match="NOT_THERE is not set"):
        settings.text("NOT_THERE")
    monkeypatch.setenv("WRITER_ROLE", "other_writer")
    with pytest.raises(UsageError, match="not of one system"):
        settings.roles()
