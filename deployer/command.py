"""The deployer's command line: arguments → verb → exit code.

The verb is the first word, `up` where there is none; each has a parser of its own, so that `--help` shows what applies
and an option that would do nothing is an error. Modules that cost start-up time are imported where they are used.
"""

from __future__ import annotations

from deployer.arguments import VERBS, parse, usage
from settings.door import answer, interrupt


def main(arguments: list[str], root: str) -> int:
    """Run one verb; returns the exit code. `root` is the repository."""
    return answer(lambda: _run(arguments, root), "interrupted")


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

    signal.signal(signal.SIGTERM, interrupt)
    return int(importlib.import_module(f"deployer.verbs.{verb}").run(options, root))
