"""One question for each correction to moto: does what answers still misbehave?

Each is asked twice, of plain moto (it must, or the correction is no longer needed) and of the embedded AWS (it must not).
Run as a script it asks plain moto and prints the answers.
"""

from __future__ import annotations

import io
import json
import sys
import time
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/role"
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/{uuid.uuid4()}"
Clients = Callable[[str], Any]
PROBES: dict[str, Callable[[Clients], bool]] = {}


def probe(function: Callable[[Clients], bool]) -> Callable[[Clients], bool]:
    PROBES[function.__name__] = function
    return function


def fails(call: Callable[..., Any], **parameters: Any) -> bool:
    """Whether a call is refused that AWS would answer."""
    try:
        call(**parameters)
    except (ClientError, BotoCoreError):
        return True
    return False


def new(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def network(clients: Clients, zones: str = "ab") -> tuple[str, list[str], str]:
    """A VPC, a subnet in each zone and a security group."""
    ec2 = clients("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate(zones)
    ]
    group = ec2.create_security_group(GroupName=new("group"), Description="d", VpcId=vpc)["GroupId"]
    return vpc, subnets, group


def balancer(clients: Clients) -> str:
    _, subnets, group = network(clients)
    made = clients("elbv2").create_load_balancer(Name=new("lb"), Subnets=subnets, SecurityGroups=[group])
    return made["LoadBalancers"][0]["LoadBalancerArn"]


def target_group(clients: Clients, kind: str = "ip") -> str:
    vpc, _, _ = network(clients)
    made = clients("elbv2").create_target_group(Name=new("tg"), Protocol="HTTP", Port=80, VpcId=vpc, TargetType=kind)
    return made["TargetGroups"][0]["TargetGroupArn"]


def cluster(clients: Clients, **more: Any) -> str:
    name = new("cluster")
    clients("rds").create_db_cluster(
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        MasterUsername="admin1",
        MasterUserPassword="not-secret",
        **more,
    )
    return name


def described_cluster(clients: Clients, name: str) -> dict[str, Any]:
    return clients("rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]


def subnet_group(clients: Clients) -> str:
    _, subnets, _ = network(clients)
    name = new("subnets")
    clients("rds").create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=subnets)
    return name


def service(clients: Clients, **more: Any) -> dict[str, Any]:
    ecs = clients("ecs")
    _, subnets, group = network(clients)
    name = new("service")
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(family=name, containerDefinitions=[{"name": "c", "image": "i", "memory": 128}])
    awsvpc = {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": [group]}}
    ecs.create_service(
        cluster=name, serviceName=name, taskDefinition=name, desiredCount=2, networkConfiguration=awsvpc, **more
    )
    return ecs.describe_services(cluster=name, services=[name])["services"][0]


def archive(source: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("code.py", source)
    return buffer.getvalue()


def function(clients: Clients, source: str = "def handle(event, context): return event", **more: Any) -> str:
    name = new("function")
    given = {
        "Runtime": "python3.13",
        "Role": ROLE,
        "Handler": "code.handle",
        "Code": {"ZipFile": archive(source)},
        **more,
    }
    if not clients("iam").list_roles()["Roles"]:
        clients("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")
    clients("lambda").create_function(FunctionName=name, **given)
    return name


def endpoint(clients: Clients, **more: Any) -> tuple[str, str]:
    """A gateway endpoint without a route table, and a route table of its VPC."""
    ec2 = clients("ec2")
    vpc, _, _ = network(clients)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    made = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3", VpcEndpointType="Gateway", **more
    )
    return made["VpcEndpoint"]["VpcEndpointId"], table


def vpn(clients: Clients, **options: Any) -> dict[str, Any]:
    ec2 = clients("ec2")
    gateway = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    customer = ec2.create_customer_gateway(Type="ipsec.1", BgpAsn=65000, IpAddress="203.0.113.9", DeviceName="device")
    made = ec2.create_vpn_connection(
        Type="ipsec.1",
        CustomerGatewayId=customer["CustomerGateway"]["CustomerGatewayId"],
        VpnGatewayId=gateway,
        PreSharedKeyStorage="SecretsManager" if options else "Standard",
        Options=options,
    )
    return made["VpnConnection"]


def bucket(clients: Clients, *, policy: dict[str, Any] | None = None) -> str:
    name = new("bucket")
    clients("s3").create_bucket(Bucket=name)
    if policy:
        clients("s3").put_bucket_policy(Bucket=name, Policy=json.dumps(policy).replace("BUCKET", name))
    return name


DELIVERY = {
    "Effect": "Allow",
    "Principal": {"Service": "logging.s3.amazonaws.com"},
    "Action": ["s3:PutObject"],
    "Resource": ["arn:aws:s3:::BUCKET/*"],
}
PLAIN_HTTP = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["s3:*"],
    "Resource": ["arn:aws:s3:::BUCKET", "arn:aws:s3:::BUCKET/*"],
    "Condition": {"Bool": {"aws:SecureTransport": False}},
}


def target_of_logs(clients: Clients, *statements: dict[str, Any]) -> str:
    return bucket(clients, policy={"Version": "2012-10-17", "Statement": list(statements)})


def log_into(clients: Clients, target: str) -> str:
    name = bucket(clients)
    logging = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": ""}}
    clients("s3").put_bucket_logging(Bucket=name, BucketLoggingStatus=logging)
    return name


def web_acl(clients: Clients, protection: dict[str, Any]) -> dict[str, Any]:
    waf, name = clients("wafv2"), new("acl")
    visibility = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
    made = waf.create_web_acl(
        Name=name,
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        VisibilityConfig=visibility,
        DataProtectionConfig=protection,
    )["Summary"]
    return waf.get_web_acl(Name=name, Scope="REGIONAL", Id=made["Id"])["WebACL"]


# --- application auto scaling ---------------------------------------------------------------------------------------------
def scalable(clients: Clients, **more: Any) -> tuple[dict[str, str], str]:
    running = service(clients)
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": running["serviceArn"].partition(":service/")[2].join(["service/", ""]),
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    made = clients("application-autoscaling").register_scalable_target(MinCapacity=1, MaxCapacity=2, **target, **more)
    return target, made["ScalableTargetARN"]


@probe
def tag_scalable_targets(clients: Clients) -> bool:
    _, arn = scalable(clients, Tags={"a": "1"})
    scaling = clients("application-autoscaling")
    if fails(scaling.tag_resource, ResourceARN=arn, Tags={"b": "2"}):
        return True
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a", "absent"])
    refuses = fails(scaling.list_tags_for_resource, ResourceARN=f"{arn[:-1]}0")
    return scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] != {"b": "2"} or not refuses


