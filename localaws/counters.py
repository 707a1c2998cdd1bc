"""How many calls of which operation came from outside: what a benchmark counts, and a test that wants none."""

from __future__ import annotations

import io
import threading
from collections import Counter
from typing import Any
from urllib.parse import parse_qs

from localaws.account import Environ, scope

_UNKNOWN = "?"
# The name of a service in signatures, and in botocore where it is another.
_MODELS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch", "states": "stepfunctions"}


class Counters:
    """Calls by service (as it is signed for) and operation, since the last reset."""

    def __init__(self) -> None:
        self._calls: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def count(self, environ: Environ) -> None:
        """Count one request; its body can still be read afterwards."""
        service = scope(environ)[1]
        name = operation(environ, service)
        with self._lock:
            self._calls[service or _UNKNOWN, name] += 1

    def document(self) -> dict[str, Any]:
        """As /localaws/counters tells it: {"total": 3, "calls": {"cloudformation": {"DescribeStacks": 3}}}."""
        with self._lock:
            calls: dict[str, dict[str, int]] = {}
            for (service, name), number in sorted(self._calls.items()):
                calls.setdefault(service, {})[name] = number
            return {"total": self._calls.total(), "calls": calls}

    def reset(self) -> None:
        """Begin anew."""
        with self._lock:
            self._calls.clear()


def operation(environ: Environ, service: str) -> str:
    """The name of the operation, wherever the service's protocol has it.

    https://smithy.io/2.0/aws/protocols/index.html
    """
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return str(target).rpartition(".")[2]
    path = environ.get("PATH_INFO", "")
    if environ.get("HTTP_SMITHY_PROTOCOL"):
        return str(path).rpartition("/")[2]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        size = environ.get("CONTENT_LENGTH", "")
        body = environ["wsgi.input"].read(int(size) if size.isdigit() else 0)
        environ["wsgi.input"] = io.BytesIO(body)
        if action := parse_qs(body.decode(errors="replace")).get("Action"):
            return str(action[0])
    return _by_path(environ, service) if service else _UNKNOWN


def _by_path(environ: Environ, service: str) -> str:
    """The operation of a REST protocol: the one whose method, path and query the request has."""
    from botocore.exceptions import UnknownServiceError
    from moto.core.request import Request
    from moto.core.routing import NotFound, get_service_router

    try:
        found, _ = get_service_router(_MODELS.get(service, service)).match(
            Request({**environ, "wsgi.input": io.BytesIO()})
        )
    except (NotFound, NotImplementedError, UnknownServiceError):
        return _UNKNOWN
    return str(found.name)
