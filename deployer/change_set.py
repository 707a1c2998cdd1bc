"""Create a change set of the whole tree, ask whether it can be executed, delete it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from deployer.aws import Aws, error_code, error_text, translate
from deployer.change_set_name import Purpose, new_name
from deployer.clock import CLOCK, Clock, polls
from deployer.errors import AwsError, BusyError, ChangeSetError, StackStateError
from deployer.upload import Packaged, template_argument

Kind = Literal["CREATE", "UPDATE"]

_GONE_SECONDS = 120.0
_UNEXECUTED = ("UNAVAILABLE", "AVAILABLE")  # between the refusal and the look it may have been finished
_LIMIT = "ChangeSet limit exceeded"


@dataclass(frozen=True, slots=True)
class Executability:
    """Whether a change set can be executed, and why not ("" where it can); true where it can."""

    reason: str

    def __bool__(self) -> bool:
        return not self.reason


def create(
    aws: Aws,
    stack_name: str,
    packaged: Packaged,
    tags: Mapping[str, str],
    kind: Kind,
    *,
    purpose: Purpose = Purpose.UP,
    clock: Clock = CLOCK,
) -> str:
    """Ask for the change set of the tree; its ARN. AWS works on it after that: see `read_tree`.

    CREATE for a stack that does not exist, or is but a shell (REVIEW_IN_PROGRESS). The name serves as the client token
    too, so that a request which is sent again after a dropped connection makes no second one. A failed execution is
    rolled back: that is what AWS does where nothing is said.
    """
    from botocore.exceptions import ClientError

    name = new_name(purpose, clock.epoch())
    digest = hashlib.sha256(packaged.root_text.encode()).hexdigest()
    template: Any = template_argument(packaged)
    with translate("create a change set of", f"stack {stack_name}"):
        try:
            answer = aws.cloudformation.create_change_set(
                StackName=stack_name,
                ChangeSetName=name,
                ChangeSetType=kind,
                ClientToken=name,
                Description=f"deploy.py {purpose}, root template {digest}",
                IncludeNestedStacks=True,
                Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
                Tags=[{"Key": key, "Value": value} for key, value in sorted(tags.items())],
                **template,
            )
        except ClientError as error:
            if error_code(error) == "AlreadyExistsException":  # the answer to our first sending was lost
                return aws.cloudformation.describe_change_set(ChangeSetName=name, StackName=stack_name)["ChangeSetId"]
            _explain(stack_name, error)
            raise
    return answer["Id"]


def _explain(stack_name: str, error: Exception) -> None:
    """Raise what a refusal means, where more can be said of it than AWS says."""
    text = error_text(error)
    if error_code(error) == "LimitExceededException" or _LIMIT in text:
        raise ChangeSetError(
            f"stack {stack_name}, or one nested in it, has as many change sets as AWS allows: {text}",
            # Unchanged nested stacks collect FAILED ones: https://github.com/aws/copilot-cli/issues/5614
            hint="delete old ones, which are only in the way: "
            f"aws cloudformation list-change-sets --stack-name {stack_name} (then of the nested stacks), "
            "aws cloudformation delete-change-set; those of nested stacks go with their root's, or with the next "
            "execution of a change set of that stack",
        ) from error
    if "state and can not be updated" not in text:
        return
    if "_IN_PROGRESS" in text:
        raise BusyError(
            f"stack {stack_name}: {text}", hint="another deployment was faster: wait, then run again"
        ) from error
    raise StackStateError(f"stack {stack_name}: {text}", hint="deploy.py status tells what to do") from error


def is_executable(aws: Aws, arn: str) -> Executability:
    """Whether the change set can be executed as it is; one call."""
    from botocore.exceptions import ClientError

    with translate("describe", f"change set {arn}"):
        try:
            answer = aws.cloudformation.describe_change_set(ChangeSetName=arn)
        except ClientError as error:
            if is_gone(error):
                return Executability(
                    "it does not exist any more: it was discarded, or another deployment of the stack was executed"
                )
            raise
    status, execution = answer["Status"], answer["ExecutionStatus"]
    if execution == "AVAILABLE" and status == "CREATE_COMPLETE":
        return Executability("")
    reasons = {
        "OBSOLETE": "it is obsolete: the stack was changed after it was made",
        "EXECUTE_IN_PROGRESS": "it is being executed",
        "EXECUTE_COMPLETE": "it has been executed",
        "EXECUTE_FAILED": "it was executed, and failed",
    }
    told = answer.get("StatusReason", "")
    return Executability(reasons.get(execution, f"it is {status} ({execution})") + (f": {told}" if told else ""))


def is_gone(error: Exception) -> bool:
    """Whether a refusal says that there is no such change set, or not even its stack."""
    missing_stack = error_code(error) == "ValidationError" and error_text(error).endswith("does not exist")
    return error_code(error) in ("ChangeSetNotFound", "ChangeSetNotFoundException") or missing_stack


def is_wrong_status(error: Exception) -> bool:
    """Whether a refusal says that the change set is being made, executed, or has been."""
    return error_code(error) in ("InvalidChangeSetStatus", "InvalidChangeSetStatusException")


def delete(aws: Aws, arn: str, clock: Clock = CLOCK) -> None:
    """Delete an unexecuted root change set and wait until it is gone, those of its nested stacks with it.

    AWS deletes a nested one only from the root, and one that is still being made not yet. One that is gone already is
    no error. https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/change-sets-for-nested-stacks.html
    """
    from botocore.exceptions import ClientError

    with translate("delete", f"change set {arn}"):
        try:
            asked = any(_is_deletion_taken(aws, arn) for _ in polls(clock, _GONE_SECONDS))
        except ClientError as error:
            if is_gone(error):
                return
            raise
        if asked and any(_is_deleted(aws, arn) for _ in polls(clock, _GONE_SECONDS)):
            return
    state = "still there" if asked else "still being made"
    raise AwsError(f"change set {arn} is {state} after {_GONE_SECONDS:.0f} s", hint="run the command again")


def _is_deletion_taken(aws: Aws, arn: str) -> bool:
    """Ask for it; False while the change set is being made, as it may be where a run is interrupted."""
    from botocore.exceptions import ClientError

    try:
        aws.cloudformation.delete_change_set(ChangeSetName=arn)
    except ClientError as error:
        if not is_wrong_status(error):
            raise
        if aws.cloudformation.describe_change_set(ChangeSetName=arn)["ExecutionStatus"] not in _UNEXECUTED:
            raise
        return False
    return True


def _is_deleted(aws: Aws, arn: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        answer = aws.cloudformation.describe_change_set(ChangeSetName=arn)
    except ClientError as error:
        if is_gone(error):
            return True
        raise
    if answer["Status"] == "DELETE_FAILED":
        raise ChangeSetError(
            f"change set {arn} cannot be deleted: {answer.get('StatusReason', 'AWS gives no reason')}",
            hint="it does no harm until there are too many; the next execution removes it",
        )
    return answer["Status"] == "DELETE_COMPLETE"
