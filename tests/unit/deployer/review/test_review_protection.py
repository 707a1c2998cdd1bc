"""Each guard, by a change that weakens it and the change back, on a resource of a whole tree."""

from __future__ import annotations

import json

import pytest

from deployer.review.concerns import compare
from deployer.review.concerns.protection_table import all_guards, guards
from deployer.review.model import Action, Concern, Severity

TLS13 = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
PARAMETERS = "Parameters/"
ATTRIBUTES = "LoadBalancerAttributes/#"
HEADERS = "ListenerAttributes/#routing.http.response."
SETTINGS = "ReplicationTaskSettings/{}/"
BLOCK = "PublicAccessBlockConfiguration/"
ENCRYPTION = "BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/"
DEPLOYMENT = "DeploymentConfiguration/"
# path → a value that protects, one that protects less
EXAMPLES = {
    "DeletionProtection": (True, False),
    "BackupRetentionPeriod": (35, 7),
    "DeleteAutomatedBackups": (False, True),
    "StorageEncrypted": (True, False),
    "KmsKeyId": ("key-1", "key-2"),
    "EnableIAMDatabaseAuthentication": (True, None),
    "EnableCloudwatchLogsExports": (["postgresql", "iam-db-auth-error"], ["postgresql"]),
    "ManageMasterUserPassword": (True, False),
    "MasterUserSecret/KmsKeyId": ("key-1", None),
    "CopyTagsToSnapshot": (True, False),
    "PreferredBackupWindow": ("02:00-03:00", "12:00-13:00"),
    "BacktrackWindow": (3600, 0),
    "MultiAZ": (True, False),
    "MonitoringInterval": ("1", "0"),
    "PubliclyAccessible": (False, True),
    PARAMETERS + "rds.force_ssl": ("1", "0"),
    PARAMETERS + "ssl_min_protocol_version": ("TLSv1.2", "TLSv1.1"),
    PARAMETERS + "password_encryption": ("scram-sha-256", "md5"),
    PARAMETERS + "pgaudit.log": ("ddl,role", "ddl"),
    PARAMETERS + "shared_preload_libraries": ("pg_stat_statements,pgaudit", "pg_stat_statements"),
    PARAMETERS + "log_connections": ("1", None),
    PARAMETERS + "log_disconnections": ("1", "0"),
    PARAMETERS + "synchronous_commit": ("on", "off"),
    PARAMETERS + "rds.logical_replication": ("1", None),
    PARAMETERS + "pgaudit.role": ("rds_pgaudit", None),
    PARAMETERS + "log_statement": (None, "all"),
    PARAMETERS + "log_min_duration_statement": (None, "500"),
    PARAMETERS + "log_min_error_statement": ("panic", None),
    PARAMETERS + "log_parameter_max_length": ("0", None),
    PARAMETERS + "log_parameter_max_length_on_error": (None, "-1"),
    PARAMETERS + "log_error_verbosity": ("terse", None),
    PARAMETERS + "pgaudit.log_parameter": (None, "1"),
    PARAMETERS + "pg_stat_statements.track_utility": ("0", None),
    "DBClusterParameterGroupName": ("a", "b"),
    "DBParameterGroupName": ("a", "b"),
    "EnableHttpEndpoint": (False, True),
    "PerformanceInsightsKmsKeyId": ("key-1", "key-2"),
    "PerformanceInsightsKMSKeyId": ("key-1", "key-2"),
    "Port": (5432, 5433),
    "BypassPolicyLockoutSafetyCheck": (False, True),
    "AccessControl": ("Private", "PublicRead"),
    "ReplicationConfiguration": (None, {"Role": "arn:a"}),
    "EnableKeyRotation": (True, False),
    "RotationPeriodInDays": (90, 400),
    "PendingWindowInDays": (30, 7),
    "Enabled": (True, False),
    "TargetKeyId": ("key-1", "key-2"),
    BLOCK + "BlockPublicAcls": (True, False),
    BLOCK + "BlockPublicPolicy": (True, None),
    BLOCK + "IgnorePublicAcls": (True, False),
    BLOCK + "RestrictPublicBuckets": (True, False),
    "VersioningConfiguration/Status": ("Enabled", "Suspended"),
    ENCRYPTION + "SSEAlgorithm": ("aws:kms", "AES256"),
    ENCRYPTION + "KMSMasterKeyID": ("key-1", "key-2"),
    "ObjectLockEnabled": (True, False),
    "ObjectLockConfiguration": ({"Rule": {"DefaultRetention": {"Mode": "COMPLIANCE"}}}, {"Rule": {}}),
    "LoggingConfiguration/DestinationBucketName": ("logs", None),
    "OwnershipControls/Rules/0/ObjectOwnership": ("BucketOwnerEnforced", "ObjectWriter"),
    "RetentionInDays": (365, 30),
    "DeletionProtectionEnabled": (True, False),
    "DataProtectionPolicy": ({"Statement": []}, None),
    ATTRIBUTES + "deletion_protection.enabled": ("true", "false"),
    ATTRIBUTES + "access_logs.s3.enabled": ("true", None),
    ATTRIBUTES + "connection_logs.s3.enabled": ("true", "false"),
    ATTRIBUTES + "routing.http.drop_invalid_header_fields.enabled": ("true", "false"),
    ATTRIBUTES + "routing.http.desync_mitigation_mode": ("strictest", "monitor"),
    ATTRIBUTES + "waf.fail_open.enabled": ("false", "true"),
    ATTRIBUTES + "zonal_shift.config.enabled": ("true", "false"),
    ATTRIBUTES + "access_logs.s3.bucket": ("a", "b"),
    ATTRIBUTES + "connection_logs.s3.bucket": ("a", "b"),
    ATTRIBUTES + "routing.http.xff_header_processing.mode": ("append", "preserve"),
    "SecurityGroups": (["sg-1"], ["sg-1", "sg-2"]),
    "SecurityGroupIds": (["sg-1"], ["sg-1", "sg-2"]),
    "VpcSecurityGroupIds": (["sg-1"], ["sg-1", "sg-2"]),
    "VPCSecurityGroups": (["sg-1"], ["sg-1", "sg-2"]),
    "DataProtectionConfig/DataProtections": (["a", "b"], ["a"]),
    "RedactedFields": ([{"QueryString": {}}], None),
    "LoggingFilter": (None, {"DefaultBehavior": "DROP"}),
    "LogDestinationConfigs": (["a", "b"], ["a"]),
    "WebACLArn": ("a", "b"),
    "NatGatewayId": ("nat-1", "nat-2"),
    "GatewayId": ("vgw-1", "vgw-2"),
    "TransitGatewayId": ("tgw-1", "tgw-2"),
    "VpcPeeringConnectionId": ("pcx-1", "pcx-2"),
    "EnableDnsSupport": (True, False),
    "PrivateDnsEnabled": (True, False),
    "RouteTableIds": (["a", "b"], ["a"]),
    "SubnetIds": (["a", "b"], ["a"]),
    "VPCs fewer": ([{"VPCId": "a"}], None),
    "VPCs more": ([{"VPCId": "a"}], [{"VPCId": "a"}, {"VPCId": "b"}]),
    **{
        f"VpnTunnelOptionsSpecifications/{index}/{path}": ([{"Value": "a"}], [{"Value": "a"}, {"Value": "b"}])
        for index in (0, 1)
        for path in (
            *(f"Phase{n}{what}" for n in (1, 2) for what in ("EncryptionAlgorithms", "IntegrityAlgorithms")),
            "Phase1DHGroupNumbers",
            "Phase2DHGroupNumbers",
            "IKEVersions",
        )
    },
    **{
        f"VpnTunnelOptionsSpecifications/{index}/LogOptions/CloudwatchLogOptions/LogEnabled": (True, False)
        for index in (0, 1)
    },
    "Scheme": ("internal", "internet-facing"),
    "SslPolicy": (TLS13, "ELBSecurityPolicy-TLS13-1-2-2021-06"),
    "Protocol": ("HTTPS", "HTTP"),
    "MutualAuthentication/Mode": ("verify", "off"),
    HEADERS + "strict_transport_security.header_value": ("max-age=1", None),
    HEADERS + "x_content_type_options.header_value": ("nosniff", None),
    HEADERS + "x_frame_options.header_value": ("DENY", None),
    HEADERS + "content_security_policy.header_value": ("default-src 'self'", None),
    HEADERS + "access_control_allow_origin.header_value": ("https://a.example", "*"),
    "SslMode": ("verify-full", "require"),
    "CertificateArn": ("arn", "arn-2"),
    "PostgreSqlSettings/FailTasksOnLobTruncation": (True, False),
    "PostgreSqlSettings/SecretsManagerSecretId": ("arn:a", "arn:b"),
    "PostgreSqlSettings/CaptureDdls": (True, False),
    "CdcStartTime": (None, 1700000000),
    "CdcStartPosition": (None, "0/1"),
    "CdcStopPosition": (None, "server_time:2026-11-24T00:00:00"),
    "PerformanceInsightsEnabled": (True, False),
    "SecretId": ("a", "b"),
    "TargetId": ("a", "b"),
    **{
        f"Environment/Variables/{side}_{what}": ("a", "b")
        for side in ("SOURCE", "TARGET")
        for what in ("SECRET_ARN", "CA")
    },
    "Environment/Variables/SCHEMAS": ("public,audit", "public"),
    "ReservedConcurrentExecutions": (4, 0),
    "ClusterSettings/#containerInsights": ("enhanced", "disabled"),
    "Configuration/ExecuteCommandConfiguration/Logging": ("DEFAULT", "NONE"),
    "ServerName": ("a", "b"),
    "DatabaseName": ("payments", "other"),
    SETTINGS + "FullLoadSettings/TargetTablePrepMode": ("DO_NOTHING", None),
    SETTINGS + "ChangeProcessingDdlHandlingPolicy/HandleSourceTableDropped": (False, True),
    SETTINGS + "TargetMetadata/LobMaxSize": (1024, 32),
    SETTINGS + "TargetMetadata/SupportLobs": (True, False),
    SETTINGS + "TargetMetadata/TaskRecoveryTableEnabled": (True, False),
    SETTINGS + "ValidationSettings/ValidationOnly": (False, True),
    SETTINGS + "ValidationSettings/SkipLobColumns": (False, True),
    SETTINGS + "ValidationSettings/ValidationPartialLobSize": (0, 16),
    SETTINGS + "ErrorBehavior/DataErrorEscalationPolicy": ("STOP_TASK", None),
    SETTINGS + "ErrorBehavior/DataMaskingErrorPolicy": ("STOP_TASK", "IGNORE_RECORD"),
    SETTINGS + "ErrorBehavior/TableErrorEscalationPolicy": ("STOP_TASK", "SUSPEND_TABLE"),
    SETTINGS + "ErrorBehavior/ApplyErrorEscalationPolicy": ("STOP_TASK", "LOG_ERROR"),
    SETTINGS + "ValidationSettings/EnableValidation": (True, False),
    SETTINGS + "Logging/EnableLogging": (True, False),
    SETTINGS + "ErrorBehavior/DataErrorPolicy": ("STOP_TASK", "LOG_ERROR"),
    SETTINGS + "ErrorBehavior/DataTruncationErrorPolicy": ("STOP_TASK", "SUSPEND_TABLE"),
    SETTINGS + "ErrorBehavior/TableErrorPolicy": ("STOP_TASK", "SUSPEND_TABLE"),
    SETTINGS + "ErrorBehavior/ApplyErrorInsertPolicy": ("STOP_TASK", None),
    SETTINGS + "ErrorBehavior/ApplyErrorUpdatePolicy": ("STOP_TASK", "IGNORE_RECORD"),
    SETTINGS + "ErrorBehavior/ApplyErrorDeletePolicy": ("LOG_ERROR", "IGNORE_RECORD"),
    SETTINGS + "ErrorBehavior/FailOnNoTablesCaptured": (True, False),
    SETTINGS + "ErrorBehavior/FailOnTransactionConsistencyBreached": (True, False),
    "EnableExecuteCommand": (False, True),
    "NetworkConfiguration/AwsvpcConfiguration/AssignPublicIp": ("DISABLED", "ENABLED"),
    DEPLOYMENT + "DeploymentCircuitBreaker/Rollback": (True, False),
    DEPLOYMENT + "Alarms/Rollback": (True, False),
    DEPLOYMENT + "Alarms/AlarmNames": (["a", "b"], ["a"]),
    DEPLOYMENT + "BakeTimeInMinutes": (60, 1),
    DEPLOYMENT + "DeploymentCircuitBreaker/Enable": (True, False),
    DEPLOYMENT + "Alarms/Enable": (True, False),
    DEPLOYMENT + "Strategy": ("BLUE_GREEN", "ROLLING"),
    DEPLOYMENT + "MinimumHealthyPercent": (100, 0),
    "NetworkConfiguration/AwsvpcConfiguration/SecurityGroups": (["sg-1"], ["sg-1", "sg-2"]),
    "LoadBalancers": ([{"TargetGroupArn": "a"}], [{"TargetGroupArn": "b"}]),
    "MinCapacity": (2, 0),
    "MaxCapacity": (2, 0),
    "TaskRoleArn": ("arn:a", "arn:b"),
    "ExecutionRoleArn": ("arn:a", "arn:b"),
    "Role": ("arn:a", "arn:b"),
    "RoleArn": ("arn:a", "arn:b"),
    "AuthType": ("AWS_IAM", "NONE"),
    "LoggingConfiguration/IncludeExecutionData": (False, True),
    "KmsKeyArn": ("key-1", None),
    "VpcConfig/SecurityGroupIds gone": (["sg-1"], None),
    "VpcConfig/SecurityGroupIds more": (["sg-1"], ["sg-1", "sg-2"]),
    "LoggingConfiguration/Level": ("ALL", "ERROR"),
    "ActionsEnabled": (True, False),
    "AlarmActions": (["topic-1", "topic-2"], ["topic-2"]),
    "TreatMissingData": ("breaching", "notBreaching"),
    "EvaluationPeriods": (2, 5),
    "DatapointsToAlarm": (2, 3),
    "Namespace": ("a", "b"),
    "MetricName": ("a", "b"),
    "Dimensions": ([{"Name": "a", "Value": "1"}], [{"Name": "a", "Value": "2"}]),
    "Metrics": ([{"Id": "a"}], [{"Id": "b"}]),
    "Statistic": ("Maximum", "Minimum"),
    "ExtendedStatistic": ("p99", "p50"),
    "ComparisonOperator": ("GreaterThanThreshold", "LessThanThreshold"),
    "ActionsSuppressor": (None, "b"),
    "EventPattern": ({"source": ["a", "b"]}, {"source": ["a"]}),
    "Targets fewer": ([{"Id": "a"}, {"Id": "b"}], [{"Id": "a"}]),
    "Targets other": ([{"Id": "a"}], [{"Id": "b"}]),
    "FilterPolicy": (None, {"a": ["b"]}),
    "SourceIds": (["a", "b"], ["a"]),
    "AlarmRule fewer_names": ("ALARM(a) OR ALARM(b)", "ALARM(a)"),
    "AlarmRule other": ("ALARM(a) OR ALARM(b)", "ALARM(a)"),
    "State": ("ENABLED", "DISABLED"),
    "EventCategories": (["failure", "deletion"], ["failure"]),
    "KmsMasterKeyId": ("key-1", None),
    "TrafficType": ("ALL", "REJECT"),
    "MapPublicIpOnLaunch": (False, True),
    "PermissionsBoundary": ("arn:boundary", None),
    "ManagedPolicyArns": (["arn:a"], ["arn:a", "arn:b"]),
    "MaxSessionDuration": (3600, 43200),
}
# Where any other value counts, the way back does too.
BOTH_WAYS = (compare.other, compare.changed)


