"""What protects data: databases, secrets, keys, buckets and logs."""

from __future__ import annotations

from deployer.review.concerns.compare import (
    Weaker,
    below,
    changed,
    fewer,
    gone,
    higher,
    kept_shorter,
    lower,
    more,
    off,
    on,
    other,
    other_than,
)
from deployer.review.concerns.guard import ENCRYPTED_WITH, FURTHER_GROUP, NO, OPEN, TRAFFIC, UNPROTECTED, YES, Guard

_CLUSTER = "AWS::RDS::DBCluster"
_INSTANCE = "AWS::RDS::DBInstance"
_SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a type, no secret
_KEY = "AWS::KMS::Key"
_BUCKET = "AWS::S3::Bucket"
_LOGS = "AWS::Logs::LogGroup"

_PUBLIC_BLOCK = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_DEFAULT_ENCRYPTION = "BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/"
_PARAMETER_GROUPS = ("AWS::RDS::DBClusterParameterGroup", "AWS::RDS::DBParameterGroup")
_OTHER_PARAMETERS = "another parameter group, whose TLS and audit nobody compared"
# Parameters of PostgreSQL that decide whether card data reaches the log: what a missing one means, what is worse.
# https://www.postgresql.org/docs/17/runtime-config-logging.html
_STATEMENT_LOGS: tuple[tuple[str, str | None, Weaker], ...] = (
    ("log_statement", "none", below("all", "mod", "ddl", "none")),
    ("log_min_duration_statement", "-1", other_than("-1")),
    ("log_min_error_statement", "error", below("error", "log", "fatal", "panic")),
    ("log_parameter_max_length", "-1", other_than("0")),
    ("log_parameter_max_length_on_error", "0", other_than("0")),
    ("log_error_verbosity", "default", below("verbose", "default", "terse")),
    ("pgaudit.log_parameter", "0", on),
    ("pg_stat_statements.track_utility", "1", on),
)

