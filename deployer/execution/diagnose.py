"""Diagnose: from the events of a tree to what really went wrong. Pure; `lookups` asks AWS for more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deployer.changes import NESTED_STACK
from deployer.errors import DeploymentFailedError
from deployer.execution.events import Event, depth
from deployer.execution.hints import hint_for

# What CloudFormation says of resources whose only fault is another's failure.
_CANCELLED = re.compile(
    r"^(Resource (creation|update|deletion|import) (was )?cancell?ed|.* cancelled by user)", re.IGNORECASE
)
# A parent of its nested stack, as in "Embedded stack arn:… was not successfully created: The following resource(s) …".
_EMBEDDED = re.compile(r"^Embedded stack \S+ was not successfully \w+[:.]\s*")
_SUMMARY = re.compile(r"^The following (resource|hook)\(s\) failed")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """One resource that failed.

    `details` are what its service told beside the reason. `first` is whether it is the first of its stack; the others
    failed on their own at the same time.
    """

    stack_id: str
    stack_name: str
    tier: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    at: float
    first: bool = True
    details: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """`database.Cluster`."""
        return f"{self.tier}.{self.logical_id}"

    @property
    def hint(self) -> str:
        """The next step, "" where none is known."""
        return next((hint for text in (self.reason, *self.details) if (hint := hint_for(text))), "")

    def lines(self) -> list[str]:
        """What to tell of it, the resource first."""
        kind = self.type.removeprefix("AWS::")
        known = f", {self.physical_id}" if self.physical_id and self.type != NESTED_STACK else ""
        what = self.status.removesuffix("_FAILED").lower()
        return [
            f"{self.address} ({kind}{known}): {what} failed: {self.reason or 'AWS gives no reason'}",
            *(f"  {detail}" for detail in self.details),
        ]


def is_echo(event: Event) -> bool:
    """Whether a failure only repeats another: a cancellation, or a parent's word on its nested stack."""
    return bool(_CANCELLED.match(event.reason)) or (event.nested and bool(_EMBEDDED.match(event.reason)))


def diagnose(events: Sequence[Event]) -> tuple[Failure, ...]:
    """The root causes in the events of one operation, which are oldest first.

    Stacks that are nested deepest come first, then what failed first. Neither cancellations nor a parent's word on its
    nested stack count, unless the nested stack itself tells of nothing: then its parent's reason is all there is.
    """
    by_stack: dict[str, list[Event]] = {}
    for event in events:
        by_stack.setdefault(event.stack_id, []).append(event)
    real = {stack: _real_failures(told) for stack, told in by_stack.items()}
    failures = [
        _failure(event, told, first=index == 0)
        for stack, told in by_stack.items()
        for index, event in enumerate(
            event for event in real[stack] if not (event.nested and real.get(event.physical_id))
        )
    ]
    if not failures:
        failures = _stack_failures(events)
    return tuple(sorted(failures, key=lambda failure: (-depth(failure.tier), failure.at)))


def stuck(events: Sequence[Event]) -> tuple[Failure, ...]:
    """What keeps a rollback from its end (ROLLBACK_FAILED, UPDATE_ROLLBACK_FAILED) or a deletion (DELETE_FAILED)."""
    found: dict[tuple[str, str], Event] = {}
    rolling: set[str] = set()
    for event in events:
        if event.of_stack:
            if "ROLLBACK" in event.status or event.status == "DELETE_IN_PROGRESS":
                rolling.add(event.stack_id)
        elif event.stack_id in rolling:
            key = (event.stack_id, event.logical_id)
            found.pop(key, None)
            if event.failed and not _CANCELLED.match(event.reason):
                found[key] = event
    nested = {event.stack_id for event in found.values()}
    kept = [event for event in found.values() if not (event.nested and event.physical_id in nested)]
    failures = [_failure(event, events, first=True) for event in kept]
    return tuple(sorted(failures, key=lambda failure: (-depth(failure.tier), failure.at)))


