"""Watch: look once whether all is well on AWS, and whether the way back is still open.

Event: {"run_id", "watch": {"minutes"}}. Answer: {"verdict": "quiet", "over" or "alarm", "reasons", …}; on an alarm a
person decides, by an approval with the question "stay".
"""

from __future__ import annotations

import time

from cutover.steps.common import databases, fence, gates, health, markers, settings, tasks
from cutover.steps.common.aside import together
from cutover.steps.common.databases import Both
from cutover.steps.common.door import Call, Done, step
from cutover.steps.common.errors import Blocked, Retry

_MOST_LAG_SECONDS = 10.0


@step("watch", uses=("dms",), budgeted=False)
def handle(call: Call) -> Done:
    """The watch lasts from the opening of the gate, which the target knows."""
    minutes = float((call.event.get("watch") or {}).get("minutes", 0))
    with databases.on_both() as both:
        owned = fence.read(both.target)
        fence.check_owner(owned, call.run_id)
        if owned.opened_at is None or owned.word not in ("opened", "ended"):
            raise Blocked(f"there is nothing to watch: the target has {owned.word}")
        opened_at = owned.opened_at
        alarms, reverse, (reasons, lag) = together(health.alarms, _reverse, lambda: _look(both, call))
    reasons = [*alarms, *reverse, *reasons]
    over = time.time() >= opened_at + minutes * 60
    verdict = "alarm" if reasons else "over" if over else "quiet"
    answer = {"verdict": verdict, "reasons": reasons, "reverse_lag_seconds": lag}
    return Done(answer, phase="watching", metrics={} if lag is None else {"ReverseLagSeconds": lag})


def _reverse() -> list[str]:
    status = tasks.describe(settings.text("REVERSE_TASK_ARN"))["Status"]
    return [] if status == "running" else [f"the reverse task is {status}: the way back loses time with every payment"]


def _look(both: Both, call: Call) -> tuple[list[str], float | None]:
    """The gates, and how long a marker takes from the target to the source, seconds."""
    roles, reasons = settings.roles(), []
    if gates.is_open(both.source, roles):
        reasons.append("the source's gate is open as well: payments may be written on both sides")
    if not gates.is_open(both.target, roles):
        reasons.append("the target's gate is closed: no payment is taken")
    began = time.monotonic()
    identifier = markers.identify(call.run_id, "watch", time.time_ns())
    markers.write(both.target, identifier)
    try:
        within = call.deadline.within(_MOST_LAG_SECONDS)
        markers.await_arrival(both.source, identifier, within, "waiting for the marker")
    except Retry:
        return [*reasons, f"the reverse replication is more than {_MOST_LAG_SECONDS:g} s behind"], None
    return reasons, round(time.monotonic() - began, 3)
