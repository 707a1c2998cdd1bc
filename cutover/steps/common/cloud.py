"""Clients of AWS: made once in a process, impatient, and shared by threads."""

from __future__ import annotations

import threading
from typing import Any

# A call that hangs costs the freeze more than one that is made again. Together less than fence.PATIENCE_SECONDS.
_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 1, 3, 2
_clients: dict[str, Any] = {}
_lock = threading.Lock()


def client(service: str) -> Any:
    """A client of the region and role that the process runs in."""
    # Making one is not for several threads at once; using one is.
    # https://docs.aws.amazon.com/boto3/latest/guide/clients.html#multithreading-or-multiprocessing-with-clients
    with _lock:
        if service not in _clients:
            import boto3  # the Lambda runtime's own; a fifth of a second
            from botocore.config import Config

            patience = Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            )
            make: Any = boto3.client  # typed for literal service names only
            _clients[service] = make(service, config=patience)
        return _clients[service]


def forget() -> None:
    """Make them anew when they are next asked for."""
    with _lock:
        _clients.clear()


def is_code(error: Exception, *codes: str) -> bool:
    """Whether a ClientError has one of these codes."""
    response: dict[str, Any] = getattr(error, "response", {})
    return response.get("Error", {}).get("Code") in codes
