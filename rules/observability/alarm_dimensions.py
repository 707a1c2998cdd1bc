"""E9203: an alarm on a metric that does not exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules._base import HouseRule
from rules._template import Finding, Resource, Template
from rules._values import Path, at, is_function, listed, raw, referred, text
from rules.data.metrics import DIMENSIONS, OF_METRICS, VALUES


class WrongDimensions(HouseRule):
    """The alarm is created, stays in INSUFFICIENT_DATA and never rings; no linter sees it."""

    id = "E9203"
    shortdesc = "Alarm dimensions that its metric does not have"
    description = "AWS publishes each metric under certain dimensions only, with names or parts of ARNs as values"
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension"
    tags = ["house", "alarms"]
    fix = "use the dimensions of the metric (rules/data/metrics.py) and the attribute that its value is"
    types = ("AWS::CloudWatch::Alarm",)

    def check(self, resource: Resource) -> Iterator[Finding]:
        inner = resource.each("Metrics", "*", "MetricStat", "Metric")
        for path, metric in [((), resource.properties), *inner]:
            namespace, name = text(at(metric, "Namespace")) or "", text(at(metric, "MetricName")) or ""
            given = listed(at(metric, "Dimensions"))
            keys = {text(at(dimension, "Name")) for dimension in given}
            if namespace not in DIMENSIONS or None in keys:
                continue
            fault = _fault(namespace, name, frozenset(str(key) for key in keys))
            if fault:
                yield resource.finding(f"{namespace} {name} {fault}", *path, "Dimensions")
            for index, dimension in enumerate(given):
                yield from _wrong_value(resource, (*path, "Dimensions", index, "Value"), dimension, resource.template)


def _fault(namespace: str, metric: str, given: frozenset[str]) -> str | None:
    shown = ", ".join(sorted(given)) or "(none)"
    if given not in DIMENSIONS[namespace]:
        return f"does not have the dimensions {shown}"
    for start, always, never in OF_METRICS.get(namespace, ()):
        if metric.startswith(start) and not always <= given:
            return f"is published under {', '.join(sorted(always))} too, not under {shown} alone"
        if metric.startswith(start) and never & given:
            return f"is never published under {', '.join(sorted(never & given))}"
    return None


def _wrong_value(resource: Resource, path: Path, dimension: Any, template: Template) -> Iterator[Finding]:
    name, value = text(at(dimension, "Name")), raw(dimension, "Value")
    if name is None or name not in VALUES:
        return
    kind, attribute = VALUES[name]
    owner, given = referred(value) or ("", "")
    if attribute != given and any(one.logical_id == owner for one in template.of(kind)):
        wanted = f"its {attribute}" if attribute else "the identifier, which no attribute gives"
        yield resource.finding(f"{name} is {owner}.{given}; the metric has {wanted}", *path)
    elif not is_function(value) and (text(value) or "").startswith("arn:"):
        yield resource.finding(f"{name} is an ARN; the metric has a name", *path)
