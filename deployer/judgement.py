"""Judge, show and bind a proposal: what `review`, `up` and `execute` have in common."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
from pathlib import Path

from deployer import VERSION
from deployer.approval import Place, bind
from deployer.aws import Aws
from deployer.errors import RefusedError
from deployer.flow import Proposal
from deployer.gate.acknowledgements import Acknowledgements, acknowledgements
from deployer.gate.policy import Policy, load_policy
from deployer.gate.rules import RULES, flag
from deployer.package_dir import Package
from deployer.render.text import render_text
from deployer.review.model import Review, Verdict
from deployer.review_files import write_review
from deployer.session import Session
from deployer.stacks import StackState
from deployer.upload import Packaged

_NARROWEST = 40


def given(options: argparse.Namespace) -> Acknowledgements:
    """What the flags acknowledge."""
    return acknowledgements({rule: getattr(options, f"allow_{rule}") for rule in RULES})


def policy_of(root: Path, package: Package) -> Policy:
    """policies/<environment>.yaml, or one that forbids nothing where the environment has none."""
    path = root / "policies" / f"{package.environment}.yaml"
    return load_policy(path if path.exists() else None)


def place_of(aws: Aws, packaged: Packaged, stack: StackState) -> Place:
    """Where a change set is to be executed, as it is now."""
    return Place(
        account=stack.account,
        region=aws.region,
        stack_id=stack.id,
        stack_status=str(stack.status),
        last_updated=stack.last_updated,
        root_digest=hashlib.sha256(packaged.root_text.encode()).hexdigest(),
    )


def bind_and_write(
    session: Session, aws: Aws, proposal: Proposal, policy: Policy, verdict: Verdict, allowed: Acknowledgements
) -> None:
    """Write review.json, review.md and review.html into out/<suffix>/."""
    document = bind(
        proposal.arn,
        place=place_of(aws, proposal.packaged, proposal.stack),
        package=proposal.package,
        policy=policy,
        review=proposal.review,
        verdict=verdict,
        acknowledgements=allowed,
        tool=VERSION,
    )
    write_review(session.folder, document, proposal.review, verdict)


def show(review: Review, verdict: Verdict, *, everything: bool, command: str | None) -> None:
    """Print the review, as wide as the terminal and in colour where there is one.

    `command` is what is run next; None where the person is asked, or told, right after it.
    """
    width = max(shutil.get_terminal_size((100, 24)).columns, _NARROWEST)
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    color = sys.stdout.isatty() and not plain
    print(render_text(review, verdict, width=width, color=color, show_noise=everything, next_command=command))
    sys.stdout.flush()  # before what stderr says of it


def require_allowed(verdict: Verdict, command: str, allowed: Acknowledgements) -> None:
    """Raise `RefusedError`, each resource with its flag, where the gate refuses.

    `allowed` were given to `command` already, and have to be given again.
    """
    if verdict.allowed:
        return
    never = [refusal for refusal in verdict.refusals if not refusal.flag]
    flags = [*(flag(*one) for one in sorted(allowed)), *(refusal.flag for refusal in verdict.refusals)]
    raise RefusedError(
        [f"{refusal.address} ({refusal.rule}): {refusal.reason}" for refusal in verdict.refusals],
        hint="change what no flag acknowledges, build, and run again"
        if never
        else f"if it is meant to happen: {' '.join([command, *dict.fromkeys(flags)])}",
    )
