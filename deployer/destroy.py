"""Destroy: a disposable environment goes as a whole, and nothing of it stays; a durable one is refused.

Every step looks at what is there, so a run that was cut off is simply repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler.settings_record import SETTINGS
from deployer.aws import Aws, error_code, in_parallel, translate
from deployer.bucket import bucket_of
from deployer.clock import CLOCK, Clock, polls
from deployer.emptying import empty_bucket, stop_balancer_logs, stop_bucket_logs
from deployer.errors import AwsError, DeclinedError, DeploymentFailedError, ProtectedError
from deployer.execution.follow import Watch, follow
from deployer.execution.result import Result
from deployer.forecast.sources import forget_deployed
from deployer.moved import CUTOVER, forget_phase
from deployer.package_dir import Package
from deployer.recovery import StuckResource, remaining_resources
from deployer.remains import Remain, find_remains
from deployer.review.concerns.stateful import is_stateful
from deployer.review_files import remove_review
from deployer.stacks import StackState, template_of
from settings.errors import UsageError

_BUCKET = "AWS::S3::Bucket"
_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_TASK = "AWS::DMS::ReplicationTask"
_TOLD = ("flat-outputs.json", "plan.md", "plan.html")
_ATTEMPTS = 3  # logs that were on their way may arrive in a bucket after it was emptied
_TASK_SECONDS = 1800.0
_RUNNING = ("starting", "running", "stopping", "modifying", "testing")


@dataclass(frozen=True, slots=True)
class Doomed:
    """What is to be destroyed: the stack and every resource of its tree, in template order."""

    stack: StackState
    account: str
    region: str
    resources: tuple[StuckResource, ...]

    @property
    def count(self) -> str:
        """How many there are of them: `12 resources`."""
        return _number(len(self.resources))

    def of_type(self, kind: str) -> list[str]:
        """The physical ids of one type."""
        return [found.physical_id for found in self.resources if found.type == kind and found.physical_id]

    def __str__(self) -> str:
        """What a person must know before saying yes."""
        held = [found for found in self.resources if is_stateful(found.type) and found.physical_id]
        kinds = Counter(found.type.removeprefix("AWS::") for found in held)
        counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        return f"destroy {self.stack.name} in account {self.account}, {self.region}: {self.count}" + (
            f"; among them: {counted}" if counted else ""
        )


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What came of it: how many resources are gone, in however many attempts, and what AWS keeps."""

    resources: int
    remains: tuple[Remain, ...]

    @property
    def count(self) -> str:
        """How many are gone: `12 resources`."""
        return _number(self.resources)


def _number(resources: int) -> str:
    return "1 resource" if resources == 1 else f"{resources} resources"


def find_doomed(aws: Aws, package: Package, stack: StackState) -> Doomed:
    """What would be destroyed; `stack` is settled. `ProtectedError` where the environment is durable or protected."""
    deployed = template_of(aws, stack.id) if not stack.status.is_review else {}
    refuse_durable(package, stack, deployed)
    return Doomed(stack, stack.account, aws.region, remaining_resources(aws, stack))


def refuse_durable(package: Package, stack: StackState, deployed: Mapping[str, Any]) -> None:
    """Raise `ProtectedError` where the build or what is deployed is durable, or AWS protects the stack.

    What is deployed counts by itself: a params file that was edited, but never deployed, opens nothing.
    """
    reasons = []
    if package.durable:
        reasons.append(f"{package.environment} is durable (protection in params): it is hard to destroy on purpose")
    elif deployed.get("Metadata", {}).get(SETTINGS, {}).get("protection") == "durable":
        reasons.append(f"what is deployed as {stack.name} is durable, whatever params say now")
    if stack.termination_protection:
        reasons.append(f"stack {stack.name} has termination protection")
    if reasons:
        raise ProtectedError(
            [f"{stack.name} is not destroyed: {reason}" for reason in reasons],
            hint="to destroy it all the same: set protection: disposable in params, build, review and execute that, "
            f"then aws cloudformation update-termination-protection --stack-name {stack.name} "
            "--no-enable-termination-protection, then run this command again",
        )


def confirm(doomed: Doomed, suffix: str, *, yes: bool, named: str | None, ask: Callable[[str], str]) -> None:
    """Have the person type the suffix, or with `--yes` have it named by `--suffix`; `DeclinedError` otherwise.

    `named` is what --suffix said, None where it was not given; `ask` shows a question and returns a line, "" at the end
    of the input.
    """
    if yes:
        if named != suffix:
            raise UsageError(
                "destroy --yes must name what it destroys", hint=f"say so: destroy --yes --suffix {suffix}"
            )
        return
    if ask(f"{doomed}\nnothing of it can be brought back; type the suffix ({suffix}) to go on: ").strip() != suffix:
        raise DeclinedError("declined: nothing was destroyed", hint=f"the suffix to type is {suffix}")


def destroy(aws: Aws, package: Package, doomed: Doomed, *, watch: Watch, say: Callable[[str], None]) -> Destroyed:
    """Destroy it, follow that to its end, and tell how much is gone and what AWS keeps.

    The logs stop, running replication tasks are stopped, buckets are emptied, the root stack is deleted, then what was
    uploaded for it, and the phase of its cutover. Raises `DeploymentFailedError` with every resource that could not be
    deleted.
    """
    quiet(aws, doomed)
    stop_tasks(aws, doomed.of_type(_TASK), say, watch.clock)
    result = _deleted(aws, doomed, watch, say)
    if not result.succeeded:
        raise _failed(result)
    delete_uploads(aws, package, say)
    forget_phase(aws, package.templates.get(CUTOVER, {}))
    remains = find_remains(aws, doomed.stack, doomed.resources)
    # Not the tally of the events: that is of the last attempt alone.
    return Destroyed(len(doomed.resources) - sum(remain.kept for remain in remains), remains)