@probe
def keep_the_arn_of_scaling_policies(clients: Clients) -> bool:
    target, _ = scalable(clients)
    scaling = clients("application-autoscaling")
    other = scaling.put_scaling_policy(
        PolicyName="other", PolicyType="TargetTrackingScaling", **_tracking(50), **target
    )
    arns = {
        scaling.put_scaling_policy(PolicyName="cpu", PolicyType="TargetTrackingScaling", **_tracking(value), **target)[
            "PolicyARN"
        ]
        for value in (50, 60)
    }
    alarms = clients("cloudwatch").describe_alarms(AlarmNamePrefix=f"TargetTracking-{target['ResourceId']}")[
        "MetricAlarms"
    ]
    actions = {alarm["AlarmActions"][0].partition(":createdBy")[0] for alarm in alarms}
    return len(arns) != 1 or len(alarms) != 4 or actions != arns | {other["PolicyARN"]}


def _tracking(value: float) -> dict[str, Any]:
    metric = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    return {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": value, "PredefinedMetricSpecification": metric}}


# --- lambda -----------------------------------------------------------------------------------------------------------
@probe
def run_functions_as_processes(clients: Clients) -> bool:
    name = function(clients, "def handle(event, context): return {'got': event['n'] + 1}")
    try:
        answer = clients("lambda").invoke(FunctionName=name, Payload=b'{"n": 41}')
    except (ClientError, BotoCoreError):
        return True
    return answer["Payload"].read() != b'{"got": 42}'


@probe
def keep_what_functions_are_configured_with(clients: Clients) -> bool:
    vpc, subnets, group = network(clients)
    logging = {"LogFormat": "JSON", "LogGroup": "/own/group"}
    name = function(
        clients,
        LoggingConfig=logging,
        VpcConfig={"SubnetIds": subnets, "SecurityGroupIds": [group]},
        DeadLetterConfig={"TargetArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:dead"},
    )
    changed = clients("lambda").update_function_configuration(
        FunctionName=name,
        TracingConfig={"Mode": "Active"},
        EphemeralStorage={"Size": 1024},
        KMSKeyArn="arn:aws:kms:::key/1",
    )
    clients("lambda").update_function_code(FunctionName=name, ZipFile=archive(""), Architectures=["arm64"])
    clients("lambda").update_function_code(FunctionName=name, ZipFile=archive("x = 1"))
    clients("lambda").update_function_configuration(FunctionName=name, Description="d")
    found = clients("lambda").get_function_configuration(FunctionName=name)
    return (
        (found.get("LoggingConfig"), found["VpcConfig"]["VpcId"], found["Architectures"]) != (logging, vpc, ["arm64"])
        or (changed["TracingConfig"], changed["EphemeralStorage"]) != ({"Mode": "Active"}, {"Size": 1024})
        or changed["KMSKeyArn"] != "arn:aws:kms:::key/1"
        or found["DeadLetterConfig"]["TargetArn"].rpartition(":")[2] != "dead"
    )


# --- cloudwatch -------------------------------------------------------------------------------------------------------
@probe
def have_composite_alarms(clients: Clients) -> bool:
    cloudwatch, name = clients("cloudwatch"), new("composite")
    given = {"AlarmName": name, "AlarmRule": "ALARM(x)", "ActionsSuppressor": "x", "ActionsSuppressorWaitPeriod": 60}
    if fails(
        cloudwatch.put_composite_alarm, **given, ActionsSuppressorExtensionPeriod=30, Tags=[{"Key": "a", "Value": "1"}]
    ):
        return True
    arn = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:{name}"
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "a", "Value": "2"}])
    unasked = cloudwatch.describe_alarms(AlarmNames=[name])
    asked = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["CompositeAlarm"])
    found = asked["CompositeAlarms"][0]
    tags = cloudwatch.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"]
    return bool(
        unasked["CompositeAlarms"]
        or asked["MetricAlarms"]
        or {key: found.get(key) for key in given} != given
        or tags != [{"Key": "a", "Value": "2"}]
    )


@probe
def tag_dashboards(clients: Clients) -> bool:
    cloudwatch, name = clients("cloudwatch"), new("dashboard")
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody="{}", Tags=[{"Key": "a", "Value": "1"}])
    arn = cloudwatch.get_dashboard(DashboardName=name)["DashboardArn"]
    if fails(cloudwatch.tag_resource, ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}]):
        return True
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody="{}")
    tags = {tag["Key"]: tag["Value"] for tag in cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]}
    return tags != {"a": "1", "b": "2"}


