"""Result: how an operation of the whole tree ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from deployer.changes import ROOT
from deployer.errors import DeploymentFailedError
from deployer.execution.diagnose import Failure, deployment_failed, diagnose, orphans, stuck
from deployer.execution.events import Event
from deployer.execution.tally import Tally
from deployer.stacks import StackState

_DEPLOYED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
_DELETED = frozenset({"DELETE_COMPLETE"})


@dataclass(frozen=True, slots=True)
class Result:
    """How an operation ended. `stack` is its state then, None where it is gone.

    `failures` are root causes, deepest first; `blocked` is what keeps a rollback or a deletion from its end; `orphans`
    are resources that a clean-up could not delete, which no stack knows any more. `seconds` and `resources` are those
    of the operation, `deletion` is whether it was one.
    """

    stack_name: str
    stack_id: str
    status: str
    stack: StackState | None
    failures: tuple[Failure, ...]
    blocked: tuple[Failure, ...]
    orphans: tuple[Failure, ...]
    seconds: float
    resources: int
    deletion: bool

    @property
    def succeeded(self) -> bool:
        """Whether it did what was asked for; a deletion after a failed creation (OnStackFailure) is no success."""
        return self.status in (_DELETED if self.deletion else _DEPLOYED)

    def error(self, resume: str) -> DeploymentFailedError:
        """The error that tells of the failure; `resume` is the command of `status`."""
        return deployment_failed(self.stack_name, self.status, self.failures, self.blocked, resume)

    def warnings(self) -> list[str]:
        """What even a success leaves to do: the orphans, each with the reason and the next step."""
        return [
            f"{orphan.address} ({orphan.type}, {orphan.physical_id}) could not be deleted and belongs to no stack any "
            f"more: {orphan.reason or 'AWS gives no reason'}; delete it by hand"
            + (f" ({orphan.hint})" if orphan.hint else "")
            for orphan in self.orphans
        ]


def result_of(stack: StackState, state: StackState | None, events: Sequence[Event], tally: Tally, now: float) -> Result:
    """What the events of an operation that has ended come to; `stack` is it as known before, `state` as it is now."""
    status = "DELETE_COMPLETE" if state is None else str(state.status)
    first = next((event.status for event in events if event.of_stack and event.tier == ROOT), "")
    deletion = first.startswith("DELETE")
    succeeded = status in (_DELETED if deletion else _DEPLOYED)
    return Result(
        stack_name=stack.name,
        stack_id=stack.id,
        status=status,
        stack=None if status in _DELETED else state,
        failures=() if succeeded else diagnose(events),
        blocked=stuck(events) if status.endswith("ROLLBACK_FAILED") else (),
        orphans=orphans(events),
        seconds=tally.elapsed(now),
        resources=tally.done,
        deletion=deletion,
    )
