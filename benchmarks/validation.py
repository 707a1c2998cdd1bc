"""The validator next to reladiff, Google's data validator, a streaming COPY and one row-hash scan.

Payments on two servers: `clean` holds the same on both, `defects` has 70 differing rows on the target, `many` 1 % of
them. What counts is the CPU of the servers, which other work on the machine leaves alone, and the defects found.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.databases import Cost, Server, measure, run_files, two_servers
from benchmarks.measure import PYTHON, ROOT
from benchmarks.report import Row

PEERS = ROOT / ".cache/benchmarks/validation-peers"
ROWS = 5_000_000
DVT_ROWS = 1_000_000  # it keeps every row of both sides in memory, 2 GB a million
DEFECTS = 70
_HERE = Path(__file__).parent
_DATABASES = ("clean", "defects", "many")
_FEWER = "fewer"


@dataclass(frozen=True, slots=True)
class Tool:
    """One way to compare: the command for a pair of databases, and how many differing rows its output names."""

    command: Callable[[str, str], list[str]]
    found: Callable[[str], int]
    databases: tuple[str, ...] = ("clean", "defects")
    # Bytes per side by its own account; a connection that is short is missed by the meter.
    received: Callable[[str], int] = lambda _: 0


def measure_validation(rounds: int, rows: int = ROWS) -> list[Row]:
    """All tools in turn on the same servers, `rounds` times."""
    install_peers()
    costs: dict[tuple[str, str], list[Cost]] = {}
    with two_servers() as servers:
        fill(servers, rows)
        tools = every_tool()
        for number in range(rounds):
            for name, tool in tools.items():
                for database in tool.databases:
                    cost = measure(tool.command(*(server.dsn(database) for server in servers)), servers)
                    cost.received_mib = max(cost.received_mib, tool.received(cost.output) / 2**20)
                    costs.setdefault((name, database), []).append(cost)
                    print(f"  {_line(name, database, cost, tool.found(cost.output))}", file=sys.stderr)
            print(f"  round {number + 1} of {rounds}", file=sys.stderr)
        costs |= incremental(servers)
    return judge(costs)


def fill(servers: tuple[Server, Server], rows: int) -> None:
    """Make the databases: both sides alike, then the defects on the target."""
    for database in (*_DATABASES, _FEWER):
        for server in servers:
            server.run(f"CREATE DATABASE {database}")
        held = min(rows, DVT_ROWS) if database == _FEWER else rows
        run_files(servers, database, _HERE / "payments.sql", held)
    for database in ("defects", _FEWER):
        run_files(servers[1:], database, _HERE / "payments_defects.sql", rows)
    servers[1].run("UPDATE payments SET fee = coalesce(fee, 0) + 0.01 WHERE payment_id % 100 = 7", "many")
    for server in servers:
        server.run("CHECKPOINT")


def install_peers() -> None:
    """The peers, in environments of their own: their dependencies exclude each other's."""
    for name in ("reladiff", "data-validator"):
        folder = PEERS / name
        lock = _HERE / f"requirements-{name}.txt"
        done = folder / "installed"
        if done.exists() and done.read_text() == lock.read_text():
            continue
        subprocess.run([PYTHON, "-m", "venv", folder], check=True)
        pip = [str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "--require-hashes", "--requirement", str(lock)], check=True)
        done.write_text(lock.read_text())


def every_tool() -> dict[str, Tool]:
    """By name; `limit` is the scan that nothing which hashes rows can undercut."""
    return {
        "limit": Tool(lambda a, b: [PYTHON, "-m", "benchmarks.row_hash", a, b], lambda _: 0, ("clean",)),
        "validator": _ours("--jobs", "1"),
        "validator, 4 jobs": _ours("--jobs", "4", databases=_DATABASES),
        "validator, md5": _ours("--jobs", "1", "--hash", "md5"),
        "reladiff": Tool(_reladiff, _found_by_reladiff, ("defects",)),
        "reladiff -j 4": Tool(lambda a, b: _reladiff(a, b, "-j", "4"), _found_by_reladiff),
        "reladiff, tuned": Tool(
            lambda a, b: _reladiff(a, b, "-j", "4", "--bisection-factor", "400", "--bisection-threshold", "14000"),
            _found_by_reladiff,
            ("defects",),
        ),
        "validator, fewer": _ours("--jobs", "1", databases=(_FEWER,)),
        "data-validator": Tool(_data_validator, lambda output: output.count(",fail,"), (_FEWER,)),
        "COPY": Tool(
            lambda a, b: [PYTHON, "-m", "benchmarks.copy_compare", a, b, "payments", "payment_id"],
            lambda output: int(output.split()[0]),
            ("defects",),
        ),
    }


def _ours(*options: str, databases: tuple[str, ...] = ("clean", "defects")) -> Tool:
    return Tool(lambda a, b: _validator(a, b, *options), _found, databases, _received)


def _received(output: str) -> int:
    return int(max(_report(output)["tables"][0]["bytes"].values()))


def _validator(source: str, target: str, *options: str) -> list[str]:
    return [PYTHON, "-m", "validator", "--source", source, "--target", target, "--json", "-", *options]


def _found(output: str) -> int:
    table = _report(output)["tables"][0]
    return sum(int(table[kind]["count"]) for kind in ("missing", "extra", "changed"))


