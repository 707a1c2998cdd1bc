"""What proves and what watches: function, state machine, reports, alarms, dashboard, topic."""

from __future__ import annotations

import json
import time

import pytest


@pytest.fixture(scope="module")
def configuration(deployed):
    found = deployed.client("lambda").get_function(FunctionName=deployed["Validation.FunctionName"])
    return found["Configuration"]


@pytest.fixture(scope="module")
def alarms(deployed, settings):
    pages = (
        deployed.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=f"{settings.system}-{settings.suffix}-", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    )
    found = list(pages)
    return (
        {alarm["AlarmName"]: alarm for page in found for alarm in page["MetricAlarms"]},
        {alarm["AlarmName"]: alarm for page in found for alarm in page["CompositeAlarms"]},
    )


def test_the_function_is_configured_by_the_params(configuration, deployed, settings):
    assert configuration["Runtime"] == settings.validation.runtime
    assert configuration["Timeout"] == settings.validation.timeout_seconds
    assert configuration["MemorySize"] == settings.validation.memory_mib
    assert configuration["Role"] == deployed["Identity.ValidatorRoleArn"]
    assert configuration["Architectures"] == ["arm64"]


def test_the_function_stands_in_the_private_subnets(configuration, deployed):
    network = configuration["VpcConfig"]
    assert set(network["SubnetIds"]) == {deployed[f"Network.PrivateSubnet{zone}Id"] for zone in (1, 2, 3)}
    assert network["SecurityGroupIds"] == [deployed["Security.ValidatorSecurityGroupId"]]


def test_the_function_knows_both_secrets(configuration, deployed):
    variables = configuration["Environment"]["Variables"]
    assert variables["SOURCE_SECRET_ARN"] == deployed["Database.SourceValidatorSecretArn"]
    assert variables["TARGET_SECRET_ARN"] == deployed["Database.ValidatorSecretArn"]
    assert variables["REPORT_BUCKET"] == deployed["Validation.ReportBucketName"]


def test_the_function_is_told_what_the_params_say(configuration, settings):
    variables = configuration["Environment"]["Variables"]
    wanted = settings.validation
    assert float(variables["MAX_SHARE"]) == wanted.max_share_percent / 100
    assert int(variables["ITEM_ROWS"]) == wanted.item_rows
    assert int(variables["SETTLE_SECONDS"]) == wanted.settle_seconds
    assert int(variables["DEADLINE_SECONDS"]) == wanted.deadline_seconds
    assert variables["HASH"] == wanted.hash
    assert variables["CARD_COLUMNS"].split(",") == (list(wanted.card_columns) or [""])


def test_the_state_machine_calls_the_function_and_logs(deployed):
    machine = deployed.client("stepfunctions").describe_state_machine(
        stateMachineArn=deployed["Validation.StateMachineArn"]
    )
    assert machine["roleArn"] == deployed["Identity.StateMachineRoleArn"]
    assert machine["loggingConfiguration"]["level"] in ("ALL", "ERROR")
    assert f"function:{deployed['Validation.FunctionName']}" in machine["definition"]
    assert deployed["Validation.ReportBucketName"] in machine["definition"]


@pytest.mark.mutating
def test_the_function_runs_and_says_that_it_cannot_reach_the_data_centre(deployed):
    answer = deployed.client("lambda").invoke(
        FunctionName=deployed["Validation.FunctionName"],
        Payload=json.dumps({"action": "plan", "execution": "e", "input": {}}),
    )
    assert answer["FunctionError"] == "Unhandled"
    failure = json.loads(answer["Payload"].read())
    assert "db." in failure["errorMessage"]


@pytest.mark.mutating
def test_a_run_of_the_state_machine_that_cannot_compare_fails(deployed):
    states = deployed.client("stepfunctions")
    run = states.start_execution(stateMachineArn=deployed["Validation.StateMachineArn"])["executionArn"]
    deadline = time.monotonic() + 120
    while (found := states.describe_execution(executionArn=run))["status"] == "RUNNING":
        assert time.monotonic() < deadline, "the execution never ended"
        time.sleep(0.2)
    assert found["status"] == "FAILED"


def test_reports_are_private_encrypted_and_versioned(deployed):
    s3 = deployed.client("s3")
    bucket = deployed["Validation.ReportBucketName"]
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": deployed["Encryption.DataKeyArn"],
    }
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()) == {True}


