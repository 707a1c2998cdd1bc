"""Alarms as rows of a table: what is watched, when it is wrong, what that means and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from troposphere import cloudwatch

from contract import names
from contract.stack import Stack
from contract.wiring import Wire, camel_case

MINUTE, DAY = 60, 86400
GIB = 1024**3
MIB = 1024**2

# A dimension's value: of a wire, or known at compile time. What metrics are published under, by name.
Dimension = Wire[Any] | str
Place = Mapping[str, Dimension]


class NoData(Enum):
    """What it means when a metric has no data, which is what decides how an alarm treats it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """

    NOTHING_HAPPENED = "notBreaching"  # counters that are only reported when there is something to count
    NOBODY_REPORTS = "breaching"  # gauges that are always reported: who should, is gone
    NOT_RUNNING = "missing"  # gauges of what people start and stop: neither good nor bad
    LAST_WORD_STANDS = "ignore"  # verdicts of a run, true until the next run


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of one thing; `statistic` sums up a minute of it, or `period_seconds`."""

    namespace: Dimension
    name: str
    dimensions: Place
    statistic: str = "Maximum"
    period_seconds: int = MINUTE


@dataclass(frozen=True, slots=True)
class Watch:
    """One alarm.

    It is raised when the metric is `comparison` ("<", ">" or ">=") than `threshold` for `periods` periods on end. With
    an `expression`, that is the value of this expression over `metrics`, which it knows as m1, m2 and so on.
    """

    part: str
    metrics: tuple[Metric, ...]
    comparison: str
    threshold: float
    periods: int
    no_data: NoData
    meaning: str
    todo: str
    expression: str = ""
    # Whether people are told as well when data stops coming.
    tells_silence: bool = field(default=False)

    @property
    def logical_id(self) -> str:
        """`aurora-cpu-writer` → `AuroraCpuWriter`."""
        return camel_case(self.part.replace("-", "_"))


@dataclass(frozen=True, slots=True)
class Group:
    """Alarms that belong together, and metrics that only the dashboard shows beside them."""

    title: str
    watches: tuple[Watch, ...]
    context: tuple[Metric, ...] = ()


_COMPARISONS = {"<": "LessThanThreshold", ">": "GreaterThanThreshold", ">=": "GreaterThanOrEqualToThreshold"}


def add_alarm(stack: Stack, watch: Watch, actions: Sequence[Any]) -> cloudwatch.Alarm:
    """The alarm of a row; `actions` are told when it is raised and when it is over."""
    silence = {"InsufficientDataActions": list(actions)} if watch.tells_silence else {}
    return stack.add(
        cloudwatch.Alarm(
            watch.logical_id,
            AlarmName=stack.name(names.ALARM, watch.part),
            AlarmDescription=f"{watch.meaning} {watch.todo}",
            ComparisonOperator=_COMPARISONS[watch.comparison],
            Threshold=watch.threshold,
            EvaluationPeriods=watch.periods,
            DatapointsToAlarm=watch.periods,
            TreatMissingData=watch.no_data.value,
            ActionsEnabled=True,
            AlarmActions=list(actions),
            OKActions=list(actions),
            **silence,
            **(_calculated(watch) if watch.expression else _measured(watch.metrics[0])),
        )
    )


def _measured(metric: Metric) -> dict[str, Any]:
    return {
        "Namespace": value_of(metric.namespace),
        "MetricName": metric.name,
        "Dimensions": _dimensions(metric),
        "Statistic": metric.statistic,
        "Period": metric.period_seconds,
    }


def _calculated(watch: Watch) -> dict[str, Any]:
    parts = [
        cloudwatch.MetricDataQuery(
            Id=f"m{number}",
            MetricStat=cloudwatch.MetricStat(
                Metric=cloudwatch.Metric(
                    Namespace=value_of(metric.namespace), MetricName=metric.name, Dimensions=_dimensions(metric)
                ),
                Period=metric.period_seconds,
                Stat=metric.statistic,
            ),
            ReturnData=False,
        )
        for number, metric in enumerate(watch.metrics, start=1)
    ]
    whole = cloudwatch.MetricDataQuery(Id="result", Expression=watch.expression, Label=watch.part, ReturnData=True)
    return {"Metrics": [*parts, whole]}


def _dimensions(metric: Metric) -> list[cloudwatch.MetricDimension]:
    return [
        cloudwatch.MetricDimension(Name=name, Value=value_of(value))
        for name, value in sorted(metric.dimensions.items())
    ]


def value_of(value: Dimension) -> Any:
    """A dimension's value for a property: a reference or the text itself."""
    return value.ref if isinstance(value, Wire) else value


def text_of(value: Dimension) -> str:
    """A dimension's value inside a text that Fn::Sub fills."""
    return f"${{{value.label}}}" if isinstance(value, Wire) else value