@probe
def forget_the_tags_of_what_is_deleted(clients: Clients) -> bool:
    cloudwatch, name = clients("cloudwatch"), new("name")
    alarm = {
        "AlarmName": name,
        "ComparisonOperator": "GreaterThanThreshold",
        "EvaluationPeriods": 1,
        "MetricName": "m",
        "Namespace": "n",
        "Period": 60,
        "Statistic": "Sum",
        "Threshold": 1.0,
    }
    cloudwatch.put_metric_alarm(**alarm, Tags=[{"Key": "a", "Value": "1"}])
    cloudwatch.delete_alarms(AlarmNames=[name])
    cloudwatch.put_metric_alarm(**alarm)
    arn = f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:{name}"
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody="{}", Tags=[{"Key": "a", "Value": "1"}])
    board = cloudwatch.get_dashboard(DashboardName=name)["DashboardArn"]
    cloudwatch.delete_dashboards(DashboardNames=[name])
    return bool(
        cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
        or cloudwatch.list_tags_for_resource(ResourceARN=board)["Tags"]
        or not fails(cloudwatch.delete_dashboards, DashboardNames=[name])
    )


# --- ec2 --------------------------------------------------------------------------------------------------------------
@probe
def know_the_prefix_lists_of_gateways(clients: Clients) -> bool:
    found = clients("ec2").describe_managed_prefix_lists()["PrefixLists"]
    ids = {one["PrefixListName"]: (one["PrefixListId"], one["PrefixListArn"]) for one in found}
    number, arn = ids["com.amazonaws.us-east-1.s3"]
    return number != "pl-63a5400a" or not arn.endswith("/pl-63a5400a") or len(ids) != len(found)


@probe
def change_endpoints(clients: Clients) -> bool:
    ec2 = clients("ec2")
    name, table = endpoint(clients, PolicyDocument="{}")
    ec2.modify_vpc_endpoint(VpcEndpointId=name, AddRouteTableIds=[table], ResetPolicy=True, PrivateDnsEnabled=True)
    found = ec2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"][0]
    routes = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    if found["RouteTableIds"] != [table] or not any(route.get("GatewayId") == name for route in routes):
        return True
    ec2.modify_vpc_endpoint(VpcEndpointId=name, RemoveRouteTableIds=[table])
    after = ec2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"][0]
    left = ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]
    wrong = after.get("RouteTableIds") or found["PolicyDocument"] == "{}" or not found["PrivateDnsEnabled"]
    return bool(wrong or any(route.get("GatewayId") == name for route in left) or _interfaces_stay(clients))


def _interfaces_stay(clients: Clients) -> bool:
    ec2 = clients("ec2")
    vpc, subnets, group = network(clients)
    name = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName="com.amazonaws.us-east-1.logs",
        VpcEndpointType="Interface",
        SubnetIds=subnets[:1],
        SecurityGroupIds=[group],
    )["VpcEndpoint"]["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=name, AddSubnetIds=subnets[1:], RemoveSubnetIds=subnets[:1])
    found = ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkInterfaces"]
    told = ec2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"][0]
    return [one["SubnetId"] for one in found] != subnets[1:] or told["NetworkInterfaceIds"] != [
        found[0]["NetworkInterfaceId"]
    ]


@probe
def name_interface_endpoints(clients: Clients) -> bool:
    vpc, subnets, group = network(clients)
    made = clients("ec2").create_vpc_endpoint(
        VpcId=vpc,
        ServiceName="com.amazonaws.us-east-1.ecr.api",
        VpcEndpointType="Interface",
        SubnetIds=subnets,
        SecurityGroupIds=[group],
    )["VpcEndpoint"]
    other = clients("ec2").create_vpc_endpoint(
        VpcId=vpc, ServiceName="com.amazonaws.vpce.us-east-1.vpce-svc-1", VpcEndpointType="Interface", SubnetIds=subnets
    )["VpcEndpoint"]
    return (
        not made["DnsEntries"][0]["DnsName"].endswith(".api.ecr.us-east-1.vpce.amazonaws.com")
        or "vpce-svc-1" not in other["DnsEntries"][0]["DnsName"]
    )


@probe
def take_interfaces_of_nat_gateways_along(clients: Clients) -> bool:
    ec2 = clients("ec2")
    vpc, subnets, _ = network(clients)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    return bool(ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkInterfaces"])


@probe
def propagate_routes_of_vpn_gateways(clients: Clients) -> bool:
    ec2 = clients("ec2")
    vpc, _, _ = network(clients)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]

    def told() -> list[dict[str, str]]:
        return ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0].get("PropagatingVgws", [])

    if fails(ec2.enable_vgw_route_propagation, GatewayId=gateway, RouteTableId=table):
        return True
    enabled = told()
    ec2.disable_vgw_route_propagation(GatewayId=gateway, RouteTableId=table)
    return enabled != [{"GatewayId": gateway}] or told() != []


@probe
def keep_the_names_of_customer_devices(clients: Clients) -> bool:
    made = clients("ec2").create_customer_gateway(
        Type="ipsec.1", BgpAsn=65000, IpAddress="203.0.113.8", DeviceName="device"
    )["CustomerGateway"]
    found = clients("ec2").describe_customer_gateways(CustomerGatewayIds=[made["CustomerGatewayId"]])[
        "CustomerGateways"
    ]
    return found[0].get("DeviceName") != "device"


