"""What every log group of the system has in common."""

from __future__ import annotations

from typing import Any

from troposphere import AWSHelperFn, logs

from contract.stack import Stack


def add_log_group(stack: Stack, title: str, name: str, key_arn: AWSHelperFn, **properties: Any) -> logs.LogGroup:
    """A log group made before anybody logs: services that make their own leave it unencrypted, and keep it forever."""
    return stack.add_stateful(
        logs.LogGroup(
            title,
            LogGroupName=name,
            RetentionInDays=stack.settings.log_retention_days,
            KmsKeyId=key_arn,
            **properties,
        )
    )
