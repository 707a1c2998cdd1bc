"""Cutover: a function for each step, the state machine that runs them, and what it moves and shows.

A person starts it (`docs/runbooks/cutover.md`); nothing here does by itself. It moves the pointer, which names the
application's database, and the weights of the migration rule. Both stand in templates as well, so params follow once it
is done: docs/decisions/0018-*.md says how neither takes back what the other did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awacs.aws import PolicyDocument
from troposphere import GetAtt, Ref, awslambda, iam, stepfunctions

from contract import names
from contract.certificates import DATA_CENTER_BUNDLE, RDS_BUNDLE
from contract.kinds import (
    BucketName,
    KmsKeyArn,
    ListenerRuleArn,
    MetricNamespace,
    ParameterName,
    ReplicationTaskArn,
    SecretArn,
    SecurityGroupId,
    StateMachineArn,
    SubnetId,
)
from contract.policies import arn, trust
from contract.stack import Stack, Tier
from contract.wiring import Inputs as BaseInputs
from contract.wiring import Output, Report, Wire
from contract.wiring import Outputs as BaseOutputs
from templates.cutover_roles import EVERYWHERE, Places, machine_policies, step_policies
from templates.cutover_states import VALIDATION, function
from templates.cutover_steps import OF_TASKS, STEPS, TOLD, Grant, Step
from templates.cutover_workflow import workflow
from templates.database_secrets import APPLICATION, writer_role
from templates.documents import canonical_json
from templates.functions import FunctionLogging, PackagedFunction
from templates.log_groups import add_log_group

_CODE = "assets/cutover.zip"
# A whole processor: a freeze waits for what starts slowly.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
_MEMORY_MIB = 1769
# For the call that hangs, and the one that is made in its place.
_CONCURRENCY = 2
_EVERY_RESOURCE = "E9110"


class Inputs(BaseInputs):
    """Where the functions stand, as whom they sign in, and what they stop, start, move and look at."""

    private_subnet_1_id: Wire[SubnetId]
    private_subnet_2_id: Wire[SubnetId]
    private_subnet_3_id: Wire[SubnetId]
    cutover_security_group_id: Wire[SecurityGroupId]
    data_key_arn: Wire[KmsKeyArn]
    logs_key_arn: Wire[KmsKeyArn]
    cutover_secret_arn: Wire[SecretArn]
    source_cutover_secret_arn: Wire[SecretArn]
    pointer_name: Wire[ParameterName]
    forward_task_arn: Wire[ReplicationTaskArn]
    reverse_task_arn: Wire[ReplicationTaskArn]
    production_rule_arn: Wire[ListenerRuleArn]
    report_bucket_name: Wire[BucketName]
    validation_machine_arn: Wire[StateMachineArn]


class SplitInputs(Inputs):
    """The same while a rule splits requests between the data centre and AWS."""

    migration_rule_arn: Wire[ListenerRuleArn]


class Outputs(BaseOutputs):
    """What to start, and where it shows how far it is."""

    state_machine_arn: Output[StateMachineArn]
    metric_namespace: Output[MetricNamespace]
    # The machine makes it with the first phase; it is gone with `deploy.py destroy`.
    phase_name: Report[ParameterName]


def build(stack: Stack, needs: Inputs) -> None:
    """Fill the cutover template."""
    # Not a resource of the stack: a change of tags would write the template's value over the phase that is reached.
    phase = stack.name(names.SSM_PARAMETER, "cutover/phase")
    namespace = stack.name(names.METRIC_NAMESPACE, "cutover")
    places = Places(
        forward_task=needs.forward_task_arn,
        reverse_task=needs.reverse_task_arn,
        production_rule=needs.production_rule_arn,
        migration_rule=needs.migration_rule_arn if isinstance(needs, SplitInputs) else None,
        validation_machine=needs.validation_machine_arn,
        data_key=needs.data_key_arn.ref,
        logs_key=needs.logs_key_arn.ref,
    )
    functions = {step.module: _function(stack, needs, step, places, phase, namespace) for step in STEPS}
    machine = _state_machine(stack, needs, functions)
    stack.give(Outputs.state_machine_arn, Ref(machine))
    stack.give(Outputs.metric_namespace, namespace)
    stack.give(Outputs.phase_name, phase)


def _function(
    stack: Stack, needs: Inputs, step: Step, places: Places, phase: str, namespace: str
) -> awslambda.Function:
    """A step, with its role and its log. Step Functions calls it and waits, so a failed call is seen there."""
    # Lambda does not say whom it acts for when it assumes a role; a condition would lock it out.
    role = _role(
        stack,
        step.title,
        step.part,
        f"Cutover: {step.purpose[0].lower()}{step.purpose[1:]}",
        trust("lambda.amazonaws.com", sourced=False),
        step_policies(stack, step, places),
        EVERYWHERE,
    )
    log_group = add_log_group(
        stack, f"{step.title}LogGroup", stack.name(names.LOG_GROUP, step.part), needs.logs_key_arn.ref
    )
    settings = stack.settings.cutover
    return stack.add(
        PackagedFunction(
            f"{step.title}Function",
            FunctionName=stack.name(names.FUNCTION, step.part),
            Description=step.purpose,
            Code=_CODE,
            Handler=f"cutover.steps.{step.module}.handle",
            Runtime=stack.settings.validation.runtime,
            Architectures=["arm64"],
            MemorySize=_MEMORY_MIB,
            Timeout=step.seconds(settings),
            ReservedConcurrentExecutions=_CONCURRENCY,
            Role=GetAtt(role, "Arn"),
            KmsKeyArn=needs.data_key_arn.ref,
            VpcConfig=awslambda.VPCConfig(
                SubnetIds=[needs.private_subnet_1_id.ref, needs.private_subnet_2_id.ref, needs.private_subnet_3_id.ref],
                SecurityGroupIds=[needs.cutover_security_group_id.ref],
            ),
            Environment=awslambda.Environment(
                Variables={
                    "METRIC_NAMESPACE": namespace,
                    "PHASE_PARAMETER": phase,
                    "RUN_BUCKET": needs.report_bucket_name.ref,
                    **_told(stack, needs, step, places),
                    **{name: of(settings) for name, of in TOLD.items() if name in step.told},
                }
            ),
            LoggingConfig=FunctionLogging(
                LogFormat="JSON", LogGroup=Ref(log_group), ApplicationLogLevel="INFO", SystemLogLevel="INFO"
            ),
            TracingConfig=awslambda.TracingConfig(Mode="Active"),
        )
    )


def _told(stack: Stack, needs: Inputs, step: Step, places: Places) -> dict[str, Any]:
    """Where the things are that the step's grants are for."""
    told: dict[str, Any] = {}
    if Grant.DATABASES in step.grants:
        told |= {
            "APPLICATION_ROLE": APPLICATION.user(stack.settings.system),
            "SCHEMAS": ",".join(stack.settings.migration.schemas),
            "SOURCE_CA": DATA_CENTER_BUNDLE,
            "SOURCE_SECRET_ARN": needs.source_cutover_secret_arn.ref,
            "TARGET_CA": RDS_BUNDLE.format(region=stack.settings.region),
            "TARGET_SECRET_ARN": needs.cutover_secret_arn.ref,
            "WRITER_ROLE": writer_role(stack.settings.system),
        }
    if step.may(Grant.READ_POINTER, Grant.MOVE_POINTER):
        told["POINTER_PARAMETER"] = needs.pointer_name.ref
    if step.may(Grant.SEE_TASKS):
        told |= {"FORWARD_TASK_ARN": places.forward_task.ref, "REVERSE_TASK_ARN": places.reverse_task.ref}
    if step.may(Grant.SEE_RULES):
        told["PRODUCTION_RULE_ARN"] = places.production_rule.ref
        if places.migration_rule is not None:
            told["MIGRATION_RULE_ARN"] = places.migration_rule.ref
    if step.may(Grant.SEE_VALIDATIONS):
        told["VALIDATION_STATE_MACHINE_ARN"] = places.validation_machine.ref
    if step.alarms:
        # A service that is not started has no alarms of its tasks.
        watched = [part for part in step.alarms if stack.settings.service.started or part not in OF_TASKS]
        told["ALARM_NAMES"] = ",".join(stack.named_elsewhere(names.ALARM, part) for part in watched)
    return told


