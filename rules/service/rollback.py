"""E9189: a deployment that no alarm stops."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import may_be
from rules.service._deployments import shifting_services


class NoRollback(HouseRule):
    """Without alarms only failing health checks end a deployment; errors of the new version do not."""

    id = "E9189"
    shortdesc = "Deployment without alarms that roll it back"
    description = "DeploymentConfiguration.Alarms names alarms, is enabled and rolls back"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html"
    tags = ["house", "ecs"]
    fix = "set Alarms to AlarmNames of the new version's alarms, Enable true and Rollback true"

    def findings(self, template: Template) -> Iterator[Finding]:
        for service in shifting_services(template):
            path = ("DeploymentConfiguration", "Alarms")
            rolls_back = all(may_be(service.at(*path, key), "true") for key in ("Enable", "Rollback"))
            if not rolls_back or not service.at(*path, "AlarmNames"):
                yield service.finding("no alarm rolls a deployment back", *path)
