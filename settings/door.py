"""What every command line of the project does alike: its help, its usage errors, and how a failure ends the process."""

from __future__ import annotations

import argparse
import io
import os
import sys

from settings.errors import UsageError, UserError

TYPE_CHECKING = False  # as type checkers know it; importing `typing` for it would double the start-up time
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

_SIGINT = 2
_STDOUT = 1
_READER_GONE = 141  # what a shell reports of a program that SIGPIPE ended, as `| head -1` does


class Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal; argparse would import shutil to ask, and does so for every option added."""

    def __init__(self, prog: str) -> None:
        try:
            width = os.get_terminal_size().columns
        except OSError:
            width = 100
        super().__init__(prog, width=max(width - 2, 60))


class Parser(argparse.ArgumentParser):
    """Usage errors in the project's own form."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"see: python {self.prog} --help")


def answer(run: Callable[[], int], interrupted: str) -> int:
    """Run a command and tell how it failed; the exit code. `interrupted` is what an interruption leaves."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that has no "→" is no reason to fail
    try:
        code = run()
        print(end="", flush=True)  # here, where a failure can still be told
    except UserError as error:
        return _tell(error)
    except ModuleNotFoundError as error:
        from settings.packages import missing_package

        missing = missing_package(error)
        if missing is None:
            raise
        return _tell(missing)
    except KeyboardInterrupt as stop:
        print(interrupted, file=sys.stderr)
        return 128 + int(stop.args[0] if stop.args else _SIGINT)
    except OSError as error:
        # Once more for nobody: the interpreter flushes at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), _STDOUT)
        if isinstance(error, BrokenPipeError):
            return _READER_GONE
        print(f"error: {error.filename or 'standard output'}: {error.strerror or error}", file=sys.stderr)
        return 1
    return code


def _tell(error: UserError) -> int:
    print("\n".join(f"error: {problem}" for problem in error.problems), file=sys.stderr)
    if error.hint:
        print(f"next: {error.hint}", file=sys.stderr)
    return error.exit_code


def interrupt(number: int, _: object) -> NoReturn:
    """A handler of SIGTERM that ends as Ctrl-C does: whoever sends it (CI, a supervisor) asks for the same."""
    raise KeyboardInterrupt(number)
