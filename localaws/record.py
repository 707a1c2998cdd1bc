"""What a running server leaves for others to find it: one small JSON file, and a lock held for as long as it lives.

The record says where the server is, the lock whether it is: it is the operating system that lets go of a lock when its
holder ends, however it ends, so a record that outlived its server cannot be taken for a server. Beside STATE.json stand
STATE.lock, STATE.log and STATE.account (the saved account).
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

STATE_VARIABLE = "LOCALAWS_STATE"
_DEFAULT = Path(".cache", "localaws", "state.json")


@dataclass(frozen=True, slots=True)
class Record:
    """A server: `token` is its own random word, by which it is told from whatever else answers on that port later."""

    pid: int
    endpoint: str
    started: str
    token: str


def locate(root: Path, state: str | Path | None = None) -> Path:
    """The absolute path of the record: `state`, else $LOCALAWS_STATE, else the one below `root`'s cache."""
    return (root / (state or os.environ.get(STATE_VARIABLE) or _DEFAULT)).absolute()


def beside(path: Path, suffix: str) -> Path:
    """The file of the same server with another suffix: ".lock", ".log", ".account"."""
    return path.with_suffix(suffix)


def read_record(path: Path) -> Record | None:
    """The record at `path`; None when there is none, or what is there is no record (half written, of another tool)."""
    try:
        found = json.loads(path.read_bytes())
        record = Record(**found)
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None
    kinds = (type(record.pid), type(record.endpoint), type(record.started), type(record.token))
    return record if kinds == (int, str, str, str) else None


def write_record(path: Path, record: Record) -> None:
    """Write it so that a reader sees all of it or none."""
    draft = path.with_suffix(f".{os.getpid()}.draft")
    draft.write_text(json.dumps(asdict(record)) + "\n", encoding="utf-8")
    draft.replace(path)


def try_lock(path: Path) -> int | None:
    """The descriptor that holds the lock of the server of `path`; None when a server, or one that starts, holds it.

    The lock belongs to the open file, not to the process: a child that inherits the descriptor holds it too.
    """
    descriptor = os.open(beside(path, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
