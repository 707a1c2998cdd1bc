"""The processes that functions are invoked in: started when none waits, kept warm for the next invocation.

As Lambda keeps an execution environment: what a handler has imported and connected is there the next time. One whose
time was up, or that ended, is not used again. Unlike Lambda, which freezes it, a process that waits goes on with what
it does in the background; when the server is gone it sees its requests end, and ends.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

_RUNTIME = Path(__file__).parents[1] / "function_process.py"
# More than a pipe holds (64 KiB unless somebody made it larger), so that one read has all of it.
_CHUNK = 1 << 20
# All functions together: each that waits has some 40 MB. Lambda lets them wait for minutes too.
_MOST_WAITING, _IDLE_SECONDS = 24, 300.0
_lock = threading.Lock()
_all: set[Sandbox] = set()
_waiting: list[Sandbox] = []
_reaper: threading.Thread | None = None


class TimeIsUpError(Exception):
    """The invocation took longer than it may."""


class EndedError(Exception):
    """The process ended before it had answered."""


class Sandbox:
    """A process; `owner` says whose it is, `kind` what it can be used for, `printed` what its last invocation said."""

    def __init__(self, owner: str, kind: Hashable, environment: Mapping[str, str], code: Path) -> None:
        self.owner, self.kind = owner, kind
        self.printed = ""
        self.is_done = False  # it has said that it ends
        self.waits_since = 0.0
        receiver, self._sender = os.pipe()
        self._answers = os.fdopen(receiver, "rb", buffering=0)
        try:
            self._process = subprocess.Popen(  # noqa: S603  (the function's own code is what is to run)
                [sys.executable, str(_RUNTIME)],
                cwd=code,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                pass_fds=(self._sender,),
                start_new_session=True,
            )
        finally:
            os.close(self._sender)  # here; its number is what the process knows it by
        self._input, self._output = cast("BinaryIO", self._process.stdin), cast("BinaryIO", self._process.stdout)
        os.set_blocking(self._input.fileno(), False)

    @property
    def is_usable(self) -> bool:
        """Whether it waits: what can be read of its answers then is their end, or nobody's answer."""
        return not _is_readable(self._answers)

    def invoke(self, about: Mapping[str, Any], left: Callable[[], float]) -> tuple[str, bool]:
        """The answer, and whether it is an error; what is printed meanwhile is in `printed`.

        `left` tells the seconds until the time is up. Raises TimeIsUpError or EndedError, after which it is not to be
        used again.
        """
        request = memoryview(json.dumps({**about, "answer_descriptor": self._sender}).encode() + b"\n")
        printed, answered = bytearray(), bytearray()
        try:
            with selectors.DefaultSelector() as ready:
                ready.register(self._input, selectors.EVENT_WRITE)
                ready.register(self._output, selectors.EVENT_READ, printed)
                ready.register(self._answers, selectors.EVENT_READ, answered)
                while not answered.endswith(b"\n"):
                    if (seconds := left()) <= 0:
                        raise TimeIsUpError
                    for key, _ in ready.select(seconds):
                        if key.fileobj is self._input:
                            request = request[self._send(request) :]
                            if not request:
                                ready.unregister(self._input)
                        elif chunk := os.read(key.fd, _CHUNK):
                            key.data.extend(chunk)
                        elif key.fileobj is self._answers:
                            raise EndedError
                        else:
                            ready.unregister(self._output)
        finally:
            # What it printed before it answered or ended is here by now.
            if _is_readable(self._output):
                printed += os.read(self._output.fileno(), _CHUNK)
            self.printed = printed.decode(errors="replace")
        self.is_done = answered[1:2] == b"1"
        return answered[2:-1].decode(), answered[:1] == b"1"

    def _send(self, request: memoryview) -> int:
        """How much of it was taken; all where nobody reads any more, which the end of the answers tells as well."""
        try:
            return self._input.write(request) or 0
        except BrokenPipeError:
            return len(request)

    def kill(self) -> int:
        """End the process and whatever it has started; its exit code, its own one where it had ended by itself."""
        # EPERM: what macOS says of a group in which nobody lives.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()

    def end(self) -> int:
        """`kill` it, when nobody waits for an answer of it any more."""
        code = self.kill()
        for pipe in (self._input, self._output, self._answers):
            pipe.close()
        return code


def _is_readable(pipe: Any) -> bool:
    with selectors.DefaultSelector() as ready:
        ready.register(pipe, selectors.EVENT_READ)
        return bool(ready.select(0))


def take(owner: str, kind: Hashable, environment: Mapping[str, str], code: Path) -> Sandbox:
    """One of this kind that waits, or a new one; those of the same owner that are of another kind are ended."""
    with _lock:
        own = [one for one in _waiting if one.owner == owner]
        stale = [one for one in own if one.kind != kind or not one.is_usable]
        found = next((one for one in reversed(own) if one not in stale), None)
        _remove(stale)
        if found:
            _waiting.remove(found)
    for one in stale:
        one.end()
    if found is None:
        found = Sandbox(owner, kind, environment, code)
        with _lock:
            _all.add(found)
    return found


def give_back(sandbox: Sandbox) -> None:
    """It may be used again, if it does not end; where too many wait, the one that has waited longest is ended."""
    global _reaper  # noqa: PLW0603 - one for all of them
    if sandbox.is_done:
        discard(sandbox)
        return
    with _lock:
        sandbox.waits_since = time.monotonic()
        _waiting.append(sandbox)
        surplus = _waiting[:-_MOST_WAITING]
        _remove(surplus)
        if _reaper is None:
            _reaper = threading.Thread(target=_reap, name="idle functions", daemon=True)
            _reaper.start()
    for one in surplus:
        one.end()


def discard(sandbox: Sandbox) -> int:
    """It is not to be used again; its exit code."""
    with _lock:
        _all.discard(sandbox)
    return sandbox.end()


def end_waiting() -> None:
    """End those that wait."""
    with _lock:
        ending = list(_waiting)
        _remove(ending)
    for one in ending:
        one.end()


def end_all() -> None:
    """End those that wait and those that run; who waits for an answer of one is told that it has ended."""
    end_waiting()
    with _lock:
        running = list(_all)
    for one in running:
        one.kill()


def _reap() -> None:
    """End whoever has waited too long, until nobody waits."""
    global _reaper  # noqa: PLW0603 - as above
    while True:
        with _lock:
            if not _waiting:
                _reaper = None
                return
            idle = [one for one in _waiting if time.monotonic() - one.waits_since >= _IDLE_SECONDS]
            _remove(idle)
            pause = _waiting[0].waits_since + _IDLE_SECONDS - time.monotonic() if _waiting else 0.0
        for one in idle:
            one.end()
        time.sleep(max(pause, 0.0))


def _remove(sandboxes: list[Sandbox]) -> None:
    for one in sandboxes:
        _waiting.remove(one)
        _all.discard(one)
