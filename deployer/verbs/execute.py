"""execute: the change set that was reviewed, and no other."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deployer import VERSION
from deployer.account import Standing, look_at_account
from deployer.approval import Approval, change_set_of, verify
from deployer.change_set import is_executable
from deployer.change_set_tree import read_tree
from deployer.conclusion import carry_out
from deployer.contradictions import require_agreement
from deployer.dialog import say
from deployer.errors import DeploymentFailedError, StackStateError, StaleReviewError
from deployer.execution.interruption import StoppedWatchingError
from deployer.gate.judge import judge
from deployer.judgement import given, place_of, policy_of, require_allowed
from deployer.moved import read_moved
from deployer.review_files import read_document, spend_review
from deployer.session import Session, open_session
from deployer.stacks import StackState, wait_until_settled
from deployer.standing import pack, stand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deployer.aws import Aws
    from deployer.gate.policy import Policy
    from deployer.package_dir import Package


def run(options: argparse.Namespace, root: str) -> int:
    """0 when it is done; an error where anything has moved since the review, or where the execution fails."""
    session = open_session(options, root)
    package = session.package()
    policy = policy_of(session.root, package)
    with _told_how_to_review_again(session):
        document = read_document(session.folder, session.command("review"))
        arn = change_set_of(document)
        aws = session.connect(package.region)
        stack = wait_until_settled(aws, package.stack, options.wait, say)
        if stack is None:
            raise StaleReviewError(f"stack {package.stack} is gone since the review")
        approval = _verified(document, arn, aws, package, policy, stack)
        allowed = given(options)
        verdict = judge(approval.review, approval.acknowledgements | allowed, policy)
        require_allowed(verdict, session.command("execute"), allowed)
        if stack.status.is_review:
            _require_account(aws, session, package)
        # One may have begun, or moved something, since the review.
        require_agreement(
            read_moved(aws, stand(aws, stack)),
            package.templates,
            acknowledged=options.during_cutover,
            command=session.command("execute"),
        )
        tree = read_tree(aws, arn, package.nested(), kind="CREATE" if stack.status.is_review else "UPDATE")
        try:
            carry_out(aws, session, package, stack, arn, tree)
        except (DeploymentFailedError, StoppedWatchingError):
            spend_review(session.folder)
            raise
    spend_review(session.folder)
    return 0


@contextmanager
def _told_how_to_review_again(session: Session) -> Iterator[None]:
    """A review that no longer holds is made again by the command that fits this environment."""
    try:
        yield
    except StaleReviewError as error:
        error.hint = (
            error.hint if session.command("review") in error.hint else f"review again: {session.command('review')}"
        )
        raise


def _verified(document: object, arn: str, aws: Aws, package: Package, policy: Policy, stack: StackState) -> Approval:
    return verify(
        document,
        place=place_of(aws, pack(aws, package, stack), stack),
        package=package,
        policy=policy,
        tool=VERSION,
        not_executable=is_executable(aws, arn).reason,
    )


def _require_account(aws: Aws, session: Session, package: Package) -> None:
    """A first creation would fail at DMS, an hour into it, where the roles that it needs are missing."""
    account = look_at_account(aws, package)
    if account.standing is Standing.MISSING:
        raise StackStateError(
            f"stack {account.name} is missing, and with it the roles that DMS needs in every account",
            hint=f"deploy it, once for all environments: {session.command('account')}",
        )
