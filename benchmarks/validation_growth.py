"""How the validator grows: with rows, with connections, with the shape of rows. Both sides hold the same."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.databases import Cost, Server, measure, run_files, two_servers
from benchmarks.measure import PYTHON
from benchmarks.report import Row

SIZES = (500_000, 5_000_000, 20_000_000)
SHAPED_ROWS = 1_000_000
SHAPES = ("narrow", "wide", "documents", "by_uuid")
JOBS = (1, 2, 4)
_HERE = Path(__file__).parent


def measure_growth(rounds: int) -> list[Row]:
    """Source CPU per row, and wall time, of clean runs; ratios are to the first of each group."""
    rows: list[Row] = []
    for number in range(rounds):
        with two_servers() as servers:
            found = list(_measured(servers))
        rows = [] if number else rows
        for group in {key[0] for key in (name for name, _, _ in found)}:
            members = [item for item in found if item[0][0] == group]
            base = members[0][1].source_cpu / members[0][2]
            for (_, what), cost, count in members:
                per_row = cost.source_cpu / count
                rows.append(
                    Row("growth", f"{what}: {cost.wall:.1f} s", per_row * 1e6, per_row / base, group, 0, "µs/row")
                )
    return rows


def _measured(servers: tuple[Server, Server]) -> Iterator[tuple[tuple[str, str], Cost, int]]:
    for server in servers:
        server.run("CREATE DATABASE shapes")
    run_files(servers, "shapes", _HERE / "payments_shapes.sql", SHAPED_ROWS)
    for shape in SHAPES:
        cost = _compare(servers, "shapes", shape, 1)
        yield ("shape", shape), cost, SHAPED_ROWS
    # No index leads to the rows of a bucket here: each question about them reads the whole table.
    servers[1].run("UPDATE by_uuid SET amount = -1 - amount WHERE amount % 1 = 0", "shapes")
    cost = _compare(servers, "shapes", "by_uuid", 1, exit_code=1)
    yield ("shape", "by_uuid, 1 % of the rows changed"), cost, SHAPED_ROWS
    for size in SIZES:
        database = f"size{size}"
        for server in servers:
            server.run(f"CREATE DATABASE {database}")
        run_files(servers, database, _HERE / "payments.sql", size)
        yield ("size", f"{size:,} rows"), _compare(servers, database, "payments", 1), size
        if size == SIZES[1]:
            for jobs in JOBS:
                yield ("connections", f"{jobs} a side"), _compare(servers, database, "payments", jobs), size
        for server in servers:
            server.run(f"DROP DATABASE {database}")


def _compare(servers: tuple[Server, Server], database: str, table: str, jobs: int, exit_code: int = 0) -> Cost:
    source, target = (server.dsn(database) for server in servers)
    ends = ["--source", source, "--target", target]
    cost = measure([PYTHON, "-m", "validator", *ends, "--table", table, "--jobs", str(jobs)], servers)
    if cost.exit_code != exit_code:
        raise RuntimeError(f"{database}.{table} was judged by {cost.exit_code}, not {exit_code}:\n{cost.output}")
    print(
        f"  {database}.{table}, {jobs} connections: wall {cost.wall:.1f} s, source {cost.source_cpu:.1f} s, "
        f"{cost.memory_mib:.0f} MiB",
        file=sys.stderr,
    )
    return cost
