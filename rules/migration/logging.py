"""E9171: a replication task that does not log."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import at, each, equals
from rules.migration._settings import in_settings, task_settings

_COMPONENTS = ("SOURCE_CAPTURE", "SOURCE_UNLOAD", "TARGET_APPLY", "TARGET_LOAD")
_TOO_LITTLE = ("LOGGER_SEVERITY_ERROR", "LOGGER_SEVERITY_WARNING", "LOGGER_SEVERITY_INFO")


class TaskWithoutLogging(HouseRule):
    """Logging is off by default; a component below LOGGER_SEVERITY_DEFAULT counts as off, as in Security Hub."""

    id = "E9171"
    shortdesc = "DMS task logging is off"
    description = (
        "Logging.EnableLogging is true, and capture, unload, load and apply log at DEFAULT or more (PCI DSS 10.4.2)"
    )
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/dms-controls.html#dms-7"
    tags = ["house", "dms", "logs"]
    fix = "set Logging.EnableLogging to true, and its LogComponents to LOGGER_SEVERITY_DEFAULT or more"

    def findings(self, template: Template) -> Iterator[Finding]:
        for task, settings in task_settings(template):
            if not equals(at(settings, "Logging", "EnableLogging"), "true"):
                yield in_settings(task, "the task does not log")
            for _, component in each(settings, "Logging", "LogComponents", "*"):
                name = at(component, "Id")
                if equals(name, *_COMPONENTS) and equals(at(component, "Severity"), *_TOO_LITTLE):
                    yield in_settings(task, f"{name} logs too little")
