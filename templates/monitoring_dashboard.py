"""The dashboard, drawn from the same rows that the alarms are made of: what is watched is what is seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from settings.model import Settings
from templates.alarms import DAY, Group, Metric, Watch, text_of
from templates.documents import canonical_json

# In units of the grid, which is 24 wide.
_WIDTH, _HEIGHT, _COLUMNS, _HEADER, _STATUS = 6, 5, 4, 1, 3

Widget = dict[str, Any]


def dashboard_body(settings: Settings, groups: Sequence[Group], verdicts: Sequence[str]) -> str:
    """The body as canonical JSON, for Fn::Sub to fill; `verdicts` are logical ids of the composite alarms.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    """
    widgets: list[Widget] = []
    row = _add_row(widgets, 0, _HEADER, [_text(f"# {settings.system} {settings.suffix}: may we cut over?")])
    alarms = [watch.logical_id for group in groups for watch in group.watches]
    row = _add_row(widgets, row, _STATUS, [_status("Verdicts", verdicts)])
    row = _add_row(widgets, row, _STATUS * 2, [_status("Alarms", alarms)])
    for group in groups:
        row = _add_row(widgets, row, _HEADER, [_text(f"## {group.title}")])
        charts = list(_charts(group))
        for start in range(0, len(charts), _COLUMNS):
            row = _add_row(widgets, row, _HEIGHT, charts[start : start + _COLUMNS])
    return canonical_json({"periodOverride": "inherit", "start": "-PT3H", "widgets": widgets})


def _add_row(widgets: list[Widget], y: int, height: int, row: list[Widget]) -> int:
    """Place widgets side by side, texts and alarms over the full width; returns where the next row begins."""
    for column, widget in enumerate(row):
        width = _WIDTH if widget["type"] == "metric" else _WIDTH * _COLUMNS
        widgets.append({**widget, "height": height, "width": width, "x": column * _WIDTH, "y": y})
    return y + height


def _text(markdown: str) -> Widget:
    return {"type": "text", "properties": {"markdown": markdown, "background": "transparent"}}


def _status(title: str, logical_ids: Sequence[str]) -> Widget:
    return {"type": "alarm", "properties": {"title": title, "alarms": [f"${{{name}.Arn}}" for name in logical_ids]}}


def _charts(group: Group) -> Iterator[Widget]:
    """A chart for each metric of the group: all things that report it in one, with the alarms' threshold.

    A metric that comes once a day would be a dot, or nothing: its alarm says enough.
    """
    simple: dict[str, list[tuple[Metric, Watch | None]]] = {}
    for watch in group.watches:
        if watch.expression:
            yield _expression_chart(watch)
        elif watch.metrics[0].period_seconds < DAY:
            simple.setdefault(watch.metrics[0].name, []).append((watch.metrics[0], watch))
    for metric in group.context:
        simple.setdefault(metric.name, []).append((metric, None))
    for name, lines in simple.items():
        rows = [_line(metric) for metric, _ in lines]
        yield _chart(name, rows, [watch for _, watch in lines if watch is not None])


def _expression_chart(watch: Watch) -> Widget:
    parts = [
        [*_line(metric)[:-1], {**_line(metric)[-1], "id": f"m{number}", "visible": False}]
        for number, metric in enumerate(watch.metrics, start=1)
    ]
    return _chart(
        watch.part, [[{"expression": watch.expression, "label": watch.part, "id": "result"}], *parts], [watch]
    )


def _chart(title: str, rows: list[Any], watches: Sequence[Watch]) -> Widget:
    thresholds = sorted({watch.threshold for watch in watches})
    properties: dict[str, Any] = {
        "title": title,
        "view": "timeSeries",
        "region": "${AWS::Region}",
        "metrics": rows,
        "yAxis": {"left": {"min": 0}},
    }
    if thresholds:
        lines = [{"label": "alarm", "value": threshold, "color": "#d62728"} for threshold in thresholds]
        properties["annotations"] = {"horizontal": lines}
    return {"type": "metric", "properties": properties}


def _line(metric: Metric) -> list[Any]:
    """`[namespace, name, dimension, value, ..., options]`, as dashboards write a metric."""
    dimensions = [text for name, value in sorted(metric.dimensions.items()) for text in (name, text_of(value))]
    options = {"stat": metric.statistic, "period": metric.period_seconds}
    return [text_of(metric.namespace), metric.name, *dimensions, options]
