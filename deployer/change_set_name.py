"""The name of a change set tells which run made it: what a killed run left is found, no other's is touched."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from deployer.files import is_running

_NAME = re.compile(r"deploy-(?P<purpose>up|review)-\d{8}T\d{6}Z-(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{6}")


class Purpose(StrEnum):
    """What a run makes a change set for: to execute or discard it itself, or to leave it for `execute`."""

    UP = "up"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Maker:
    """The run that a name tells of: what it was about, on which machine, as which process."""

    purpose: Purpose
    machine: str
    process: int

    def has_ended(self) -> bool:
        """Whether the run is known to have ended; False wherever that cannot be told from here."""
        return self.machine == machine() and not is_running(self.process)


def new_name(purpose: Purpose, epoch: float) -> str:
    """A name that no other run gives: `deploy-up-20261124T174507Z-1a2b3c4d-4711-9f8e7d`. Letters, digits, hyphens."""
    time = datetime.fromtimestamp(epoch, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"deploy-{purpose}-{time}-{machine()}-{os.getpid()}-{secrets.token_hex(3)}"


def maker_of(name: str) -> Maker | None:
    """Who made a change set; None where it is none of ours."""
    found = _NAME.fullmatch(name)
    return None if found is None else Maker(Purpose(found["purpose"]), found["machine"], int(found["process"]))


def machine() -> str:
    """Where a process number means the same process: a digest of the boot of a host and the container on it."""
    import hashlib
    import socket

    marks = [socket.gethostname()]
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            marks.append(file.read())
        marks.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        pass  # no Linux: the host's name must do
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:8]