def key(guard):
    """The key of a guard's example: its path, with the comparison where two guards stand at one path."""
    named = f"{guard.path} {guard.weaker.__name__}"
    return named if named in EXAMPLES else guard.path


def built(path, value):
    """Properties that hold `value` at a guard's path."""
    if not path:
        return value
    name, _, rest = path.partition("/")
    inner = built(rest, value)
    if name == "{}":
        return json.dumps(inner)
    if name.startswith("#"):
        return [{"Key": name[1:], "Value": inner}] if inner is not None else []
    if name.isdecimal():
        return [*({} for _ in range(int(name))), inner]
    return {name: inner} if inner is not None else {}


def changed(scene, tools, type_, before, after):
    """The item of a resource that has `before` as properties, and gets `after`."""
    for side, properties in ((scene.before, before), (scene.after, after)):
        side["database"]["Resources"]["X"] = {"Type": type_, "Properties": properties}
    names = before.keys() | after.keys()
    texts = {
        name: tuple(None if name not in side else json.dumps(side[name]) for side in (before, after)) for name in names
    }
    details = [tools.detail(name, *values) for name, values in sorted(texts.items()) if values[0] != values[1]]
    scene.changes.clear()
    scene.change("database.X", *details, replacement="False")
    return scene.item("database.X")


