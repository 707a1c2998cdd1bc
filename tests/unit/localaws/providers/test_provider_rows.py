"""What every row has in common: refusals, names, undoing what failed half way."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from localaws import providers
from localaws.account import Account
from localaws.providers.base import ProviderError
from localaws.providers.work import Look, Removal, Work, read_tags, unique_name
from tests.unit.localaws.providers.cases import CASES
from tests.unit.localaws.providers.conftest import REGION, STACK_TAGS, World


def test_a_property_that_no_call_takes_is_refused(world: World) -> None:
    with pytest.raises(
        ProviderError, match="AWS::EC2::VPC: the embedded AWS does nothing with Ipv4IpamPoolId"
    ) as caught:
        world.make("EC2::VPC", CidrBlock="10.0.0.0/16", Ipv4IpamPoolId="ipam-pool-1")
    assert caught.value.code == "UnsupportedProperty"
    vpc = world.make("EC2::VPC", CidrBlock="10.0.0.0/16")
    with pytest.raises(ProviderError, match="Ipv4NetmaskLength"):
        vpc.update(Ipv4NetmaskLength=16)
    vpc.properties.pop("Ipv4NetmaskLength", None)


def test_a_change_that_no_call_makes_is_refused(world: World) -> None:
    vpc = world.make("EC2::VPC", CidrBlock="10.0.0.0/16")
    with pytest.raises(ProviderError, match="CidrBlock cannot be changed") as caught:
        vpc.update(CidrBlock="10.1.0.0/16")
    assert caught.value.code == "NotUpdatable"


@pytest.mark.parametrize(
    "name",
    [
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::CompositeAlarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Events::Rule",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
    ],
)
def test_what_the_service_would_overwrite_exists_already(world: World, name: str) -> None:
    built = CASES[name](world)
    first = world.make(name.removeprefix("AWS::"), **built.properties)
    with pytest.raises(ProviderError) as caught:
        world.make(name.removeprefix("AWS::"), **built.properties)
    assert str(caught.value) == f"Resource of type '{name}' with identifier '{first.id}' already exists."
    assert caught.value.code == "AlreadyExists"
    assert first.read() is not None


def test_what_fails_half_way_is_taken_away(world: World) -> None:
    nowhere = {"DestinationBucketName": "no-such-bucket"}
    with pytest.raises(ClientError, match="target bucket"):
        world.make("S3::Bucket", BucketName="half", LoggingConfiguration=nowhere)
    assert world.clients("s3").list_buckets()["Buckets"] == []


def test_what_several_calls_made_before_one_failed_is_taken_away(world: World) -> None:
    role = world.role("one").id
    with pytest.raises(ClientError, match="no-such-role"):
        world.make("IAM::Policy", PolicyName="token", PolicyDocument={}, Roles=[role, "no-such-role"])
    assert world.clients("iam").list_role_policies(RoleName=role)["PolicyNames"] == []


def test_a_name_that_another_has_is_not_taken_from_it(world: World) -> None:
    first = world.role("role")
    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        world.role("role")
    assert first.read() is not None


def test_what_does_not_exist_cannot_be_changed(world: World) -> None:
    group = world.make("Logs::LogGroup", LogGroupName="/gone", RetentionInDays=1)
    group.delete()
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        group.update(RetentionInDays=3)
    role = world.role("gone")
    role.delete()
    with pytest.raises(ProviderError, match="gone does not exist") as caught:
        role.update()
    assert caught.value.code == "NotFound"


class TestNames:
    def test_the_random_end_stays(self, world: World) -> None:
        context = world.context("AVeryLongLogicalIdOfABalancer")
        assert unique_name(context) == "payments-AVeryLongLogicalIdOfABalancer-ABCDEFGHIJKL"
        assert unique_name(context, 32) == "payments-AVeryLongL-ABCDEFGHIJKL"
        assert unique_name(context, 22, lower=True) == "payments-abcdefghijkl"

    def test_what_the_template_leaves_unnamed_is_named(self, world: World) -> None:
        role = world.make("IAM::Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": []})
        assert role.id == "payments-R1-ABCDEFGHIJKL"
        topic = world.make("SNS::Topic")
        assert topic.attributes["TopicName"] == "payments-R2-ABCDEFGHIJKL"
        bucket = world.make("S3::Bucket")
        assert bucket.id == "payments-r3-abcdefghijkl"


class TestRefusals:
    """A refusal that does not say "not found" is the caller's to hear. Answers are botocore's stubs."""

    @staticmethod
    def work(account: Account, operation: str, service: str = "iam") -> Work:
        client = account.clients(REGION)._make(service)  # a client of its own, to be stubbed
        stubber = Stubber(client)
        stubber.add_client_error(operation, "AccessDenied", "no")
        stubber.activate()
        context = World(None).context("A")
        return Work(
            clients=lambda _: client,
            context=context,
            service=service,
            physical_id="role",
            before={},
            after={},
            look=lambda _: {},
        )

    def test_of_a_look(self, account: Account) -> None:
        look = Look(operation="GetRole", key="RoleName", path="Role")
        with pytest.raises(ClientError, match="AccessDenied"):
            look(self.work(account, "get_role"))

    def test_of_a_removal(self, account: Account) -> None:
        with pytest.raises(ClientError, match="AccessDenied"):
            Removal(operation="DeleteRole", key="RoleName")(self.work(account, "delete_role"))

    def test_of_reading_tags(self, account: Account) -> None:
        row: Any = providers.find("AWS::S3::Bucket")
        with pytest.raises(ClientError, match="AccessDenied"):
            read_tags(row.tags, self.work(account, "get_bucket_tagging", "s3"))

    @pytest.mark.parametrize(
        ("name", "operation", "physical_id", "properties"),
        [
            ("AWS::WAFv2::WebACL", "get_web_acl", "web|1|REGIONAL", {}),
            ("AWS::SecretsManager::SecretTargetAttachment", "get_secret_value", "arn", {"SecretId": "arn"}),
        ],
    )
    def test_of_reading(
        self, account: Account, name: str, operation: str, physical_id: str, properties: dict[str, str]
    ) -> None:
        row: Any = providers.find(name)
        client = self.work(account, operation, row.service).client
        with pytest.raises(ClientError, match="AccessDenied"):
            row.read(lambda _: client, physical_id, properties, World(None).context("A"))

    def test_of_a_bucket_s_setting(self, account: Account) -> None:
        row: Any = providers.find("AWS::S3::Bucket")
        client = account.clients(REGION)._make("s3")
        stubber = Stubber(client)
        stubber.add_response("head_bucket", {})
        stubber.add_client_error("get_bucket_versioning", "AccessDenied", "no")
        stubber.activate()
        given = {"VersioningConfiguration": {"Status": "Enabled"}}
        with pytest.raises(ClientError, match="AccessDenied"):
            row.read(lambda _: client, "bucket", given, World(None).context("A"))


def test_a_stack_without_tags_leaves_none(world: World) -> None:
    bucket = world.make("S3::Bucket", BucketName="plain", tags={})
    bucket.update(tags=STACK_TAGS)
    assert world.clients("s3").get_bucket_tagging(Bucket="plain")["TagSet"] == [
        {"Key": "CostCenter", "Value": "finance"}
    ]
    bucket.update(tags={})
    with pytest.raises(ClientError, match="NoSuchTagSet"):
        world.clients("s3").get_bucket_tagging(Bucket="plain")