def orphans(events: Sequence[Event]) -> tuple[Failure, ...]:
    """Resources that a clean-up could not delete; they go on existing, and costing, outside of any stack.

    CloudFormation tries some times, forgets them and reports success: https://github.com/aws/aws-cdk-cli/pull/1564
    """
    cleaning: set[str] = set()
    left: dict[str, Event] = {}
    for event in events:
        if event.of_stack and "CLEANUP" in event.status:
            cleaning.add(event.stack_id)
        elif event.stack_id in cleaning and not event.of_stack:
            key = event.physical_id or event.address
            if event.status == "DELETE_FAILED":
                left[key] = event
            elif event.status == "DELETE_COMPLETE":
                left.pop(key, None)
    nested = {event.stack_id for event in left.values()}
    return tuple(
        _failure(event, events, first=True)
        for event in left.values()
        if not (event.nested and event.physical_id in nested)
    )


def deployment_failed(
    stack_name: str,
    status: str,
    failures: Iterable[Failure],
    blocked: Iterable[Failure] = (),
    resume: str = "",
) -> DeploymentFailedError:
    """The error that tells of a failed execution: root causes deepest first, then what blocks the rollback."""
    problems = ["\n".join(failure.lines()) for failure in failures]
    shown = [*problems[:_SHOWN], *([f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else [])]
    shown += ["\n".join(("the rollback is stuck:", *failure.lines())) for failure in blocked]
    shown.append(f"{stack_name}: {ended(status)}")
    hints = [failure.hint for failure in (*failures, *blocked) if failure.hint]
    return DeploymentFailedError(shown, hint="; ".join(dict.fromkeys([*hints, *_next_step(status, resume)])))


def _real_failures(events: Sequence[Event]) -> list[Event]:
    """Failures of resources up to the stack's rollback; what fails later is a consequence, or another matter."""
    found: dict[str, Event] = {}
    for event in events:
        if event.of_stack and ("ROLLBACK" in event.status or "CLEANUP" in event.status):
            break
        if event.failed and not event.of_stack and not _CANCELLED.match(event.reason):
            found.setdefault(event.logical_id, event)
    return list(found.values())


def _stack_failures(events: Sequence[Event]) -> list[Failure]:
    """What the stacks themselves say, where no resource failed: a cancelled update, a template that went wrong."""
    told = [
        event for event in events if event.of_stack and event.reason and (event.failed or "ROLLBACK" in event.status)
    ]
    return [_failure(event, events, first=True) for event in told[:1]]


def _failure(event: Event, events: Sequence[Event], *, first: bool) -> Failure:
    hooks = [
        other.hook_failure
        for other in events
        if other.hook_failure and (other.stack_id, other.logical_id) == (event.stack_id, event.logical_id)
    ]
    reason = _EMBEDDED.sub("", event.reason) if event.nested else event.reason
    if hooks and (_SUMMARY.match(reason) or not reason):
        reason, hooks = f"refused by hook {hooks[0]}", hooks[1:]
    return Failure(
        stack_id=event.stack_id,
        stack_name=event.stack_name,
        tier=event.tier,
        logical_id=event.logical_id,
        physical_id="" if event.of_stack else event.physical_id,
        type=event.type,
        status=event.status,
        reason=reason,
        at=event.at,
        first=first,
        details=tuple(dict.fromkeys(hooks)),
    )


_ENDED = {
    "ROLLBACK_COMPLETE": "the creation failed and was rolled back",
    "ROLLBACK_FAILED": "the creation failed, and so did its rollback",
    "UPDATE_ROLLBACK_COMPLETE": "the update failed and was rolled back: what ran before runs again",
    "UPDATE_ROLLBACK_FAILED": "the update failed, and so did its rollback: part of it is in an unknown state",
    "CREATE_FAILED": "the creation failed; nothing was rolled back, as asked",
    "UPDATE_FAILED": "the update failed; nothing was rolled back, as asked",
    "DELETE_FAILED": "the deletion failed",
    "DELETE_COMPLETE": "the creation failed and everything it had made was deleted",
}


def ended(status: str) -> str:
    """How an operation ended, in words and in AWS's."""
    return f"{_ENDED.get(status, 'ended')} ({status})"


def _next_step(status: str, resume: str) -> list[str]:
    if status == "UPDATE_ROLLBACK_FAILED" and resume:
        return [f"mend what blocks it, then: {resume} --continue-rollback"]
    return []
