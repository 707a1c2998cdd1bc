"""Replication that runs: DMS refuses to change what a running task uses, and a task goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Iterator

from deployer.review.concerns.case import Case
from deployer.review.concerns.surroundings import address_in
from deployer.review.model import Action, Concern, Finding

_TASK = "AWS::DMS::ReplicationTask"
# type → the properties by which a task names it
_USED_AS = {
    _TASK: (),
    "AWS::DMS::Endpoint": ("SourceEndpointArn", "TargetEndpointArn"),
    "AWS::DMS::ReplicationInstance": ("ReplicationInstanceArn",),
}
_INSTANCE = "AWS::DMS::ReplicationInstance"
# What CloudFormation changes without asking for a modification.
_APART = frozenset(("Tags", "Metadata", "DeletionPolicy", "UpdateReplacePolicy"))
_STOP = "aws dms stop-replication-task --replication-task-arn"
_RESUME = "aws dms start-replication-task --start-replication-task-type resume-processing --replication-task-arn"


def interrupted(case: Case) -> Iterator[Finding]:
    """That tasks must not run while it changes; `steps` says how they are stopped and resumed.

    A task is modified when it is stopped or failed only, an endpoint when no task that uses it runs; an instance stops
    its tasks by itself, which AWS advises to do before.
    https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.Modifying.html
    https://github.com/hashicorp/terraform-provider-aws/issues/27661
    https://docs.aws.amazon.com/dms/latest/userguide/CHAP_ReplicationInstance.EngineVersions.html
    """
    tasks = _tasks(case)
    if tasks:
        it, them = _words(case, tasks)
        why = (
            "replication pauses meanwhile" if case.type == _INSTANCE else f"AWS refuses the change while {_run(tasks)}"
        )
        yield Finding(Concern.DATA, "", f"stop {it} before and resume {them} afterwards, as {why}")


def steps(case: Case) -> tuple[str, ...]:
    """The commands around a change of what running tasks use, as warnings of its item; none for anything else."""
    tasks = _tasks(case)
    if not tasks:
        return ()
    it, them = _words(case, tasks)
    why = "" if case.type == _INSTANCE else ", or AWS refuses this and the whole update rolls back"
    arns = [_arn(case, address) for address in tasks]
    stop, resume = (" && ".join(f"{command} {arn}" for arn in arns) for command in (_STOP, _RESUME))
    return (
        f"stop {it} first if {_run(tasks)}, and wait for that{why}: {stop}",
        f"resume {them} afterwards, never by reload-target, which loads every table anew: {resume}",
    )


def _words(case: Case, tasks: list[str]) -> tuple[str, str]:
    """How a sentence names the tasks first, and then."""
    them = "them" if tasks[1:] else "it"
    return "it" if case.type == _TASK else " and ".join(tasks), them


def _run(tasks: list[str]) -> str:
    return "they run" if tasks[1:] else "it runs"


def _tasks(case: Case) -> list[str]:
    """The addresses of the tasks that must not run while a resource is modified in place."""
    if case.action is not Action.MODIFY or case.type not in _USED_AS or not case.touched - _APART:
        return []
    if case.type == _TASK:
        return [case.address]
    found = (
        address
        for after in (False, True)
        for address, body in case.around.bodies(_TASK, after=after)
        if any(address_in(body.properties.get(name)) == case.address for name in _USED_AS[case.type])
    )
    return [address for address in dict.fromkeys(found) if case.around.served(address)]  # a new one does not run yet


def _arn(case: Case, address: str) -> str:
    """A task's ARN in a command, or what stands for it where AWS did not tell it."""
    known = case.graded.change.physical_id if address == case.address else ""
    return known or f"<ARN of {address}>"
