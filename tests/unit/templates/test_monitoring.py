from __future__ import annotations

import json
import re
from typing import Any

import pytest

from cutover.steps.common import record
from templates import monitoring, monitoring_cutover

INSTANCES = {"writer": "WriterInstanceId", "reader-1": "Reader1InstanceId", "reader-2": "Reader2InstanceId"}
GROUPS = {"blue": "BlueTargetGroupName", "green": "GreenTargetGroupName", "dc": "DataCenterTargetGroupName"}


def of_type(template: Any, kind: str) -> Any:
    return {name: body for name, body in template["Resources"].items() if body["Type"] == kind}


def ref(**dimensions: str) -> Any:
    return {name: {"Ref": parameter} for name, parameter in dimensions.items()}


def task(parameter: str) -> Any:
    return ref(ReplicationInstanceIdentifier="ReplicationInstanceId", ReplicationTaskIdentifier=parameter)


def balancer(group: str | None = None) -> Any:
    return ref(LoadBalancer="LoadBalancerName", **({"TargetGroup": GROUPS[group]} if group else {}))


def named(metric: Any) -> Any:
    return {item["Name"]: item["Value"] for item in metric["Dimensions"]}


# Every alarm, by the end of its name: namespace, metric, dimensions, what missing data means to it.
RDS = {
    f"aurora-{what}-{role}": ("AWS/RDS", metric, ref(DBInstanceIdentifier=parameter), missing)
    for role, parameter in INSTANCES.items()
    for what, metric, missing in (
        ("cpu", "CPUUtilization", "breaching"),
        ("replica-lag", "AuroraReplicaLag", "notBreaching"),
        ("local-storage", "FreeLocalStorage", "breaching"),
        ("connections", "DatabaseConnections", "breaching"),
    )
}
ALB = {
    f"alb-unhealthy-{group}": ("AWS/ApplicationELB", "UnHealthyHostCount", balancer(group), "notBreaching")
    for group in GROUPS
}
TASKS = {
    f"dms-{direction}-{what}": ("AWS/DMS", metric, task(parameter), "missing")
    for direction, parameter in (("forward", "ForwardTaskId"), ("reverse", "ReverseTaskId"))
    for what, metric in (
        ("lag-source", "CDCLatencySource"),
        ("lag-target", "CDCLatencyTarget"),
        ("validation-failed", "ValidationFailedOverallCount"),
        ("validation-suspended", "ValidationSuspendedOverallCount"),
    )
}
DMS = ref(ReplicationInstanceIdentifier="ReplicationInstanceId")
WRITER = ref(DBInstanceIdentifier="WriterInstanceId")
MACHINE = ref(StateMachineArn="StateMachineArn")
SIMPLE: dict[str, Any] = {
    **RDS,
    **ALB,
    **TASKS,
    "alb-errors": ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", balancer(), "notBreaching"),
    "alb-target-errors": ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", balancer(), "notBreaching"),
    "alb-weighted-path": ("AWS/ApplicationELB", "HealthyHostCount", balancer("blue"), "breaching"),
    "aurora-deadlocks": ("AWS/RDS", "Deadlocks", WRITER, "notBreaching"),
    "aurora-slot-lag": ("AWS/RDS", "OldestReplicationSlotLag", WRITER, "notBreaching"),
    "waf-surge": (
        "AWS/WAFV2",
        "BlockedRequests",
        {"Region": "us-east-1", "Rule": "ALL", **ref(WebACL="WebAclMetricName")},
        "notBreaching",
    ),
    "dms-cpu": ("AWS/DMS", "CPUUtilization", DMS, "breaching"),
    "dms-memory": ("AWS/DMS", "FreeableMemory", DMS, "breaching"),
    "dms-storage": ("AWS/DMS", "FreeStorageSpace", DMS, "breaching"),
    "validation-mismatches": ({"Ref": "MetricNamespace"}, "Mismatches", {}, "ignore"),
    "validation-inconclusive": ({"Ref": "MetricNamespace"}, "Inconclusive", {}, "ignore"),
    "validation-errors": ("AWS/Lambda", "Errors", ref(FunctionName="FunctionName"), "notBreaching"),
    "validation-run-failed": ("AWS/States", "ExecutionsFailed", MACHINE, "notBreaching"),
    "validation-run-timed-out": ("AWS/States", "ExecutionsTimedOut", MACHINE, "notBreaching"),
    "cutover-stuck": ({"Ref": "CutoverNamespace"}, "Phase", {}, "ignore"),
    "cutover-lag-reverse": ({"Ref": "CutoverNamespace"}, "ReverseLagSeconds", {}, "notBreaching"),
    **{
        f"cutover-run-{how}": ("AWS/States", metric, ref(StateMachineArn="CutoverMachineArn"), "notBreaching")
        for how, metric in (
            ("failed", "ExecutionsFailed"),
            ("aborted", "ExecutionsAborted"),
            ("timed-out", "ExecutionsTimedOut"),
        )
    },
}
SERVICE = ref(ClusterName="ClusterName", ServiceName="ServiceName")
CALCULATED: dict[str, Any] = {
    "ecs-tasks": (
        "m1 - m2",
        [
            ("ECS/ContainerInsights", "DesiredTaskCount", SERVICE),
            ("ECS/ContainerInsights", "RunningTaskCount", SERVICE),
        ],
    ),
    "alb-healthy-targets": (
        "FILL(m1, 0) + FILL(m2, 0)",
        [
            ("AWS/ApplicationELB", "HealthyHostCount", balancer("blue")),
            ("AWS/ApplicationELB", "HealthyHostCount", balancer("green")),
        ],
    ),
}