def test_every_guard_has_an_example():
    assert {key(guard) for guard in all_guards()} == EXAMPLES.keys()
    assert guards("AWS::Nothing") == ()


@pytest.mark.parametrize("guard", all_guards(), ids=lambda guard: f"{guard.type}.{guard.path}")
def test_a_guard_speaks_up_where_less_is_protected_and_only_there(dev, tools, guard):
    strong, weak = (built(guard.path, value) for value in EXAMPLES[key(guard)])
    item = changed(dev, tools, guard.type, strong, weak)
    found = [finding for finding in item.findings if finding.text.startswith(guard.text)]
    assert [(finding.rule, finding.concern) for finding in found] == [(guard.rule, guard.concern)]
    assert item.severity is (Severity.STOP if guard.rule or len(item.findings) > 1 else Severity.WARN)
    back = changed(dev, tools, guard.type, weak, strong)
    again = [finding for finding in back.findings if finding.text.startswith(guard.text)]
    assert bool(again) is (guard.weaker in BOTH_WAYS and None not in EXAMPLES[key(guard)])


def test_credentials_are_not_shown_in_a_finding(dev, tools, monkeypatch):
    from deployer.review.concerns import protection

    monkeypatch.setattr(protection, "is_sensitive", lambda _: True)
    item = changed(dev, tools, "AWS::RDS::DBCluster", {"DeletionProtection": True}, {"DeletionProtection": False})
    assert [finding.text for finding in item.findings] == ["deletion protection is switched off"]


