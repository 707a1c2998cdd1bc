"""Account: the two roles that AWS DMS looks up by name, once for all environments of an AWS account."""

from __future__ import annotations

from typing import Any

from awacs.aws import ForAnyValueStringLike
from troposphere import GetAtt, Sub, iam

from contract import names
from contract.kinds import RoleArn
from contract.policies import USE_OF_KEY, allow, arn, document, trust, via
from contract.stack import Stack, Tier
from contract.wiring import Inputs as BaseInputs
from contract.wiring import Outputs as BaseOutputs
from contract.wiring import Report

# A name without suffix breaks the naming policy on purpose, and is why these roles are a stack of their own.
_FIXED_NAME = "DMS finds this role by exactly this name, so an account has one and no environment may own it"


class Inputs(BaseInputs):
    """The account's roles need nothing of a tier."""


class Outputs(BaseOutputs):
    """For people: DMS itself knows the names."""

    dms_vpc_role_arn: Report[RoleArn]
    dms_cloudwatch_logs_role_arn: Report[RoleArn]


def build(stack: Stack, _needs: Inputs) -> None:
    """Fill the account template.

    Names, principal, condition and managed policies are those of "Creating the IAM roles to use with AWS DMS",
    https://docs.aws.amazon.com/dms/latest/userguide/security-iam.html
    """
    vpc = _role(stack, "DmsVpcRole", "dms-vpc-role", "AmazonDMSVPCManagementRole", "network interfaces and subnets")
    logs = _role(
        stack,
        "DmsCloudWatchLogsRole",
        "dms-cloudwatch-logs-role",
        "AmazonDMSCloudWatchLogsRole",
        "logs of its tasks",
        Policies=[_encrypted_logs(stack)],
    )
    stack.give(Outputs.dms_vpc_role_arn, GetAtt(vpc, "Arn"))
    stack.give(Outputs.dms_cloudwatch_logs_role_arn, GetAtt(logs, "Arn"))


def _role(stack: Stack, logical_id: str, name: str, managed_policy: str, purpose: str, **properties: Any) -> iam.Role:
    return stack.add(
        iam.Role(
            logical_id,
            RoleName=name,
            Description=f"AWS DMS: {purpose}",
            AssumeRolePolicyDocument=trust("dms.amazonaws.com"),
            ManagedPolicyArns=[Sub(f"arn:${{AWS::Partition}}:iam::aws:policy/service-role/{managed_policy}")],
            MaxSessionDuration=3600,
            **properties,
        ),
        excepted={"E9101": _FIXED_NAME},
    )


def _encrypted_logs(stack: Stack) -> iam.Policy:
    """The managed policy knows nothing of keys, but our log groups have one: the logs key of any environment.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html#cmk-permissions-caller
    """
    alias = names.KMS_ALIAS.form.format(system=stack.settings.system, suffix="*", part="logs")
    return iam.Policy(
        PolicyName="encrypted-logs",
        PolicyDocument=document(
            allow(
                "EncryptTheLogs",
                USE_OF_KEY,
                [arn("kms", "key/*")],
                via(stack.settings.region, "logs"),
                ForAnyValueStringLike({"kms:ResourceAliases": alias}),
            )
        ),
    )


TIER = Tier(Inputs, Outputs, build, "Account: roles that AWS DMS finds by name, shared by all environments")
