"""Identity: the role of every service that acts for this system, each allowed what it does and no more.

Resources that come later are named by the naming policy, so no role waits for them and none can drift from them. A role
that must allow on every resource says in its Metadata which action leaves no choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from awacs.aws import PolicyDocument
from troposphere import GetAtt, Ref, Sub, iam

from contract import names
from contract.kinds import KmsKeyArn, RoleArn, RoleName
from contract.policies import arn, trust
from contract.stack import Stack, Tier
from contract.wiring import Inputs as BaseInputs
from contract.wiring import Output, Wire, camel_case
from contract.wiring import Outputs as BaseOutputs
from templates import identity_policies as policies

_EVERY_RESOURCE = "E9110"


class Inputs(BaseInputs):
    """The keys that roles decrypt with, through the services that hold the data."""

    data_key_arn: Wire[KmsKeyArn]
    logs_key_arn: Wire[KmsKeyArn]


class Outputs(BaseOutputs):
    """One role per task; names where another tier adds a policy for a resource of its own."""

    task_execution_role_arn: Output[RoleArn]
    task_role_arn: Output[RoleArn]
    task_role_name: Output[RoleName]
    infrastructure_role_arn: Output[RoleArn]
    dms_secrets_role_arn: Output[RoleArn]
    validator_role_arn: Output[RoleArn]
    validator_role_name: Output[RoleName]
    state_machine_role_arn: Output[RoleArn]
    flow_logs_role_arn: Output[RoleArn]
    monitoring_role_arn: Output[RoleArn]


def build(stack: Stack, needs: Inputs) -> None:
    """Fill the identity template."""
    data_key, logs_key = needs.data_key_arn.ref, needs.logs_key_arn.ref
    _containers(stack, data_key, logs_key)
    _migration(stack, data_key)
    _validation(stack, data_key, logs_key)
    _observation(stack, logs_key)


def _containers(stack: Stack, data_key: Ref, logs_key: Ref) -> None:
    """The service's roles: ECS itself before the application runs, the application, and the blue/green deployment.

    A trust policy cannot name one cluster: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    """
    tasks = trust("ecs-tasks.amazonaws.com", arn("ecs", "*"))
    execution = _role(
        stack,
        "task-execution",
        "ECS starts tasks: pulls the image, reads the database secrets, opens the log",
        tasks,
        policies.task_execution(stack, data_key, logs_key),
        excepted={_EVERY_RESOURCE: "ecr:GetAuthorizationToken signs in to the registry, which has no ARN"},
    )
    # The database's tier adds the permission to sign in there. ECS Exec is off, so there is no shell to let in.
    task = _role(stack, "task", "The Java application", tasks, policies.task(stack))
    # ECS does not say whom it acts for when it assumes this role. The policy is AWS's own because it changes with the
    # deployments that it is for (six versions in seven months): a copy would fail one of them one day.
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AmazonECSInfrastructureRolePolicyForLoadBalancers.html
    infrastructure = _role(
        stack,
        "infrastructure",
        "ECS shifts traffic between target groups during a deployment",
        trust("ecs.amazonaws.com", sourced=False),
        {},
        managed=["AmazonECSInfrastructureRolePolicyForLoadBalancers"],
    )
    stack.give(Outputs.task_execution_role_arn, GetAtt(execution, "Arn"))
    stack.give(Outputs.task_role_arn, GetAtt(task, "Arn"))
    stack.give(Outputs.task_role_name, Ref(task))
    stack.give(Outputs.infrastructure_role_arn, GetAtt(infrastructure, "Arn"))


def _migration(stack: Stack, data_key: Ref) -> None:
    """DMS endpoints take a role of the regional principal only.

    https://docs.aws.amazon.com/dms/latest/userguide/security_iam_secretsmanager.html
    """
    secrets = _role(
        stack,
        "dms-secrets",
        "DMS reads the credentials of its two endpoints",
        trust(f"dms.{stack.settings.region}.amazonaws.com"),
        policies.dms_secrets(stack, data_key),
    )
    stack.give(Outputs.dms_secrets_role_arn, GetAtt(secrets, "Arn"))


def _validation(stack: Stack, data_key: Ref, logs_key: Ref) -> None:
    """The validator, and the state machine that runs it."""
    # Lambda does not say whom it acts for when it assumes a role; a condition would lock it out.
    validator = _role(
        stack,
        "validator",
        "The function that compares both databases",
        trust("lambda.amazonaws.com", sourced=False),
        policies.validator(stack, data_key, logs_key),
        excepted={
            _EVERY_RESOURCE: (
                "Lambda demands its network interface permissions on all resources, traces have no ARN, and metrics "
                "neither (a condition holds them to one namespace)"
            )
        },
    )
    name = stack.named_elsewhere(names.STATE_MACHINE, "validation")
    state_machine = _role(
        stack,
        "state-machine",
        "The state machine that runs the comparison of every table",
        # The items of a Distributed Map are executions of a machine of their own: name/label.
        trust("states.amazonaws.com", arn("states", f"stateMachine:{name}"), arn("states", f"stateMachine:{name}/*")),
        policies.state_machine(stack, data_key),
        excepted={_EVERY_RESOURCE: "Log delivery and X-Ray know no resource-level permission"},
    )
    stack.give(Outputs.validator_role_arn, GetAtt(validator, "Arn"))
    stack.give(Outputs.validator_role_name, Ref(validator))
    stack.give(Outputs.state_machine_role_arn, GetAtt(state_machine, "Arn"))


def _observation(stack: Stack, logs_key: Ref) -> None:
    """Flow logs of the VPC, enhanced monitoring of the database."""
    flow_logs = _role(
        stack,
        "flow-logs",
        "VPC flow logs",
        trust("vpc-flow-logs.amazonaws.com", arn("ec2", "vpc-flow-log/*")),
        policies.flow_logs(stack, logs_key),
    )
    monitoring = _role(
        stack,
        "monitoring",
        "Enhanced monitoring of Aurora",
        trust("monitoring.rds.amazonaws.com", arn("rds", f"db:{stack.names_like(names.DB_INSTANCE)}")),
        policies.monitoring(),
    )
    stack.give(Outputs.flow_logs_role_arn, GetAtt(flow_logs, "Arn"))
    stack.give(Outputs.monitoring_role_arn, GetAtt(monitoring, "Arn"))


def _role(
    stack: Stack,
    part: str,
    description: str,
    trusted: PolicyDocument,
    allowed: policies.Policies,
    *,
    managed: Sequence[str] = (),
    excepted: Mapping[str, str] | None = None,
) -> iam.Role:
    optional: dict[str, Any] = {}
    if allowed:
        optional["Policies"] = [iam.Policy(PolicyName=name, PolicyDocument=allowed[name]) for name in sorted(allowed)]
    if managed:
        optional["ManagedPolicyArns"] = [Sub(f"arn:${{AWS::Partition}}:iam::aws:policy/{name}") for name in managed]
    return stack.add(
        iam.Role(
            f"{camel_case(part.replace('-', '_'))}Role",
            RoleName=stack.name(names.IAM_ROLE, part),
            Description=description,
            AssumeRolePolicyDocument=trusted,
            # An hour: the least that IAM takes; services renew their sessions.
            MaxSessionDuration=3600,
            **optional,
        ),
        excepted=excepted,
    )


TIER = Tier(Inputs, Outputs, build, "Identity: a least-privilege role for every service that acts for this system")
