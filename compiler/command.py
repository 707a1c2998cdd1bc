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
from settings.door import Help, Parser, answer, interrupt
from settings.errors import UsageError

TYPE_CHECKING = False  # as type checkers know it; importing `typing` for it would double the start-up time
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="build.py",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=Help,
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
    parser.add_argument("--out", metavar="DIR", help="folder of builds (default: out/ beside build.py)")
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
    return answer(lambda: _run(arguments, root, design), "interrupted; the previous build is untouched")


def _run(arguments: list[str], root: str, design: Callable[[Settings], System]) -> int:
    try:
        options = _parser().parse_args(arguments)
    except SystemExit:  # --help
        return 0
    _check(options)
    return _versions(options, root) if options.command == "versions" else _build(options, root, design)


def _check(options: argparse.Namespace) -> None:
    builds = options.command == "build"
    of_builds = ("suffix", "set", "out", "diagram", "sarif", "no_cache")
    surplus = ", ".join(f"--{name.replace('_', '-')}" for name in of_builds if getattr(options, name))
    no_date = options.today is not None and not _is_date(options.today)
    no_file = options.sarif is not None and not _can_be_file(options.sarif)
    without_docstrings = sys.flags.optimize > 1  # they are what the descriptions of wires in the templates say
    faults = (
        (without_docstrings, "python -OO would build other bytes", "leave out -OO, unset PYTHONOPTIMIZE"),
        (no_date, f"--today {options.today}: not a date", "write it as YYYY-MM-DD"),
        (options.jobs < 1, f"--jobs {options.jobs}: at least one process is needed", "leave --jobs out"),
        (options.out == "", "--out names no folder", "leave it out, or name one"),
        (no_file, f"--sarif {options.sarif}: no such file can be", "name a file in a folder that exists"),
        (options.write and not options.live, "--write goes with --live", "python build.py versions --live --write"),
        (builds and options.live, "--live belongs to versions", "python build.py versions --live"),
        (builds and not options.env, "--env is missing", "python build.py --env dev"),
        (not builds and surplus, f"{surplus}: of no use to versions", "python build.py versions [--env ENV]"),
    )
    for wrong, message, hint in faults:
        if wrong:
            raise UsageError(message, hint=hint)


def _can_be_file(path: str) -> bool:
    folder, name = os.path.split(path)
    return bool(name) and not os.path.isdir(path) and os.path.isdir(folder or os.curdir)


def _is_date(text: str) -> bool:
    import datetime as dt

    try:
        return dt.date.fromisoformat(text).isoformat() == text  # which leaves out 20261124 and 2026-W48-2
    except ValueError:
        return False


def _build(options: argparse.Namespace, root: str, design: Callable[[Settings], System]) -> int:
    suffix = options.suffix
    if suffix is None:
        suffix = os.environ.get("ENVIRONMENT_SUFFIX") or options.env
    clock = time.strftime("%Y-%m-%d")  # by which cfn-lint judges, whatever --today says
    today = options.today or clock
    out = os.path.join(root, "out") if options.out is None else os.path.abspath(options.out)
    overrides = _overrides(options.set)
    words = [options.env, suffix, today, clock, *(f"{key}={value}" for key, value in sorted(overrides.items()))]
    stamp = Stamp(os.path.join(out, f".stamp-{os.path.basename(suffix)}"), os.path.join(out, suffix))
    signature = inputs_signature(root, words)
    if not (options.no_cache or options.json or options.sarif is not None):
        printed = stamp.read(signature, lambda: _digest(contents_digest(root), words), pictured=options.diagram)
        if printed is not None:
            print(f"{printed}\n\nunchanged  nothing to build, {os.path.join(options.out or 'out', suffix)} is current")
            return 0
    contents = contents_digest(root)  # as they are before the build reads them
    import signal  # from here on there is work to do, and time for imports
    from pathlib import Path

    from settings.packages import require

    require("yaml", "troposphere", "awacs", "cfnlint")  # here, for where they are missing is not where it shows
    from compiler.pipeline import build
    from compiler.request import Request

    signal.signal(signal.SIGTERM, interrupt)
    request = Request(
        root=Path(root),
        env=options.env,
        suffix=options.suffix,
        today=today,
        out=Path(out),
        environment_suffix=os.environ.get("ENVIRONMENT_SUFFIX"),
        overrides=overrides,
        jobs=options.jobs,
        cached=not options.no_cache,
        diagram=options.diagram,
        contents=contents,
    )
    built = build(request, design)
    if options.sarif is not None:
        _write_sarif(Path(options.sarif), built, request.root)
    summary = _print(options, built)
    if built.findings:
        return 1
    if inputs_signature(root, words) == signature:  # else somebody edited them meanwhile, and who knows what was read
        stamp.write(signature, _digest(contents, words), built.compiled.files, summary, pictured=options.diagram)
    return 0


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
    from compiler.canonical import canonical_json
    from compiler.sarif import sarif_document

    try:
        path.write_text(canonical_json(sarif_document(built.findings, root)), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--sarif {path}: {error.strerror}", hint="name a file that can be written") from error


def _versions(options: argparse.Namespace, root: str) -> int:
    import datetime as dt
    from pathlib import Path

    from compiler import versions
    from settings.load import environments, load

    params = Path(root, "params")
    used = {env: load(params, env, None, {}) for env in ([options.env] if options.env else environments(params))}
    today = dt.date.fromisoformat(options.today or time.strftime("%Y-%m-%d"))
    return versions.run(used, params, today, sys.stdout, as_json=options.json, live=options.live, write=options.write)
