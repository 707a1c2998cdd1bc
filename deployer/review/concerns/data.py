"""Data: what is lost with a resource that goes, and what a change in place does to what it holds."""

from __future__ import annotations

from collections.abc import Iterator

from deployer.changes import NESTED_STACK
from deployer.review.concerns.case import Case
from deployer.review.concerns.stateful import default_deletion_policy, loss
from deployer.review.model import Action, Certainty, Concern, Finding

_SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a type, no secret
_KEEPS = {"Delete": "deleted", "Snapshot": "snapshot taken, then deleted", "Retain": "retained"}


def keeps(case: Case) -> str:
    """What becomes of the resource that is there now: "deleted", "retained", "snapshot taken, then deleted", or ""."""
    if case.action not in (Action.DELETE, Action.REPLACE, Action.RETAIN):
        return ""
    said = case.graded.change.policy_action.removeprefix("ReplaceAnd")
    return _KEEPS.get(said or _policy(case).removesuffix("ExceptOnCreate"), "deleted")


def _policy(case: Case) -> str:
    """The policy of the template that is in force when the resource goes: the new one's for a replacement."""
    if case.action is Action.REPLACE:
        return (case.after.update_replace_policy if case.after else "") or "Delete"
    before = case.before
    default = default_deletion_policy(
        case.type, of_a_cluster=before is not None and "DBClusterIdentifier" in before.properties
    )
    return (before.deletion_policy if before else "") or default


def lost(case: Case) -> Iterator[Finding]:
    """What is lost, or may be."""
    what = loss(case.type)
    if what and case.action is Action.REPLACE:
        verb = "is" if case.graded.certainty is Certainty.CERTAIN else "may be"
        yield Finding(Concern.DATA, "replace", f"{verb} replaced, the old one {keeps(case)}; what goes is {what}")
    elif what and case.action is Action.DELETE:
        kept = keeps(case)
        fate = "is deleted" if kept == "deleted" else f"is deleted ({kept})"
        yield Finding(Concern.DATA, "delete", f"{fate}; what goes is {what}")
    elif case.action is Action.RETAIN and (heir := case.around.heir(case.graded.change)) and (what or _is_tier(case)):
        what = what or "all data in the tier"
        yield Finding(Concern.DATA, "replace", f"stays in the account, and {heir} takes its place without {what}")
    elif case.action is Action.RETAIN and (what or _is_tier(case)):
        yield Finding(Concern.DATA, "", "leaves the stack and stays in the account; nothing manages it any more")
    if case.stays and case.action is Action.MODIFY:
        yield from _in_place(case)


def _is_tier(case: Case) -> bool:
    return case.type == NESTED_STACK


def _in_place(case: Case) -> Iterator[Finding]:
    if case.type == _SECRET and case.touched & {"GenerateSecretString", "SecretString"}:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
        yield Finding(Concern.DATA, "replace", f"gets a new value; what goes is {loss(_SECRET)}")
