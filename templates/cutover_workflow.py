"""The state machine of the cutover. Pure data.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
Before the freeze an error ends the run, and nothing was done. From `Freeze` to `Smoke` whatever fails leads to
`Rollback`, after `Reopen` has begun to `GoBack`; where neither comes to an end, to `Stuck`, which touches nothing. Only
`Done` and `BackAsWanted` succeed: an execution that failed has not switched.

Input: {} for a new run, whose id is the execution's name. Or {"begin", "run_id"}: `resume` goes on at the freeze,
without a budget, `watch` where payments are taken on AWS already, `go_back` leads back (cutover/decisions.py). A step
finds what is done already done, whichever execution did it.
"""

from __future__ import annotations

from typing import Any

from settings.moving import Cutover
from templates.cutover_states import (
    REJECTED,
    State,
    ask,
    call,
    catch,
    comparing_before,
    keep,
    validate,
    warming,
    where,
)
from templates.cutover_steps import STEPS

_HOUR, _DAY = 3600, 86400
# Between two looks while the switch is watched; alarms look at whole minutes.
_LOOK_SECONDS = 30
# How often a person is asked at most: before the freeze, before the switch, on an alarm.
_QUESTIONS = 3
_BUDGET = {"freeze_seconds.$": "$.freeze_seconds", "frozen_at.$": "$.freeze.frozen_at"}


def workflow(settings: Cutover) -> dict[str, Any]:
    """The definition."""
    waits = settings.approval_hours * _HOUR * _QUESTIONS
    return {
        "Comment": "Move the payments from the data centre's database to Aurora, or leave them where they were",
        "StartAt": "Begin",
        # A run that nobody ended would stay for a year; within the freeze the budget ends it long before.
        "TimeoutSeconds": waits + settings.watch_minutes * 60 + _DAY,
        "States": {
            **_beginning(settings),
            **_before_the_freeze(settings),
            **_frozen(settings),
            **_watched(settings),
            **_back(settings),
            **_ends(),
        },
    }


# --- the parts, in the order of a run --------------------------------------------------------------------------------
def _beginning(settings: Cutover) -> dict[str, State]:
    """What every state reads: the run and its budget, 0 for none."""

    def taken(run: str, budget: int, then: str, **more: str) -> State:
        # Also without a budget nothing in the freeze is waited for any longer than it.
        given = {"run_id.$": run, "freeze_seconds": budget, "most_seconds": settings.freeze_seconds, **more}
        return {"Type": "Pass", "Parameters": given, "Next": then}

    return {
        "Begin": {
            "Type": "Choice",
            "Choices": [
                where("$.begin", "resume", "TakeUp"),
                where("$.begin", "watch", "TakeOn"),
                where("$.begin", "go_back", "TakeBack"),
            ],
            "Default": "Take",
        },
        "Take": taken("$$.Execution.Name", settings.freeze_seconds, "Preflight"),
        # Its budget was spent when it got stuck; a person has decided that it goes on.
        "TakeUp": taken("$.run_id", 0, "Freeze"),
        "TakeOn": taken("$.run_id", 0, "Watch"),
        "TakeBack": taken("$.run_id", 0, "GoBack", wanted="back"),
    }


def _before_the_freeze(settings: Cutover) -> dict[str, State]:
    refused = [catch(["NotReady"], "NotReady"), catch(["States.ALL"], "Cancel")]
    return {
        "Preflight": {**call("preflight", settings), "Catch": refused, "Next": "Approve"},
        "Approve": {**ask("freeze", settings, _approval_seconds(settings)), "Catch": refused[1:], "Next": "LookAgain"},
        # The answer may have taken hours.
        "LookAgain": {**call("preflight", settings), "Catch": refused, "Next": "Warm"},
        "Warm": {
            "Type": "Parallel",
            "Branches": [*(warming(step.module) for step in STEPS if step.warmed), comparing_before(settings)],
            "ResultPath": None,
            "Catch": [catch(["States.ALL"], "Freeze")],
            "Next": "Freeze",
        },
        "Cancel": {
            **call("cancel", settings),
            "Catch": [catch(["States.ALL"], "NotCancelled", "$.cancelling")],
            "Next": "NotBegun",
        },
    }


