"""What the command line takes."""

from __future__ import annotations

import argparse
import re


def parser() -> argparse.ArgumentParser:
    """The parser; `--help` says all of it."""
    made = argparse.ArgumentParser(
        prog="python -m validator",
        description="Prove that two PostgreSQL databases hold the same rows, or say exactly which differ.",
        epilog="Exit codes: 0 PASS, 1 FAIL, 2 wrong usage, 4 INCONCLUSIVE. Passwords are best given as PGPASSWORD.",
    )
    made.add_argument("--source", required=True, metavar="DSN", help="postgresql://user@host:5432/name?sslmode=…")
    made.add_argument("--target", required=True, metavar="DSN", help="the same, of the database that must be equal")
    made.add_argument(
        "--table", action="append", default=[], metavar="NAME", help="this one only, name or schema.name; repeatable"
    )
    made.add_argument("--schema", action="append", default=[], metavar="NAME", help="this schema only; repeatable")
    made.add_argument(
        "--sequences",
        action="store_true",
        help="the target's sequences must have been set, too: after the cutover's step",
    )
    made.add_argument(
        "--without-large-objects", action="store_true", help="leave large objects out, which are never compared"
    )
    _add_output(made)
    _add_load(made)
    _add_live(made)
    return made


def _add_output(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("report")
    group.add_argument("--json", metavar="FILE", help="as JSON; - is stdout, instead of the table")
    group.add_argument("--markdown", metavar="FILE", help="as Markdown")
    group.add_argument("--html", metavar="FILE", help="as one page")
    group.add_argument(
        "--repair", metavar="FILE", help="SQL that would make the target equal; it is never executed here"
    )
    group.add_argument(
        "--card",
        action="append",
        default=[],
        metavar="COLUMN",
        help="holds card data, values are masked: column, table.column or schema.table.column; repeatable",
    )


def _add_load(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("load on the databases")
    group.add_argument("--jobs", type=_count, default=4, metavar="N", help="connections to each side (default: 4)")
    group.add_argument(
        "--share", type=_share, default=1.0, metavar="X", help="of its time that a connection may keep the source busy"
    )
    group.add_argument(
        "--statement-timeout",
        type=_seconds,
        default=0,
        metavar="SECONDS",
        help="cut in two what takes longer in one statement (default: never)",
    )
    group.add_argument(
        "--hash", choices=("auto", "fast", "md5"), default="auto", help="fast: 64 bits, PostgreSQL 11 on; md5: 128 bits"
    )


def _add_live(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("while writes go on")
    group.add_argument(
        "--settle",
        type=_seconds,
        default=0,
        metavar="SECONDS",
        help="the greatest lag of replication: rows that differ are watched for longer (default: 0, no writes)",
    )
    group.add_argument(
        "--deadline", type=_seconds, default=0, metavar="SECONDS", help="of that watch (default: five times --settle)"
    )
    group.add_argument("--state", metavar="DIR", help="where clean runs leave their mark")
    group.add_argument(
        "--incremental", action="store_true", help="only what changed since the last clean run in --state"
    )
    group.add_argument("--marker", metavar="ID", help="wait until the target has this marker, then compare")
    group.add_argument(
        "--marker-table", default="cutover.marker", metavar="NAME", help="where markers are (default: cutover.marker)"
    )
    group.add_argument("--marker-timeout", type=_seconds, default=60, metavar="SECONDS", help="(default: 60)")


def _seconds(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return int(text)


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 99")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share above 0, up to 1")
    return share
