"""The deployer's command line: arguments → verb → exit code.

The verb is the first word, `up` where there is none; each has a parser of its own, so that `--help` shows what applies
and an option that would do nothing is an error. Modules that cost start-up time are imported where they are used.
"""

from __future__ import annotations

import io
import os
import sys

from deployer.arguments import VERBS, parse, usage
from settings.errors import UserError

TYPE_CHECKING = False  # as type checkers know it; importing `typing` for it would double the start-up time
if TYPE_CHECKING:
    from typing import NoReturn

_SIGINT = 2
_STDOUT = 1
_READER_GONE = 141  # what a shell reports of a program that SIGPIPE ended, as `| head -1` does


def main(arguments: list[str], root: str) -> int:
    """Run one verb; returns the exit code. `root` is the repository."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that has no "→" is no reason to fail
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")
    try:
        code = _run(arguments, root)
        print(end="", flush=True)  # here, where a failure can still be told
    except UserError as error:
        print("\n".join(f"error: {problem}" for problem in error.problems), file=sys.stderr)
        if error.hint:
            print(f"next: {error.hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as stop:
        print("interrupted", file=sys.stderr)
        return 128 + int(stop.args[0] if stop.args else _SIGINT)
    except OSError as error:
        # Once more for nobody: the interpreter flushes at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STDOUT)
        if isinstance(error, BrokenPipeError):
            return _READER_GONE
        print(f"error: {error.filename or 'standard output'}: {error.strerror or error}", file=sys.stderr)
        return 1
    return code


def _run(arguments: list[str], root: str) -> int:
    if arguments[:1] in (["--help"], ["-h"]):
        print(usage())
        return 0
    verb, rest = (arguments[0], arguments[1:]) if arguments and arguments[0] in VERBS else ("up", arguments)
    options = parse(verb, rest)
    if options is None:  # its help has been printed
        return 0
    import importlib
    import signal

    signal.signal(signal.SIGTERM, _stop)
    return int(importlib.import_module(f"deployer.verbs.{verb}").run(options, root))


def _stop(number: int, _: object) -> NoReturn:
    """End as Ctrl-C does: whoever sends SIGTERM (CI, a supervisor) asks for the same."""
    raise KeyboardInterrupt(number)
