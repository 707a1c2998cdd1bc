from __future__ import annotations

import json
import re
from typing import Any

import pytest

from templates import service


@pytest.fixture(params=["dev", "staging", "prod"])
def env(request: Any) -> Any:
    return request.param


@pytest.fixture
def resources(env: Any, settings: Any, compile_tier: Any) -> Any:
    return compile_tier(service, settings(env))["Resources"]


@pytest.fixture
def running(resources: Any) -> Any:
    return resources["Service"]["Properties"]


@pytest.fixture
def task(resources: Any) -> Any:
    return resources["TaskDefinition"]["Properties"]


@pytest.fixture
def container(task: Any) -> Any:
    (one,) = task["ContainerDefinitions"]
    return one


class TestCluster:
    def test_has_enhanced_container_insights(self, resources: Any) -> None:
        assert resources["Cluster"]["Properties"]["ClusterSettings"] == [
            {"Name": "containerInsights", "Value": "enhanced"}
        ]

    def test_keeps_the_performance_log_that_insights_would_leave_behind(
        self, resources: Any, env: Any, settings: Any, is_kept: Any
    ) -> None:
        wanted, cluster, group = settings(env), resources["Cluster"], resources["InsightsLogGroup"]
        name = cluster["Properties"]["ClusterName"]
        assert group["Properties"]["LogGroupName"] == f"/aws/ecs/containerinsights/{name}/performance"
        assert group["Properties"]["KmsKeyId"] == {"Ref": "LogsKeyArn"}
        assert group["Properties"]["RetentionInDays"] == wanted.log_retention_days
        assert is_kept(group) == wanted.durable
        assert cluster["DependsOn"] == "InsightsLogGroup"  # else ECS makes the group first

    def test_runs_on_fargate(self, resources: Any) -> None:
        assert resources["Cluster"]["Properties"]["CapacityProviders"] == ["FARGATE"]


class TestTask:
    def test_is_of_the_size_and_architecture_in_params(self, task: Any, env: Any, settings: Any) -> None:
        wanted = settings(env).service
        assert task["RequiresCompatibilities"] == ["FARGATE"]
        assert task["NetworkMode"] == "awsvpc"
        assert (task["Cpu"], task["Memory"]) == (str(wanted.cpu_units), str(wanted.memory_mib))
        assert task["RuntimePlatform"] == {"CpuArchitecture": wanted.architecture, "OperatingSystemFamily": "LINUX"}

    def test_starts_by_one_role_and_runs_by_another(self, task: Any) -> None:
        assert task["ExecutionRoleArn"] == {"Ref": "TaskExecutionRoleArn"}
        assert task["TaskRoleArn"] == {"Ref": "TaskRoleArn"}


