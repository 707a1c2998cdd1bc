"""The property that names the customer key of what holds data or credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KEY_PROPERTIES: Final[Mapping[str, str]] = {
    "AWS::Backup::BackupVault": "EncryptionKeyArn",
    "AWS::DMS::ReplicationInstance": "KmsKeyId",
    "AWS::Logs::LogGroup": "KmsKeyId",
    "AWS::SNS::Topic": "KmsMasterKeyId",
    "AWS::SQS::Queue": "KmsMasterKeyId",
    "AWS::SecretsManager::Secret": "KmsKeyId",
}
