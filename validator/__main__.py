"""The command line: `python -m validator --source DSN --target DSN [--table NAME …] [--json FILE]`.

Exit codes: 0 PASS, 1 FAIL, 2 wrong usage, 4 INCONCLUSIVE (also when a database cannot be reached).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from validator.catalog import Listing, Table
from validator.compare import Sides, compare_table, list_both
from validator.endpoint import Endpoint, from_dsn
from validator.errors import UsageError, ValidatorError
from validator.report import lines, printable, summarise

EXIT_CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 4}
USAGE = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print the report to stdout and progress to stderr; returns the exit code."""
    options = _parser().parse_args(arguments)
    run_id = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    try:
        endpoints = from_dsn("source", options.source), from_dsn("target", options.target)
        report = _run(run_id, endpoints, options)
        _write(report, options.json)
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("interrupted: nothing is proven", file=sys.stderr)
        return INTERRUPTED
    if options.json != "-":
        print("\n".join(lines(report)))
    return EXIT_CODES[report["verdict"]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m validator",
        description="Compare every table of two PostgreSQL databases: counts, and checksums of all rows.",
        epilog="Exit codes: 0 PASS, 1 FAIL, 2 wrong usage, 4 INCONCLUSIVE. Passwords are best given as PGPASSWORD.",
    )
    parser.add_argument("--source", required=True, metavar="DSN", help="postgresql://user@host:5432/name?sslmode=…")
    parser.add_argument("--target", required=True, metavar="DSN", help="the same, of the database that must be equal")
    parser.add_argument(
        "--table",
        action="append",
        default=[],
        metavar="NAME",
        help="compare this one only, name or schema.name; repeatable",
    )
    parser.add_argument(
        "--schema", action="append", default=[], metavar="NAME", help="compare this schema only; repeatable"
    )
    parser.add_argument(
        "--json", metavar="FILE", help="write the report as JSON too; - is stdout, instead of the table"
    )
    parser.add_argument(
        "--statement-timeout",
        type=_seconds,
        default=0,
        metavar="SECONDS",
        help="give a table up after this long (default: never)",
    )
    return parser


def _seconds(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return int(text)


def _run(run_id: str, endpoints: tuple[Endpoint, Endpoint], options: argparse.Namespace) -> dict[str, Any]:
    results: list[dict[str, Any]] = []
    skipped: list[dict[str, Any]] = []
    problem = ""
    try:
        with Sides(*endpoints, options.statement_timeout) as sides:
            source, target = list_both(sides, options.schema)
            skipped = _left_out(source, target)
            tables = _chosen(sorted(source.tables | target.tables), options.table)
            for place, table in enumerate(tables, start=1):
                began = time.monotonic()
                result = compare_table(sides, table).document()
                results.append(result)
                seconds = time.monotonic() - began
                line = f"[{place}/{len(tables)}] {table} {result['verdict']} {seconds:.1f} s"
                print(printable(line), file=sys.stderr)
    except UsageError:
        raise
    except ValidatorError as error:
        problem = str(error)
        print(f"error: {problem}", file=sys.stderr)
    return summarise(run_id, results, skipped=skipped, problem=problem)


def _left_out(source: Listing, target: Listing) -> list[dict[str, Any]]:
    return [
        {"schema": item.schema, "name": item.name, "kind": item.kind}
        for item in sorted(source.skipped | target.skipped)
    ]


def _chosen(tables: list[Table], names: list[str]) -> list[Table]:
    """The tables that the names mean, all when there are none."""
    chosen = [table for table in tables if not names or table.name in names or str(table) in names]
    known = {name for table in chosen for name in (table.name, str(table))}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"neither database has a table {', '.join(unknown)}", hint="write name or schema.name")
    return chosen


def _write(report: dict[str, Any], file: str | None) -> None:
    if file is None:
        return
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    if file == "-":
        sys.stdout.write(text)
        return
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from None


if __name__ == "__main__":
    sys.exit(main())
