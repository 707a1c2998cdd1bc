"""Kinds of values that may run on a wire between two tiers.

A kind is a type, never instantiated: `Output[VpcId]` cannot feed a `Wire[SubnetId]`, for mypy and for the linker.
`sources` are the template expressions whose value is of this kind, as "Type.Ref" or "Type.Attribute" (from the return
values in the CloudFormation resource reference); "literal" admits values known at compile time. `feeds` are the
property names that want exactly this kind: the linker refuses any other kind there.
"""

from __future__ import annotations

from typing import ClassVar


class Kind:
    """Base of all kinds."""

    sources: ClassVar[frozenset[str]] = frozenset()
    feeds: ClassVar[frozenset[str]] = frozenset()


def _f(*items: str) -> frozenset[str]:
    return frozenset(items)


# --- network ---------------------------------------------------------------------------------------------------------
class VpcId(Kind):
    """Id of a VPC."""

    sources = _f("AWS::EC2::VPC.Ref", "AWS::EC2::VPC.VpcId")
    feeds = _f("VpcId")


class SubnetId(Kind):
    """Id of a subnet."""

    sources = _f("AWS::EC2::Subnet.Ref", "AWS::EC2::Subnet.SubnetId")
    feeds = _f("SubnetId", "SubnetIds", "Subnets")


class AvailabilityZone(Kind):
    """Name of an availability zone in this account."""

    sources = _f("AWS::EC2::Subnet.AvailabilityZone")
    feeds = _f("AvailabilityZone", "AvailabilityZones")


class RouteTableId(Kind):
    """Id of a route table."""

    sources = _f("AWS::EC2::RouteTable.Ref", "AWS::EC2::RouteTable.RouteTableId")
    feeds = _f("RouteTableId", "RouteTableIds")


class NatGatewayId(Kind):
    """Id of a NAT gateway."""

    sources = _f("AWS::EC2::NatGateway.Ref", "AWS::EC2::NatGateway.NatGatewayId")
    feeds = _f("NatGatewayId")


class InternetGatewayId(Kind):
    """Id of an internet gateway."""

    sources = _f("AWS::EC2::InternetGateway.Ref", "AWS::EC2::InternetGateway.InternetGatewayId")
    feeds = _f("InternetGatewayId")


class VpcEndpointId(Kind):
    """Id of a VPC endpoint."""

    sources = _f("AWS::EC2::VPCEndpoint.Ref", "AWS::EC2::VPCEndpoint.Id")


class PrefixListId(Kind):
    """Id of a managed prefix list."""

    sources = _f("literal")
    feeds = _f("DestinationPrefixListId", "SourcePrefixListId")


class VpnConnectionId(Kind):
    """Id of a site-to-site VPN connection."""

    sources = _f("AWS::EC2::VPNConnection.Ref", "AWS::EC2::VPNConnection.VpnConnectionId")
    feeds = _f("VpnConnectionId")


class SecurityGroupId(Kind):
    """Id of a security group."""

    sources = _f("AWS::EC2::SecurityGroup.GroupId", "AWS::EC2::SecurityGroup.Id")
    feeds = _f(
        "GroupId", "SecurityGroups", "SecurityGroupIds", "VpcSecurityGroupIds",
        "SourceSecurityGroupId", "DestinationSecurityGroupId",
    )  # fmt: skip


# --- security and identity -------------------------------------------------------------------------------------------
class KmsKeyArn(Kind):
    """ARN of a KMS key."""

    sources = _f("AWS::KMS::Key.Arn")
    feeds = _f("KmsKeyId", "KmsKeyArn", "KMSMasterKeyID", "KmsMasterKeyId", "PerformanceInsightsKmsKeyId")


class RoleArn(Kind):
    """ARN of an IAM role."""

    sources = _f("AWS::IAM::Role.Arn")
    feeds = _f(
        "RoleArn", "Role", "TaskRoleArn", "ExecutionRoleArn", "MonitoringRoleArn", "DeliverLogsPermissionArn",
        "SecretsManagerAccessRoleArn", "ServiceAccessRoleArn",
    )  # fmt: skip