def delete_uploads(aws: Aws, package: Package, say: Callable[[str], None]) -> None:
    """Delete what was uploaded for the stack: templates and code, which lie below a prefix of its own."""
    bucket = bucket_of(package, aws.account_id)
    removed = empty_bucket(aws, bucket.name, f"{package.stack}/")
    if removed:
        say(f"{removed} uploaded files deleted from {bucket.name}")


def quiet(aws: Aws, doomed: Doomed) -> None:
    """Stop the logs that would fill the buckets again."""
    in_parallel(lambda arn: stop_balancer_logs(aws, arn), doomed.of_type(_BALANCER))
    in_parallel(lambda bucket: stop_bucket_logs(aws, bucket), doomed.of_type(_BUCKET))


def forget(folder: Path) -> None:
    """Remove the files that told of the environment: its outputs, plans, review, the record of what was deployed."""
    for name in _TOLD:
        (folder / name).unlink(missing_ok=True)
    remove_review(folder)
    forget_deployed(folder)


# --- replication tasks -----------------------------------------------------------------------------------------------
def stop_tasks(aws: Aws, arns: Sequence[str], say: Callable[[str], None], clock: Clock = CLOCK) -> None:
    """Stop the replication tasks that run, and wait: a running task cannot be deleted."""
    running = [arn for arn in arns if _task_status(aws, arn) in _RUNNING]
    if not running:
        return
    say(f"{len(running)} replication tasks run: stopping them")
    for arn in running:
        _stop_task(aws, arn)
    left = list(running)
    for _ in polls(clock, _TASK_SECONDS, first=2.0, most=15.0):
        left = [arn for arn in left if _task_status(aws, arn) in _RUNNING]
        if not left:
            return
    raise AwsError(
        [f"replication task {arn} does not stop" for arn in left],
        hint="look at it in the DMS console, then run the command again",
    )


def _task_status(aws: Aws, arn: str) -> str:
    """The status of a task, "" where it is gone."""
    from botocore.exceptions import ClientError

    with translate("describe", f"replication task {arn}"):
        try:
            answer = aws.dms.describe_replication_tasks(
                Filters=[{"Name": "replication-task-arn", "Values": [arn]}], WithoutSettings=True
            )
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundFault":
                return ""
            raise
    return next((task.get("Status", "") for task in answer["ReplicationTasks"]), "")


def _stop_task(aws: Aws, arn: str) -> None:
    from botocore.exceptions import ClientError

    with translate("stop", f"replication task {arn}"):
        try:
            aws.dms.stop_replication_task(ReplicationTaskArn=arn)
        except ClientError as error:
            # It is starting, or stops already: its status is asked for again and again.
            if error_code(error) != "InvalidResourceStateFault":
                raise


# --- the stack -------------------------------------------------------------------------------------------------------
def _deleted(aws: Aws, doomed: Doomed, watch: Watch, say: Callable[[str], None]) -> Result:
    """Empty the buckets and delete the stack; again where logs have filled a bucket meanwhile."""
    attempt = 0
    while True:
        attempt += 1
        emptied = sum(in_parallel(lambda bucket: empty_bucket(aws, bucket), doomed.of_type(_BUCKET)))
        if emptied:
            say(f"{emptied} objects deleted from the stack's buckets")
        result = _delete_once(aws, doomed.stack, watch)
        filled = any(failure.type == _BUCKET for failure in result.failures)
        if result.succeeded or not filled or attempt == _ATTEMPTS:
            return result
        left = _number(len(remaining_resources(aws, doomed.stack)))
        say(f"a bucket was filled again meanwhile: once more, for what is left ({left})")


def _delete_once(aws: Aws, stack: StackState, watch: Watch) -> Result:
    with translate("read the events of", f"stack {stack.name}"):
        events = aws.cloudformation.describe_stack_events(StackName=stack.id)["StackEvents"]
    with translate("delete", f"stack {stack.name}"):
        aws.cloudformation.delete_stack(StackName=stack.id)
    return follow(aws, stack, watch, events[0]["EventId"] if events else None)


def _failed(result: Result) -> DeploymentFailedError:
    problems = ["\n".join(failure.lines()) for failure in result.failures]
    hints = [_hint(failure.type) or failure.hint for failure in result.failures]
    again = "then destroy again: it goes on where it stopped"
    return DeploymentFailedError(
        [*problems, f"{result.stack_name}: the deletion ended with {result.status}"],
        hint="; ".join(dict.fromkeys([*filter(None, hints), again])),
    )


def _hint(kind: str) -> str:
    """What most often keeps a resource of a type.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-enis
    """
    if kind in ("AWS::EC2::SecurityGroup", "AWS::EC2::Subnet"):
        return "network interfaces of Lambda are given back up to 40 minutes after the function is gone: wait for that"
    if kind == _BUCKET:
        return "something still writes into the bucket: find it, or wait an hour for the last logs"
    return ""
