"""Alarms of the cutover: a run that ended badly, one that is stuck; and the picture of phase, pause and lag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.model import Settings
from templates.alarms import Group, Metric, NoData, Place, Watch

if TYPE_CHECKING:
    from templates.monitoring import Inputs

# In the order in which a cutover passes them: the metric `Phase` is the place of one (cutover/steps/common/record.py).
PHASES = (
    "replicating", "preflight", "awaiting_approval", "frozen", "drained", "reversed", "switched", "reopened",
    "watching", "done", "rolling_back", "rolled_back", "stuck",
)  # fmt: skip
_LOOK = "See where it stands by python -m cutover status; the execution's history says why."


def cutover(settings: Settings, needs: Inputs) -> Group:
    """A phase is told when it is reached, and holds until the next one."""
    machine: Place = {"StateMachineArn": needs.cutover_machine_arn}

    def told(name: str) -> Metric:
        return Metric(needs.cutover_namespace, name, {})

    return Group(
        "Cutover: " + ", ".join(f"{place} {phase}" for place, phase in enumerate(PHASES)),
        (
            Watch(
                "cutover-stuck",
                (told("Phase"),),
                ">=",
                PHASES.index("stuck"),
                1,
                NoData.LAST_WORD_STANDS,
                "A cutover is stuck: it went neither on nor back, and writes may be refused on both sides.",
                "Read docs/runbooks/cutover.md now. " + _LOOK,
            ),
            Watch(
                "cutover-lag-reverse",
                (told("ReverseLagSeconds"),),
                ">",
                settings.monitoring.dms_lag_threshold_seconds,
                2,
                NoData.NOTHING_HAPPENED,
                "What is written on AWS takes too long to the data centre: a way back would refuse writes for as long.",
                "Look at the reverse task, and at the load of the data centre's database.",
            ),
            *(
                Watch(
                    f"cutover-run-{how}",
                    (Metric("AWS/States", metric, machine, "Sum"),),
                    ">",
                    0,
                    1,
                    NoData.NOTHING_HAPPENED,
                    meaning,
                    _LOOK,
                )
                for how, metric, meaning in (
                    ("failed", "ExecutionsFailed", "A cutover has not switched: refused, rolled back, or stuck."),
                    ("aborted", "ExecutionsAborted", "A cutover was stopped; writes may be refused until it ends."),
                    ("timed-out", "ExecutionsTimedOut", "A cutover did not end; writes may be refused until it does."),
                )
            ),
        ),
        (told("WritePauseSeconds"), told("DrainSeconds")),
    )