@probe
def keep_the_options_of_vpn_connections(clients: Clients) -> bool:
    ec2 = clients("ec2")
    made = vpn(
        clients,
        StaticRoutesOnly=True,
        TunnelOptions=[{"IKEVersions": [{"Value": "ikev2"}], "DPDTimeoutAction": "restart"}],
    )
    name = made["VpnConnectionId"]
    gateway = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    if fails(ec2.modify_vpn_connection, VpnConnectionId=name, VpnGatewayId=gateway):
        return True
    second = made["Options"]["TunnelOptions"][1]["OutsideIpAddress"]
    ec2.modify_vpn_tunnel_options(
        VpnConnectionId=name, VpnTunnelOutsideIpAddress=second, TunnelOptions={"DPDTimeoutSeconds": 40}
    )
    found = ec2.describe_vpn_connections(VpnConnectionIds=[name])["VpnConnections"][0]
    first, other = found["Options"]["TunnelOptions"]
    unknown = {"VpnTunnelOutsideIpAddress": "192.0.2.1", "TunnelOptions": {}}
    return (
        found["VpnGatewayId"] != gateway
        or found["Options"]["StaticRoutesOnly"] is not True
        or (first["IkeVersions"], first["DpdTimeoutAction"]) != ([{"Value": "ikev2"}], "restart")
        or other["DpdTimeoutSeconds"] != 40
        or not found["PreSharedKeyArn"].startswith("arn:aws:secretsmanager:us-east-1:")
        or "PreSharedKeyArn" in vpn(clients)
        or not fails(ec2.modify_vpn_tunnel_options, VpnConnectionId=name, **unknown)
    )


def _rules(clients: Clients) -> tuple[str, list[dict[str, Any]]]:
    """A group with a rule for each kind of peer, described."""
    ec2 = clients("ec2")
    vpc, _, group = network(clients)
    peer = ec2.create_security_group(GroupName=new("peer"), Description="d", VpcId=vpc)["GroupId"]
    peers = (
        {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "cidr"}]},
        {"UserIdGroupPairs": [{"GroupId": peer, "Description": "group"}]},
        {"PrefixListIds": [{"PrefixListId": "pl-63a5400a", "Description": "list"}]},
    )
    permissions = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, **one} for one in peers]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    return group, permissions


def _described(clients: Clients, group: str) -> dict[str, str | None]:
    found = clients("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    return {
        rule["SecurityGroupRuleId"]: rule.get("Description")
        for rule in found["SecurityGroupRules"]
        if not rule["IsEgress"]
    }


@probe
def describe_rules_of_every_peer(clients: Clients) -> bool:
    group, _ = _rules(clients)
    told = clients("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    lists = [one.get("Description") for permission in told for one in permission["PrefixListIds"]]
    undescribed = {"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-02cd2c6b"}]}
    clients("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[undescribed])
    told = clients("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    both = [one.get("Description") for permission in told for one in permission["PrefixListIds"]]
    texts = set(_described(clients, group).values())
    return (texts, lists, both) != ({"cidr", "group", "list", None}, ["list"], ["list", None])


@probe
def change_descriptions_of_rules(clients: Clients) -> bool:
    ec2 = clients("ec2")
    group, permissions = _rules(clients)
    changes = [{"SecurityGroupRuleId": rule, "Description": f"new {rule}"} for rule in _described(clients, group)]
    ec2.update_security_group_rule_descriptions_ingress(GroupId=group, SecurityGroupRuleDescriptions=changes)
    by_id = _described(clients, group)
    for one in ("IpRanges", "UserIdGroupPairs", "PrefixListIds"):
        for permission in permissions:
            for peer in permission.get(one, ()):
                peer.pop("Description", None)
                if one == "PrefixListIds":
                    peer["Description"] = "by peer"
    ec2.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=permissions)
    wrong = [{"SecurityGroupRuleId": "sgr-1", "Description": "d"}]
    refuses = fails(
        ec2.update_security_group_rule_descriptions_ingress, GroupId=group, SecurityGroupRuleDescriptions=wrong
    )
    return (
        any(text != f"new {rule}" for rule, text in by_id.items())
        or sorted(str(text) for text in _described(clients, group).values()) != ["None", "None", "by peer"]
        or not refuses
    )


@probe
def tell_rules_apart_by_their_peers(clients: Clients) -> bool:
    group, permissions = _rules(clients)
    permissions[1]["UserIdGroupPairs"][0]["Description"] = "another"
    return not fails(clients("ec2").authorize_security_group_ingress, GroupId=group, IpPermissions=permissions[1:2])


# --- ecs --------------------------------------------------------------------------------------------------------------
@probe
def run_the_tasks_of_services(clients: Clients) -> bool:
    made = service(clients)
    name = made["serviceName"]
    clients("ecs").update_service(cluster=name, service=name, desiredCount=3)
    found = clients("ecs").describe_services(cluster=name, services=[name])["services"][0]
    primary = found["deployments"][0]
    return (
        (made["runningCount"], found["runningCount"], found["pendingCount"]) != (2, 3, 0)
        or primary["rolloutState"] != "COMPLETED"
        or primary["runningCount"] != 3
    )


@probe
def keep_the_settings_of_services(clients: Clients) -> bool:
    given = {
        "deploymentConfiguration": {"maximumPercent": 150, "minimumHealthyPercent": 50},
        "enableECSManagedTags": True,
        "enableExecuteCommand": True,
        "availabilityZoneRebalancing": "ENABLED",
    }
    made = service(clients, **given)
    name = made["serviceName"]
    clients("ecs").update_service(cluster=name, service=name, healthCheckGracePeriodSeconds=60)
    found = clients("ecs").describe_services(cluster=name, services=[name])["services"][0]
    return {key: found.get(key) for key in given} != given or found.get("healthCheckGracePeriodSeconds") != 60


# --- elbv2 ------------------------------------------------------------------------------------------------------------
@probe
def have_the_certificates_of_the_account(clients: Clients) -> bool:
    elbv2 = clients("elbv2")
    arn, group = balancer(clients), target_group(clients)
    given = {
        "LoadBalancerArn": arn,
        "Protocol": "HTTPS",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}],
    }
    if fails(elbv2.create_listener, **given, Port=443, Certificates=[{"CertificateArn": CERTIFICATE}]):
        return True
    found = clients("acm").describe_certificate(CertificateArn=CERTIFICATE)["Certificate"]
    listener = elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"][0]["ListenerArn"]
    other = f"{CERTIFICATE[:-1]}{'0' if CERTIFICATE[-1] != '0' else '1'}"
    elbv2.modify_listener(ListenerArn=listener, Certificates=[{"CertificateArn": other}], Protocol="HTTPS")
    elsewhere = CERTIFICATE.replace("us-east-1", "us-west-2")
    refuses = fails(elbv2.create_listener, **given, Port=444, Certificates=[{"CertificateArn": elsewhere}])
    return found["Status"] != "ISSUED" or not refuses


