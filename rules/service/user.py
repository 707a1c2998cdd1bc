"""E9180: a container that runs as root."""

from __future__ import annotations

from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import UNKNOWN, text
from rules.service._containers import containers


class RootUser(HouseRule):
    """The image may name a user, but the template cannot see it: it says so itself."""

    id = "E9180"
    shortdesc = "Container runs as root"
    description = "User is set, and is not root"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-tasks-containers.html"
    tags = ["house", "ecs"]
    fix = 'set User to a numeric user, like "1000:1000"'

    def findings(self, template: Template) -> Iterator[Finding]:
        for container in containers(template):
            user = container.at("User")
            if user is not UNKNOWN and (text(user) or "").partition(":")[0].strip() in ("", "0", "root"):
                yield container.finding(f"the user is {'left to the image' if user is None else user}", "User")
