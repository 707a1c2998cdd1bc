"""What the cutover's state machine is made of: calls of steps, questions to people, comparisons. Pure data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from settings.moving import Cutover
from templates.cutover_steps import STEPS

State = dict[str, Any]

# What `DefinitionSubstitutions` puts in, beside the functions: see `function`.
VALIDATION = "${ValidationArn}"
# What a person's refusal fails a task with (`python -m cutover reject`).
REJECTED = "Rejected"
# The partition is literal because CloudFormation substitutes only after cfn-lint has judged the pattern (E3601).
_INVOKE = "arn:aws:states:::lambda:invoke"
_ASK = f"{_INVOKE}.waitForTaskToken"
_RUN_MACHINE = "arn:aws:states:::states:startExecution.sync:2"
# Beyond a function's own timeout, for Lambda to report it.
_MARGIN_SECONDS = 10
_WARM_SECONDS = 30

# Lambda itself was at fault or busy: nothing was done.
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
_LAMBDA_FAULTS = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
]
# The step says that the same call may succeed, or it was ended in the middle; it goes on where it stopped.
_AGAIN = ["Retry", "Sandbox.Timedout", "Lambda.Unknown"]
SECONDS: dict[str, Callable[[Cutover], int]] = {step.module: step.seconds for step in STEPS}


def function(module: str) -> str:
    """The substitution that stands for the ARN of a step's function."""
    (step,) = (step for step in STEPS if step.module == module)
    return f"${{{step.title}Arn}}"


def call(module: str, settings: Cutover, event: dict[str, Any] | None = None, *, patient: bool = False) -> State:
    """A call of a step's function; what it answers is written down by itself, and dropped here.

    A step that is told a budget says itself when it is spent, so within it there is no end of tries. `patient`: for a
    quarter of an hour, in which a server may come back.
    """
    again = {"MaxAttempts": 60, "BackoffRate": 1.5, "MaxDelaySeconds": 15} if patient else {
        "MaxAttempts": 30, "BackoffRate": 1.5, "MaxDelaySeconds": 2
    }  # fmt: skip
    return {
        "Type": "Task",
        "Resource": _INVOKE,
        "Parameters": {"FunctionName": function(module), "Payload": event or {"run_id.$": "$.run_id"}},
        "ResultPath": None,
        "TimeoutSeconds": SECONDS[module](settings) + _MARGIN_SECONDS,
        "Retry": [
            {
                "ErrorEquals": _LAMBDA_FAULTS,
                "IntervalSeconds": 1,
                "MaxAttempts": 6,
                "BackoffRate": 2,
                "MaxDelaySeconds": 8,
                "JitterStrategy": "FULL",
            },
            {"ErrorEquals": _AGAIN, "IntervalSeconds": 1, **again},
        ],
    }


def keep(name: str, *keys: str) -> State:
    """Keep these of a function's answer at `$.<name>`."""
    return {"ResultSelector": {f"{key}.$": f"$.Payload.{key}" for key in keys}, "ResultPath": f"$.{name}"}


def ask(question: str, settings: Cutover, seconds: int | str) -> State:
    """Wait for a person's answer, or until `seconds`, or those at a path, are over."""
    event = {"run_id.$": "$.run_id", "task_token.$": "$$.Task.Token", "question": question}
    return limited({**call("approval", settings, event), "Resource": _ASK}, seconds)


def validate(order: dict[str, Any], seconds: int | str) -> State:
    """A run of the validation's own state machine, which succeeds only where both databases are equal."""
    state = {
        "Type": "Task",
        "Resource": _RUN_MACHINE,
        "Parameters": {"StateMachineArn": VALIDATION, "Input": order},
        "ResultPath": None,
    }
    return limited(state, seconds)


def limited(state: State, seconds: int | str) -> State:
    """The same, ended after so many seconds: a number, or the path of one in the state's input."""
    rest = {key: value for key, value in state.items() if key != "TimeoutSeconds"}
    return {**rest, "TimeoutSeconds" if isinstance(seconds, int) else "TimeoutSecondsPath": seconds}


def warming(module: str) -> dict[str, Any]:
    """A call that makes a function ready for the next one; that it fails means nothing."""
    title = function(module)[2:-4]
    return {
        "StartAt": f"Warm{title}",
        "States": {
            f"Warm{title}": {
                "Type": "Task",
                "Resource": _INVOKE,
                "Parameters": {"FunctionName": function(module), "Payload": {"warm": True}},
                "TimeoutSeconds": _WARM_SECONDS,
                "Catch": [catch(["States.ALL"], f"Cold{title}")],
                "End": True,
            },
            f"Cold{title}": {"Type": "Pass", "End": True},
        },
    }


def comparing_before(settings: Cutover) -> dict[str, Any]:
    """What has changed since the last clean run is compared just before the freeze: the run inside finds little left.

    It also finds the validation's function warm. How this one ends means nothing: the one inside decides, and goes by
    the last clean run there was.
    """
    return {
        "StartAt": "CompareBefore",
        "States": {
            "CompareBefore": {
                **validate({"incremental": True}, settings.freeze_seconds),
                "Catch": [catch(["States.ALL"], "NotCompared")],
                "End": True,
            },
            "NotCompared": {"Type": "Pass", "End": True},
        },
    }


def catch(errors: list[str], then: str, at: str = "$.failure") -> dict[str, Any]:
    """Go there on these errors; what failed is kept at `at`."""
    return {"ErrorEquals": errors, "ResultPath": at, "Next": then}


def where(variable: str, value: str, then: str) -> dict[str, Any]:
    """Go there where the variable is there, and has this value."""
    present = {"Variable": variable, "IsPresent": True}
    return {"And": [present, {"Variable": variable, "StringEquals": value}], "Next": then}
