from __future__ import annotations

import os

import pytest

from localaws.errors import LoopbackError
from localaws.loopback import adopt, environment, isolated, require_loopback, without_account

_OWN = "http://127.0.0.1:5000"


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (_OWN, _OWN),
        ("http://127.0.0.1:5000/", _OWN),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:65535", "http://[::1]:65535"),
    ],
)
def test_accepts_this_machine(endpoint: str, expected: str) -> None:
    assert require_loopback(endpoint) == expected


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "127.0.0.1:5000",
        "https://127.0.0.1:5000",
        "http://127.0.0.1",
        "http://127.0.0.1:",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:05000",
        "http://127.0.0.1:5000/path",
        "http://127.0.0.1:5000//",
        "http://127.0.0.1:5000?x",
        "http://127.0.0.1:5000#@evil.example",
        "http://127.0.0.1:5000@evil.example",
        "http://127.0.0.1:5000@evil.example:80",
        "http://user@127.0.0.1:5000",
        "http://user:secret@127.0.0.1:5000",
        "http://127.0.0.1.evil.example:5000",
        "http://localhost.evil.example:5000",
        "http://evil.example:5000",
        "http://evil.example/127.0.0.1:5000",
        "http://localhost.:5000",
        "http://LOCALHOST:5000",
        "http://0.0.0.0:5000",
        "http://[::]:5000",
        "http://[::ffff:127.0.0.1]:5000",
        "http://[::1%25eth0]:5000",
        "http://::1:5000",
        "http://127.1:5000",
        "http://127.0.0.2:5000",
        "http://2130706433:5000",
        "http://0x7f000001:5000",
        "http://0177.0.0.1:5000",
        "http://127.0.0.1\n:5000",
        "http://127.0.0.1:5000\n",
        " http://127.0.0.1:5000",
        "http://127.0.0.1:5000 ",
        "http://127。0。0。1:5000",
        "http://ⓛocalhost:5000",
        "http://127.0.0.1:\N{ARABIC-INDIC DIGIT FIVE}000",
        "HTTP://127.0.0.1:5000",
        "http:\\\\127.0.0.1:5000",
        "http://evil.example\\@127.0.0.1:5000",
        "ftp://127.0.0.1:21",
        "https://cloudformation.us-east-1.amazonaws.com",
    ],
)
def test_refuses_everything_else(endpoint: str) -> None:
    with pytest.raises(LoopbackError) as caught:
        require_loopback(endpoint)
    assert repr(endpoint) in str(caught.value)
    assert caught.value.exit_code == 2
    assert "--local" in caught.value.hint


def test_the_environment_names_the_endpoint_and_no_account() -> None:
    found = environment(f"{_OWN}/")
    assert found["AWS_ENDPOINT_URL"] == _OWN
    assert found["AWS_EC2_METADATA_DISABLED"] == "true"
    assert "EXAMPLE" in found["AWS_ACCESS_KEY_ID"]
    assert found["AWS_CONFIG_FILE"] == found["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull
    assert "127.0.0.1" in found["NO_PROXY"].split(",")
    assert not any("REGION" in name for name in found)
    with pytest.raises(LoopbackError):
        environment("https://evil.example")


_STEERED = {
    "AWS_PROFILE": "prod",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/prod",
    "AWS_ENDPOINT_URL_CLOUDFORMATION": "https://evil.example",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_SESSION_TOKEN": "t",
    "aws_profile": "prod",
    "BOTO_CONFIG": "x",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "PATH": "/bin",
}


def test_nothing_of_an_account_is_left() -> None:
    assert without_account(_STEERED) == {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "eu-west-1", "PATH": "/bin"}
    assert isolated(_STEERED, _OWN) == without_account(_STEERED) | environment(_OWN)


def test_what_goes_past_a_proxy_still_does() -> None:
    found = isolated({"NO_PROXY": "intern.example", "no_proxy": ""}, _OWN)
    assert found["NO_PROXY"] == "intern.example,127.0.0.1,localhost,::1"
    assert found["no_proxy"] == "127.0.0.1,localhost,::1"


def test_adopts_in_place() -> None:
    variables = dict(_STEERED)
    adopt(variables, _OWN)
    assert variables == isolated(_STEERED, _OWN)


def test_boto3_then_reaches_the_endpoint_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**_STEERED, "HTTP_PROXY": "http://proxy.example:3128"}.items():
        monkeypatch.setenv(name, value)
    kept = dict(os.environ)
    adopt(os.environ, _OWN)
    try:
        from botocore.session import Session
        from botocore.utils import get_environ_proxies

        for service in ("cloudformation", "s3", "sts", "dms"):
            client = Session().create_client(service)
            assert client.meta.endpoint_url == _OWN
            assert client._request_signer._credentials.access_key == "AKIAIOSFODNN7EXAMPLE"
        assert get_environ_proxies(_OWN) == {}
    finally:
        os.environ.clear()
        os.environ.update(kept)
