"""review: the change set of the whole tree, its review on the terminal and as files; nothing is executed."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack

from deployer import flow
from deployer.account import Standing, look_at_account
from deployer.change_set_name import Purpose
from deployer.conclusion import find_current
from deployer.dialog import say
from deployer.gate.judge import judge
from deployer.judgement import bind_and_write, given, overtake, policy_of, show
from deployer.leftovers import discard
from deployer.render.document import review_document, verdict_document
from deployer.review_files import remove_review
from deployer.session import open_session


def run(options: argparse.Namespace, root: str) -> int:
    """0 where the gate lets it pass or nothing changes, 1 where it refuses."""
    session = open_session(options, root)
    package = session.package()
    policy = policy_of(session.root, package)
    aws = session.connect(package.region)
    standing = flow.look(aws, package, options.wait)
    overtake(aws, session, standing.state)
    proposal = flow.propose(aws, package, standing, Purpose.REVIEW)
    if proposal is None:
        assert standing.state is not None  # a creation always has something to do
        find_current(aws, session, package, standing.state)
        if options.json:
            print(json.dumps({"review": None, "verdict": None}))
        return 0
    allowed = given(options)
    with ExitStack() as undo:
        undo.callback(remove_review, session.folder)
        undo.callback(discard, aws, package.stack, proposal.arn)
        verdict = judge(proposal.review, allowed, policy)
        bind_and_write(session, aws, proposal, policy, verdict, allowed)
        undo.pop_all()
    if options.json:
        document = {"review": review_document(proposal.review), "verdict": verdict_document(verdict)}
        print(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        show(proposal.review, verdict, everything=options.all, command=session.command("execute"))
    say(f"written: {session.path('review.html')}, review.md, review.json")
    if standing.is_new and look_at_account(aws, package).standing is Standing.MISSING:
        say(f"before it is executed, the roles that all environments share are needed: {session.command('account')}")
    return 0 if verdict.allowed else 1
