"""Validation: the function that compares both databases, the state machine that runs it over every table, the reports.

There is no schedule: every run costs the data centre's database a scan, so a person starts one, or the cutover runbook
when replication has caught up.
"""

from __future__ import annotations

from troposphere import GetAtt, Ref, awslambda, s3, stepfunctions

from contract import names
from contract.certificates import DATA_CENTER_BUNDLE, RDS_BUNDLE
from contract.kinds import (
    BucketName,
    FunctionName,
    KmsKeyArn,
    LogGroupName,
    MetricNamespace,
    RoleArn,
    SecretArn,
    SecurityGroupId,
    StateMachineArn,
    SubnetId,
)
from contract.stack import Stack, Tier
from contract.wiring import Inputs as BaseInputs
from contract.wiring import Output, Report, Wire
from contract.wiring import Outputs as BaseOutputs
from templates.documents import canonical_json
from templates.functions import FunctionLogging, PackagedFunction
from templates.log_groups import add_log_group
from templates.validation_buckets import add_report_bucket
from templates.validation_workflow import workflow

# Relative to the template: `aws cloudformation package` uploads it and writes the address.
_CODE = "assets/validator.zip"
_HANDLER = "validator.handler.handle"


class Inputs(BaseInputs):
    """Where the function stands, as whom it runs, and which secrets it reads."""

    private_subnet_1_id: Wire[SubnetId]
    private_subnet_2_id: Wire[SubnetId]
    private_subnet_3_id: Wire[SubnetId]
    validator_security_group_id: Wire[SecurityGroupId]
    validator_role_arn: Wire[RoleArn]
    state_machine_role_arn: Wire[RoleArn]
    data_key_arn: Wire[KmsKeyArn]
    logs_key_arn: Wire[KmsKeyArn]
    validator_secret_arn: Wire[SecretArn]
    source_validator_secret_arn: Wire[SecretArn]


class Outputs(BaseOutputs):
    """What to start, and where its results are."""

    metric_namespace: Output[MetricNamespace]
    function_name: Output[FunctionName]
    state_machine_arn: Output[StateMachineArn]
    report_bucket_name: Report[BucketName]
    function_log_group_name: Report[LogGroupName]


def build(stack: Stack, needs: Inputs) -> None:
    """Fill the validation template."""
    bucket = add_report_bucket(stack, needs.data_key_arn.ref)
    function = _function(stack, needs, Ref(bucket))
    machine = _state_machine(stack, needs, function, bucket)
    stack.give(Outputs.function_name, Ref(function))
    stack.give(Outputs.state_machine_arn, Ref(machine))
    stack.give(Outputs.report_bucket_name, Ref(bucket))


def _function(stack: Stack, needs: Inputs, bucket: Ref) -> awslambda.Function:
    """The comparison. Step Functions calls it and waits, so a failed call is seen there: no dead-letter queue."""
    settings = stack.settings.validation
    namespace = stack.name(names.METRIC_NAMESPACE, "validation")
    log_group = add_log_group(
        stack, "FunctionLogGroup", stack.name(names.LOG_GROUP, "validator"), needs.logs_key_arn.ref
    )
    stack.give(Outputs.metric_namespace, namespace)
    stack.give(Outputs.function_log_group_name, Ref(log_group))
    return stack.add(
        PackagedFunction(
            "Function",
            FunctionName=stack.name(names.FUNCTION, "validator"),
            Description="Compares the data centre's database with Aurora, table by table",
            Code=_CODE,
            Handler=_HANDLER,
            Runtime=settings.runtime,
            Architectures=["arm64"],
            MemorySize=settings.memory_mib,
            Timeout=settings.timeout_seconds,
            # However many runs are started, the payment database meets no more pairs of connections than this at once,
            # and each of them keeps it busy for no more than its share of the time.
            ReservedConcurrentExecutions=settings.max_concurrency,
            Role=needs.validator_role_arn.ref,
            KmsKeyArn=needs.data_key_arn.ref,
            VpcConfig=awslambda.VPCConfig(
                SubnetIds=[needs.private_subnet_1_id.ref, needs.private_subnet_2_id.ref, needs.private_subnet_3_id.ref],
                SecurityGroupIds=[needs.validator_security_group_id.ref],
            ),
            Environment=awslambda.Environment(
                Variables={
                    "CARD_COLUMNS": ",".join(settings.card_columns),
                    "DEADLINE_SECONDS": str(settings.deadline_seconds),
                    "HASH": settings.hash,
                    "ITEM_ROWS": str(settings.item_rows),
                    "MAX_SHARE": f"{settings.max_share_percent / 100:g}",
                    "METRIC_NAMESPACE": namespace,
                    "REPORT_BUCKET": bucket,
                    "SCHEMAS": ",".join(stack.settings.migration.schemas),
                    "SETTLE_SECONDS": str(settings.settle_seconds),
                    "SOURCE_CA": DATA_CENTER_BUNDLE,
                    "SOURCE_SECRET_ARN": needs.source_validator_secret_arn.ref,
                    "TARGET_CA": RDS_BUNDLE.format(region=stack.settings.region),
                    "TARGET_SECRET_ARN": needs.validator_secret_arn.ref,
                }
            ),
            LoggingConfig=FunctionLogging(
                LogFormat="JSON", LogGroup=Ref(log_group), ApplicationLogLevel="INFO", SystemLogLevel="INFO"
            ),
            TracingConfig=awslambda.TracingConfig(Mode="Active"),
        )
    )


def _state_machine(
    stack: Stack, needs: Inputs, function: awslambda.Function, bucket: s3.Bucket
) -> stepfunctions.StateMachine:
    """A standard workflow: a run may take hours, and its history is the record of it."""
    settings = stack.settings.validation
    log_group = add_log_group(
        stack, "StateMachineLogGroup", stack.name(names.STATES_LOG_GROUP, "validation"), needs.logs_key_arn.ref
    )
    destination = stepfunctions.CloudWatchLogsLogGroup(LogGroupArn=GetAtt(log_group, "Arn"))
    return stack.add(
        stepfunctions.StateMachine(
            "StateMachine",
            StateMachineName=stack.name(names.STATE_MACHINE, "validation"),
            StateMachineType="STANDARD",
            RoleArn=needs.state_machine_role_arn.ref,
            DefinitionString=canonical_json(workflow(settings.timeout_seconds, settings.max_concurrency)),
            DefinitionSubstitutions={"FunctionArn": GetAtt(function, "Arn"), "ReportBucket": Ref(bucket)},
            LoggingConfiguration=stepfunctions.LoggingConfiguration(
                Level="ALL",
                # Events, not what flows through them: nothing that a row holds may reach a log.
                IncludeExecutionData=False,
                Destinations=[stepfunctions.LogDestination(CloudWatchLogsLogGroup=destination)],
            ),
            TracingConfiguration=stepfunctions.TracingConfiguration(Enabled=True),
        )
    )


TIER = Tier(Inputs, Outputs, build, "Validation: the comparison of both databases, its state machine and its reports")
