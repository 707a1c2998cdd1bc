"""What holds state, and what is lost with it: the resources that the gate does not let go unnamed.

Starts from the list that cfn-lint ships (AdditionalSpecs/StatefulResources.json) and adds what this system would miss:
the state of replication, what people have confirmed, and what the outside world knows by address.
"""

from __future__ import annotations

_ALL_DATA = "all data in it"

# type → what is lost when the resource that is there now goes; a sentence's end: "… is replaced: <this>"
_LOSSES: dict[str, str] = {
    "AWS::Backup::BackupVault": "every recovery point in it",
    "AWS::Cognito::UserPool": "every user in it",
    "AWS::DMS::Certificate": "the endpoints' trust in their database; tasks that use them stop",
    "AWS::DMS::Endpoint": "the endpoint that replication tasks name, which are replaced too and restart the full load",
    "AWS::DMS::ReplicationInstance": "the instance that replication runs on, with its cached changes and task logs, "
    "and every task on it is replaced too and restarts the full load",
    "AWS::DMS::ReplicationSubnetGroup": "the network of the replication instance, which is replaced with it",
    "AWS::DMS::ReplicationTask": "the place replication has reached, as a new task restarts the full load",
    "AWS::DocDB::DBCluster": _ALL_DATA,
    "AWS::DocDB::DBInstance": "the instance that serves the data",
    "AWS::DynamoDB::GlobalTable": _ALL_DATA,
    "AWS::DynamoDB::Table": _ALL_DATA,
    "AWS::EC2::CustomerGateway": "the VPN to the data centre, until the other end is set up anew",
    "AWS::EC2::EIP": "the public address that others let in, and partners' firewalls must learn the new one",
    "AWS::EC2::VPNConnection": "the VPN to the data centre, until the other end has the new tunnels and keys",
    "AWS::EC2::VPNGateway": "the VPN to the data centre, until the other end is set up anew",
    "AWS::EC2::Volume": _ALL_DATA,
    "AWS::ECR::Repository": "every image in it",
    "AWS::EFS::FileSystem": _ALL_DATA,
    "AWS::EMR::Cluster": _ALL_DATA,
    "AWS::ElastiCache::CacheCluster": _ALL_DATA,
    "AWS::ElastiCache::ReplicationGroup": _ALL_DATA,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "the DNS name and addresses that clients use",
    "AWS::Elasticsearch::Domain": _ALL_DATA,
    "AWS::FSx::FileSystem": _ALL_DATA,
    "AWS::KMS::Alias": "the name by which the key is found; whoever uses the name is cut off meanwhile",
    "AWS::KMS::Key": "the key, without which nothing that it encrypted can ever be read again",
    "AWS::Kinesis::Stream": "every record in it",
    "AWS::Logs::LogGroup": "every log event in it",
    "AWS::Neptune::DBCluster": _ALL_DATA,
    "AWS::Neptune::DBInstance": "the instance that serves the data",
    "AWS::OpenSearchService::Domain": _ALL_DATA,
    "AWS::Organizations::Account": "the account and all in it",
    "AWS::QLDB::Ledger": _ALL_DATA,
    "AWS::RDS::DBCluster": "the database with all data in it",
    "AWS::RDS::DBInstance": "an instance of the database, whose connections break and whose capacity is gone meanwhile",
    "AWS::Redshift::Cluster": _ALL_DATA,
    "AWS::Route53::HostedZone": "the zone with every record in it, and its name servers",
    "AWS::S3::Bucket": "every object in it",
    "AWS::SDB::Domain": _ALL_DATA,
    "AWS::SNS::Subscription": "a confirmed subscription, and the recipient hears nothing until he confirms again",
    "AWS::SNS::Topic": "the topic with all its subscriptions, which recipients must confirm again",
    "AWS::SQS::Queue": "every message in it",
    "AWS::SSM::Parameter": "the value in it",
    "AWS::SecretsManager::Secret": "the password in it, and whoever signs in with the old one is locked out",
}


def is_stateful(resource_type: str) -> bool:
    """Whether something is lost with a resource of this type."""
    return resource_type in _LOSSES


def loss(resource_type: str) -> str:
    """What is lost with a resource of this type, "" where nothing is."""
    return _LOSSES.get(resource_type, "")


def default_deletion_policy(resource_type: str, *, of_a_cluster: bool = False) -> str:
    """What CloudFormation does without a DeletionPolicy: databases are snapshotted, all else is deleted.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    """
    if resource_type == "AWS::RDS::DBCluster":
        return "Snapshot"
    return "Snapshot" if resource_type == "AWS::RDS::DBInstance" and not of_a_cluster else "Delete"
