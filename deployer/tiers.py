"""Which tier a nested stack is: by its name in the root, or by the file that it names. Pure."""

from __future__ import annotations

import re

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def tier_name(logical_id: str) -> str:
    """Name of the tier that a nested stack of the root holds: `LoadBalancer` → `load_balancer`."""
    return _WORDS.sub("_", logical_id).lower()


def file_tier(template_url: str) -> str:
    """The tier of a file, uploaded or not: "https://…/database.<sha256>.template.json" → "database"."""
    return template_url.rpartition("/")[2].partition(".")[0]
