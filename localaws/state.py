"""The account on disk: one file, written whole or not at all, that only the version that wrote it reads.

A line of JSON says what wrote it and the SHA-256 of what follows; then comes what localaws/pickling.py makes of moto
and the control plane. Unpickling runs code, so a file that somebody else could have written is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from localaws.errors import SavedStateError

# Raised whenever what localaws itself keeps changes its form.
VERSION = 2
_HINT = "start with an empty account: `python deploy.py local reset`, then the same command again"


def write_account(path: Path, extra: dict[str, Any]) -> int:
    """Save the account, and `extra` with it; the answer is the number of bytes.

    Raises SavedStateError for what cannot be written; what was saved before stays.
    """
    from localaws import pickling

    try:
        data, services = pickling.dump(extra)
    except pickling.UnsavableError as problem:
        raise SavedStateError(
            f"the account cannot be saved: {problem}",
            hint="it lives as long as its server; localaws/pickling.py lists what is written in another form",
        ) from problem
    head = {**_versions(), "services": services, "sha256": hashlib.sha256(data).hexdigest()}
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(json.dumps(head).encode() + b"\n")
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    draft.replace(path)
    return len(data)


def read_account(path: Path) -> dict[str, Any] | None:
    """Restore the account; the answer is its `extra`, or None when nothing was saved.

    Raises SavedStateError for a file that is damaged, of another version, or writable by others.
    """
    try:
        with open(path, "rb") as file:
            _check_owner(path, os.fstat(file.fileno()))
            line, data = file.readline(), file.read()
    except FileNotFoundError:
        return None
    try:
        head = json.loads(line)
        written = {name: head[name] for name in _versions()}
        whole = hashlib.sha256(data).hexdigest() == head["sha256"]
    except (ValueError, LookupError, TypeError):
        raise SavedStateError(f"{path} is no saved account", hint=_HINT) from None
    if not whole:
        raise SavedStateError(f"{path} is damaged: it is not what its first line says", hint=_HINT)
    if written != _versions():
        changed = [f"{name} {written[name]}, here {now}" for name, now in _versions().items() if written[name] != now]
        raise SavedStateError(f"{path} was written by another version: {'; '.join(changed)}", hint=_HINT)
    return _load(path, head["services"], data)


def _load(path: Path, services: list[str], data: bytes) -> dict[str, Any]:
    from localaws import pickling, shims

    for module in services:
        shims.apply(module.split(".")[1])
    try:
        return pickling.load(data)
    except Exception as problem:  # whatever the classes of today say to the objects of then
        raise SavedStateError(f"{path} cannot be restored: {problem!r}", hint=_HINT) from problem


def _versions() -> dict[str, str]:
    return {
        "localaws": str(VERSION),
        "moto": metadata.version("moto"),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def _check_owner(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & (stat.S_IWGRP | stat.S_IWOTH):
        raise SavedStateError(
            f"{path} belongs to somebody else or is writable by others, and reading it would run what they wrote",
            hint=f"remove it, or take it over: chown and chmod 600 {path}",
        )