def test_an_alarm_that_tells_more_is_no_weaker(dev, tools):
    item = changed(dev, tools, "AWS::CloudWatch::Alarm", {"AlarmActions": ["a"]}, {"AlarmActions": ["b", "a"]})
    assert item.findings == ()
    assert tools.rules(
        changed(dev, tools, "AWS::CloudWatch::Alarm", {"AlarmActions": ["a"]}, {"AlarmActions": ["b"]})
    ) == ["weaken"]


# --- missing values --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("type_", "before", "after", "text"),
    [
        ("AWS::RDS::DBCluster", {"BackupRetentionPeriod": 35}, {}, "backups are kept for fewer days, 35 → 1"),
        (
            "AWS::Logs::LogGroup",
            {},
            {"RetentionInDays": 30},
            "kept for fewer days, older ones are deleted, (none) → 30",
        ),
        ("AWS::KMS::Key", {"EnableKeyRotation": True}, {}, "the key is not rotated any more, true → false"),
        ("AWS::DMS::ReplicationInstance", {"PubliclyAccessible": False}, {}, "gets a public address, false → true"),
        ("AWS::KMS::Key", {}, {"PendingWindowInDays": 7}, "about deleting the key, 30 → 7"),
    ],
)
def test_a_missing_value_is_what_the_service_takes_instead(dev, tools, type_, before, after, text):
    item = changed(dev, tools, type_, before, after)
    assert any(finding.text.endswith(text) for finding in item.findings)


