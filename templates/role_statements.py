"""Statements that the roles of several tiers share."""

from __future__ import annotations

from collections.abc import Sequence

from awacs import ec2, kms, logs, secretsmanager, xray
from awacs.aws import Action, ArnEquals, Condition, Deny, Statement
from troposphere import Ref, Sub

from contract import names
from contract.policies import USE_OF_KEY, allow, arn, via
from contract.stack import Stack

_NETWORK_INTERFACES = [
    ec2.AssignPrivateIpAddresses, ec2.CreateNetworkInterface, ec2.DeleteNetworkInterface, ec2.DescribeNetworkInterfaces,
    ec2.DescribeSubnets, ec2.UnassignPrivateIpAddresses,
]  # fmt: skip
_LOG_DELIVERY = [
    logs.CreateLogDelivery, logs.DeleteLogDelivery, logs.DescribeLogGroups, logs.DescribeResourcePolicies,
    logs.GetLogDelivery, logs.ListLogDeliveries, logs.PutResourcePolicy, logs.UpdateLogDelivery,
]  # fmt: skip


def read_secrets(
    stack: Stack, data_key: Ref, parts: Sequence[str], actions: Sequence[Action] = (secretsmanager.GetSecretValue,)
) -> list[Statement]:
    """Secrets Manager appends a hyphen and six characters to the names in ARNs."""
    secrets = [arn("secretsmanager", f"secret:{stack.named_elsewhere(names.SECRET, part)}-??????") for part in parts]
    return [
        allow("ReadTheSecrets", actions, secrets),
        allow(
            "DecryptTheSecrets",
            [kms.Decrypt],
            [data_key],
            via(stack.settings.region, "secretsmanager"),
        ),
    ]


def write_log(stack: Stack, part: str, logs_key: Ref, *others: Action) -> list[Statement]:
    """Into the log group of this part, which is encrypted with the logs key."""
    group = arn("logs", f"log-group:{stack.named_elsewhere(names.LOG_GROUP, part)}:*")
    actions = [logs.CreateLogStream, logs.PutLogEvents, *others]
    return [
        allow("WriteTheLog", actions, [group]),
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html#cmk-permissions-caller
        allow("EncryptTheLog", USE_OF_KEY, [logs_key], via(stack.settings.region, "logs")),
    ]


def decrypt_environment(stack: Stack, data_key: Ref, function: Sub) -> Statement:
    """Lambda's own grant allows the same, but it is lost with a role that is made anew under the old name."""
    return allow(
        "DecryptTheEnvironment",
        [kms.Decrypt],
        [data_key],
        via(stack.settings.region, "lambda"),
        ArnEquals({"kms:EncryptionContext:aws:lambda:FunctionArn": function}),
    )


def attach_to_vpc(function: Sub) -> list[Statement]:
    """What Lambda itself needs to attach a function; the function's own code must not have it.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
    """
    return [
        allow("AttachToTheVpcAsLambdaDemands", _NETWORK_INTERFACES, ["*"]),
        Statement(
            Sid="NotForTheCode",
            Effect=Deny,
            Action=[*_NETWORK_INTERFACES, ec2.DetachNetworkInterface],
            Resource=["*"],
            Condition=Condition([ArnEquals({"lambda:SourceFunctionArn": function})]),
        ),
    ]


def deliver_logs() -> Statement:
    """The log of a state machine.

    https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
    """
    return allow("DeliverLogsWhichHaveNoArn", _LOG_DELIVERY, ["*"])


def trace() -> Statement:
    """Traces for X-Ray."""
    return allow(
        "TraceWhichHasNoArn",
        [xray.GetSamplingRules, xray.GetSamplingTargets, xray.PutTelemetryRecords, xray.PutTraceSegments],
        ["*"],
    )
