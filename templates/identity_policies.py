"""What each role of the identity tier may do: policy name → document."""

from __future__ import annotations

import re
from collections.abc import Mapping

from awacs import awslambda, cloudwatch, ecr, kms, logs, s3, secretsmanager, ssm, states
from awacs.aws import PolicyDocument, StringEquals, StringLike
from troposphere import Ref, Sub

from contract import names
from contract.policies import allow, arn, bucket_arn, document, via
from contract.stack import Stack
from templates.role_statements import (
    attach_to_vpc,
    decrypt_environment,
    deliver_logs,
    read_secrets,
    trace,
    write_log,
)

Policies = Mapping[str, PolicyDocument]

# The Map's executions carry it in their names; the validation tier's workflow gives it.
_MAP_LABEL = "Items"


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
    # Those of both sides: the pointer may move while a task runs. Which side takes writes is the gate's to say.
    return {
        "database-secrets": document(*read_secrets(stack, data_key, ["application", "source-application"])),
        "log": document(*write_log(stack, "service", logs_key)),
        "image": document(
            allow(
                "PullTheImage",
                [ecr.BatchCheckLayerAvailability, ecr.BatchGetImage, ecr.GetDownloadUrlForLayer],
                [image_repository(stack.settings.service.image)],
            ),
            allow("SignInToTheRegistryWhichHasNoArn", [ecr.GetAuthorizationToken], ["*"]),
        ),
    }


def task(stack: Stack) -> Policies:
    """The pointer, which says which database to use. Access to the database itself is given by its own tier."""
    pointer = arn("ssm", f"parameter{stack.named_elsewhere(names.SSM_PARAMETER, 'database')}")
    return {"pointer": document(allow("FollowThePointer", [ssm.GetParameter], [pointer]))}


def dms_secrets(stack: Stack, data_key: Ref) -> Policies:
    """The credentials of both endpoints.

    https://docs.aws.amazon.com/dms/latest/userguide/security_iam_secretsmanager.html
    """
    read = [secretsmanager.DescribeSecret, secretsmanager.GetSecretValue]
    return {
        "secrets": document(
            *read_secrets(stack, data_key, ["dms", "source-dms"], read),
            # Not through Secrets Manager: DMS looks at the key itself, which shows no data.
            allow("DescribeTheKey", [kms.DescribeKey], [data_key]),
        )
    }


def validator(stack: Stack, data_key: Ref, logs_key: Ref) -> Policies:
    """Both databases' credentials in, report, metrics and log out, from within the VPC."""
    function = arn("lambda", f"function:{stack.named_elsewhere(names.FUNCTION, 'validator')}")
    namespace = stack.named_elsewhere(names.METRIC_NAMESPACE, "validation")
    reports = stack.named_elsewhere(names.BUCKET, "reports")
    return {
        "log": document(*write_log(stack, "validator", logs_key)),
        "secrets": document(*read_secrets(stack, data_key, ["validator", "source-validator"])),
        "reports": document(
            # The places of validator/places.py. Reports hold rows that differ: it writes them, and reads none.
            allow(
                "WriteReports",
                [s3.PutObject],
                [bucket_arn(f"{reports}/{at}/*") for at in ("runs", "work", "baselines")],
            ),
            allow("ReadItsWork", [s3.GetObject], [bucket_arn(f"{reports}/{at}/*") for at in ("work", "baselines")]),
            allow(
                "FindItsWork",
                [s3.ListBucket],
                [bucket_arn(reports)],
                StringLike({"s3:prefix": ["work/*", "baselines/*"]}),
            ),
            allow("EncryptReports", [kms.Decrypt, kms.GenerateDataKey], [data_key], via(stack.settings.region, "s3")),
        ),
        "environment": document(decrypt_environment(stack, data_key, function)),
        "trace": document(trace()),
        "metrics": document(
            allow(
                "PutMetricsWhichHaveNoArn",
                [cloudwatch.PutMetricData],
                ["*"],
                StringEquals({"cloudwatch:namespace": namespace}),
            )
        ),
        "network": document(*attach_to_vpc(function)),
    }


def state_machine(stack: Stack, data_key: Ref) -> Policies:
    """The validator, the list of its items of work, and an execution for each item: nothing else.

    https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    """
    function = f"function:{stack.named_elsewhere(names.FUNCTION, 'validator')}"
    reports = stack.named_elsewhere(names.BUCKET, "reports")
    machine = stack.named_elsewhere(names.STATE_MACHINE, "validation")
    return {
        "function": document(
            allow(
                "InvokeTheValidator",
                [awslambda.InvokeFunction],
                [arn("lambda", function), arn("lambda", f"{function}:*")],
            )
        ),
        "items": document(
            allow("ReadTheItems", [s3.GetObject], [bucket_arn(f"{reports}/work/*/items.json")]),
            allow("DecryptTheItems", [kms.Decrypt], [data_key], via(stack.settings.region, "s3")),
            allow("StartAnExecutionForEach", [states.StartExecution], [arn("states", f"stateMachine:{machine}")]),
            allow(
                "LookAfterThem",
                [states.DescribeExecution, states.StopExecution],
                [arn("states", f"execution:{machine}:*"), arn("states", f"execution:{machine}/{_MAP_LABEL}:*")],
            ),
            allow("TakeThemUpAgain", [states.RedriveExecution], [arn("states", f"execution:{machine}/{_MAP_LABEL}:*")]),
        ),
        "log": document(deliver_logs()),
        "trace": document(trace()),
    }


def flow_logs(stack: Stack, logs_key: Ref) -> Policies:
    """Into the group that the network tier makes, with retention and key: flow logs need not create one.

    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    """
    return {
        "log": document(
            *write_log(stack, "flow-logs", logs_key, logs.DescribeLogStreams),
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
