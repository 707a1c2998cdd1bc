"""The limit of what hashing can cost: one aggregate of the row hash per side, both at once. `SOURCE TARGET`."""

from __future__ import annotations

import sys

from validator.catalog import Table
from validator.comparison import Options, prepare
from validator.endpoint import from_dsn
from validator.model import TableResult
from validator.sides import Sides


def main() -> int:
    """Print the rows and the sum of each side."""
    source, target = sys.argv[1:]
    with Sides(from_dsn("source", source), from_dsn("target", target)) as sides:
        comparison = prepare(sides, Table("public", "payments"), Options())
        assert not isinstance(comparison, TableResult)
        readers = comparison.matched.readers(sides.sessions(), "ranges", 0)
        by_side = {reader.session.endpoint.side: reader for reader in readers}

        def scan(side: str) -> list[list[object]]:
            reader = by_side[side]
            hashed = reader.rows.sums(reader.rows.row_hash())
            return reader.session.query(f"SELECT count(*), {hashed} FROM {reader.relation}")

        print(*sides.both(lambda session: scan(session.endpoint.side)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
