"""Read the change sets of the whole tree: each polled to its own end, each judged by its own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from deployer.aws import Aws, in_parallel
from deployer.change_set import Kind
from deployer.change_set_convert import resource_change
from deployer.change_set_describe import Described, describe_to_end, describe_without_values, merge
from deployer.change_set_validation import MARK, Finding, Validation
from deployer.changes import NESTED_STACK, ROOT, ChangeSet, Outcome
from deployer.clock import CLOCK, Clock
from deployer.tiers import tier_name

# https://github.com/aws/aws-cdk-cli (changeSetHasNoChanges): by status and beginning, for the rest of the text varies.
_UNCHANGED = ("The submitted information didn't contain changes.", "No updates are to be performed")
_NESTED_FAILURE = re.compile(r"Nested change set .* was not successfully created")


def read_tree(
    aws: Aws, arn: str, tiers: Mapping[str, str], *, kind: Kind = "UPDATE", clock: Clock = CLOCK
) -> ChangeSet:
    """The change set of the root with those of its nested stacks below it, nested ones read in parallel.

    `tiers` are names by the logical id of a nested stack in the root. The root tells nothing of its nested stacks'
    failures, may fail while they are still being made, and unchanged ones are "FAILED": each is read for itself.
    https://github.com/aws-amplify/amplify-cli/pull/14764

    Calls: one for a set without changes, three for any other (with property values, without, early validation), and
    polls. Reading the second form always is what finds a resource that AWS left out of the first.
    """
    return _Reader(aws, tiers, clock, Validation(aws)).read(arn, ROOT, kind)


@dataclass(frozen=True, slots=True)
class _Reader:
    aws: Aws
    tiers: Mapping[str, str]
    clock: Clock
    validation: Validation

    def read(self, arn: str, tier: str, kind: str) -> ChangeSet:
        """One change set and all below it."""
        described = describe_to_end(self.aws, arn, self.clock)
        if _is_unchanged(described):
            return _change_set(described, tier, kind, Outcome.UNCHANGED)
        with ThreadPoolExecutor(1) as beside:
            awaited = beside.submit(self.validation.findings, arn)
            described = merge(described, describe_without_values(self.aws, arn))
            findings = awaited.result()  # before the nested ones ask: where the first is refused, they do not
        nested = [
            (change["LogicalResourceId"], change["ChangeSetId"], "CREATE" if change["Action"] == "Add" else "UPDATE")
            for change in described.changes
            if change["ResourceType"] == NESTED_STACK and change.get("ChangeSetId")
        ]
        read = in_parallel(lambda item: self.read(item[1], self._tier(tier, item[0]), item[2]), nested)
        return self._assembled(described, tier, kind, findings, dict(zip((n[0] for n in nested), read, strict=True)))

    def _tier(self, parent: str, logical_id: str) -> str:
        """The tier of a nested stack; one that the build no longer has is named by the same rule."""
        name = self.tiers.get(logical_id) if parent == ROOT else None
        name = name or tier_name(logical_id)
        return name if parent == ROOT else f"{parent}.{name}"

    def _assembled(
        self, described: Described, tier: str, kind: str, findings: list[Finding], children: Mapping[str, ChangeSet]
    ) -> ChangeSet:
        named = {change["LogicalResourceId"] for change in described.changes}
        changes = tuple(
            resource_change(
                change,
                tier,
                tuple(finding.text for finding in findings if finding.logical_id == change["LogicalResourceId"]),
                children.get(change["LogicalResourceId"]),
            )
            for change in described.changes
        )
        warnings = [
            f"{finding.logical_id}: {finding.text}" if finding.logical_id else finding.text
            for finding in findings
            if finding.logical_id not in named
        ]
        if tier == ROOT and self.validation.unavailable:
            warnings.append(self.validation.unavailable)
        failed = described.status != "CREATE_COMPLETE"
        return ChangeSet(
            tier=tier,
            arn=described.arn,
            stack_id=described.stack_id,
            stack_name=described.stack_name,
            change_set_type=kind,
            outcome=Outcome.FAILED if failed else Outcome.CHANGED,  # outputs alone change without any resource change
            cause=_cause(described, findings, children) if failed else "",
            changes=changes,
            warnings=tuple(warnings),
        )


def _is_unchanged(described: Described) -> bool:
    return described.status == "FAILED" and described.reason.startswith(_UNCHANGED)


def _change_set(described: Described, tier: str, kind: str, outcome: Outcome) -> ChangeSet:
    return ChangeSet(tier, described.arn, described.stack_id, described.stack_name, kind, outcome, cause="", changes=())


def _cause(described: Described, findings: list[Finding], children: Mapping[str, ChangeSet]) -> str:
    """Why a change set failed: early validation's own findings, or whose nested one failed, or AWS's reason."""
    fatal = [f"{finding.logical_id}: {finding.text}".removeprefix(": ") for finding in findings if finding.fails]
    if MARK in described.reason and fatal:
        return "; ".join(fatal)
    failed = [child.tier for child in children.values() if child.outcome is Outcome.FAILED]
    if failed and _NESTED_FAILURE.match(described.reason):
        return f"the change set of {', '.join(failed)} failed"
    return described.reason or f"AWS gives no reason ({described.status})"
