"""up: review, ask, execute."""

from __future__ import annotations

import argparse
from contextlib import ExitStack

from deployer import flow
from deployer.account import ensure_account
from deployer.aws import Aws
from deployer.change_set_name import Purpose
from deployer.conclusion import carry_out, find_current
from deployer.dialog import ask, require_answerer, say
from deployer.errors import BusyError, StaleReviewError
from deployer.execution.start import execution_status
from deployer.gate.judge import judge
from deployer.judgement import bind_and_write, given, overtake, policy_of, require_allowed, show
from deployer.leftovers import discard
from deployer.review_files import remove_review, spend_review
from deployer.session import open_session


def run(options: argparse.Namespace, root: str) -> int:
    """0 when it is deployed or nothing changes; an error where the gate refuses or the person declines."""
    session = open_session(options, root)
    package = session.package()
    policy = policy_of(session.root, package)
    require_answerer(
        yes=options.yes,
        instead=f"{session.command('review')}, then execute; or --yes (the gate still refuses what it refuses)",
    )
    aws = session.connect(package.region)
    standing = flow.look(aws, package, options.wait)
    if standing.is_new:
        ensure_account(aws, session, package, yes=options.yes, wait=options.wait)
    overtake(aws, session, standing.state)
    proposal = flow.propose(aws, package, standing, Purpose.UP)
    if proposal is None:
        assert standing.state is not None  # a creation always has something to do
        find_current(aws, session, package, standing.state)
        return 0
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
    return 0


def _discard_unexecuted(aws: Aws, proposal: flow.Proposal) -> None:
    """Leave no change set behind that was not executed: interrupted just before, or another deployment was faster."""
    status, _ = execution_status(aws, proposal.arn)
    if status in ("AVAILABLE", "UNAVAILABLE", "OBSOLETE"):
        discard(aws, proposal.package.stack, proposal.arn)
