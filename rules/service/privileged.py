"""E9182: a container with the rights of its host."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import equals
from rules.service._containers import containers


class Privileged(HouseRule):
    """Fargate refuses it, but at deployment only."""

    id = "E9182"
    shortdesc = "Privileged container"
    description = "Privileged is true: the container has root's rights on its host"
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-4"
    tags = ["house", "ecs"]
    fix = "leave Privileged out"

    def findings(self, template: Template) -> Iterator[Finding]:
        for container in containers(template):
            if equals(container.at("Privileged"), "true"):
                yield container.finding("Privileged is true", "Privileged")