def test_a_value_that_comes_where_its_default_was_is_no_change(dev, tools):
    assert changed(dev, tools, "AWS::RDS::DBCluster", {}, {"DeletionProtection": False}).findings == ()
    assert changed(dev, tools, "AWS::Logs::LogGroup", {"RetentionInDays": 30}, {}).findings == ()


@pytest.mark.parametrize(
    ("before", "after", "weaker"),
    [
        (TLS13, "ELBSecurityPolicy-TLS13-1-3-2021-06", True),  # no post-quantum key exchange any more
        ("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06", False),
        ("ELBSecurityPolicy-TLS13-1-2-Res-2021-06", "ELBSecurityPolicy-TLS13-1-2-2021-06", True),
        ("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06", True),
        ("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-1-2021-06", True),
        ("ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-FS-1-2-2019-08", False),
        ("ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS-1-2-2017-01", True),
        ("ELBSecurityPolicy-TLS13-1-2-2021-06", None, True),
        (None, "ELBSecurityPolicy-2016-08", False),
        ("ELBSecurityPolicy-TLS13-1-2-2021-06", "Custom", True),
    ],
)
def test_tls_policies_are_compared_by_what_their_names_say(dev, tools, before, after, weaker):
    sides = [{} if policy is None else {"SslPolicy": policy} for policy in (before, after)]
    item = changed(dev, tools, "AWS::ElasticLoadBalancingV2::Listener", *sides)
    assert any(finding.rule == "weaken" for finding in item.findings) is weaker


def test_a_value_of_no_ladder_is_taken_for_the_lowest(dev, tools):
    listener = "AWS::ElasticLoadBalancingV2::Listener"
    item = changed(dev, tools, listener, {"Protocol": "HTTPS"}, {"Protocol": "CARRIER_PIGEON"})
    assert "weaken" in tools.rules(item)
    assert "weaken" not in tools.rules(changed(dev, tools, listener, {"Protocol": "HTTP"}, {"Protocol": "HTTPS"}))


def test_settings_that_are_no_json_protect_nothing(dev, tools):
    strong = built(SETTINGS + "Logging/EnableLogging", value=True)
    item = changed(dev, tools, "AWS::DMS::ReplicationTask", strong, {"ReplicationTaskSettings": "{oops"})
    assert "weaken" in tools.rules(item)


# --- removal policies ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("type_", "policy", "before", "after", "weaker"),
    [
        ("AWS::RDS::DBCluster", "DeletionPolicy", "Snapshot", "Delete", True),
        ("AWS::RDS::DBCluster", "DeletionPolicy", "Retain", "Snapshot", True),
        ("AWS::RDS::DBCluster", "DeletionPolicy", "Retain", "RetainExceptOnCreate", False),
        ("AWS::RDS::DBCluster", "DeletionPolicy", "Snapshot", None, False),  # its default
        ("AWS::RDS::DBCluster", "DeletionPolicy", "Delete", "Snapshot", False),
        ("AWS::RDS::DBInstance", "DeletionPolicy", "Snapshot", None, False),
        ("AWS::S3::Bucket", "DeletionPolicy", "Retain", None, True),
        ("AWS::RDS::DBCluster", "UpdateReplacePolicy", "Snapshot", None, True),
        ("AWS::RDS::DBCluster", "UpdateReplacePolicy", None, "Snapshot", False),
    ],
)
def test_a_removal_policy_that_keeps_less_is_weaker(dev, tools, type_, policy, before, after, weaker):
    for side, value in ((dev.before, before), (dev.after, after)):
        side["database"]["Resources"]["X"] = {"Type": type_, "Properties": {}} | ({policy: value} if value else {})
    dev.change("database.X", tools.detail("", before, after, attribute=policy), replacement="False", scope=(policy,))
    assert tools.rules(dev.item("database.X")) == (["weaken"] if weaker else [])