@pytest.fixture(params=["dev", "staging", "prod"])
def env(request: Any) -> Any:
    return request.param


@pytest.fixture
def template(env: Any, settings: Any, compile_tier: Any) -> Any:
    return compile_tier(monitoring, settings(env))


@pytest.fixture
def alarms(template: Any, env: Any) -> Any:
    found = of_type(template, "AWS::CloudWatch::Alarm").values()
    return {body["Properties"]["AlarmName"].removeprefix(f"payments-{env}-"): body["Properties"] for body in found}


@pytest.fixture
def build(settings: Any, compile_tier: Any) -> Any:
    return lambda **changes: compile_tier(monitoring, settings("dev", **changes))


def test_phases_are_numbered_as_the_steps_tell_them(alarms: Any) -> None:
    assert record.PHASES == monitoring_cutover.PHASES
    stuck = alarms["cutover-stuck"]
    assert stuck["Threshold"] == record.PHASES.index("stuck") == len(record.PHASES) - 1
    assert stuck["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


class TestAlarms:
    def test_are_all_here_and_no_other(self, alarms: Any) -> None:
        assert set(alarms) == {*SIMPLE, *CALCULATED, "alb-certificate"}

    @pytest.mark.parametrize("part", sorted(SIMPLE))
    def test_watch_what_is_published(self, part: str, alarms: Any) -> None:
        namespace, metric, dimensions, missing = SIMPLE[part]
        alarm = alarms[part]
        assert (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)
        assert named(alarm) == dimensions
        assert alarm["TreatMissingData"] == missing
        assert alarm["Period"] == 60

    @pytest.mark.parametrize("part", sorted(CALCULATED))
    def test_calculate_from_what_is_published(self, part: str, alarms: Any) -> None:
        expression, wanted = CALCULATED[part]
        *parts, whole = alarms[part]["Metrics"]
        assert (whole["Expression"], whole["ReturnData"]) == (expression, True)
        assert [query["Id"] for query in parts] == ["m1", "m2"]
        assert not any(query["ReturnData"] for query in parts)
        stats = [query["MetricStat"] for query in parts]
        assert [
            (stat["Metric"]["Namespace"], stat["Metric"]["MetricName"], named(stat["Metric"])) for stat in stats
        ] == wanted
        assert {stat["Period"] for stat in stats} == {60}
        assert alarms[part]["TreatMissingData"] == "breaching"

    def test_tell_people_when_raised_and_when_over(self, alarms: Any) -> None:
        for part, alarm in alarms.items():
            assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "Topic"}], part
            assert alarm["ActionsEnabled"] is True

    def test_tell_people_when_replication_falls_silent(self, alarms: Any) -> None:
        silent = {part for part, alarm in alarms.items() if alarm.get("InsufficientDataActions") == [{"Ref": "Topic"}]}
        assert silent == {
            f"dms-{direction}-lag-{end}" for direction in ("forward", "reverse") for end in ("source", "target")
        }
        assert all("InsufficientDataActions" not in alarm for part, alarm in alarms.items() if part not in silent)

    def test_say_what_is_wrong_and_what_to_do(self, alarms: Any) -> None:
        texts = [alarm["AlarmDescription"] for alarm in alarms.values()]
        assert all(re.fullmatch(r"[A-Z].*\. [A-Z].*\.", text) for text in texts)
        # The targets of several groups, the instances and the directions each have a text of their own.
        assert len(set(texts)) == len(texts)

    def test_need_every_datapoint_of_their_window(self, alarms: Any) -> None:
        assert all(alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"] for alarm in alarms.values())

    def test_of_the_certificate_comes_a_month_before_its_end(self, alarms: Any, env: Any, settings: Any) -> None:
        alarm = alarms["alb-certificate"]
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Period"]) == (
            "AWS/CertificateManager",
            "DaysToExpiry",
            86400,
        )
        assert named(alarm) == {"CertificateArn": settings(env).load_balancer.certificate_arn}
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 30)


