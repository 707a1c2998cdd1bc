"""Leave nothing behind: discard a change set that is not to be executed, and sweep away what killed runs left."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from deployer.aws import Aws, in_parallel, translate
from deployer.change_set import delete, is_executable, is_wrong_status
from deployer.change_set_name import Purpose, maker_of
from deployer.clock import CLOCK, Clock, polls
from deployer.errors import StackStateError
from deployer.review_files import bound_change_set, remove_review
from deployer.stacks import StackState, describe_stack, stack_resources

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import ChangeSetSummaryTypeDef

    from deployer.session import Session

_DELETION_SECONDS = 900.0
# How old a change set of ours must be before it counts as left behind when its run cannot be seen from here.
_DEAD_SECONDS = 10 * 60.0  # one that nobody can execute; so long its own run may take to read it
_UP_SECONDS = 24 * 3600.0  # one whose run may still be asking a person
_REVIEW_SECONDS = 30 * 24 * 3600.0  # one that was left on purpose, for `execute`


def discard(aws: Aws, stack_name: str, arn: str, clock: Clock = CLOCK) -> bool:
    """Delete a change set that is not to be executed, and the shell of a stack that it was the first of.

    True where the shell was removed: then the stack does not exist, as before.
    """
    delete(aws, arn, clock)
    state = describe_stack(aws, stack_name)
    return state is not None and state.status.is_review and remove_shell(aws, state, clock)


def overtake(aws: Aws, session: Session, stack: StackState | None) -> None:
    """Discard the review that this folder holds, with its change set: another one is made, or nothing is left of it.

    Whoever reviews again and again would collect change sets otherwise, up to AWS's limit. One of another stack or
    account is left alone, only its files go.
    """
    arn = bound_change_set(session.folder)
    if arn:
        here = stack is not None and arn.split(":")[:5] == stack.id.split(":")[:5]
        if here and is_executable(aws, arn):  # one that was executed is no more to be deleted
            delete(aws, arn)
        remove_review(session.folder)


def remove_shell(aws: Aws, state: StackState, clock: Clock = CLOCK) -> bool:
    """Delete a stack in REVIEW_IN_PROGRESS, if nobody else's change set waits in it and nothing has been created.

    The state can be told late: right after an execution has begun a stack still reads REVIEW_IN_PROGRESS, and deleting
    it then would end a live deployment (https://github.com/aws/aws-cdk-cli/issues/1802). The executed change set or
    the first resource gives it away.
    """
    if change_sets(aws, state.id) or stack_resources(aws, state.id):
        return False
    delete_stack(aws, state, clock)
    return True


def delete_stack(aws: Aws, state: StackState, clock: Clock = CLOCK) -> None:
    """Delete a stack by its id and wait until it is gone: creating it anew before would clash with the deletion.

    https://github.com/aws/aws-cdk-cli/pull/1404
    """
    with translate("delete", f"stack {state.name}"):
        aws.cloudformation.delete_stack(StackName=state.id)
    for _ in polls(clock, _DELETION_SECONDS):
        now = describe_stack(aws, state.id)
        if now is None or now.status.is_deleted:
            return
        if now.status.text == "DELETE_FAILED":
            raise StackStateError(
                f"stack {state.name} cannot be deleted: {now.reason or 'AWS gives no reason'}",
                hint="deploy.py status names what is in the way",
            )
    raise StackStateError(
        f"stack {state.name} is still being deleted after {_DELETION_SECONDS / 60:.0f} minutes",
        hint="run the command again when it is gone; deploy.py status shows how it gets on",
    )


def change_sets(aws: Aws, stack_id: str) -> list[ChangeSetSummaryTypeDef]:
    """The stack's change sets that are there and not on their way out, every page."""
    with translate("list the change sets of", f"stack {stack_id}"):
        pages = aws.cloudformation.get_paginator("list_change_sets").paginate(StackName=stack_id)
        return [
            summary
            for page in pages
            for summary in page["Summaries"]
            if summary["Status"] not in ("DELETE_PENDING", "DELETE_IN_PROGRESS", "DELETE_COMPLETE")
        ]


def sweep(aws: Aws, state: StackState | None, say: Callable[[str], None], clock: Clock = CLOCK) -> int:
    """Delete the change sets that killed runs of ours left in the stack; how many.

    `state` is the stack before `make_ready`, which deletes one whose creation was rolled back, and its change sets with
    it. Never one that a person may still execute: see `is_left_behind`. Deletions are asked for, not waited for.
    """
    if state is None or state.status.is_failed_creation:
        return 0
    left = [summary for summary in change_sets(aws, state.id) if is_left_behind(summary, clock.epoch())]
    deleted = sum(in_parallel(lambda summary: _delete(aws, summary["ChangeSetId"]), left))
    if deleted:
        say(f"stack {state.name}: {deleted} change set{'s' if deleted > 1 else ''} of ended runs deleted")
    return deleted


def is_left_behind(summary: ChangeSetSummaryTypeDef, epoch: float) -> bool:
    """Whether a change set is one of ours that nobody will execute any more.

    Its name tells the run that made it. A run of `up` executes or discards its own, so one whose process has ended on
    this machine was killed. Elsewhere only age can tell; a `review` leaves its change set for an `execute` that may
    come from another machine and another person, so that one stays while it can be executed, for 30 days.
    """
    maker = maker_of(summary["ChangeSetName"])
    if maker is None or summary.get("RootChangeSetId", summary["ChangeSetId"]) != summary["ChangeSetId"]:
        return False
    if maker.purpose is Purpose.UP and maker.has_ended():
        return True
    age = epoch - summary["CreationTime"].timestamp()
    spent = summary["ExecutionStatus"] in ("OBSOLETE", "EXECUTE_FAILED")
    dead = spent or summary["Status"] in ("FAILED", "DELETE_FAILED")
    if dead:
        return age > _DEAD_SECONDS
    return age > (_UP_SECONDS if maker.purpose is Purpose.UP else _REVIEW_SECONDS)


def _delete(aws: Aws, arn: str) -> bool:
    from botocore.exceptions import ClientError

    with translate("delete", f"change set {arn}"):
        try:
            aws.cloudformation.delete_change_set(ChangeSetName=arn)
        except ClientError as error:
            # AWS still works on it, or executes it: the next run looks again.
            if is_wrong_status(error):
                return False
            raise
    return True
