"""E9183: an image that can change under its name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rules._base import HouseRule
from rules._template import Finding, Template
from rules._values import filled
from rules.service._containers import containers

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


class ImageWithoutDigest(HouseRule):
    """Durable environments only: elsewhere a tag is a convenience. An image given whole by a function is left alone."""

    id = "E9183"
    shortdesc = "Image without digest in a durable environment"
    description = "A tag can be moved: what was reviewed is not what runs"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-considerations.html"
    tags = ["house", "ecs"]
    fix = "name the image by digest: repository@sha256:…"

    def findings(self, template: Template) -> Iterator[Finding]:
        if not template.durable:
            return
        for container in containers(template):
            image = container.body.get("Image") if isinstance(container.body, dict) else None
            name = filled(image)
            if name is not None and name != "0" and not _DIGEST.search(name):
                yield container.finding(f"image {name} has no digest", "Image")
