"""Conclusion: a change set is executed and followed to its end."""

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
from deployer.finish import finish, save_outputs
from deployer.package_dir import Package
from deployer.protection import lifted, protect, touched
from deployer.session import Session
from deployer.stacks import StackState
from deployer.standing import is_current, pack, stand


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
    finish(aws, session, package, result.stack)


def watch(aws: Aws, session: Session, package: Package, stack: StackState, since: str | None = None) -> Result:
    """Follow what goes on, whoever began it, and end a deployment as the one that began it would have.

    `since` is the newest event from before it, None for the last operation from its begin.
    """
    told = Watch(on_stderr(), session.command("status"), CLOCK, {})
    result = follow(aws, stack, told, since)
    _warn(result)
    if result.succeeded and result.stack is not None:
        standing = stand(aws, result.stack)
        if is_current(standing, package, pack(aws, package, result.stack)):
            protect(aws, result.stack, package)
            finish(aws, session, package, result.stack, standing.nested)
        else:  # somebody else's deployment: not to be taken for that of the build that lies here
            save_outputs(aws, session, result.stack, standing.nested)
    return result


def _warn(result: Result) -> None:
    for warning in result.warnings():
        say(f"warning: {warning}")