@probe
def keep_the_zone_of_a_target(clients: Clients) -> bool:
    group = target_group(clients)
    elbv2 = clients("elbv2")
    targets = [{"Id": "192.0.2.1", "Port": 80, "AvailabilityZone": "all"}, {"Id": "192.0.2.2", "Port": 80}]
    elbv2.register_targets(TargetGroupArn=group, Targets=targets)
    found = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return [one["Target"].get("AvailabilityZone") for one in found] != ["all", None]


@probe
def protect_load_balancers_from_deletion(clients: Clients) -> bool:
    arn, elbv2 = balancer(clients), clients("elbv2")

    def protect(value: str) -> None:
        attributes = [{"Key": "deletion_protection.enabled", "Value": value}]
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)

    protect("true")
    if not fails(elbv2.delete_load_balancer, LoadBalancerArn=arn):
        return True
    protect("false")
    return fails(elbv2.delete_load_balancer, LoadBalancerArn=arn)


# --- iam --------------------------------------------------------------------------------------------------------------
@probe
def load_managed_policies_of_one_partition(_: Clients) -> bool:
    from moto.iam.models import iam_backends

    ours = iam_backends[ACCOUNT]["aws"].aws_managed_policies
    return not ours or bool(iam_backends[ACCOUNT]["aws-cn"].aws_managed_policies)


# --- logs -------------------------------------------------------------------------------------------------------------
@probe
def have_policies_of_log_groups(clients: Clients) -> bool:
    logs, name = clients("logs"), new("/group")
    logs.create_log_group(logGroupName=name)
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}"
    one = {"resourceArn": f"{arn}:*", "policyDocument": "{}"}
    if fails(logs.put_resource_policy, **one):
        return True
    answer = logs.put_resource_policy(**one)["resourcePolicy"]
    logs.put_resource_policy(policyName="named", policyDocument="{}")
    own = logs.describe_resource_policies(policyScope="RESOURCE", resourceArn=arn)["resourcePolicies"]
    named = [policy.get("policyName") for policy in logs.describe_resource_policies()["resourcePolicies"]]
    logs.delete_resource_policy(resourceArn=arn)
    refuses = fails(logs.delete_resource_policy, resourceArn=arn)
    logs.delete_resource_policy(policyName="named")
    logs.put_resource_policy(**one)
    logs.delete_log_group(logGroupName=name)
    left = logs.describe_resource_policies(policyScope="RESOURCE", resourceArn=arn)["resourcePolicies"]
    return own != [answer] or answer["revisionId"] != "2" or named != ["named"] or not refuses or bool(left)


@probe
def change_keys_of_log_groups(clients: Clients) -> bool:
    logs, name = clients("logs"), new("/group")
    logs.create_log_group(logGroupName=name)

    def key() -> str | None:
        return logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0].get("kmsKeyId")

    if fails(logs.associate_kms_key, logGroupName=name, kmsKeyId="arn:aws:kms:::key/1"):
        return True
    associated = key()
    logs.disassociate_kms_key(resourceIdentifier=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}")
    refuses = fails(logs.disassociate_kms_key, logGroupName="/absent")
    return (associated, key()) != ("arn:aws:kms:::key/1", None) or not refuses


# --- rds --------------------------------------------------------------------------------------------------------------
@probe
def take_the_storage_type_aurora(clients: Clients) -> bool:
    name = new("cluster")
    given = {"Engine": "aurora-postgresql", "MasterUsername": "admin1", "MasterUserPassword": "not-secret"}
    if fails(clients("rds").create_db_cluster, DBClusterIdentifier=name, StorageType="aurora", **given):
        return True
    return described_cluster(clients, name)["StorageType"] != "aurora"


@probe
def replace_automated_snapshots_of_the_same_minute(clients: Clients) -> bool:
    rds = clients("rds")
    given = {"Engine": "aurora-postgresql", "MasterUsername": "admin1", "MasterUserPassword": "not-secret"}
    name = new("cluster")
    for _ in range(2):  # within two minutes at worst, so twice
        rds.create_db_cluster(DBClusterIdentifier=name, **given)
        rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
        if fails(rds.create_db_cluster, DBClusterIdentifier=name, **given):
            return True
        rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    return False


