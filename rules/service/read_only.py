"""E9181: a container that can write over its own code."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import may_be
from rules.service._containers import containers


class WritableRoot(HouseRule):
    """What must be written goes to a volume mounted for it."""

    id = "E9181"
    shortdesc = "Container with a writable root file system"
    description = "ReadonlyRootFilesystem is true"
    source_url = "https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-5"
    tags = ["house", "ecs"]
    fix = "set ReadonlyRootFilesystem to true, and mount a volume on /tmp"

    def findings(self, template: Template) -> Iterator[Finding]:
        for container in containers(template):
            if not may_be(container.at("ReadonlyRootFilesystem"), "true"):
                yield container.finding("ReadonlyRootFilesystem is not true", "ReadonlyRootFilesystem")
