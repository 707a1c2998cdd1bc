"""`build.py versions --live`: what AWS answers, what becomes of it, and what a person reads when AWS refuses."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    SSOTokenLoadError,
)
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber

from compiler.live_versions import Answer, LiveError, ask, boto3_clients, merge, news, weakness
from compiler.versions import run
from settings.errors import OutputError, UsageError, UserError
from settings.lifecycle import load_table
from settings.lifecycle_table import Entry, Table
from settings.load import load
from settings.model import Settings

PARAMS = Path(__file__).parents[3] / "params"
TODAY = date(2026, 11, 24)
LATER = date(2026, 12, 24)
STANDARD, EXTENDED = "open-source-rds-standard-support", "open-source-rds-extended-support"


@pytest.fixture(autouse=True)
def _no_real_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may find the credentials of whoever runs it."""
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def dev() -> dict[str, Settings]:
    return {"dev": load(PARAMS, "dev")}


@pytest.fixture
def params(tmp_path: Path) -> Path:
    """A folder of params of the test's own, with the real table."""
    folder = tmp_path / "params"
    folder.mkdir()
    shutil.copy(PARAMS / "lifecycle.yaml", folder)
    return folder


def printed(
    environments: dict[str, Settings], params: Path = PARAMS, today: date = TODAY, **options: Any
) -> tuple[int, str]:
    out = io.StringIO()
    return run(environments, params, today, out, **options), out.getvalue()


