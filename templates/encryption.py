"""Encryption: one KMS key for data, one for logs.

They are a tier of their own because everything else needs them: flow logs in the network need the logs key, while the
security groups need the network.
"""

from __future__ import annotations

from awacs import kms
from awacs.aws import ArnLike, Bool, Principal, Statement
from troposphere import GetAtt, Ref, Sub
from troposphere.kms import Alias, Key

from contract import names
from contract.kinds import KmsKeyArn
from contract.policies import OURS, USE_OF_KEY, allow, arn, document, via
from contract.stack import Stack, Tier
from contract.wiring import Inputs as BaseInputs
from contract.wiring import Output
from contract.wiring import Outputs as BaseOutputs

# "This key": a key policy has no other resource, and a key cannot name its own ARN before it exists.
# https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
_THIS_KEY = ["*"]
_ACCOUNT = Principal("AWS", Sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root"))

# The AWS default gives the account kms:*; these are the actions of it that keep a key alive and manageable by IAM
# policies, without any that reads or writes data. PutKeyPolicy is among them: without it the key would be lost.
_ADMINISTRATION = [
    kms.CancelKeyDeletion, kms.CreateAlias, kms.DeleteAlias, kms.DescribeKey, kms.DisableKey, kms.DisableKeyRotation,
    kms.EnableKey, kms.EnableKeyRotation, kms.GetKeyPolicy, kms.GetKeyRotationStatus, kms.ListGrants,
    kms.ListKeyPolicies, kms.ListKeyRotations, kms.ListResourceTags, kms.PutKeyPolicy, kms.RevokeGrant,
    kms.RotateKeyOnDemand, kms.ScheduleKeyDeletion, kms.TagResource, kms.UntagResource, kms.UpdateAlias,
    kms.UpdateKeyDescription,
]  # fmt: skip
# Services that encrypt with the data key what principals of this account give them.
_DATA_SERVICES = ("dms", "lambda", "rds", "s3", "secretsmanager", "sns")
# Services that publish to the encrypted topic of alarms in their own name; EventBridge does by a role of ours, because
# it cannot say whom it acts for. https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
_PUBLISHERS = ("cloudwatch.amazonaws.com", "events.rds.amazonaws.com")


class Inputs(BaseInputs):
    """The keys need nothing of another tier."""


class Outputs(BaseOutputs):
    """The keys, by ARN: the form that every service takes."""

    data_key_arn: Output[KmsKeyArn]
    logs_key_arn: Output[KmsKeyArn]


def build(stack: Stack, _needs: Inputs) -> None:
    """Fill the encryption template."""
    data = _key(stack, "data", "database, secrets, replication, reports and alarms", _data_statements(stack))
    logs = _key(stack, "logs", "log groups", _logs_statements(stack))
    stack.give(Outputs.data_key_arn, GetAtt(data, "Arn"))
    stack.give(Outputs.logs_key_arn, GetAtt(logs, "Arn"))


def _key(stack: Stack, part: str, holds: str, statements: list[Statement]) -> Key:
    key = stack.add_stateful(
        Key(
            f"{part.capitalize()}Key",
            Description=f"{stack.settings.system} {stack.settings.suffix}: {holds}",
            EnableKeyRotation=True,
            PendingWindowInDays=stack.settings.security.key_deletion_window_days,
            KeyPolicy=document(
                allow("AdministeredByTheAccount", _ADMINISTRATION, _THIS_KEY, principal=_ACCOUNT), *statements
            ),
        )
    )
    stack.add(Alias(f"{part.capitalize()}KeyAlias", AliasName=stack.name(names.KMS_ALIAS, part), TargetKeyId=Ref(key)))
    return key


def _data_statements(stack: Stack) -> list[Statement]:
    through = via(stack.settings.region, *_DATA_SERVICES)
    return [
        allow("UsedThroughServices", USE_OF_KEY, _THIS_KEY, through, principal=_ACCOUNT),
        # RDS, DMS and Lambda keep using the key after the call that named it: they take a grant.
        allow(
            "GrantedToServices",
            [kms.CreateGrant],
            _THIS_KEY,
            through,
            Bool({"kms:GrantIsForAWSResource": "true"}),
            principal=_ACCOUNT,
        ),
        allow(
            "PublishedToTheEncryptedTopic",
            [kms.Decrypt, kms.GenerateDataKey],
            _THIS_KEY,
            OURS,
            principal=Principal("Service", list(_PUBLISHERS)),
        ),
    ]


def _logs_statements(stack: Stack) -> list[Statement]:
    """CloudWatch Logs does not document aws:SourceAccount; its encryption context holds account and log group.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    groups = [rule for rule in names.every_rule().values() if rule.service.endswith("log group")]
    return [
        allow(
            "EncryptsOurLogGroups",
            USE_OF_KEY,
            _THIS_KEY,
            ArnLike(
                {
                    "kms:EncryptionContext:aws:logs:arn": [
                        arn("logs", f"log-group:{stack.names_like(group)}") for group in groups
                    ]
                }
            ),
            principal=Principal("Service", f"logs.{stack.settings.region}.amazonaws.com"),
        ),
        # Whoever writes or reads an encrypted log group needs the key too, through CloudWatch Logs.
        allow(
            "UsedThroughLogs",
            USE_OF_KEY,
            _THIS_KEY,
            via(stack.settings.region, "logs"),
            principal=_ACCOUNT,
        ),
    ]


TIER = Tier(Inputs, Outputs, build, "Encryption: KMS keys of data and logs, with rotation")
