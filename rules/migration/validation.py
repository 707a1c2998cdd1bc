"""E9172: a replication task that proves nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import at, equals
from rules.migration._settings import in_settings, task_settings


class TaskWithoutValidation(HouseRule):
    """Validation is off by default."""

    id = "E9172"
    shortdesc = "DMS validation is off"
    description = "ValidationSettings.EnableValidation is true: DMS compares every row on both sides"
    source_url = "https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Validating.html"
    tags = ["house", "dms"]
    fix = "set ValidationSettings.EnableValidation to true"

    def findings(self, template: Template) -> Iterator[Finding]:
        for task, settings in task_settings(template):
            if not equals(at(settings, "ValidationSettings", "EnableValidation"), "true"):
                yield in_settings(task, "the task validates nothing")