# fmt: off
DATA: tuple[Guard, ...] = (
    # --- databases ---------------------------------------------------------------------------------------------------
    *(guard for kind in (_CLUSTER, _INSTANCE) for guard in (
        Guard(kind, "DeletionProtection", NO, off, UNPROTECTED),
        Guard(kind, "BackupRetentionPeriod", 1, lower, "backups are kept for fewer days"),
        Guard(kind, "DeleteAutomatedBackups", YES, on, "automated backups are deleted together with it"),
        Guard(kind, "StorageEncrypted", NO, off, "storage is not encrypted any more"),
        Guard(kind, "KmsKeyId", None, other, ENCRYPTED_WITH),
        Guard(kind, "EnableIAMDatabaseAuthentication", NO, off, "signing in with short-lived tokens ends"),
        Guard(kind, "EnableCloudwatchLogsExports", None, fewer, "fewer logs leave the database"),
        Guard(kind, "ManageMasterUserPassword", NO, off, "RDS no longer keeps and rotates the master password"),
        Guard(kind, "PerformanceInsights" + ("KmsKeyId" if kind == _CLUSTER else "KMSKeyId"), None, other,
              "performance data is encrypted with another key, or with none"),
        Guard(kind, "MasterUserSecret/KmsKeyId", None, other,
              "the master password is encrypted with another key, or with none"),
        Guard(kind, "PerformanceInsightsEnabled", NO, off, "slow statements are not recorded any more", ""),
        Guard(kind, "CopyTagsToSnapshot", NO, off, "snapshots lose their tags", ""),
        Guard(kind, "PreferredBackupWindow", None, other, "backups are taken at another time", ""),
    )),
    Guard(_CLUSTER, "DBClusterParameterGroupName", None, other, _OTHER_PARAMETERS),
    Guard(_CLUSTER, "VpcSecurityGroupIds", None, more, FURTHER_GROUP, *OPEN),
    Guard(_CLUSTER, "PubliclyAccessible", NO, on, "the database gets a public address", *OPEN),
    Guard(_CLUSTER, "EnableHttpEndpoint", NO, on, "queries are answered over the Data API, without the VPC", *OPEN),
    Guard(_CLUSTER, "Port", None, other, "clients must connect to another port", *TRAFFIC),
    Guard(_CLUSTER, "BacktrackWindow", 0, lower, "the database can be turned back less far"),
    Guard(_INSTANCE, "DBParameterGroupName", None, other, _OTHER_PARAMETERS),
    Guard(_INSTANCE, "VPCSecurityGroups", None, more, FURTHER_GROUP, *OPEN),
    Guard(_INSTANCE, "MultiAZ", NO, off, "there is no standby in another zone any more"),
    Guard(_INSTANCE, "MonitoringInterval", 0, off, "enhanced monitoring ends", ""),
    Guard(_INSTANCE, "PubliclyAccessible", NO, on, "the database gets a public address", *OPEN),
    *(guard for kind in _PARAMETER_GROUPS for guard in (
        Guard(kind, "Parameters/rds.force_ssl", None, lower, "connections without TLS are let in"),
        Guard(kind, "Parameters/ssl_min_protocol_version", None, below("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"),
              "older versions of TLS are let in"),
        Guard(kind, "Parameters/password_encryption", None, below("md5", "scram-sha-256"),
              "passwords are hashed more weakly"),
        Guard(kind, "Parameters/pgaudit.log", None, fewer, "less is audited"),
        Guard(kind, "Parameters/shared_preload_libraries", None, fewer, "a library is not loaded any more"),
        Guard(kind, "Parameters/log_connections", None, lower, "connections are not logged any more"),
        Guard(kind, "Parameters/log_disconnections", None, lower, "disconnections are not logged any more"),
        Guard(kind, "Parameters/synchronous_commit", None, other, "commits are confirmed otherwise"),
        Guard(kind, "Parameters/rds.logical_replication", None, lower, "replication cannot read from the database"),
        Guard(kind, "Parameters/pgaudit.role", None, other, "other objects are audited"),
        *(Guard(kind, f"Parameters/{name}", missing, weaker, "data of statements reaches the log")
          for name, missing, weaker in _STATEMENT_LOGS),
    )),
    # --- secrets and keys --------------------------------------------------------------------------------------------
    Guard(_SECRET, "KmsKeyId", None, other, ENCRYPTED_WITH),
    *(Guard("AWS::SecretsManager::SecretTargetAttachment", name, None, other, "a secret loses the database's address")
      for name in ("SecretId", "TargetId")),
    Guard(_KEY, "EnableKeyRotation", NO, off, "the key is not rotated any more"),
    Guard(_KEY, "RotationPeriodInDays", 365, higher, "the key is rotated more rarely"),
    Guard(_KEY, "PendingWindowInDays", 30, lower, "fewer days to change one's mind about deleting the key"),
    Guard(_KEY, "BypassPolicyLockoutSafetyCheck", NO, on, "a policy that locks everybody out is accepted"),
    Guard(_KEY, "Enabled", YES, off, "the key is disabled, and nothing that it encrypted can be read"),
    Guard("AWS::KMS::Alias", "TargetKeyId", None, other, "the name stands for another key"),
    # --- buckets and logs --------------------------------------------------------------------------------------------
    *(Guard(_BUCKET, f"PublicAccessBlockConfiguration/{flag}", NO, off, f"{flag} is switched off")
      for flag in _PUBLIC_BLOCK),
    Guard(_BUCKET, "VersioningConfiguration/Status", "Suspended", off, "objects are not versioned any more"),
    Guard(_BUCKET, f"{_DEFAULT_ENCRYPTION}SSEAlgorithm", None, below("AES256", "aws:kms", "aws:kms:dsse"),
          "objects are encrypted more weakly"),
    Guard(_BUCKET, f"{_DEFAULT_ENCRYPTION}KMSMasterKeyID", None, other, ENCRYPTED_WITH),
    Guard(_BUCKET, "ObjectLockEnabled", NO, off, "objects are not locked any more"),
    Guard(_BUCKET, "ObjectLockConfiguration", None, other, "objects are locked otherwise, or not at all"),
    Guard(_BUCKET, "LoggingConfiguration/DestinationBucketName", None, gone, "access to it is not logged any more"),
    Guard(_BUCKET, "OwnershipControls/Rules/0/ObjectOwnership", "BucketOwnerEnforced",
          below("ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"), "access lists count again", *OPEN),
    Guard(_BUCKET, "AccessControl", "Private", other_than("Private"), "an access list lets others in", *OPEN),
    Guard(_BUCKET, "ReplicationConfiguration", None, changed, "objects are copied to another bucket", *OPEN),
    Guard(_LOGS, "RetentionInDays", None, kept_shorter, "log events are kept for fewer days, older ones are deleted"),
    Guard(_LOGS, "KmsKeyId", None, other, ENCRYPTED_WITH),
    Guard(_LOGS, "DeletionProtectionEnabled", NO, off, UNPROTECTED),
    Guard(_LOGS, "DataProtectionPolicy", None, other, "sensitive data is masked otherwise, or not at all"),
)
# fmt: on
