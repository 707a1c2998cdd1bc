"""The simplest right comparison, as a peer: both sides' rows in key order as COPY text, line by line.

Arguments: SOURCE TARGET TABLE KEY.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from queue import Queue

import psycopg

_BATCH = 1000


def rows(dsn: str, table: str, key: str) -> Iterator[tuple[int, bytes]]:
    """Key and line of every row, in the order of the key; read ahead in a thread, so that both servers work at once."""
    queue: Queue[list[bytes] | None] = Queue(8)

    def read() -> None:
        with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
            with cursor.copy(f"COPY (SELECT * FROM {table} ORDER BY {key}) TO STDOUT") as copy:
                batch = []
                for line in copy:
                    batch.append(bytes(line))
                    if len(batch) == _BATCH:
                        queue.put(batch)
                        batch = []
            queue.put(batch)
            queue.put(None)

    threading.Thread(target=read, daemon=True).start()
    while (batch := queue.get()) is not None:
        for line in batch:
            yield int(line[: line.index(b"\t")]), line


def main() -> int:
    """Print how many rows differ."""
    source_dsn, target_dsn, table, key = sys.argv[1:]
    found = {"missing": 0, "extra": 0, "changed": 0}
    ours, theirs = rows(source_dsn, table, key), rows(target_dsn, table, key)
    left, right = next(ours, None), next(theirs, None)
    while left is not None or right is not None:
        if right is None or (left is not None and left[0] < right[0]):
            found["missing"] += 1
            left = next(ours, None)
        elif left is None or right[0] < left[0]:
            found["extra"] += 1
            right = next(theirs, None)
        else:
            found["changed"] += left[1] != right[1]
            left, right = next(ours, None), next(theirs, None)
    print(sum(found.values()), found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