def test_an_instance_of_a_cluster_is_deleted_by_default(dev, tools):
    dev.before["database"]["Resources"]["Writer"]["DeletionPolicy"] = "Snapshot"
    del dev.resource("database.Writer")["DeletionPolicy"]
    dev.change("database.Writer", tools.detail("", "Snapshot", None, attribute="DeletionPolicy"), replacement="False")
    assert tools.rules(dev.item("database.Writer")) == ["weaken"]


# --- what is gone ----------------------------------------------------------------------------------------------------
def test_an_alarm_that_is_removed_warns_nobody(dev, tools):
    dev.drop("service.RollbackBlueErrors")
    item = dev.item("service.RollbackBlueErrors")
    assert tools.rules(item) == ["weaken"]
    assert item.concerns == (Concern.PROTECTION,)


def test_an_alarm_that_is_replaced_goes_on_warning(dev):
    dev.replace("service.RollbackBlueErrors", AlarmName="another")
    item = dev.item("service.RollbackBlueErrors")
    assert (item.action, item.findings) == (Action.REPLACE, ())


# --- single types ----------------------------------------------------------------------------------------------------
def expiry(days, noncurrent=30, status="Enabled"):
    rule = {
        "Id": "e",
        "Status": status,
        "ExpirationInDays": days,
        "NoncurrentVersionExpiration": {"NoncurrentDays": noncurrent},
    }
    return {"LifecycleConfiguration": {"Rules": [rule, "no rule"]}}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (expiry(365), expiry(30), ["objects are deleted earlier (365 days → 30 days, current versions)"]),
        (expiry(365), expiry(365, 1), ["objects are deleted earlier (30 days → 1 days, old versions)"]),
        ({}, expiry(365, None), ["objects are deleted earlier (never → 365 days, current versions)"]),
        (expiry(30), expiry(365), []),
        (expiry(30), {}, []),
        ({}, expiry(30, status="Disabled"), []),
    ],
)
def test_objects_that_expire_earlier_are_lost_earlier(dev, tools, before, after, found):
    item = changed(dev, tools, "AWS::S3::Bucket", before, after)
    assert [finding.text for finding in item.findings if finding.rule == "weaken"] == found


def test_a_redirect_to_https_that_ends_lets_plain_text_in(dev, tools):
    answer = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    dev.edit("load_balancer.HttpListener", DefaultActions=answer)
    assert "clients are not sent to HTTPS any more" in [
        finding.text for finding in dev.item("load_balancer.HttpListener").findings
    ]


def test_an_answer_of_an_https_listener_is_no_matter_of_encryption(dev, tools):
    dev.edit("load_balancer.HttpsListener", DefaultActions=[{"Type": "fixed-response"}])
    assert tools.rules(dev.item("load_balancer.HttpsListener")) == []


@pytest.mark.parametrize(
    ("operator", "before", "after", "found"),
    [
        ("GreaterThanOrEqualToThreshold", 10, 20, True),
        ("GreaterThanOrEqualToThreshold", 20, 10, False),
        ("LessThanThreshold", 20, 10, True),
        ("LessThanThreshold", 10, 20, False),
        ("LessThanThreshold", 10, None, False),
    ],
)
def test_a_threshold_that_is_reached_later_is_worth_a_look(dev, tools, operator, before, after, found):
    sides = [{"ComparisonOperator": operator} | ({} if t is None else {"Threshold": t}) for t in (before, after)]
    item = changed(dev, tools, "AWS::CloudWatch::Alarm", *sides)
    assert [finding.rule for finding in item.findings] == ([""] if found else [])


# --- WAF -------------------------------------------------------------------------------------------------------------
def acl(*rules, default="Block"):
    return {"DefaultAction": {default: {}}, "Rules": list(rules)}


def rate(limit, action="Block", **more):
    return {"Name": "Rate", "Action": {action: {}}, "Statement": {"RateBasedStatement": {"Limit": limit, **more}}}


def group(override="None", **more):
    managed = {"Name": "Common", "VendorName": "AWS", **more}
    return {"Name": "Common", "OverrideAction": {override: {}}, "Statement": {"ManagedRuleGroupStatement": managed}}


