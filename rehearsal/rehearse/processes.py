"""The processes of a rehearsal: each with a log of its own, known to be ready before it is used, ended in the end."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rehearsal.errors import RehearsalError

ROOT = Path(__file__).resolve().parents[2]
_READY_SECONDS, _END_SECONDS = 60.0, 20.0
_PAUSE_SECONDS = 0.05
_LISTENS = re.compile(r"^(.+) listens on (\S+):(\d+)$", re.MULTILINE)


@dataclass(slots=True)
class Part:
    """A process of ours; `ports` are those that it said it listens on, by what it called them."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    ports: Mapping[str, int]

    @property
    def lives(self) -> bool:
        return self.process.poll() is None

    def end(self, seconds: float = _END_SECONDS) -> int:
        """Ask it to end, and end it when it does not within `seconds`; its exit code."""
        if self.lives:
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def kill(self) -> None:
        """As a machine that loses its power."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Processes:
    """Starts parts in sessions of their own, so that Ctrl-C reaches this process alone, which ends them in order."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self._logs = logs
        self._environment = dict(environment)
        self._parts: list[Part] = []

    def start(self, name: str, module: str, *arguments: str, listens: int = 0, **more: str) -> Part:
        """Start `python -m module`; it is ready when it has said of `listens` places that it listens there.

        `more` is added to its environment. Raises RehearsalError with the place of its log.
        """
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            begins = output.tell()  # one that is started again goes on in the same log
            process = subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env={**self._environment, **more},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        part = Part(name, process, log, {})
        self._parts.append(part)
        until = time.monotonic() + _READY_SECONDS
        while len(part.ports) < listens:
            time.sleep(_PAUSE_SECONDS)
            lived = part.lives  # before the log is read: what it said last is in it
            found = _LISTENS.findall(log.read_bytes()[begins:].decode(errors="replace"))
            part.ports = {what: int(port) for what, _, port in found}
            if len(part.ports) < listens and (not lived or time.monotonic() > until):
                why = "was not ready in time" if lived else f"ended with {process.returncode}"
                raise RehearsalError(f"{name} {why}", hint=f"its log is {log}")
        return part

    def check(self) -> None:
        """Raise RehearsalError when one has ended by itself; whoever ends one on purpose forgets it."""
        for part in self._parts:
            if not part.lives:
                raise RehearsalError(
                    f"{part.name} ended by itself with {part.process.returncode}", hint=f"its log is {part.log}"
                )

    def forget(self, part: Part) -> None:
        """It is meant to end, or has."""
        self._parts.remove(part)

    def close(self) -> None:
        """End all, the last one first."""
        while self._parts:
            self._parts.pop().end()


def run_command(name: str, log: Path, environment: Mapping[str, str], *command: str) -> str:
    """Run a command of the project to its end: what it printed. RehearsalError when it fails, which names its log."""
    with log.open("a+b") as output:
        done = subprocess.Popen(  # noqa: S603 - our own doors and modules
            [sys.executable, *command],
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
        )
        try:
            told, _ = done.communicate()
        except BaseException:
            done.terminate()
            done.wait()
            raise
        output.write(told)
    if done.returncode:
        raise RehearsalError(
            f"{name} failed with {done.returncode}: python {' '.join(command[:4])}", hint=f"its log is {log}"
        )
    return told.decode(errors="replace")
