"""Telling a credential by the name of what holds it."""

from __future__ import annotations

import re

_CREDENTIAL = re.compile(
    r"passw(or)?d|passphrase|secret|token|credential|(private|api|access|encryption|signing)[_-]?key", re.IGNORECASE
)
# What only points at a credential, or describes it.
_POINTER = re.compile(
    r"(arn|id|name|path|file|url|uri|host|region|version|ttl|days|seconds|minutes|length)$", re.IGNORECASE
)


def is_credential(name: str) -> bool:
    """Whether something of this name holds a credential: DB_PASSWORD does, DB_PASSWORD_SECRET_ARN does not."""
    return bool(_CREDENTIAL.search(name)) and not _POINTER.search(name)
