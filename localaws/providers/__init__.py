"""Providers: how each resource type is made, changed, read and removed, with ordinary boto3 calls.

A room per service, imported only when a type of it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localaws.providers.base import Provider

_ROOMS = {
    "autoscaling": (
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
    ),
    "cloudwatch": ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm", "AWS::CloudWatch::Dashboard"),
    "dms": (
        "AWS::DMS::Certificate",
        "AWS::DMS::Endpoint",
        "AWS::DMS::ReplicationInstance",
        "AWS::DMS::ReplicationSubnetGroup",
        "AWS::DMS::ReplicationTask",
    ),
    "ecs": ("AWS::ECS::Cluster", "AWS::ECS::Service", "AWS::ECS::TaskDefinition"),
    "elbv2": (
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
    ),
    "endpoints": ("AWS::EC2::VPCEndpoint",),
    "events": ("AWS::Events::Rule",),
    "functions": ("AWS::Lambda::Function",),
    "groups": ("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"),
    "iam": ("AWS::IAM::Policy", "AWS::IAM::Role"),
    "kms": ("AWS::KMS::Alias", "AWS::KMS::Key"),
    "logs": ("AWS::Logs::LogGroup",),
    "network": (
        "AWS::EC2::EIP",
        "AWS::EC2::FlowLog",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::NatGateway",
        "AWS::EC2::Subnet",
        "AWS::EC2::VPC",
    ),
    "parameters": ("AWS::SSM::Parameter",),
    "rds": ("AWS::RDS::DBCluster", "AWS::RDS::DBInstance"),
    "rds_groups": (
        "AWS::RDS::DBClusterParameterGroup",
        "AWS::RDS::DBParameterGroup",
        "AWS::RDS::DBSubnetGroup",
        "AWS::RDS::EventSubscription",
    ),
    "route53": ("AWS::Route53::HostedZone", "AWS::Route53::RecordSet"),
    "routes": (
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPCGatewayAttachment",
    ),
    "s3": ("AWS::S3::Bucket", "AWS::S3::BucketPolicy"),
    "secrets": ("AWS::SecretsManager::Secret", "AWS::SecretsManager::SecretTargetAttachment"),
    "sns": ("AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy"),
    "stepfunctions": ("AWS::StepFunctions::StateMachine",),
    "vpn": (
        "AWS::EC2::CustomerGateway",
        "AWS::EC2::VPNConnection",
        "AWS::EC2::VPNGateway",
        "AWS::EC2::VPNGatewayRoutePropagation",
    ),
    "wafv2": ("AWS::WAFv2::LoggingConfiguration", "AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def types() -> frozenset[str]:
    """Every resource type that has a provider."""
    return frozenset(_ROOM_OF)


def find(resource_type: str) -> Provider | None:
    """The provider of a type; None for one that the embedded AWS does not know."""
    room = _ROOM_OF.get(resource_type)
    if room is None:
        return None
    providers: Mapping[str, Provider] = import_module(f"localaws.providers.{room}").PROVIDERS
    return providers[resource_type]