class TestLimits:
    @pytest.mark.parametrize(
        ("part", "setting", "unit", "comparison"),
        [
            ("dms-forward-lag-source", "dms_lag_threshold_seconds", 1, ">"),
            ("dms-reverse-lag-target", "dms_lag_threshold_seconds", 1, ">"),
            ("aurora-cpu-reader-2", "database_cpu_percent", 1, ">"),
            ("aurora-connections-writer", "database_connections", 1, ">"),
            ("aurora-local-storage-reader-1", "database_free_local_storage_gib", 1024**3, "<"),
            ("aurora-replica-lag-reader-1", "replica_lag_threshold_ms", 1, ">"),
            ("alb-errors", "http_5xx_threshold", 1, ">"),
            ("alb-target-errors", "http_5xx_threshold", 1, ">"),
            ("waf-surge", "waf_blocked_threshold", 1, ">"),
            ("dms-storage", "dms_free_storage_gib", 1024**3, "<"),
            ("dms-memory", "dms_freeable_memory_mib", 1024**2, "<"),
        ],
    )
    def test_are_those_of_params_in_the_unit_of_the_metric(
        self, part: str, setting: str, unit: int, comparison: str, build: Any
    ) -> None:
        template = build(monitoring={setting: 37})
        (alarm,) = (
            body["Properties"]
            for body in of_type(template, "AWS::CloudWatch::Alarm").values()
            if body["Properties"]["AlarmName"] == f"payments-dev-{part}"
        )
        assert alarm["Threshold"] == 37 * unit
        assert alarm["ComparisonOperator"] == {">": "GreaterThanThreshold", "<": "LessThanThreshold"}[comparison]

    @pytest.mark.parametrize(
        "part",
        [
            "alb-unhealthy-blue",
            "aurora-deadlocks",
            "dms-forward-validation-failed",
            "ecs-tasks",
            "validation-mismatches",
            "validation-errors",
            "validation-run-failed",
        ],
    )
    def test_are_zero_for_what_must_never_be(self, part: str, alarms: Any) -> None:
        assert (alarms[part]["ComparisonOperator"], alarms[part]["Threshold"]) == ("GreaterThanThreshold", 0)

    @pytest.mark.parametrize("part", ["alb-healthy-targets", "alb-weighted-path"])
    def test_are_one_for_what_must_always_be(self, part: str, alarms: Any) -> None:
        assert (alarms[part]["ComparisonOperator"], alarms[part]["Threshold"]) == ("LessThanThreshold", 1)

    def test_of_lag_is_at_most_a_minute_everywhere(self, alarms: Any) -> None:
        assert all(0 < alarm["Threshold"] <= 60 for part, alarm in alarms.items() if "-lag-" in part and "dms" in part)

    def test_of_aurora_cpu_is_at_most_80_percent(self, alarms: Any) -> None:
        assert all(alarm["Threshold"] <= 80 for part, alarm in alarms.items() if part.startswith("aurora-cpu"))

    def test_can_be_reached_on_the_instances_of_each_environment(self, alarms: Any, env: Any, settings: Any) -> None:
        # https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraPostgreSQL.Managing.html
        local_gib = {"db.t4g.medium": 8.13, "db.r7g.large": 32, "db.r7g.xlarge": 63}
        connections = {"db.t4g.medium": 405, "db.r7g.large": 1658, "db.r7g.xlarge": 3317}
        kind = settings(env).database.instance_class
        assert alarms["aurora-local-storage-writer"]["Threshold"] < local_gib[kind] * 1024**3 / 2
        assert alarms["aurora-connections-writer"]["Threshold"] < connections[kind]


