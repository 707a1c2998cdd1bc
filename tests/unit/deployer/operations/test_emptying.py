from __future__ import annotations

import pytest

from deployer.emptying import empty_bucket, stop_balancer_logs, stop_bucket_logs
from deployer.errors import AwsError

ACCOUNT = "123456789012"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/x/1"


class Bucket:
    """A versioned bucket: versions and delete markers, which are listed in pages."""

    def __init__(self, cloud, versions=0, markers=0, page=1000):
        self.items = [("v", f"k{n}") for n in range(versions)] + [("m", f"k{n}") for n in range(markers)]
        self.page, self.refuses = page, []
        cloud.on(ListObjectVersions=self._list, DeleteObjects=self._delete)

    def _list(self, Bucket, Prefix, ExpectedBucketOwner, KeyMarker="", VersionIdMarker="", **_):
        assert ExpectedBucketOwner == ACCOUNT
        start = int(VersionIdMarker or 0)
        shown = [item for item in self.items if item[1].startswith(Prefix)]
        page = shown[start : start + self.page]
        entries = {"v": [], "m": []}
        for kind, key in page:
            entries[kind].append({"Key": key, "VersionId": f"{kind}-{key}"})
        more = start + self.page < len(shown)
        answer = {"IsTruncated": more} | (
            {"NextKeyMarker": "k", "NextVersionIdMarker": str(start + self.page)} if more else {}
        )
        if entries["v"]:
            answer["Versions"] = entries["v"]
        if entries["m"]:
            answer["DeleteMarkers"] = entries["m"]
        return answer

    def _delete(self, Bucket, Delete, ExpectedBucketOwner):
        assert ExpectedBucketOwner == ACCOUNT
        assert len(Delete["Objects"]) <= 1000
        return {"Errors": [{"Key": key, "Code": "AccessDenied", "Message": text} for key, text in self.refuses]}


def test_every_version_and_marker_goes_in_batches(cloud):
    Bucket(cloud, versions=2, markers=1)
    assert empty_bucket(cloud.aws, "reports") == 3
    (call,) = cloud.calls["DeleteObjects"]
    assert call["Delete"] == {
        "Objects": [
            {"Key": "k0", "VersionId": "v-k0"}, {"Key": "k1", "VersionId": "v-k1"}, {"Key": "k0", "VersionId": "m-k0"},
        ],
        "Quiet": True,
    }  # fmt: skip


def test_pages_are_followed_and_no_batch_is_larger_than_s3_takes(cloud):
    Bucket(cloud, versions=1100, markers=1100, page=1500)
    assert empty_bucket(cloud.aws, "reports") == 2200
    assert [len(call["Delete"]["Objects"]) for call in cloud.calls["DeleteObjects"]] == [1000, 500, 700]


def test_only_what_lies_below_the_prefix_goes(cloud):
    Bucket(cloud, versions=12)
    assert empty_bucket(cloud.aws, "reports", "k1") == 3


def test_an_empty_bucket_and_none_at_all_are_no_work(cloud, refused):
    Bucket(cloud)
    assert empty_bucket(cloud.aws, "reports") == 0

    def missing(**_):
        raise refused("NoSuchBucket")

    cloud.on(ListObjectVersions=missing, GetBucketLogging=missing)
    assert empty_bucket(cloud.aws, "reports") == 0
    stop_bucket_logs(cloud.aws, "reports")


def test_what_cannot_be_deleted_is_named(cloud):
    Bucket(cloud, versions=5).refuses = [("a", "locked"), ("b", ""), ("c", "x"), ("d", "x")]
    with pytest.raises(AwsError) as caught:
        empty_bucket(cloud.aws, "reports")
    assert caught.value.problems == [
        "bucket reports cannot be emptied: a: locked",
        "bucket reports cannot be emptied: b: AccessDenied",
        "bucket reports cannot be emptied: c: x",
        "bucket reports cannot be emptied: and 1 more",
    ]


def test_few_refusals_are_all_named(cloud):
    Bucket(cloud, versions=5).refuses = [("a", "locked")]
    with pytest.raises(AwsError) as caught:
        empty_bucket(cloud.aws, "reports")
    assert caught.value.problems == ["bucket reports cannot be emptied: a: locked"]


@pytest.mark.parametrize("operation", ["ListObjectVersions", "GetBucketLogging"])
def test_another_refusal_is_told(cloud, refused, operation):
    def denied(**_):
        raise refused("AccessDenied", "no")

    cloud.on(**{operation: denied})
    with pytest.raises(AwsError, match="access denied"):
        (empty_bucket if operation == "ListObjectVersions" else stop_bucket_logs)(cloud.aws, "reports")


@pytest.mark.parametrize("on", [True, False])
def test_the_access_logs_of_a_bucket_are_stopped_where_there_are_any(cloud, on):
    logging = {"LoggingEnabled": {"TargetBucket": "x", "TargetPrefix": ""}} if on else {}
    cloud.on(GetBucketLogging=lambda **_: logging, PutBucketLogging=lambda **_: {})
    stop_bucket_logs(cloud.aws, "reports")
    assert [call["BucketLoggingStatus"] for call in cloud.calls["PutBucketLogging"]] == [{}] * on


def test_the_logs_of_a_load_balancer_are_stopped_where_they_are_on(cloud):
    attributes = {"access_logs.s3.enabled": "true", "connection_logs.s3.enabled": "false", "idle_timeout": "true"}
    cloud.on(
        DescribeLoadBalancerAttributes=lambda LoadBalancerArn: {
            "Attributes": [{"Key": key, "Value": value} for key, value in attributes.items()]
        },
        ModifyLoadBalancerAttributes=lambda **_: {},
    )
    stop_balancer_logs(cloud.aws, BALANCER)
    (call,) = cloud.calls["ModifyLoadBalancerAttributes"]
    assert call["Attributes"] == [{"Key": "access_logs.s3.enabled", "Value": "false"}]
    attributes["access_logs.s3.enabled"] = "false"
    stop_balancer_logs(cloud.aws, BALANCER)
    assert len(cloud.calls["ModifyLoadBalancerAttributes"]) == 1


@pytest.mark.parametrize("code", ["LoadBalancerNotFound", "AccessDenied"])
def test_a_load_balancer_that_is_gone_has_no_logs(cloud, refused, code):
    def refuse(**_):
        raise refused(code, "no")

    cloud.on(DescribeLoadBalancerAttributes=refuse)
    if code == "LoadBalancerNotFound":
        stop_balancer_logs(cloud.aws, BALANCER)
    else:
        with pytest.raises(AwsError, match="access denied"):
            stop_balancer_logs(cloud.aws, BALANCER)
