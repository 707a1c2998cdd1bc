"""The application's connections to one database: a pool for its writes, and one for its reads.

Two, because writes that are blocked, or that come back all at once, take every connection that they can get and every
place in the queue behind it. Who reads, or asks whether the database answers, never waits for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

STATEMENT_SECONDS = 5
CONNECT_SECONDS = 2.0
# The least and the most connections of each.
WRITES, READS = (4, 12), (2, 6)
# Whose write would wait longer than a client does is sent away: an overload that everyone queues for never ends.
# A read is not made again, and so it waits.
WAITING_WRITES, WAITING_READS = 60, 600

Pool = AsyncConnectionPool[psycopg.AsyncConnection[TupleRow]]


class Pools:
    """The two pools of one database; `lost` is called when one of them has given up a connection."""

    def __init__(self, dsn: str, lost: Callable[[Pools], Awaitable[None]]) -> None:
        async def given_up(_: Pool) -> None:
            await lost(self)

        def make(sizes: tuple[int, int], waiting: int) -> Pool:
            least, most = sizes
            return AsyncConnectionPool(
                dsn,
                min_size=least,
                max_size=most,
                max_waiting=waiting,
                open=False,
                timeout=CONNECT_SECONDS,
                reconnect_timeout=CONNECT_SECONDS,
                reconnect_failed=given_up,
                kwargs={
                    # A payment is one statement: it commits by itself, in one round trip instead of four.
                    "autocommit": True,
                    "connect_timeout": int(CONNECT_SECONDS),
                    "options": f"-c statement_timeout={STATEMENT_SECONDS}s",
                    "application_name": "payments",
                },
            )

        self.writes, self.reads = make(WRITES, WAITING_WRITES), make(READS, WAITING_READS)

    async def open(self) -> bool:
        """Connect, both side by side; False, and all closed again, while the database cannot be reached."""
        for pool in (self.writes, self.reads):
            await pool.open()
        try:
            for pool in (self.writes, self.reads):
                await pool.wait(CONNECT_SECONDS)
        except psycopg.OperationalError:
            await self.close(0)
            return False
        return True

    async def check(self) -> None:
        """Replace the connections that are broken."""
        await asyncio.gather(self.writes.check(), self.reads.check())

    async def close(self, seconds: float = 5.0) -> None:
        """What has begun ends, within `seconds`; who waits for a connection is told to come again."""
        await asyncio.gather(self.writes.close(seconds), self.reads.close(seconds))
