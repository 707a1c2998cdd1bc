"""Every taggable resource carries the tags of its environment."""

from __future__ import annotations

import pytest

from contract.tags import tag_values


@pytest.fixture(scope="module")
def wanted(settings):
    return tag_values(settings)


def pairs(tags, key="Key", value="Value"):
    return {tag[key]: tag[value] for tag in tags}


READERS = {
    "vpc": lambda d: pairs(d.client("ec2").describe_vpcs(VpcIds=[d["VPCId"]])["Vpcs"][0]["Tags"]),
    "subnet": lambda d: pairs(
        d.client("ec2").describe_subnets(SubnetIds=[d["Network.PrivateSubnet1Id"]])["Subnets"][0]["Tags"]
    ),
    "NAT gateway": lambda d: pairs(
        d.client("ec2").describe_nat_gateways(NatGatewayIds=[d["Network.NatGateway1Id"]])["NatGateways"][0]["Tags"]
    ),
    "VPC endpoint": lambda d: pairs(
        d.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[d["Network.S3EndpointId"]])["VpcEndpoints"][0]["Tags"]
    ),
    "security group": lambda d: pairs(
        d.client("ec2").describe_security_groups(GroupIds=[d["Security.DatabaseSecurityGroupId"]])["SecurityGroups"][0][
            "Tags"
        ]
    ),
    "key": lambda d: pairs(
        d.client("kms").list_resource_tags(KeyId=d["Encryption.DataKeyArn"])["Tags"], "TagKey", "TagValue"
    ),
    "role": lambda d: pairs(d.client("iam").list_role_tags(RoleName=d["Identity.TaskRoleName"])["Tags"]),
    "cluster": lambda d: pairs(
        d.client("rds").describe_db_clusters(DBClusterIdentifier=d["Database.ClusterId"])["DBClusters"][0]["TagList"]
    ),
    "instance": lambda d: pairs(
        d.client("rds").describe_db_instances(DBInstanceIdentifier=d["Database.WriterInstanceId"])["DBInstances"][0][
            "TagList"
        ]
    ),
    "secret": lambda d: pairs(d.client("secretsmanager").describe_secret(SecretId=d["Database.DmsSecretArn"])["Tags"]),
    "load balancer": lambda d: pairs(
        d.client("elbv2").describe_tags(ResourceArns=[d["LoadBalancer.LoadBalancerArn"]])["TagDescriptions"][0]["Tags"]
    ),
    "target group": lambda d: pairs(
        d.client("elbv2").describe_tags(ResourceArns=[d["LoadBalancer.BlueTargetGroupArn"]])["TagDescriptions"][0][
            "Tags"
        ]
    ),
    "listener rule": lambda d: pairs(
        d.client("elbv2").describe_tags(ResourceArns=[d["LoadBalancer.ProductionRuleArn"]])["TagDescriptions"][0][
            "Tags"
        ]
    ),
    "service": lambda d: pairs(
        d.client("ecs").list_tags_for_resource(resourceArn=d["Service.ServiceArn"])["tags"], "key", "value"
    ),
    "task definition": lambda d: pairs(
        d.client("ecs").list_tags_for_resource(resourceArn=d["Service.TaskDefinitionArn"])["tags"], "key", "value"
    ),
    "replication instance": lambda d: pairs(
        d.client("dms").list_tags_for_resource(ResourceArn=d["Migration.ReplicationInstanceArn"])["TagList"]
    ),
    "replication task": lambda d: pairs(
        d.client("dms").list_tags_for_resource(ResourceArn=d["Migration.ForwardTaskArn"])["TagList"]
    ),
    "endpoint": lambda d: pairs(
        d.client("dms").list_tags_for_resource(ResourceArn=d["Migration.AuroraTargetArn"])["TagList"]
    ),
    "function": lambda d: d.client("lambda").get_function(FunctionName=d["Validation.FunctionName"])["Tags"],
    "state machine": lambda d: pairs(
        d.client("stepfunctions").list_tags_for_resource(resourceArn=d["Validation.StateMachineArn"])["tags"],
        "key",
        "value",
    ),
    "bucket": lambda d: pairs(d.client("s3").get_bucket_tagging(Bucket=d["Validation.ReportBucketName"])["TagSet"]),
    "topic": lambda d: pairs(d.client("sns").list_tags_for_resource(ResourceArn=d["Monitoring.TopicArn"])["Tags"]),
    "log group": lambda d: d.client("logs").list_tags_log_group(logGroupName=d["Service.LogGroupName"])["tags"],
    "stack": lambda d: pairs(d.client("cloudformation").describe_stacks(StackName=d.stack)["Stacks"][0]["Tags"]),
}


@pytest.mark.parametrize("resource", READERS)
def test_a_resource_carries_the_tags_of_its_environment(deployed, wanted, resource):
    found = READERS[resource](deployed)
    assert {key: found.get(key) for key in wanted} == wanted


def test_every_nested_stack_is_there_and_done(deployed):
    cloudformation = deployed.client("cloudformation")
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=deployed.stack)
    nested = [summary for page in pages for summary in page["StackResourceSummaries"]]
    assert {summary["LogicalResourceId"] for summary in nested} == {
        name.partition(".")[0] for name in deployed.outputs if "." in name
    }
    assert {summary["ResourceStatus"] for summary in nested} <= {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


def test_every_name_has_the_suffix_of_its_environment(deployed, settings):
    names = ("Database.ClusterId", "Service.ClusterName", "Validation.FunctionName", "Monitoring.DashboardName")
    for name in names:
        assert deployed[name].startswith(f"{settings.system}-{settings.suffix}-"), name