def _frozen(settings: Cutover) -> dict[str, State]:
    """Writes are refused: each call is told the budget, and ends when it is spent."""

    def frozen(module: str, then: str, **more: Any) -> State:
        return {**inside(module, then), "Catch": [catch(["States.ALL"], "Rollback")], **more}

    def inside(module: str, then: str = "") -> State:
        """One in a branch, whose errors the whole catches."""
        event = {"run_id.$": "$.run_id", "budget": _BUDGET}
        if module == "sequences":
            event["most_seconds.$"] = "$.most_seconds"
        return {**call(module, settings, event), **({"Next": then} if then else {"End": True})}

    left = keep("sequences", "seconds_left")
    not_frozen_yet = {"freeze_seconds.$": "$.freeze_seconds", "frozen_at": None}
    freeze = call("freeze", settings, {"run_id.$": "$.run_id", "budget": not_frozen_yet})
    # It leaves no mark for the next run: to do so it would have to wait, with writes refused. Nor does it rest between
    # two looks to spare the source, which has nothing to write.
    at_drain = {"settle_seconds": 0, "marker.$": "$.drain.marker"}
    validation = {"incremental": True, "baseline": False, "sequences": True, "max_share_percent": 100, **at_drain}
    return {
        "Freeze": {
            **freeze,
            **keep("freeze", "frozen_at"),
            "Catch": [catch(["States.ALL"], "Rollback")],
            "Next": "Drain",
        },
        "Drain": frozen("drain", "ProveAndTurn", **keep("drain", "marker")),
        # Side by side, for none of the two changes what the other looks at.
        "ProveAndTurn": {
            "Type": "Parallel",
            "Branches": [
                {
                    "StartAt": "StopForward",
                    "States": {
                        "StopForward": inside("stop_forward", "StartReverse"),
                        "StartReverse": inside("start_reverse"),
                    },
                },
                {
                    "StartAt": "Sequences",
                    "States": {
                        "Sequences": {**inside("sequences", "Validate"), **left},
                        "Validate": {**validate(validation, "$.sequences.seconds_left"), "End": True},
                    },
                },
            ],
            "ResultPath": None,
            "Catch": [catch(["States.ALL"], "Rollback")],
            "Next": "LookAtTheClock" if settings.approve_switch else "Switch",
        },
        **(
            {
                # The same step once more: it finds its work done, and says what is left of the budget now.
                "LookAtTheClock": frozen("sequences", "ApproveSwitch", **left),
                "ApproveSwitch": {
                    **ask("switch", settings, "$.sequences.seconds_left"),
                    "Catch": [catch(["States.ALL"], "Rollback")],
                    "Next": "Switch",
                },
            }
            if settings.approve_switch
            else {}
        ),
        "Switch": frozen("switch", "Smoke"),
        "Smoke": frozen("smoke", "Reopen"),
        # It may have opened before it failed: what Aurora took since then goes back too.
        "Reopen": {**frozen("reopen", "Watch"), "Catch": [catch(["States.ALL"], "GoBack")]},
    }


