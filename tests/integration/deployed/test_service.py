"""The application: cluster, service, task definition, scaling."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def ecs(deployed):
    return deployed.client("ecs")


@pytest.fixture(scope="module")
def service(ecs, deployed):
    found = ecs.describe_services(cluster=deployed["Service.ClusterName"], services=[deployed["Service.ServiceName"]])
    return found["services"][0]


@pytest.fixture(scope="module")
def task_definition(ecs, deployed):
    arn = deployed["Service.TaskDefinitionArn"]
    return ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]


@pytest.fixture(scope="module")
def container(task_definition):
    (only,) = task_definition["containerDefinitions"]
    return only


def test_the_cluster_is_watched(ecs, deployed):
    cluster = ecs.describe_clusters(clusters=[deployed["Service.ClusterName"]], include=["SETTINGS"])["clusters"][0]
    assert {"name": "containerInsights", "value": "enhanced"} in cluster["settings"]
    assert cluster["status"] == "ACTIVE"


def test_the_service_runs_on_fargate_in_private_subnets(service, deployed):
    network = service["networkConfiguration"]["awsvpcConfiguration"]
    assert service["launchType"] == "FARGATE"
    assert set(network["subnets"]) == {deployed[f"Network.PrivateSubnet{zone}Id"] for zone in (1, 2, 3)}
    assert network["securityGroups"] == [deployed["Security.ServiceSecurityGroupId"]]
    assert network["assignPublicIp"] == "DISABLED"


def test_the_service_wants_a_task_per_zone_at_least(service, settings):
    assert service["desiredCount"] == (settings.service.min_tasks if settings.service.started else 0)
    assert settings.service.min_tasks >= 3


def test_the_service_runs_the_task_definition_of_the_outputs(service, deployed):
    assert service["taskDefinition"] == deployed["Service.TaskDefinitionArn"]


def test_a_failed_deployment_rolls_itself_back(service):
    configuration = service["deploymentConfiguration"]
    assert configuration["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert configuration["minimumHealthyPercent"] == 100


def test_deployments_are_blue_green(service):
    assert service["deploymentConfiguration"]["strategy"] == "BLUE_GREEN"


def test_the_service_swaps_between_two_target_groups_by_two_rules(service, deployed):
    balancer = service["loadBalancers"][0]
    assert balancer["targetGroupArn"] == deployed["LoadBalancer.BlueTargetGroupArn"]
    swap = balancer["advancedConfiguration"]
    assert swap["alternateTargetGroupArn"] == deployed["LoadBalancer.GreenTargetGroupArn"]
    assert swap["productionListenerRule"] == deployed["LoadBalancer.ProductionRuleArn"]
    assert swap["testListenerRule"] == deployed["LoadBalancer.TestRuleArn"]
    assert swap["roleArn"] == deployed["Identity.InfrastructureRoleArn"]


def test_the_task_has_the_size_and_roles_of_the_params(task_definition, deployed, settings):
    assert (task_definition["cpu"], task_definition["memory"]) == (
        str(settings.service.cpu_units),
        str(settings.service.memory_mib),
    )
    assert task_definition["taskRoleArn"] == deployed["Identity.TaskRoleArn"]
    assert task_definition["executionRoleArn"] == deployed["Identity.TaskExecutionRoleArn"]
    assert task_definition["networkMode"] == "awsvpc"


def test_the_container_is_of_the_image_of_the_params(container, settings):
    assert container["image"] == settings.service.image
    assert [port["containerPort"] for port in container["portMappings"]] == [settings.service.port]


def test_the_container_may_do_little(container):
    assert container["readonlyRootFilesystem"] is True
    assert container["privileged"] is False
    assert container["user"] != "root"
    assert container["linuxParameters"]["capabilities"]["drop"] == ["ALL"]


def test_credentials_come_from_the_secrets_of_both_sides_and_the_pointer_says_which(container, deployed):
    secrets = {entry["name"]: entry["valueFrom"] for entry in container["secrets"]}
    for side, output in (("AURORA", "ApplicationSecretArn"), ("DATA_CENTER", "SourceApplicationSecretArn")):
        assert secrets[f"DATABASE_{side}_PASSWORD"] == f"{deployed[f'Database.{output}']}:password::"
    assert {"name": "DATABASE_POINTER", "value": deployed["Database.PointerName"]} in container["environment"]
    assert not [entry for entry in container["environment"] if "PASSWORD" in entry["name"].upper()]


def test_the_container_logs_to_the_group_of_the_outputs(container, deployed):
    assert container["logConfiguration"]["options"]["awslogs-group"] == deployed["Service.LogGroupName"]


def test_the_service_scales_with_its_cpu(deployed, settings):
    scaling = deployed.client("application-autoscaling")
    resource = f"service/{deployed['Service.ClusterName']}/{deployed['Service.ServiceName']}"
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource])["ScalableTargets"]
    assert target["MaxCapacity"] == settings.service.max_tasks
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)["ScalingPolicies"]
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == settings.service.cpu_target_percent
