"""Ask AWS which versions it offers and until when, and bring a table to what it answers.

boto3 is imported here only, and only when asked: a build never talks to AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from settings.errors import UserError
from settings.lifecycle_table import Entry, Product, Table

ENGINE = "aurora-postgresql"
# A bare major lets RDS choose the minor, and -limitless is another product: neither can be chosen in params.
_MINOR = re.compile(r"\d+(\.\d+)+")
_STANDARD, _EXTENDED = "open-source-rds-standard-support", "open-source-rds-extended-support"
_MODERN = frozenset({"TLSv1.2", "TLSv1.3"})

Clients = Callable[[str], Any]  # service name → boto3 client


class LiveError(UserError):
    """AWS could not be asked, or answered nothing that could be true."""

    code = "V002"


@dataclass(frozen=True, slots=True)
class Answer:
    """What AWS offers of one product; what it does not name, it does not offer."""

    versions: Mapping[str, Entry]
    majors: Mapping[str, Entry] = field(default_factory=dict)


def boto3_clients(region: str) -> Clients:
    """Clients of the person's own session."""
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 4, "mode": "standard"})

    def client(service: str) -> Any:
        return boto3.client(service, region_name=region, config=patience)  # type: ignore[call-overload]  # name is data

    return client


def ask(clients: Clients) -> dict[str, Answer]:
    """Ask for everything that AWS can tell, by product of the table; raises `LiveError` naming every call refused.

    Not to be had from any API: Lambda runtimes, Fargate platform versions, end dates of Aurora minors.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    questions: dict[str, tuple[str, Callable[[Any], Answer]]] = {
        ENGINE: ("rds", _aurora),
        "dms": ("dms", _dms),
        "rds-ca": ("rds", _certificates),
        "elb-tls": ("elbv2", _policies),
    }
    answers: dict[str, Answer] = {}
    refused: list[ClientError] = []
    for product, (service, question) in questions.items():
        try:
            answers[product] = question(clients(service))
        except ClientError as error:
            refused.append(error)
        except (BotoCoreError, ResponseParserError, ValueError) as error:  # ValueError: an endpoint that is no URL
            raise LiveError(f"AWS cannot be asked: {error}", hint=_way_out(error)) from None
    if refused:
        hints = dict.fromkeys(_remedy(error) for error in refused)
        raise LiveError([f"AWS refused {_refusal(error)}" for error in refused], hint="; ".join(hints))
    for product, answer in answers.items():
        if not any(not entry.gone for entry in answer.versions.values()):
            raise LiveError(
                f"AWS names no version of {product} that can be created; nothing is proposed",
                hint="check the region, and AWS_ENDPOINT_URL: an emulator does not know what AWS offers",
            )
    return answers


def merge(table: Table, answers: Mapping[str, Answer], today: date) -> Table:
    """The table as it should be by the answers. A date that AWS does not tell stays; so does what we refuse."""
    products = dict(table.products)
    for name, answer in answers.items():
        facts = products[name]
        silent = {version: Entry(gone=True) for version in facts.versions if version not in answer.versions}
        products[name] = replace(
            facts,
            checked_on=today,
            versions=_updated(facts.versions, {**silent, **answer.versions}, today),
            majors=_updated(facts.majors, answer.majors, today),
        )
    return Table(table.file, products)


def _updated(known: Mapping[str, Entry], told: Mapping[str, Entry], today: date) -> dict[str, Entry]:
    entries = dict(known)
    for version, entry in told.items():
        old = known.get(version, Entry())
        last = entry.no_new_after or old.no_new_after
        entries[version] = replace(
            old,
            # Past its last day a version is known not to be offered: that AWS says so too is no news.
            gone=entry.gone and (old.gone or not (last and last < today)),
            ends=entry.ends or old.ends,
            no_new_after=last,
            extended_until=entry.extended_until or old.extended_until,
            refused=old.refused or entry.refused,
        )
    return entries


def news(before: Table, after: Table) -> list[str]:
    """What differs between two tables, in words; `checked_on` is no news."""
    return [
        f"{name} {version}: {what}"
        for name, product in after.products.items()
        for version, what in _differences(before.products[name], product)
    ]


def _differences(before: Product, after: Product) -> Iterable[tuple[str, str]]:
    for known, current, kind in (
        (before.majors, after.majors, "major, "),
        (before.versions, after.versions, ""),
    ):
        for version, entry in current.items():
            old = known.get(version)
            if old == entry:
                continue
            changes = [] if old else ["new"]
            old = old or Entry()
            if old.gone != entry.gone:
                changes.append("no longer offered" if entry.gone else "offered again")
            if old.refused != entry.refused:
                changes.append(f"refused: {entry.refused}")
            changes += [
                f"{name} {getattr(entry, name)}" + (f" (was {getattr(old, name)})" if getattr(old, name) else "")
                for name in ("ends", "no_new_after", "extended_until")
                if getattr(old, name) != getattr(entry, name)
            ]
            yield version, kind + ", ".join(changes)


# --- the calls -------------------------------------------------------------------------------------------------------
def _aurora(rds: Any) -> Answer:
    """Versions and whether they can be created; support dates of majors.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBEngineVersions.html
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBMajorEngineVersions.html
    """
    pages = rds.get_paginator("describe_db_engine_versions").paginate(Engine=ENGINE, IncludeAll=True)
    versions = {
        version["EngineVersion"]: Entry(gone=version.get("Status") == "deprecated")
        for page in pages
        for version in page["DBEngineVersions"]
        if _MINOR.fullmatch(version["EngineVersion"])
    }
    majors: dict[str, Entry] = {}
    for page in rds.get_paginator("describe_db_major_engine_versions").paginate(Engine=ENGINE):
        for major in page["DBMajorEngineVersions"]:
            ends = {
                cycle["LifecycleSupportName"]: _day(cycle.get("LifecycleSupportEndDate"))
                for cycle in major.get("SupportedEngineLifecycles", [])
            }
            majors[major["MajorEngineVersion"]] = Entry(ends=ends.get(_STANDARD), extended_until=ends.get(_EXTENDED))
    return Answer(versions, {major: entry for major, entry in majors.items() if entry != Entry()})


def _dms(dms: Any) -> Answer:
    """Versions: DeprecationDate is the last day they can be requested, ForceUpgradeDate the release notes' end of life.

    https://docs.aws.amazon.com/dms/latest/APIReference/API_EngineVersion.html
    """
    versions: dict[str, Entry] = {}
    marker: dict[str, str] = {}
    while True:  # boto3 has no paginator for this call
        page = dms.describe_engine_versions(**marker)
        for version in page["EngineVersions"]:
            versions[version["Version"]] = Entry(
                gone=version.get("Lifecycle") == "DEPRECATED",
                no_new_after=_day(version.get("DeprecationDate")),
                ends=_day(version.get("ForceUpgradeDate")),
                refused="a beta release" if version.get("ReleaseStatus") == "beta" else "",
            )
        if not page.get("Marker"):
            return Answer(versions)
        marker = {"Marker": page["Marker"]}


def _certificates(rds: Any) -> Answer:
    """CAs on offer and the end of their validity in the session's region.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeCertificates.html
    """
    pages = rds.get_paginator("describe_certificates").paginate()
    return Answer(
        {
            certificate["CertificateIdentifier"]: Entry(ends=_day(certificate.get("ValidTill")))
            for page in pages
            for certificate in page["Certificates"]
        }
    )


def _policies(elb: Any) -> Answer:
    """TLS policies of application load balancers, the weak ones refused.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeSSLPolicies.html
    """
    pages = elb.get_paginator("describe_ssl_policies").paginate(LoadBalancerType="application")
    return Answer(
        {
            policy["Name"]: Entry(refused=weakness(policy["SslProtocols"], [c["Name"] for c in policy["Ciphers"]]))
            for page in pages
            for policy in page["SslPolicies"]
        }
    )


def weakness(protocols: Iterable[str], ciphers: Iterable[str]) -> str:
    """Why we refuse a TLS policy; empty where it is TLS 1.3 (and 1.2) with forward secrecy throughout."""
    old = sorted(set(protocols) - _MODERN)
    if old:
        return f"it accepts {'TLS 1.0' if old[0] == 'TLSv1' else old[0].replace('TLSv', 'TLS ')}"
    if "TLSv1.3" not in protocols:
        return "it lacks TLS 1.3"
    if not all(cipher.startswith(("TLS_", "ECDHE-")) for cipher in ciphers):
        return "ciphers without forward secrecy"
    return ""


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(UTC).date() if moment else None


# --- what can go wrong -----------------------------------------------------------------------------------------------
def _refusal(error: Any) -> str:
    details = error.response.get("Error", {})
    return f"{error.operation_name}: {details.get('Code', 'no code')}: {details.get('Message') or 'no message'}"


def _remedy(error: Any) -> str:
    """The next step after a refusal, by its code."""
    code = error.response.get("Error", {}).get("Code", "")
    if code in {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}:
        return (
            "allow rds:DescribeDBEngineVersions, rds:DescribeDBMajorEngineVersions, rds:DescribeCertificates, "
            "dms:DescribeEngineVersions and elasticloadbalancing:DescribeSSLPolicies, or use another profile"
        )
    if code in {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}:
        return "your session has expired: sign in again (aws sso login) and run this again"
    if code in {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure"}:
        return "these credentials are not valid: check AWS_PROFILE and aws sts get-caller-identity"
    if "Throttl" in code or code in {"RequestLimitExceeded", "TooManyRequestsException"}:
        return "AWS is throttling this account: run this again in a minute"
    return "run this again; the file is unchanged"


def _way_out(error: Any) -> str:
    """The next step where no answer came at all, by the kind of error."""
    name = type(error).__name__
    if name in {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}:
        return "sign in (aws configure, aws sso login) or set AWS_PROFILE"
    if name == "ProfileNotFound":
        return "set AWS_PROFILE to a profile of ~/.aws/config"
    if "SSO" in name or "Token" in name:
        return "your session has expired: sign in again (aws sso login) and run this again"
    return "check the network, the region and AWS_ENDPOINT_URL, and run this again; the file is unchanged"
