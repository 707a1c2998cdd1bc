"""The account stack: the two roles that AWS DMS finds by their fixed names, once per account for all environments.

Nothing else in the tree is shared, so this stands beside it, in a stack of its own with a review of its own. IAM is
global: where a stack in another region has made the roles, or a person has, there is nothing to do.
https://docs.aws.amazon.com/dms/latest/userguide/security-iam.html#CHAP_Security.APIRole
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from compiler.canonical import canonical_json
from deployer.aws import Aws, error_code, translate
from deployer.change_set import create
from deployer.change_set_name import Purpose
from deployer.change_set_tree import read_tree
from deployer.changes import ROOT, ChangeSet, Outcome
from deployer.clock import CLOCK, Clock
from deployer.dialog import ask, say
from deployer.errors import ChangeSetError, PackageError, RefusedError, StackStateError
from deployer.execution.execute import execute
from deployer.execution.progress import on_stderr
from deployer.execution.tally import expected_resources
from deployer.gate.judge import judge
from deployer.gate.policy import load_policy
from deployer.judgement import show
from deployer.leftovers import discard, sweep
from deployer.package_dir import Package
from deployer.recovery import make_ready
from deployer.review.build import build_review
from deployer.review.model import Review
from deployer.session import Session
from deployer.stacks import StackState, describe_stack, template_of, wait_until_settled
from deployer.upload import Packaged

ACCOUNT = "account"
_ROLE = "AWS::IAM::Role"


class Standing(StrEnum):
    """How the account stands."""

    CURRENT = "current"  # our stack, as the build has it
    OUTDATED = "outdated"  # our stack, from another build
    MISSING = "missing"
    FOREIGN = "foreign"  # the roles exist, and our stack in this region has not made them


@dataclass(frozen=True, slots=True)
class Account:
    """The account stack in this region, and what is to be deployed. `before` is its template, None where it is none."""

    name: str
    standing: Standing
    stack: StackState | None
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AccountProposal:
    """A change set of the account stack and what it means."""

    account: Account
    stack: StackState
    arn: str
    tree: ChangeSet
    review: Review


def look_at_account(aws: Aws, package: Package, wait: int = 0, clock: Clock = CLOCK) -> Account:
    """How the account stands: one call where the stack is there, one for each role besides where it is not.

    `StackStateError` where some of the roles exist and others do not: nobody but a person can tell whose they are.
    """
    name = f"{package.stack.removesuffix(f'-{package.suffix}')}-{ACCOUNT}"
    after = package.templates.get(ACCOUNT)
    if after is None:
        raise PackageError(f"{package.folder}: there is no account template", hint="build it again")
    state = wait_until_settled(aws, name, wait, say, clock)
    if state is not None and not state.status.is_review and not state.status.is_failed_creation:
        before = template_of(aws, state.id)
        current = before == after and state.status.can_update
        return Account(name, Standing.CURRENT if current else Standing.OUTDATED, state, before, after)
    roles = _roles(after)
    there = [role for role in roles if _exists(aws, role)]
    if there and len(there) < len(roles):
        missing = ", ".join(role for role in roles if role not in there)
        raise StackStateError(
            f"account: {', '.join(there)} exists outside of stack {name}, {missing} does not exist",
            hint=f"make {missing} by hand as {package.folder}/account.template.json has it, or delete "
            f"{', '.join(there)} if no DMS instance of the account uses it; then run the command again",
        )
    return Account(name, Standing.FOREIGN if there else Standing.MISSING, state, None, after)


def _roles(template: Mapping[str, Any]) -> list[str]:
    """The names of the template's roles, which are literals."""
    bodies = template["Resources"].values()
    return sorted(body["Properties"]["RoleName"] for body in bodies if body["Type"] == _ROLE)


def _exists(aws: Aws, role: str) -> bool:
    from botocore.exceptions import ClientError

    with translate("look for", f"role {role}"):
        try:
            aws.iam.get_role(RoleName=role)
        except ClientError as error:
            if error_code(error) == "NoSuchEntity":
                return False
            raise
    return True