class TestContainer:
    def test_is_the_image_in_params_by_digest(self, container: Any, env: Any, settings: Any) -> None:
        assert container["Image"] == settings(env).service.image
        assert re.search(r"@sha256:[0-9a-f]{64}$", container["Image"])

    def test_can_do_nothing_to_its_host_or_itself(self, container: Any) -> None:
        user, _, group = container["User"].partition(":")
        assert int(user) > 0
        assert int(group) > 0
        assert container["Privileged"] is False
        assert container["ReadonlyRootFilesystem"] is True
        assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
        assert container["LinuxParameters"]["InitProcessEnabled"] is True

    def test_has_a_place_for_temporary_files_that_runs_nothing(self, container: Any) -> None:
        assert container["LinuxParameters"]["Tmpfs"] == [
            {"ContainerPath": "/tmp", "Size": 64, "MountOptions": ["nodev", "noexec", "nosuid"]}
        ]

    def test_leaves_memory_to_more_than_the_heap(self, container: Any, task: Any) -> None:
        options = {item["Name"]: item["Value"] for item in container["Environment"]}["JAVA_TOOL_OPTIONS"]
        percent = re.search(r"MaxRAMPercentage=(\d+)", options)
        assert percent
        assert int(task["Memory"]) * int(percent[1]) / 100 + 64 < int(task["Memory"])

    def test_forgets_addresses_soon_enough_for_a_failover(self, container: Any) -> None:
        options = {item["Name"]: item["Value"] for item in container["Environment"]}["JAVA_TOOL_OPTIONS"]
        assert "-Dsun.net.inetaddr.ttl=5" in options

    def test_asks_itself_for_health(self, container: Any, env: Any, settings: Any) -> None:
        wanted = settings(env).service
        kind, command = container["HealthCheck"]["Command"]
        assert kind == "CMD-SHELL"
        assert f"https://localhost:{wanted.port}{wanted.liveness_path} " in command
        assert command.endswith("|| exit 1")
        assert container["HealthCheck"]["Timeout"] > 4  # curl gives up first, and says why

    def test_listens_on_the_port_in_params(self, container: Any, settings: Any, env: Any) -> None:
        port = settings(env).service.port
        assert [mapping["ContainerPort"] for mapping in container["PortMappings"]] == [port]
        assert {"Name": "SERVER_PORT", "Value": str(port)} in container["Environment"]

    def test_has_time_to_stop_and_files_to_open(self, container: Any) -> None:
        assert container["StopTimeout"] == 120
        assert container["Ulimits"] == [{"Name": "nofile", "SoftLimit": 65536, "HardLimit": 65536}]


class TestCredentials:
    def test_come_from_the_secrets_of_both_sides_key_by_key(self, container: Any) -> None:
        given = {item["Name"]: item["ValueFrom"] for item in container["Secrets"]}
        assert given == {
            f"DATABASE_{side}_{name}": {"Fn::Sub": f"${{{secret}}}:{key}::"}
            for side, secret in (("AURORA", "AuroraSecretArn"), ("DATA_CENTER", "DataCenterSecretArn"))
            for name, key in (
                ("HOST", "host"),
                ("NAME", "dbname"),
                ("PASSWORD", "password"),
                ("PORT", "port"),
                ("USERNAME", "username"),
            )
        }

    def test_stand_nowhere_in_the_environment(self, container: Any) -> None:
        names = {item["Name"] for item in container["Environment"]}
        assert names == {
            "DATABASE_POINTER",
            "DATABASE_SSL_MODE",
            "JAVA_TOOL_OPTIONS",
            "MANAGEMENT_ENDPOINT_HEALTH_PROBES_ENABLED",
            "SERVER_PORT",
        }
        assert not names & {item["Name"] for item in container["Secrets"]}
        assert not re.search(r"(?i)passw|secret|token|key", json.dumps(container["Environment"]))

    def test_the_application_follows_the_pointer_and_verifies_whoever_it_leads_to(self, container: Any) -> None:
        assert {"Name": "DATABASE_POINTER", "Value": {"Ref": "PointerName"}} in container["Environment"]
        assert {"Name": "DATABASE_SSL_MODE", "Value": "verify-full"} in container["Environment"]

    def test_params_that_follow_a_cutover_deploy_no_task(self, settings: Any, compile_tier: Any) -> None:
        before, after = (
            compile_tier(service, settings("dev", service={"database": side}, load_balancer={"aws_weight": weight}))
            for side, weight in (("data_center", 0), ("aurora", 100))
        )
        assert before == after


class TestLog:
    def test_is_encrypted_and_kept_as_params_say(self, resources: Any, settings: Any, env: Any, is_kept: Any) -> None:
        group = resources["LogGroup"]
        assert group["Properties"]["RetentionInDays"] == settings(env).log_retention_days >= 365
        assert group["Properties"]["KmsKeyId"] == {"Ref": "LogsKeyArn"}
        assert is_kept(group) == (env == "prod")

    def test_never_holds_up_a_payment(self, container: Any) -> None:
        configuration = container["LogConfiguration"]
        assert configuration["LogDriver"] == "awslogs"
        assert configuration["Options"]["awslogs-group"] == {"Ref": "LogGroup"}
        assert configuration["Options"]["mode"] == "non-blocking"