# --- an AWS that answers what a test says; botocore's Stubber checks the shapes ---------------------------------------
class FakeAws:
    """Answers that agree with the real table until a test changes them."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.aurora = self._statuses("aurora-postgresql")
        self.majors = {
            major: {STANDARD: entry.ends, EXTENDED: entry.extended_until}
            for major, entry in table.products["aurora-postgresql"].majors.items()
        }
        self.dms: list[dict[str, Any]] = [
            {
                "Version": "3.5.4",
                "Lifecycle": "ACTIVE",
                "DeprecationDate": moment(2027, 1, 31),
                "ForceUpgradeDate": moment(2027, 3, 31),
            },
            {"Version": "3.6.1", "Lifecycle": "DEFAULT_VERSION", "ReleaseStatus": "prod"},
        ]
        self.certificates: list[dict[str, Any]] = [
            {"CertificateIdentifier": name, "ValidTill": datetime(entry.ends.year, 5, 25, 23, 41, tzinfo=UTC)}
            for name, entry in table.products["rds-ca"].versions.items()
            if not entry.gone and entry.ends
        ]
        self.policies: list[dict[str, Any]] = [
            policy(name) for name, entry in table.products["elb-tls"].versions.items() if not entry.refused
        ] + [
            policy(name, protocols=["TLSv1.2", "TLSv1"])
            for name, entry in table.products["elb-tls"].versions.items()
            if entry.refused
        ]
        self.errors: dict[str, str] = {}
        self.messages: dict[str, str] = {}

    def _statuses(self, product: str) -> dict[str, str]:
        return {
            version: "deprecated" if entry.gone else "available"
            for version, entry in self.table.products[product].versions.items()
        }

    def client(self, service: str) -> Any:
        session: Any = boto3.Session("testing", "testing", region_name="us-east-1")
        client = session.client(service)
        stubber = Stubber(client)
        for call, answer, parameters in getattr(self, f"_{service}")():
            operation = call.replace("_", "")
            code = next((c for name, c in self.errors.items() if name.lower() == operation.replace("-", "")), None)
            if code:
                stubber.add_client_error(call, code, self.messages.get(code, "refused"))
            else:
                stubber.add_response(call, answer, parameters)
        stubber.activate()
        return client

    def _rds(self) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
        names = [*self.aurora.items()]
        half = len(names) // 2
        pages = [
            [{"EngineVersion": version, "Status": status} for version, status in part]
            for part in (names[:half], names[half:])
        ]
        asked = {"Engine": "aurora-postgresql", "IncludeAll": True}
        engines: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
            ("describe_db_engine_versions", {"DBEngineVersions": pages[0], "Marker": "next"}, asked),
            ("describe_db_engine_versions", {"DBEngineVersions": pages[1]}, {**asked, "Marker": "next"}),
            (
                "describe_db_major_engine_versions",
                {
                    "DBMajorEngineVersions": [
                        {
                            "MajorEngineVersion": major,
                            "SupportedEngineLifecycles": [
                                {
                                    "LifecycleSupportName": name,
                                    "LifecycleSupportStartDate": moment(2020, 1, 1),
                                    "LifecycleSupportEndDate": moment(end.year, end.month, end.day),
                                }
                                for name, end in ends.items()
                                if end
                            ],
                        }
                        for major, ends in self.majors.items()
                    ]
                },
                {"Engine": "aurora-postgresql"},
            ),
        ]
        certificates: tuple[str, dict[str, Any], dict[str, Any]]
        certificates = ("describe_certificates", {"Certificates": self.certificates}, {})
        self._rds_calls = getattr(self, "_rds_calls", 0) + 1
        return engines if self._rds_calls == 1 else [certificates]

    def _dms(self) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
        return [
            ("describe_engine_versions", {"EngineVersions": self.dms[:1], "Marker": "2"}, {}),
            ("describe_engine_versions", {"EngineVersions": self.dms[1:]}, {"Marker": "2"}),
        ]

    def _elbv2(self) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
        return [("describe_ssl_policies", {"SslPolicies": self.policies}, {"LoadBalancerType": "application"})]


def moment(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 23, 59, 59, tzinfo=UTC)


def policy(
    name: str, protocols: list[str] | None = None, ciphers: tuple[str, ...] = ("TLS_AES_128_GCM_SHA256",)
) -> dict[str, Any]:
    return {
        "Name": name,
        "SslProtocols": protocols or ["TLSv1.3", "TLSv1.2"],
        "Ciphers": [{"Name": cipher, "Priority": 1} for cipher in ciphers],
    }


@pytest.fixture
def table() -> Table:
    return load_table(PARAMS)


@pytest.fixture
def aws(table: Table) -> FakeAws:
    return FakeAws(table)


def test_an_aws_that_agrees_moves_the_checked_on_dates_only(
    dev: dict[str, Settings], params: Path, aws: FakeAws
) -> None:
    code, text = printed(dev, params, LATER, live=True, clients=aws.client)
    assert code == 0
    assert text.startswith("us-east-1: AWS offers what the table says\nnote: AWS has no call for Lambda runtimes")
    changes = [line for line in text.splitlines() if line.startswith(("+ ", "- "))]
    assert changes == ["-  checked_on: 2026-11-24", "+  checked_on: 2026-12-24"] * 4
    assert (params / "lifecycle.yaml").read_text() == (PARAMS / "lifecycle.yaml").read_text()


def test_news_of_aws_are_told_in_words_and_as_a_diff(dev: dict[str, Settings], params: Path, aws: FakeAws) -> None:
    aws.aurora |= {"17.4": "deprecated", "17.12": "available", "17": "available", "16.15-limitless": "available"}
    del aws.aurora["14.17"]
    aws.majors["17"] = {STANDARD: date(2030, 3, 31), EXTENDED: date(2033, 2, 28)}
    aws.majors["19"] = {STANDARD: date(2032, 2, 29)}
    aws.majors["20"] = {}
    aws.dms[0]["Lifecycle"] = "DEPRECATED"
    aws.dms[1] |= {"DeprecationDate": moment(2027, 4, 30), "ForceUpgradeDate": moment(2027, 6, 30)}
    aws.dms.append({"Version": "3.7.0", "Lifecycle": "ACTIVE", "ReleaseStatus": "beta"})
    aws.certificates.append({"CertificateIdentifier": "rds-ca-mldsa-g2", "ValidTill": moment(2130, 1, 1)})
    aws.policies.append(policy("ELBSecurityPolicy-TLS13-1-2-Weak-2027-01", ciphers=("AES128-SHA",)))
    code, text = printed(dev, params, TODAY, live=True, clients=aws.client)
    assert code == 1
    assert [line.removeprefix("us-east-1: ") for line in text.splitlines() if line.startswith("us-east-1: ")] == [
        "aurora-postgresql 17: major, ends 2030-03-31 (was 2030-02-28)",
        "aurora-postgresql 19: major, new, ends 2032-02-29",
        "aurora-postgresql 14.17: no longer offered",
        "aurora-postgresql 17.4: no longer offered",
        "aurora-postgresql 17.12: new",
        "dms 3.5.4: no longer offered",
        "dms 3.6.1: ends 2027-06-30, no_new_after 2027-04-30",
        "dms 3.7.0: new, refused: a beta release",
        "rds-ca rds-ca-mldsa-g2: new, ends 2130-01-01",
        "elb-tls ELBSecurityPolicy-TLS13-1-2-Weak-2027-01: new, refused: ciphers without forward secrecy",
    ]
    changes = [line for line in text.splitlines() if line.startswith(("+ ", "- "))]
    assert changes == [
        '-    "17": {ends: 2030-02-28, extended_until: 2033-02-28}',
        '+    "17": {ends: 2030-03-31, extended_until: 2033-02-28}',
        '+    "19": {ends: 2032-02-29}',
        '-    "14.17": {ends: 2026-11-30}',
        '+    "14.17": {ends: 2026-11-30, gone: true}',
        '-    "17.4": {ends: 2026-11-30}',
        '+    "17.4": {ends: 2026-11-30, gone: true}',
        '+    "17.12": {}',
        '-    "3.5.4": {no_new_after: 2027-01-31, ends: 2027-03-31}',
        '+    "3.5.4": {no_new_after: 2027-01-31, ends: 2027-03-31, gone: true}',
        '-    "3.6.1": {}                         # no date set; an older page had 2027-04-30 and 2027-06-30, since withdrawn',
        (
            '+    "3.6.1": {ends: 2027-06-30, no_new_after: 2027-04-30}                         '
            "# no date set; an older page had 2027-04-30 and 2027-06-30, since withdrawn"
        ),
        '+    "3.7.0": {refused: a beta release}',
        "+    rds-ca-mldsa-g2: {ends: 2130-01-01}",
        "+    ELBSecurityPolicy-TLS13-1-2-Weak-2027-01: {refused: ciphers without forward secrecy}",
    ]


def test_a_diff_can_be_applied_by_patch_tools(dev: dict[str, Settings], params: Path, aws: FakeAws) -> None:
    aws.aurora["17.12"] = "available"
    _, text = printed(dev, params, LATER, live=True, clients=aws.client)
    subprocess.run(["git", "apply", "-"], cwd=params.parent, input=text, text=True, check=True)
    assert load_table(params).products["aurora-postgresql"].versions["17.12"] == Entry()


def test_write_applies_the_diff_and_keeps_the_files_mode(dev: dict[str, Settings], params: Path, aws: FakeAws) -> None:
    aws.aurora["17.12"] = "available"
    path = params / "lifecycle.yaml"
    path.chmod(0o640)
    code, text = printed(dev, params, LATER, live=True, write=True, clients=aws.client)
    assert code == 0
    assert "\nwritten\n" in text
    assert load_table(params).products["aurora-postgresql"].versions["17.12"] == Entry()
    assert "# Dates are included days" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in params.iterdir()] == ["lifecycle.yaml"]


def test_write_with_nothing_to_write_leaves_the_file_alone(
    dev: dict[str, Settings], params: Path, aws: FakeAws
) -> None:
    before = (params / "lifecycle.yaml").stat()
    assert printed(dev, params, TODAY, live=True, write=True, clients=aws.client)[0] == 0
    after = (params / "lifecycle.yaml").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_json_of_live_holds_the_news_and_the_diff(dev: dict[str, Settings], params: Path, aws: FakeAws) -> None:
    aws.aurora["17.12"] = "available"
    document = json.loads(printed(dev, params, TODAY, live=True, as_json=True, clients=aws.client)[1])
    assert document["region"] == "us-east-1"
    assert document["news"] == ["aurora-postgresql 17.12: new"]
    assert document["diff"].startswith("--- a/params/lifecycle.yaml\n+++ b/params/lifecycle.yaml\n")
    assert document["written"] is False


@pytest.mark.parametrize("broken", ["replace", "chmod"])
def test_a_file_that_cannot_be_replaced_is_left_as_it_was(
    dev: dict[str, Settings], params: Path, aws: FakeAws, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, broken, fail)
    with pytest.raises(OutputError, match=r"lifecycle\.yaml: cannot be written: Permission denied"):
        printed(dev, params, LATER, live=True, write=True, clients=aws.client)
    assert (params / "lifecycle.yaml").read_text() == (PARAMS / "lifecycle.yaml").read_text()
    assert [entry.name for entry in params.iterdir()] == ["lifecycle.yaml"]


def test_a_folder_that_takes_no_new_file_is_an_output_error(
    dev: dict[str, Settings], params: Path, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", fail)
    with pytest.raises(OutputError, match="No space left"):
        printed(dev, params, LATER, live=True, write=True, clients=aws.client)


def test_environments_of_two_regions_must_be_asked_one_by_one(dev: dict[str, Settings], aws: FakeAws) -> None:
    both = {**dev, "far": dataclasses.replace(dev["dev"], region="eu-west-1")}
    with pytest.raises(UsageError, match="eu-west-1 and us-east-1") as caught:
        printed(both, live=True, clients=aws.client)
    assert "--env" in caught.value.hint


# --- what the answers do to a table ----------------------------------------------------------------------------------
def test_what_aws_does_not_tell_stays(table: Table) -> None:
    told = {"aurora-postgresql": Answer({"17.7": Entry(), "13.7": Entry(gone=True)}, {"17": Entry()})}
    product = merge(table, told, LATER).products["aurora-postgresql"]
    assert product.versions["17.7"] == table.products["aurora-postgresql"].versions["17.7"]
    assert product.versions["13.7"] == Entry(gone=True)
    assert product.versions["17.6"].gone, "AWS did not name it, so it is not offered"
    assert product.majors == table.products["aurora-postgresql"].majors
    assert product.checked_on == LATER


def test_what_aws_offers_again_is_no_longer_gone_but_what_we_refuse_stays_refused(table: Table) -> None:
    told = {"elb-tls": Answer({"ELBSecurityPolicy-2016-08": Entry()}), "aurora-postgresql": Answer({"13.7": Entry()})}
    after = merge(table, told, TODAY)
    assert after.products["elb-tls"].versions["ELBSecurityPolicy-2016-08"].refused == "it accepts TLS 1.0"
    assert after.products["aurora-postgresql"].versions["13.7"] == Entry()
    assert "aurora-postgresql 13.7: offered again" in news(table, after)


def test_days_are_those_of_utc_wherever_the_person_sits(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert ask(aws.client)["dms"].versions["3.5.4"].no_new_after == date(2027, 1, 31)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_products_that_were_not_asked_stay_as_they_are(table: Table) -> None:
    after = merge(table, {"dms": Answer({"3.6.1": Entry()})}, LATER)
    assert after.products["lambda"] is table.products["lambda"]
    assert after.products["dms"].checked_on == LATER


@pytest.mark.parametrize(
    ("protocols", "ciphers", "reason"),
    [
        (["TLSv1.3", "TLSv1.2"], ["TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"], ""),
        (["TLSv1.3"], ["TLS_AES_128_GCM_SHA256"], ""),
        (["TLSv1.3", "TLSv1.2"], ["AES128-GCM-SHA256"], "ciphers without forward secrecy"),
        (["TLSv1.2"], ["ECDHE-RSA-AES128-GCM-SHA256"], "it lacks TLS 1.3"),
        (["TLSv1.3", "TLSv1.2", "TLSv1.1"], ["TLS_AES_128_GCM_SHA256"], "it accepts TLS 1.1"),
        (["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1"], ["TLS_AES_128_GCM_SHA256"], "it accepts TLS 1.0"),
    ],
)
def test_a_tls_policy_is_weak_by_its_protocols_and_ciphers(
    protocols: list[str], ciphers: list[str], reason: str
) -> None:
    assert weakness(protocols, ciphers) == reason


# --- an AWS that refuses ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "next_step"),
    [
        ("AccessDenied", "allow rds:DescribeDBEngineVersions"),
        ("AccessDeniedException", "dms:DescribeEngineVersions"),
        ("ExpiredToken", "aws sso login"),
        ("RequestExpired", "sign in again"),
        ("InvalidClientTokenId", "AWS_PROFILE"),
        ("UnrecognizedClientException", "these credentials are not valid"),
        ("Throttling", "in a minute"),
        ("ThrottlingException", "throttling this account"),
        ("RequestLimitExceeded", "in a minute"),
        ("InternalFailure", "run this again; the file is unchanged"),
    ],
)
def test_a_refusal_names_the_call_and_the_next_step(aws: FakeAws, code: str, next_step: str) -> None:
    aws.errors = {"DescribeEngineVersions": code}
    aws.messages = {code: "because"}
    with pytest.raises(LiveError) as caught:
        ask(aws.client)
    assert caught.value.problems == [f"AWS refused DescribeEngineVersions: {code}: because"]
    assert next_step in caught.value.hint
    assert "\n" not in caught.value.hint


def test_every_refusal_is_named_at_once_and_a_next_step_once(aws: FakeAws) -> None:
    aws.errors = dict.fromkeys(
        ("DescribeDBEngineVersions", "DescribeEngineVersions", "DescribeSSLPolicies"), "AccessDenied"
    )
    with pytest.raises(LiveError) as caught:
        ask(aws.client)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "AWS refused DescribeDBEngineVersions",
        "AWS refused DescribeEngineVersions",
        "AWS refused DescribeSSLPolicies",
    ]
    assert caught.value.hint.count("allow rds:") == 1


@pytest.mark.parametrize(
    ("error", "next_step"),
    [
        (NoCredentialsError(), "aws configure"),
        (CredentialRetrievalError(provider="sso", error_msg="gone"), "set AWS_PROFILE"),
        (ProfileNotFound(profile="nobody"), "~/.aws/config"),
        (SSOTokenLoadError(error_msg="expired"), "aws sso login"),
        (EndpointConnectionError(endpoint_url="https://rds.example"), "check the network"),
        (ResponseParserError("not XML"), "AWS_ENDPOINT_URL"),
        (ValueError("Invalid endpoint: localhost:4566"), "AWS_ENDPOINT_URL"),
    ],
)
def test_an_aws_out_of_reach_is_a_user_error_with_a_next_step(error: Exception, next_step: str) -> None:
    def client(_: str) -> Any:
        raise error

    with pytest.raises(UserError, match="AWS cannot be asked") as caught:
        ask(client)
    assert str(error) in caught.value.problems[0]
    assert next_step in caught.value.hint
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("nothing", ["empty", "all deprecated"])
def test_an_answer_without_any_version_proposes_nothing(aws: FakeAws, nothing: str) -> None:
    aws.aurora = {} if nothing == "empty" else dict.fromkeys(aws.aurora, "deprecated")
    with pytest.raises(LiveError, match="names no version of aurora-postgresql that can be created") as caught:
        ask(aws.client)
    assert "emulator" in caught.value.hint


def test_clients_are_of_the_region_and_do_not_wait_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    client = boto3_clients("eu-west-1")("dms")
    assert client.meta.region_name == "eu-west-1"
    assert client.meta.config.connect_timeout == 5


def test_live_without_clients_asks_the_persons_own_session(
    dev: dict[str, Settings], params: Path, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    regions = []

    def own(region: str) -> Callable[[str], Any]:
        regions.append(region)
        return aws.client

    monkeypatch.setattr("compiler.live_versions.boto3_clients", own)
    assert printed(dev, params, TODAY, live=True)[0] == 0
    assert regions == ["us-east-1"]