@probe
def keep_what_is_observed_of_databases(clients: Clients) -> bool:
    rds = clients("rds")
    name = cluster(clients, EnablePerformanceInsights=True, DatabaseInsightsMode="standard", MonitoringInterval=60)
    instance = new("instance")
    rds.create_db_instance(
        DBInstanceIdentifier=instance,
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
        EnablePerformanceInsights=True,
        MonitoringInterval=30,
        MonitoringRoleArn=ROLE,
    )
    rds.modify_db_cluster(DBClusterIdentifier=name, MonitoringInterval=15, EnableIAMDatabaseAuthentication=True)
    rds.modify_db_instance(DBInstanceIdentifier=instance, MonitoringInterval=5, MonitoringRoleArn=ROLE)
    found = described_cluster(clients, name)
    member = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    told = [found.get(key) for key in ("PerformanceInsightsEnabled", "DatabaseInsightsMode", "MonitoringInterval")]
    return (
        told != [True, "standard", 15]
        or [member.get("PerformanceInsightsEnabled"), member.get("MonitoringInterval")] != [True, 5]
        or not found["IAMDatabaseAuthenticationEnabled"]
    )


@probe
def switch_the_log_exports_of_clusters(clients: Clients) -> bool:
    name = cluster(clients, EnableCloudwatchLogsExports=["postgresql"])
    exports = {"EnableLogTypes": ["instance"], "DisableLogTypes": ["postgresql"]}
    changed = clients("rds").modify_db_cluster(DBClusterIdentifier=name, CloudwatchLogsExportConfiguration=exports)
    told = (changed["DBCluster"], described_cluster(clients, name))
    return any(one.get("EnabledCloudwatchLogsExports") != ["instance"] for one in told)


@probe
def change_subnet_groups_in_place(clients: Clients) -> bool:
    name = subnet_group(clients)
    _, subnets, _ = network(clients)
    clients("rds").modify_db_subnet_group(DBSubnetGroupName=name, SubnetIds=subnets)
    if fails(clients("rds").describe_db_subnet_groups, DBSubnetGroupName=name):
        return True
    found = clients("rds").describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"][0]
    return sorted(one["SubnetIdentifier"] for one in found["Subnets"]) != sorted(subnets)


@probe
def tell_the_subnets_of_cluster_instances(clients: Clients) -> bool:
    group = subnet_group(clients)
    name = cluster(clients, DBSubnetGroupName=group)
    made = clients("rds").create_db_instance(
        DBInstanceIdentifier=new("instance"),
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
    )["DBInstance"]
    return made.get("DBSubnetGroup", {}).get("DBSubnetGroupName") != group


@probe
def refuse_to_delete_groups_in_use(clients: Clients) -> bool:
    rds = clients("rds")
    subnets, parameters, own = subnet_group(clients), new("cluster-parameters"), new("parameters")
    family = {"DBParameterGroupFamily": "aurora-postgresql16", "Description": "d"}
    rds.create_db_cluster_parameter_group(DBClusterParameterGroupName=parameters, **family)
    rds.create_db_parameter_group(DBParameterGroupName=own, **family)
    name = cluster(clients, DBSubnetGroupName=subnets, DBClusterParameterGroupName=parameters)
    instance = new("instance")
    rds.create_db_instance(
        DBInstanceIdentifier=instance,
        DBClusterIdentifier=name,
        Engine="aurora-postgresql",
        DBInstanceClass="db.r6g.large",
        DBParameterGroupName=own,
    )

    def refusals() -> list[bool]:
        return [
            fails(rds.delete_db_subnet_group, DBSubnetGroupName=subnets),
            fails(rds.delete_db_cluster_parameter_group, DBClusterParameterGroupName=parameters),
            fails(rds.delete_db_parameter_group, DBParameterGroupName=own),
        ]

    if refusals() != [True, True, True]:
        return True
    rds.delete_db_instance(DBInstanceIdentifier=instance, SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
    return refusals() != [False, False, False]


@probe
def change_event_subscriptions(clients: Clients) -> bool:
    rds, name = clients("rds"), new("subscription")
    rds.create_event_subscription(
        SubscriptionName=name,
        SnsTopicArn="arn:aws:sns:us-east-1:123456789012:t",
        SourceType="db-cluster",
        SourceIds=["a"],
    )
    if fails(rds.modify_event_subscription, SubscriptionName=name, EventCategories=["failover"], Enabled=False):
        return True
    rds.add_source_identifier_to_subscription(SubscriptionName=name, SourceIdentifier="b")
    rds.remove_source_identifier_from_subscription(SubscriptionName=name, SourceIdentifier="a")
    found = rds.describe_event_subscriptions(SubscriptionName=name)["EventSubscriptionsList"][0]
    told = found["EventCategoriesList"], found["SourceIdsList"], found["Enabled"], found["SourceType"]
    return told != (["failover"], ["b"], False, "db-cluster")


@probe
def reset_parameter_groups(clients: Clients) -> bool:
    rds, name = clients("rds"), new("parameters")
    family = {"DBParameterGroupFamily": "aurora-postgresql16", "Description": "d"}
    rds.create_db_parameter_group(DBParameterGroupName=name, **family)
    rds.create_db_cluster_parameter_group(DBClusterParameterGroupName=name, **family)
    values = [{"ParameterName": key, "ParameterValue": "1", "ApplyMethod": "immediate"} for key in ("a", "b")]
    rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=values)
    rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=name, Parameters=values)
    if fails(rds.reset_db_parameter_group, DBParameterGroupName=name, Parameters=values[:1]):
        return True
    rds.reset_db_cluster_parameter_group(DBClusterParameterGroupName=name, ResetAllParameters=True)
    left = rds.describe_db_parameters(DBParameterGroupName=name)["Parameters"]
    clusters = rds.describe_db_cluster_parameters(DBClusterParameterGroupName=name)["Parameters"]
    refuses = fails(rds.reset_db_parameter_group, DBParameterGroupName="absent")
    return [one["ParameterName"] for one in left] != ["b"] or bool(clusters) or not refuses