class RoleName(Kind):
    """Name of an IAM role."""

    sources = _f("AWS::IAM::Role.Ref")
    feeds = _f("Roles")


class SecretArn(Kind):
    """ARN of a Secrets Manager secret."""

    sources = _f(
        "AWS::SecretsManager::Secret.Ref",
        "AWS::SecretsManager::Secret.Id",
        "AWS::RDS::DBCluster.MasterUserSecret.SecretArn",
    )
    feeds = _f("SecretsManagerSecretId", "SecretId")


# --- database --------------------------------------------------------------------------------------------------------
class DatabaseEndpoint(Kind):
    """Host name of an Aurora endpoint."""

    sources = _f(
        "AWS::RDS::DBCluster.Endpoint.Address",
        "AWS::RDS::DBCluster.ReadEndpoint.Address",
        "AWS::RDS::DBInstance.Endpoint.Address",
    )
    feeds = _f("ServerName")


class PortNumber(Kind):
    """A TCP port."""

    sources = _f("literal", "AWS::RDS::DBCluster.Endpoint.Port")


class DatabaseClusterId(Kind):
    """Identifier of an Aurora cluster, as alarms and API calls name it."""

    sources = _f("AWS::RDS::DBCluster.Ref")
    feeds = _f("DBClusterIdentifier")


class DatabaseResourceId(Kind):
    """Immutable resource id of an Aurora cluster (`cluster-…`), as rds-db:connect names it."""

    sources = _f("AWS::RDS::DBCluster.DBClusterResourceId")


class DatabaseInstanceId(Kind):
    """Identifier of a DB instance."""

    sources = _f("AWS::RDS::DBInstance.Ref")
    feeds = _f("DBInstanceIdentifier")


# --- load balancer and service ---------------------------------------------------------------------------------------
class LoadBalancerArn(Kind):
    """ARN of a load balancer."""

    sources = _f(
        "AWS::ElasticLoadBalancingV2::LoadBalancer.Ref", "AWS::ElasticLoadBalancingV2::LoadBalancer.LoadBalancerArn"
    )
    feeds = _f("LoadBalancerArn")


class LoadBalancerName(Kind):
    """Full name of a load balancer (`app/name/id`), the dimension of its metrics."""

    sources = _f("AWS::ElasticLoadBalancingV2::LoadBalancer.LoadBalancerFullName")


class DnsName(Kind):
    """A DNS name that clients resolve."""

    sources = _f("AWS::ElasticLoadBalancingV2::LoadBalancer.DNSName")


class HostedZoneId(Kind):
    """Id of a Route 53 hosted zone."""

    sources = _f(
        "AWS::Route53::HostedZone.Ref",
        "AWS::Route53::HostedZone.Id",
        "AWS::ElasticLoadBalancingV2::LoadBalancer.CanonicalHostedZoneID",
    )
    feeds = _f("HostedZoneId")


class TargetGroupArn(Kind):
    """ARN of a target group."""

    sources = _f(
        "AWS::ElasticLoadBalancingV2::TargetGroup.Ref", "AWS::ElasticLoadBalancingV2::TargetGroup.TargetGroupArn"
    )
    feeds = _f("TargetGroupArn", "AlternateTargetGroupArn")


class TargetGroupName(Kind):
    """Full name of a target group (`targetgroup/name/id`), the dimension of its metrics."""

    sources = _f("AWS::ElasticLoadBalancingV2::TargetGroup.TargetGroupFullName")


class ListenerArn(Kind):
    """ARN of a listener."""

    sources = _f("AWS::ElasticLoadBalancingV2::Listener.Ref", "AWS::ElasticLoadBalancingV2::Listener.ListenerArn")
    feeds = _f("ListenerArn")


class ListenerRuleArn(Kind):
    """ARN of a listener rule."""

    sources = _f("AWS::ElasticLoadBalancingV2::ListenerRule.Ref", "AWS::ElasticLoadBalancingV2::ListenerRule.RuleArn")
    feeds = _f("ProductionListenerRule", "TestListenerRule")


class WebAclArn(Kind):
    """ARN of a WAF web ACL."""

    sources = _f("AWS::WAFv2::WebACL.Arn")
    feeds = _f("WebACLArn")


