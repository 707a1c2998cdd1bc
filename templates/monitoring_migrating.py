"""Alarms of the migration: replication both ways, the machine it runs on, and the comparison of both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.model import Settings
from templates.alarms import GIB, MIB, Group, Metric, NoData, Place, Watch

if TYPE_CHECKING:
    from templates.monitoring import Inputs

_DMS = "AWS/DMS"
_DMS_CPU_PERCENT = 80
# What a run says of itself beside its verdict (validator/aws.py).
_COMPARED = (
    "TablesCompared", "RowsCompared", "MissingRows", "ExtraRows", "ChangedRows", "PendingRows", "DurationSeconds",
)  # fmt: skip


def replication(settings: Settings, needs: Inputs) -> Group:
    """Lag has no data while a task is stopped, so such an alarm is then neither raised nor OK, and says so once."""
    seconds = settings.monitoring.dms_lag_threshold_seconds
    watches: list[Watch] = []
    context: list[Metric] = []
    for direction, task in (("forward", needs.forward_task_id), ("reverse", needs.reverse_task_id)):
        # The task's dimension is the last part of its ARN, not its name.
        place: Place = {
            "ReplicationInstanceIdentifier": needs.replication_instance_id,
            "ReplicationTaskIdentifier": task,
        }
        watches += [
            *(
                Watch(
                    f"dms-{direction}-lag-{end}",
                    (Metric(_DMS, metric, place),),
                    ">",
                    seconds,
                    3,
                    NoData.NOT_RUNNING,
                    f"The {direction} task {late} by more than {seconds} seconds.",
                    todo,
                    tells_silence=True,
                )
                for end, metric, late, todo in (
                    (
                        "source",
                        "CDCLatencySource",
                        "reads changes late",
                        "Look for long transactions on its source, and at the load of source and network.",
                    ),
                    (
                        "target",
                        "CDCLatencyTarget",
                        "writes changes late",
                        "If it does not read late as well: look for missing indexes and locks on its target.",
                    ),
                )
            ),
            *(
                Watch(
                    f"dms-{direction}-validation-{outcome}",
                    (Metric(_DMS, f"Validation{outcome.capitalize()}OverallCount", place),),
                    ">",
                    0,
                    1,
                    NoData.NOT_RUNNING,
                    f"The {direction} task's validation {found}.",
                    "Look into awsdms_validation_failures_v2 on its target. Do not cut over.",
                )
                for outcome, found in (
                    ("failed", "found rows that differ"),
                    ("suspended", "gave up on rows: they change too often, or too many differ"),
                )
            ),
        ]
        context += [
            Metric(_DMS, "CDCIncomingChanges", place),
            Metric(_DMS, "ValidationPendingOverallCount", place),
            Metric(_DMS, "CDCThroughputRowsTarget", place, "Average"),
        ]
    return Group("Replication", tuple(watches), tuple(context))


def replication_instance(settings: Settings, needs: Inputs) -> Group:
    """The machine that both tasks run on."""
    limits = settings.monitoring
    place: Place = {"ReplicationInstanceIdentifier": needs.replication_instance_id}
    return Group(
        "Replication instance",
        (
            Watch(
                "dms-storage",
                (Metric(_DMS, "FreeStorageSpace", place, "Minimum"),),
                "<",
                limits.dms_free_storage_gib * GIB,
                3,
                NoData.NOBODY_REPORTS,
                f"The replication instance has less than {limits.dms_free_storage_gib} GiB of storage left.",
                "Changes wait on its disk: see why the target is slow, or raise allocated_storage_gib.",
            ),
            Watch(
                "dms-memory",
                (Metric(_DMS, "FreeableMemory", place, "Minimum"),),
                "<",
                limits.dms_freeable_memory_mib * MIB,
                3,
                NoData.NOBODY_REPORTS,
                f"The replication instance has less than {limits.dms_freeable_memory_mib} MiB of memory left.",
                "Take a larger instance class, between tasks: changing it interrupts them.",
            ),
            Watch(
                "dms-cpu",
                (Metric(_DMS, "CPUUtilization", place, "Average"),),
                ">",
                _DMS_CPU_PERCENT,
                5,
                NoData.NOBODY_REPORTS,
                f"The replication instance's CPU is over {_DMS_CPU_PERCENT} %.",
                "Expect lag. Take a larger instance class, between tasks.",
            ),
        ),
        (Metric(_DMS, "SwapUsage", place),),
    )


def validation(needs: Inputs) -> Group:
    """The comparison of both databases: its verdicts, and whether it came to one."""
    function: Place = {"FunctionName": needs.function_name}
    machine: Place = {"StateMachineArn": needs.state_machine_arn}
    return Group(
        "Validation",
        (
            *(
                Watch(
                    f"validation-{name.lower()}",
                    (Metric(needs.metric_namespace, name, {}),),
                    ">",
                    0,
                    1,
                    NoData.LAST_WORD_STANDS,
                    meaning,
                    "Read the report of the last run in the report bucket. Do not cut over.",
                )
                for name, meaning in (
                    ("Mismatches", "The last comparison found data that differ between the data centre and Aurora."),
                    ("Inconclusive", "The last comparison could not tell of some tables whether they are the same."),
                )
            ),
            Watch(
                "validation-errors",
                (Metric("AWS/Lambda", "Errors", function, "Sum"),),
                ">",
                0,
                1,
                NoData.NOTHING_HAPPENED,
                "A call of the function that compares both databases failed; the state machine repeats it.",
                "Read its log. If the run fails in the end, start the state machine again with the run's run_id.",
            ),
            *(
                Watch(
                    f"validation-run-{how}",
                    (Metric("AWS/States", name, machine, "Sum"),),
                    ">",
                    0,
                    1,
                    NoData.NOTHING_HAPPENED,
                    f"A run of the comparison {what}: nothing is proven.",
                    "Read the report and the state machine's log; start it again, with run_id to go on with the run.",
                )
                for how, name, what in (
                    ("failed", "ExecutionsFailed", "failed"),
                    ("timed-out", "ExecutionsTimedOut", "took too long"),
                )
            ),
        ),
        (
            Metric("AWS/Lambda", "Duration", function),
            *(Metric(needs.metric_namespace, name, {}) for name in _COMPARED),
        ),
    )
