"""What each role of the identity tier may do: policy name → document."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from awacs import awslambda, cloudwatch, ec2, ecr, kms, logs, s3, secretsmanager, xray
from awacs.aws import Action, ArnEquals, Condition, Deny, PolicyDocument, Statement, StringEquals
from troposphere import Ref, Sub

from contract import names
from contract.policies import USE_OF_KEY, allow, arn, bucket_arn, document, via
from contract.stack import Stack

Policies = Mapping[str, PolicyDocument]

_NETWORK_INTERFACES = [
    ec2.AssignPrivateIpAddresses, ec2.CreateNetworkInterface, ec2.DeleteNetworkInterface, ec2.DescribeNetworkInterfaces,
    ec2.DescribeSubnets, ec2.UnassignPrivateIpAddresses,
]  # fmt: skip
_LOG_DELIVERY = [
    logs.CreateLogDelivery, logs.DeleteLogDelivery, logs.DescribeLogGroups, logs.DescribeResourcePolicies,
    logs.GetLogDelivery, logs.ListLogDeliveries, logs.PutResourcePolicy, logs.UpdateLogDelivery,
]  # fmt: skip


def image_repository(image: str) -> Sub:
    """The ARN of the ECR repository that an image lives in; params admit no image of another registry."""
    registry, _, path = image.partition("/")
    account, _, _, region, *_ = registry.split(".")
    name = re.split("[:@]", path)[0]
    return Sub(f"arn:${{AWS::Partition}}:ecr:{region}:{account}:repository/{name}")


def task_execution(stack: Stack, data_key: Ref, logs_key: Ref) -> Policies:
    """Before the application runs.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
    """
    # A payment database has one writer: the service gets the credentials of that side only.
    aurora = stack.settings.service.database == "aurora"
    return {
        "database-secret": document(
            *_read_secrets(stack, data_key, ["application" if aurora else "source-application"])
        ),
        "log": document(*_write_log(stack, "service", logs_key)),
        "image": document(
            allow(
                "PullTheImage",
                [ecr.BatchCheckLayerAvailability, ecr.BatchGetImage, ecr.GetDownloadUrlForLayer],
                [image_repository(stack.settings.service.image)],
            ),
            allow("SignInToTheRegistryWhichHasNoArn", [ecr.GetAuthorizationToken], ["*"]),
        ),
    }


def dms_secrets(stack: Stack, data_key: Ref) -> Policies:
    """The credentials of both endpoints.

    https://docs.aws.amazon.com/dms/latest/userguide/security_iam_secretsmanager.html
    """
    read = [secretsmanager.DescribeSecret, secretsmanager.GetSecretValue]
    return {
        "secrets": document(
            *_read_secrets(stack, data_key, ["dms", "source-dms"], read),
            # Not through Secrets Manager: DMS looks at the key itself, which shows no data.
            allow("DescribeTheKey", [kms.DescribeKey], [data_key]),
        )
    }


def validator(stack: Stack, data_key: Ref, logs_key: Ref) -> Policies:
    """Both databases' credentials in, report, metrics and log out, from within the VPC.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
    """
    function = arn("lambda", f"function:{stack.named_elsewhere(names.FUNCTION, 'validator')}")
    namespace = stack.named_elsewhere(names.METRIC_NAMESPACE, "validation")
    reports = stack.named_elsewhere(names.BUCKET, "reports")
    return {
        "log": document(*_write_log(stack, "validator", logs_key)),
        "secrets": document(*_read_secrets(stack, data_key, ["validator", "source-validator"])),
        "reports": document(
            # Where validator/aws.py puts the report of a run.
            allow("WriteReports", [s3.PutObject], [bucket_arn(f"{reports}/runs/*")]),
            allow("EncryptReports", [kms.GenerateDataKey], [data_key], via(stack.settings.region, "s3")),
        ),
        "environment": document(
            # Lambda's own grant allows the same, but it is lost with a role that is made anew under the old name.
            allow(
                "DecryptTheEnvironment",
                [kms.Decrypt],
                [data_key],
                via(stack.settings.region, "lambda"),
                ArnEquals({"kms:EncryptionContext:aws:lambda:FunctionArn": function}),
            )
        ),
        "trace": document(_trace()),
        "metrics": document(
            allow(
                "PutMetricsWhichHaveNoArn",
                [cloudwatch.PutMetricData],
                ["*"],
                StringEquals({"cloudwatch:namespace": namespace}),
            )
        ),
        "network": document(
            allow("AttachToTheVpcAsLambdaDemands", _NETWORK_INTERFACES, ["*"]),
            # Lambda itself needs these to attach the function; the function's own code must not have them.
            Statement(
                Sid="NotForTheCode",
                Effect=Deny,
                Action=[*_NETWORK_INTERFACES, ec2.DetachNetworkInterface],
                Resource=["*"],
                Condition=Condition([ArnEquals({"lambda:SourceFunctionArn": function})]),
            ),
        ),
    }


def state_machine(stack: Stack) -> Policies:
    """The validator and nothing else: its steps pass results along, and no run reads or writes anything itself.

    https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
    """
    function = f"function:{stack.named_elsewhere(names.FUNCTION, 'validator')}"
    return {
        "function": document(
            allow(
                "InvokeTheValidator",
                [awslambda.InvokeFunction],
                [arn("lambda", function), arn("lambda", f"{function}:*")],
            )
        ),
        "log": document(allow("DeliverLogsWhichHaveNoArn", _LOG_DELIVERY, ["*"])),
        "trace": document(_trace()),
    }


def flow_logs(stack: Stack, logs_key: Ref) -> Policies:
    """Into the group that the network tier makes, with retention and key: flow logs need not create one.

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    """
    return {
        "log": document(
            *_write_log(stack, "flow-logs", logs_key, logs.DescribeLogStreams),
            allow("FindTheLogGroup", [logs.DescribeLogGroups], [arn("logs", "log-group:*")]),
        )
    }


def monitoring() -> Policies:
    """What AmazonRDSEnhancedMonitoringRole allows, but in this account and region, for the one group that RDS uses.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_Monitoring.OS.CloudWatchLogs.html
    """
    group = "log-group:RDSOSMetrics"
    return {
        "metrics": document(
            allow("KeepTheLogGroup", [logs.CreateLogGroup, logs.PutRetentionPolicy], [arn("logs", f"{group}:*")]),
            allow(
                "WriteTheMetrics",
                [logs.CreateLogStream, logs.DescribeLogStreams, logs.GetLogEvents, logs.PutLogEvents],
                [arn("logs", f"{group}:log-stream:*")],
            ),
        )
    }


def _read_secrets(
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


def _write_log(stack: Stack, part: str, logs_key: Ref, *others: Action) -> list[Statement]:
    group = arn("logs", f"log-group:{stack.named_elsewhere(names.LOG_GROUP, part)}:*")
    actions = [logs.CreateLogStream, logs.PutLogEvents, *others]
    return [
        allow("WriteTheLog", actions, [group]),
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html#cmk-permissions-caller
        allow("EncryptTheLog", USE_OF_KEY, [logs_key], via(stack.settings.region, "logs")),
    ]


def _trace() -> Statement:
    return allow(
        "TraceWhichHasNoArn",
        [xray.GetSamplingRules, xray.GetSamplingTargets, xray.PutTelemetryRecords, xray.PutTraceSegments],
        ["*"],
    )
