"""Topics, alarms and events."""

from __future__ import annotations

from tests.unit.deployer.gate.catalogue.edits import GONE, add, drop, put, rename

ALARM = "monitoring.AlbErrors"
TOPIC_POLICY = "monitoring.TopicPolicy"

# what is edited → the edit, and what the gate asks about, with "?" where it only may happen
CASES = {
    "topic policy open": (
        put(
            TOPIC_POLICY,
            "PolicyDocument/Statement/-",
            {"Effect": "Allow", "Principal": "*", "Action": "sns:Subscribe", "Resource": {"Ref": "Topic"}},
        ),
        ["access monitoring.TopicPolicy"],
    ),
    "topic policy cond": (
        put(TOPIC_POLICY, "PolicyDocument/Statement/#ToldByAlarms/Condition", GONE),
        ["access monitoring.TopicPolicy"],
    ),
    "topic policy deny": (
        put(TOPIC_POLICY, "PolicyDocument/Statement/#DenyPlainHttp", GONE),
        ["access monitoring.TopicPolicy"],
    ),
    "topic policy alarms gone": (
        put(TOPIC_POLICY, "PolicyDocument/Statement/#ToldByAlarms", GONE),
        ["weaken monitoring.TopicPolicy"],
    ),
    "topic policy removed": (drop(TOPIC_POLICY), ["weaken monitoring.TopicPolicy", "access monitoring.TopicPolicy"]),
    "topic key gone": (put("monitoring.Topic", "KmsMasterKeyId", GONE), ["weaken monitoring.Topic"]),
    "topic name": (
        put("monitoring.Topic", "TopicName", "x"),
        ["replace monitoring.Subscription724a22c2", "replace monitoring.Topic"],
    ),
    "subscription removed": (drop("monitoring.Subscription724a22c2"), ["delete monitoring.Subscription724a22c2"]),
    "subscription endpoint": (
        put("monitoring.Subscription724a22c2", "Endpoint", "other@example.com"),
        ["replace monitoring.Subscription724a22c2", "access monitoring.Subscription724a22c2"],
    ),
    "subscription filter": (
        put("monitoring.Subscription724a22c2", "FilterPolicy", {"x": ["y"]}),
        ["weaken monitoring.Subscription724a22c2"],
    ),
    "subscription added": (
        add(
            "monitoring.Sub2",
            "AWS::SNS::Subscription",
            Endpoint="https://evil.example",
            Protocol="https",
            TopicArn={"Ref": "Topic"},
        ),
        ["access monitoring.Sub2"],
    ),
    "alarm removed": (drop("monitoring.WafSurge"), ["weaken monitoring.WafSurge"]),
    "alarm threshold up": (put(ALARM, "Threshold", 1000000), []),
    "alarm threshold down": (put(ALARM, "Threshold", 1), []),
    "alarm less-than threshold": (put("monitoring.DmsStorage", "Threshold", 1), []),
    "alarm actions off": (put(ALARM, "ActionsEnabled", False), ["weaken monitoring.AlbErrors"]),
    "alarm actions empty": (put(ALARM, "AlarmActions", []), ["weaken monitoring.AlbErrors"]),
    "alarm actions other": (
        put(ALARM, "AlarmActions", ["arn:aws:sns:us-east-1:123456789012:nobody"]),
        ["weaken monitoring.AlbErrors"],
    ),
    "alarm missing": (
        put("monitoring.DmsStorage", "TreatMissingData", "notBreaching"),
        ["weaken monitoring.DmsStorage"],
    ),
    "alarm periods": (put(ALARM, "EvaluationPeriods", 30), []),
    "alarm period": (put(ALARM, "Period", 3600), []),
    "alarm metric other": (put(ALARM, "MetricName", "RequestCount"), ["weaken monitoring.AlbErrors"]),
    "alarm dimension other": (put(ALARM, "Dimensions/0/Value", "nothing"), ["weaken monitoring.AlbErrors"]),
    "alarm statistic": (put(ALARM, "Statistic", "Minimum"), ["weaken monitoring.AlbErrors"]),
    "alarm operator": (put(ALARM, "ComparisonOperator", "LessThanThreshold"), ["weaken monitoring.AlbErrors"]),
    "alarm math": (
        put("monitoring.AlbHealthyTargets", "Metrics/2/Expression", "FILL(m1, 9)"),
        ["weaken monitoring.AlbHealthyTargets"],
    ),
    "alarm name": (put(ALARM, "AlarmName", "x"), []),
    "alarm description": (put(ALARM, "AlarmDescription", "x"), []),
    "alarm renamed": (rename(ALARM, "AlbErrs"), ["weaken monitoring.AlbErrors"]),
    "composite rule": (put("monitoring.CutoverNoGo", "AlarmRule", "FALSE"), ["weaken monitoring.CutoverNoGo"]),
    "composite suppressor": (
        put("monitoring.CutoverNoGo", "ActionsSuppressor", "x"),
        ["weaken monitoring.CutoverNoGo"],
    ),
    "dashboard": (put("monitoring.Dashboard", "DashboardBody", "{}"), []),
    "dashboard removed": (drop("monitoring.Dashboard"), []),
    "events rule off": (
        put("monitoring.ReplicationEvents", "State", "DISABLED"),
        ["weaken monitoring.ReplicationEvents"],
    ),
    "events rule pattern": (
        put("monitoring.ReplicationEvents", "EventPattern/detail/category", ["Failure"]),
        ["weaken monitoring.ReplicationEvents"],
    ),
    "events rule targets": (
        put("monitoring.ReplicationEvents", "Targets", []),
        ["weaken monitoring.ReplicationEvents"],
    ),
    "rds events off": (put("monitoring.DbClusterEvents", "Enabled", False), ["weaken monitoring.DbClusterEvents"]),
    "rds events fewer": (
        put("monitoring.DbClusterEvents", "EventCategories", ["failover"]),
        ["weaken monitoring.DbClusterEvents"],
    ),
    "rds events fewer sources": (
        put("monitoring.DbInstanceEvents", "SourceIds", [{"Ref": "WriterInstanceId"}]),
        ["weaken monitoring.DbInstanceEvents"],
    ),
    "rollback alarm raise": (put("service.RollbackBlueErrors", "Threshold", 100000), []),
}
