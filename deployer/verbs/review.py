"""review: the change set of the whole tree, its review on the terminal and as files; nothing is executed."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack

from deployer.account import Standing, look_at_account
from deployer.change_set_name import Purpose
from deployer.contradictions import require_agreement
from deployer.dialog import say
from deployer.finish import find_current
from deployer.flow import propose
from deployer.gate.judge import judge
from deployer.judgement import bind_and_write, given, policy_of, show
from deployer.leftovers import discard, overtake
from deployer.moved import read_moved
from deployer.render.document import review_document, verdict_document
from deployer.review_files import remove_review
from deployer.session import open_session
from deployer.standing import is_current, look_and_pack


def run(options: argparse.Namespace, root: str) -> int:
    """0 where the gate lets it pass or nothing changes, 1 where it refuses."""
    session = open_session(options, root)
    package = session.package()
    policy = policy_of(session.root, package)
    aws = session.connect(package.region)
    standing, packaged = look_and_pack(aws, package, options.wait)
    current = is_current(standing, package, packaged)
    if not current:
        require_agreement(
            read_moved(aws, standing),
            package.templates,
            acknowledged=options.during_cutover,
            command=session.command("review"),
        )
    overtake(aws, session, standing.state)
    proposal = None if current else propose(aws, package, packaged, standing, Purpose.REVIEW)
    if proposal is None:
        find_current(aws, session, package, packaged, standing)
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
