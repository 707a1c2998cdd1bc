"""The compiler's command line: arguments → request → build → what is printed → exit code.

Modules that cost start-up time are imported where they are used: `--help`, usage errors and a build that has nothing to
do load neither troposphere nor the linter.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from compiler.stamp import Stamp, contents_digest, inputs_signature
from settings.errors import UsageError, UserError

TYPE_CHECKING = False  # as type checkers know it; importing `typing` for it would double the start-up time
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import NoReturn

    from compiler.pipeline import Built
    from contract.stack import System
    from settings.model import Settings

DESCRIPTION = """\
Compile the payment system of one environment to linked, lint-clean CloudFormation templates in out/<suffix>/.
Nothing is written unless all of it is good."""

EPILOG = """\
examples:
  python build.py --env dev                                   compile, lint, write out/dev/
  python build.py --env dev --suffix pr-123 --set tags.pr_number=123
  python build.py --env prod --today 2027-03-01               what would have reached its end of support by then?
  python build.py --env dev --diagram                         also out/dev/architecture.svg and dependencies.svg
  python build.py versions                                    engine and runtime versions in use, and their dates
  python build.py versions --live                             ask AWS, and propose changes to params/lifecycle.yaml

exit codes: 0 done, 1 found something (nothing was written), 2 wrong usage or params"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal; argparse would import shutil to ask, and does so for every option added."""

    def __init__(self, prog: str) -> None:
        try:
            width = os.get_terminal_size().columns
        except OSError:
            width = 100
        super().__init__(prog, width=max(width - 2, 60))


