"""A resource of each type as this project's templates have it, and every change that happens in place."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.localaws.providers.conftest import World, allow, key_policy

CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
OTHER_CERTIFICATE = CERTIFICATE.replace("12345678-1234", "87654321-1234")
TAGS = [{"Key": "Owner", "Value": "payments"}, {"Key": "CostCenter", "Value": "own"}]


@dataclass
class Case:
    """`properties` to make it with, `changes` in place (None: taken away), what `read` cannot tell, what GetAtt gives."""

    properties: dict[str, Any]
    changes: dict[str, Any] = field(default_factory=dict)
    untold: set[str] = field(default_factory=set)
    tagged: bool = True


CASES: dict[str, Callable[[World], Case]] = {}


def case(name: str) -> Callable[[Callable[[World], Case]], Callable[[World], Case]]:
    def keep(build: Callable[[World], Case]) -> Callable[[World], Case]:
        CASES[f"AWS::{name}"] = build
        return build

    return keep


# --- EC2 ----------------------------------------------------------------------------------------------------------------
@case("EC2::VPC")
def _(world: World) -> Case:
    return Case(
        {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": False, "EnableDnsSupport": True},
        {"EnableDnsHostnames": True},
    )


@case("EC2::Subnet")
def _(world: World) -> Case:
    return Case(
        {
            "VpcId": world.vpc(),
            "CidrBlock": "10.0.1.0/24",
            "AvailabilityZoneId": "use1-az2",
            "MapPublicIpOnLaunch": False,
        },
        {"MapPublicIpOnLaunch": True},
    )


@case("EC2::InternetGateway")
def _(world: World) -> Case:
    return Case({})


@case("EC2::EIP")
def _(world: World) -> Case:
    return Case({"Domain": "vpc"})


@case("EC2::NatGateway")
def _(world: World) -> Case:
    address = world.make("EC2::EIP", Domain="vpc")
    return Case({"AllocationId": address.attributes["AllocationId"], "SubnetId": world.subnets(world.vpc())[0]})


@case("EC2::FlowLog")
def _(world: World) -> Case:
    return Case(
        {
            "DeliverLogsPermissionArn": world.role().attributes["Arn"],
            "LogDestinationType": "cloud-watch-logs",
            "LogFormat": "${version} ${account-id} ${action} ${flow-direction}",
            "LogGroupName": world.make("Logs::LogGroup", LogGroupName="/flow").id,
            "MaxAggregationInterval": 60,
            "ResourceId": world.vpc(),
            "ResourceType": "VPC",
            "TrafficType": "ALL",
        },
        untold={"ResourceType"},
    )


@case("EC2::RouteTable")
def _(world: World) -> Case:
    return Case({"VpcId": world.vpc()})


@case("EC2::Route")
def _(world: World) -> Case:
    vpc = world.vpc()
    inner = world.subnets(vpc)[0]
    gateways = [
        world.make("EC2::NatGateway", SubnetId=inner, AllocationId=world.make("EC2::EIP").attributes["AllocationId"])
        for _ in range(2)
    ]
    return Case(
        {
            "RouteTableId": world.make("EC2::RouteTable", VpcId=vpc).id,
            "DestinationCidrBlock": "0.0.0.0/0",
            "NatGatewayId": gateways[0].id,
        },
        {"NatGatewayId": gateways[1].id},
    )


@case("EC2::SubnetRouteTableAssociation")
def _(world: World) -> Case:
    vpc = world.vpc()
    return Case({"RouteTableId": world.make("EC2::RouteTable", VpcId=vpc).id, "SubnetId": world.subnets(vpc)[0]})


@case("EC2::VPCGatewayAttachment")
def _(world: World) -> Case:
    gateways = [world.make("EC2::InternetGateway").id for _ in range(2)]
    return Case({"VpcId": world.vpc(), "InternetGatewayId": gateways[0]}, {"InternetGatewayId": gateways[1]})


def _rule(port: int, **peer: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "Description": f"port {port}", **peer}


@case("EC2::SecurityGroup")
def _(world: World) -> Case:
    nothing = {"CidrIp": "127.0.0.1/32", "IpProtocol": "-1", "Description": "Only answers"}
    return Case(
        {
            "GroupName": "endpoints",
            "GroupDescription": "Interface endpoints",
            "VpcId": world.vpc(),
            "SecurityGroupEgress": [nothing],
            "SecurityGroupIngress": [_rule(443, CidrIp="10.0.1.0/24"), _rule(443, CidrIp="10.0.2.0/24")],
        },
        {
            "SecurityGroupIngress": [_rule(443, CidrIp="10.0.1.0/24"), _rule(8443, CidrIp="10.0.3.0/24")],
            "SecurityGroupEgress": [_rule(5432, CidrIp="10.0.9.0/24")],
        },
    )


@case("EC2::SecurityGroupIngress")
def _(world: World) -> Case:
    vpc = world.vpc()
    groups = {"GroupId": world.group(vpc, "database"), "SourceSecurityGroupId": world.group(vpc, "service")}
    return Case({**_rule(5432), **groups}, {"Description": "the application writes"}, tagged=False)


@case("EC2::SecurityGroupEgress")
def _(world: World) -> Case:
    return Case(
        {**_rule(443, DestinationPrefixListId="pl-63a5400a"), "GroupId": world.group(world.vpc())},
        {"Description": None},
        tagged=False,
    )


@case("EC2::CustomerGateway")
def _(world: World) -> Case:
    return Case({"BgpAsn": 65020, "DeviceName": "data-center", "IpAddress": "203.0.113.20", "Type": "ipsec.1"})


@case("EC2::VPNGateway")
def _(world: World) -> Case:
    return Case({"Type": "ipsec.1"})


@case("EC2::VPNConnection")
def _(world: World) -> Case:
    gateways = [
        world.make("EC2::CustomerGateway", BgpAsn=65020, IpAddress=f"203.0.113.{end}", Type="ipsec.1").id
        for end in (20, 21)
    ]
    tunnel = {
        "DPDTimeoutAction": "restart",
        "IKEVersions": [{"Value": "ikev2"}],
        "Phase1DHGroupNumbers": [{"Value": 20}],
        "Phase1EncryptionAlgorithms": [{"Value": "AES256-GCM-16"}],
        "StartupAction": "start",
    }
    return Case(
        {
            "CustomerGatewayId": gateways[0],
            "PreSharedKeyStorage": "SecretsManager",
            "StaticRoutesOnly": False,
            "Type": "ipsec.1",
            "VpnGatewayId": world.make("EC2::VPNGateway", Type="ipsec.1").id,
            "VpnTunnelOptionsSpecifications": [tunnel, tunnel],
        },
        {
            "CustomerGatewayId": gateways[1],
            "VpnTunnelOptionsSpecifications": [tunnel, {**tunnel, "DPDTimeoutAction": "clear"}],
        },
        untold={"VpnTunnelOptionsSpecifications", "PreSharedKeyStorage"},
    )


@case("EC2::VPNGatewayRoutePropagation")
def _(world: World) -> Case:
    vpc = world.vpc()
    gateway = world.make("EC2::VPNGateway", Type="ipsec.1").id
    world.make("EC2::VPCGatewayAttachment", VpcId=vpc, VpnGatewayId=gateway)
    tables = [world.make("EC2::RouteTable", VpcId=vpc).id for _ in range(3)]
    return Case({"RouteTableIds": tables[:2], "VpnGatewayId": gateway}, {"RouteTableIds": tables[1:]}, tagged=False)


@case("EC2::VPCEndpoint")
def _(world: World) -> Case:
    vpc = world.vpc()
    subnets = world.subnets(vpc)
    groups = [world.group(vpc, "one"), world.group(vpc, "two")]
    return Case(
        {
            "VpcId": vpc,
            "VpcEndpointType": "Interface",
            "ServiceName": "com.amazonaws.us-east-1.ecr.api",
            "PrivateDnsEnabled": True,
            "PolicyDocument": allow("ecr:*", Principal="*"),
            "SubnetIds": subnets[:1],
            "SecurityGroupIds": groups[:1],
        },
        {
            "SubnetIds": subnets,
            "SecurityGroupIds": groups[1:],
            "PolicyDocument": allow("ecr:BatchGetImage", Principal="*"),
            "PrivateDnsEnabled": False,
        },
    )


# --- RDS ----------------------------------------------------------------------------------------------------------------
@case("RDS::DBSubnetGroup")
def _(world: World) -> Case:
    vpc = world.vpc()
    subnets = world.subnets(vpc)
    third = world.make("EC2::Subnet", VpcId=vpc, CidrBlock="10.0.3.0/24", AvailabilityZoneId="use1-az3").id
    return Case(
        {"DBSubnetGroupName": "database", "DBSubnetGroupDescription": "Private subnets", "SubnetIds": subnets},
        {"DBSubnetGroupDescription": "One per zone", "SubnetIds": [*subnets, third]},
    )


@case("RDS::DBClusterParameterGroup")
def _(world: World) -> Case:
    return Case(
        {
            "DBClusterParameterGroupName": "cluster-17",
            "Description": "TLS forced",
            "Family": "aurora-postgresql17",
            "Parameters": {"rds.force_ssl": "1", "log_statement": "none"},
        },
        {"Parameters": {"rds.force_ssl": "1", "log_statement": "ddl", "log_connections": "1"}},
    )


@case("RDS::DBParameterGroup")
def _(world: World) -> Case:
    return Case(
        {
            "DBParameterGroupName": "instance-17",
            "Description": "What may differ",
            "Family": "aurora-postgresql17",
            "Parameters": {"track_io_timing": "1", "log_lock_waits": "1"},
        },
        {"Parameters": {"track_io_timing": "0"}},
    )


@case("RDS::DBCluster")
def _(world: World) -> Case:
    vpc = world.vpc()
    subnets = world.subnets(vpc)
    key = world.key().attributes["Arn"]
    group = world.make(
        "RDS::DBSubnetGroup", DBSubnetGroupName="database", DBSubnetGroupDescription="Private", SubnetIds=subnets
    )
    parameters = [
        world.make(
            "RDS::DBClusterParameterGroup",
            DBClusterParameterGroupName=name,
            Description="One",
            Family="aurora-postgresql17",
        ).id
        for name in ("cluster-one", "cluster-two")
    ]
    return Case(
        {
            "BackupRetentionPeriod": 7,
            "CopyTagsToSnapshot": True,
            "DBClusterIdentifier": "database",
            "DBClusterParameterGroupName": parameters[0],
            "DBSubnetGroupName": group.id,
            "DatabaseInsightsMode": "standard",
            "DatabaseName": "payments",
            "DeleteAutomatedBackups": True,
            "DeletionProtection": True,
            "EnableCloudwatchLogsExports": ["postgresql"],
            "EnableIAMDatabaseAuthentication": True,
            "Engine": "aurora-postgresql",
            "EngineLifecycleSupport": "open-source-rds-extended-support-disabled",
            "EngineVersion": "17.7",
            "KmsKeyId": key,
            "ManageMasterUserPassword": True,
            "MasterUserSecret": {"KmsKeyId": key},
            "MasterUsername": "payments_owner",
            "NetworkType": "IPV4",
            "PerformanceInsightsEnabled": True,
            "PerformanceInsightsKmsKeyId": key,
            "PerformanceInsightsRetentionPeriod": 7,
            "Port": 5432,
            "PreferredBackupWindow": "02:00-03:00",
            "PreferredMaintenanceWindow": "sun:04:00-sun:05:00",
            "StorageEncrypted": True,
            "StorageType": "aurora",
            "VpcSecurityGroupIds": [world.group(vpc, "one")],
        },
        {
            "BackupRetentionPeriod": 35,
            "CopyTagsToSnapshot": False,
            "DBClusterParameterGroupName": parameters[1],
            "DatabaseInsightsMode": "advanced",
            "DeletionProtection": False,
            "EnableCloudwatchLogsExports": ["iam-db-auth-error"],
            "EnableIAMDatabaseAuthentication": False,
            "EngineVersion": "17.9",
            "PerformanceInsightsRetentionPeriod": 465,
            "PreferredBackupWindow": "01:00-02:00",
            "PreferredMaintenanceWindow": "sat:04:00-sat:05:00",
            "Port": 5433,
            "VpcSecurityGroupIds": [world.group(vpc, "two")],
        },
        untold={"DeleteAutomatedBackups"},
    )


@case("RDS::DBInstance")
def _(world: World) -> Case:
    world.cluster("database")
    groups = [
        world.make(
            "RDS::DBParameterGroup", DBParameterGroupName=name, Description="One", Family="aurora-postgresql17"
        ).id
        for name in ("instance-one", "instance-two")
    ]
    return Case(
        {
            "AutoMinorVersionUpgrade": False,
            "AvailabilityZone": "us-east-1b",
            "CACertificateIdentifier": "rds-ca-rsa2048-g1",
            "DBClusterIdentifier": "database",
            "DBInstanceClass": "db.r7g.large",
            "DBInstanceIdentifier": "writer",
            "DBParameterGroupName": groups[0],
            "Engine": "aurora-postgresql",
            "MonitoringInterval": 60,
            "MonitoringRoleArn": world.role("monitoring").attributes["Arn"],
            "PreferredMaintenanceWindow": "sun:04:00-sun:05:00",
            "PromotionTier": 0,
            "PubliclyAccessible": False,
        },
        {
            "AutoMinorVersionUpgrade": True,
            "CACertificateIdentifier": "rds-ca-ecc384-g1",
            "DBInstanceClass": "db.r7g.xlarge",
            "DBParameterGroupName": groups[1],
            "MonitoringInterval": 15,
            "PreferredMaintenanceWindow": "sat:04:00-sat:05:00",
            "PromotionTier": 1,
        },
    )


@case("RDS::EventSubscription")
def _(world: World) -> Case:
    for name in ("one", "two"):
        world.cluster(name)
    return Case(
        {
            "Enabled": True,
            "EventCategories": ["failover", "failure"],
            "SnsTopicArn": world.topic(),
            "SourceIds": ["one"],
            "SourceType": "db-cluster",
            "SubscriptionName": "clusters",
        },
        {"Enabled": False, "EventCategories": ["failover", "maintenance"], "SourceIds": ["two"]},
    )


# --- DMS ----------------------------------------------------------------------------------------------------------------
@case("DMS::Certificate")
def _(world: World) -> Case:
    pem = (Path(__file__).parents[4] / "params" / "data-center-ca.pem").read_text()
    return Case({"CertificateIdentifier": "aurora", "CertificatePem": pem}, tagged=False)


def _endpoint(world: World, name: str, kind: str) -> dict[str, Any]:
    return {
        "EndpointIdentifier": name,
        "EndpointType": kind,
        "EngineName": "aurora-postgresql",
        "DatabaseName": "payments",
        "SslMode": "require",
        "PostgreSqlSettings": {"CaptureDdls": True, "HeartbeatFrequency": 1, "PluginName": "test-decoding"},
    }


@case("DMS::Endpoint")
def _(world: World) -> Case:
    return Case(
        {
            **_endpoint(world, "aurora-source", "source"),
            "ExtraConnectionAttributes": "MapUnboundedNumericAsString=true",
            "KmsKeyId": world.key().attributes["Arn"],
        },
        {
            "PostgreSqlSettings": {"CaptureDdls": False, "HeartbeatFrequency": 5, "PluginName": "pglogical"},
            "DatabaseName": "other",
            "SslMode": "none",
            "ExtraConnectionAttributes": "executeTimeout=300",
        },
    )


def _subnet_group(world: World) -> dict[str, Any]:
    return {
        "ReplicationSubnetGroupIdentifier": "replication",
        "ReplicationSubnetGroupDescription": "Private subnets",
        "SubnetIds": world.subnets(world.vpc()),
    }


@case("DMS::ReplicationSubnetGroup")
def _(world: World) -> Case:
    # DMS looks for this role before it makes a subnet group.
    given = _subnet_group(world)
    others = world.subnets(world.vpc("10.1.0.0/16"), "10.1")
    return Case(given, {"ReplicationSubnetGroupDescription": "One per zone", "SubnetIds": others})


def _instance(world: World) -> dict[str, Any]:
    group = world.make("DMS::ReplicationSubnetGroup", **_subnet_group(world))
    return {
        "ReplicationInstanceClass": "dms.r6i.large",
        "ReplicationInstanceIdentifier": "replication",
        "ReplicationSubnetGroupIdentifier": group.id,
        "EngineVersion": "3.5.4",
        "AllocatedStorage": 100,
        "VpcSecurityGroupIds": [],
    }


@case("DMS::ReplicationInstance")
def _(world: World) -> Case:
    given = _instance(world)
    vpc = world.vpc("10.1.0.0/16")
    groups = [world.group(vpc, name) for name in ("one", "two")]
    return Case(
        {
            **given,
            "AllowMajorVersionUpgrade": False,
            "AutoMinorVersionUpgrade": True,
            "KmsKeyId": world.key().attributes["Arn"],
            "MultiAZ": False,
            "NetworkType": "IPV4",
            "PreferredMaintenanceWindow": "sun:05:00-sun:06:00",
            "PubliclyAccessible": False,
            "VpcSecurityGroupIds": groups[:1],
        },
        {
            "AllocatedStorage": 500,
            "AllowMajorVersionUpgrade": True,
            "AutoMinorVersionUpgrade": False,
            "EngineVersion": "3.6.1",
            "MultiAZ": True,
            "PreferredMaintenanceWindow": "sat:05:00-sat:06:00",
            "ReplicationInstanceClass": "dms.r6i.xlarge",
            "VpcSecurityGroupIds": groups[1:],
        },
        untold={"AllowMajorVersionUpgrade"},
    )


def mappings(table: str) -> str:
    rule = {
        "rule-type": "selection",
        "rule-id": "1",
        "rule-name": "1",
        "object-locator": {"schema-name": "public", "table-name": table},
        "rule-action": "include",
    }
    return json.dumps({"rules": [rule]})


@case("DMS::ReplicationTask")
def _(world: World) -> Case:
    source, target = (world.make("DMS::Endpoint", **_endpoint(world, kind, kind)).id for kind in ("source", "target"))
    return Case(
        {
            "MigrationType": "full-load-and-cdc",
            "ReplicationInstanceArn": world.make("DMS::ReplicationInstance", **_instance(world)).id,
            "ReplicationTaskIdentifier": "forward",
            "ReplicationTaskSettings": json.dumps({"ValidationSettings": {"EnableValidation": True}}),
            "ResourceIdentifier": "payments-for",
            "SourceEndpointArn": source,
            "TableMappings": mappings("%"),
            "TargetEndpointArn": target,
        },
        {
            "ReplicationTaskSettings": json.dumps({"ValidationSettings": {"EnableValidation": False}}),
            "TableMappings": mappings("orders"),
        },
        untold={"ResourceIdentifier"},
    )


# --- load balancing -----------------------------------------------------------------------------------------------------
@case("ElasticLoadBalancingV2::LoadBalancer")
def _(world: World) -> Case:
    vpc = world.vpc()
    subnets = world.subnets(vpc)
    third = world.make("EC2::Subnet", VpcId=vpc, CidrBlock="10.0.3.0/24", AvailabilityZoneId="use1-az3").id
    idle = {"Key": "idle_timeout.timeout_seconds", "Value": "60"}
    return Case(
        {
            "IpAddressType": "ipv4",
            "LoadBalancerAttributes": [idle, {"Key": "routing.http.desync_mitigation_mode", "Value": "defensive"}],
            "Name": "payments-alb",
            "Scheme": "internet-facing",
            "SecurityGroups": [world.group(vpc, "one")],
            "Subnets": subnets,
            "Type": "application",
        },
        {
            "IpAddressType": "dualstack",
            "LoadBalancerAttributes": [{**idle, "Value": "90"}],
            "SecurityGroups": [world.group(vpc, "two")],
            "Subnets": [*subnets, third],
        },
    )


@case("ElasticLoadBalancingV2::TargetGroup")
def _(world: World) -> Case:
    target = {"AvailabilityZone": "all", "Id": "192.168.52.10", "Port": 8443}
    return Case(
        {
            "HealthCheckEnabled": True,
            "HealthCheckIntervalSeconds": 10,
            "HealthCheckPath": "/actuator/health/readiness",
            "HealthCheckPort": "traffic-port",
            "HealthCheckProtocol": "HTTPS",
            "HealthCheckTimeoutSeconds": 5,
            "HealthyThresholdCount": 2,
            "IpAddressType": "ipv4",
            "Matcher": {"HttpCode": "200"},
            "Name": "payments-blue",
            "Port": 8443,
            "Protocol": "HTTPS",
            "ProtocolVersion": "HTTP1",
            "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "60"}],
            "TargetType": "ip",
            "Targets": [target],
            "UnhealthyThresholdCount": 6,
            "VpcId": world.vpc(),
        },
        {
            "HealthCheckIntervalSeconds": 20,
            "HealthCheckPath": "/health",
            "HealthCheckTimeoutSeconds": 6,
            "HealthyThresholdCount": 3,
            "Matcher": {"HttpCode": "200-204"},
            "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
            "Targets": [{**target, "Id": "192.168.52.11"}],
            "UnhealthyThresholdCount": 2,
        },
    )


def _listener(world: World) -> dict[str, Any]:
    vpc = world.vpc()
    return {
        "LoadBalancerArn": world.balancer(vpc, world.subnets(vpc)),
        "Port": 443,
        "Protocol": "HTTPS",
        "Certificates": [{"CertificateArn": CERTIFICATE}],
        "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    }


@case("ElasticLoadBalancingV2::Listener")
def _(world: World) -> Case:
    given = _listener(world)
    redirect = {"Port": "443", "Protocol": "HTTPS", "StatusCode": "HTTP_301"}
    return Case(
        {
            **given,
            "ListenerAttributes": [{"Key": "routing.http.response.server.enabled", "Value": "false"}],
        },
        {
            "DefaultActions": [{"Type": "redirect", "RedirectConfig": redirect}],
            "ListenerAttributes": [{"Key": "routing.http.response.server.enabled", "Value": "true"}],
            "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "Certificates": [{"CertificateArn": OTHER_CERTIFICATE}],
        },
    )


@case("ElasticLoadBalancingV2::ListenerRule")
def _(world: World) -> Case:
    given = _listener(world)
    vpc = world.vpc("10.1.0.0/16")
    groups = [world.target_group(vpc, name) for name in ("blue", "green")]

    def forward(*weights: int) -> list[dict[str, Any]]:
        split = [{"TargetGroupArn": group, "Weight": weight} for group, weight in zip(groups, weights, strict=True)]
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": split}}]

    return Case(
        {
            "Actions": forward(100, 0),
            "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
            "ListenerArn": world.make("ElasticLoadBalancingV2::Listener", **given).id,
            "Priority": 10,
        },
        {
            "Actions": forward(90, 10),
            "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}],
            "Priority": 20,
        },
        untold={"ListenerArn"},
    )


# --- ECS ----------------------------------------------------------------------------------------------------------------
@case("ECS::Cluster")
def _(world: World) -> Case:
    return Case(
        {
            "CapacityProviders": ["FARGATE"],
            "ClusterName": "payments",
            "ClusterSettings": [{"Name": "containerInsights", "Value": "enabled"}],
        },
        {
            "CapacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "ClusterSettings": [{"Name": "containerInsights", "Value": "enhanced"}],
        },
    )


def _task_definition(world: World, family: str = "service") -> dict[str, Any]:
    return {
        "ContainerDefinitions": [
            {
                "Name": "application",
                "Image": "payments@sha256:0",
                "Essential": True,
                "Environment": [{"Name": "SERVER_PORT", "Value": "8443"}],
                "PortMappings": [{"ContainerPort": 8443}],
                "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": "/ecs"}},
            }
        ],
        "Cpu": "1024",
        "Memory": "2048",
        "Family": family,
        "NetworkMode": "awsvpc",
        "RequiresCompatibilities": ["FARGATE"],
        "RuntimePlatform": {"CpuArchitecture": "X86_64", "OperatingSystemFamily": "LINUX"},
    }


@case("ECS::TaskDefinition")
def _(world: World) -> Case:
    role = world.role().attributes["Arn"]
    return Case({**_task_definition(world), "ExecutionRoleArn": role, "TaskRoleArn": role})


@case("ECS::Service")
def _(world: World) -> Case:
    vpc = world.vpc()
    subnets = world.subnets(vpc)
    blue, green = (world.target_group(vpc, name) for name in ("blue", "green"))
    role = world.role("infrastructure").attributes["Arn"]
    rule = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/alb/1/2/3"
    deployment = {
        "Alarms": {"AlarmNames": ["errors"], "Enable": True, "Rollback": True},
        "BakeTimeInMinutes": 60,
        "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
        "MaximumPercent": 200,
        "MinimumHealthyPercent": 100,
        "Strategy": "BLUE_GREEN",
    }
    network = {
        "AssignPublicIp": "DISABLED",
        "SecurityGroups": [world.group(vpc)],
        "Subnets": subnets[:1],
    }
    return Case(
        {
            "AvailabilityZoneRebalancing": "ENABLED",
            "Cluster": world.make("ECS::Cluster", ClusterName="payments").id,
            "DeploymentConfiguration": deployment,
            "DeploymentController": {"Type": "ECS"},
            "DesiredCount": 2,
            "EnableECSManagedTags": True,
            "EnableExecuteCommand": False,
            "HealthCheckGracePeriodSeconds": 120,
            "LaunchType": "FARGATE",
            "LoadBalancers": [
                {
                    "AdvancedConfiguration": {
                        "AlternateTargetGroupArn": green,
                        "ProductionListenerRule": rule,
                        "RoleArn": role,
                        "TestListenerRule": rule,
                    },
                    "ContainerName": "application",
                    "ContainerPort": 8443,
                    "TargetGroupArn": blue,
                }
            ],
            "NetworkConfiguration": {"AwsvpcConfiguration": network},
            "PlatformVersion": "1.4.0",
            "PropagateTags": "SERVICE",
            "SchedulingStrategy": "REPLICA",
            "ServiceName": "application",
            "TaskDefinition": world.make("ECS::TaskDefinition", **_task_definition(world)).id,
        },
        {
            "DesiredCount": 3,
            "DeploymentConfiguration": {**deployment, "BakeTimeInMinutes": 10},
            "HealthCheckGracePeriodSeconds": 60,
            "NetworkConfiguration": {"AwsvpcConfiguration": {**network, "Subnets": subnets}},
            "TaskDefinition": world.make("ECS::TaskDefinition", **_task_definition(world)).id,
            "EnableExecuteCommand": True,
        },
        untold={"Cluster"},
    )


# --- IAM, KMS, logs, secrets --------------------------------------------------------------------------------------------
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "dms.amazonaws.com"}, "Action": ["sts:AssumeRole"]}],
}


@case("IAM::Role")
def _(world: World) -> Case:
    managed = "arn:aws:iam::aws:policy/service-role/AmazonDMSCloudWatchLogsRole"
    other = "arn:aws:iam::aws:policy/service-role/AmazonDMSVPCManagementRole"
    own = {"PolicyName": "own", "PolicyDocument": allow("kms:Decrypt")}
    return Case(
        {
            "AssumeRolePolicyDocument": TRUST,
            "Description": "Logs of its tasks",
            "ManagedPolicyArns": [managed],
            "MaxSessionDuration": 3600,
            "Policies": [own, {"PolicyName": "gone", "PolicyDocument": allow("s3:GetObject")}],
            "RoleName": "dms-role",
        },
        {
            "AssumeRolePolicyDocument": {
                **TRUST,
                "Statement": [{**TRUST["Statement"][0], "Principal": {"Service": "ecs.amazonaws.com"}}],
            },
            "Description": "Another",
            "ManagedPolicyArns": [other],
            "MaxSessionDuration": 7200,
            "Policies": [
                {**own, "PolicyDocument": allow("kms:Encrypt")},
                {"PolicyName": "new", "PolicyDocument": allow("s3:PutObject")},
            ],
            "PermissionsBoundary": "arn:aws:iam::aws:policy/PowerUserAccess",
        },
    )


@case("IAM::Policy")
def _(world: World) -> Case:
    roles = [world.role(name).id for name in ("one", "two", "three")]
    return Case(
        {"PolicyDocument": allow("rds-db:connect"), "PolicyName": "token", "Roles": roles[:2]},
        {"PolicyDocument": allow("rds-db:*"), "PolicyName": "tokens", "Roles": roles[1:]},
        tagged=False,
    )


@case("KMS::Key")
def _(world: World) -> Case:
    changed = key_policy()
    changed["Statement"][0]["Sid"] = "Administered"
    return Case(
        {
            "Description": "Data",
            "EnableKeyRotation": True,
            "KeyPolicy": key_policy(),
            "PendingWindowInDays": 30,
        },
        {"Description": "Other data", "EnableKeyRotation": False, "KeyPolicy": changed, "PendingWindowInDays": 7},
        untold={"PendingWindowInDays"},
    )


@case("KMS::Alias")
def _(world: World) -> Case:
    return Case(
        {"AliasName": "alias/data", "TargetKeyId": world.key().id}, {"TargetKeyId": world.key().id}, tagged=False
    )


@case("Logs::LogGroup")
def _(world: World) -> Case:
    return Case(
        {
            "KmsKeyId": world.key().attributes["Arn"],
            "LogGroupName": "/payments",
            "ResourcePolicyDocument": allow("logs:PutLogEvents", Principal={"Service": "delivery.logs.amazonaws.com"}),
            "RetentionInDays": 14,
        },
        {
            "KmsKeyId": world.key().attributes["Arn"],
            "ResourcePolicyDocument": allow("logs:CreateLogStream", Principal={"Service": "es.amazonaws.com"}),
            "RetentionInDays": 365,
        },
    )


@case("SSM::Parameter")
def _(world: World) -> Case:
    return Case(
        {
            "AllowedPattern": "^(data_center|aurora)$",
            "Description": "Which of the two",
            "Name": "/payments/database",
            "Tier": "Standard",
            "Type": "String",
            "Value": "data_center",
        },
        {"Description": "One of two", "Value": "aurora"},
        untold={"AllowedPattern", "Tier"},
    )


@case("SecretsManager::Secret")
def _(world: World) -> Case:
    return Case(
        {
            "Description": "Of the application",
            "GenerateSecretString": {
                "ExcludeCharacters": ";:+",
                "GenerateStringKey": "password",
                "PasswordLength": 40,
                "RequireEachIncludedType": True,
                "SecretStringTemplate": json.dumps({"username": "application"}),
            },
            "KmsKeyId": world.key().attributes["Arn"],
            "Name": "payments/application",
        },
        {"Description": "Of the Java application", "KmsKeyId": world.key().attributes["Arn"]},
        untold={"GenerateSecretString"},
    )


@case("SecretsManager::SecretTargetAttachment")
def _(world: World) -> Case:
    for name in ("one", "two"):
        world.cluster(name)
    secret = world.make("SecretsManager::Secret", Name="attached", SecretString=json.dumps({"username": "a"}))
    return Case(
        {"SecretId": secret.id, "TargetId": "one", "TargetType": "AWS::RDS::DBCluster"},
        {"TargetId": "two"},
        tagged=False,
    )


# --- watching -----------------------------------------------------------------------------------------------------------
@case("CloudWatch::Alarm")
def _(world: World) -> Case:
    topic = world.topic()
    return Case(
        {
            "ActionsEnabled": True,
            "AlarmActions": [topic],
            "AlarmDescription": "The certificate ends",
            "AlarmName": "certificate",
            "ComparisonOperator": "LessThanThreshold",
            "DatapointsToAlarm": 1,
            "Dimensions": [{"Name": "CertificateArn", "Value": CERTIFICATE}],
            "EvaluationPeriods": 1,
            "InsufficientDataActions": [topic],
            "MetricName": "DaysToExpiry",
            "Namespace": "AWS/CertificateManager",
            "OKActions": [topic],
            "Period": 86400,
            "Statistic": "Minimum",
            "Threshold": 30,
            "TreatMissingData": "ignore",
        },
        {
            "ActionsEnabled": False,
            "AlarmDescription": "The certificate ends soon",
            "EvaluationPeriods": 2,
            "InsufficientDataActions": None,
            "Threshold": 45,
            "TreatMissingData": "breaching",
        },
    )


@case("CloudWatch::CompositeAlarm")
def _(world: World) -> Case:
    topic = world.topic()
    return Case(
        {
            "ActionsEnabled": True,
            "AlarmActions": [topic],
            "AlarmDescription": "The cutover must not begin",
            "AlarmName": "no-go",
            "AlarmRule": 'NOT (OK("certificate"))',
            "OKActions": [topic],
        },
        {"AlarmRule": 'ALARM("certificate")', "AlarmDescription": "No go", "OKActions": []},
    )


@case("CloudWatch::Dashboard")
def _(world: World) -> Case:
    text = {"type": "text", "properties": {"markdown": "# payments"}, "x": 0, "y": 0, "width": 24, "height": 1}
    return Case(
        {"DashboardBody": json.dumps({"widgets": [text]}), "DashboardName": "overview"},
        {"DashboardBody": json.dumps({"widgets": [{**text, "height": 2}]})},
    )


@case("Events::Rule")
def _(world: World) -> Case:
    topic = world.topic()
    return Case(
        {
            "Description": "Deployments",
            "EventPattern": {"source": ["aws.ecs"]},
            "Name": "deployments",
            "State": "ENABLED",
            "Targets": [{"Arn": topic, "Id": "topic"}, {"Arn": topic, "Id": "gone"}],
        },
        {
            "Description": "All deployments",
            "EventPattern": {"source": ["aws.ecs", "aws.dms"]},
            "State": "DISABLED",
            "Targets": [
                {"Arn": topic, "Id": "topic", "RoleArn": world.role("events").attributes["Arn"]},
                {"Arn": topic, "Id": "new"},
            ],
        },
    )


@case("SNS::Topic")
def _(world: World) -> Case:
    return Case(
        {
            "DisplayName": "payments",
            "KmsMasterKeyId": world.key().attributes["Arn"],
            "SignatureVersion": "2",
            "TopicName": "alarms",
        },
        {"DisplayName": "payments prod", "KmsMasterKeyId": world.key().attributes["Arn"], "SignatureVersion": "1"},
    )


@case("SNS::Subscription")
def _(world: World) -> Case:
    return Case(
        {"Endpoint": "on-call@example.com", "Protocol": "email", "TopicArn": world.topic()},
        {"FilterPolicy": {"kind": ["alarm"]}},
        tagged=False,
    )


@case("SNS::TopicPolicy")
def _(world: World) -> Case:
    topics = [world.topic(name) for name in ("one", "two")]
    events = {"Service": "events.rds.amazonaws.com"}
    return Case(
        {"PolicyDocument": allow("sns:Publish", topics[0], Principal=events), "Topics": topics[:1]},
        {"PolicyDocument": allow("sns:Publish", topics[1], Principal=events), "Topics": topics[1:]},
        tagged=False,
    )


# --- the rest -----------------------------------------------------------------------------------------------------------
@case("ApplicationAutoScaling::ScalableTarget")
def _(world: World) -> Case:
    return Case(
        {
            "MaxCapacity": 24,
            "MinCapacity": 6,
            "ResourceId": f"service/{service(world)}",
            "ScalableDimension": "ecs:service:DesiredCount",
            "ServiceNamespace": "ecs",
        },
        {"MaxCapacity": 30, "MinCapacity": 3},
    )


def service(world: World) -> str:
    """A service of the plainest kind: cluster/service."""
    cluster = world.make("ECS::Cluster", ClusterName="scaled").id
    task = world.make("ECS::TaskDefinition", **_task_definition(world, "scaled")).id
    made = world.make("ECS::Service", Cluster=cluster, ServiceName="scaled", TaskDefinition=task, DesiredCount=1)
    return f"{cluster}/{made.attributes['Name']}"


@case("ApplicationAutoScaling::ScalingPolicy")
def _(world: World) -> Case:
    target = world.make(
        "ApplicationAutoScaling::ScalableTarget",
        MaxCapacity=4,
        MinCapacity=2,
        ResourceId=f"service/{service(world)}",
        ScalableDimension="ecs:service:DesiredCount",
        ServiceNamespace="ecs",
    )
    tracking = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        "ScaleInCooldown": 300,
        "ScaleOutCooldown": 60,
        "TargetValue": 60,
    }
    return Case(
        {
            "PolicyName": "cpu",
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": target.id,
            "TargetTrackingScalingPolicyConfiguration": tracking,
        },
        {"TargetTrackingScalingPolicyConfiguration": {**tracking, "TargetValue": 70}},
        untold={"ScalingTargetId"},
        tagged=False,
    )


@case("Route53::HostedZone")
def _(world: World) -> Case:
    vpcs = [
        {"VPCId": world.vpc(cidr), "VPCRegion": "us-east-1"} for cidr in ("10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16")
    ]
    return Case(
        {"HostedZoneConfig": {"Comment": "Inside"}, "Name": "db.example", "VPCs": vpcs[:2]},
        {"HostedZoneConfig": {"Comment": "The database"}, "VPCs": vpcs[1:]},
    )


@case("Route53::RecordSet")
def _(world: World) -> Case:
    vpc = {"VPCId": world.vpc(), "VPCRegion": "us-east-1"}
    return Case(
        {
            "HostedZoneId": world.make("Route53::HostedZone", Name="db.example", VPCs=[vpc]).id,
            "Name": "db.example",
            "ResourceRecords": ["192.168.53.5"],
            "TTL": "60",
            "Type": "A",
        },
        {"ResourceRecords": ["192.168.53.6"], "TTL": "30"},
        untold={"HostedZoneId"},
        tagged=False,
    )


@case("S3::Bucket")
def _(world: World) -> Case:
    target = world.make("S3::Bucket", BucketName="access-logs").id
    deliver = allow("s3:PutObject", f"arn:aws:s3:::{target}/*", Principal={"Service": "logging.s3.amazonaws.com"})
    deliver["Statement"][0] |= {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{target}/*"}
    world.make("S3::BucketPolicy", Bucket=target, PolicyDocument=deliver)
    rule = {
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        "ExpirationInDays": 365,
        "Id": "expire",
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        "Status": "Enabled",
    }
    block = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)

    def encryption(algorithm: str) -> dict[str, Any]:
        return {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}}]}

    return Case(
        {
            "BucketEncryption": encryption("AES256"),
            "BucketName": "payments-reports",
            "LifecycleConfiguration": {"Rules": [rule]},
            "LoggingConfiguration": {"DestinationBucketName": target, "LogFilePrefix": "reports/"},
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "PublicAccessBlockConfiguration": block,
            "VersioningConfiguration": {"Status": "Enabled"},
        },
        {
            "BucketEncryption": encryption("aws:kms"),
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        **rule,
                        "ExpirationInDays": 30,
                        "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 10}],
                    }
                ]
            },
            "LoggingConfiguration": {"DestinationBucketName": target},
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]},
            "PublicAccessBlockConfiguration": {**block, "BlockPublicAcls": False},
            "VersioningConfiguration": {"Status": "Suspended"},
        },
    )


@case("S3::BucketPolicy")
def _(world: World) -> Case:
    bucket = world.make("S3::Bucket", BucketName="guarded").id
    resource = f"arn:aws:s3:::{bucket}/*"
    return Case(
        {"Bucket": bucket, "PolicyDocument": allow("s3:PutObject", resource, Principal="*")},
        {"PolicyDocument": allow("s3:GetObject", resource, Principal="*")},
        untold={"Bucket"},
        tagged=False,
    )


def zipped(text: str = "def handle(event, context): return event\n") -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("handler.py", text)
    return held.getvalue()


@case("Lambda::Function")
def _(world: World) -> Case:
    bucket = world.make("S3::Bucket", BucketName="code").id
    for key in ("one.zip", "two.zip"):
        world.clients("s3").put_object(Bucket=bucket, Key=key, Body=zipped(f"KEY = {key!r}\n"))
    vpc = world.vpc()
    subnets = world.subnets(vpc)
    groups = [world.group(vpc)]
    return Case(
        {
            "Architectures": ["arm64"],
            "Code": {"S3Bucket": bucket, "S3Key": "one.zip"},
            "Description": "Compares",
            "Environment": {"Variables": {"SCHEMAS": "public"}},
            "FunctionName": "validator",
            "Handler": "handler.handle",
            "KmsKeyArn": world.key().attributes["Arn"],
            "LoggingConfig": {"ApplicationLogLevel": "INFO", "LogFormat": "JSON", "LogGroup": "/validator"},
            "MemorySize": 1024,
            "ReservedConcurrentExecutions": 4,
            "Role": world.role("validator").attributes["Arn"],
            "Runtime": "python3.13",
            "Timeout": 900,
            "TracingConfig": {"Mode": "Active"},
            "VpcConfig": {"SecurityGroupIds": groups, "SubnetIds": subnets[:1]},
        },
        {
            "Code": {"S3Bucket": bucket, "S3Key": "two.zip"},
            "Description": "Compares two databases",
            "Environment": {"Variables": {"SCHEMAS": "public,audit"}},
            "Handler": "handler.other",
            "LoggingConfig": {"ApplicationLogLevel": "DEBUG", "LogFormat": "JSON", "LogGroup": "/validator"},
            "MemorySize": 2048,
            "ReservedConcurrentExecutions": 8,
            "Runtime": "python3.14",
            "Timeout": 600,
            "TracingConfig": {"Mode": "PassThrough"},
            "VpcConfig": {"SecurityGroupIds": groups, "SubnetIds": subnets},
        },
        untold={"Code"},
    )


@case("StepFunctions::StateMachine")
def _(world: World) -> Case:
    role = world.role("machine").attributes["Arn"]
    group = world.make("Logs::LogGroup", LogGroupName="/machine").attributes["Arn"]

    def states(comment: str) -> str:
        task = {"Type": "Task", "Resource": "${FunctionArn}", "End": True}
        return json.dumps({"Comment": comment, "StartAt": "Compare", "States": {"Compare": task}})

    function = "arn:aws:lambda:us-east-1:123456789012:function:validator"
    return Case(
        {
            "DefinitionString": states("one"),
            "DefinitionSubstitutions": {"FunctionArn": function},
            "LoggingConfiguration": {
                "Destinations": [{"CloudWatchLogsLogGroup": {"LogGroupArn": group}}],
                "IncludeExecutionData": False,
                "Level": "ALL",
            },
            "RoleArn": role,
            "StateMachineName": "validation",
            "StateMachineType": "STANDARD",
            "TracingConfiguration": {"Enabled": True},
        },
        {
            "DefinitionString": states("two"),
            "DefinitionSubstitutions": {"FunctionArn": f"{function}:1"},
            "RoleArn": world.role("other").attributes["Arn"],
            "TracingConfiguration": {"Enabled": False},
        },
        untold={"DefinitionSubstitutions"},
    )


def visible(name: str) -> dict[str, Any]:
    return {"CloudWatchMetricsEnabled": True, "MetricName": name, "SampledRequestsEnabled": True}


def _acl(limit: int = 20000) -> dict[str, Any]:
    rule = {
        "Action": {"Block": {}},
        "Name": "RateLimit",
        "Priority": 0,
        "Statement": {"RateBasedStatement": {"AggregateKeyType": "IP", "Limit": limit}},
        "VisibilityConfig": visible("RateLimit"),
    }
    return {
        "DataProtectionConfig": {
            "DataProtections": [{"Action": "SUBSTITUTION", "Field": {"FieldType": "BODY"}}],
        },
        "DefaultAction": {"Allow": {}},
        "Description": "What may reach the application",
        "Name": "web",
        "Rules": [rule],
        "Scope": "REGIONAL",
        "VisibilityConfig": visible("web"),
    }


@case("WAFv2::WebACL")
def _(world: World) -> Case:
    return Case(
        _acl(),
        {
            "Rules": _acl(500)["Rules"],
            "Description": "What may",
            "DefaultAction": {"Block": {}},
            "VisibilityConfig": visible("other"),
        },
        untold={"Scope"},
    )


@case("WAFv2::WebACLAssociation")
def _(world: World) -> Case:
    vpc = world.vpc()
    acl = world.make("WAFv2::WebACL", **_acl())
    return Case(
        {"ResourceArn": world.balancer(vpc, world.subnets(vpc)), "WebACLArn": acl.attributes["Arn"]}, tagged=False
    )


@case("WAFv2::LoggingConfiguration")
def _(world: World) -> Case:
    acl = world.make("WAFv2::WebACL", **_acl())
    world.make("Logs::LogGroup", LogGroupName="aws-waf-logs-web")
    headers = [{"SingleHeader": {"Name": name}} for name in ("authorization", "cookie")]
    return Case(
        {
            "LogDestinationConfigs": ["arn:aws:logs:us-east-1:123456789012:log-group:aws-waf-logs-web"],
            "RedactedFields": headers[:1],
            "ResourceArn": acl.attributes["Arn"],
        },
        {"RedactedFields": [*headers, {"QueryString": {}}]},
        tagged=False,
    )
