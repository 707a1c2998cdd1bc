"""The compiler's door: arguments → compiler → exit code. See `python build.py --help`."""

from __future__ import annotations

import gc
import os
import sys

from compiler.command import main

TYPE_CHECKING = False  # as type checkers know it; importing `typing` costs more than everything else here
if TYPE_CHECKING:
    from contract.stack import System
    from settings.model import Settings


def design(settings: Settings) -> System:
    """The tree of an environment; troposphere is loaded only when there is something to compile."""
    from templates.root import system

    return system(settings)


if __name__ == "__main__":
    gc.disable()  # a process that ends in seconds gains nothing from collecting, and a compile a twentieth from not
    sys.exit(main(sys.argv[1:], os.path.dirname(os.path.abspath(__file__)), design))