class _Parser(argparse.ArgumentParser):
    """Usage errors in the project's own form."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, hint=f"see: python {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="build.py",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=_Help,
        allow_abbrev=False,
    )
    parser.add_argument("command", nargs="?", choices=("build", "versions"), default="build", help=argparse.SUPPRESS)
    parser.add_argument("--env", metavar="ENV", help="environment: params/ENV.yaml over params/base.yaml")
    parser.add_argument(
        "--suffix", metavar="S", help="suffix of every name (default: $ENVIRONMENT_SUFFIX, then ENV); parallel copies"
    )
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], help="set a tag known only now: tags.pr_number=123"
    )
    parser.add_argument("--out", metavar="DIR", default="out", help="folder of builds (default: out)")
    parser.add_argument("--diagram", action="store_true", help="also draw the compiled system as SVG")
    parser.add_argument("--sarif", metavar="FILE", help="write findings as SARIF, for code scanning")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--jobs", metavar="N", type=int, default=os.cpu_count() or 1, help="processes that lint")
    parser.add_argument("--no-cache", action="store_true", help="compile and lint everything anew")
    parser.add_argument("--today", metavar="DATE", help="judge support dates as of this day (YYYY-MM-DD)")
    versions = parser.add_argument_group("versions")
    versions.add_argument("--live", action="store_true", help="ask AWS, print a diff of params/lifecycle.yaml")
    versions.add_argument("--write", action="store_true", help="with --live: apply the diff")
    return parser


def main(arguments: list[str], root: str, design: Callable[[Settings], System]) -> int:
    """Run one command; returns the exit code. `root` is the repository, `design` makes the tree of an environment."""
    try:
        options = _parser().parse_args(arguments)
        _check(options)
        return _versions(options, root) if options.command == "versions" else _build(options, root, design)
    except UserError as error:
        print("\n".join(f"error: {problem}" for problem in error.problems), file=sys.stderr)
        if error.hint:
            print(f"next: {error.hint}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; the previous build is untouched", file=sys.stderr)
        return 130


def _check(options: argparse.Namespace) -> None:
    if options.today is not None:
        try:
            time.strptime(options.today, "%Y-%m-%d")
        except ValueError:
            raise UsageError(f"--today {options.today}: not a date", hint="write it as YYYY-MM-DD") from None
    if options.jobs < 1:
        raise UsageError(f"--jobs {options.jobs}: at least one process is needed", hint="leave --jobs out")
    if options.write and not options.live:
        raise UsageError("--write goes with --live", hint="python build.py versions --live --write")
    if options.command == "build" and options.live:
        raise UsageError("--live belongs to versions", hint="python build.py versions --live")
    if options.command == "build" and not options.env:
        raise UsageError("--env is missing", hint="python build.py --env dev")


def _build(options: argparse.Namespace, root: str, design: Callable[[Settings], System]) -> int:
    suffix = options.suffix or os.environ.get("ENVIRONMENT_SUFFIX") or options.env
    today = options.today or time.strftime("%Y-%m-%d")
    words = [options.env, suffix, today, options.out, *sorted(options.set)]
    stamp = Stamp(
        os.path.join(root, options.out, f".stamp-{os.path.basename(suffix)}"), os.path.join(root, options.out, suffix)
    )
    signature = inputs_signature(root, words)
    if not (options.no_cache or options.json or options.sarif):
        printed = stamp.read(signature, lambda: _digest(contents_digest(root), words), pictured=options.diagram)
        if printed is not None:
            print(f"{printed}\n\nunchanged  nothing to build, {os.path.join(options.out, suffix)} is current")
            return 0
    contents = contents_digest(root)  # as they are before the build reads them
    from pathlib import Path  # from here on there is work to do, and time for imports

    from compiler.pipeline import build
    from compiler.request import Request

    request = Request(
        root=Path(root),
        env=options.env,
        suffix=options.suffix,
        today=today,
        out=Path(root, options.out),
        environment_suffix=os.environ.get("ENVIRONMENT_SUFFIX"),
        overrides=_overrides(options.set),
        jobs=options.jobs,
        cached=not options.no_cache,
        diagram=options.diagram,
        contents=contents,
    )
    built = build(request, design)
    if options.sarif:
        _write_sarif(Path(options.sarif), built, request.root)
    summary = _print(options, built)
    if not built.findings:
        stamp.write(signature, _digest(contents, words), summary, pictured=options.diagram)
    return 1 if built.findings else 0


def _digest(contents: str, words: list[str]) -> str:
    """One line for all inputs of a build, files and words."""
    return repr((contents, words))


def _overrides(pairs: list[str]) -> dict[str, str]:
    overrides = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--set {pair}: KEY=VALUE is wanted", hint="for example: --set tags.pr_number=123")
        overrides[key] = value
    return overrides


def _print(options: argparse.Namespace, built: Built) -> str:
    """Print the result; returns the part that a build of the same inputs would print again."""
    from compiler.summary import render_findings, render_outcome, render_summary

    summary = render_summary(built)
    if options.json:
        import json

        document = {
            "manifest": built.compiled.manifest,
            "findings": [finding.to_json() for finding in built.findings],
            "written": None if built.findings else str(built.folder),
        }
        print(json.dumps(document, indent=1, sort_keys=True))
    elif built.findings:
        print(render_findings(built.findings))
    else:
        print(f"{summary}\n\n{render_outcome(built)}")
    return summary


def _write_sarif(path: Path, built: Built, root: Path) -> None:
    from compiler.manifest import canonical_json
    from compiler.sarif import sarif_document

    try:
        path.write_text(canonical_json(sarif_document(built.findings, root)))
    except OSError as error:
        raise UsageError(f"--sarif {path}: {error.strerror}", hint="name a file in a folder that exists") from error


def _versions(options: argparse.Namespace, root: str) -> int:
    import datetime as dt
    from pathlib import Path

    from compiler import versions
    from settings.load import environments, load

    params = Path(root, "params")
    used = {env: load(params, env, None, {}) for env in ([options.env] if options.env else environments(params))}
    today = dt.date.fromisoformat(options.today or time.strftime("%Y-%m-%d"))
    return versions.run(used, params, today, sys.stdout, as_json=options.json, live=options.live, write=options.write)
