"""The package bucket: made when missing, completed when half-made, never another account's."""

from __future__ import annotations

import json

import pytest

from deployer.bucket import Bucket, bucket_of, ensure_bucket, list_objects
from deployer.errors import AwsError
from deployer.package_dir import read_package

NAME = "payments-packages-123456789012-us-east-1"
BUCKET = Bucket(NAME, "123456789012", "us-east-1")
IDENTITY = {"Account": "123456789012", "Arn": "arn:aws:sts::123456789012:assumed-role/deploy/ci", "UserId": "A"}
SETTINGS = [
    "put_public_access_block",
    "put_bucket_ownership_controls",
    "put_bucket_encryption",
    "put_bucket_versioning",
    "put_bucket_policy",
    "put_bucket_lifecycle_configuration",
    "put_bucket_tagging",
]
OWNED = {"Bucket": NAME, "ExpectedBucketOwner": "123456789012"}


def configurable(script, settings=SETTINGS):
    script("get_caller_identity", IDENTITY)
    for operation in settings:
        script(operation, **OWNED)


def test_copies_of_a_system_share_one_bucket(built_dev):
    assert bucket_of(read_package(built_dev / "dev"), "123456789012") == BUCKET


def test_every_page_is_listed(script):
    first = {"Contents": [{"Key": "p/a", "Size": 1}], "IsTruncated": True, "NextContinuationToken": "2"}
    script("list_objects_v2", first, Prefix="p/", **OWNED)
    script("list_objects_v2", {"Contents": [{"Key": "p/b", "Size": 2}]}, ContinuationToken="2", **OWNED)
    assert list_objects(script.aws, BUCKET, "p/") == {"p/a": 1, "p/b": 2}


def test_an_empty_bucket_is_not_a_missing_one(script):
    script("list_objects_v2", {})
    script.fail("list_objects_v2", "NoSuchBucket", status=404)
    assert list_objects(script.aws, BUCKET, "p/") == {}
    assert list_objects(script.aws, BUCKET, "p/") is None


def test_a_bucket_of_another_account(script):
    script.fail("list_objects_v2", "AccessDenied", "Access Denied", status=403)
    with pytest.raises(AwsError, match="either another account than 123456789012 owns it"):
        list_objects(script.aws, BUCKET, "p/")


def test_any_other_refusal_is_told(script):
    script.fail("list_objects_v2", "InvalidRequest", "why")
    with pytest.raises(AwsError, match=rf"cannot list s3://{NAME}/p/: .*InvalidRequest.*why"):
        list_objects(script.aws, BUCKET, "p/")


def test_a_bucket_in_another_region(script):
    headers = {"HTTPHeaders": {"x-amz-bucket-region": "eu-west-1"}, "HTTPStatusCode": 200}
    script("list_objects_v2", {"ResponseMetadata": headers})
    with pytest.raises(AwsError, match="is in eu-west-1, the stack is in us-east-1"):
        list_objects(script.aws, BUCKET, "p/")


