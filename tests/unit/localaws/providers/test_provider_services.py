"""The other services as AWS does it: buckets, roles, log groups, topics, zones, functions, machines, services."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import providers
from localaws.account import Account
from localaws.providers.base import ProviderError
from tests.unit.localaws.providers.cases import CASES, TRUST
from tests.unit.localaws.providers.conftest import World, allow


class TestBucket:
    def test_is_not_deleted_while_anything_is_in_it(self, world: World) -> None:
        s3 = world.clients("s3")
        bucket = world.make("S3::Bucket", BucketName="full")
        s3.put_object(Bucket="full", Key="a", Body=b"a")
        with pytest.raises(ClientError, match="BucketNotEmpty"):
            bucket.delete()

    def test_is_not_deleted_while_an_old_version_is_in_it(self, world: World) -> None:
        s3 = world.clients("s3")
        bucket = world.make("S3::Bucket", BucketName="kept", VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket="kept", Key="a", Body=b"a")
        s3.delete_object(Bucket="kept", Key="a")
        assert "Contents" not in s3.list_objects_v2(Bucket="kept")
        with pytest.raises(ClientError, match="BucketNotEmpty"):
            bucket.delete()
        for marker in s3.list_object_versions(Bucket="kept")["DeleteMarkers"]:
            s3.delete_object(Bucket="kept", Key="a", VersionId=marker["VersionId"])

    def test_settings_that_the_template_drops_go(self, world: World) -> None:
        s3 = world.clients("s3")
        built = CASES["AWS::S3::Bucket"](world)
        bucket = world.make("S3::Bucket", **built.properties)
        rule = s3.get_bucket_lifecycle_configuration(Bucket=bucket.id)["Rules"][0]
        assert (rule["Filter"], rule["Expiration"]) == ({"Prefix": ""}, {"Days": 365})
        bucket.update(**{name: None for name in built.properties if name != "BucketName"})
        assert s3.get_bucket_versioning(Bucket=bucket.id)["Status"] == "Suspended"
        assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket.id)
        for get in ("get_bucket_lifecycle_configuration", "get_public_access_block", "get_bucket_ownership_controls"):
            with pytest.raises(ClientError):
                getattr(s3, get)(Bucket=bucket.id)

    def test_a_setting_removed_by_hand_is_told(self, world: World) -> None:
        built = CASES["AWS::S3::Bucket"](world)
        bucket = world.make("S3::Bucket", **built.properties)
        s3 = world.clients("s3")
        s3.delete_bucket_lifecycle(Bucket=bucket.id)
        s3.put_bucket_versioning(Bucket=bucket.id, VersioningConfiguration={"Status": "Suspended"})
        told = bucket.read()
        assert told is not None
        assert told["LifecycleConfiguration"] == {}
        assert told["VersioningConfiguration"] == {"Status": "Suspended"}
        assert told["PublicAccessBlockConfiguration"] == bucket.properties["PublicAccessBlockConfiguration"]

    def test_stands_in_its_region(self, account: Account) -> None:
        world = World(account.clients("eu-west-1"))
        there = world.context("There")
        provider = providers.find("AWS::S3::Bucket")
        assert provider is not None
        context = replace(there, region="eu-west-1")
        handle = provider.create(world.clients, {"BucketName": "irish"}, context)
        assert handle.attributes["RegionalDomainName"] == "irish.s3.eu-west-1.amazonaws.com"
        assert world.clients("s3").get_bucket_location(Bucket="irish")["LocationConstraint"] == "eu-west-1"
        provider.delete(world.clients, "irish", {"BucketName": "irish"}, context)

    def test_its_names(self, world: World) -> None:
        bucket = world.make("S3::Bucket", BucketName="named")
        assert bucket.attributes == {
            "Arn": "arn:aws:s3:::named",
            "DomainName": "named.s3.amazonaws.com",
            "DualStackDomainName": "named.s3.dualstack.us-east-1.amazonaws.com",
            "RegionalDomainName": "named.s3.us-east-1.amazonaws.com",
            "WebsiteURL": "http://named.s3-website-us-east-1.amazonaws.com",
        }


class TestRole:
    def test_what_somebody_wrote_into_it_keeps_it(self, world: World) -> None:
        iam = world.clients("iam")
        role = world.role("kept")
        iam.put_role_policy(RoleName="kept", PolicyName="by-hand", PolicyDocument=json.dumps(allow("s3:*")))
        with pytest.raises(ClientError, match="DeleteConflict"):
            role.delete()
        iam.delete_role_policy(RoleName="kept", PolicyName="by-hand")

    def test_its_boundary_comes_and_goes(self, world: World) -> None:
        iam = world.clients("iam")
        boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
        role = world.make("IAM::Role", RoleName="bound", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=boundary)
        assert role.read() == role.properties
        role.update(PermissionsBoundary=None)
        assert "PermissionsBoundary" not in iam.get_role(RoleName="bound")["Role"]

    def test_an_inline_policy_that_somebody_took_out_is_told(self, world: World) -> None:
        own = [{"PolicyName": name, "PolicyDocument": allow("s3:Get*")} for name in ("one", "two")]
        role = world.make("IAM::Role", RoleName="told", AssumeRolePolicyDocument=TRUST, Policies=own)
        role.update(Policies=[own[0], {**own[1], "PolicyDocument": allow("s3:Put*")}])
        world.clients("iam").delete_role_policy(RoleName="told", PolicyName="one")
        told = role.read()
        assert told is not None
        assert [policy["PolicyName"] for policy in told["Policies"]] == ["two"]

    def test_a_policy_that_somebody_changed_in_one_role_is_told(self, world: World) -> None:
        roles = [world.role(name).id for name in ("one", "two")]
        policy = world.make("IAM::Policy", PolicyName="token", PolicyDocument=allow("rds-db:connect"), Roles=roles)
        assert policy.id == f"payments-R{world.count}-ABCDEFGHIJKL"
        world.clients("iam").put_role_policy(
            RoleName="two", PolicyName="token", PolicyDocument=json.dumps(allow("rds-db:*"))
        )
        told = policy.read()
        assert told is not None
        assert told["PolicyDocument"]["Statement"][0]["Action"] == ["rds-db:*"]


class TestLogGroup:
    def test_what_the_template_drops_goes(self, world: World) -> None:
        logs = world.clients("logs")
        group = world.make("Logs::LogGroup", **CASES["AWS::Logs::LogGroup"](world).properties)
        group.update(RetentionInDays=None, KmsKeyId=None, ResourcePolicyDocument=None)
        told = logs.describe_log_groups(logGroupNamePrefix="/payments")["logGroups"][0]
        assert "retentionInDays" not in told
        assert "kmsKeyId" not in told
        arn = group.attributes["Arn"].removesuffix(":*")
        assert logs.describe_resource_policies(resourceArn=arn, policyScope="RESOURCE")["resourcePolicies"] == []

    def test_a_policy_removed_by_hand_is_told(self, world: World) -> None:
        group = world.make("Logs::LogGroup", **CASES["AWS::Logs::LogGroup"](world).properties)
        arn = group.attributes["Arn"].removesuffix(":*")
        world.clients("logs").delete_resource_policy(resourceArn=arn)
        told = group.read()
        assert told is not None
        assert told["ResourcePolicyDocument"] == {}

    def test_is_found_by_its_whole_name(self, world: World) -> None:
        world.make("Logs::LogGroup", LogGroupName="/a/long")
        short = world.make("Logs::LogGroup", LogGroupName="/a")
        assert short.read() == {"LogGroupName": "/a"}
        short.delete()
        assert short.read() is None


class TestTopic:
    def test_attributes_go_back_to_what_they_were(self, world: World) -> None:
        topic = world.make("SNS::Topic", TopicName="alarms", DisplayName="Alarms", SignatureVersion="2")
        topic.update(DisplayName=None, SignatureVersion=None)
        told = world.clients("sns").get_topic_attributes(TopicArn=topic.id)["Attributes"]
        assert told.get("DisplayName", "") == ""
        assert told["SignatureVersion"] == "1"

    def test_a_policy_goes_back_to_the_owner_s(self, world: World) -> None:
        sns = world.clients("sns")
        topics = [world.topic(name) for name in ("one", "two")]
        policy = world.make("SNS::TopicPolicy", PolicyDocument=allow("sns:Publish"), Topics=topics)
        policy.update(Topics=topics[1:])
        first = json.loads(sns.get_topic_attributes(TopicArn=topics[0])["Attributes"]["Policy"])
        assert first["Statement"][0]["Condition"] == {"StringEquals": {"AWS:SourceOwner": "123456789012"}}
        sns.delete_topic(TopicArn=topics[1])
        assert policy.read() is None
        policy.delete()

    def test_a_topic_that_stays_in_the_policy_keeps_it(self, world: World) -> None:
        topic = world.topic()
        policy = world.make("SNS::TopicPolicy", PolicyDocument=allow("sns:Publish"), Topics=[topic])
        policy.update(PolicyDocument=allow("sns:Subscribe"))
        told = json.loads(world.clients("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
        assert told["Statement"][0]["Action"] == ["sns:Subscribe"]

    def test_a_subscription_s_filter_goes(self, world: World) -> None:
        subscription = world.make(
            "SNS::Subscription",
            TopicArn=world.topic(),
            Protocol="email",
            Endpoint="on-call@example.com",
            FilterPolicy={"kind": ["alarm"]},
            RawMessageDelivery=False,
        )
        subscription.update(FilterPolicy=None)
        told = world.clients("sns").get_subscription_attributes(SubscriptionArn=subscription.id)["Attributes"]
        assert json.loads(told.get("FilterPolicy", "{}")) == {}


class TestZone:
    def test_without_a_network_is_public(self, world: World) -> None:
        zone = world.make("Route53::HostedZone", Name="public.example")
        assert len(zone.attributes["NameServers"]) == 4
        told = world.clients("route53").get_hosted_zone(Id=zone.id)["HostedZone"]
        assert told["Config"]["PrivateZone"] is False

    def test_lets_in_every_network(self, world: World) -> None:
        zone = world.make("Route53::HostedZone", **CASES["AWS::Route53::HostedZone"](world).properties)
        told = world.clients("route53").get_hosted_zone(Id=zone.id)
        assert told["HostedZone"]["Config"]["PrivateZone"] is True
        assert {vpc["VPCId"] for vpc in told["VPCs"]} == {vpc["VPCId"] for vpc in zone.properties["VPCs"]}

    def test_with_records_is_not_deleted(self, world: World) -> None:
        record = world.make("Route53::RecordSet", **CASES["AWS::Route53::RecordSet"](world).properties)
        zone = next(made for made in world.made if made.type == "AWS::Route53::HostedZone")
        with pytest.raises(ClientError, match="HostedZoneNotEmpty"):
            zone.delete()
        assert record.id == "db.example"

    def test_a_record_of_another_name_is_another(self, world: World) -> None:
        record = world.make("Route53::RecordSet", **CASES["AWS::Route53::RecordSet"](world).properties)
        record.update(Name="reader.db.example")
        told = world.clients("route53").list_resource_record_sets(HostedZoneId=record.properties["HostedZoneId"])
        names = [each["Name"] for each in told["ResourceRecordSets"] if each["Type"] == "A"]
        assert names == ["reader.db.example."]

    def test_an_alias_has_no_records_of_its_own(self, world: World) -> None:
        zone = world.make("Route53::HostedZone", Name="alias.example").id
        target = {"DNSName": "alb.example.", "HostedZoneId": "Z35SXDOTRQ7X7K", "EvaluateTargetHealth": False}
        record = world.make("Route53::RecordSet", HostedZoneId=zone, Name="alias.example", Type="A", AliasTarget=target)
        told = record.read()
        assert told is not None
        assert told["AliasTarget"] == target

    def test_comments_go(self, world: World) -> None:
        zone = world.make("Route53::HostedZone", Name="said.example", HostedZoneConfig={"Comment": "said"})
        zone.update(HostedZoneConfig=None)
        assert world.clients("route53").get_hosted_zone(Id=zone.id)["HostedZone"]["Config"].get("Comment", "") == ""


class TestFunction:
    def test_code_comes_from_its_object(self, world: World) -> None:
        built = CASES["AWS::Lambda::Function"](world)
        function = world.make("Lambda::Function", **built.properties)
        lambda_ = world.clients("lambda")
        first = lambda_.get_function(FunctionName=function.id)["Configuration"]["CodeSha256"]
        function.update(Code=built.changes["Code"])
        assert lambda_.get_function(FunctionName=function.id)["Configuration"]["CodeSha256"] != first
        assert function.attributes["Arn"] == "arn:aws:lambda:us-east-1:123456789012:function:validator"

    def test_machines_are_optional_and_concurrency_goes(self, world: World) -> None:
        built = CASES["AWS::Lambda::Function"](world)
        plain = {name: value for name, value in built.properties.items() if name != "Architectures"}
        function = world.make("Lambda::Function", **plain)
        function.update(Code=built.changes["Code"], ReservedConcurrentExecutions=None)
        assert "Concurrency" not in world.clients("lambda").get_function(FunctionName=function.id)


class TestMachine:
    def test_names_in_the_definition_are_replaced(self, world: World) -> None:
        machine = world.make(
            "StepFunctions::StateMachine", **CASES["AWS::StepFunctions::StateMachine"](world).properties
        )
        told = world.clients("stepfunctions").describe_state_machine(stateMachineArn=machine.id)
        states = json.loads(told["definition"])["States"]
        assert states["Compare"]["Resource"] == "arn:aws:lambda:us-east-1:123456789012:function:validator"
        assert machine.attributes["Name"] == "validation"

    def test_a_definition_may_be_an_object(self, world: World) -> None:
        states = {"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}
        role = world.role("machine").attributes["Arn"]
        machine = world.make("StepFunctions::StateMachine", StateMachineName="plain", Definition=states, RoleArn=role)
        assert machine.read() == machine.properties

    def test_a_definition_changed_by_hand_is_told(self, world: World) -> None:
        machine = world.make(
            "StepFunctions::StateMachine", **CASES["AWS::StepFunctions::StateMachine"](world).properties
        )
        other = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
        world.clients("stepfunctions").update_state_machine(stateMachineArn=machine.id, definition=other)
        told = machine.read()
        assert told is not None
        assert json.loads(told["DefinitionString"]) == json.loads(other)


class TestService:
    def test_is_called_by_its_arn_and_its_name(self, world: World) -> None:
        service = world.make("ECS::Service", **CASES["AWS::ECS::Service"](world).properties)
        assert service.id == "arn:aws:ecs:us-east-1:123456789012:service/payments/application"
        assert service.attributes == {"Name": "application", "ServiceArn": service.id}

    def test_a_task_definition_is_a_revision(self, world: World) -> None:
        built = CASES["AWS::ECS::TaskDefinition"](world)
        first, second = (world.make("ECS::TaskDefinition", **built.properties) for _ in range(2))
        head, _, revision = first.id.rpartition(":")
        assert head == "arn:aws:ecs:us-east-1:123456789012:task-definition/service"
        assert second.id == f"{head}:{int(revision) + 1}"
        told = world.clients("ecs").describe_task_definition(taskDefinition=first.id)["taskDefinition"]
        assert told["containerDefinitions"][0]["logConfiguration"]["options"] == {"awslogs-group": "/ecs"}

    def test_a_cluster_without_capacity_providers(self, world: World) -> None:
        cluster = world.make("ECS::Cluster", ClusterName="bare", CapacityProviders=["FARGATE"])
        cluster.update(CapacityProviders=None)
        told = world.clients("ecs").describe_clusters(clusters=["bare"])["clusters"][0]
        assert told["capacityProviders"] == []


class TestScaling:
    def test_a_policy_by_the_three_names_of_its_target(self, world: World) -> None:
        built = CASES["AWS::ApplicationAutoScaling::ScalingPolicy"](world)
        target = built.properties.pop("ScalingTargetId").split("|")
        names = dict(zip(("ResourceId", "ScalableDimension", "ServiceNamespace"), target, strict=True))
        policy = world.make("ApplicationAutoScaling::ScalingPolicy", **built.properties, **names)
        assert policy.read() == policy.properties
        alarms = world.clients("cloudwatch").describe_alarms(AlarmNamePrefix="TargetTracking-")["MetricAlarms"]
        assert len(alarms) == 2
        policy.delete()
        assert world.clients("cloudwatch").describe_alarms(AlarmNamePrefix="TargetTracking-")["MetricAlarms"] == []

    def test_policies_of_one_target_are_told_apart(self, world: World) -> None:
        built = CASES["AWS::ApplicationAutoScaling::ScalingPolicy"](world)
        tracking = built.properties["TargetTrackingScalingPolicyConfiguration"]
        given = [
            {
                **built.properties,
                "PolicyName": name,
                "TargetTrackingScalingPolicyConfiguration": {**tracking, "TargetValue": value},
            }
            for name, value in (("one", 50), ("two", 70))
        ]
        policies = [world.make("ApplicationAutoScaling::ScalingPolicy", **properties) for properties in given]
        for policy, properties in zip(policies, given, strict=True):
            told = policy.read()
            assert told is not None
            assert (
                told["TargetTrackingScalingPolicyConfiguration"]
                == properties["TargetTrackingScalingPolicyConfiguration"]
            )

    def test_a_target_is_called_by_its_three_names(self, world: World) -> None:
        target = world.make(
            "ApplicationAutoScaling::ScalableTarget",
            **CASES["AWS::ApplicationAutoScaling::ScalableTarget"](world).properties,
        )
        assert target.id == "service/scaled/scaled|ecs:service:DesiredCount|ecs"


class TestBalancing:
    def test_names_that_metrics_use(self, world: World) -> None:
        vpc = world.vpc()
        balancer = world.make(
            "ElasticLoadBalancingV2::LoadBalancer", Name="alb", Subnets=world.subnets(vpc), Type="application"
        )
        group = world.make("ElasticLoadBalancingV2::TargetGroup", Name="blue", Port=80, Protocol="HTTP", VpcId=vpc)
        assert balancer.attributes["LoadBalancerFullName"] == balancer.id.split(":loadbalancer/")[1]
        assert balancer.attributes["LoadBalancerFullName"].startswith("app/alb/")
        assert group.attributes["TargetGroupFullName"] == group.id.rpartition(":")[2]
        assert group.attributes["TargetGroupFullName"].startswith("targetgroup/blue/")
        assert balancer.attributes["DNSName"].endswith(".elb.amazonaws.com")
        assert balancer.attributes["CanonicalHostedZoneID"]
        assert balancer.read() == balancer.properties
        assert group.read() == group.properties

    def test_is_not_deleted_while_it_is_protected(self, world: World) -> None:
        vpc = world.vpc()
        guard = {"Key": "deletion_protection.enabled", "Value": "true"}
        balancer = world.make(
            "ElasticLoadBalancingV2::LoadBalancer",
            Name="alb",
            Subnets=world.subnets(vpc),
            Type="application",
            LoadBalancerAttributes=[guard],
        )
        with pytest.raises(ClientError, match="OperationNotPermitted"):
            balancer.delete()
        balancer.update(LoadBalancerAttributes=[{**guard, "Value": "false"}])
        balancer.update(LoadBalancerAttributes=None)  # what is not given stays

    def test_weights_changed_by_hand_are_told(self, world: World) -> None:
        built = CASES["AWS::ElasticLoadBalancingV2::ListenerRule"](world)
        rule = world.make("ElasticLoadBalancingV2::ListenerRule", **built.properties)
        groups = rule.properties["Actions"][0]["ForwardConfig"]["TargetGroups"]
        shifted = [{**group, "Weight": weight} for group, weight in zip(groups, (0, 100), strict=True)]
        world.clients("elbv2").modify_rule(
            RuleArn=rule.id, Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": shifted}}]
        )
        told = rule.read()
        assert told is not None
        weights = {
            each["TargetGroupArn"]: each["Weight"] for each in told["Actions"][0]["ForwardConfig"]["TargetGroups"]
        }
        assert weights == {groups[0]["TargetGroupArn"]: 0, groups[1]["TargetGroupArn"]: 100}

    def test_targets_come_and_go(self, world: World) -> None:
        built = CASES["AWS::ElasticLoadBalancingV2::TargetGroup"](world)
        group = world.make("ElasticLoadBalancingV2::TargetGroup", **built.properties)
        target = group.properties["Targets"][0]
        group.update(Targets=[target, {**target, "Id": "192.168.52.12"}])
        assert group.read() == group.properties


class TestRule:
    def test_targets_come_and_go(self, world: World) -> None:
        topic = world.topic()
        pattern: dict[str, Any] = {"source": ["aws.ecs"]}
        rule = world.make("Events::Rule", Name="bare", EventPattern=pattern, State="DISABLED")
        assert rule.attributes["Arn"] == "arn:aws:events:us-east-1:123456789012:rule/bare"
        rule.update(Targets=[{"Arn": topic, "Id": "a"}])
        events = world.clients("events")
        assert [each["Id"] for each in events.list_targets_by_rule(Rule="bare")["Targets"]] == ["a"]
        rule.update(Targets=None, State=None)
        assert events.list_targets_by_rule(Rule="bare")["Targets"] == []
        assert events.describe_rule(Name="bare")["State"] == "ENABLED"


def test_composite_alarms_are_told_from_others(world: World) -> None:
    built = CASES["AWS::CloudWatch::CompositeAlarm"](world)
    alarm = world.make("CloudWatch::CompositeAlarm", **built.properties)
    told = world.clients("cloudwatch").describe_alarms(AlarmNames=["no-go"], AlarmTypes=["CompositeAlarm"])
    assert [each["AlarmRule"] for each in told["CompositeAlarms"]] == ['NOT (OK("certificate"))']
    assert alarm.attributes["Arn"] == told["CompositeAlarms"][0]["AlarmArn"]


def test_a_web_acl_is_called_by_name_id_and_scope(world: World) -> None:
    acl = world.make("WAFv2::WebACL", **CASES["AWS::WAFv2::WebACL"](world).properties)
    name, identifier, scope = acl.id.split("|")
    assert (name, scope) == ("web", "REGIONAL")
    assert acl.attributes["Id"] == identifier
    assert acl.attributes["Arn"].endswith(f":regional/webacl/web/{identifier}")


def test_a_parameter_is_written_anew_when_its_tags_change(world: World) -> None:
    """As its handler does: what somebody else has put there is gone."""
    parameter = world.make(
        "SSM::Parameter", Name="/payments/database", Type="String", Value="data_center", Tags={"A": "1"}
    )
    client = world.clients("ssm")
    client.put_parameter(Name="/payments/database", Value="aurora", Type="String", Overwrite=True)
    assert parameter.read()["Value"] == "aurora"
    assert parameter.read()["Tags"] == {"A": "1"}
    parameter.update(Tags={"A": "2"})
    assert parameter.read()["Value"] == "data_center"
    assert parameter.read()["Tags"] == {"A": "2"}


def test_a_parameter_that_is_there_already_is_not_taken_over(world: World) -> None:
    world.clients("ssm").put_parameter(Name="/taken", Value="theirs", Type="String")
    with pytest.raises(ProviderError, match="already exists"):
        world.make("SSM::Parameter", Name="/taken", Type="String", Value="ours")