# --- s3 ---------------------------------------------------------------------------------------------------------------
@probe
def honour_conditions_of_bucket_policies(clients: Clients) -> bool:
    open_bucket = bucket(clients, policy={"Version": "2012-10-17", "Statement": [PLAIN_HTTP]})
    if fails(clients("s3").put_object, Bucket=open_bucket, Key="k", Body=b"x"):
        return True
    met = {**PLAIN_HTTP, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    closed = bucket(clients, policy={"Version": "2012-10-17", "Statement": [met]})
    return not fails(clients("s3").put_object, Bucket=closed, Key="k", Body=b"x")


@probe
def take_any_principal_in_logging_policies(clients: Clients) -> bool:
    elsewhere = {**DELIVERY, "Resource": ["arn:aws:s3:::another/*", "arn:aws:s3:::third/*"]}
    target = target_of_logs(clients, PLAIN_HTTP, elsewhere, DELIVERY)
    logging = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": ""}}
    if fails(clients("s3").put_bucket_logging, Bucket=bucket(clients), BucketLoggingStatus=logging):
        return True
    for other in (target_of_logs(clients, PLAIN_HTTP), bucket(clients)):
        logging["LoggingEnabled"]["TargetBucket"] = other
        if not fails(clients("s3").put_bucket_logging, Bucket=bucket(clients), BucketLoggingStatus=logging):
            return True
    return False


@probe
def deliver_no_access_logs(clients: Clients) -> bool:
    target = target_of_logs(clients, {**DELIVERY, "Action": "s3:PutObject", "Resource": "arn:aws:s3:::BUCKET/*"})
    source = bucket(clients)
    logging = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": ""}}
    single = fails(clients("s3").put_bucket_logging, Bucket=source, BucketLoggingStatus=logging)
    if single:  # moto reads "s3:PutObject" in a text as it does in a list
        raise AssertionError("the bucket takes no logs, so nothing is shown")
    clients("s3").put_object(Bucket=source, Key="k", Body=b"x")
    return bool(clients("s3").list_objects_v2(Bucket=target)["KeyCount"])


# --- small ones -------------------------------------------------------------------------------------------------------
@probe
def tell_the_signature_version_of_topics(clients: Clients) -> bool:
    sns = clients("sns")
    arn = sns.create_topic(Name=new("topic"), Attributes={"SignatureVersion": "2"})["TopicArn"]
    plain = sns.create_topic(Name=new("topic"))["TopicArn"]
    told = [sns.get_topic_attributes(TopicArn=one)["Attributes"].get("SignatureVersion") for one in (arn, plain)]
    return told != ["2", None]


@probe
def name_executions(clients: Clients) -> bool:
    machines = clients("stepfunctions")
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
    arn = machines.create_state_machine(name=new("machine"), definition=definition, roleArn=ROLE)["stateMachineArn"]
    started = machines.start_execution(stateMachineArn=arn)["executionArn"]
    while machines.describe_execution(executionArn=started)["status"] == "RUNNING":
        time.sleep(0.01)
    return fails(machines.start_execution, stateMachineArn=arn)


def ends_as(clients: Clients, states: dict[str, Any], **more: Any) -> str:
    """How an execution ends."""
    machines = clients("stepfunctions")
    definition = json.dumps({"StartAt": next(iter(states)), "States": states, **more})
    arn = machines.create_state_machine(name=new("machine"), definition=definition, roleArn=ROLE)["stateMachineArn"]
    started = machines.start_execution(stateMachineArn=arn, name=new("run"))["executionArn"]
    while (status := machines.describe_execution(executionArn=started)["status"]) == "RUNNING":
        time.sleep(0.01)
    return str(status)


@probe
def start_executions_from_executions(clients: Clients) -> bool:
    machines = clients("stepfunctions")
    inner = {"Judge": {"Type": "Choice", "Choices": [{"Variable": "$.fine", "BooleanEquals": True, "Next": "Fine"}],
             "Default": "Bad"}, "Fine": {"Type": "Succeed"}, "Bad": {"Type": "Fail", "Error": "Bad"}}  # fmt: skip
    arn = machines.create_state_machine(
        name=new("inner"), definition=json.dumps({"StartAt": "Judge", "States": inner}), roleArn=ROLE
    )["stateMachineArn"]

    def outer(*, fine: bool) -> dict[str, Any]:
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": {"StateMachineArn": arn, "Input": {"fine": fine}},
            "ResultSelector": {"status.$": "$.Status"},
            "Catch": [{"ErrorEquals": ["States.TaskFailed"], "Next": "Judge"}],
            "End": True,
        }
        found = {"Variable": "$.Cause", "StringMatches": '*"Error":*"Bad"*', "Next": "Seen"}
        return {
            "Run": task,
            "Judge": {"Type": "Choice", "Choices": [found]},
            "Seen": {"Type": "Fail", "Error": "Seen"},
        }

    return (ends_as(clients, outer(fine=True)), ends_as(clients, outer(fine=False))) != ("SUCCEEDED", "FAILED")