def test_a_missing_bucket_is_made_closed_and_its_tags_come_last(script):
    script("create_bucket", {}, Bucket=NAME, ObjectOwnership="BucketOwnerEnforced")
    configurable(script)
    assert ensure_bucket(script.aws, BUCKET, exists=False, tags={"Environment": "dev", "CostCenter": "finance"})
    assert [name for name, _ in script.calls if name != "get_caller_identity"] == ["create_bucket", *SETTINGS]
    assert "CreateBucketConfiguration" not in script.arguments("create_bucket")[0]
    closed = script.arguments("put_public_access_block")[0]["PublicAccessBlockConfiguration"]
    assert closed == dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    policy = json.loads(script.arguments("put_bucket_policy")[0]["Policy"])["Statement"][0]
    assert (policy["Effect"], policy["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert policy["Resource"] == [f"arn:aws:s3:::{NAME}", f"arn:aws:s3:::{NAME}/*"]
    assert script.arguments("put_bucket_versioning")[0]["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = script.arguments("put_bucket_lifecycle_configuration")[0]["LifecycleConfiguration"]["Rules"]
    assert "Expiration" not in rule  # what a deployed stack names must stay
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    (encryption,) = script.arguments("put_bucket_encryption")[0]["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption == {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert script.arguments("put_bucket_tagging")[0]["Tagging"]["TagSet"] == [
        {"Key": "CostCenter", "Value": "finance"},  # and nothing of one environment: all share the bucket
        {"Key": "PackageBucketConfigured", "Value": "true"},
    ]


def test_another_region_is_named(script):
    bucket = Bucket("b", "123456789012", "eu-west-1")
    script("create_bucket", {}, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    script("get_caller_identity", IDENTITY)
    for operation in SETTINGS:
        script(operation, Bucket="b")
    ensure_bucket(script.aws, bucket, exists=False, tags={})


def test_a_complete_bucket_costs_one_call(script):
    script("get_bucket_tagging", {"TagSet": [{"Key": "PackageBucketConfigured", "Value": "true"}]}, **OWNED)
    assert not ensure_bucket(script.aws, BUCKET, exists=True, tags={})


@pytest.mark.parametrize("tagged", [True, False])
def test_a_half_made_bucket_is_completed(script, tagged):
    if tagged:
        script("get_bucket_tagging", {"TagSet": [{"Key": "Environment", "Value": "dev"}]})
    else:
        script.fail("get_bucket_tagging", "NoSuchTagSet", status=404)
    configurable(script)
    assert ensure_bucket(script.aws, BUCKET, exists=True, tags={})
    assert script.count("create_bucket") == 0


def test_tags_that_may_not_be_read(script):
    script.fail("get_bucket_tagging", "AccessDenied", status=403)
    with pytest.raises(AwsError, match=f"cannot read the tags of bucket {NAME}: access denied"):
        ensure_bucket(script.aws, BUCKET, exists=True, tags={})


def test_a_name_that_another_account_has_taken(script):
    script.fail("create_bucket", "BucketAlreadyExists", status=409)
    with pytest.raises(AwsError, match=f"bucket {NAME} belongs to another account than 123456789012"):
        ensure_bucket(script.aws, BUCKET, exists=False, tags={})


def test_another_run_that_was_faster(script):
    script.fail("create_bucket", "BucketAlreadyOwnedByYou", status=409)
    configurable(script)
    assert ensure_bucket(script.aws, BUCKET, exists=False, tags={})


def test_a_creation_that_is_refused(script):
    script.fail("create_bucket", "TooManyBuckets", "the limit", status=400)
    with pytest.raises(AwsError, match=rf"cannot create bucket {NAME}: .*TooManyBuckets\): the limit"):
        ensure_bucket(script.aws, BUCKET, exists=False, tags={})


def test_a_bucket_that_another_run_configures_at_the_same_moment(script):
    script("create_bucket", {})
    script.fail("put_bucket_policy", "OperationAborted", status=409, times=2)
    configurable(script)
    assert ensure_bucket(script.aws, BUCKET, exists=False, tags={}, clock=script.clock)
    assert script.sleeps == [0.5, 0.75]


def test_a_conflict_that_stays(script):
    script("create_bucket", {})
    script("get_caller_identity", IDENTITY)
    script.fail("put_public_access_block", "OperationAborted", "in progress", status=409, times=None)
    with pytest.raises(AwsError, match=r"OperationAborted\): in progress"):
        ensure_bucket(script.aws, BUCKET, exists=False, tags={}, clock=script.clock)
    assert sum(script.sleeps) == 60.0


def test_a_setting_that_is_refused(script):
    script("create_bucket", {})
    script("get_caller_identity", IDENTITY)
    script.fail("put_public_access_block", "AccessDenied", status=403)
    with pytest.raises(AwsError, match="cannot create bucket .* access denied"):
        ensure_bucket(script.aws, BUCKET, exists=False, tags={}, clock=script.clock)
