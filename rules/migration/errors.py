"""E9173: a replication task that skips rows."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import at, equals
from rules.data.dms_errors import SAFE_BY_DEFAULT, SAFE_POLICIES
from rules.migration._settings import in_settings, task_settings


class TaskSkipsRows(HouseRule):
    """The defaults of DMS log the error, skip the row and go on."""

    id = "E9173"
    shortdesc = "DMS task skips rows that it cannot replicate"
    description = (
        "Every policy of ErrorBehavior suspends the table or stops the task: a lost payment is never only logged"
    )
    source_url = (
        "https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Tasks.CustomizingTasks.TaskSettings.ErrorHandling.html"
    )
    tags = ["house", "dms"]
    fix = "set it to SUSPEND_TABLE or STOP_TASK in ErrorBehavior"

    def findings(self, template: Template) -> Iterator[Finding]:
        for task, settings in task_settings(template):
            for name, safe in SAFE_POLICIES.items():
                policy = at(settings, "ErrorBehavior", name)
                if policy is None and name in SAFE_BY_DEFAULT:
                    continue
                if not equals(policy, *safe):
                    yield in_settings(task, f"{name} is {policy or 'left to its default, which skips the row'}")
