"""`python build.py versions`: what is in use and until when; with --live, what AWS says of it today."""

from __future__ import annotations

import difflib
import json
import os
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from settings.errors import OutputError, UsageError
from settings.lifecycle import Judgement, Status, Verdict, assess, load_table
from settings.lifecycle_table import PRODUCTS, TABLE_FILE
from settings.model import Settings

if TYPE_CHECKING:
    from compiler.live_versions import Clients

_NOT_TOLD = (
    "AWS has no call for Lambda runtimes, Fargate versions and the end dates of Aurora minors: read their sources"
)


def run(
    environments: Mapping[str, Settings],
    params: Path,
    today: date,
    out: TextIO,
    *,
    as_json: bool = False,
    live: bool = False,
    write: bool = False,
    clients: Clients | None = None,
) -> int:
    """Print the table of what `environments` use, or with `live` the diff that AWS's answers make to the file.

    `params` is the folder of lifecycle.yaml; `clients` makes boto3 clients by service name (the person's own session
    where None). `write` applies the diff. Returns 1 where something in use is dead, or (live) where AWS has news that
    were not written; raises `UserError`.
    """
    if live:
        return _live(environments, params, today, out, as_json=as_json, write=write, clients=clients)
    table = load_table(params)
    judgements = {env: assess(settings, table, today) for env, settings in environments.items()}
    if as_json:
        _print_json(_document(judgements, today), out)
    else:
        print(render(judgements, today), file=out)
    return 1 if any(judgement.dead for judgement in judgements.values()) else 0


def render(judgements: Mapping[str, Judgement], today: date) -> str:
    """The table that a person reads: one row for each version in use, the sources below it."""
    head = ("chosen by", "product", "version", "status", "until", "days left", "whose date", "move to")
    rows = [
        (
            f"{verdict.key} ({', '.join(users)})",
            verdict.product,
            verdict.version,
            str(verdict.status),
            str(verdict.until or "-"),
            "-" if verdict.days_left is None else str(verdict.days_left),
            verdict.basis,
            "-" if verdict.status is Status.OK else ", ".join(verdict.move_to) or "?",
        )
        for verdict, users in _in_use(judgements)
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    sources = dict.fromkeys((v.product, str(v.checked_on), v.source) for v, _ in _in_use(judgements))
    width = max(len(product) for product, _, _ in sources)
    lines = [
        f"versions in use, judged on {today}",
        "",
        *(
            "  ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)).rstrip()
            for row in (head, *rows)
        ),
        "",
        "sources",
        *(f"{product:<{width}}  checked on {checked_on}  {source}" for product, checked_on, source in sources),
    ]
    notes = dict.fromkeys(note for judgement in judgements.values() for note in _notes(judgement))
    return "\n".join([*lines, *([""] if notes else []), *notes])


def _in_use(judgements: Mapping[str, Judgement]) -> list[tuple[Verdict, list[str]]]:
    """Each verdict once, with the environments that it holds for."""
    users: dict[Verdict, list[str]] = {}
    for env, judgement in judgements.items():
        for verdict in judgement.verdicts:
            users.setdefault(verdict, []).append(env)
    return sorted(users.items(), key=lambda item: list(PRODUCTS).index(item[0].product))


def _notes(judgement: Judgement) -> list[str]:
    return [f"error: {v.message}" for v in judgement.dead] + [f"warning: {text}" for text in judgement.warnings]


def _document(judgements: Mapping[str, Judgement], today: date) -> dict[str, Any]:
    return {
        "today": today.isoformat(),
        "versions": [
            {
                "environments": users,
                "key": verdict.key,
                "product": verdict.product,
                "version": verdict.version,
                "status": str(verdict.status),
                "until": verdict.until.isoformat() if verdict.until else None,
                "event": verdict.event,
                "basis": verdict.basis,
                "days_left": verdict.days_left,
                "reason": verdict.reason,
                "move_to": list(verdict.move_to),
                "source": verdict.source,
                "checked_on": verdict.checked_on.isoformat(),
            }
            for verdict, users in _in_use(judgements)
        ],
        "warnings": list(dict.fromkeys(text for judgement in judgements.values() for text in judgement.warnings)),
    }


def _live(
    environments: Mapping[str, Settings],
    params: Path,
    today: date,
    out: TextIO,
    *,
    as_json: bool,
    write: bool,
    clients: Clients | None,
) -> int:
    from compiler.live_versions import ask, boto3_clients, merge, news
    from compiler.table_edit import rewrite

    regions = sorted({settings.region for settings in environments.values()})
    if len(regions) > 1:
        raise UsageError(f"the environments stand in {' and '.join(regions)}", hint="name one with --env")
    table = load_table(params)
    path = params / TABLE_FILE
    text = path.read_bytes().decode("utf-8")  # bytes: line ends stay what they are
    proposed = merge(table, ask(clients or boto3_clients(regions[0])), today)
    changed = rewrite(text, proposed)
    told = news(table, proposed)
    diff = "".join(
        difflib.unified_diff(
            text.splitlines(keepends=True), changed.splitlines(keepends=True), f"a/{table.file}", f"b/{table.file}"
        )
    )
    if write and changed != text:
        _replace(path, changed)
    if as_json:
        _print_json({"region": regions[0], "news": told, "diff": diff, "written": write, "note": _NOT_TOLD}, out)
    else:
        heading = [f"{regions[0]}: {line}" for line in told or ["AWS offers what the table says"]]
        print("\n".join([*heading, f"note: {_NOT_TOLD}", *(["written"] if write else []), "", diff]), end="", file=out)
    return 1 if told and not write else 0


def _replace(path: Path, text: str) -> None:
    """Write a file beside `path` and put it in its place: whoever reads sees the old one or the new one."""
    temporary = ""
    try:
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
            temporary = file.name
            file.write(text.encode("utf-8"))
        os.chmod(temporary, path.stat().st_mode)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            os.unlink(temporary)
        raise OutputError(
            f"{path}: cannot be written: {error.strerror}", hint="make params/ writable; the file is unchanged"
        ) from error


def _print_json(document: dict[str, Any], out: TextIO) -> None:
    print(json.dumps(document, indent=1, ensure_ascii=False), file=out)