def test_what_calls_leave_for_one_another_ends_before_the_reports(deployed, settings):
    found = deployed.client("s3").get_bucket_lifecycle_configuration(Bucket=deployed["Validation.ReportBucketName"])
    days = {
        rule.get("Prefix") or rule["Filter"].get("Prefix", ""): rule["Expiration"]["Days"] for rule in found["Rules"]
    }
    assert days == {"": settings.validation.report_retention_days, "work/": 14}


def test_reports_are_refused_to_plaintext(deployed):
    policy = json.loads(
        deployed.client("s3").get_bucket_policy(Bucket=deployed["Validation.ReportBucketName"])["Policy"]
    )
    refused = [s for s in policy["Statement"] if s["Effect"] == "Deny"]
    conditions = [statement.get("Condition", {}).get("Bool", {}) for statement in refused]
    assert "false" in [str(condition.get("aws:SecureTransport")).lower() for condition in conditions]


def test_every_alarm_tells_the_topic(deployed, alarms):
    metric, composite = alarms
    assert len(metric) >= 40
    for alarm in (*metric.values(), *composite.values()):
        if alarm["AlarmActions"]:
            assert alarm["AlarmActions"] == [deployed["Monitoring.TopicArn"]], alarm["AlarmName"]
    silent = [name for name, alarm in metric.items() if not alarm["AlarmActions"] and "scaling" not in name.lower()]
    named = " ".join(alarm["AlarmRule"] for alarm in composite.values())
    assert not [name for name in silent if name not in named]


def test_alarms_watch_what_exists(deployed, alarms):
    """A dimension that names nothing never sees a value: the alarm would stay silent for ever."""
    known = {
        "LoadBalancer": {deployed["LoadBalancer.LoadBalancerName"]},
        "TargetGroup": {deployed[f"LoadBalancer.{g}TargetGroupName"] for g in ("Blue", "Green", "DataCenter")},
        "DBInstanceIdentifier": {deployed[f"Database.{i}InstanceId"] for i in ("Writer", "Reader1", "Reader2")},
        "DBClusterIdentifier": {deployed["Database.ClusterId"]},
        "ReplicationInstanceIdentifier": {deployed["Migration.ReplicationInstanceId"]},
        "ReplicationTaskIdentifier": {deployed["Migration.ForwardTaskId"], deployed["Migration.ReverseTaskId"]},
        "FunctionName": {deployed["Validation.FunctionName"]},
        "StateMachineArn": {deployed[f"{tier}.StateMachineArn"] for tier in ("Validation", "Cutover")},
        "ClusterName": {deployed["Service.ClusterName"]},
        "ServiceName": {deployed["Service.ServiceName"]},
        "WebACL": {deployed["LoadBalancer.WebAclMetricName"]},
    }
    seen = set()
    for name, alarm in alarms[0].items():
        metrics = [entry["MetricStat"]["Metric"] for entry in alarm.get("Metrics", ()) if "MetricStat" in entry]
        for dimensions in ([alarm.get("Dimensions", [])], *[[metric.get("Dimensions", [])] for metric in metrics]):
            for dimension in dimensions[0]:
                if dimension["Name"] in known:
                    assert dimension["Value"] in known[dimension["Name"]], name
                    seen.add(dimension["Name"])
    assert seen >= set(known) - {"DBClusterIdentifier"}


@pytest.mark.parametrize("output", ["CutoverAlarmName", "RollbackAlarmName"])
def test_a_decision_is_one_composite_alarm(deployed, alarms, output):
    metric, composite = alarms
    rule = composite[deployed[f"Monitoring.{output}"]]["AlarmRule"]
    named = [name for name in metric if name in rule]
    assert len(named) >= 2


def test_the_lag_of_replication_is_watched_within_the_bound(alarms, settings):
    lags = [a for a in alarms[0].values() if a.get("MetricName") in ("CDCLatencySource", "CDCLatencyTarget")]
    assert len(lags) >= 2
    for alarm in lags:
        assert alarm["Threshold"] <= settings.monitoring.dms_lag_threshold_seconds <= 60


def test_the_dashboard_is_there(deployed):
    name = deployed["Monitoring.DashboardName"]
    body = json.loads(deployed.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])
    assert len(body["widgets"]) >= 5


def test_the_topic_is_encrypted(deployed):
    found = deployed.client("sns").get_topic_attributes(TopicArn=deployed["Monitoring.TopicArn"])
    assert found["Attributes"]["KmsMasterKeyId"] == deployed["Encryption.DataKeyArn"]
