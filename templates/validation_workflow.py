"""The state machine that proves both databases equal: plan, compare item after item, conclude, judge. Pure data.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
The events that the function takes and gives are described in validator/handler.py. States carry a run's name, counts
and keys of S3, never a table or a row, so that nothing outgrows the 256 KiB that a state may pass on.
"""

from __future__ import annotations

from typing import Any

# What `DefinitionSubstitutions` puts in.
FUNCTION, BUCKET = "${FunctionArn}", "${ReportBucket}"
# Part of the names of the Map's executions, which the role of the state machine may look after.
MAP_LABEL = "Items"
# The partition is literal because CloudFormation substitutes only after cfn-lint has judged the pattern (E3601).
_INVOKE = "arn:aws:states:::lambda:invoke"
_READ = "arn:aws:states:::s3:getObject"
# Beyond the function's own timeout, for Lambda to report it.
_MARGIN_SECONDS = 30
# No run takes a day; a stuck one would otherwise stay for a year.
_RUN_SECONDS = 86400

# Lambda itself was at fault or busy: nothing was done, so nothing is done twice.
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html
_LAMBDA_FAULTS = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
]
# Minutes of a failover, a lock, a call that Lambda ended: the function goes on where it stopped.
_PATIENT = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 1,
    "MaxAttempts": 9,
    "BackoffRate": 2,
    "MaxDelaySeconds": 60,
    "JitterStrategy": "FULL",
}
# What the planner says of a database that it cannot reach, or lost (validator/errors.py).
_UNREACHABLE = {
    "ErrorEquals": ["ConnectError", "ConnectionLostError", "StoreError", "Sandbox.Timedout", "Lambda.Unknown"],
    "IntervalSeconds": 1,
    "MaxAttempts": 3,
    "BackoffRate": 2,
}


def workflow(timeout_seconds: int, max_concurrency: int) -> dict[str, Any]:
    """The definition: at most `max_concurrency` items at once, each call given the function's `timeout_seconds`.

    The report is written before the verdict is acted on. The execution succeeds only on PASS without mismatches;
    whatever else the function may answer fails it, so that neither alarm nor gate can take it for a proof.
    """
    seconds = timeout_seconds + _MARGIN_SECONDS
    plan = {"action": "plan", "execution.$": "$$.Execution.Name", "input.$": "$$.Execution.Input"}
    return {
        "Comment": "Compare every table of the data centre's database with Aurora's",
        "StartAt": "Plan",
        "TimeoutSeconds": _RUN_SECONDS,
        "States": {
            "Plan": {**_call(seconds, plan, _UNREACHABLE), "Next": "Planned"},
            "Planned": {
                "Type": "Choice",
                "Choices": [
                    {"Variable": "$.done", "BooleanEquals": False, "Next": "Plan"},
                    # So small that the call which planned it has compared and concluded it too.
                    {"Variable": "$.verdict", "IsPresent": True, "Next": "Judge"},
                    {"Variable": "$.items", "NumericEquals": 0, "Next": "Conclude"},
                    {"Variable": "$.few[0]", "IsPresent": True, "Next": "CompareFew"},
                ],
                "Default": "CompareItems",
            },
            # Within the execution: a distributed map takes a second or more before it begins, and the cutover waits.
            "CompareFew": {
                **_map(max_concurrency),
                "ItemsPath": "$.few",
                "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **_comparison(seconds, "OneOfFew")},
            },
            "CompareItems": {
                **_map(max_concurrency),
                "Label": MAP_LABEL,
                "ItemReader": {
                    "Resource": _READ,
                    "ReaderConfig": {"InputType": "JSON"},
                    "Parameters": {"Bucket": BUCKET, "Key.$": "$.items_key"},
                },
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    **_comparison(seconds),
                },
            },
            "Conclude": {**_call(seconds, {"action": "conclude", "run_id.$": "$.run_id"}), "Next": "Judge"},
            "Judge": {
                "Type": "Choice",
                "Choices": [
                    {
                        "And": [
                            {"Variable": "$.verdict", "StringEquals": "PASS"},
                            {"Variable": "$.mismatches", "NumericEquals": 0},
                        ],
                        "Next": "Equal",
                    },
                    {"Variable": "$.verdict", "StringEquals": "INCONCLUSIVE", "Next": "Inconclusive"},
                ],
                "Default": "Mismatch",
            },
            "Equal": {"Type": "Succeed"},
            "Inconclusive": {
                "Type": "Fail",
                "Error": "Inconclusive",
                "Cause": "Not every table could be compared: the report says which and why",
            },
            "Mismatch": {
                "Type": "Fail",
                "Error": "Mismatch",
                "Cause": "The databases differ: the report says in which tables",
            },
        },
    }


def _map(max_concurrency: int) -> dict[str, Any]:
    return {
        "Type": "Map",
        "ItemSelector": {
            "action": "compare",
            "run_id.$": "$.run_id",
            "attempt.$": "$.attempt",
            "item.$": "$$.Map.Item.Value",
        },
        "MaxConcurrency": max_concurrency,
        "ResultPath": None,
        "Next": "Conclude",
    }


def _comparison(seconds: int, suffix: str = "") -> dict[str, Any]:
    """One item, by as many calls as it takes. Its failure is kept for the report, so that it does not hide the others'.

    The error's name is kept and its message left out: a message of PostgreSQL may hold values of rows. It ends with
    next to nothing as output: those of all items together must not outgrow what a state may pass on either. `suffix`
    tells its states from those of the other map, since no two of a machine have one name.
    """
    compare, compared, abandon, done = (f"{name}{suffix}" for name in ("Compare", "Compared", "Abandon", "Done"))
    given_up = {
        "action": "abandon",
        "run_id.$": "$.run_id",
        "attempt.$": "$.attempt",
        "item.$": "$.item",
        "error.$": "$.failure.Error",
    }
    return {
        "StartAt": compare,
        "States": {
            compare: {
                **_call(seconds, None, _PATIENT),
                "OutputPath": "$",
                "ResultSelector": {"done.$": "$.Payload.done"},
                "ResultPath": "$.answer",
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": abandon}],
                "Next": compared,
            },
            compared: {
                "Type": "Choice",
                "Choices": [{"Variable": "$.answer.done", "BooleanEquals": True, "Next": done}],
                "Default": compare,
            },
            abandon: {
                **_call(seconds, given_up),
                # What was never said is missing in the parts, and so in the report.
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": done}],
                "Next": done,
            },
            done: {"Type": "Pass", "Result": {}, "End": True},
        },
    }


def _call(seconds: int, event: dict[str, Any] | None, *retries: dict[str, Any]) -> dict[str, Any]:
    """A call of the function with `event`, or with the state's input; its answer becomes the state's output."""
    payload = {"Payload.$": "$"} if event is None else {"Payload": event}
    return {
        "Type": "Task",
        "Resource": _INVOKE,
        "Parameters": {"FunctionName": FUNCTION, **payload},
        "OutputPath": "$.Payload",
        "TimeoutSeconds": seconds,
        "Retry": [
            {
                "ErrorEquals": _LAMBDA_FAULTS,
                "IntervalSeconds": 2,
                "MaxAttempts": 6,
                "BackoffRate": 2,
                "MaxDelaySeconds": 60,
                "JitterStrategy": "FULL",
            },
            *retries,
        ],
    }
