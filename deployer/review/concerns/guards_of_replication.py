"""What protects replication: that every row arrives, that errors stop it, and that both sides are compared."""

from __future__ import annotations

from deployer.review.concerns.compare import below, changed, more, off, on, other, shorter
from deployer.review.concerns.guard import ENCRYPTED_WITH, FURTHER_GROUP, NO, OPEN, TRAFFIC, YES, Guard
from deployer.review.model import Concern

_REPLICATION = "AWS::DMS::ReplicationInstance"
_TASK = "AWS::DMS::ReplicationTask"
_ENDPOINT = "AWS::DMS::Endpoint"
_LOBS = "large objects are cut off"
_SETTINGS = "ReplicationTaskSettings/{}/"
_ERRORS = f"{_SETTINGS}ErrorBehavior/"
_ON_ERROR = below("IGNORE_RECORD", "LOG_ERROR", "SUSPEND_TABLE", "STOP_TASK")
# What a task does with a faulty row, and what it does where its settings do not say.
# https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TaskSettings.ErrorHandling.html
_ERROR_POLICIES = (
    ("DataErrorPolicy", "LOG_ERROR"),
    ("DataErrorEscalationPolicy", "SUSPEND_TABLE"),
    ("DataMaskingErrorPolicy", "STOP_TASK"),
    ("DataTruncationErrorPolicy", "LOG_ERROR"),
    ("TableErrorPolicy", "SUSPEND_TABLE"),
    ("TableErrorEscalationPolicy", "STOP_TASK"),
    ("ApplyErrorInsertPolicy", "LOG_ERROR"),
    ("ApplyErrorUpdatePolicy", "LOG_ERROR"),
    ("ApplyErrorDeletePolicy", "IGNORE_RECORD"),
    ("ApplyErrorEscalationPolicy", "LOG_ERROR"),
)

# fmt: off
REPLICATION: tuple[Guard, ...] = (
    # --- replication -------------------------------------------------------------------------------------------------
    Guard(_ENDPOINT, "SslMode", "none", below("none", "require", "verify-ca", "verify-full"),
          "the connection to the database is protected less"),
    Guard(_ENDPOINT, "CertificateArn", None, other, "the database's certificate is checked otherwise, or not at all"),
    Guard(_ENDPOINT, "PostgreSqlSettings/FailTasksOnLobTruncation", NO, off, f"{_LOBS}, and nothing stops"),
    Guard(_ENDPOINT, "PostgreSqlSettings/CaptureDdls", YES, off, "changes of the schema are not replicated any more"),
    *(Guard(_ENDPOINT, path, None, other, "it connects with other credentials, or to another database", *TRAFFIC)
      for path in ("PostgreSqlSettings/SecretsManagerSecretId", "ServerName", "DatabaseName")),
    Guard(_ENDPOINT, "KmsKeyId", None, other, ENCRYPTED_WITH),
    Guard(_REPLICATION, "MultiAZ", NO, off, "there is no standby in another zone any more"),
    Guard(_REPLICATION, "KmsKeyId", None, other, ENCRYPTED_WITH),
    Guard(_REPLICATION, "PubliclyAccessible", YES, on, "the instance gets a public address", *OPEN),
    Guard(_REPLICATION, "VpcSecurityGroupIds", None, more, FURTHER_GROUP, *OPEN),
    Guard(_TASK, f"{_SETTINGS}FullLoadSettings/TargetTablePrepMode", "DROP_AND_CREATE",
          below("DROP_AND_CREATE", "TRUNCATE_BEFORE_LOAD", "DO_NOTHING"),
          "a full load empties the target's tables first", concern=Concern.DATA),
    Guard(_TASK, f"{_SETTINGS}ChangeProcessingDdlHandlingPolicy/HandleSourceTableDropped", YES, on,
          "a table that is dropped at the source is dropped at the target", concern=Concern.DATA),
    Guard(_TASK, f"{_SETTINGS}TargetMetadata/LobMaxSize", 0, shorter, _LOBS, concern=Concern.DATA),
    Guard(_TASK, f"{_SETTINGS}TargetMetadata/SupportLobs", YES, off, "large objects are left out",
          concern=Concern.DATA),
    Guard(_TASK, f"{_SETTINGS}TargetMetadata/TaskRecoveryTableEnabled", NO, off,
          "the target does not record how far it is any more"),
    *(Guard(_TASK, place, None, changed, "replication begins or ends elsewhere, and changes may be left out",
            concern=Concern.DATA) for place in ("CdcStartTime", "CdcStartPosition", "CdcStopPosition")),
    Guard(_TASK, f"{_SETTINGS}ValidationSettings/ValidationOnly", NO, on,
          "nothing is replicated any more, only compared"),
    Guard(_TASK, f"{_SETTINGS}ValidationSettings/SkipLobColumns", NO, on, "large objects are not compared any more"),
    Guard(_TASK, f"{_SETTINGS}ValidationSettings/ValidationPartialLobSize", 0, shorter,
          "large objects are compared in part only"),
    Guard(_TASK, f"{_SETTINGS}ValidationSettings/EnableValidation", NO, off,
          "rows on both sides are not compared any more"),
    Guard(_TASK, f"{_SETTINGS}Logging/EnableLogging", NO, off, "the task is not logged any more"),
    *(Guard(_TASK, f"{_ERRORS}{policy}", missing, _ON_ERROR, f"faulty rows are passed over by {policy}")
      for policy, missing in _ERROR_POLICIES),
    *(Guard(_TASK, f"{_ERRORS}{flag}", NO, off, f"{flag} is switched off")
      for flag in ("FailOnNoTablesCaptured", "FailOnTransactionConsistencyBreached")),
)
# fmt: on
