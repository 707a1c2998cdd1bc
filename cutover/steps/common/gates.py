"""The gates of both sides: closed with all that was in flight, and what must be so before a step goes on."""

from __future__ import annotations

import time

from cutover import gate, sequences
from cutover.database import Session
from cutover.names import Roles
from cutover.steps.common import fence, markers, settings
from cutover.steps.common.databases import Both
from cutover.steps.common.deadline import Deadline
from cutover.steps.common.errors import Blocked

# What a run's markers are for.
DRAIN, REVERSE = "drain", "reverse"
_PATIENCE_SECONDS, _PAUSE_SECONDS = 2.0, 0.02
_SHOWN = 5


def is_open(session: Session, roles: Roles) -> bool:
    """Whether the application may write on this side."""
    return gate.is_open(session, roles.application, roles.writer)


def close(session: Session, roles: Roles, deadline: Deadline) -> int:
    """Close the gate of a side and wait for the writers in flight, then end them; how many had to be ended."""
    closed_at = gate.close(session, roles.application, roles.writer)
    ignored = [roles.dms, roles.validator, roles.cutover]
    until = time.monotonic() + settings.number("WRITER_SECONDS", _PATIENCE_SECONDS)
    ended: set[tuple[int | None, str | None]] = set()

    def look() -> bool | None:
        writers = gate.writers_in_flight(session, closed_at, ignored)
        if not writers:
            return True
        if time.monotonic() >= until:
            if prepared := [str(writer) for writer in writers if writer.pid is None]:
                raise Blocked(
                    f"the {session.endpoint.side} has {', '.join(prepared)}, which nobody but its owner can end",
                    hint="COMMIT PREPARED or ROLLBACK PREPARED it, then begin again",
                )
            gate.terminate_writers(session, writers)
            ended.update((writer.pid, writer.started) for writer in writers)
        return None

    deadline.wait(look, f"waiting for writers in flight on the {session.endpoint.side}", _PAUSE_SECONDS)
    return len(ended)


def check_frozen(source: Session, run_id: str, roles: Roles) -> fence.Fence:
    """The source takes no writes, and all that was in flight is over; its fence."""
    found = fence.read(source)
    fence.check_owner(found, run_id)
    if found.word != "frozen":
        raise Blocked(f"the source is not frozen by {run_id} ({found.word})")
    if is_open(source, roles):
        raise Blocked("the source's gate was opened from outside while the cutover held it closed")
    return found


def check_drained(target: Session, run_id: str) -> None:
    """All that the source had accepted is on the target."""
    if not markers.find(target, [markers.identify(run_id, DRAIN)]):
        raise Blocked("the target has not received the marker of the source: it is not drained")


def check_sequences(both: Both) -> None:
    """No number that the source has given out will be given out again by the target."""
    ours, theirs = (sequences.read(session, settings.schemas()) for session in (both.source, both.target))
    plan = sequences.compare(ours, theirs)
    if behind := [*map(str, plan.moves), *plan.obstacles]:
        raise Blocked(f"{len(behind)} sequences of the target are behind the source's: {', '.join(behind[:_SHOWN])}")


def check_reversed(both: Both, run_id: str, roles: Roles) -> None:
    """The source is frozen and drained, and what is written on the target comes back to it."""
    check_frozen(both.source, run_id, roles)
    check_drained(both.target, run_id)
    if not markers.has_flowed(both.source, run_id, REVERSE):
        raise Blocked("the reverse replication has not been seen to flow: there would be no way back")