def _report(output: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(output[output.index("{\n") :])
    return report


def _reladiff(source: str, target: str, *options: str) -> list[str]:
    # Without --skip-sort-results it fails on rows where one side is NULL (its issue 81).
    columns = [part for column in ("%",) for part in ("-c", column)]
    program = str(PEERS / "reladiff/bin/reladiff")
    return [
        program,
        source,
        "payments",
        target,
        "payments",
        "-k",
        "payment_id",
        *columns,
        "--skip-sort-results",
        *options,
    ]


def _found_by_reladiff(output: str) -> int:
    return len(set(re.findall(r"^[+-] (?:\('?|)(-?\d+)", output, re.MULTILINE)))


def _data_validator(source: str, target: str) -> list[str]:
    # It fails on enums, so that the status is left out.
    program = str(PEERS / "data-validator/bin/data-validation")
    columns = "payment_ref,account_id,amount,fee,currency,reference,description,metadata,created_at,settled_at"
    for side, dsn in (("source", source), ("target", target)):
        place = urlsplit(dsn)
        given = ["--host", "127.0.0.1", "--port", str(place.port), "--user", "postgres", "--password", "none"]
        added = [program, "connections", "add", "-c", side, "Postgres", *given, "--database", place.path[1:]]
        subprocess.run(added, check=True, capture_output=True, env=_home())
    table = ["-sc", "source", "-tc", "target", "-tbls", "public.payments=public.payments"]
    compared = ["--primary-keys", "payment_id", "--hash", columns, "--filter-status", "fail", "--format", "csv"]
    return ["env", f"PSO_DV_CONN_HOME={PEERS}", program, "-ll", "ERROR", "validate", "row", *table, *compared]


def _home() -> dict[str, str]:
    return {**os.environ, "PSO_DV_CONN_HOME": str(PEERS)}


def incremental(servers: tuple[Server, Server]) -> dict[tuple[str, str], list[Cost]]:
    """A full run that leaves its mark, 1 % of the rows changed alike on both sides, and a run of what changed."""
    state = str(PEERS.parent / "validation-state")
    dsns = [server.dsn("clean") for server in servers]
    full = measure(_validator(*dsns, "--jobs", "1", "--state", state), servers)
    for server in servers:
        server.run("UPDATE payments SET fee = coalesce(fee, 0) + 0.01 WHERE payment_id % 100 = 7", "clean")
        server.run("VACUUM payments", "clean")  # as autovacuum, which is off here, would have
    again = measure(_validator(*dsns, "--jobs", "1", "--state", state, "--incremental"), servers)
    assert _report(again.output)["tables"][0]["mode"] == "incremental", again.output
    print(f"  {_line('incremental', 'clean', again, _found(again.output))}", file=sys.stderr)
    return {("full, with state", "clean"): [full], ("incremental", "clean"): [again]}


def judge(costs: Mapping[tuple[str, str], list[Cost]]) -> list[Row]:
    """The goals of validation."""

    def row(what: str, ours: tuple[str, str], theirs: tuple[str, str], figure: str, limit: float) -> Row:
        pairs = zip(costs[ours], costs[theirs], strict=True)
        ratio = statistics.median(getattr(one, figure) / getattr(other, figure) for one, other in pairs)
        value = statistics.median(getattr(cost, figure) for cost in costs[ours])
        return Row("validate", what, value, ratio, ", ".join(theirs), limit, "MiB" if figure.endswith("mib") else "s")

    def figure(what: str, key: tuple[str, str], name: str, limit: float) -> Row:
        value = statistics.median(getattr(cost, name) for cost in costs[key])
        return Row("validate", what, value, value, "itself", limit, "MiB")

    ours, four = ("validator", "defects"), ("validator, 4 jobs", "defects")
    return [
        row("source CPU, defects", ours, ("reladiff -j 4", "defects"), "source_cpu", 0.25),
        row("source CPU, defects", ours, ("reladiff, tuned", "defects"), "source_cpu", 0.40),
        row("source CPU, defects", ours, ("limit", "clean"), "source_cpu", 1.15),
        row("source CPU, clean", ("validator", "clean"), ("reladiff -j 4", "clean"), "source_cpu", 0.40),
        row("wall, 4 connections", four, ("reladiff -j 4", "defects"), "wall", 0.25),
        row("wall, 4 connections", four, ("reladiff, tuned", "defects"), "wall", 0.40),
        figure("memory, 70 defects", four, "memory_mib", 100),
        figure("memory, clean", ("validator, 4 jobs", "clean"), "memory_mib", 60),
        row("memory, 1 % of rows", ("validator, 4 jobs", "many"), four, "memory_mib", 1.2),
        figure("received per side, 70 defects", ours, "received_mib", 4),
        row("source CPU, incremental", ("incremental", "clean"), ("full, with state", "clean"), "source_cpu", 0.10),
    ]


def _line(name: str, database: str, cost: Cost, found: int) -> str:
    return (
        f"{name:<18} {database:<8} wall {cost.wall:6.1f} s, source {cost.source_cpu:5.1f} s, "
        f"target {cost.target_cpu:5.1f} s, client {cost.client_cpu:5.1f} s, {cost.memory_mib:5.0f} MiB, "
        f"received {cost.received_mib:7.1f} MiB, found {found}"
    )
