"""The application's way to its database: the pools of the one that the pointer names, what it writes and reads there.

A write that the database refuses (the gate is closed) or whose outcome is unknown (the connection broke) is
`Unavailable`: there is nothing to do but to come again with the same key. A read is asked again on another connection
before it fails.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, LiteralString

import psycopg
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from psycopg_pool import TooManyRequests

from rehearsal.pools import CONNECT_SECONDS, STATEMENT_SECONDS, Pools

# Refused for now: who may write is a matter of the gate, and a standby is read-only until it is promoted.
_REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
# Broken, terminated, shut down, cancelled, deadlocked, no connection to be had: the next try may do better. The server
# ends sessions that idle in a transaction with an error of class 25, which the driver calls internal.
_BROKEN = (psycopg.OperationalError, psycopg.InternalError, psycopg.InterfaceError, TimeoutError)
# Between two tries to reach a database that was away for longer than the pools themselves try.
_COME_BACK_SECONDS = 0.2
_READ_SECONDS = 4
_READ_PAUSES = (0, 0.02, 0.1, 0.3)
# While the gate is closed, one question in this time asks the database; the others are refused unasked. It bounds what
# a closed gate costs the server, and delays the first write after it opens by no more.
_ASK_AGAIN_SECONDS = 0.05
_BUSY = "too many requests wait for the database"

# One statement, and so one transaction: the key, the payment, and its two entries.
_PAY: LiteralString = """
WITH used AS (
  INSERT INTO idempotency_key (key, digest, payment_id)
  VALUES (%(key)s, %(digest)s, nextval(pg_get_serial_sequence('payment', 'id')))
  ON CONFLICT (key) DO NOTHING RETURNING payment_id
), made AS (
  INSERT INTO payment (id, account_id, amount, currency, details)
  SELECT payment_id, %(account)s, %(amount)s, %(currency)s, %(details)s FROM used
  RETURNING id, reference, account_id, amount, currency, created_at
), posted AS (
  INSERT INTO ledger_entry (payment_id, place, amount)
  SELECT id, %(place)s, -amount FROM made UNION ALL SELECT id, 'settlement', amount FROM made
)
SELECT * FROM made
"""
_COLUMNS: LiteralString = "payment.id, reference, account_id, amount, currency, created_at"
_USED: LiteralString = (
    f"SELECT digest, {_COLUMNS} "  # noqa: S608 - of constants
    "FROM idempotency_key JOIN payment ON payment.id = payment_id WHERE key = %s"
)
_READ: LiteralString = f"SELECT {_COLUMNS}, status::text FROM payment WHERE id = %s"  # noqa: S608 - of constants


class Unavailable(Exception):  # noqa: N818 - it is an answer, not a defect
    """Not now: come again, a write with the same key."""


class KeyReused(Exception):  # noqa: N818 - it is an answer, not a defect
    """The key has made another payment than the one that is asked for."""


@dataclass(frozen=True, slots=True)
class Order:
    """A payment to be made; `digest` tells whether a key is used again for the same one."""

    key: str
    digest: bytes
    account: int
    amount: Decimal
    currency: str
    details: Mapping[str, Any]


class Database:
    """The database that the pointer names; `places` has the DSN of each, `refused` is called when a write is."""

    def __init__(self, places: Mapping[str, str], refused: Callable[[], object]) -> None:
        self._places = places
        self._refused = refused
        self._pools: Pools | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._mending: asyncio.Task[None] | None = None
        self._returning: asyncio.Task[None] | None = None
        self._ask_again = 0.0
        self.name = ""
        self.answers = False

    async def follow(self, name: str) -> bool:
        """Use the database `name` from now on; False, and no change, while it cannot be reached or is not known.

        What has begun on the old one ends there; its pool closes behind it.
        """
        return await self._use(name, self._pools)

    async def _use(self, name: str, instead_of: Pools | None) -> bool:
        """`follow`, unless other pools have come in the place of `instead_of` meanwhile."""
        if name not in self._places:
            return False
        made = Pools(self._places[name], self._begin_anew)
        if not await made.open():
            return False
        if self._pools is not instead_of:
            await made.close(0)
            return True
        old, self._pools, self.name, self._ask_again, self.answers = self._pools, made, name, 0.0, True
        if old:
            self._close(old)
        return True

    async def pay(self, order: Order) -> dict[str, Any]:
        """Make a payment, or tell the one that this key has made.

        Raises Unavailable, KeyReused, psycopg.DataError and psycopg.IntegrityError.
        """
        self._check_refused()
        try:
            async with asyncio.timeout(STATEMENT_SECONDS + 1), self._opened().writes.connection() as connection:
                self._check_refused()  # somebody may have been refused while this one waited for a connection
                return await _pay(connection, order)
        except _REFUSED as refused:
            self._ask_again = time.monotonic() + _ASK_AGAIN_SECONDS
            self._refused()
            raise Unavailable(f"writes are refused ({refused.sqlstate})") from None
        except TooManyRequests:
            raise Unavailable(_BUSY) from None
        except _BROKEN as broken:
            self._mend()
            raise Unavailable(_sentence(broken)) from None

    async def read(self, payment: int) -> dict[str, Any] | None:
        """A payment, or None where there is none; raises Unavailable when no connection has an answer in time."""
        problem = "no answer in time"
        with suppress(TimeoutError):
            async with asyncio.timeout(_READ_SECONDS):
                for pause in _READ_PAUSES:
                    await asyncio.sleep(pause)
                    try:
                        async with self._opened().reads.connection() as connection:
                            row = await (await connection.execute(_READ, (payment,))).fetchone()
                    except TooManyRequests:
                        raise Unavailable(_BUSY) from None
                    except (*_REFUSED, *_BROKEN) as broken:
                        problem = _sentence(broken)
                        await asyncio.wait([self._mend()])
                    else:
                        return None if row is None else {**_answer(row[:-1]), "status": row[-1]}
        raise Unavailable(problem)

    async def check(self) -> None:
        """Find out whether the database answers."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS), self._opened().reads.connection() as connection:
                await connection.execute("SELECT 1")
                self.answers = True
        except (Unavailable, *_BROKEN):
            self.answers = False

    async def close(self) -> None:
        if self._returning:
            self._returning.cancel()
        if self._pools:
            self._close(self._pools)
        await asyncio.gather(*self._closing)

    def _opened(self) -> Pools:
        if self._pools is None:
            raise Unavailable("no database was reached yet")
        return self._pools

    def _check_refused(self) -> None:
        """Raise Unavailable while the gate is known to be closed."""
        if time.monotonic() < self._ask_again:
            raise Unavailable("writes are refused")

    def _mend(self) -> asyncio.Task[None]:
        """After a broken connection: the pointer may have moved, and other idle connections are broken too."""
        self._refused()
        if self._mending is None or self._mending.done():
            self._mending = asyncio.create_task(self._replace_broken())
        return self._mending

    async def _replace_broken(self) -> None:
        with suppress(*_BROKEN, Unavailable):
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._opened().check()

    async def _begin_anew(self, pools: Pools) -> None:
        """A pool has given up a connection. It may give up all, and tries no more while its queue is full."""
        if self._returning is None or self._returning.done():
            self._returning = asyncio.create_task(self._come_back(pools))

    async def _come_back(self, pools: Pools) -> None:
        while self._pools is pools and not await self._use(self.name, pools):  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(_COME_BACK_SECONDS)

    def _close(self, pools: Pools) -> None:
        closing = asyncio.create_task(pools.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


async def _pay(connection: psycopg.AsyncConnection[TupleRow], order: Order) -> dict[str, Any]:
    """Make the payment, or find the one that the key has made."""
    values = {
        "key": order.key,
        "digest": order.digest,
        "account": order.account,
        "amount": order.amount,
        "place": f"account:{order.account}",
        "currency": order.currency,
        "details": Jsonb(dict(order.details)),
    }
    row = await (await connection.execute(_PAY, values)).fetchone()
    if row is not None:
        return _answer(row)
    # Whoever used the key first has committed by now: INSERT … ON CONFLICT waited for it.
    used = await (await connection.execute(_USED, (order.key,))).fetchone()
    if used is None:
        raise psycopg.OperationalError("the key was in use a moment ago")  # undone meanwhile, or half replicated
    if used[0] != order.digest:
        raise KeyReused
    return _answer(used[1:])


def _answer(row: TupleRow) -> dict[str, Any]:
    number, reference, account, amount, currency, created = row
    return {
        "id": number,
        "reference": reference,
        "account": account,
        "amount": str(amount),
        "currency": currency,
        "created_at": created.isoformat(),
    }


def _sentence(broken: BaseException) -> str:
    """What to tell of a broken connection: its kind, never a value."""
    code = getattr(broken, "sqlstate", None)
    return f"the database does not answer ({code or type(broken).__name__})"
