"""The state machine that proves both databases equal: plan, compare every table, summarise, judge. Pure data.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
The events that the function takes and gives are described in validator/handler.py.
"""

from __future__ import annotations

from typing import Any

# What `DefinitionSubstitutions` puts in.
FUNCTION = "${FunctionArn}"
# The partition is literal because CloudFormation substitutes only after cfn-lint has judged the pattern (E3601).
_INVOKE = "arn:aws:states:::lambda:invoke"
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


def workflow(timeout_seconds: int, max_concurrency: int) -> dict[str, Any]:
    """The definition: at most `max_concurrency` tables at once, each call given the function's `timeout_seconds`.

    The report is written before the verdict is acted on. The execution succeeds only on PASS without mismatches;
    whatever else the function may answer fails it, so that neither alarm nor gate can take it for a proof.
    """
    seconds = timeout_seconds + _MARGIN_SECONDS
    return {
        "Comment": "Compare every table of the data centre's database with Aurora's",
        "StartAt": "Plan",
        "TimeoutSeconds": _RUN_SECONDS,
        "States": {
            "Plan": {**_call(seconds, {"action": "plan"}), "Next": "CompareTables"},
            "CompareTables": {
                "Type": "Map",
                "ItemsPath": "$.tables",
                "ItemSelector": {
                    "action": "compare",
                    "run_id.$": "$.run_id",
                    "table.$": "$$.Map.Item.Value",
                },
                "MaxConcurrency": max_concurrency,
                "ItemProcessor": _comparison(seconds),
                "ResultPath": "$.results",
                "Next": "Summarise",
            },
            "Summarise": {
                **_call(
                    seconds,
                    {
                        "action": "summarise",
                        "run_id.$": "$.run_id",
                        "tables.$": "$.tables",
                        "skipped.$": "$.skipped",
                        "results.$": "$.results",
                    },
                ),
                "Next": "Judge",
            },
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


def _comparison(seconds: int) -> dict[str, Any]:
    """One table. Its failure is a result among the others, so that one table does not hide what is wrong with the rest.

    The error's name is kept and its message left out: a message of PostgreSQL may hold values of rows.
    """
    return {
        "ProcessorConfig": {"Mode": "INLINE"},
        "StartAt": "Compare",
        "States": {
            "Compare": {
                **_call(seconds, None, {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 30, "MaxAttempts": 2}),
                "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "NotCompared"}],
                "End": True,
            },
            "NotCompared": {
                "Type": "Pass",
                "Parameters": {
                    "run_id.$": "$.run_id",
                    "schema.$": "$.table.schema",
                    "table.$": "$.table.table",
                    "verdict": "INCONCLUSIVE",
                    "rows": {"source": None, "target": None},
                    "checksum": {"source": None, "target": None},
                    "reason.$": "States.Format('the comparison ended with {}', $.failure.Error)",
                    "notes": [],
                },
                "End": True,
            },
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
