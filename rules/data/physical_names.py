"""Properties that give a resource its physical name, with the rule of its service (`contract.names`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contract import names
from contract.names import NameRule

PHYSICAL_NAMES: Final[Mapping[str, Mapping[str, NameRule]]] = {
    "AWS::CloudWatch::Alarm": {"AlarmName": names.ALARM},
    "AWS::CloudWatch::CompositeAlarm": {"AlarmName": names.ALARM},
    "AWS::CloudWatch::Dashboard": {"DashboardName": names.DASHBOARD},
    "AWS::DMS::Certificate": {"CertificateIdentifier": names.DMS_CERTIFICATE},
    "AWS::DMS::Endpoint": {"EndpointIdentifier": names.DMS_ENDPOINT, "ResourceIdentifier": names.DMS_RESOURCE_ID},
    "AWS::DMS::EventSubscription": {"SubscriptionName": names.DMS_EVENT_SUBSCRIPTION},
    "AWS::DMS::ReplicationInstance": {
        "ReplicationInstanceIdentifier": names.DMS_INSTANCE,
        "ResourceIdentifier": names.DMS_RESOURCE_ID,
    },
    "AWS::DMS::ReplicationSubnetGroup": {"ReplicationSubnetGroupIdentifier": names.DMS_SUBNET_GROUP},
    "AWS::DMS::ReplicationTask": {
        "ReplicationTaskIdentifier": names.DMS_TASK,
        "ResourceIdentifier": names.DMS_RESOURCE_ID,
    },
    "AWS::EC2::SecurityGroup": {"GroupName": names.SECURITY_GROUP},
    "AWS::ECS::Cluster": {"ClusterName": names.ECS_CLUSTER},
    "AWS::ECS::Service": {"ServiceName": names.ECS_SERVICE},
    "AWS::ECS::TaskDefinition": {"Family": names.ECS_TASK_FAMILY},
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {"Name": names.LOAD_BALANCER},
    "AWS::ElasticLoadBalancingV2::TargetGroup": {"Name": names.TARGET_GROUP},
    "AWS::Events::Rule": {"Name": names.EVENT_RULE},
    "AWS::IAM::ManagedPolicy": {"ManagedPolicyName": names.IAM_POLICY},
    "AWS::IAM::Role": {"RoleName": names.IAM_ROLE},
    "AWS::KMS::Alias": {"AliasName": names.KMS_ALIAS},
    "AWS::Lambda::Function": {"FunctionName": names.FUNCTION},
    "AWS::Logs::LogGroup": {"LogGroupName": names.LOG_GROUP},
    "AWS::RDS::DBCluster": {"DBClusterIdentifier": names.DB_CLUSTER},
    "AWS::RDS::DBClusterParameterGroup": {"DBClusterParameterGroupName": names.DB_PARAMETER_GROUP},
    "AWS::RDS::DBInstance": {"DBInstanceIdentifier": names.DB_INSTANCE},
    "AWS::RDS::DBParameterGroup": {"DBParameterGroupName": names.DB_PARAMETER_GROUP},
    "AWS::RDS::DBSubnetGroup": {"DBSubnetGroupName": names.DB_SUBNET_GROUP},
    "AWS::RDS::EventSubscription": {"SubscriptionName": names.RDS_EVENT_SUBSCRIPTION},
    "AWS::S3::Bucket": {"BucketName": names.BUCKET},
    "AWS::SNS::Topic": {"TopicName": names.TOPIC},
    "AWS::SQS::Queue": {"QueueName": names.QUEUE},
    "AWS::SSM::Parameter": {"Name": names.SSM_PARAMETER},
    "AWS::SecretsManager::Secret": {"Name": names.SECRET},
    "AWS::StepFunctions::StateMachine": {"StateMachineName": names.STATE_MACHINE},
    "AWS::WAFv2::WebACL": {"Name": names.WEB_ACL},
}
