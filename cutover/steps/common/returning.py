"""The way back, in two halves: the target comes to rest, then the source takes the writes again.

Whether payments may have been written on AWS is read from the target's fence, and never guessed: where its gate was
open, all that it took has to be on the source before that opens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cutover import gate, sequences
from cutover.steps.common import databases, fence, gates, markers, record, settings, tasks, traffic
from cutover.steps.common.aside import together
from cutover.steps.common.databases import Both
from cutover.steps.common.door import Call
from cutover.steps.common.errors import Blocked, translate

RETURN = "return"


@dataclass(frozen=True, slots=True)
class Rested:
    """The target at rest: whether it had taken writes; `marker` was the last thing written there, if so.

    `before`: an earlier call has gone the whole way back, and where requests go is not this run's any more.
    """

    opened: bool
    before: bool = False
    marker: str = ""
    terminated: int = 0


def rest(call: Call) -> Rested:
    """Close the target's gate for good; where it was open, bring to the source all that it took.

    By force: a call that was given up and still holds the lock loses its session.
    """
    roles = settings.roles()
    with databases.on("target") as target, fence.owned(target, call.run_id, force=True) as owned:
        opened = gates.is_open(target, roles)
        _say(owned, opened=opened)
        terminated = gates.close(target, roles, call.deadline) if opened or owned.word == "retreating" else 0
        if owned.opened_at is None:
            return Rested(opened=False, before=owned.word == "returned")
        identifier = markers.identify(call.run_id, RETURN)
        if owned.word == "retreating":
            tasks.start(settings.text("REVERSE_TASK_ARN"), "resume-processing", call.deadline)
            with databases.on("source") as source:
                _bring_over(call, Both(source, target), identifier)
            owned.write("retreated")
        return Rested(owned.opened_at is not None, owned.word == "returned", identifier, terminated)


def _say(owned: fence.Fence, *, opened: bool) -> None:
    """What becomes of the target, written down before its gate moves."""
    if opened and owned.word in ("refused", "retreated", "returned"):
        raise Blocked(
            f"the target's gate was opened from outside, after cutover {owned.run_id} had closed it ({owned.word})",
            hint="what it took since then is for a person to bring back",
        )
    if opened and owned.opened_at is None:
        owned.write("opened")  # from outside: what it took is brought over all the same
    if opened or owned.word in ("opened", "ended"):
        owned.write("retreating")
    elif owned.word == "claimed":
        owned.write("refused")


def _bring_over(call: Call, both: Both, identifier: str) -> None:
    """What the target has taken, then the sequences that gave out its numbers."""
    written = markers.write(both.target, identifier)
    doing = f"waiting for the marker at {written.lsn} of the target on the source"
    markers.await_arrival(both.source, identifier, call.deadline, doing)
    sequences.advance(both.target, both.source, settings.schemas(), settings.sequence_margin())


def hand_over(call: Call, *, weights: bool) -> None:
    """Let the source take writes again, and lead the application and the requests to where they were before.

    Each of it is tried whatever becomes of the others; raises the first error.
    """
    works: list[Callable[[], None]] = [lambda: _open_source(call), lambda: traffic.point_at(traffic.DATA_CENTER)]
    if weights:
        works.append(lambda: _weights_back(call))
    together(*works)


def _open_source(call: Call) -> None:
    """Both sides are held: the target's gate cannot open while the source's does."""
    roles, run_id = settings.roles(), call.run_id
    with databases.on_both() as both, fence.owned(both.target, run_id, force=True) as there:
        if there.word not in ("refused", "retreated", "returned") or gates.is_open(both.target, roles):
            raise Blocked(f"the target is not at rest ({there.word}): the source's gate stays closed")
        with fence.held(both.source, force=True):
            here = fence.read(both.source)
            if here.run_id == run_id:
                here.write("ended")
                if not gates.is_open(both.source, roles):
                    gate.open(both.source, roles.application, roles.writer)
        if not gates.is_open(both.source, roles):
            raise Blocked("the source's gate is closed, and not by this cutover", hint="see who closed it and why")


def _weights_back(call: Call) -> None:
    if not settings.optional("MIGRATION_RULE_ARN"):
        return  # the params have followed: the rule is gone, and nothing of its weights is to be put back
    before = record.read_object(record.key(call.run_id, "before"))
    if before and (weights := before["weights"]):
        traffic.set_weights(weights)


def tidy(call: Call, *, opened: bool) -> dict[str, str]:
    """Bring the tasks to where the next cutover begins; what cannot be done is told, for payments are taken again.

    The reverse task rests before the forward task goes on, and its markers are gone from the target before they come
    there a second time. After payments on AWS the forward task stays: the source would send it what came from there.
    """
    forward, reverse = settings.text("FORWARD_TASK_ARN"), settings.text("REVERSE_TASK_ARN")
    told = {"forward": "stays at rest: empty the target, then start it by reload-target"}
    try:
        told["reverse"] = tasks.stop(reverse, call.deadline)
        if not opened:
            with databases.on("target") as target:
                markers.forget(target, call.run_id, gates.REVERSE)
            tasks.start(forward, "resume-processing", call.deadline)
            told["forward"] = "running"
            # Nothing of this run can have started it meanwhile (`fence.going_on`). If it runs all the same, not both.
            told["reverse"] = tasks.stop(reverse, call.deadline)
    except Exception as error:
        if (known := translate(error)) is None:
            raise
        told["left"] = f"the replication tasks are not where they should be: {known}"
    return told