class TestFirewall:
    def test_alarms_of_what_it_refuses_or_would(self, build: Any) -> None:
        blocking, counting = (
            build(load_balancer={"waf_mode": mode})["Resources"]["WafSurge"]["Properties"]
            for mode in ("block", "count")
        )
        assert (blocking["MetricName"], counting["MetricName"]) == ("BlockedRequests", "CountedRequests")
        assert "would refuse" in counting["AlarmDescription"]
        assert "would refuse" not in blocking["AlarmDescription"]
        assert blocking["Statistic"] == "Sum"


class TestFirstDeployment:
    @pytest.fixture
    def waiting(self, build: Any) -> Any:
        return build(service={"started": False})["Resources"]

    def test_rings_for_no_task_that_does_not_run_yet(self, waiting: Any, build: Any) -> None:
        started = build()["Resources"]
        assert set(started) - set(waiting) == {"AlbHealthyTargets"}
        for name in ("EcsTasks", "AlbWeightedPath"):
            assert waiting[name]["Properties"]["TreatMissingData"] == "missing"
            assert started[name]["Properties"]["TreatMissingData"] == "breaching"
            assert "InsufficientDataActions" not in waiting[name]["Properties"]

    def test_is_no_time_for_the_cutover(self, waiting: Any) -> None:
        # No task: no data, so not OK.
        assert 'OK("${AlbWeightedPath}")' in waiting["CutoverNoGo"]["Properties"]["AlarmRule"]["Fn::Sub"]


class TestWeightedPath:
    def test_is_watched_where_it_leads(self, build: Any) -> None:
        alarm = build(load_balancer={"live_target_group": "green"})["Resources"]["AlbWeightedPath"]["Properties"]
        assert named(alarm) == balancer("green")
        assert "green" in alarm["AlarmDescription"]

    def test_is_watched_before_it_carries_anything(self, build: Any) -> None:
        assert "AlbWeightedPath" in build(load_balancer={"aws_weight": 0})["Resources"]

    def test_is_gone_with_the_rule(self, build: Any) -> None:
        template = build(load_balancer={"aws_weight": 100})
        assert "AlbWeightedPath" not in template["Resources"]
        assert "AlbWeightedPath" not in json.dumps(template)


class TestVerdicts:
    @pytest.mark.parametrize(
        ("logical_id", "needed"),
        [
            (
                "CutoverNoGo",
                {
                    "AlbHealthyTargets", "AlbWeightedPath", "AuroraConnectionsWriter", "AuroraCpuWriter",
                    "DmsForwardLagSource", "DmsForwardLagTarget", "DmsForwardValidationFailed",
                    "DmsForwardValidationSuspended", "DmsMemory", "DmsStorage", "EcsTasks", "ValidationInconclusive",
                    "ValidationMismatches",
                },
            ),
            (
                "RollbackNoGo",
                {
                    "AlbUnhealthyDc", "AuroraSlotLag", "DmsMemory", "DmsReverseLagSource", "DmsReverseLagTarget",
                    "DmsReverseValidationFailed", "DmsReverseValidationSuspended", "DmsStorage",
                },
            ),
        ],
    )  # fmt: skip
    def test_are_no_unless_every_alarm_is_ok(self, logical_id: str, needed: set[str], template: Any) -> None:
        verdict = template["Resources"][logical_id]["Properties"]
        rule = verdict["AlarmRule"]["Fn::Sub"]
        inner = re.fullmatch(r"NOT \((.*)\)", rule)
        assert inner
        terms = inner[1].split(" AND ")
        assert {term.removeprefix('OK("${').removesuffix('}")') for term in terms} == needed
        assert needed <= set(template["Resources"])
        assert verdict["AlarmActions"] == verdict["OKActions"] == [{"Ref": "Topic"}]

    def test_are_given_by_name(self, template: Any) -> None:
        given = template["Outputs"]
        assert given["CutoverAlarmName"]["Value"] == {"Ref": "CutoverNoGo"}
        assert given["RollbackAlarmName"]["Value"] == {"Ref": "RollbackNoGo"}