def _watched(settings: Cutover) -> dict[str, State]:
    """Payments are taken on AWS. Nobody there to decide, or nothing to be seen, is no reason to refuse them again."""
    event = {"run_id.$": "$.run_id", "watch": {"minutes": settings.watch_minutes}}
    return {
        "Watch": {
            **call("watch", settings, event),
            **keep("watch", "verdict"),
            "Catch": [catch(["States.ALL"], "AskToStay")],
            "Next": "Watched",
        },
        "Watched": {
            "Type": "Choice",
            "Choices": [where("$.watch.verdict", "over", "Finish"), where("$.watch.verdict", "alarm", "AskToStay")],
            "Default": "WatchOn",
        },
        "WatchOn": {"Type": "Wait", "Seconds": _LOOK_SECONDS, "Next": "Watch"},
        "AskToStay": {
            **ask("stay", settings, _approval_seconds(settings)),
            "Catch": [catch([REJECTED], "GoBack"), catch(["States.ALL"], "Finish")],
            "Next": "Finish",
        },
        "Finish": {
            **call("finish", settings, patient=True),
            "Catch": [catch(["States.ALL"], "Stuck")],
            "Next": "Done",
        },
    }


def _back(settings: Cutover) -> dict[str, State]:
    """The way back has no budget: payments are taken again at its end, not before.

    What the validation finds different holds it, with both gates closed. That it does not come to an end does not: the
    marker has shown that all is over, and writes are waiting.
    """
    validation = {"incremental": True, "settle_seconds": 0, "marker.$": "$.go_back.marker"}
    return {
        "GoBack": {
            **call("go_back", settings, patient=True),
            **keep("go_back", "opened", "marker"),
            "Catch": [catch(["States.ALL"], "Stuck")],
            "Next": "WentBack",
        },
        "WentBack": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.go_back.opened", "BooleanEquals": True, "Next": "ValidateBack"}],
            "Default": "Rollback",
        },
        "ValidateBack": {
            **validate(validation, settings.freeze_seconds),
            "Catch": [catch(["States.TaskFailed"], "JudgeBack"), catch(["States.ALL"], "Rollback")],
            "Next": "Rollback",
        },
        "JudgeBack": {
            "Type": "Choice",
            # The cause describes the failed execution; its error is the validation's own.
            "Choices": [
                {
                    "And": [
                        {"Variable": "$.failure.Cause", "IsPresent": True},
                        {"Variable": "$.failure.Cause", "StringMatches": "*Mismatch*"},
                    ],
                    "Next": "Stuck",
                }
            ],
            "Default": "Rollback",
        },
        "Rollback": {
            **call("rollback", settings, patient=True),
            "Catch": [catch(["States.ALL"], "Stuck")],
            "Next": "Back",
        },
        "Back": {
            "Type": "Choice",
            "Choices": [where("$.wanted", "back", "BackAsWanted")],
            "Default": "RolledBack",
        },
        "Stuck": {
            # Not every error has a cause, and here is nobody left to catch what comes of that.
            **call("stuck", settings, {"run_id.$": "$.run_id", "error.$": "$.failure.Error"}),
            **keep("stuck", "cause"),
            "Catch": [catch(["States.ALL"], "StuckUntold", "$.telling")],
            "Next": "StuckTold",
        },
    }


def _ends() -> dict[str, State]:
    return {
        "Done": {"Type": "Succeed"},
        "BackAsWanted": {"Type": "Succeed"},
        "NotReady": {"Type": "Fail", "Error": "NotReady", "CausePath": "$.failure.Cause"},
        "NotBegun": {
            "Type": "Fail",
            "Error": "NotBegun",
            "Cause": "Nothing was done; the history says who refused it, or what failed",
        },
        "NotCancelled": {
            "Type": "Fail",
            "Error": "NotCancelled",
            "Cause": "Nothing was frozen, but the databases are claimed still: python -m cutover status says by whom",
        },
        "RolledBack": {
            "Type": "Fail",
            "Error": "RolledBack",
            "Cause": "The payments are in the data centre again, and writes are taken; the history says what failed",
        },
        "StuckTold": {"Type": "Fail", "Error": "Stuck", "CausePath": "$.stuck.cause"},
        "StuckUntold": {
            "Type": "Fail",
            "Error": "Stuck",
            "Cause": "Neither on nor back, and not even to be told: look at the gates by python -m cutover status",
        },
    }


def _approval_seconds(settings: Cutover) -> int:
    return settings.approval_hours * _HOUR
