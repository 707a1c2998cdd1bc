"""Execute: a reviewed change set, carried out once and followed to its end."""

from __future__ import annotations

from collections.abc import Mapping

from deployer.aws import Aws, translate
from deployer.clock import CLOCK, Clock
from deployer.execution.follow import Watch, follow
from deployer.execution.interruption import watching
from deployer.execution.progress import Reporter
from deployer.execution.result import Result
from deployer.execution.start import request_token, start
from deployer.stacks import StackState


def execute(
    aws: Aws,
    stack: StackState,
    change_set_arn: str,
    *,
    expected: Mapping[str, int],
    say: Reporter,
    resume: str,
    clock: Clock = CLOCK,
    disable_rollback: bool = False,
) -> Result:
    """Execute a change set of `stack` and follow it to its end; the result says how that went, failures included.

    `expected` is the number of resources by tier (`tally.expected_resources`), `resume` the command that watches on
    (`python deploy.py status --env dev`). The call may be repeated, in another process too: the change set is executed
    once, and followed. Raises `StaleReviewError` where it can no longer be executed, `BusyError` where something else
    changes the stack, `AwsError` where AWS refuses or cannot be reached, `StoppedWatchingError` at Ctrl-C.
    """
    watch = Watch(say, resume, clock, expected)
    since = _newest_event(aws, stack, request_token(change_set_arn))  # who is interrupted here has executed nothing
    with watching(stack.name, resume):
        started = start(aws, change_set_arn, resume, clock, disable_rollback=disable_rollback)
    # What was executed before has events that are older than the newest: they are told from the begin.
    return follow(aws, stack, watch, since if started else None, change_set_arn)


def _newest_event(aws: Aws, stack: StackState, token: str) -> str | None:
    """Id of the newest event before the execution: by AWS's own order, for no clock of ours is AWS's.

    None where that event bears the token of the execution: it has begun, and the call will only repeat its answer.
    """
    with translate("read the events of", f"stack {stack.name}"):
        events = aws.cloudformation.describe_stack_events(StackName=stack.id)["StackEvents"]
    if not events or events[0].get("ClientRequestToken") == token:
        return None
    return events[0]["EventId"]
