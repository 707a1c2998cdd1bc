"""Deployment: what is to change, reviewed, judged, asked about and executed, all in one run."""

from __future__ import annotations

import argparse
from contextlib import ExitStack

from deployer.account import ensure_account
from deployer.aws import Aws
from deployer.change_set_name import Purpose
from deployer.conclusion import carry_out
from deployer.contradictions import require_agreement
from deployer.dialog import ask, say
from deployer.errors import BusyError, StaleReviewError
from deployer.execution.start import execution_status
from deployer.finish import find_current
from deployer.flow import Proposal, propose
from deployer.gate.judge import judge
from deployer.judgement import bind_and_write, given, policy_of, require_allowed, show
from deployer.leftovers import discard, overtake
from deployer.moved import read_moved
from deployer.package_dir import Package
from deployer.review_files import remove_review, spend_review
from deployer.session import Session
from deployer.standing import Standing
from deployer.upload import Packaged


def deploy(
    options: argparse.Namespace, aws: Aws, session: Session, package: Package, packaged: Packaged, standing: Standing
) -> None:
    """Deploy what is packaged where something else stands; an error where the gate refuses or the person declines."""
    policy = policy_of(session.root, package)
    require_agreement(
        read_moved(aws, standing),
        package.templates,
        acknowledged=options.during_cutover,
        command=session.command(""),
    )
    if standing.is_new:
        ensure_account(aws, session, package, yes=options.yes, wait=options.wait)
    overtake(aws, session, standing.state)
    proposal = propose(aws, package, packaged, standing, Purpose.UP)
    if proposal is None:
        find_current(aws, session, package, packaged, standing)
        return
    allowed = given(options)
    with ExitStack() as undo:
        undo.callback(remove_review, session.folder)
        undo.callback(discard, aws, package.stack, proposal.arn)
        verdict = judge(proposal.review, allowed, policy)
        bind_and_write(session, aws, proposal, policy, verdict, allowed)
        show(proposal.review, verdict, everything=options.all, command=None)
        require_allowed(verdict, session.command(""), allowed)
        say(f"the whole review: {session.path('review.html')}")
        ask(
            f"execute this change of {package.stack} in account {proposal.stack.account}, {aws.region}?",
            yes=options.yes,
        )
        undo.pop_all()
    try:
        carry_out(aws, session, package, proposal.stack, proposal.arn, proposal.tree)
    except (KeyboardInterrupt, BusyError, StaleReviewError):
        _discard_unexecuted(aws, proposal)
        raise
    finally:
        spend_review(session.folder)


def _discard_unexecuted(aws: Aws, proposal: Proposal) -> None:
    """Leave no change set behind that was not executed: interrupted just before, or another deployment was faster."""
    status, _ = execution_status(aws, proposal.arn)
    if status in ("AVAILABLE", "UNAVAILABLE", "OBSOLETE"):
        discard(aws, proposal.package.stack, proposal.arn)