@probe
def let_branches_fail_by_errors_of_the_service(clients: Clients) -> bool:
    no_choice = {"Choose": {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsPresent": True, "Next": "End"}]},
                 "End": {"Type": "Succeed"}}  # fmt: skip
    states = {
        "Both": {
            "Type": "Parallel",
            "Branches": [{"StartAt": "Choose", "States": no_choice}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}],
            "End": True,
        },
        "Caught": {"Type": "Succeed"},
    }
    return ends_as(clients, states) != "SUCCEEDED"


@probe
def keep_what_was_stopped_stopped(clients: Clients) -> bool:
    machines = clients("stepfunctions")
    wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 30, "End": True}}}
    each = {"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **wait}, "End": True}
    states = {"Items": {"Type": "Pass", "Result": [1], "Next": "Each"}, "Each": each}
    definition = json.dumps({"StartAt": "Items", "States": states})
    arn = machines.create_state_machine(name=new("machine"), definition=definition, roleArn=ROLE)["stateMachineArn"]
    started = machines.start_execution(stateMachineArn=arn, name=new("run"))["executionArn"]
    while "WaitStateEntered" not in str(machines.get_execution_history(executionArn=started)["events"]):
        time.sleep(0.01)
    machines.stop_execution(executionArn=started)
    for _ in range(1000):  # its states end after it
        status = machines.describe_execution(executionArn=started)["status"]
        if status not in ("RUNNING", "ABORTED"):
            break
        time.sleep(0.001)
    return str(status) != "ABORTED"


@probe
def end_branches_that_were_stopped_as_they_began(clients: Clients) -> bool:
    machines = clients("stepfunctions")
    waits = [{"StartAt": f"W{n}", "States": {f"W{n}": {"Type": "Wait", "Seconds": 60, "End": True}}} for n in range(80)]
    definition = json.dumps({"StartAt": "All", "States": {"All": {"Type": "Parallel", "Branches": waits, "End": True}}})
    arn = machines.create_state_machine(name=new("machine"), definition=definition, roleArn=ROLE)["stateMachineArn"]
    for _ in range(20):  # until it is stopped between the first branch's beginning and the last one's
        started = machines.start_execution(stateMachineArn=arn, name=new("run"))["executionArn"]
        while "ParallelStateStarted" not in str(machines.get_execution_history(executionArn=started)["events"]):
            time.sleep(0.001)
        machines.stop_execution(executionArn=started)
        until = time.monotonic() + 10
        while machines.describe_execution(executionArn=started)["status"] == "RUNNING":
            if time.monotonic() > until:
                return True
            time.sleep(0.01)
    return False


@probe
def keep_data_protection_of_web_acls(clients: Clients) -> bool:
    protection = {"DataProtections": [{"Field": {"FieldType": "BODY"}, "Action": "HASH"}]}
    web_acl(clients, protection)
    acl = web_acl(clients, protection)
    waf = clients("wafv2")
    told = {"Name": acl["Name"], "Scope": "REGIONAL", "Id": acl["Id"]}
    token = waf.get_web_acl(**told)["LockToken"]
    waf.update_web_acl(**told, LockToken=token, DefaultAction={"Allow": {}}, VisibilityConfig=acl["VisibilityConfig"])
    after = waf.get_web_acl(**told)["WebACL"]
    return acl.get("DataProtectionConfig") != protection or "DataProtectionConfig" in after


# --- why DMS is a service of our own ------------------------------------------------------------------------------------
@probe
def dms_of_our_own(clients: Clients) -> bool:
    dms = clients("dms")
    vpc, subnets, _ = network(clients)
    group = dms.create_replication_subnet_group(
        ReplicationSubnetGroupIdentifier=new("group"), ReplicationSubnetGroupDescription="d", SubnetIds=subnets
    )["ReplicationSubnetGroup"]
    instance = dms.create_replication_instance(
        ReplicationInstanceIdentifier=new("instance"), ReplicationInstanceClass="dms.t3.medium"
    )["ReplicationInstance"]["ReplicationInstanceArn"]
    ends = [
        dms.create_endpoint(EndpointIdentifier=new(side), EndpointType=side, EngineName="postgres")["Endpoint"][
            "EndpointArn"
        ]
        for side in ("source", "target")
    ]
    name = new("task")
    dms.create_replication_task(
        ReplicationTaskIdentifier=name,
        SourceEndpointArn=ends[0],
        TargetEndpointArn=ends[1],
        ReplicationInstanceArn=instance,
        MigrationType="full-load-and-cdc",
        TableMappings="{}",
    )
    filters = [{"Name": "replication-task-id", "Values": [name]}]
    task = dms.describe_replication_tasks(Filters=filters)["ReplicationTasks"][0]
    return bool(
        group["VpcId"] != vpc
        or task["Status"] != "ready"
        or fails(dms.describe_table_statistics, ReplicationTaskArn=task["ReplicationTaskArn"])
        or fails(
            dms.modify_replication_task, ReplicationTaskArn=task["ReplicationTaskArn"], TableMappings='{"rules": []}'
        )
    )


def ask_plain_moto() -> dict[str, Any]:
    """Whether plain moto misbehaves, by the name of the correction; a text where the question itself failed."""
    from localaws import shims
    from localaws.account import Account
    from localaws.transport import Clients as InProcess

    shims.apply = lambda _service: None
    clients = InProcess(Account()._ask_moto, "us-east-1")
    answers: dict[str, Any] = {}
    for name, question in PROBES.items():
        try:
            answers[name] = question(clients)
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is no answer
            answers[name] = repr(problem)
    return answers


if __name__ == "__main__":
    print(json.dumps(ask_plain_moto()), file=sys.stdout)
