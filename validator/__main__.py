"""The command line: `python -m validator --source DSN --target DSN [--table NAME …] [--json FILE]`.

Exit codes: 0 PASS, 1 FAIL, 2 wrong usage, 4 INCONCLUSIVE (also when a database cannot be reached).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from validator.arguments import parser
from validator.cards import hiding
from validator.catalog import Table
from validator.comparison import Options
from validator.endpoint import from_dsn
from validator.errors import UsageError
from validator.markdown import render_markdown
from validator.masking import Mask
from validator.page import render_page
from validator.progress import Progress
from validator.repair import repair_sql
from validator.report import lines
from validator.run import Request, run
from validator.settle import Patience
from validator.store import Folder, StoreError

EXIT_CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 4}
USAGE = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, print the report to stdout and progress to stderr; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        with Progress(sys.stderr) as progress:
            report = run(_request(options), progress)
        _write(report, options)
    except (UsageError, StoreError) as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("interrupted: nothing is proven", file=sys.stderr)
        return INTERRUPTED
    for problem in report["problems"]:
        print(f"error: {problem}", file=sys.stderr)
    if options.json != "-":
        print("\n".join(lines(report)))
    return EXIT_CODES[report["verdict"]]


def _request(options: argparse.Namespace) -> Request:
    if options.incremental and not options.state:
        raise UsageError("--incremental needs --state, the folder in which clean runs leave their mark")
    mask = Mask(tuple(options.card))
    return Request(
        source=from_dsn("source", options.source),
        target=from_dsn("target", options.target),
        schemas=tuple(options.schema),
        tables=tuple(options.table),
        jobs=options.jobs,
        options=Options(
            hash=options.hash,
            patience=Patience(options.settle, options.deadline or options.settle * 5),
            share=options.share,
            mask=lambda table: hiding(mask, table.schema, table.name),
        ),
        statement_seconds=options.statement_timeout,
        baselines=Folder(Path(options.state)) if options.state else None,
        incremental=options.incremental,
        marker=options.marker,
        marker_table=_table(options.marker_table),
        marker_seconds=options.marker_timeout,
        sequences=options.sequences,
        without_large_objects=options.without_large_objects,
    )


def _table(name: str) -> Table:
    schema, point, table = name.partition(".")
    if not point or not table:
        raise UsageError(f"--marker-table {name!r} is not schema.name")
    return Table(schema, table)


def _write(report: dict[str, Any], options: argparse.Namespace) -> None:
    written: tuple[tuple[str | None, Callable[[], str]], ...] = (
        (options.json, lambda: json.dumps(report, indent=1, ensure_ascii=False) + "\n"),
        (options.markdown, lambda: render_markdown(report)),
        (options.html, lambda: render_page(report)),
        (options.repair, lambda: repair_sql(report)),
    )
    for file, text in written:
        if file == "-":
            sys.stdout.write(text())
        elif file is not None:
            path = Path(file)
            Folder(path.parent).write_text(path.name, text(), "")


if __name__ == "__main__":
    sys.exit(main())
