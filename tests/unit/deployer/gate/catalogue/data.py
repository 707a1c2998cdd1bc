"""Databases, secrets and keys."""

from __future__ import annotations

from tests.unit.deployer.gate.catalogue.edits import GONE, add, attributes, both, drop, put, rename

CLUSTER = "database.Cluster"
WRITER = "database.Writer"
PARAMETERS = "database.ClusterParameters"
KEY = "encryption.DataKey"
SECRET = "database.ApplicationSecret"

# what is edited → the edit, and what the gate asks about, with "?" where it only may happen
CASES = {
    "cluster deletion protection off": (put(CLUSTER, "DeletionProtection", False), ["weaken database.Cluster"]),
    "cluster deletion protection gone": (put(CLUSTER, "DeletionProtection", GONE), ["weaken database.Cluster"]),
    "cluster backups 35->7": (put(CLUSTER, "BackupRetentionPeriod", 7), ["weaken database.Cluster"]),
    "cluster backups gone": (put(CLUSTER, "BackupRetentionPeriod", GONE), ["weaken database.Cluster"]),
    "cluster automated backups deleted with it": (
        put(CLUSTER, "DeleteAutomatedBackups", True),
        ["weaken database.Cluster"],
    ),
    "cluster storage unencrypted": (
        put(CLUSTER, "StorageEncrypted", False),
        [
            "replace database.Cluster",
            "weaken database.Cluster",
            "replace database.Reader1",
            "replace database.Reader2",
            "replace database.Writer",
        ],
    ),
    "cluster other key": (
        put(CLUSTER, "KmsKeyId", "alias/other"),
        [
            "replace database.Cluster",
            "weaken database.Cluster",
            "replace database.Reader1",
            "replace database.Reader2",
            "replace database.Writer",
        ],
    ),
    "cluster master password own": (
        both(
            put(CLUSTER, "ManageMasterUserPassword", False),
            put(CLUSTER, "MasterUserSecret", GONE),
            put(CLUSTER, "MasterUserPassword", "{{resolve:secretsmanager:x}}"),
        ),
        ["weaken database.Cluster"],
    ),
    "cluster master username": (
        put(CLUSTER, "MasterUsername", "boss"),
        [
            "replace database.Cluster?",
            "replace database.Reader1?",
            "replace database.Reader2?",
            "replace database.Writer?",
        ],
    ),
    "cluster iam auth off": (put(CLUSTER, "EnableIAMDatabaseAuthentication", False), ["weaken database.Cluster"]),
    "cluster logs fewer": (put(CLUSTER, "EnableCloudwatchLogsExports", ["postgresql"]), ["weaken database.Cluster"]),
    "cluster db name": (
        put(CLUSTER, "DatabaseName", "ledger"),
        ["replace database.Cluster", "replace database.Reader1", "replace database.Reader2", "replace database.Writer"],
    ),
    "cluster identifier": (
        put(CLUSTER, "DBClusterIdentifier", "payments-prod-db2"),
        ["replace database.Cluster", "replace database.Reader1", "replace database.Reader2", "replace database.Writer"],
    ),
    "cluster engine minor": (put(CLUSTER, "EngineVersion", "17.10"), []),
    "cluster engine major": (put(CLUSTER, "EngineVersion", "18.1"), []),
    "cluster port": (put(CLUSTER, "Port", 5433), ["traffic database.Cluster"]),
    "cluster snapshot restore": (
        put(CLUSTER, "SnapshotIdentifier", "snap-1"),
        ["replace database.Cluster", "replace database.Reader1", "replace database.Reader2", "replace database.Writer"],
    ),
    "cluster performance insights off": (put(CLUSTER, "PerformanceInsightsEnabled", False), []),
    "cluster PI key": (put(CLUSTER, "PerformanceInsightsKmsKeyId", "alias/x"), ["weaken database.Cluster"]),
    "cluster parameter group default": (
        put(CLUSTER, "DBClusterParameterGroupName", "default.aurora-postgresql17"),
        ["weaken database.Cluster"],
    ),
    "cluster security groups more": (
        put(CLUSTER, "VpcSecurityGroupIds/-", "sg-0123456789abcdef0"),
        ["access database.Cluster"],
    ),
    "cluster security groups other": (
        put(CLUSTER, "VpcSecurityGroupIds", ["sg-0123456789abcdef0"]),
        ["access database.Cluster"],
    ),
    "cluster subnet group": (
        put(CLUSTER, "DBSubnetGroupName", "default"),
        ["replace database.Cluster", "replace database.Reader1", "replace database.Reader2", "replace database.Writer"],
    ),
    "cluster storage type io": (put(CLUSTER, "StorageType", "aurora-iopt1"), []),
    "cluster maintenance window": (put(CLUSTER, "PreferredMaintenanceWindow", "sun:05:00-sun:06:00"), []),
    "cluster policy delete": (attributes(CLUSTER, DeletionPolicy="Delete"), ["weaken database.Cluster"]),
    "cluster urp delete": (attributes(CLUSTER, UpdateReplacePolicy="Delete"), ["weaken database.Cluster"]),
    "cluster urp absent": (attributes(CLUSTER, UpdateReplacePolicy=None), ["weaken database.Cluster"]),
    "cluster dp absent = snapshot": (attributes(CLUSTER, DeletionPolicy=None), []),
    "cluster policies up": (attributes(CLUSTER, DeletionPolicy="Retain", UpdateReplacePolicy="Retain"), []),
    "cluster logical id renamed": (
        rename(CLUSTER, "Aurora"),
        [
            "weaken database.ApplicationSecretAttachment",
            "access database.ApplicationTokenPolicy",
            "weaken database.CutoverSecretAttachment",
            "weaken database.DmsSecretAttachment",
            "replace database.Reader1",
            "replace database.Reader2",
            "weaken database.ValidatorSecretAttachment",
            "access database.ValidatorTokenPolicy",
            "replace database.Writer",
            "delete database.Cluster",
        ],
    ),
    "cluster http endpoint on": (put(CLUSTER, "EnableHttpEndpoint", True), ["access database.Cluster"]),
    "writer class": (put(WRITER, "DBInstanceClass", "db.r7g.2xlarge"), []),
    "writer public": (put(WRITER, "PubliclyAccessible", True), ["access database.Writer"]),
    "writer public unset": (put(WRITER, "PubliclyAccessible", GONE), []),
    "writer identifier": (put(WRITER, "DBInstanceIdentifier", "payments-prod-w2"), ["replace database.Writer"]),
    "writer az": (put(WRITER, "AvailabilityZone", {"Ref": "AvailabilityZone2"}), ["replace database.Writer?"]),
    "reader removed": (drop("database.Reader2"), ["delete database.Reader2"]),
    "writer monitoring off": (put(WRITER, "MonitoringInterval", 0), []),
    "writer promotion tier": (put(WRITER, "PromotionTier", 1), []),
    "writer auto minor": (put(WRITER, "AutoMinorVersionUpgrade", True), ["replace database.Writer?"]),
    "writer ca": (put(WRITER, "CACertificateIdentifier", "rds-ca-ecc384-g1"), []),
    "force_ssl 0": (put(PARAMETERS, "Parameters/rds.force_ssl", "0"), ["weaken database.ClusterParameters"]),
    "force_ssl gone": (put(PARAMETERS, "Parameters/rds.force_ssl", GONE), ["weaken database.ClusterParameters"]),
    "logical replication 0": (
        put(PARAMETERS, "Parameters/rds.logical_replication", "0"),
        ["weaken database.ClusterParameters"],
    ),
    "logical replication gone": (
        put(PARAMETERS, "Parameters/rds.logical_replication", GONE),
        ["weaken database.ClusterParameters"],
    ),
    "ssl min 1.0": (
        put(PARAMETERS, "Parameters/ssl_min_protocol_version", "TLSv1"),
        ["weaken database.ClusterParameters"],
    ),
    "pgaudit none": (put(PARAMETERS, "Parameters/pgaudit.log", "none"), ["weaken database.ClusterParameters"]),
    "pgaudit more": (put(PARAMETERS, "Parameters/pgaudit.log", "ddl,role,write"), []),
    "preload fewer": (
        put(PARAMETERS, "Parameters/shared_preload_libraries", "pg_stat_statements"),
        ["weaken database.ClusterParameters"],
    ),
    "sync commit off": (put(PARAMETERS, "Parameters/synchronous_commit", "off"), ["weaken database.ClusterParameters"]),
    "log_statement all logs card data": (
        put(PARAMETERS, "Parameters/log_statement", "all"),
        ["weaken database.ClusterParameters"],
    ),
    "log params logs card data": (
        put(PARAMETERS, "Parameters/log_parameter_max_length", "-1"),
        ["weaken database.ClusterParameters"],
    ),
    "log duration logs card data": (
        put(PARAMETERS, "Parameters/log_min_duration_statement", "500"),
        ["weaken database.ClusterParameters"],
    ),
    "log error statement logs card data": (
        put(PARAMETERS, "Parameters/log_min_error_statement", "error"),
        ["weaken database.ClusterParameters"],
    ),
    "pgaudit log_parameter": (
        put(PARAMETERS, "Parameters/pgaudit.log_parameter", "1"),
        ["weaken database.ClusterParameters"],
    ),
    "log lock waits off": (put(PARAMETERS, "Parameters/log_lock_waits", "0"), []),
    "wal sender timeout": (put(PARAMETERS, "Parameters/wal_sender_timeout", "60000"), []),
    "pg family 18": (
        both(
            put(PARAMETERS, "Family", "aurora-postgresql18"),
            put(PARAMETERS, "DBClusterParameterGroupName", "payments-prod-cluster-18"),
            put(CLUSTER, "EngineVersion", "18.1"),
        ),
        [],
    ),
    "instance parameters track io": (put("database.InstanceParameters", "Parameters/track_io_timing", "0"), []),
    "secret renamed": (put(SECRET, "Name", "payments/prod/app2"), ["replace database.ApplicationSecret"]),
    "secret length": (put(SECRET, "GenerateSecretString/PasswordLength", 32), ["replace database.ApplicationSecret"]),
    "secret key default": (put(SECRET, "KmsKeyId", GONE), ["weaken database.ApplicationSecret"]),
    "secret description": (put(SECRET, "Description", "x"), []),
    "secret attachment removed": (
        drop("database.ApplicationSecretAttachment"),
        ["weaken database.ApplicationSecretAttachment"],
    ),
    "secret attachment retarget": (
        put("database.ApplicationSecretAttachment", "SecretId", {"Ref": "DmsSecret"}),
        ["weaken database.ApplicationSecretAttachment"],
    ),
    "secret removed retained": (both(drop("database.SourceValidatorSecret")), []),
    "secret policy delete": (attributes(SECRET, DeletionPolicy="Delete"), ["weaken database.ApplicationSecret"]),
    "secret policy absent": (
        attributes(SECRET, DeletionPolicy=None, UpdateReplacePolicy=None),
        ["weaken database.ApplicationSecret"],
    ),
    "secret logical renamed": (
        rename(SECRET, "AppSecret"),
        [
            "weaken database.ApplicationSecretAttachment",
            "replace database.ApplicationSecret",
            "traffic service.TaskDefinition",
        ],
    ),
    "secret static value": (
        both(put(SECRET, "GenerateSecretString", GONE), put(SECRET, "SecretString", "hunter2")),
        ["replace database.ApplicationSecret", "weaken database.ApplicationSecret"],
    ),
    "secret shared policy": (
        add(
            "database.Share",
            "AWS::SecretsManager::ResourcePolicy",
            SecretId={"Ref": "ApplicationSecret"},
            ResourcePolicy={
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
                        "Action": "secretsmanager:GetSecretValue",
                        "Resource": "*",
                    }
                ],
            },
        ),
        ["access database.Share"],
    ),
    "token policy wider": (
        put("database.ApplicationTokenPolicy", "PolicyDocument/Statement/0/Resource", ["*"]),
        ["access database.ApplicationTokenPolicy"],
    ),
    "token policy to other role": (
        put("database.ApplicationTokenPolicy", "Roles", [{"Ref": "TaskRoleName"}, {"Ref": "ValidatorRoleName"}]),
        ["access database.ApplicationTokenPolicy"],
    ),
    "key rotation off": (put(KEY, "EnableKeyRotation", False), ["weaken encryption.DataKey"]),
    "key rotation rare": (put(KEY, "RotationPeriodInDays", 2000), ["weaken encryption.DataKey"]),
    "key window 7": (put(KEY, "PendingWindowInDays", 7), ["weaken encryption.DataKey"]),
    "key disabled": (put(KEY, "Enabled", False), ["weaken encryption.DataKey"]),
    "key policy star": (
        put(KEY, "KeyPolicy/Statement/-", {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}),
        ["access encryption.DataKey"],
    ),
    "key policy condition dropped": (
        put(KEY, "KeyPolicy/Statement/#UsedThroughServices/Condition", GONE),
        ["access encryption.DataKey"],
    ),
    "key policy more via": (
        put(
            KEY,
            "KeyPolicy/Statement/#UsedThroughServices/Condition/StringEquals/kms:ViaService/-",
            "ec2.us-east-1.amazonaws.com",
        ),
        ["access encryption.DataKey"],
    ),
    "key policy fewer": (put(KEY, "KeyPolicy/Statement/#PublishedToTheEncryptedTopic", GONE), []),
    "key policy admin gone": (
        put(KEY, "KeyPolicy/Statement/#AdministeredByTheAccount", GONE),
        ["weaken encryption.DataKey"],
    ),
    "key policy administered by all but a few actions": (
        put(
            KEY,
            "KeyPolicy/Statement/#AdministeredByTheAccount",
            lambda old: {
                **{key: value for key, value in old.items() if key != "Action"},
                "NotAction": ["kms:CreateGrant", "kms:Decrypt"],
            },
        ),
        ["access encryption.DataKey"],
    ),
    "secret leaves, something else comes": (
        both(drop("database.SourceValidatorSecret"), add("database.Extra", "AWS::Logs::LogGroup", LogGroupName="x")),
        [],
    ),
    "key policy reordered": (put(KEY, "KeyPolicy/Statement", lambda s: s[::-1]), []),
    "key spec": (put(KEY, "KeySpec", "RSA_2048"), []),
    "key multi region": (put(KEY, "MultiRegion", True), []),
    "key policy Delete": (attributes(KEY, DeletionPolicy="Delete"), ["weaken encryption.DataKey"]),
    "key bypass lockout": (put(KEY, "BypassPolicyLockoutSafetyCheck", True), ["weaken encryption.DataKey"]),
    "alias retarget": (
        put("encryption.DataKeyAlias", "TargetKeyId", {"Ref": "LogsKey"}),
        ["weaken encryption.DataKeyAlias"],
    ),
    "alias rename": (put("encryption.DataKeyAlias", "AliasName", "alias/other"), ["replace encryption.DataKeyAlias"]),
    "alias removed": (drop("encryption.DataKeyAlias"), ["delete encryption.DataKeyAlias"]),
    "key description": (put(KEY, "Description", "x"), []),
}
