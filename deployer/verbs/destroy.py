"""destroy: a disposable environment as a whole, leaving nothing; a durable one is refused."""

from __future__ import annotations

import argparse

from deployer.aws import Aws
from deployer.clock import CLOCK
from deployer.destroy import confirm, delete_uploads, destroy, find_doomed, forget
from deployer.dialog import read_answer, require_answerer, say
from deployer.execution.follow import Watch, follow
from deployer.execution.progress import on_stderr
from deployer.moved import CUTOVER, forget_phase
from deployer.package_dir import Package
from deployer.session import open_session
from deployer.stacks import StackState, describe_stack, wait_until_settled


def run(options: argparse.Namespace, root: str) -> int:
    """0 when it is gone or was not there; an error where the person declines."""
    session = open_session(options, root)
    package = session.package()
    require_answerer(
        yes=options.yes, instead=f"{session.command('destroy')} --yes, with --suffix {session.suffix} to name it"
    )
    aws = session.connect(package.region)
    watch = Watch(on_stderr(), session.command("status"), CLOCK, {})
    state = _settled(aws, package, watch, options.wait)
    if state is not None:
        doomed = find_doomed(aws, package, state)
        confirm(doomed, session.suffix, yes=options.yes, named=options.suffix, ask=read_answer)
        destroyed = destroy(aws, package, doomed, watch=watch, say=say)
        for remain in destroyed.remains:
            say(str(remain))
        say(f"{package.stack} is destroyed: {destroyed.count}")
    else:
        say(f"there is no stack {package.stack} in {aws.region}")
        if not package.durable:
            delete_uploads(aws, package, say)  # of a run that ended before it came to them
            forget_phase(aws, package.templates.get(CUTOVER, {}))
    forget(session.folder)
    return 0


def _settled(aws: Aws, package: Package, watch: Watch, wait: int) -> StackState | None:
    """The stack at rest, None where it is gone; a deletion that a run before this one began is followed to its end."""
    state = describe_stack(aws, package.stack)
    if state is None:
        return None
    if state.status.text == "DELETE_IN_PROGRESS":
        say(f"{state.name} is being deleted already")
        return follow(aws, state, watch).stack
    return wait_until_settled(aws, package.stack, wait, say) if state.status.is_in_progress else state