class TestTopic:
    def test_is_encrypted_with_our_key(self, template: Any, env: Any) -> None:
        topic = template["Resources"]["Topic"]["Properties"]
        assert topic["KmsMasterKeyId"] == {"Ref": "DataKeyArn"}
        assert topic["TopicName"] == f"payments-{env}-alarms"
        assert topic["SignatureVersion"] == "2"

    def test_is_told_by_our_alarms_and_rds_alone(self, template: Any, env: Any) -> None:
        policy = template["Resources"]["TopicPolicy"]["Properties"]
        allowed = {
            statement["Principal"]["Service"]: statement["Condition"]
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Allow"
        }
        assert policy["Topics"] == [{"Ref": "Topic"}]
        assert set(allowed) == {"cloudwatch.amazonaws.com", "events.rds.amazonaws.com"}
        for condition in allowed.values():
            assert condition["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        source = allowed["cloudwatch.amazonaws.com"]["ArnLike"]["aws:SourceArn"]["Fn::Sub"]
        assert source.endswith(f":alarm:payments-{env}-*")

    def test_refuses_plain_http(self, template: Any) -> None:
        statements = template["Resources"]["TopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        (deny,) = (statement for statement in statements if statement["Effect"] == "Deny")
        assert (deny["Principal"], deny["Action"]) == ("*", ["sns:Publish"])
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": False}}

    def test_mails_everyone_in_params(self, build: Any) -> None:
        addresses = ["first@example.com", "second@example.com"]
        found = of_type(build(monitoring={"alarm_emails": addresses}), "AWS::SNS::Subscription")
        assert [body["Properties"]["Endpoint"] for body in found.values()] == addresses
        assert all(body["Properties"]["Protocol"] == "email" for body in found.values())
        assert all(body["Properties"]["TopicArn"] == {"Ref": "Topic"} for body in found.values())

    def test_asks_nobody_again_when_the_order_changes(self, build: Any) -> None:
        first = of_type(
            build(monitoring={"alarm_emails": ["a@example.com", "b@example.com"]}), "AWS::SNS::Subscription"
        )
        second = of_type(
            build(monitoring={"alarm_emails": ["b@example.com", "a@example.com"]}), "AWS::SNS::Subscription"
        )
        assert first == second

    def test_is_given(self, template: Any) -> None:
        assert template["Outputs"]["TopicArn"]["Value"] == {"Ref": "Topic"}


class TestEvents:
    def test_of_aurora_come_to_the_topic(self, template: Any, env: Any) -> None:
        found = {
            body["Properties"]["SourceType"]: body for body in of_type(template, "AWS::RDS::EventSubscription").values()
        }
        assert {kind: body["Properties"]["SourceIds"] for kind, body in found.items()} == {
            "db-cluster": [{"Ref": "ClusterId"}],
            "db-instance": [{"Ref": parameter} for parameter in INSTANCES.values()],
            "db-parameter-group": [f"payments-{env}-instance-17"],
        }
        for body in found.values():
            assert body["Properties"]["SnsTopicArn"] == {"Ref": "Topic"}
            assert body["Properties"]["Enabled"] is True
            assert body["DependsOn"] == "TopicPolicy"

    @pytest.mark.parametrize(
        ("kind", "needed"),
        [
            ("db-cluster", {"failover", "failure", "maintenance"}),
            ("db-instance", {"availability", "configuration change", "failure", "low storage", "maintenance"}),
            ("db-parameter-group", {"configuration change"}),
        ],
    )
    def test_hold_those_that_pci_asks_for(self, kind: str, needed: set[str], template: Any) -> None:
        (categories,) = (
            set(body["Properties"]["EventCategories"])
            for body in of_type(template, "AWS::RDS::EventSubscription").values()
            if body["Properties"]["SourceType"] == kind
        )
        assert needed <= categories
        assert not {"backup", "creation"} & categories

    def test_of_replication_are_of_our_tasks_and_instance(self, template: Any) -> None:
        pattern = template["Resources"]["ReplicationEvents"]["Properties"]["EventPattern"]
        task_arn = "arn:${AWS::Partition}:dms:${AWS::Region}:${AWS::AccountId}:task:"
        assert pattern["source"] == ["aws.dms"]
        assert pattern["resources"] == [
            {"Ref": "ReplicationInstanceArn"},
            {"Fn::Sub": task_arn + "${ForwardTaskId}"},
            {"Fn::Sub": task_arn + "${ReverseTaskId}"},
        ]
        assert {"Failure", "StateChange", "LowStorage", "Failover"} <= set(pattern["detail"]["category"])

    def test_of_deployments_are_the_failed_ones_of_our_service(self, template: Any) -> None:
        assert template["Resources"]["DeploymentsEvents"]["Properties"]["EventPattern"] == {
            "source": ["aws.ecs"],
            "detail-type": ["ECS Deployment State Change"],
            "resources": [
                {
                    "Fn::Sub": "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:"
                    "service/${ClusterName}/${ServiceName}"
                }
            ],
            "detail": {"eventName": ["SERVICE_DEPLOYMENT_FAILED"]},
        }

    def test_are_published_by_a_role_that_can_do_nothing_else(self, template: Any, env: Any) -> None:
        rules = of_type(template, "AWS::Events::Rule")
        assert set(rules) == {"ReplicationEvents", "DeploymentsEvents"}
        for body in rules.values():
            assert body["Properties"]["State"] == "ENABLED"
            assert body["Properties"]["Targets"] == [
                {"Id": "topic", "Arn": {"Ref": "Topic"}, "RoleArn": {"Fn::GetAtt": ["EventsRole", "Arn"]}}
            ]
        role = template["Resources"]["EventsRole"]["Properties"]
        (policy,) = role["Policies"]
        allowed = {
            tuple(statement["Action"]): statement["Resource"] for statement in policy["PolicyDocument"]["Statement"]
        }
        assert allowed == {
            ("sns:Publish",): [{"Ref": "Topic"}],
            ("kms:Decrypt", "kms:GenerateDataKey"): [{"Ref": "DataKeyArn"}],
        }
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "events.amazonaws.com"}
        sources = [source["Fn::Sub"] for source in trust["Condition"]["ArnLike"]["aws:SourceArn"]]
        assert [source.rpartition("/")[2] for source in sources] == [
            body["Properties"]["Name"] for body in rules.values()
        ]
        assert [source.rpartition("/")[2] for source in sources] == [
            f"payments-{env}-replication",
            f"payments-{env}-deployments",
        ]


class TestDashboard:
    @pytest.fixture
    def text(self, template: Any) -> Any:
        return template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]

    @pytest.fixture
    def widgets(self, text: Any) -> Any:
        return json.loads(text)["widgets"]

    def test_is_canonical_json_once_it_is_filled(self, text: Any) -> None:
        filled = re.sub(r"\$\{[A-Za-z0-9:.]+\}", "x", text)
        assert "$" not in filled
        assert json.dumps(json.loads(filled), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == filled

    def test_names_only_what_the_template_has(self, text: Any, template: Any) -> None:
        named_there = set(re.findall(r"\$\{([A-Za-z0-9]+)(?:\.Arn)?\}", text))
        assert named_there <= {*template["Parameters"], *template["Resources"]}

    def test_shows_the_verdicts_first_and_every_alarm(self, widgets: Any, template: Any) -> None:
        verdicts, alarms = (widget["properties"]["alarms"] for widget in widgets if widget["type"] == "alarm")
        assert widgets[1]["properties"]["alarms"] == verdicts == ["${CutoverNoGo.Arn}", "${RollbackNoGo.Arn}"]
        assert set(alarms) == {f"${{{name}.Arn}}" for name in of_type(template, "AWS::CloudWatch::Alarm")}

    def test_has_a_section_for_each_group_of_alarms(self, widgets: Any, env: Any) -> None:
        texts = [widget["properties"]["markdown"] for widget in widgets if widget["type"] == "text"]
        assert texts == [
            f"# payments {env}: may we cut over?",
            "## Front door",
            "## Service",
            "## Aurora",
            "## Replication",
            "## Replication instance",
            "## Validation",
            "## Cutover: 0 replicating, 1 preflight, 2 awaiting_approval, 3 frozen, 4 drained, 5 reversed, 6 switched, "
            "7 reopened, 8 watching, 9 done, 10 rolling_back, 11 rolled_back, 12 stuck",
        ]

    def test_draws_every_metric_that_an_alarm_watches(self, widgets: Any, alarms: Any) -> None:
        drawn = {
            row[1]
            for widget in widgets
            if widget["type"] == "metric"
            for row in widget["properties"]["metrics"]
            if len(row) > 1
        }
        watched = {alarm["MetricName"] for part, alarm in alarms.items() if part in SIMPLE}
        assert watched <= drawn
        assert {"DesiredTaskCount", "RunningTaskCount", "HealthyHostCount"} <= drawn
        assert "DaysToExpiry" not in drawn

    def test_draws_the_metrics_as_the_alarms_name_them(self, widgets: Any) -> None:
        charts = {
            widget["properties"]["title"]: widget["properties"] for widget in widgets if widget["type"] == "metric"
        }
        lag = charts["CDCLatencySource"]
        assert lag["metrics"] == [
            [
                "AWS/DMS",
                "CDCLatencySource",
                "ReplicationInstanceIdentifier",
                "${ReplicationInstanceId}",
                "ReplicationTaskIdentifier",
                parameter,
                {"period": 60, "stat": "Maximum"},
            ]
            for parameter in ("${ForwardTaskId}", "${ReverseTaskId}")
        ]
        assert [line["value"] for line in lag["annotations"]["horizontal"]] == [60]
        assert lag["region"] == "${AWS::Region}"
        assert "annotations" not in charts["RequestCount"]
        assert charts["Mismatches"]["metrics"][0][:2] == ["${MetricNamespace}", "Mismatches"]
        assert charts["VolumeBytesUsed"]["metrics"][0][2:4] == ["DBClusterIdentifier", "${ClusterId}"]

    def test_draws_calculated_alarms_by_their_expression(self, widgets: Any) -> None:
        (chart,) = (widget["properties"] for widget in widgets if widget["properties"].get("title") == "ecs-tasks")
        whole, first, second = chart["metrics"]
        assert whole == [{"expression": "m1 - m2", "id": "result", "label": "ecs-tasks"}]
        assert (first[1], first[-1]["id"], first[-1]["visible"]) == ("DesiredTaskCount", "m1", False)
        assert (second[1], second[-1]["id"]) == ("RunningTaskCount", "m2")

    def test_widgets_lie_side_by_side(self, widgets: Any) -> None:
        taken: set[tuple[int, int]] = set()
        for widget in widgets:
            place = {
                (x, y)
                for x in range(widget["x"], widget["x"] + widget["width"])
                for y in range(widget["y"], widget["y"] + widget["height"])
            }
            assert not place & taken
            assert widget["x"] + widget["width"] <= 24
            taken |= place

    def test_is_given_by_name(self, template: Any, env: Any) -> None:
        assert template["Outputs"]["DashboardName"]["Value"] == {"Ref": "Dashboard"}
        assert template["Resources"]["Dashboard"]["Properties"]["DashboardName"] == f"payments-{env}-overview"


def test_two_suffixes_share_no_name(settings: Any, compile_tier: Any) -> None:
    keys = ("AlarmName", "TopicName", "SubscriptionName", "Name", "RoleName", "DashboardName")
    found = []
    for suffix in ("pr-1", "pr-2"):
        bodies = compile_tier(monitoring, settings("dev", suffix=suffix))["Resources"].values()
        found.append({body["Properties"][key] for body in bodies for key in keys if key in body["Properties"]})
    assert all("-pr-1-" in name for name in found[0])
    assert len(found[0]) == len(found[1]) >= 45
    assert not found[0] & found[1]
