"""Permissions: who may do what after the change that could not before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from deployer.review.concerns.case import Case, parsed
from deployer.review.concerns.statements import Statement, statements, uncovered
from deployer.review.concerns.surroundings import Surroundings, address_in
from deployer.review.model import Action, Concern, Finding
from deployer.review.trees import Body
from deployer.review.values import mappings

_ROLE = "AWS::IAM::Role"
_USER = "AWS::IAM::User"
_POLICIES = tuple(f"AWS::IAM::{kind}Policy" for kind in ("", "Managed", "Role", "User", "Group"))
_HOLDERS = ("Roles", "Users", "Groups", "RoleName", "UserName", "GroupName")
_PERMISSION = "AWS::Lambda::Permission"
_ENDPOINT = "AWS::EC2::VPCEndpoint"
_TOPIC = "AWS::SNS::TopicPolicy"  # who may not publish to a topic tells nobody any more
# type → the property that names what the policy stands at, and the property that is the policy
_AT_A_RESOURCE = {
    "AWS::ECR::Repository": ("", "RepositoryPolicyText"),
    "AWS::KMS::Key": ("", "KeyPolicy"),
    "AWS::Logs::LogGroup": ("", "ResourcePolicyDocument"),
    "AWS::S3::BucketPolicy": ("Bucket", "PolicyDocument"),
    _TOPIC: ("Topics", "PolicyDocument"),
    "AWS::SQS::QueuePolicy": ("Queues", "PolicyDocument"),
    "AWS::SecretsManager::ResourcePolicy": ("SecretId", "ResourcePolicy"),
    _ENDPOINT: ("", "PolicyDocument"),
}
_TYPES = (_ROLE, _USER, *_POLICIES, _PERMISSION, *_AT_A_RESOURCE)
# What an endpoint lets through that has no policy of its own.
_EVERYTHING = {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}
# A permission's own property for each condition key.
_CONDITIONS = (
    ("aws:SourceArn", "SourceArn"),
    ("aws:SourceAccount", "SourceAccount"),
    ("aws:PrincipalOrgID", "PrincipalOrgID"),
)
_MANY = 3


@dataclass(frozen=True, slots=True)
class Grant:
    """A statement and its `holder`: "identity.TaskRole", "trust of identity.TaskRole", "policy of monitoring.Topic"."""

    holder: str
    statement: Statement


def widened(case: Case) -> Iterator[Finding]:
    """What is allowed after the change and is not today, and what is no longer denied."""
    if case.type not in _TYPES or case.action is Action.RETAIN:
        return
    before, after = (list(_grants(case.address, body)) if body else [] for body in (case.before, case.after))
    today = [*_granted(case.around, after=False), *before]
    rule = "" if case.around.first else "access"
    yield from _told(_beyond(after, today, allows=True), "may", rule)
    then = list(_granted(case.around, after=True))
    left = [grant for grant in before if case.around.trees.after.holds(_place(grant.holder))]  # what is gone needs none
    yield from _told(_beyond(left, then, allows=False), "no longer denies", rule)
    speaks = case.type == _TOPIC and rule
    yield from _told(
        _beyond(left, then, allows=True),
        "no longer may",
        "weaken" if speaks else "",
        Concern.PROTECTION if speaks else Concern.ACCESS,
    )


def _beyond(grants: list[Grant], others: list[Grant], *, allows: bool) -> list[Grant]:
    """The parts of what is allowed, or denied, that none of the others of the same holder says."""
    return [
        Grant(grant.holder, part)
        for grant in grants
        if grant.statement.allows == allows
        for part in uncovered(grant.statement, _held(others, grant.holder))
    ]


def _told(grants: list[Grant], verb: str, rule: str, concern: Concern = Concern.ACCESS) -> Iterator[Finding]:
    """One finding for each holder, however many statements."""
    for holder in dict.fromkeys(grant.holder for grant in grants):
        texts = list(dict.fromkeys(str(grant.statement) for grant in grants if grant.holder == holder))
        more = f"; and {len(texts) - _MANY} more" if len(texts) > _MANY else ""
        said = verb.replace("may", "allows") if " of " in holder else verb
        texts = [f"do {text}" if text.startswith("everything") and "may" in said else text for text in texts]
        yield Finding(concern, rule, f"{holder} {said} {'; '.join(texts[:_MANY])}{more}")


def _place(holder: str) -> str:
    return holder.removeprefix("trust of ").removeprefix("policy of ")


def _held(grants: list[Grant], holder: str) -> list[Statement]:
    return [grant.statement for grant in grants if grant.holder == holder]


def _granted(around: Surroundings, *, after: bool) -> Iterator[Grant]:
    for address, body in around.bodies(*_TYPES, after=after):
        yield from _grants(address, body)


def _grants(address: str, body: Body) -> Iterator[Grant]:
    """The statements that a resource makes."""
    for holder, document in _documents(address, body):
        for statement in statements(document):
            yield Grant(holder, statement)


def _documents(address: str, body: Body) -> Iterator[tuple[str, Any]]:
    """The policies that a resource makes, each with its holder."""
    properties = body.properties
    if body.type in (_ROLE, _USER):
        if body.type == _ROLE:
            yield f"trust of {address}", properties.get("AssumeRolePolicyDocument")
        yield from ((address, policy.get("PolicyDocument")) for policy in mappings(properties.get("Policies")))
    elif body.type in _POLICIES:
        for kind in _HOLDERS:
            for holder in _listed(properties.get(kind)):
                yield address_in(holder), properties.get("PolicyDocument")
    elif body.type == _PERMISSION:
        yield f"policy of {address_in(properties.get('FunctionName'))}", {"Statement": _permission(properties)}
    else:
        place, name = _AT_A_RESOURCE[body.type]
        document = parsed(properties.get(name)) or (_EVERYTHING if body.type == _ENDPOINT else {})
        named = properties.get(place, address)
        for target in _listed(named):
            yield f"policy of {address_in(target)}", document


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _permission(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A permission to call a function, as the statement that Lambda makes of it."""
    sources = {key: properties[name] for key, name in _CONDITIONS if name in properties}
    body = {
        "Effect": "Allow",
        "Action": properties.get("Action"),
        "Principal": {"Service": properties.get("Principal")},
        "Resource": "*",
    }
    return {**body, "Condition": {"StringLike": sources}} if sources else body
