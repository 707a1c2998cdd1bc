"""JSON documents that stand as strings inside a template."""

from __future__ import annotations

import json
from typing import Any


def canonical_json(document: Any) -> str:
    """One text for one document, whatever the order its keys were written in: same inputs, same bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