def ensure_account(aws: Aws, session: Session, package: Package, *, yes: bool, wait: int, clock: Clock = CLOCK) -> None:
    """Deploy the account stack if it is missing, after a review of its own; what is there is left as it is.

    One that another build has deployed is no reason to change it: environments of different ages share it.
    """
    account = look_at_account(aws, package, wait, clock)
    if account.standing is Standing.MISSING:
        say(f"{account.name} is missing: it is deployed first, once for all environments of the account")
        _deploy(aws, session, account, clock, yes=yes)


def deploy_account(aws: Aws, session: Session, package: Package, *, yes: bool, wait: int, clock: Clock = CLOCK) -> int:
    """Bring the account stack to what the build has, after its review; the exit code."""
    account = look_at_account(aws, package, wait, clock)
    if account.standing is Standing.CURRENT:
        say(f"nothing to change: {account.name} is what {session.folder} says")
    elif account.standing is Standing.FOREIGN:
        say(f"nothing to do: {', '.join(_roles(account.after))} exist, made by a person or in another region")
    else:
        _deploy(aws, session, account, clock, yes=yes)
    return 0


def propose_account(aws: Aws, account: Account, clock: Clock = CLOCK) -> AccountProposal | None:
    """The change set of the account stack and its review; None where AWS finds nothing to change.

    The template is small and names no files, so nothing is uploaded for it.
    """
    packaged = Packaged(account.after, canonical_json(account.after), {}, "", "", {ROOT: account.after})
    kind = make_ready(aws, account.stack, durable=False, say=say, clock=clock)
    sweep(aws, account.stack, say, clock)
    arn = create(aws, account.name, packaged, {}, kind, purpose=Purpose.UP, clock=clock)
    with ExitStack() as undo:
        undo.callback(discard, aws, account.name, arn, clock)
        tree = read_tree(aws, arn, {}, kind=kind, clock=clock)
        if tree.outcome is Outcome.FAILED:
            raise ChangeSetError(
                f"{account.name}: its change set could not be made: {tree.cause}", hint="nothing was changed"
            )
        if tree.outcome is Outcome.UNCHANGED:
            return None
        stack = describe_stack(aws, account.name)
        if stack is None:
            raise ChangeSetError(f"stack {account.name} is gone", hint="somebody deleted it: run the command again")
        proposal = AccountProposal(account, stack, arn, tree, _review(aws, account, tree))
        undo.pop_all()
        return proposal


def _review(aws: Aws, account: Account, tree: ChangeSet) -> Review:
    return build_review(
        tree,
        {} if account.before is None else {ROOT: account.before},
        {ROOT: account.after},
        stack=account.name,
        environment=ACCOUNT,
        suffix=ACCOUNT,
        region=aws.region,
        durable=False,
    )


def _deploy(aws: Aws, session: Session, account: Account, clock: Clock, *, yes: bool) -> None:
    """Review, ask, execute. A person who has read the review decides; without one the gate does."""
    proposal = propose_account(aws, account, clock)
    if proposal is None:
        say(f"nothing to change: {account.name}")
        return
    with ExitStack() as undo:
        undo.callback(discard, aws, account.name, proposal.arn, clock)
        verdict = judge(proposal.review, frozenset(), load_policy(None))
        show(proposal.review, verdict, everything=False, command=None)
        if yes and not verdict.allowed:
            raise RefusedError(
                [f"{account.name}: {refusal.address}: {refusal.reason}" for refusal in verdict.refusals],
                hint=f"a person must decide this: {session.command(ACCOUNT)}, without --yes",
            )
        ask(f"execute this change of {account.name} in account {proposal.stack.account}, {aws.region}?", yes=yes)
        undo.pop_all()
    _carry_out(aws, session, proposal, clock)


def _carry_out(aws: Aws, session: Session, proposal: AccountProposal, clock: Clock) -> None:
    again = session.command(ACCOUNT)
    result = execute(
        aws,
        proposal.stack,
        proposal.arn,
        expected=expected_resources(proposal.tree),
        say=on_stderr(clock),
        resume=again,
        clock=clock,
    )
    if not result.succeeded:
        raise result.error(again)
    say(f"{proposal.account.name} is deployed")
