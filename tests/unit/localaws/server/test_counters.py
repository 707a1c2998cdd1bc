from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest

from localaws.account import scope
from localaws.counters import Counters, operation


def _environ(authorization: str = "", **more: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "wsgi.input": io.BytesIO(),
        "HTTP_AUTHORIZATION": authorization,
        **more,
    }


def _signed(service: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential=KEY/20261124/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"


@pytest.fixture
def asked(in_process: Any) -> Any:
    """The environments of what botocore sends."""
    seen: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ)
        start_response("200 OK", [])
        return [b"{}"]

    return in_process(application), seen


_CALLS = [
    ("s3", "list_buckets", {}),
    ("s3", "create_bucket", {"Bucket": "bucket"}),
    ("s3", "list_objects_v2", {"Bucket": "bucket"}),
    ("s3", "put_object", {"Bucket": "bucket", "Key": "a/b c"}),
    ("s3", "get_object", {"Bucket": "bucket", "Key": "a/b"}),
    ("s3", "head_object", {"Bucket": "bucket", "Key": "a"}),
    ("s3", "copy_object", {"Bucket": "bucket", "Key": "a", "CopySource": "b/c"}),
    ("s3", "upload_part", {"Bucket": "bucket", "Key": "a", "PartNumber": 1, "UploadId": "u"}),
    ("s3", "get_bucket_policy", {"Bucket": "bucket"}),
    ("s3", "put_bucket_versioning", {"Bucket": "bucket", "VersioningConfiguration": {}}),
    ("s3", "delete_objects", {"Bucket": "bucket", "Delete": {"Objects": [{"Key": "k"}]}}),
    ("lambda", "invoke", {"FunctionName": "f"}),
    ("lambda", "list_functions", {}),
    ("lambda", "get_function_configuration", {"FunctionName": "f"}),
    ("route53", "list_hosted_zones", {}),
    ("cloudformation", "describe_stacks", {}),
    ("ec2", "describe_vpcs", {}),
    ("iam", "list_roles", {}),
    ("elbv2", "describe_load_balancers", {}),
    ("rds", "describe_db_clusters", {}),
    ("dms", "describe_endpoints", {}),
    ("logs", "describe_log_groups", {}),
    ("cloudwatch", "describe_alarms", {}),
    ("stepfunctions", "list_state_machines", {}),
]


@pytest.mark.parametrize(("service", "method", "parameters"), _CALLS)
def test_the_operation_is_known_whatever_the_protocol(
    asked: Any, service: str, method: str, parameters: dict[str, Any]
) -> None:
    clients, seen = asked
    client = clients(service)
    with contextlib.suppress(Exception):  # the answer is none; what was sent is looked at
        getattr(client, method)(**parameters)
    (environ,) = seen
    region, signed_for = scope(environ)
    environ["wsgi.input"].seek(0)
    assert operation(environ, signed_for) == client.meta.method_to_api_mapping[method]
    assert region == "us-east-1"


def test_smithy_has_it_in_the_path() -> None:
    environ = _environ(
        _signed("monitoring"), HTTP_SMITHY_PROTOCOL="rpc-v2-cbor", PATH_INFO="/service/X/operation/PutDashboard"
    )
    assert operation(environ, "monitoring") == "PutDashboard"


def test_a_body_can_still_be_read() -> None:
    environ = _environ(
        _signed("sts"),
        CONTENT_TYPE="application/x-www-form-urlencoded; charset=utf-8",
        CONTENT_LENGTH="24",
        **{"wsgi.input": io.BytesIO(b"Action=GetCallerIdentity")},
    )
    counters = Counters()
    counters.count(environ)
    assert environ["wsgi.input"].read() == b"Action=GetCallerIdentity"
    assert counters.document() == {"total": 1, "calls": {"sts": {"GetCallerIdentity": 1}}}


@pytest.mark.parametrize(
    "environ",
    [
        _environ(),
        _environ(_signed("s3"), REQUEST_METHOD="BREW", PATH_INFO="/x"),
        _environ(_signed("nosuchservice"), PATH_INFO="/x"),
        _environ(_signed("ec2"), CONTENT_TYPE="application/x-www-form-urlencoded", CONTENT_LENGTH=""),
    ],
)
def test_what_cannot_be_named_is_counted_all_the_same(environ: dict[str, Any]) -> None:
    counters = Counters()
    counters.count(environ)
    (calls,) = counters.document()["calls"].values()
    assert calls == {"?": 1}


def test_counts_by_service_and_operation_until_it_is_reset() -> None:
    counters = Counters()
    for target in ("X.B", "X.A", "X.B"):
        counters.count(_environ(_signed("logs"), HTTP_X_AMZ_TARGET=target))
    counters.count(_environ(_signed("dms"), HTTP_X_AMZ_TARGET="X.A"))
    assert counters.document() == {"total": 4, "calls": {"dms": {"A": 1}, "logs": {"A": 1, "B": 2}}}
    counters.reset()
    assert counters.document() == {"total": 0, "calls": {}}


def test_the_service_is_the_one_that_was_signed_for() -> None:
    assert scope(_environ(_signed("cloudformation"))) == ("eu-west-1", "cloudformation")
    presigned = "X-Amz-Credential=KEY%2F20261124%2Fus-west-2%2Fs3%2Faws4_request&X-Amz-Date=x"
    assert scope(_environ(QUERY_STRING=presigned)) == ("us-west-2", "s3")
    assert scope(_environ(QUERY_STRING="")) == ("us-east-1", "")
    assert scope(_environ("Basic abc")) == ("us-east-1", "")