SCOPE = {"ScopeDownStatement": {"NotStatement": {}}}
WAF = "AWS::WAFv2::WebACL"


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (acl(), acl(default="Allow"), "what no rule speaks of is let through"),
        (acl(rate(100)), acl(), "rule Rate is gone"),
        (acl(rate(100)), acl(rate(100, "Count")), "rule Rate no longer blocks"),
        (acl(rate(100)), acl(rate(200)), "rule Rate lets more requests through (100 in 300 s → 200 in 300 s)"),
        (
            acl(rate(100)),
            acl({"Name": "Rate", "Action": {"Block": {}}}),
            "rule Rate lets more requests through (100 in 300 s → no limit)",
        ),
        (acl(group()), acl(group("Count")), "rule Common no longer blocks"),
        (
            acl(group()),
            acl(group(RuleActionOverrides=[{"Name": "SizeRestrictions_BODY"}])),
            "parts of it are overridden",
        ),
        (acl(group()), acl(group(**SCOPE)), "its scope changes"),
    ],
)
def test_a_waf_that_lets_more_through_is_weaker(dev, tools, before, after, text):
    found = changed(dev, tools, WAF, before, after).findings
    assert any(text in finding.text and finding.rule == "weaken" for finding in found)
    back = changed(dev, tools, WAF, after, before).findings
    assert not any(text in finding.text for finding in back)


@pytest.mark.parametrize(
    ("before", "after", "stricter"),
    [
        (acl(), acl(rate(100)), True),
        (acl(), acl(rate(100, "Count")), False),
        (acl(group("Count")), acl(group()), True),
        (acl(group()), acl(group()), False),
        (acl(rate(100, "Allow")), acl(rate(100, "Challenge")), True),
    ],
)
def test_a_waf_that_blocks_more_may_stop_real_clients(dev, tools, before, after, stricter):
    item = changed(dev, tools, WAF, {**before, "Description": "a"}, {**after, "Description": "b"})
    assert any(finding.concern is Concern.TRAFFIC for finding in item.findings) is stricter


def test_a_waf_without_rules_or_action_lets_everything_through(dev, tools):
    item = changed(dev, tools, WAF, acl(rate(1)), {"Rules": {"Fn::If": []}})
    assert {finding.text for finding in item.findings} == {
        "what no rule speaks of is let through", "rule Rate is gone",
    }  # fmt: skip


# --- containers ------------------------------------------------------------------------------------------------------
def container(**more):
    return {"ContainerDefinitions": [{"Name": "application", "User": "1", "ReadonlyRootFilesystem": True, **more}]}


LOCKED = {"LinuxParameters": {"Capabilities": {"Drop": ["ALL"]}}, "LogConfiguration": {"LogDriver": "awslogs"}}


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"Privileged": False}, {"Privileged": True}, "runs with the host's rights"),
        ({}, {"ReadonlyRootFilesystem": False}, "can write to its own file system"),
        ({}, {"User": None}, "runs as root"),
        (LOCKED, {**LOCKED, "LinuxParameters": {}}, "keeps capabilities that it dropped"),
        (LOCKED, {**LOCKED, "LinuxParameters": {"Capabilities": {"Drop": ["ALL"], "Add": ["SYS_PTRACE"]}}}, "gets further capabilities"),
        (LOCKED, {**LOCKED, "LogConfiguration": None}, "is not logged any more"),
        (
            {"Environment": [{"Name": "DATABASE_SSL_MODE", "Value": "verify-full"}]},
            {"Environment": [{"Name": "DATABASE_SSL_MODE", "Value": "prefer"}]},
            "protects its connection less, DATABASE_SSL_MODE verify-full → prefer",
        ),
        (
            {"Environment": [{"Name": "PGSSLMODE", "Value": "require"}]},
            {},
            "protects its connection less, PGSSLMODE require → (none)",
        ),
    ],
)  # fmt: skip
def test_a_container_that_is_locked_up_less_is_weaker(dev, tools, before, after, text):
    definition = "AWS::ECS::TaskDefinition"
    found = changed(dev, tools, definition, container(**before), container(**after)).findings
    assert [(finding.text, finding.rule) for finding in found] == [(f"container application {text}", "weaken")]
    assert changed(dev, tools, definition, container(**after), container(**before)).findings == ()


def test_containers_that_are_no_list_have_no_locks(dev, tools):
    assert changed(dev, tools, "AWS::ECS::TaskDefinition", {"ContainerDefinitions": "x"}, container()).findings == ()


# --- where the deployed template is not at hand ----------------------------------------------------------------------
def unseen(scene):
    scene.fetched = {"root"}
    return scene


def test_what_aws_tells_stands_in_for_the_deployed_template(dev, tools):
    dev.set("database.Cluster", DeletionProtection=False)
    dev.change("database.Cluster", tools.detail("DeletionProtection", "true", "false"), replacement="False")
    assert tools.rules(unseen(dev).item("database.Cluster")) == ["weaken"]


