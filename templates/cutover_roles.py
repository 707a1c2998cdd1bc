"""What the roles of the cutover may do: a role for each step, and one for the state machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awacs import awslambda, cloudwatch, dms, elasticloadbalancing, events, kms, s3, ssm, states
from awacs.aws import PolicyDocument, Statement, StringEquals, StringLike
from troposphere import GetAtt, Ref

from contract import names
from contract.policies import allow, arn, bucket_arn, document, via
from contract.stack import Stack
from contract.wiring import Wire
from templates import role_statements as common
from templates.cutover_steps import Grant, Step

# Where the runs are kept in the report bucket (cutover/steps/common/record.py).
RUNS, LOCK = "cutover/", "cutover/lock.json"
EVERYWHERE = (
    "Lambda demands its network interface permissions on all resources; traces, metrics (a condition holds them to one "
    "namespace), and lists of tasks, rules and targets have no ARN"
)


@dataclass(frozen=True, slots=True)
class Places:
    """What the steps work on, as references. `migration_rule` is None where no rule splits requests any more."""

    forward_task: Wire[Any]
    reverse_task: Wire[Any]
    production_rule: Wire[Any]
    migration_rule: Wire[Any] | None
    validation_machine: Wire[Any]
    data_key: Ref
    logs_key: Ref


def step_policies(stack: Stack, step: Step, places: Places) -> dict[str, PolicyDocument]:
    """What one step may do: what every function needs, and its grants."""
    grants = {grant: statements for grant, statements in _grants(stack, places).items() if grant in step.grants}
    granted = [statement for statements in grants.values() for statement in statements]
    function = arn("lambda", f"function:{stack.named_elsewhere(names.FUNCTION, step.part)}")
    secrets = ["cutover", "source-cutover"] if Grant.DATABASES in step.grants else []
    return {
        "log": document(*common.write_log(stack, step.part, places.logs_key)),
        "environment": document(common.decrypt_environment(stack, places.data_key, function)),
        "trace": document(common.trace()),
        "network": document(*common.attach_to_vpc(function)),
        "record": document(*_record(stack, step, places)),
        **({"secrets": document(*common.read_secrets(stack, places.data_key, secrets))} if secrets else {}),
        **({"step": document(*granted)} if granted else {}),
    }


def _record(stack: Stack, step: Step, places: Places) -> list[Statement]:
    """Tell what was done: an object of the run, the phase, metrics. Who looks for an object must be allowed to miss it.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (403 and not 404 without ListBucket)
    """
    bucket = stack.named_elsewhere(names.BUCKET, "reports")
    phase = stack.named_elsewhere(names.SSM_PARAMETER, "cutover/phase")
    namespace = stack.named_elsewhere(names.METRIC_NAMESPACE, "cutover")
    written = [bucket_arn(f"{bucket}/{RUNS}*/*.json")]
    read = [bucket_arn(f"{bucket}/{RUNS}*/*.json")] if Grant.READ_RUN in step.grants else []
    if Grant.LOCK in step.grants:
        lock = bucket_arn(f"{bucket}/{LOCK}")
        written.append(lock)
        read.append(lock)
    through = via(stack.settings.region, "s3")
    return [
        allow("KeepTheRun", [s3.PutObject], written),
        allow("EncryptIt", [kms.Decrypt, kms.GenerateDataKey], [places.data_key], through),
        allow("ShowThePhase", [ssm.PutParameter], [arn("ssm", f"parameter{phase}")]),
        allow(
            "PutMetricsWhichHaveNoArn",
            [cloudwatch.PutMetricData],
            ["*"],
            StringEquals({"cloudwatch:namespace": namespace}),
        ),
        *(
            [
                allow("ReadIt", [s3.GetObject], read),
                allow("FindIt", [s3.ListBucket], [bucket_arn(bucket)], StringLike({"s3:prefix": [f"{RUNS}*"]})),
            ]
            if read
            else []
        ),
    ]


def _grants(stack: Stack, places: Places) -> Mapping[Grant, list[Statement]]:
    forward, reverse = places.forward_task.ref, places.reverse_task.ref
    pointer = arn("ssm", f"parameter{stack.named_elsewhere(names.SSM_PARAMETER, 'database')}")
    lock = bucket_arn(f"{stack.named_elsewhere(names.BUCKET, 'reports')}/{LOCK}")
    machine = stack.named_elsewhere(names.STATE_MACHINE, "validation")
    alarms = arn("cloudwatch", f"alarm:{stack.names_like(names.ALARM)}")
    weights = [places.migration_rule.ref] if places.migration_rule is not None else []
    return {
        Grant.LOCK: [allow("GiveUpTheLock", [s3.DeleteObject], [lock])],
        Grant.READ_POINTER: [allow("ReadThePointer", [ssm.GetParameter], [pointer])],
        Grant.MOVE_POINTER: [allow("MoveThePointer", [ssm.PutParameter], [pointer])],
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsdatabasemigrationservice.html
        Grant.SEE_TASKS: [
            allow("SeeTasksWhichAreListed", [dms.DescribeReplicationTasks], ["*"]),
            allow("SeeTheirTables", [dms.DescribeTableStatistics], [forward, reverse]),
        ],
        Grant.START_FORWARD: [allow("StartTheForwardTask", [dms.StartReplicationTask], [forward])],
        Grant.STOP_FORWARD: [allow("StopTheForwardTask", [dms.StopReplicationTask], [forward])],
        Grant.START_REVERSE: [allow("StartTheReverseTask", [dms.StartReplicationTask], [reverse])],
        Grant.STOP_REVERSE: [allow("StopTheReverseTask", [dms.StopReplicationTask], [reverse])],
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
        Grant.SEE_RULES: [
            allow(
                "SeeRulesAndTargetsWhichHaveNoArnThere",
                [elasticloadbalancing.DescribeRules, elasticloadbalancing.DescribeTargetHealth],
                ["*"],
            )
        ],
        # This rule alone: the production rule is ECS's, and two that write one rule undo each other's work.
        Grant.MOVE_WEIGHTS: [allow("MoveTheWeights", [elasticloadbalancing.ModifyRule], weights)] if weights else [],
        Grant.SEE_VALIDATIONS: [
            allow("ListValidations", [states.ListExecutions], [places.validation_machine.ref]),
            allow("SeeAValidation", [states.DescribeExecution], [arn("states", f"execution:{machine}:*")]),
        ],
        Grant.SEE_ALARMS: [allow("SeeOurAlarms", [cloudwatch.DescribeAlarms], [alarms])],
    }


def machine_policies(stack: Stack, functions: list[GetAtt], validation_machine: Wire[Any]) -> dict[str, PolicyDocument]:
    """The steps, and runs of the validation, whose end Step Functions learns by a rule of EventBridge that it keeps.

    https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
    """
    machine = stack.named_elsewhere(names.STATE_MACHINE, "validation")
    rule = arn("events", "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule")
    return {
        "steps": document(allow("InvokeTheSteps", [awslambda.InvokeFunction], functions)),
        "validation": document(
            allow("ValidateOnceMore", [states.StartExecution], [validation_machine.ref]),
            allow(
                "FollowIt",
                [states.DescribeExecution, states.StopExecution],
                [arn("states", f"execution:{machine}:*")],
            ),
            allow("LearnItsEnd", [events.DescribeRule, events.PutRule, events.PutTargets], [rule]),
        ),
        "log": document(common.deliver_logs()),
        "trace": document(common.trace()),
    }
