"""The clients of the rehearsal: payments at a fixed rate, each tried until it is accepted, and reads of these.

An open loop: when each payment is due is fixed before the first one, and latency counts from then, so that clients who
politely wait hide no stall (coordinated omission). Each payment has an order number, which is its idempotency key. Some
are asked for twice at once, on purpose.

    python -m rehearsal.clients --url http://127.0.0.1:8080 --rate 200 --reads 50 --record clients.jsonl

It goes on for `--seconds`, or until SIGTERM: then no new payment is due, and those under way go on to their deadline.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from rehearsal.clock import now
from rehearsal.errors import RehearsalError
from rehearsal.events import Accepted, Event, EventFile, GaveUp, Read, Refused, Sent
from rehearsal.serving import complain, until_told

_CREATED, _FOUND = 201, 200
_TRY_TIMEOUT = aiohttp.ClientTimeout(total=5)
# Between two tries of a payment: what Retry-After says, and a random part of a time that doubles, so that those who
# were refused together do not come back together.
_FIRST_BACKOFF_SECONDS, _LONGEST_BACKOFF_SECONDS = 0.5, 8.0
# The newest payments are the ones that a switch could lose: half of the reads are of these many.
_NEWEST = 50
_REASON_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: payments and reads in a second, for how long (None: until told), how long a payment is tried."""

    url: str
    rate: float
    reads: float
    seconds: float | None
    deadline_seconds: float
    twice_percent: float
    accounts: int


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment, as it is asked for each time."""

    order: str
    due: float
    account: int
    amount: str
    currency: str

    def body(self) -> bytes:
        """The request; the order number stands in the payment too, where no constraint keeps it from standing twice."""
        asked = {"account": self.account, "amount": self.amount, "currency": self.currency}
        return json.dumps({**asked, "details": {"order": self.order}}).encode()


class Clients:
    """All clients of a run; `write` takes each event."""

    def __init__(self, plan: Plan, session: aiohttp.ClientSession, write: Callable[[Event], None]) -> None:
        self._plan = plan
        self._session = session
        self._write = write
        self._random = random.Random()  # noqa: S311 - which account pays is no secret
        self._accepted: list[tuple[int, Payment]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Pay and read until the time is up or `stop` is set, then until every payment is accepted or given up."""
        start = now()
        await asyncio.gather(
            self._arrive(self._plan.rate, start, stop, self._order),
            self._arrive(self._plan.reads, start, stop, self._read),
        )
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _arrive(
        self, rate: float, start: float, stop: asyncio.Event, act: Callable[[float], Awaitable[None]]
    ) -> None:
        """Begin `act` at each due time, never waiting for one to end."""
        count = 0
        while rate and not stop.is_set():
            due = start + count / rate
            if self._plan.seconds is not None and due >= start + self._plan.seconds:
                return
            if (early := due - now()) > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), early)
                    return
            self._begin(act(due))
            count += 1

    def _begin(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- payments -----------------------------------------------------------------------------------------------------
    async def _order(self, due: float) -> None:
        amount = f"{self._random.randint(1, 99_999) / 100:.2f}"
        account = self._random.randint(1, self._plan.accounts)
        payment = Payment(str(uuid.uuid4()), due, account, amount, self._random.choice(("EUR", "USD", "GBP")))
        self._write(Sent(now(), payment.order, account, amount, payment.currency))
        if self._random.random() * 100 < self._plan.twice_percent:
            self._begin(self._pay(payment))
        await self._pay(payment)

    async def _pay(self, payment: Payment) -> None:
        """Ask until accepted or past the deadline."""
        body = payment.body()
        backoff = _FIRST_BACKOFF_SECONDS
        while True:
            status, reason, retry_after, number = await self._ask(payment, body)
            if status == _CREATED:
                self._write(Accepted(now(), payment.order, number, payment.due))
                self._accepted.append((number, payment))
                return
            self._write(Refused(now(), payment.order, status, reason))
            pause = retry_after + self._random.random() * backoff
            if now() + pause > payment.due + self._plan.deadline_seconds:
                self._write(GaveUp(now(), payment.order))
                return
            await asyncio.sleep(pause)
            backoff = min(backoff * 2, _LONGEST_BACKOFF_SECONDS)

    async def _ask(self, payment: Payment, body: bytes) -> tuple[int, str, float, int]:
        """One try: status (0: no answer), reason, seconds to wait for, number of the payment."""
        headers = {"Idempotency-Key": payment.order, "Content-Type": "application/json"}
        try:
            async with self._session.post(f"{self._plan.url}/payments", data=body, headers=headers) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as problem:
            return 0, type(problem).__name__, 0.0, 0
        if answer.status == _CREATED:
            return answer.status, "", 0.0, int(json.loads(content)["id"])
        after = answer.headers.get("Retry-After", "0")
        return answer.status, _told(content), float(after), 0

    # --- reads --------------------------------------------------------------------------------------------------------
    async def _read(self, _: float) -> None:
        """Read a payment back that was accepted, once: a new one or any."""
        if not self._accepted:
            return
        among = self._accepted[-_NEWEST:] if self._random.random() < 1 / 2 else self._accepted
        number, payment = self._random.choice(among)
        started = now()
        status, right, reason = 0, False, ""
        try:
            async with self._session.get(f"{self._plan.url}/payments/{number}") as answer:
                content = await answer.read()
            status = answer.status
            right = status == _FOUND and _is(json.loads(content), payment)
            reason = "" if right else _told(content)
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as problem:
            reason = type(problem).__name__
        self._write(Read(now(), started, number, status, right, reason))


def _told(content: bytes) -> str:
    """What an answer said that was not the wanted one."""
    return content[:_REASON_LENGTH].decode(errors="replace")


def _is(found: dict[str, object], payment: Payment) -> bool:
    """Whether what was read is the payment that was made: an id that was given twice shows here."""
    expected = (payment.account, payment.amount, payment.currency)
    return (found["account"], found["amount"], found["currency"]) == expected


async def run(plan: Plan, record: EventFile) -> None:
    """Run all clients; ends with `--seconds` or SIGTERM, after the last payment."""
    stop = asyncio.Event()

    async def told() -> None:
        await until_told()
        stop.set()

    waiting = asyncio.create_task(told())
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
    async with aiohttp.ClientSession(
        connector=connector, timeout=_TRY_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        await Clients(plan, session, record.write).run(stop)
    waiting.cancel()


def main(arguments: Sequence[str] | None = None) -> int:
    """The process."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.clients", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", required=True, help="of the load balancer")
    parser.add_argument("--rate", type=float, default=200, help="payments in a second")
    parser.add_argument("--reads", type=float, default=50, help="reads in a second")
    parser.add_argument("--seconds", type=float, help="how long payments are due; otherwise until SIGTERM")
    parser.add_argument("--deadline", type=float, default=60, help="seconds in which a payment is tried again")
    parser.add_argument("--twice", type=float, default=5, help="percentage of payments asked for twice at once")
    parser.add_argument("--accounts", type=int, default=1000, help="numbers of accounts are 1 to this")
    parser.add_argument("--record", type=Path, required=True, help="file of events that is appended to")
    given = parser.parse_args(arguments)
    plan = Plan(
        given.url.rstrip("/"), given.rate, given.reads, given.seconds, given.deadline, given.twice, given.accounts
    )
    try:
        asyncio.run(run(plan, EventFile(given.record)))
    except RehearsalError as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
