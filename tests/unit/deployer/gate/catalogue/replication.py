"""Replication."""

from __future__ import annotations

import json

from tests.unit.deployer.gate.catalogue.edits import GONE, both, drop, put

TASK = "migration.ForwardTask"
SETTINGS = "ReplicationTaskSettings/{}/"
ENDPOINT = "migration.AuroraTarget"
INSTANCE = "migration.ReplicationInstance"
ERRORS = SETTINGS + "ErrorBehavior/"

# what is edited → the edit, and what the gate asks about, with "?" where it only may happen
CASES = {
    "prep drop and create": (
        put(TASK, SETTINGS + "FullLoadSettings/TargetTablePrepMode", "DROP_AND_CREATE"),
        ["weaken migration.ForwardTask"],
    ),
    "prep truncate": (
        put(TASK, SETTINGS + "FullLoadSettings/TargetTablePrepMode", "TRUNCATE_BEFORE_LOAD"),
        ["weaken migration.ForwardTask"],
    ),
    "validation off": (
        put(TASK, SETTINGS + "ValidationSettings/EnableValidation", False),
        ["weaken migration.ForwardTask"],
    ),
    "validation skip lobs": (
        put(TASK, SETTINGS + "ValidationSettings/SkipLobColumns", True),
        ["weaken migration.ForwardTask"],
    ),
    "validation mode group": (put(TASK, SETTINGS + "ValidationSettings/ValidationMode", "GROUP_LEVEL"), []),
    "validation partial lob": (
        put(TASK, SETTINGS + "ValidationSettings/ValidationPartialLobSize", 16),
        ["weaken migration.ForwardTask"],
    ),
    "validation threads": (put(TASK, SETTINGS + "ValidationSettings/ThreadCount", 8), []),
    "apply insert ignore": (
        put(TASK, ERRORS + "ApplyErrorInsertPolicy", "IGNORE_RECORD"),
        ["weaken migration.ForwardTask"],
    ),
    "apply insert log": (put(TASK, ERRORS + "ApplyErrorInsertPolicy", "LOG_ERROR"), ["weaken migration.ForwardTask"]),
    "apply insert -> insert_record? conflict": (
        put(TASK, ERRORS + "ApplyErrorUpdatePolicy", "INSERT_RECORD"),
        ["weaken migration.ForwardTask"],
    ),
    "data error suspend": (put(TASK, ERRORS + "DataErrorPolicy", "SUSPEND_TABLE"), ["weaken migration.ForwardTask"]),
    "escalation": (put(TASK, ERRORS + "DataErrorEscalationPolicy", "SUSPEND_TABLE"), ["weaken migration.ForwardTask"]),
    "table escalation": (
        put(TASK, ERRORS + "TableErrorEscalationPolicy", "SUSPEND_TABLE"),
        ["weaken migration.ForwardTask"],
    ),
    "apply escalation": (
        put(TASK, ERRORS + "ApplyErrorEscalationPolicy", "LOG_ERROR"),
        ["weaken migration.ForwardTask"],
    ),
    "masking error": (put(TASK, ERRORS + "DataMaskingErrorPolicy", "IGNORE_RECORD"), ["weaken migration.ForwardTask"]),
    "fail on no tables off": (put(TASK, ERRORS + "FailOnNoTablesCaptured", False), ["weaken migration.ForwardTask"]),
    "ddl dropped handled": (
        put(TASK, SETTINGS + "ChangeProcessingDdlHandlingPolicy/HandleSourceTableDropped", True),
        ["weaken migration.ForwardTask"],
    ),
    "ddl truncate off": (
        put(TASK, SETTINGS + "ChangeProcessingDdlHandlingPolicy/HandleSourceTableTruncated", False),
        [],
    ),
    "lob truncated": (put(TASK, SETTINGS + "TargetMetadata/LobMaxSize", 32), ["weaken migration.ForwardTask"]),
    "lobs off": (put(TASK, SETTINGS + "TargetMetadata/SupportLobs", False), ["weaken migration.ForwardTask"]),
    "lob larger": (put(TASK, SETTINGS + "TargetMetadata/LobMaxSize", 4096), []),
    "batch apply": (put(TASK, SETTINGS + "TargetMetadata/BatchApplyEnabled", True), []),
    "logging off": (put(TASK, SETTINGS + "Logging/EnableLogging", False), ["weaken migration.ForwardTask"]),
    "settings gone": (put(TASK, "ReplicationTaskSettings", GONE), ["weaken migration.ForwardTask"]),
    "settings reordered": (
        put(TASK, "ReplicationTaskSettings", lambda s: json.dumps(dict(reversed(json.loads(s).items())), indent=1)),
        [],
    ),
    "stop cached changes off": (put(TASK, SETTINGS + "FullLoadSettings/StopTaskCachedChangesApplied", False), []),
    "mappings exclude table": (
        put(
            TASK,
            "TableMappings/{}/rules/-",
            {
                "rule-type": "selection",
                "rule-id": "3",
                "rule-name": "3",
                "object-locator": {"schema-name": "public", "table-name": "payments"},
                "rule-action": "exclude",
            },
        ),
        ["weaken migration.ForwardTask"],
    ),
    "mappings narrower": (
        put(TASK, "TableMappings/{}/rules/0/object-locator/table-name", "a%"),
        ["weaken migration.ForwardTask"],
    ),
    "mappings filter": (
        put(
            TASK,
            "TableMappings/{}/rules/0/filters/-",
            {
                "filter-type": "source",
                "column-name": "id",
                "filter-conditions": [{"filter-operator": "gte", "value": "1"}],
            },
        ),
        ["weaken migration.ForwardTask"],
    ),
    "mappings more": (
        put(
            TASK,
            "TableMappings/{}/rules/-",
            {
                "rule-type": "selection",
                "rule-id": "3",
                "rule-name": "3",
                "object-locator": {"schema-name": "audit", "table-name": "%"},
                "rule-action": "include",
                "filters": [],
            },
        ),
        [],
    ),
    "mappings remove column": (
        put(
            TASK,
            "TableMappings/{}/rules/-",
            {
                "rule-type": "transformation",
                "rule-id": "3",
                "rule-name": "3",
                "rule-target": "column",
                "rule-action": "remove-column",
                "object-locator": {"schema-name": "public", "table-name": "payments", "column-name": "pan"},
            },
        ),
        ["weaken migration.ForwardTask"],
    ),
    "task id": (put(TASK, "ReplicationTaskIdentifier", "payments-prod-fwd2"), []),
    "task resource identifier": (
        put(TASK, "ResourceIdentifier", "payments-prod-f2"),
        ["replace migration.ForwardTask"],
    ),
    "task type": (put(TASK, "MigrationType", "cdc"), ["replace migration.ForwardTask"]),
    "task target swapped": (
        put(TASK, "TargetEndpointArn", {"Ref": "DataCenterTarget"}),
        ["replace migration.ForwardTask"],
    ),
    "task source swapped": (put(TASK, "SourceEndpointArn", {"Ref": "AuroraSource"}), ["replace migration.ForwardTask"]),
    "task removed retained": (both(drop(TASK)), []),
    "task cdc start": (put(TASK, "CdcStartTime", 1700000000), ["weaken migration.ForwardTask"]),
    "task tags": (put(TASK, "Tags/-", {"Key": "x", "Value": "y"}), []),
    "endpoint ssl none": (put(ENDPOINT, "SslMode", "none"), ["weaken migration.AuroraTarget"]),
    "endpoint ssl verify-ca": (put(ENDPOINT, "SslMode", "verify-ca"), ["weaken migration.AuroraTarget"]),
    "endpoint cert gone": (put(ENDPOINT, "CertificateArn", GONE), ["weaken migration.AuroraTarget"]),
    "endpoint cert other": (
        put(ENDPOINT, "CertificateArn", {"Ref": "DataCenterCertificate"}),
        ["weaken migration.AuroraTarget"],
    ),
    "endpoint secret swapped": (
        put(ENDPOINT, "PostgreSqlSettings/SecretsManagerSecretId", {"Ref": "SourceDmsSecretArn"}),
        ["traffic migration.AuroraTarget"],
    ),
    "endpoint database": (put(ENDPOINT, "DatabaseName", "other"), ["traffic migration.AuroraTarget"]),
    "endpoint identifier": (put(ENDPOINT, "EndpointIdentifier", "payments-prod-at2"), []),
    "endpoint key": (
        put(ENDPOINT, "KmsKeyId", GONE),
        ["replace migration.AuroraTarget", "weaken migration.AuroraTarget", "replace migration.ForwardTask"],
    ),
    "endpoint triggers": (
        put("migration.AuroraSource", "PostgreSqlSettings/CaptureDdls", False),
        ["weaken migration.AuroraSource"],
    ),
    "endpoint lob truncation": (
        put("migration.AuroraSource", "PostgreSqlSettings/FailTasksOnLobTruncation", False),
        ["weaken migration.AuroraSource"],
    ),
    "endpoint heartbeat": (put("migration.AuroraSource", "PostgreSqlSettings/HeartbeatEnable", False), []),
    "endpoint plain password": (
        both(
            put(ENDPOINT, "PostgreSqlSettings/SecretsManagerSecretId", GONE),
            put(ENDPOINT, "PostgreSqlSettings/SecretsManagerAccessRoleArn", GONE),
            put(ENDPOINT, "Password", "x"),
            put(ENDPOINT, "Username", "u"),
        ),
        ["weaken migration.AuroraTarget", "traffic migration.AuroraTarget"],
    ),
    "cert pem": (
        put("migration.AuroraCertificate", "CertificatePem", "-----BEGIN CERTIFICATE-----"),
        ["replace migration.AuroraCertificate"],
    ),
    "ri class": (put(INSTANCE, "ReplicationInstanceClass", "dms.r6i.2xlarge"), []),
    "ri public": (
        put(INSTANCE, "PubliclyAccessible", True),
        [
            "replace migration.ForwardTask",
            "replace migration.ReplicationInstance",
            "access migration.ReplicationInstance",
            "replace migration.ReverseTask",
        ],
    ),
    "ri multiaz off": (put(INSTANCE, "MultiAZ", False), ["weaken migration.ReplicationInstance"]),
    "ri identifier": (put(INSTANCE, "ReplicationInstanceIdentifier", "payments-prod-r2"), []),
    "ri storage": (put(INSTANCE, "AllocatedStorage", 600), []),
    "ri key": (
        put(INSTANCE, "KmsKeyId", GONE),
        [
            "replace migration.ForwardTask",
            "replace migration.ReplicationInstance",
            "weaken migration.ReplicationInstance",
            "replace migration.ReverseTask",
        ],
    ),
    "ri group": (
        put(INSTANCE, "VpcSecurityGroupIds/-", "sg-0123456789abcdef0"),
        ["access migration.ReplicationInstance"],
    ),
    "dms subnets": (
        put("migration.SubnetGroup", "SubnetIds", [{"Ref": "PrivateSubnet1Id"}, {"Ref": "PrivateSubnet2Id"}]),
        [],
    ),
}
