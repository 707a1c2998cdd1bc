"""The command line: `python -m cutover readiness | schema | users | sequences | empty`, each with --help.

And what a person decides of a cutover: `start | status | approve | reject | go-back | resume` (cutover/decisions.py).

Exit codes: 0 done, 1 found something or refused, 2 wrong usage, 4 something could not be read or reached.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from cutover import decisions, emptying, passwords, schema, sequences, users
from cutover.database import connected
from cutover.errors import ProgramError, RefusedError
from cutover.names import choose_schemas, roles_of
from cutover.readiness import findings
from cutover.readiness.report import examine
from validator.endpoint import from_dsn
from validator.errors import UsageError, ValidatorError

DONE, REFUSED, USAGE, UNREAD, INTERRUPTED = 0, 1, 2, 4, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one command; data goes to stdout, what is said about it to stderr. Returns the exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except UsageError as error:
        return _stopped(error, USAGE)
    except (RefusedError, ProgramError) as error:
        return _stopped(error, REFUSED)
    except ValidatorError as error:
        return _stopped(error, UNREAD)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _stopped(error: ValidatorError, code: int) -> int:
    print(f"error: {error}", file=sys.stderr)
    return code


# --- the commands ----------------------------------------------------------------------------------------------------
def _readiness(options: argparse.Namespace) -> int:
    roles = roles_of(options.system)
    endpoint = from_dsn("source", options.source)
    there = from_dsn("target", options.target) if options.target else None
    with connected(endpoint, read_only=True, name="cutover readiness") as source:
        chosen = choose_schemas(source, options.schema)
        limits = {"interval_seconds": options.interval, "long_seconds": options.long_transaction}
        if there is None:
            found = examine(source, None, chosen, roles, **limits)
        else:
            with connected(there, read_only=True, name="cutover readiness") as target:
                found = examine(source, target, chosen, roles, **limits)
        version = source.version
    report = findings.as_json(found, {"source": str(endpoint), "version": version, "schemas": chosen})
    if options.json == "-":
        sys.stdout.write(report)
    else:
        if options.json:
            _write(options.json, report)
        print("\n".join(findings.lines(found, everything=options.all)))
    return findings.exit_code(found)


def _schema(options: argparse.Namespace) -> int:
    endpoints = from_dsn("source", options.source), from_dsn("target", options.target)
    without = options.without_extension
    with connected(endpoints[0], read_only=True) as source, connected(endpoints[1], read_only=True) as target:
        lacking = schema.lacking(source, target, without)
        if lacking:
            print("\n".join(findings.lines(lacking, everything=True)), file=sys.stderr)
        if findings.exit_code(lacking) != DONE:
            return REFUSED
        part = schema.extract(
            source, target, options.section, options.schema, bindir=options.bindir, without_extensions=without
        )
        if not options.apply:
            sys.stdout.write(part.sql)
            return DONE
        schema.apply(source, target, part, options.schema)
    print(schema.describe(endpoints[1], part))
    return DONE


def _users(options: argparse.Namespace) -> int:
    roles = roles_of(options.system)
    if options.open and options.side == "target":
        raise UsageError("--open is for the source: the target's gate is the cutover's to open")
    if options.secret_for and not options.apply:
        raise UsageError("--secret-for goes with --apply: no password is ever printed")
    endpoint = replace(from_dsn("dsn", options.dsn), side=options.side)
    secret_of = dict(map(passwords.parse_secret_for, options.secret_for))
    if unknown := [role for role in secret_of if role not in roles.signing_in]:
        raise UsageError(
            f"--secret-for: {', '.join(unknown)} does not sign in", hint="known are " + ", ".join(roles.signing_in)
        )
    secrets = passwords.secrets_client() if secret_of else None
    known = {role: passwords.read_password(secrets, arn, role) for role, arn in secret_of.items()}
    with connected(endpoint, read_only=not options.apply) as session:
        server = users.inspect(session, options.schema)
        users.refuse_harm(session, server, roles, opened=options.open)
        lines = users.statements(server, roles, opened=options.open)
        if not options.apply:
            sys.stdout.write(users.script(lines))
            return DONE
        users.apply(session, lines, known)
    print(f"applied to the {endpoint}: {len(lines)} statements, passwords of {', '.join(known) or 'nobody'}")
    return DONE


def _sequences(options: argparse.Namespace) -> int:
    endpoints = from_dsn("source", options.source), from_dsn("target", options.target)
    with (
        connected(endpoints[0], read_only=True) as source,
        connected(endpoints[1], read_only=not options.apply) as target,
    ):
        chosen = choose_schemas(source, options.schema)
        if options.apply:
            plan = sequences.advance(source, target, chosen, options.margin)
        else:
            plan = sequences.compare(sequences.read(source, chosen), sequences.read(target, chosen), options.margin)
    for line in (*plan.moves, *(f"cannot be moved: {obstacle}" for obstacle in plan.obstacles)):
        print(line)
    verb = "moved" if options.apply else "to move"
    print(f"{len(plan.moves)} {verb}, {plan.right} right already, {len(plan.obstacles)} that cannot be moved")
    return REFUSED if plan.obstacles else DONE


def _empty(options: argparse.Namespace) -> int:
    roles = roles_of(options.system)
    endpoints = from_dsn("source", options.source), from_dsn("target", options.target)
    with (
        connected(endpoints[0], read_only=True) as source,
        connected(endpoints[1], read_only=not options.apply) as target,
    ):
        emptying.refuse_harm(source, target, roles)
        tables = emptying.list_tables(target, choose_schemas(source, options.schema))
        print("\n".join(tables))
        if options.apply:
            emptying.empty(target, tables)
    print(f"{len(tables)} tables of the {endpoints[1]} {'emptied' if options.apply else 'to empty'}")
    return DONE


def _write(file: str, text: str) -> None:
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {file}: {error.strerror}") from None


# --- their arguments -------------------------------------------------------------------------------------------------
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cutover",
        description="Make two PostgreSQL databases ready for the cutover; start it, and decide about it.",
        epilog="Exit codes: 0 done, 1 found something or refused, 2 wrong usage, 4 something could not be read or "
        "reached. A DSN is postgresql://user@host:5432/name?sslmode=…, its password best as PGPASSWORD. RDS hosts "
        "are verified against the roots that ship with the code.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    readiness = _command(
        commands, "readiness", _readiness, "what keeps the source from being replicated, frozen and left"
    )
    readiness.add_argument("--source", required=True, metavar="DSN")
    readiness.add_argument("--target", metavar="DSN", help="compare version, encoding, collations, extensions with it")
    readiness.add_argument("--json", metavar="FILE", help="the report as JSON too; - is stdout, instead of the text")
    readiness.add_argument("--all", action="store_true", help="name every object, not the first few of a finding")
    readiness.add_argument(
        "--interval", type=_seconds, default=2.0, metavar="SECONDS", help="measure the WAL for this long (default: 2)"
    )
    readiness.add_argument(
        "--long-transaction", type=_seconds, default=60.0, metavar="SECONDS", help="what counts as long (default: 60)"
    )
    _add_common(readiness, system=True)

    making = _command(commands, "schema", _schema, "the source's schema for the target, before or after the full load")
    making.add_argument("--source", required=True, metavar="DSN")
    making.add_argument("--target", required=True, metavar="DSN")
    making.add_argument("--section", required=True, choices=schema.SECTIONS, help="keys are in pre-data")
    making.add_argument(
        "--apply", action="store_true", help="make it there, in one transaction, instead of printing it"
    )
    making.add_argument("--bindir", type=Path, metavar="FOLDER", help="where pg_dump, pg_restore and psql are")
    making.add_argument(
        "--without-extension", action="append", default=[], metavar="NAME", help="do not make this one; repeatable"
    )
    _add_common(making)

    granting = _command(commands, "users", _users, "the roles of one side, what each may, and their passwords")
    granting.add_argument("--side", required=True, choices=("source", "target"))
    granting.add_argument("--dsn", required=True, metavar="DSN", help="as a superuser, or as the master user of Aurora")
    granting.add_argument("--apply", action="store_true", help="do it, in one transaction, instead of printing it")
    granting.add_argument(
        "--open", action="store_true", help="source, once: let the application write, through the gate"
    )
    granting.add_argument(
        "--secret-for",
        action="append",
        default=[],
        metavar="ROLE=SECRET",
        help="set the password that this secret of Secrets Manager keeps (ARN or name); repeatable, with --apply",
    )
    _add_common(granting, system=True)

    moving = _command(
        commands, "sequences", _sequences, "the target's sequences to where the source's stand, never back"
    )
    moving.add_argument("--source", required=True, metavar="DSN")
    moving.add_argument("--target", required=True, metavar="DSN")
    moving.add_argument("--margin", type=_number, default=0, metavar="N", help="steps beyond the source (default: 0)")
    moving.add_argument("--apply", action="store_true", help="move them, instead of saying what would move")
    _add_common(moving)

    removing = _command(
        commands, "empty", _empty, "empty the target's tables after a way back, for a full load that begins anew"
    )
    removing.add_argument("--source", required=True, metavar="DSN", help="which takes the payments")
    removing.add_argument("--target", required=True, metavar="DSN", help="as the owner of its tables")
    removing.add_argument("--apply", action="store_true", help="empty them, instead of naming them")
    _add_common(removing, system=True)
    decisions.add_commands(partial(_command, commands))
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    purpose: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
    parser.set_defaults(command=run)
    return parser


def _add_common(parser: argparse.ArgumentParser, *, system: bool = False) -> None:
    parser.add_argument(
        "--schema", action="append", default=[], metavar="NAME", help="of this schema only; repeatable (default: all)"
    )
    if system:
        parser.add_argument("--system", default="payments", metavar="NAME", help="as in params (default: payments)")


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return float(text)


def _number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of steps")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