class TestService:
    def test_runs_at_least_a_task_in_each_private_subnet(self, running: Any, env: Any, settings: Any) -> None:
        assert running["DesiredCount"] == settings(env).service.min_tasks >= 3
        place = running["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert place["Subnets"] == [{"Ref": f"PrivateSubnet{number}Id"} for number in (1, 2, 3)]
        assert place["SecurityGroups"] == [{"Ref": "ServiceSecurityGroupId"}]
        assert place["AssignPublicIp"] == "DISABLED"
        assert running["AvailabilityZoneRebalancing"] == "ENABLED"

    def test_is_of_the_platform_in_params(self, running: Any, env: Any, settings: Any) -> None:
        assert running["LaunchType"] == "FARGATE"
        assert running["PlatformVersion"] == settings(env).service.platform_version

    def test_lets_nobody_in_and_passes_its_tags_on(self, running: Any) -> None:
        assert running["EnableExecuteCommand"] is False
        assert running["PropagateTags"] == "SERVICE"
        assert running["EnableECSManagedTags"] is True

    def test_is_deployed_blue_green_by_ecs(self, running: Any, env: Any, settings: Any) -> None:
        assert running["DeploymentController"] == {"Type": "ECS"}
        how = running["DeploymentConfiguration"]
        assert how["Strategy"] == "BLUE_GREEN"
        assert how["BakeTimeInMinutes"] == settings(env).service.bake_time_minutes
        assert (how["MinimumHealthyPercent"], how["MaximumPercent"]) == (100, 200)
        assert how["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}

    def test_ecs_may_turn_both_groups_and_both_rules(self, running: Any, container: Any) -> None:
        (target,) = running["LoadBalancers"]
        assert target == {
            "ContainerName": container["Name"],
            "ContainerPort": container["PortMappings"][0]["ContainerPort"],
            "TargetGroupArn": {"Ref": "BlueTargetGroupArn"},
            "AdvancedConfiguration": {
                "AlternateTargetGroupArn": {"Ref": "GreenTargetGroupArn"},
                "ProductionListenerRule": {"Ref": "ProductionRuleArn"},
                "TestListenerRule": {"Ref": "TestRuleArn"},
                "RoleArn": {"Ref": "InfrastructureRoleArn"},
            },
        }


class TestFirstDeployment:
    """The users' passwords are made by the deployment that would wait for tasks which need them."""

    @pytest.fixture
    def waiting(self, env: Any, settings: Any, compile_tier: Any) -> Any:
        return compile_tier(service, settings(env, service={"started": False}))["Resources"]

    def test_starts_no_task(self, waiting: Any, env: Any, settings: Any) -> None:
        target = waiting["ScalableTarget"]["Properties"]
        assert waiting["Service"]["Properties"]["DesiredCount"] == 0
        assert (target["MinCapacity"], target["MaxCapacity"]) == (0, settings(env).service.max_tasks)

    @pytest.mark.parametrize("logical_id", ["Service", "ScalableTarget"])
    def test_says_why_it_may(self, logical_id: str, waiting: Any, resources: Any) -> None:
        metadata = waiting[logical_id]["Metadata"]
        assert metadata["cfn-lint"]["config"]["ignore_checks"] == ["E9188"]
        assert "service.started" in metadata["Exceptions"]["E9188"]
        assert "Metadata" not in resources[logical_id]

    def test_differs_in_nothing_else(self, waiting: Any, resources: Any) -> None:
        assert {name for name, body in resources.items() if waiting[name] != body} == {"Service", "ScalableTarget"}


class TestRollback:
    def test_follows_the_alarms_of_both_groups(self, running: Any, resources: Any) -> None:
        alarms = running["DeploymentConfiguration"]["Alarms"]
        assert (alarms["Enable"], alarms["Rollback"]) == (True, True)
        named = {name["Ref"] for name in alarms["AlarmNames"]}
        assert named == {
            "RollbackBlueErrors",
            "RollbackBlueUnhealthy",
            "RollbackGreenErrors",
            "RollbackGreenUnhealthy",
        }
        assert named == {name for name, body in resources.items() if body["Type"] == "AWS::CloudWatch::Alarm"}

    @pytest.mark.parametrize("color", ["Blue", "Green"])
    @pytest.mark.parametrize(
        ("what", "metric", "statistic"),
        [("Errors", "HTTPCode_Target_5XX_Count", "Sum"), ("Unhealthy", "UnHealthyHostCount", "Minimum")],
    )
    def test_alarms_watch_what_the_load_balancer_reports(
        self, color: str, what: str, metric: str, statistic: str, resources: Any
    ) -> None:
        alarm = resources[f"Rollback{color}{what}"]["Properties"]
        assert alarm["Namespace"] == "AWS/ApplicationELB"
        assert (alarm["MetricName"], alarm["Statistic"], alarm["Period"]) == (metric, statistic, 60)
        assert alarm["Dimensions"] == [
            {"Name": "LoadBalancer", "Value": {"Ref": "LoadBalancerName"}},
            {"Name": "TargetGroup", "Value": {"Ref": f"{color}TargetGroupName"}},
        ]
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
        # An empty group reports nothing, and one of the two always is.
        assert alarm["TreatMissingData"] == "notBreaching"
        assert "rolled back" in alarm["AlarmDescription"]

    def test_limits_are_those_of_params(self, resources: Any, env: Any, settings: Any) -> None:
        assert resources["RollbackBlueErrors"]["Properties"]["Threshold"] == settings(env).monitoring.http_5xx_threshold
        assert resources["RollbackBlueUnhealthy"]["Properties"]["Threshold"] == 1

    def test_a_jvm_may_start_before_it_counts_as_unhealthy(self, resources: Any, running: Any) -> None:
        alarm = resources["RollbackGreenUnhealthy"]["Properties"]
        assert alarm["EvaluationPeriods"] * alarm["Period"] > running["HealthCheckGracePeriodSeconds"]

    def test_people_are_told_by_the_topic_that_is_made_later(self, resources: Any, env: Any) -> None:
        topic = {"Fn::Sub": f"arn:${{AWS::Partition}}:sns:${{AWS::Region}}:${{AWS::AccountId}}:payments-{env}-alarms"}
        for body in resources.values():
            if body["Type"] == "AWS::CloudWatch::Alarm":
                assert body["Properties"]["AlarmActions"] == body["Properties"]["OKActions"] == [topic]


class TestScaling:
    def test_keeps_between_the_limits_of_params(self, resources: Any, env: Any, settings: Any) -> None:
        wanted = settings(env).service
        target = resources["ScalableTarget"]["Properties"]
        assert (target["MinCapacity"], target["MaxCapacity"]) == (wanted.min_tasks, wanted.max_tasks)
        assert target["ResourceId"] == {"Fn::Sub": "service/${Cluster}/${Service.Name}"}
        assert target["ScalableDimension"] == "ecs:service:DesiredCount"
        assert "RoleARN" not in target

    def test_follows_the_cpu(self, resources: Any, env: Any, settings: Any) -> None:
        policy = resources["CpuScalingPolicy"]["Properties"]
        assert policy["ScalingTargetId"] == {"Ref": "ScalableTarget"}
        assert policy["PolicyType"] == "TargetTrackingScaling"
        how = policy["TargetTrackingScalingPolicyConfiguration"]
        assert how["TargetValue"] == settings(env).service.cpu_target_percent
        assert how["PredefinedMetricSpecification"] == {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
        assert how["ScaleOutCooldown"] < how["ScaleInCooldown"]


def test_gives_names_that_are_dimensions(settings: Any, compile_tier: Any) -> None:
    given = {name: output["Value"] for name, output in compile_tier(service, settings())["Outputs"].items()}
    assert given["ClusterName"] == {"Ref": "Cluster"}
    assert given["ServiceName"] == {"Fn::GetAtt": ["Service", "Name"]}  # Ref would be the ARN