def test_the_whole_context_tells_what_the_details_do_not(dev, tools):
    context = json.dumps({"Properties": {"BackupRetentionPeriod": "35", "DeletionProtection": "false"}})
    details = [tools.detail(name) for name in ("BackupRetentionPeriod", "DeletionProtection")]
    dev.change("database.Cluster", *details, replacement="False", before=context)
    assert [finding.text for finding in unseen(dev).item("database.Cluster").findings] == [
        "backups are kept for fewer days, 35 → 7"
    ]


@pytest.mark.parametrize("context", ["no json", '["a list"]', '{"Properties": 1}', "{}"])
def test_a_context_that_cannot_be_read_tells_nothing(dev, tools, context):
    dev.change("database.Cluster", tools.detail("DeletionProtection"), replacement="False", before=context)
    assert "weaken" in tools.rules(unseen(dev).item("database.Cluster"))


def test_noise_does_not_stand_in_for_the_template(dev, tools):
    """An ARN that AWS tells and an expression of the template are not compared where the producer stays."""
    dev.change(
        "database.Cluster",
        tools.fed("KmsKeyId", "DataKeyArn", "arn:aws:kms:x"),
        tools.detail("BackupRetentionPeriod", "1", "35"),
        replacement="False",
    )
    assert tools.rules(unseen(dev).item("database.Cluster")) == []


def test_a_value_that_nobody_tells_may_have_been_better(dev, tools):
    dev.change("database.Cluster", tools.detail("DeletionProtection"), replacement="False")
    item = unseen(dev).item("database.Cluster")
    assert [finding.text for finding in item.findings] == ["deletion protection is switched off, (not known) → false"]


def test_a_value_below_one_that_nobody_tells_may_have_been_better(dev, tools):
    dev.change(
        "service.Service",
        tools.detail("DeploymentConfiguration/Alarms/Rollback"),
        tools.detail("Tags"),
        replacement="False",
    )
    assert "a deployment that raises alarms is not rolled back any more" in {
        finding.text.partition(",")[0] for finding in unseen(dev).item("service.Service").findings
    }
    dev.changes.clear()
    dev.change("service.Service", tools.detail("DeploymentConfiguration"), replacement="False")
    assert "a deployment that raises alarms is not rolled back any more" in {
        finding.text.partition(",")[0] for finding in unseen(dev).item("service.Service").findings
    }


def test_an_added_value_was_not_there(dev, tools):
    dev.set("database.Cluster", BacktrackWindow=60)
    metadata = tools.detail("", attribute="Metadata")
    dev.change("database.Cluster", tools.detail("BacktrackWindow", None, "60"), metadata, replacement="False")
    assert unseen(dev).item("database.Cluster").findings == ()


def test_a_value_in_a_list_is_put_back_in_its_place(dev, tools):
    old = "EnableCloudwatchLogsExports"
    dev.set("database.Cluster", **{old: ["postgresql", "iam"]})
    dev.change("database.Cluster", tools.detail(f"{old}/1", "upgrade", "iam"), replacement="False")
    assert tools.rules(unseen(dev).item("database.Cluster")) == ["weaken"]


@pytest.mark.parametrize("path", ["EnableCloudwatchLogsExports/7", "EnableCloudwatchLogsExports/7/Deeper", "Engine/x"])
def test_a_place_that_the_new_template_has_not_got_makes_the_property_unknown(dev, tools, path):
    dev.set("database.Cluster", EnableCloudwatchLogsExports=["postgresql"])
    dev.change("database.Cluster", tools.detail(path, "upgrade", None), replacement="False")
    assert bool(tools.rules(unseen(dev).item("database.Cluster"))) is path.startswith("Enable")


def test_a_policy_that_aws_tells_of_is_put_back(dev, tools):
    dev.change(
        "database.Cluster", tools.detail("", "Retain", "Delete", attribute="DeletionPolicy"), replacement="False"
    )
    assert tools.rules(unseen(dev).item("database.Cluster")) == ["weaken"]
    dev.changes.clear()
    dev.change("database.Cluster", tools.detail("", None, "Delete", attribute="DeletionPolicy"), replacement="False")
    assert tools.rules(unseen(dev).item("database.Cluster")) == ["weaken"]  # none means a snapshot, of a cluster


def test_a_resource_that_no_template_has_is_judged_by_what_aws_tells(dev, tools):
    dev.change(
        "database.Ghost", tools.detail("DeletionProtection", "true", "false"), replacement="False",
        type_="AWS::RDS::DBCluster",
    )  # fmt: skip
    assert tools.rules(unseen(dev).item("database.Ghost")) == ["weaken"]