def _state_machine(
    stack: Stack, needs: Inputs, functions: Mapping[str, awslambda.Function]
) -> stepfunctions.StateMachine:
    """A standard workflow: people are waited for, and its history is the record of the cutover."""
    name = stack.name(names.STATE_MACHINE, "cutover")
    arns = [GetAtt(found, "Arn") for found in functions.values()]
    role = _role(
        stack,
        "Workflow",
        "cutover-workflow",
        "The state machine of the cutover",
        trust("states.amazonaws.com", arn("states", f"stateMachine:{name}")),
        machine_policies(stack, arns, needs.validation_machine_arn),
        "Log delivery and X-Ray know no resource-level permission",
    )
    log_group = add_log_group(
        stack, "StateMachineLogGroup", stack.name(names.STATES_LOG_GROUP, "cutover"), needs.logs_key_arn.ref
    )
    destination = stepfunctions.CloudWatchLogsLogGroup(LogGroupArn=GetAtt(log_group, "Arn"))
    return stack.add(
        stepfunctions.StateMachine(
            "StateMachine",
            StateMachineName=name,
            StateMachineType="STANDARD",
            RoleArn=GetAtt(role, "Arn"),
            DefinitionString=canonical_json(workflow(stack.settings.cutover)),
            DefinitionSubstitutions={
                **{function(module)[2:-1]: GetAtt(found, "Arn") for module, found in functions.items()},
                VALIDATION[2:-1]: needs.validation_machine_arn.ref,
            },
            LoggingConfiguration=stepfunctions.LoggingConfiguration(
                Level="ALL",
                # Events, not what flows through them: tokens of approvals do.
                IncludeExecutionData=False,
                Destinations=[stepfunctions.LogDestination(CloudWatchLogsLogGroup=destination)],
            ),
            TracingConfiguration=stepfunctions.TracingConfiguration(Enabled=True),
        )
    )


def _role(
    stack: Stack,
    title: str,
    part: str,
    description: str,
    trusted: PolicyDocument,
    allowed: Mapping[str, PolicyDocument],
    everywhere: str,
) -> iam.Role:
    return stack.add(
        iam.Role(
            f"{title}Role",
            RoleName=stack.name(names.IAM_ROLE, part),
            Description=description,
            AssumeRolePolicyDocument=trusted,
            MaxSessionDuration=3600,
            Policies=[iam.Policy(PolicyName=name, PolicyDocument=allowed[name]) for name in sorted(allowed)],
        ),
        excepted={_EVERY_RESOURCE: everywhere},
    )


TIER = Tier(Inputs, Outputs, build, "Cutover: the steps that move the payments, and the state machine that runs them")
SPLIT_TIER = Tier(SplitInputs, Outputs, build, TIER.description)
