"""Every way in which AWS, the network or the credentials fail has words and a next step."""

from __future__ import annotations

import pytest
from botocore import exceptions as known
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from deployer.aws import translate
from deployer.errors import AwsError


def refusal(code, text="why", status=400):
    answer = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "DescribeStacks")


CASES = [
    (refusal("ExpiredToken"), "the credentials have expired", "aws sso login"),
    (refusal("RequestExpired"), "the credentials have expired", "aws sso login"),
    (
        refusal("InvalidClientTokenId"),
        r"does not accept the credentials \(InvalidClientTokenId\)",
        "get-caller-identity",
    ),
    (refusal("AccessDenied", "no"), r"access denied \(DescribeStacks\): no", "permission to DescribeStacks"),
    (refusal("RequestTimeTooSkewed"), "the clock of this computer is wrong", "set the clock"),
    (refusal("Throttling"), r"AWS throttles DescribeStacks \(Throttling\)", "wait a minute"),
    (
        refusal("InternalFailure", "sorry", 500),
        r"failed to answer DescribeStacks \(InternalFailure\).*sorry",
        "health.aws",
    ),
    (refusal("", "", 503), r"failed to answer DescribeStacks \(503\)", "health.aws"),
    (refusal("ValidationError", "bad name"), r"refused DescribeStacks \(ValidationError\): bad name", ""),
    (refusal("ValidationError", ""), "no reason given", ""),
    (known.NoCredentialsError(), "there are no credentials", "--local"),
    (known.ProfileNotFound(profile="nobody"), r"The config profile \(nobody\) could not be found$", "list-profiles"),
    (
        known.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        "Partial credentials",
        "AWS_PROFILE",
    ),
    (known.UnauthorizedSSOTokenError(), "credentials cannot be renewed", "aws sso login"),
    (known.TokenRetrievalError(provider="sso", error_msg="Token has expired"), "Token has expired", "aws sso login"),
    (known.CredentialRetrievalError(provider="process", error_msg="boom"), "boom", "aws sso login"),
    (known.SSLError(endpoint_url="https://x", error="self-signed"), "TLS fails: .*self-signed", "AWS_CA_BUNDLE"),
    (known.EndpointConnectionError(endpoint_url="https://x"), "AWS cannot be reached: .*https://x", "HTTPS_PROXY"),
    (known.ReadTimeoutError(endpoint_url="https://x"), "AWS cannot be reached", "HTTPS_PROXY"),
    (known.ConnectionClosedError(endpoint_url="https://x"), "AWS cannot be reached", "HTTPS_PROXY"),
    (known.IncompleteReadError(actual_bytes=1, expected_bytes=2), "AWS cannot be reached", "HTTPS_PROXY"),
    (ResponseParserError("Unable to parse response"), "not one of AWS", "AWS_ENDPOINT_URL"),
    (known.ParamValidationError(report="Invalid length"), "ParamValidationError: .*Invalid length", ""),
]


@pytest.mark.parametrize(
    ("error", "told", "next_step"), CASES, ids=[f"{type(c[0]).__name__}-{n}" for n, c in enumerate(CASES)]
)
def test_failure(error, told, next_step):
    with (
        pytest.raises(AwsError, match=f"(?s)^cannot describe stack payments-dev: .*{told}") as raised,
        translate("describe", "stack payments-dev"),
    ):
        raise error
    assert next_step in raised.value.hint
    assert bool(next_step) == bool(raised.value.hint)
    assert raised.value.__cause__ is error
