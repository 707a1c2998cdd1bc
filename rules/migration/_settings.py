"""The settings of a replication task, a JSON document that no schema describes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules._template import Finding, Resource, Template
from rules._values import UNKNOWN, embedded

SETTINGS = "ReplicationTaskSettings"


def task_settings(template: Template) -> Iterator[tuple[Resource, Any]]:
    """Every replication task with its settings; `{}`, which are the defaults of DMS, where it has none.

    A task whose settings are malformed (E9205) or not known is left out.
    """
    for task in template.of("AWS::DMS::ReplicationTask"):
        settings = embedded(task.raw(SETTINGS))
        if settings is not UNKNOWN:
            yield task, settings if isinstance(settings, dict) else {}


def in_settings(task: Resource, message: str) -> Finding:
    """A finding in the settings; the document is one property."""
    return task.finding(message, SETTINGS)