class WebAclMetricName(Kind):
    """Name that a WAF web ACL gives its metrics, the dimension of them."""

    sources = _f("literal")


class EcsClusterName(Kind):
    """Name of an ECS cluster, the dimension of its metrics."""

    sources = _f("AWS::ECS::Cluster.Ref")


class EcsServiceName(Kind):
    """Name of an ECS service, the dimension of its metrics."""

    sources = _f("AWS::ECS::Service.Name")


class EcsServiceArn(Kind):
    """ARN of an ECS service."""

    sources = _f("AWS::ECS::Service.Ref", "AWS::ECS::Service.ServiceArn")


class TaskDefinitionArn(Kind):
    """ARN of a task definition revision."""

    sources = _f("AWS::ECS::TaskDefinition.Ref", "AWS::ECS::TaskDefinition.TaskDefinitionArn")
    feeds = _f("TaskDefinition")


# --- migration, validation, monitoring -------------------------------------------------------------------------------
class ReplicationInstanceArn(Kind):
    """ARN of a DMS replication instance."""

    sources = _f("AWS::DMS::ReplicationInstance.Ref")
    feeds = _f("ReplicationInstanceArn")


class ReplicationInstanceId(Kind):
    """Identifier of a DMS replication instance in lower case, the dimension of its metrics."""

    sources = _f("literal")


class ReplicationTaskArn(Kind):
    """ARN of a DMS replication task."""

    sources = _f("AWS::DMS::ReplicationTask.Ref")
    feeds = _f("ReplicationTaskArn")


class ReplicationTaskId(Kind):
    """Resource id of a DMS task: the last part of its ARN, the dimension of its metrics."""

    sources = _f("literal")


class EndpointArn(Kind):
    """ARN of a DMS endpoint."""

    sources = _f("AWS::DMS::Endpoint.Ref")
    feeds = _f("SourceEndpointArn", "TargetEndpointArn")


class FunctionName(Kind):
    """Name of a Lambda function."""

    sources = _f("AWS::Lambda::Function.Ref")
    feeds = _f("FunctionName")


class StateMachineArn(Kind):
    """ARN of a Step Functions state machine."""

    sources = _f("AWS::StepFunctions::StateMachine.Ref", "AWS::StepFunctions::StateMachine.Arn")
    feeds = _f("StateMachineArn")


class BucketName(Kind):
    """Name of an S3 bucket."""

    sources = _f("AWS::S3::Bucket.Ref")
    feeds = _f("Bucket", "BucketName", "DestinationBucketName")


class LogGroupName(Kind):
    """Name of a log group."""

    sources = _f("AWS::Logs::LogGroup.Ref")
    feeds = _f("LogGroupName")


class LogGroupArn(Kind):
    """ARN of a log group, ending in `:*`."""

    sources = _f("AWS::Logs::LogGroup.Arn")
    feeds = _f("LogGroupArn")


class TopicArn(Kind):
    """ARN of an SNS topic."""

    sources = _f("AWS::SNS::Topic.Ref", "AWS::SNS::Topic.TopicArn")
    feeds = _f("TopicArn", "SnsTopicArn", "AlarmActions", "OKActions", "InsufficientDataActions")


class AlarmName(Kind):
    """Name of a CloudWatch alarm."""

    sources = _f("literal", "AWS::CloudWatch::Alarm.Ref", "AWS::CloudWatch::CompositeAlarm.Ref")
    feeds = _f("AlarmNames")


class ParameterName(Kind):
    """Name of a parameter in Parameter Store."""

    sources = _f("literal", "AWS::SSM::Parameter.Ref")


class DashboardName(Kind):
    """Name of a CloudWatch dashboard."""

    sources = _f("AWS::CloudWatch::Dashboard.Ref")


class MetricNamespace(Kind):
    """Namespace of custom metrics."""

    sources = _f("literal")
    feeds = _f("Namespace")


def every_kind() -> dict[str, type[Kind]]:
    """All kinds by name."""
    return {kind.__name__: kind for kind in Kind.__subclasses__()}
