"""Start: have a change set executed once, whatever becomes of the answer."""

from __future__ import annotations

from deployer.aws import Aws, error_code, error_text, translate
from deployer.change_set import is_gone, is_wrong_status
from deployer.clock import Clock
from deployer.errors import AwsError, BusyError, StaleReviewError

_TRIES = 3
_PAUSE = 2.0
_RUNNING = frozenset({"EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED"})
_TOKEN_USED = frozenset({"TokenAlreadyExists", "TokenAlreadyExistsException"})
_FIRST_SERVER_ERROR = 500


def request_token(change_set_arn: str) -> str:
    """The ClientRequestToken of a change set.

    It is always the same, so that two calls are one execution, be the second a retry or another process.
    """
    return f"deploy-{change_set_arn.rpartition('/')[2]}"


def _name(change_set_arn: str) -> str:
    return change_set_arn.split("/")[-2]


def start(aws: Aws, change_set_arn: str, resume: str, clock: Clock, *, disable_rollback: bool) -> bool:
    """Execute the change set; returns False where it had been executed before, by whomever.

    botocore repeats a call whose answer is lost with the same token. When it gives up, the change set itself says
    whether it runs; only one that does not is executed again.
    """
    tries = 1
    while True:
        try:
            with translate("execute", f"change set {_name(change_set_arn)}"):
                aws.cloudformation.execute_change_set(
                    ChangeSetName=change_set_arn,
                    ClientRequestToken=request_token(change_set_arn),
                    DisableRollback=disable_rollback,
                )
        except AwsError as error:
            if _refused(error):
                return _already_executed(aws, change_set_arn, error)
            if _runs(aws, change_set_arn, error, resume):
                return True
            if tries == _TRIES:
                raise
        else:
            return True
        clock.sleep(_PAUSE * tries)
        tries += 1


def execution_status(aws: Aws, change_set_arn: str) -> tuple[str, str]:
    """ExecutionStatus of a change set and what AWS says about it; ("", "") where it is gone."""
    from botocore.exceptions import ClientError

    with translate("describe", f"change set {_name(change_set_arn)}"):
        try:
            answer = aws.cloudformation.describe_change_set(ChangeSetName=change_set_arn)
        except ClientError as error:
            if is_gone(error):
                return "", ""
            raise
    return answer.get("ExecutionStatus", ""), answer.get("StatusReason", "")


def _refused(error: AwsError) -> bool:
    """Whether AWS has answered, and said no; everything else may have happened."""
    from botocore.exceptions import ClientError

    cause = error.__cause__
    return isinstance(cause, ClientError) and cause.response["ResponseMetadata"]["HTTPStatusCode"] < _FIRST_SERVER_ERROR


def _already_executed(aws: Aws, change_set_arn: str, error: AwsError) -> bool:
    """False where the refusal only says that the change set is being executed; else the error that it comes to."""
    cause = error.__cause__
    assert isinstance(cause, Exception)  # translate() chains what it translates
    code, text = error_code(cause), error_text(cause)
    if code in _TOKEN_USED:
        return False
    if is_gone(cause):
        raise StaleReviewError(
            "the reviewed change set is gone: another deployment took its place, or it was deleted", hint="review again"
        ) from error
    if is_wrong_status(cause):
        status, reason = execution_status(aws, change_set_arn)
        if status in _RUNNING:
            return False
        raise StaleReviewError(
            f"the reviewed change set can no longer be executed ({status or 'gone'}): {reason or text}",
            hint="review again",
        ) from error
    if code == "ValidationError" and "_IN_PROGRESS" in text:
        raise BusyError(
            f"the change set cannot be executed now: {text}", hint="wait until the stack is at rest"
        ) from error
    raise error


def _runs(aws: Aws, change_set_arn: str, lost: AwsError, resume: str) -> bool:
    try:
        status, _ = execution_status(aws, change_set_arn)
    except AwsError as error:
        raise AwsError(
            [*lost.problems, "whether the execution has begun is not known"], hint=f"{lost.hint}; then see: {resume}"
        ) from error
    return status in _RUNNING
