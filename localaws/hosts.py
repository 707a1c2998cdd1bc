"""Where the made-up hosts of a deployment really listen: `db.dev.datacenter.example:5432` is 127.0.0.1:54321.

What is deployed here names databases that do not exist. Nothing inside the embedded AWS goes anywhere but to this
machine: a host that nobody has mapped is not looked up, so a real database is never reached by accident.
"""

from __future__ import annotations

import ipaddress
import json
import os
import threading
from collections.abc import Mapping

# What a Lambda function's process reads them from; localaws/function_process.py.
VARIABLE = "LOCALAWS_HOSTS"


class Hosts:
    """The hosts that are mapped, each as `host` or `host:port` → `127.0.0.1:port`."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._lock = threading.Lock()

    def tell(self) -> dict[str, str]:
        """All of them."""
        with self._lock:
            return dict(self._known)

    def change(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        """Map hosts, or forget those whose place is None: all of them. ValueError for what is no place."""
        for name, place in changes.items():
            if not name or (place is not None and not _is_place(place)):
                raise ValueError(f'{name!r}: a host is mapped to "127.0.0.1:port", not to {place!r}')
        with self._lock:
            for name, place in changes.items():
                if place is None:
                    self._known.pop(name.lower(), None)
                else:
                    self._known[name.lower()] = place
            os.environ[VARIABLE] = json.dumps(self._known)
            return dict(self._known)

    def load(self, known: Mapping[str, str]) -> None:
        """Take over what was saved, in place of what is here."""
        with self._lock:
            self._known = dict(known)
            os.environ[VARIABLE] = json.dumps(self._known)

    def find(self, host: str, port: int) -> tuple[str, int] | None:
        """The place on this machine that `host` and `port` stand for; None where that is nowhere here."""
        with self._lock:
            place = self._known.get(f"{host}:{port}".lower()) or self._known.get(host.lower())
        if place:
            found, _, number = place.rpartition(":")
            return found, int(number)
        return (host, port) if _is_here(host) else None


def _is_place(place: str) -> bool:
    host, _, port = place.rpartition(":")
    return _is_here(host) and port.isascii() and port.isdigit()


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
