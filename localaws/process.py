"""Find the embedded AWS, or start it: a detached server on this machine that later commands and tests share.

Nothing here imports moto, boto3 or an HTTP library: to find a running server is a file, a socket and a line of JSON.
A server that is being started holds the lock from before its parent began until its own end, so two `up` at once make
one server, and a parent that dies on the way leaves a server that the next `up` finds.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.errors import SavedStateError, StartError, UnresponsiveError
from localaws.loopback import adopt, environment, isolated, require_loopback, without_account
from localaws.record import Record, beside, locate, read_record, try_lock
from settings.errors import UserError

__all__ = [
    "Endpoint",
    "adopt",
    "ask",
    "environment",
    "find",
    "isolated",
    "require_loopback",
    "reset",
    "status",
    "stop",
    "up",
]

_CODE = Path(__file__).resolve().parents[1]
_START_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.05
_LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that answers; `started`: this call started it."""

    url: str
    pid: int
    started: bool = False


def find(root: Path, state: str | Path | None = None) -> Endpoint | None:
    """The running server of `root`, or None; UnresponsiveError when it lives but does not answer."""
    path = locate(root, state)
    record = read_record(path)
    if record is None:
        return None
    try:
        answers = _answers(record)
    except TimeoutError:
        # Whatever listens there now says nothing: it is the server only if the server lives.
        if _is_free(path):
            return None
        raise UnresponsiveError(
            f"the embedded AWS (process {record.pid}, {record.endpoint}) does not answer within {_ANSWER_SECONDS:g} s",
            hint=f"wait for what it is doing, or end it with `kill {record.pid}`; its log is {beside(path, '.log')}",
        ) from None
    return Endpoint(record.endpoint, record.pid) if answers else None


def up(root: Path, state: str | Path | None = None, *, seconds: float = _START_SECONDS) -> Endpoint:
    """The running server of `root`, started if there is none; it has restored the account that the last one saved.

    Raises StartError with the last lines of the server's log, UnresponsiveError when another holds the lock for
    `seconds` without ever answering.
    """
    path = locate(root, state)
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + seconds
    while True:
        if found := find(root, state):
            return found
        if (lock := try_lock(path)) is not None:
            try:
                return _start(path, lock, until)
            finally:
                os.close(lock)
        if time.monotonic() > until:
            raise UnresponsiveError(
                f"another process holds {beside(path, '.lock')}, but no server answered within {seconds:g} s",
                hint=f"see {beside(path, '.log')}; `fuser {beside(path, '.lock')}` names the process",
            )
        time.sleep(_POLL_SECONDS)


def stop(root: Path, state: str | Path | None = None, *, seconds: float = _STOP_SECONDS) -> bool:
    """End the server of `root` after it has saved its account; False when none was running."""
    path = locate(root, state)
    found = find(root, state)
    if found is None:
        return False
    ask(found.url, "POST", "/localaws/stop")
    until = time.monotonic() + seconds
    while not _is_free(path):
        if time.monotonic() > until:
            raise UnresponsiveError(
                f"the embedded AWS (process {found.pid}) has not ended within {seconds:g} s",
                hint=f"end it with `kill -9 {found.pid}`: what it had saved until now stays",
            )
        time.sleep(_POLL_SECONDS)
    _reap(found.pid)
    return True


def reset(root: Path, state: str | Path | None = None) -> None:
    """Empty the account of `root`: in the running server, and on disk."""
    if found := find(root, state):
        ask(found.url, "POST", "/localaws/reset")
    else:
        beside(locate(root, state), ".account").unlink(missing_ok=True)


def status(root: Path, state: str | Path | None = None) -> dict[str, Any] | None:
    """What the server of `root` says of itself (endpoint, pid, started, services in use), or None."""
    found = find(root, state)
    return ask(found.url, "GET", "/localaws/health") if found else None


def ask(endpoint: str, method: str, path: str, document: object = None, seconds: float = _STOP_SECONDS) -> Any:
    """One request to a server's own resources, and the document that it answers.

    TimeoutError or OSError where there is no answer, ValueError where it is no document, UserError for a refusal.
    """
    host, _, port = require_loopback(endpoint).removeprefix("http://").rpartition(":")
    body = b"" if document is None else json.dumps(document).encode()
    head = f"{method} {path} HTTP/1.0\r\nHost: {host}:{port}\r\nContent-Length: {len(body)}\r\n\r\n"
    until = time.monotonic() + seconds
    with socket.create_connection((host.strip("[]"), int(port)), timeout=seconds) as connection:
        connection.sendall(head.encode() + body)
        answer = bytearray()
        while chunk := connection.recv(1 << 16):
            answer += chunk
            if time.monotonic() > until:  # each wait is bounded by the socket; a trickle is not
                raise TimeoutError
    header, _, content = bytes(answer).partition(b"\r\n\r\n")
    version, _, code = header.partition(b" ")
    if not version.startswith(b"HTTP/"):
        raise ConnectionError(f"what answers at {endpoint} is no HTTP server")
    found = json.loads(content)
    if not code.startswith(b"200"):
        raise UnresponsiveError(str(found["message"]), hint=str(found["hint"]))
    return found


def _answers(record: Record) -> bool:
    """Whether the server that wrote `record` is the one that answers there."""
    try:
        found = ask(record.endpoint, "GET", "/localaws/health", seconds=_ANSWER_SECONDS)
    except TimeoutError:
        raise
    except (OSError, ValueError, LookupError, TypeError, UserError):
        return False  # nobody, or something else, has that port now; or the record names no endpoint of this machine
    return isinstance(found, dict) and found.get("token") == record.token


def _is_free(path: Path) -> bool:
    """Whether no server of `path` lives or starts."""
    lock = try_lock(path)
    if lock is None:
        return False
    os.close(lock)
    return True


def _start(path: Path, lock: int, until: float) -> Endpoint:
    """Start a server that inherits `lock` and wait, to the monotonic time `until`, for its word that it is ready."""
    import subprocess  # not needed to find a server

    receiver, sender = os.pipe()
    log = os.open(beside(path, ".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    command = [sys.executable, "-m", "localaws.server", "--state", str(path)]
    command += ["--lock-descriptor", str(lock), "--ready-descriptor", str(sender)]
    try:
        server = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
            command,
            cwd=_CODE,
            env=without_account(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock, sender),
            start_new_session=True,
        )
    finally:
        os.close(log)
        os.close(sender)
    with open(receiver, encoding="utf-8") as words:
        ready, _, _ = select.select([receiver], [], [], max(until - time.monotonic(), 0))
        word = words.readline() if ready else ""
    if not word:
        server.kill()
        code = server.wait()
        why = f"ended with {code}" if ready else "was not ready in time"
        raise StartError(
            [f"the embedded AWS (process {server.pid}) {why}; its log ends with", *_tail(beside(path, ".log"))],
            hint=f"the whole log is {beside(path, '.log')}",
        )
    said = json.loads(word)
    if "problem" in said:
        server.wait()
        refused = SavedStateError if said["kind"] == "SavedStateError" else StartError
        raise refused(said["problem"], hint=said["hint"])
    server.returncode = 0  # it outlives this process, and is nobody's to wait for: no warning, no later poll
    return Endpoint(said["endpoint"], server.pid, started=True)


def _tail(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]


def _reap(pid: int) -> None:
    """Take the exit code of a server that was started by this very process; another's is its own parent's."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return
