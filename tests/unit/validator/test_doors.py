"""The edges that need no server: AWS answers, wrong calls, what a driver's errors become, the certificates."""

from __future__ import annotations

import re
import runpy
import ssl
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from scramp import ScramException

from validator import aws, handler
from validator.dialling import refused
from validator.endpoint import Endpoint
from validator.errors import AuthenticationError, UsageError

CERTIFICATES = Path(aws.__file__).parent / "certificates" / "rds-us-east-1.pem"


@pytest.mark.parametrize("text", ["s3cret", '["s3cret"]', '"s3cret"'])
def test_a_secret_that_is_no_json_object_is_not_shown(text: str) -> None:
    client = boto3.client("secretsmanager", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        stubber.add_response("get_secret_value", {"SecretString": text}, {"SecretId": "the-arn-of-it-all"})
        with pytest.raises(UsageError) as caught:
            aws.read_secret(client, "the-arn-of-it-all")
    assert str(caught.value) == "the secret the-arn-of-it-all is not a JSON object"


def test_clients_come_from_the_runtimes_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", SimpleNamespace(client=lambda service: f"a client of {service}"))
    assert aws.client("s3") == "a client of s3"


@pytest.mark.parametrize("event", [{}, {"action": None}, {"action": "drop"}])
def test_an_action_that_is_not_known(event: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"is not known \(known are plan, compare, abandon, conclude\)"):
        handler.handle(event, SimpleNamespace(get_remaining_time_in_millis=lambda: 1))


@pytest.mark.parametrize("value", [None, ""])
def test_a_setting_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("SETTLE_SECONDS", raising=False)
    if value is not None:
        monkeypatch.setenv("SETTLE_SECONDS", value)
    with pytest.raises(UsageError, match="the environment variable SETTLE_SECONDS is not set"):
        handler.handle(
            {"action": "plan", "execution": "e", "input": {}}, SimpleNamespace(get_remaining_time_in_millis=lambda: 1)
        )


def test_a_server_that_does_not_know_the_password_itself() -> None:
    endpoint = Endpoint("source", "h", 5432, "d", "u")
    error = refused(endpoint, ScramException("the server signature doesn't match"))
    assert isinstance(error, AuthenticationError)
    assert "fails to prove that it knows the password" in str(error)


def test_an_error_without_words_says_its_kind() -> None:
    assert "cannot reach the source database 'd' at h:1: OSError" in str(
        refused(Endpoint("source", "h", 1, "d", "u"), OSError())
    )


def test_it_runs_as_a_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delitem(sys.modules, "validator.__main__", raising=False)
    monkeypatch.setattr(sys, "argv", ["validator", "--help"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("validator", run_name="__main__")
    assert caught.value.code == 0
    assert "Exit codes: 0 PASS, 1 FAIL, 2 wrong usage, 4 INCONCLUSIVE." in " ".join(capsys.readouterr().out.split())


# --- the roots that Aurora is verified against -----------------------------------------------------------------------
def _roots() -> list[str]:
    return re.findall(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", CERTIFICATES.read_text(), re.DOTALL)


def test_the_rds_roots_are_all_that_a_context_needs() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=CERTIFICATES)
    assert context.cert_store_stats() == {"x509": 3, "crl": 0, "x509_ca": 3}
    roots: Any = context.get_ca_certs()
    names = {value for root in roots for ((key, value),) in root["subject"] if key == "commonName"}
    assert names == {f"Amazon RDS us-east-1 Root CA {kind} G1" for kind in ("RSA2048", "RSA4096", "ECC384")}
    assert all(root["subject"] == root["issuer"] for root in roots)


@pytest.mark.parametrize("place", range(3))
def test_each_root_is_a_ca_signed_by_itself_and_not_expired(place: int, tmp_path: Path) -> None:
    file = tmp_path / "root.pem"
    file.write_text(_roots()[place])
    command = ["openssl", "verify", "-x509_strict", "-CAfile", str(file), str(file)]
    assert subprocess.run(command, capture_output=True, text=True).stdout.endswith("OK\n")
    facts = ["openssl", "x509", "-in", str(file), "-noout", "-fingerprint", "-sha256", "-ext", "basicConstraints"]
    text = subprocess.run(facts, capture_output=True, text=True).stdout
    assert "CA:TRUE" in text
    fingerprint = re.search(r"Fingerprint=(\S+)", text)
    assert fingerprint is not None
    assert f"# SHA-256 {fingerprint[1].replace(':', '').lower()}\n" in CERTIFICATES.read_text()
