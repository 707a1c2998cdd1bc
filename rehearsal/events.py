"""What happened, one JSON object a line in a file that only grows: whoever is killed loses nothing that it had written.

Times (`at`, `due`, `started`) are seconds since the epoch by `rehearsal.clock`; durations are in seconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rehearsal.errors import RehearsalError


@dataclass(frozen=True, slots=True)
class Sent:
    """A client is about to ask for a payment for the first time; `order` is its idempotency key too."""

    at: float
    order: str
    account: int
    amount: str
    currency: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A try that was not answered 2xx; `status` 0: no answer at all. Its outcome is unknown, and it is tried again."""

    at: float
    order: str
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """A client got 2xx: from here on the payment may never be lost. `due`: when the payment was meant to be made."""

    at: float
    order: str
    payment: int
    due: float


@dataclass(frozen=True, slots=True)
class GaveUp:
    """A payment that was not accepted by its deadline; whether it was made is unknown."""

    at: float
    order: str


@dataclass(frozen=True, slots=True)
class Read:
    """An accepted payment was read back; `right`: 200, and that very payment. No answer: `status` 0."""

    at: float
    started: float
    payment: int
    status: int
    right: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Routed:
    """What a load balancer forwarded in one second: requests by target group and by status; percentiles in seconds."""

    at: float
    requests: int
    by_group: dict[str, int]
    by_status: dict[str, int]
    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Weighed:
    """The weights that a listener's deciding rule has from now on, by target group."""

    at: float
    listener: str
    weights: dict[str, int]


Event = Sent | Refused | Accepted | GaveUp | Read | Routed | Weighed
_KINDS: dict[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in (Sent, Refused, Accepted, GaveUp, Read, Routed, Weighed)
}
_FIELDS = {kind: tuple(field.name for field in fields(kind)) for kind in _KINDS.values()}


class EventFile:
    """Appends events; each is one write to the system, so it outlives this process however that ends."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as problem:
            raise RehearsalError(
                f"{path} cannot be written ({problem.strerror})", hint="give --record a file in a folder that exists"
            ) from None

    def write(self, event: Event) -> None:
        os.write(self._file, encode(event))

    def close(self) -> None:
        os.close(self._file)


def encode(event: Event) -> bytes:
    """The line of an event."""
    kind = type(event)
    values = {name: getattr(event, name) for name in _FIELDS[kind]}
    return json.dumps({"event": kind.__name__.lower(), **values}, separators=(",", ":")).encode() + b"\n"


def read_events(paths: Iterable[Path]) -> Iterator[Event]:
    """The events of several files, file by file; a last line that its writer did not finish is no event."""
    for path in paths:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    yield _decode(line, f"{path}, line {number}")


def _decode(line: bytes, place: str) -> Event:
    try:
        values = json.loads(line)
        kind = _KINDS[values.pop("event")]
        event: Event = kind(**values)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise RehearsalError(
            f"{place} is no event of a rehearsal", hint="give each process an event file of its own, and edit none"
        ) from None
    return event
