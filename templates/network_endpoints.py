"""The network tier's endpoints: how private subnets reach AWS without the internet, and what of AWS they may reach.

Only what runs in the private subnets and calls AWS from there is served: Fargate (image, secrets, pointer, logs), the
validator (secrets, metrics, reports), DMS (secrets), and the cutover (secrets, pointer, tasks, rules, validations,
alarms, metrics, runs). KMS is called by those services, never from here, and no one calls STS.
"""

from __future__ import annotations

from collections.abc import Sequence

from awacs import cloudwatch, dms, ecr, elasticloadbalancing, s3, secretsmanager, ssm, states
from awacs import logs as log_actions
from awacs.aws import Action, PolicyDocument, Principal, StringEquals
from troposphere import AccountId, GetAtt, Ref, ec2

from contract import names
from contract.policies import allow, arn, bucket_arn, document
from contract.stack import Stack

_ANYONE = Principal("*")
_OUR_PRINCIPALS = StringEquals({"aws:PrincipalAccount": AccountId})


def add(stack: Stack, vpc: Ref, subnets: Sequence[Ref], route_tables: Sequence[Ref]) -> dict[str, Ref | GetAtt]:
    """Add all endpoints and the security group of the interface ones; returns output name → value."""
    given: dict[str, Ref | GetAtt] = {"s3_endpoint_id": Ref(_s3(stack, vpc, route_tables))}
    group = _security_group(stack, vpc)
    given["endpoint_security_group_id"] = GetAtt(group, "GroupId")
    for name, (service, actions, resources) in _services(stack).items():
        endpoint = stack.add(
            ec2.VPCEndpoint(
                "".join(word.capitalize() for word in name.split("-")) + "Endpoint",
                VpcId=vpc,
                VpcEndpointType="Interface",
                ServiceName=f"com.amazonaws.{stack.settings.region}.{service}",
                SubnetIds=list(subnets),
                SecurityGroupIds=[GetAtt(group, "GroupId")],
                PrivateDnsEnabled=True,
                PolicyDocument=document(allow("OurPrincipals", actions, resources, _OUR_PRINCIPALS, principal=_ANYONE)),
            ),
            name=f"endpoint-{name}",
        )
        given[f"{name.replace('-', '_')}_endpoint_id"] = Ref(endpoint)
    return given


def _services(stack: Stack) -> dict[str, tuple[str, list[Action], list[object]]]:
    """Name → (service, what may be called there, on what)."""
    # A token for the registry belongs to no repository, so the registry's endpoints have one policy for both calls.
    # https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-vpc-endpoint-policy
    pull = [ecr.BatchCheckLayerAvailability, ecr.BatchGetImage, ecr.GetAuthorizationToken, ecr.GetDownloadUrlForLayer]
    secrets = arn("secretsmanager", f"secret:{stack.names_like(names.SECRET)}")
    groups = arn("logs", f"log-group:{stack.names_like(names.LOG_GROUP)}")
    parameters, machines = stack.names_like(names.SSM_PARAMETER), stack.names_like(names.STATE_MACHINE)
    return {
        "secrets-manager": (
            "secretsmanager",
            [secretsmanager.DescribeSecret, secretsmanager.GetSecretValue],
            [secrets],
        ),
        "ecr-api": ("ecr.api", pull, ["*"]),
        "ecr-docker": ("ecr.dkr", pull, ["*"]),
        "logs": ("logs", [log_actions.CreateLogStream, log_actions.PutLogEvents], [groups]),
        # Metrics have no ARN; the roles are held to their namespaces.
        "monitoring": ("monitoring", [cloudwatch.DescribeAlarms, cloudwatch.PutMetricData], ["*"]),
        "ssm": ("ssm", [ssm.GetParameter, ssm.PutParameter], [arn("ssm", f"parameter{parameters}")]),
        # What is described there has no ARN; of what is changed the roles name each one.
        "dms": (
            "dms",
            [
                dms.DescribeReplicationTasks,
                dms.DescribeTableStatistics,
                dms.StartReplicationTask,
                dms.StopReplicationTask,
            ],
            ["*"],
        ),
        "load-balancing": (
            "elasticloadbalancing",
            [
                elasticloadbalancing.DescribeRules,
                elasticloadbalancing.DescribeTargetHealth,
                elasticloadbalancing.ModifyRule,
            ],
            ["*"],
        ),
        "states": (
            "states",
            [states.DescribeExecution, states.ListExecutions],
            [arn("states", f"{kind}:{machines}") for kind in ("stateMachine", "execution")],
        ),
    }


def _security_group(stack: Stack, vpc: Ref) -> ec2.SecurityGroup:
    return stack.add(
        ec2.SecurityGroup(
            "EndpointSecurityGroup",
            GroupName=stack.name(names.SECURITY_GROUP, "endpoints"),
            GroupDescription="Interface endpoints of AWS services",
            VpcId=vpc,
            SecurityGroupIngress=[
                ec2.SecurityGroupRule(
                    IpProtocol="tcp",
                    FromPort=443,
                    ToPort=443,
                    CidrIp=cidr,
                    Description=f"Private subnet {zone} calls AWS services",
                )
                for zone, cidr in enumerate(stack.settings.network.private_subnet_cidrs, start=1)
            ],
            # Without an egress rule CloudFormation would leave the group with "allow all"; this one leads nowhere.
            # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html
            SecurityGroupEgress=[
                ec2.SecurityGroupRule(IpProtocol="-1", CidrIp="127.0.0.1/32", Description="Endpoints only answer")
            ],
        ),
        name="endpoints-group",
    )


def _s3(stack: Stack, vpc: Ref, route_tables: Sequence[Ref]) -> ec2.VPCEndpoint:
    return stack.add(
        ec2.VPCEndpoint(
            "S3Endpoint",
            VpcId=vpc,
            VpcEndpointType="Gateway",
            ServiceName=f"com.amazonaws.{stack.settings.region}.s3",
            RouteTableIds=list(route_tables),
            PolicyDocument=_s3_policy(stack),
        ),
        name="endpoint-s3",
    )


def _s3_policy(stack: Stack) -> PolicyDocument:
    reports = stack.named_elsewhere(names.BUCKET, "reports")
    return document(
        # Layers come by links that ECR itself signed, so the principal is not of this account.
        # https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html#ecr-minimum-s3-perms
        allow(
            "ImageLayersOfEcr",
            [s3.GetObject],
            [bucket_arn(f"prod-{stack.settings.region}-starport-layer-bucket/*")],
            principal=_ANYONE,
        ),
        # The roles of validator and cutover say which of them each may read, write or delete.
        allow(
            "OurReports",
            [s3.DeleteObject, s3.GetObject, s3.ListBucket, s3.PutObject],
            [bucket_arn(reports), bucket_arn(f"{reports}/*")],
            _OUR_PRINCIPALS,
            principal=_ANYONE,
        ),
    )
