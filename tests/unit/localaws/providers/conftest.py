"""An emulated account, and resources that a test makes in it: whatever is left at its end is taken away, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from localaws import providers
from localaws.account import Account
from localaws.loopback import ACCOUNT_ID
from localaws.providers.base import Context, Handle

REGION = "us-east-1"
STACK_TAGS = {"CostCenter": "finance", "aws:cloudformation:stack-name": "payments"}


@dataclass
class Made:
    """A resource that a test made."""

    world: World
    type: str
    properties: dict[str, Any]
    context: Context
    handle: Handle

    @property
    def id(self) -> str:
        return self.handle.physical_id

    @property
    def attributes(self) -> Mapping[str, Any]:
        return self.handle.attributes

    @property
    def provider(self) -> Any:
        return providers.find(self.type)

    def update(self, tags: Mapping[str, str] | None = None, **changes: Any) -> Handle:
        """Change properties (None takes one away), and the stack's tags where given."""
        after = {name: value for name, value in {**self.properties, **changes}.items() if value is not None}
        context = self.context if tags is None else replace(self.context, tags=tags)
        self.handle = self.provider.update(self.world.clients, self.id, self.properties, after, context)
        self.properties, self.context = after, context
        return self.handle

    def read(self) -> Mapping[str, Any] | None:
        told: Mapping[str, Any] | None = self.provider.read(self.world.clients, self.id, self.properties, self.context)
        return told

    def delete(self) -> None:
        self.provider.delete(self.world.clients, self.id, self.properties, self.context)

    def let_go(self) -> None:
        """Take off what keeps it from being deleted."""
        if self.properties.get("DeletionProtection"):
            self.update(DeletionProtection=False)
        if self.type == "AWS::S3::Bucket" and self.read() is not None:
            s3 = self.world.clients("s3")
            for version in s3.list_object_versions(Bucket=self.id).get("Versions", ()):
                s3.delete_object(Bucket=self.id, Key=version["Key"], VersionId=version["VersionId"])


@dataclass
class World:
    """Makes resources; `clients` are ordinary boto3 clients of the account."""

    clients: Any
    made: list[Made] = field(default_factory=list)
    count: int = 0

    def context(self, logical_id: str, tags: Mapping[str, str] = STACK_TAGS) -> Context:
        return Context(
            stack_name="payments",
            stack_id=f"arn:aws:cloudformation:{REGION}:{ACCOUNT_ID}:stack/payments/1",
            logical_id=logical_id,
            region=REGION,
            account_id=ACCOUNT_ID,
            tags=tags,
            unique_name=f"payments-{logical_id}-ABCDEFGHIJKL",
        )

    def make(self, kind: str, *, tags: Mapping[str, str] = STACK_TAGS, **properties: Any) -> Made:
        """Make a resource of `AWS::<kind>`."""
        self.count += 1
        context = self.context(f"R{self.count}", tags)
        provider = providers.find(f"AWS::{kind}")
        assert provider is not None
        handle = provider.create(self.clients, properties, context)
        made = Made(self, f"AWS::{kind}", properties, context, handle)
        self.made.append(made)
        return made

    def bring_down(self) -> list[Exception]:
        """Take all away that is left; what could not be taken."""
        failed: list[Exception] = []
        for made in reversed(self.made):
            try:
                made.let_go()
                made.delete()
            except Exception as problem:  # noqa: BLE001 - the next test needs an empty account, whatever is wrong
                failed.append(problem)
        return failed

    # What many types stand on.
    def vpc(self, cidr: str = "10.0.0.0/16") -> str:
        return self.make("EC2::VPC", CidrBlock=cidr).id

    def subnets(self, vpc: str, base: str = "10.0") -> list[str]:
        return [
            self.make("EC2::Subnet", VpcId=vpc, CidrBlock=f"{base}.{zone}.0/24", AvailabilityZoneId=f"use1-az{zone}").id
            for zone in (1, 2)
        ]

    def group(self, vpc: str, name: str = "group") -> str:
        return self.make("EC2::SecurityGroup", VpcId=vpc, GroupName=name, GroupDescription="A group").id

    def role(self, name: str = "role") -> Made:
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
        return self.make("IAM::Role", RoleName=name, AssumeRolePolicyDocument=trust)

    def key(self) -> Made:
        return self.make("KMS::Key", KeyPolicy=key_policy())

    def topic(self, name: str = "topic") -> str:
        return self.make("SNS::Topic", TopicName=name).id

    def target_group(self, vpc: str, name: str = "blue") -> str:
        return self.make(
            "ElasticLoadBalancingV2::TargetGroup", Name=name, Port=8443, Protocol="HTTPS", TargetType="ip", VpcId=vpc
        ).id

    def balancer(self, vpc: str, subnets: list[str]) -> str:
        return self.make(
            "ElasticLoadBalancingV2::LoadBalancer",
            Name="alb",
            Subnets=subnets,
            SecurityGroups=[self.group(vpc, "alb")],
            Type="application",
            Scheme="internet-facing",
        ).id

    def cluster(self, name: str = "database", **more: Any) -> Made:
        return self.make(
            "RDS::DBCluster",
            DBClusterIdentifier=name,
            Engine="aurora-postgresql",
            DatabaseName="payments",
            MasterUsername="owner",
            ManageMasterUserPassword=True,
            **more,
        )


def key_policy() -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }


def allow(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    """A policy document of one statement."""
    statement = {"Effect": "Allow", "Action": [action], "Resource": [resource], **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.fixture(scope="session")
def account() -> Account:
    return Account()


@pytest.fixture
def world(account: Account) -> Iterator[World]:
    made = World(account.clients(REGION))
    yield made
    if failed := made.bring_down():
        account.reset()
        raise ExceptionGroup("left behind", failed)


@pytest.fixture
def ec2(world: World) -> Any:
    return world.clients("ec2")
