"""Interruption: who stops the watching stops nothing else."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from settings.errors import UserError


class StoppedWatchingError(UserError):
    """Ctrl-C or SIGTERM ended the watching; the exit code is the one that shells give that signal."""

    code = "D012"


@contextmanager
def watching(stack_name: str, resume: str) -> Iterator[None]:
    """Tell of an interruption inside that the stack goes on, and how to come back to it.

    SIGTERM comes as the KeyboardInterrupt that the command line makes of it, with its number.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        error = StoppedWatchingError(
            f"stopped watching; {stack_name} goes on by itself, CloudFormation needs nobody to watch",
            hint=f"watch again: {resume}; roll an update back: {resume} --cancel",
        )
        error.exit_code = 128 + int(stop.args[0] if stop.args else signal.SIGINT)
        raise error from None
