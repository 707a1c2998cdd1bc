"""Weakened protection: the table of guards, deletion policies, and what needs more than two values to be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from deployer.review.concerns import containers, table_mappings, web_acl
from deployer.review.concerns.case import UNKNOWN, Case
from deployer.review.concerns.compare import number, value_at
from deployer.review.concerns.protection_table import guards
from deployer.review.concerns.stateful import default_deletion_policy
from deployer.review.concerns.statements import statements
from deployer.review.model import Action, Concern, Finding
from deployer.review.trees import Body
from deployer.review.values import arrow, is_sensitive, mappings, text_of

# type → what is missing once a resource of it is gone
WATCHERS = {
    "AWS::CloudWatch::Alarm": "nobody is told any more",
    "AWS::CloudWatch::CompositeAlarm": "nobody is told any more",
    "AWS::DMS::EventSubscription": "nobody is told of replication's events any more",
    "AWS::EC2::FlowLog": "traffic is not logged any more",
    "AWS::Events::Rule": "its events reach nobody any more",
    "AWS::RDS::EventSubscription": "nobody is told of the database's events any more",
    "AWS::SecretsManager::RotationSchedule": "the secret is not rotated any more",
    "AWS::SecretsManager::SecretTargetAttachment": "the secret does not name the database's address any more",
    "AWS::WAFv2::LoggingConfiguration": "what the WAF decides is not logged any more",
    "AWS::WAFv2::WebACL": "requests are not inspected any more",
    "AWS::WAFv2::WebACLAssociation": "requests are not inspected any more",
}
# Which objects a lifecycle rule is about, and when it deletes them.
_SCOPE = ("Prefix", "TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan")
_EXPIRATIONS = (
    ("ExpirationInDays", "current"),
    ("ExpirationDate", "current"),
    ("NoncurrentVersionExpiration/NoncurrentDays", "old"),
    ("NoncurrentVersionExpirationInDays", "old"),
)
# Removal policies by how much they keep.
_KEEPS = {"Delete": 0, "Snapshot": 1, "Retain": 2, "RetainExceptOnCreate": 2}


def weakened(case: Case) -> Iterator[Finding]:
    """Everything that protects less after the change than before."""
    if case.action is Action.DELETE and case.type in WATCHERS and case.graded.change.tier not in case.around.leaving:
        yield Finding(Concern.PROTECTION, "weaken", f"it is removed, and {WATCHERS[case.type]}")
    if case.before is None or case.after is None:
        return
    yield from _policies(case.before, case.after)
    for guard in guards(case.type):
        before, after = (value_at(side, guard.path) for side in (case.old(), case.new()))
        before, after = (guard.missing if value is None else value for value in (before, after))
        if _unknown(case, guard.path, before) or guard.weaker(before, after):
            yield Finding(guard.concern, guard.rule, _told(guard.text, guard.path, before, after))
    yield from _of_type(case)
    yield from _in_plain_text(case)


def _of_type(case: Case) -> Iterator[Finding]:
    match case.type:
        case "AWS::S3::Bucket":
            yield from _expiry(case)
        case "AWS::ElasticLoadBalancingV2::Listener":
            yield from _plain_text(case)
        case "AWS::DMS::ReplicationTask":
            yield from table_mappings.narrowed(case)
        case "AWS::KMS::Key":
            yield from _unmanaged(case)
        case "AWS::CloudWatch::Alarm":
            yield from _threshold(case)
        case "AWS::WAFv2::WebACL":
            yield from web_acl.weakened(case)
        case "AWS::ECS::TaskDefinition":
            yield from containers.weakened(case)


def _unknown(case: Case, path: str, before: Any) -> bool:
    """Whether a guard's property changes from a value that nobody tells."""
    return before == UNKNOWN and path.partition("/")[0] in case.touched


def _told(text: str, path: str, before: Any, after: Any) -> str:
    if is_sensitive(path):
        return text
    return f"{text}, {arrow(*(None if value is None else text_of(value) for value in (before, after)))}"


# --- removal policies ------------------------------------------------------------------------------------------------
def _policies(old: Body, new: Body) -> Iterator[Finding]:
    default = default_deletion_policy(new.type, of_a_cluster="DBClusterIdentifier" in new.properties)
    both = (
        ("when it leaves the stack", old.deletion_policy or default, new.deletion_policy or default),
        ("when it is replaced", old.update_replace_policy or "Delete", new.update_replace_policy or "Delete"),
    )
    for when, before, after in both:
        if _KEEPS.get(after, 0) < _KEEPS.get(before, 0):
            yield Finding(Concern.PROTECTION, "weaken", f"less is kept of it {when} ({before} → {after})")


# --- single types ----------------------------------------------------------------------------------------------------
def _expiry(case: Case) -> Iterator[Finding]:
    """Objects that a bucket's lifecycle deletes earlier than before: rules by id, days by kind."""
    before, after = _expirations(case.old()), _expirations(case.new())
    for key, days in after.items():
        was = before.get(key)
        if was is None or days < was:
            told = "never" if was is None else f"{was:g} days"
            yield Finding(
                Concern.PROTECTION, "weaken", f"objects are deleted earlier ({told} → {days:g} days, {key[1]})"
            )


def _expirations(properties: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for rule in mappings(value_at(properties, "LifecycleConfiguration/Rules")):
        if rule.get("Status") == "Enabled":
            scope = text_of([rule.get(name) for name in _SCOPE])
            for path, kind in _EXPIRATIONS:
                value = value_at(rule, path)
                if value is not None:
                    days = 0.0 if path == "ExpirationDate" else number(value) or 0.0  # a date comes, whatever its year
                    key = scope, f"{kind} versions"
                    found[key] = min(days, found.get(key, days))
    return found


def _plain_text(case: Case) -> Iterator[Finding]:
    """A listener of plain HTTP that no longer sends clients to HTTPS."""
    before, after = (_redirects(side) for side in (case.old(), case.new()))
    if before and not after and case.new().get("Protocol") == "HTTP":
        yield Finding(Concern.PROTECTION, "weaken", "clients are not sent to HTTPS any more")


def _redirects(properties: Mapping[str, Any]) -> bool:
    return bool(value_at(properties, "DefaultActions/0/RedirectConfig/Protocol") == "HTTPS")


def _unmanaged(case: Case) -> Iterator[Finding]:
    """A key whose policy nobody may change any more: only AWS support can help.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
    """
    before, after = (
        any(found.allows and found.speaks_of("kms:PutKeyPolicy") for found in statements(side.get("KeyPolicy")))
        for side in (case.old(), case.new())
    )
    if before and not after:
        yield Finding(Concern.PROTECTION, "weaken", "nobody may change its policy any more")


def _in_plain_text(case: Case) -> Iterator[Finding]:
    """A credential that the template holds itself."""
    for graded in case.graded.edits:
        edit = graded.property
        if edit.change == "Add" and is_sensitive(edit.path) and "{{resolve:" not in (edit.after or ""):
            yield Finding(Concern.PROTECTION, "weaken", f"{edit.path.rpartition('/')[2]} stands in the template")


def _threshold(case: Case) -> Iterator[Finding]:
    before, after = (number(side.get("Threshold")) for side in (case.old(), case.new()))
    operator = str(case.new().get("ComparisonOperator", ""))
    if before is not None and after is not None and before != after and (after > before) == operator.startswith("G"):
        yield Finding(Concern.PROTECTION, "", f"it is raised later (threshold {before:g} → {after:g})")
