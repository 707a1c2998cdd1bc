"""plan: the same review, foretold offline from templates, without credentials."""

from __future__ import annotations

import argparse
import json

from deployer.changes import Outcome
from deployer.files import write_text
from deployer.flow import review_of
from deployer.forecast.plan import forecast
from deployer.forecast.sources import DEPLOYED, Before, after_of, from_aws, read_before
from deployer.gate.judge import judge
from deployer.judgement import given, policy_of, show
from deployer.package_dir import Package
from deployer.render.document import review_document, verdict_document
from deployer.render.html import render_html
from deployer.render.markdown import render_markdown
from deployer.session import Session, open_session
from deployer.standing import deployed_tree, look
from settings.errors import UsageError


def run(options: argparse.Namespace, root: str) -> int:
    """0 where the gate would let it pass, 1 where it would refuse."""
    if options.local and options.against != DEPLOYED:
        raise UsageError("--local goes with --against deployed", hint="anything else is told without asking AWS")
    session = open_session(options, root)
    package = session.package()
    before = _before(options, session, package)
    after = after_of(package)
    tree, unknowns = forecast(before.templates, after, stack_name=package.stack, region=package.region)
    review = review_of(package, tree, before.templates, after, foretold=unknowns)
    verdict = judge(review, given(options), policy_of(session.root, package))
    write_text(session.folder / "plan.md", render_markdown(review, verdict))
    write_text(session.folder / "plan.html", render_html(review, verdict))
    if options.json:
        document = {"against": before.what, "review": review_document(review), "verdict": verdict_document(verdict)}
        print(json.dumps(document, indent=1, ensure_ascii=False))
    elif tree.outcome is Outcome.UNCHANGED:
        print(f"nothing changes: {session.path()} has the same templates as {before.what}")
    else:
        print(f"compared with {before.what}\n")
        show(review, verdict, everything=options.all, command=session.command("review"))
    return 0 if verdict.allowed else 1


def _before(options: argparse.Namespace, session: Session, package: Package) -> Before:
    if options.against != DEPLOYED:
        return read_before(
            options.against,
            root=session.root,
            folder=session.folder,
            environment=session.environment,
            suffix=session.suffix,
            region=package.region,
        )
    aws = session.connect(package.region)
    standing = look(aws, package, 0)
    templates = deployed_tree(aws, standing)
    if not templates or standing.state is None:
        return from_aws({}, f"nothing: {package.stack} is not deployed in {aws.region}")
    return from_aws(templates, f"what is deployed (account {standing.state.account}, {aws.region})")
