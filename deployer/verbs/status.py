"""status: where the stack stands; follow what goes on, cancel an update, continue a rollback."""

from __future__ import annotations

import argparse
import json

from deployer.aws import Aws, translate
from deployer.conclusion import watch
from deployer.dialog import say
from deployer.errors import StackStateError
from deployer.package_dir import Package
from deployer.recovery import continue_rollback
from deployer.review_files import bound_change_set
from deployer.session import Session, open_session
from deployer.stacks import StackState, describe_stack
from deployer.status import read_status, render_status, status_document
from settings.errors import UsageError

_MENDED = "UPDATE_ROLLBACK_COMPLETE"


def run(options: argparse.Namespace, root: str) -> int:
    """0 where all is well, nothing is deployed, or what was asked for is done; 1 where the last operation failed."""
    _check(options)
    session = open_session(options, root)
    package = session.package()
    aws = session.connect(package.region)
    mending = options.cancel or options.continue_rollback
    if mending:
        stack, since = _mend(options, aws, session, package)
        if not options.no_follow:
            watch(aws, session, package, stack, since)
    found = read_status(aws, package.stack, bound_change_set(session.folder))
    if found.in_progress and found.stack is not None and not options.no_follow:
        watch(aws, session, package, found.stack)
        found = read_status(aws, package.stack, bound_change_set(session.folder))
    print(json.dumps(status_document(found), indent=1) if options.json else render_status(found))
    done = mending and found.stack is not None and str(found.stack.status) == _MENDED
    return 1 if found.failed and not done else 0


def _check(options: argparse.Namespace) -> None:
    see = "see: python deploy.py status --help"
    if options.skip and not options.continue_rollback:
        raise UsageError("--skip goes with --continue-rollback", hint=see)
    if options.cancel and options.continue_rollback:
        raise UsageError("--cancel and --continue-rollback do not go together", hint=see)


def _mend(options: argparse.Namespace, aws: Aws, session: Session, package: Package) -> tuple[StackState, str]:
    """Ask AWS for it; the stack, and the newest event from before."""
    state = describe_stack(aws, package.stack)
    if state is None:
        raise StackStateError(
            f"stack {package.stack}: there is none in {aws.region}", hint=f"deploy it: {session.command('')}"
        )
    with translate("read the events of", f"stack {state.name}"):
        since = aws.cloudformation.describe_stack_events(StackName=state.id)["StackEvents"][0]["EventId"]
    if options.cancel:
        _cancel(aws, state)
    else:
        for resource in continue_rollback(aws, state, options.skip):
            say(f"skipped: {resource}" if resource.address in options.skip else f"tried again: {resource}")
    return state, since


def _cancel(aws: Aws, state: StackState) -> None:
    if str(state.status) != "UPDATE_IN_PROGRESS":
        raise StackStateError(
            f"stack {state.name} is {state.status}: no update that could be cancelled",
            hint="only an update can be cancelled, until its cleanup begins; a creation ends by itself",
        )
    with translate("cancel the update of", f"stack {state.name}"):
        aws.cloudformation.cancel_update_stack(StackName=state.id)
    say(f"the update of {state.name} is cancelled: it rolls back")
