"""Flow: from a build to a proposal, which is a change set of the whole tree and what it means.

The verbs are made of this; how a proposal is judged stands in judgement.py, how it is carried out in conclusion.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from deployer.aws import Aws, in_parallel
from deployer.change_set import create
from deployer.change_set_name import Purpose
from deployer.change_set_tree import read_tree
from deployer.changes import NESTED_STACK, ROOT, ChangeSet, Outcome
from deployer.dialog import say
from deployer.errors import ChangeSetError
from deployer.forecast.params import changed_params
from deployer.leftovers import discard, sweep
from deployer.package_dir import Package
from deployer.recovery import make_ready
from deployer.review.build import build_review
from deployer.review.model import Review
from deployer.stacks import StackState, deployed_templates, describe_stack
from deployer.standing import Standing, Template, bucket_for
from deployer.template_shape import require_deployed_shape
from deployer.tiers import tier_name
from deployer.upload import Packaged, upload


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change set of the whole tree and what it means. `stack` is what it changes; a first one has made its shell."""

    package: Package
    packaged: Packaged
    stack: StackState
    arn: str
    tree: ChangeSet
    review: Review


def propose(aws: Aws, package: Package, packaged: Packaged, standing: Standing, purpose: Purpose) -> Proposal | None:
    """Upload, create the change set, read it, review it; None where AWS finds nothing to change.

    Ask `is_current` before, which tells most of that without a change set. One that could not be made is an error with
    every cause; nothing is left of it then, nor where reading it fails or is interrupted.
    """
    kind = make_ready(aws, standing.state, durable=package.durable, say=say)
    # Side by side: change sets that killed runs left may count against AWS's limit, so they go before ours comes.
    in_parallel(lambda step: step(aws, package, packaged, standing), (_sweep, _upload))
    say(f"creating the change set of {package.stack}")
    arn = create(aws, package.stack, packaged, package.tags, kind, purpose=purpose)
    with ExitStack() as undo:
        undo.callback(discard, aws, package.stack, arn)
        tree = read_tree(aws, arn, package.nested(), kind=kind)
        _require_good(tree)
        if tree.outcome is not Outcome.CHANGED:
            return None
        stack = _shell(aws, package) if kind == "CREATE" else standing.state
        assert stack is not None  # make_ready() calls for an update only of what stands
        review = review_of(package, tree, _before(aws, standing, tree), packaged.templates)
        undo.pop_all()
        return Proposal(package, packaged, stack, arn, tree, review)


def _sweep(aws: Aws, _package: Package, _packaged: Packaged, standing: Standing) -> None:
    sweep(aws, standing.state, say)


def _upload(aws: Aws, package: Package, packaged: Packaged, standing: Standing) -> None:
    uploaded = upload(aws, bucket_for(aws, package, standing.state), packaged, dict(package.tags))
    if uploaded:
        say(f"{uploaded} {'file' if uploaded == 1 else 'files'} uploaded")


def _require_good(tree: ChangeSet) -> None:
    """Every failure of the tree, the nested ones' first: the root only repeats that one of them failed."""
    failed = [change_set for change_set in tree.walk() if change_set.outcome is Outcome.FAILED]
    causes = [c for c in failed if c.tier != ROOT] or failed
    if causes:
        raise ChangeSetError(
            [f"tier {c.tier}: its change set could not be made: {c.cause}" for c in causes],
            hint="mend the template or the params that the cause names, build, and run again; nothing was changed",
        )


def _shell(aws: Aws, package: Package) -> StackState:
    """The stack that the first change set has made, in which nothing stands yet."""
    state = describe_stack(aws, package.stack)
    if state is None:
        raise ChangeSetError(
            f"stack {package.stack} is gone, and its change set with it", hint="somebody deleted it: run again"
        )
    return state


def review_of(
    package: Package,
    tree: ChangeSet,
    before: Mapping[str, Template],
    after: Mapping[str, Template],
    *,
    foretold: tuple[str, ...] | None = None,
) -> Review:
    """What a change set of the tree means, made by AWS or `foretold`: then with what could not be told."""
    return build_review(
        tree,
        before,
        after,
        stack=package.stack,
        environment=package.environment,
        suffix=package.suffix,
        region=package.region,
        durable=package.durable,
        forecast=foretold is not None,
        params=changed_params(before.get(ROOT), after[ROOT]),
        unknowns=foretold or (),
    )


def _before(aws: Aws, standing: Standing, tree: ChangeSet) -> dict[str, Template]:
    """The deployed templates of all that changes: the root's and those of nested stacks that are touched or removed."""
    if standing.root is None or standing.is_new:
        return {}
    ids = {
        change_set.tier: change_set.stack_id
        for change_set in tree.walk()
        if change_set.tier != ROOT and change_set.outcome is Outcome.CHANGED and change_set.change_set_type == "UPDATE"
    }
    ids |= {
        tier_name(change.logical_id): change.physical_id
        for change in tree.changes
        if change.type == NESTED_STACK and change.action == "Remove" and change.physical_id
    }
    templates = {ROOT: standing.root, **deployed_templates(aws, ids)}
    require_deployed_shape(templates)
    return templates
