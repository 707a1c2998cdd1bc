"""The clients never wait for each other, try again with the same key, and write down what they were told."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections import Counter
from contextlib import asynccontextmanager
from itertools import pairwise

import aiohttp
import pytest
from aiohttp import web

from rehearsal import clients as clients_module
from rehearsal.clients import Clients, Plan, main
from rehearsal.events import Accepted, GaveUp, Read, Refused, Sent, read_events
from rehearsal.ports import free_port
from rehearsal.serving import listen
from tests.integration.rehearsal.conftest import in_loop


class Payments:
    """An application that remembers what it was asked, refuses the first tries of each key, and can stall."""

    def __init__(self, refusals: int = 0, answer: int = 503) -> None:
        self.refusals = refusals
        self.answer = answer
        self.open = asyncio.Event()
        self.open.set()
        self.lies = False
        self.tries: Counter[str] = Counter()
        self.made: dict[str, dict[str, object]] = {}
        self.first, self.third = asyncio.Event(), asyncio.Event()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.first.set()
        await self.open.wait()
        if request.method == "GET":
            number = int(request.path.rpartition("/")[2])
            paid = next(paid for paid in self.made.values() if paid["id"] == number)
            return web.json_response({**paid, "amount": "0.00"} if self.lies else paid)
        key = request.headers["Idempotency-Key"]
        self.tries[key] += 1
        if self.tries[key] <= self.refusals:
            if not self.answer:
                request.transport.abort()
            return web.Response(status=self.answer or 503, headers={"Retry-After": "0"}, text="not now")
        self.made.setdefault(key, {**json.loads(await request.read()), "id": len(self.made) + 1})
        if len(self.made) >= 3:
            self.third.set()
        return web.json_response(self.made[key], status=201)


@asynccontextmanager
async def serve(payments, port=0):
    runner = web.ServerRunner(web.Server(payments), shutdown_timeout=0.1)
    await runner.setup()
    try:
        yield f"http://127.0.0.1:{await listen(runner, port)}"
    finally:
        await runner.cleanup()


async def run(payments, stop=None, **changes):
    """The events of clients of `payments`."""
    events = []
    given = {
        "rate": 100,
        "reads": 0,
        "seconds": 0.1,
        "deadline_seconds": 30,
        "twice_percent": 0,
        "accounts": 10,
        **changes,
    }
    async with serve(payments) as url, aiohttp.ClientSession(timeout=clients_module._TRY_TIMEOUT) as session:
        await Clients(Plan(url, **given), session, events.append).run(stop or asyncio.Event())
    return events


def _of(events, kind):
    return [event for event in events if isinstance(event, kind)]


@in_loop
async def test_payments_are_due_at_their_rate_whatever_the_application_does():
    stalled = Payments()
    stalled.open.clear()
    running = asyncio.create_task(run(stalled))
    await stalled.first.wait()
    await asyncio.sleep(0.15)  # past the last due time: all have been asked for while none was answered
    stalled.open.set()
    accepted = sorted(_of(await running, Accepted), key=lambda event: event.due)
    assert len(accepted) == 10
    assert [later.due - earlier.due for earlier, later in pairwise(accepted)] == [pytest.approx(0.01, abs=1e-6)] * 9
    assert (
        accepted[0].at - accepted[0].due > 0.1
    )  # the stall is in the latency of the first, though it was sent in time


@in_loop
async def test_each_payment_is_its_own_and_stands_in_the_books_by_its_order():
    payments = Payments()
    sent = _of(await run(payments), Sent)
    assert len({event.order for event in sent}) == 10
    for event in sent:
        made = payments.made[event.order]
        assert made["details"] == {"order": event.order}
        assert (made["account"], made["amount"], made["currency"]) == (event.account, event.amount, event.currency)
        assert 1 <= event.account <= 10


@pytest.mark.parametrize(("answer", "status"), [(503, 503), (502, 502), (0, 0)])
@in_loop
async def test_a_refused_payment_is_tried_again_with_its_key_until_it_is_accepted(answer, status):
    payments = Payments(refusals=2, answer=answer)
    events = await run(payments)
    assert len(payments.made) == len(_of(events, Accepted)) == 10
    assert set(payments.tries.values()) == {3}
    refused = _of(events, Refused)
    assert len(refused) == 20
    assert {event.status for event in refused} == {status}
    assert {event.reason for event in refused} == ({"not now"} if status else {"ServerDisconnectedError"})
    for event in _of(events, Accepted):
        assert event.payment == payments.made[event.order]["id"]


@in_loop
async def test_a_payment_is_given_up_at_its_deadline():
    events = await run(Payments(refusals=10**6), seconds=0.02, deadline_seconds=0.2)
    assert len(_of(events, GaveUp)) == len(_of(events, Sent)) == 2
    assert not _of(events, Accepted)
    assert _of(events, Refused)


@in_loop
async def test_some_payments_are_asked_for_twice_at_once():
    payments = Payments()
    events = await run(payments, twice_percent=100)
    assert set(payments.tries.values()) == {2}
    assert len(_of(events, Accepted)) == 20
    assert len(_of(events, Sent)) == len(payments.made) == 10


@in_loop
async def test_what_was_accepted_is_read_back_and_compared():
    for lies in (False, True):
        payments = Payments()
        payments.lies = lies
        reads = _of(await run(payments, reads=100, seconds=0.3), Read)
        assert len(reads) > 10
        assert {(read.status, read.right) for read in reads} == {(200, not lies)}
        assert all(bool(read.reason) == lies for read in reads)
        assert {read.payment for read in reads} <= {made["id"] for made in payments.made.values()}


@in_loop
async def test_a_read_without_an_answer_has_failed():
    payments = Payments()
    accepted, failed = asyncio.Event(), asyncio.Event()
    events = []

    def write(event):
        events.append(event)
        if isinstance(event, Accepted):
            accepted.set()
        elif isinstance(event, Read) and not event.right:
            failed.set()

    async with aiohttp.ClientSession() as session:
        async with serve(payments) as url:
            plan = Plan(url, rate=100, reads=100, seconds=None, deadline_seconds=0.1, twice_percent=0, accounts=1)
            stop = asyncio.Event()
            running = asyncio.create_task(Clients(plan, session, write).run(stop))
            await accepted.wait()
        await failed.wait()
        stop.set()
        await running
    unanswered = [event for event in _of(events, Read) if not event.right]
    assert {event.status for event in unanswered} == {0}
    assert all(event.reason.startswith(("Client", "Server")) for event in unanswered)


@in_loop
async def test_told_to_stop_it_asks_for_nothing_new_and_finishes_the_rest():
    payments = Payments(refusals=1)
    stop = asyncio.Event()
    running = asyncio.create_task(run(payments, stop, seconds=None, reads=10))
    await payments.first.wait()
    stop.set()
    events = await running
    assert len(_of(events, Sent)) == len(_of(events, Accepted)) > 0


def test_the_process_goes_on_until_it_is_told_and_writes_everything_down(alone, tmp_path):
    path, port = tmp_path / "record", free_port()

    async def operate():
        payments = Payments()
        async with serve(payments, port):
            ready.set()
            await payments.third.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.to_thread(done.wait)

    ready, done = threading.Event(), threading.Event()
    operator = threading.Thread(target=lambda: asyncio.run(operate()))
    operator.start()
    ready.wait()
    try:
        assert main(["--url", f"http://127.0.0.1:{port}/", "--rate", "50", "--reads", "0", "--record", str(path)]) == 0
    finally:
        done.set()
        operator.join()
    events = list(read_events([path]))
    assert len({event.order for event in _of(events, Accepted)}) == len(_of(events, Sent)) >= 3


def test_a_record_that_cannot_be_written_is_said(alone, capsys):
    assert main(["--url", "http://127.0.0.1:1", "--seconds", "0", "--record", "/missing/record"]) == 1
    assert capsys.readouterr().err.startswith("/missing/record cannot be written")
