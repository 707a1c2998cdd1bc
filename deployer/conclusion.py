"""Conclusion: a change set is executed and followed, and what every good end leaves is written."""

from __future__ import annotations

from deployer.aws import Aws
from deployer.changes import ChangeSet
from deployer.clock import CLOCK
from deployer.dialog import say
from deployer.execution.execute import execute
from deployer.execution.follow import Watch, follow
from deployer.execution.progress import on_stderr
from deployer.execution.result import Result
from deployer.execution.tally import expected_resources
from deployer.flow import Standing, is_current, pack
from deployer.forecast.sources import record_deployed
from deployer.outputs import FLAT_OUTPUTS, read_outputs, write_outputs
from deployer.package_dir import Package
from deployer.protection import is_protected, lifted, protect, touched
from deployer.session import Session
from deployer.stacks import StackState, nested_stacks, template_of


def carry_out(aws: Aws, session: Session, package: Package, stack: StackState, arn: str, tree: ChangeSet) -> None:
    """Execute, follow, protect, write the outputs; a failure is an error with its root causes."""
    resume = session.command("status")
    with lifted(aws, stack, package, touched(tree), say):
        result = execute(
            aws,
            stack,
            arn,
            expected=expected_resources(tree),
            say=on_stderr(),
            resume=resume,
        )
    _warn(result)
    if not result.succeeded or result.stack is None:
        raise result.error(resume)
    protect(aws, result.stack, package)
    _finish(aws, session, package, result.stack)


def find_current(aws: Aws, session: Session, package: Package, state: StackState) -> None:
    """Nothing is to change: close what a killed run left open, and write the outputs all the same."""
    say(f"nothing to change: {package.stack} is what {session.path()} says")
    if not is_protected(aws, state, package):
        protect(aws, state, package)
    _finish(aws, session, package, state)


def watch(aws: Aws, session: Session, package: Package, stack: StackState, since: str | None = None) -> Result:
    """Follow what goes on, whoever began it, and end a deployment as the one that began it would have.

    `since` is the newest event from before it, None for the last operation from its begin.
    """
    told = Watch(on_stderr(), session.command("status"), CLOCK, {})
    result = follow(aws, stack, told, since)
    _warn(result)
    if result.succeeded and result.stack is not None:
        standing = Standing(result.stack, template_of(aws, result.stack.id))
        if is_current(standing, package, pack(aws, package, result.stack)):
            protect(aws, result.stack, package)
            _finish(aws, session, package, result.stack)
        else:  # somebody else's deployment: not to be taken for that of the build that lies here
            save_outputs(aws, session, result.stack)
    return result


def save_outputs(aws: Aws, session: Session, state: StackState) -> dict[str, str]:
    """Read every output of the tree and write the one file."""
    flat = read_outputs(aws, state, nested_stacks(aws, state.id), say)
    write_outputs(session.folder / FLAT_OUTPUTS, flat)
    say(f"{len(flat)} outputs written to {session.path(FLAT_OUTPUTS)}")
    return flat


def _finish(aws: Aws, session: Session, package: Package, state: StackState) -> None:
    """What every good end leaves: the outputs, and a record of what is deployed for the next plan."""
    save_outputs(aws, session, state)
    record_deployed(session.folder, package)


def _warn(result: Result) -> None:
    for warning in result.warnings():
        say(f"warning: {warning}")
