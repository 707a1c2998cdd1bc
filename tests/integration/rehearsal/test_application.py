"""The payments application over real HTTP on a real database: once per key, refused politely, and always readable."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import psycopg
from aiohttp import web

from rehearsal import database as database_module
from rehearsal import pools as pools_module
from rehearsal.application import Application
from rehearsal.books import read_books
from rehearsal.database import Database
from rehearsal.ports import free_port
from rehearsal.serving import listen
from tests.integration.rehearsal.conftest import in_loop


@dataclass
class Served:
    """An application, a client of it, and how often it wanted to look at the pointer."""

    url: str
    database: Database
    session: aiohttp.ClientSession
    looks: list[None] = field(default_factory=list)

    async def pay(self, key: str = "key", **changes: Any) -> tuple[int, dict[str, Any], Any]:
        body = {"account": 7, "amount": "12.30", "currency": "EUR", "details": {"order": key}, **changes}
        async with self.session.post(f"{self.url}/payments", json=body, headers={"Idempotency-Key": key}) as answer:
            return answer.status, await answer.json(), answer.headers

    async def get(self, path: str) -> tuple[int, dict[str, Any]]:
        async with self.session.get(f"{self.url}{path}") as answer:
            return answer.status, await answer.json()


@asynccontextmanager
async def serving(first="data_center", **places):
    looks: list[None] = []
    database = Database(places, refused=lambda: looks.append(None))
    while not await database.follow(first) and first in places:
        pass  # a test that waits for little may be on a machine that is busy
    application = web.Application()
    application.add_routes(Application("blue", database).routes())
    runner = web.AppRunner(application)
    await runner.setup()
    port = await listen(runner, 0)
    try:
        async with aiohttp.ClientSession() as session:
            yield Served(f"http://127.0.0.1:{port}", database, session, looks)
    finally:
        await runner.cleanup()
        await database.close()


async def until(condition):
    """Wait until an async condition holds."""
    while not await condition():  # noqa: ASYNC110 - a database sets no event
        await asyncio.sleep(0.01)


@in_loop
async def test_a_payment_is_written_whole_and_read_back(data_center):
    async with serving(data_center=data_center.application) as application:
        status, paid, headers = await application.pay()
        assert (status, headers["X-Instance"]) == (201, "blue")
        assert await application.get(f"/payments/{paid['id']}") == (200, {**paid, "status": "accepted"})
        assert (paid["account"], paid["amount"], paid["currency"]) == (7, "12.30", "EUR")
    rows = data_center.run(f"SELECT place, amount::text FROM ledger_entry WHERE payment_id = {paid['id']} ORDER BY id")
    assert rows == [("account:7", "-12.30"), ("settlement", "12.30")]
    books = read_books("data center", data_center.owner)
    assert (len(books.held), books.held[0].order, books.held[0].keys) == (1, "key", 1)
    assert (books.unbalanced, books.noted_wrongly) == ((), ())


@in_loop
async def test_the_same_key_gets_the_same_answer_and_pays_once_also_at_once(data_center):
    async with serving(data_center=data_center.application) as application:
        answers = await asyncio.gather(*(application.pay() for _ in range(10)))
        again = await application.pay()
        assert {status for status, _, _ in [*answers, again]} == {201}
        assert all(paid == again[1] for _, paid, _ in answers)
        assert (await application.pay(amount="99.00"))[0] == 422
    assert data_center.value("SELECT count(*) FROM payment WHERE details ? 'order'") == 1


@in_loop
async def test_what_cannot_be_paid_is_refused_and_leaves_nothing_behind(data_center):
    async with serving(data_center=data_center.application) as application:
        status, said, _ = await application.pay(account=99)
        assert (status, said) == (400, {"message": "the database refused the payment (23503)"})
        assert (await application.pay(amount="0"))[0] == 400
        assert await application.get("/payments/999999") == (404, {"message": "no such payment"})
        assert (await application.pay())[0] == 201


@in_loop
async def test_a_closed_gate_refuses_writes_until_it_opens_and_never_a_read(data_center, monkeypatch):
    monkeypatch.setattr(database_module, "_ASK_AGAIN_SECONDS", 0)
    async with serving(data_center=data_center.application) as application:
        _, paid, _ = await application.pay("before")
        data_center.close_gate()
        status, said, headers = await application.pay()
        assert (status, said, headers["Retry-After"]) == (503, {"message": "writes are refused (42501)"}, "2")
        assert len(application.looks) == 1
        assert (await application.pay("before"))[0] == 503  # nobody answers from memory while the truth may move
        assert (await application.get(f"/payments/{paid['id']}"))[0] == 200
        assert (await application.get("/actuator/health/readiness"))[0] == 200
        data_center.open_gate()
        assert (await application.pay())[0] == 201


@in_loop
async def test_while_the_gate_is_closed_the_database_is_hardly_asked(data_center, monkeypatch):
    monkeypatch.setattr(database_module, "_ASK_AGAIN_SECONDS", 1000)
    async with serving(data_center=data_center.application) as application:
        data_center.close_gate()
        await application.pay()
        status, said, headers = await application.pay()
        assert (status, said, headers["Retry-After"]) == (503, {"message": "writes are refused"}, "2")
        data_center.open_gate()
        assert await application.database.follow("data_center")  # another database is asked at once
        assert (await application.pay())[0] == 201


@in_loop
async def test_a_database_that_is_read_only_refuses_as_a_gate_does(data_center):
    data_center.run(f"ALTER DATABASE {data_center.database} SET default_transaction_read_only TO on")
    async with serving(data_center=data_center.application) as application:
        status, said, _ = await application.pay()
        assert (status, said) == (503, {"message": "writes are refused (25006)"})
        assert application.looks


@in_loop
async def test_sessions_that_are_ended_cost_no_read(data_center):
    async with serving(data_center=data_center.application) as application:
        _, paid, _ = await application.pay()
        for _ in range(5):
            data_center.end_sessions()
            reads = await asyncio.gather(*(application.get(f"/payments/{paid['id']}") for _ in range(10)))
            assert {status for status, _ in reads} == {200}
        assert application.looks


@in_loop
async def test_a_payment_whose_session_is_ended_under_way_is_made_once_by_the_next_try(data_center):
    async with serving(data_center=data_center.application) as application:
        with psycopg.connect(data_center.owner) as blocking:
            blocking.execute("LOCK TABLE ledger_entry IN EXCLUSIVE MODE")
            paying = asyncio.create_task(application.pay())

            async def waits():
                return data_center.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")

            await until(waits)
            data_center.end_sessions()
            status, said, headers = await paying
        assert (status, said["message"]) == (503, "the database does not answer (57P01)")
        assert headers["Retry-After"] == "2"

        async def paid():
            return (await application.pay())[0] == 201

        await until(paid)
    assert data_center.value("SELECT count(*) FROM payment WHERE details ? 'order'") == 1


@in_loop
async def test_who_would_wait_too_long_is_sent_away_at_once(data_center, monkeypatch):
    monkeypatch.setattr(pools_module, "WRITES", (4, 4))
    monkeypatch.setattr(pools_module, "WAITING_WRITES", 1)
    async with serving(data_center=data_center.application) as application:
        with psycopg.connect(data_center.owner) as blocking:
            blocking.execute("LOCK TABLE ledger_entry IN EXCLUSIVE MODE")
            paying = [asyncio.create_task(application.pay(f"key-{number}")) for number in range(8)]
            away, _ = await asyncio.wait(paying, return_when=asyncio.FIRST_COMPLETED)
            busy = (503, {"message": "too many requests wait for the database"})
            assert {(task.result()[0], task.result()[1]["message"]) for task in away} == {(busy[0], busy[1]["message"])}
            assert (await application.get("/payments/1"))[0] == 200
        assert {(await payment)[0] for payment in paying} == {201, 503}
        assert not application.looks  # nothing is broken


@in_loop
async def test_too_many_reads_are_sent_away_too(data_center, monkeypatch):
    monkeypatch.setattr(pools_module, "READS", (1, 1))
    monkeypatch.setattr(pools_module, "WAITING_READS", 1)
    async with serving(data_center=data_center.application) as application:
        with psycopg.connect(data_center.owner) as blocking:
            blocking.execute("LOCK TABLE payment IN ACCESS EXCLUSIVE MODE")
            reading = [asyncio.create_task(application.get("/payments/1")) for _ in range(4)]
            away, _ = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
            assert {task.result()[0] for task in away} == {503}
        assert 200 in {(await read)[0] for read in reading}


@in_loop
async def test_who_has_waited_for_a_connection_while_others_were_refused_asks_nobody(data_center, monkeypatch):
    monkeypatch.setattr(pools_module, "WRITES", (1, 1))
    monkeypatch.setattr(database_module, "_ASK_AGAIN_SECONDS", 1000)
    async with serving(data_center=data_center.application) as application:
        with psycopg.connect(data_center.owner) as blocking:
            blocking.execute("LOCK TABLE ledger_entry IN EXCLUSIVE MODE")
            paying = [asyncio.create_task(application.pay(f"key-{number}")) for number in range(3)]

            async def all_wait():
                return application.database._pools.writes.get_stats().get("requests_waiting") == 2

            await until(all_wait)
            data_center.close_gate()
        said = sorted([(await payment)[1].get("message", "paid") for payment in paying])
        assert said == ["writes are refused", "writes are refused", "writes are refused (42501)"]


@in_loop
async def test_a_key_whose_payment_is_not_there_yet_is_tried_again(data_center):
    data_center.run(
        "SET session_replication_role TO replica; INSERT INTO idempotency_key (key, digest, payment_id) VALUES ('key', '', 999)"
    )
    async with serving(data_center=data_center.application) as application:
        assert (await application.pay())[0] == 503


@in_loop
async def test_a_sequence_that_stands_wrong_is_told_from_a_gate(data_center):
    data_center.run("ALTER SEQUENCE payment_id_seq RESTART WITH 1")
    async with serving(data_center=data_center.application) as application:
        status, said, headers = await application.pay()
        assert (status, said) == (500, {"message": "the database refused the payment (23505)"})
        assert "Retry-After" not in headers


@in_loop
async def test_it_follows_to_another_database_and_stays_where_it_is_while_that_one_is_out_of_reach(
    data_center, aurora, monkeypatch
):
    monkeypatch.setattr(pools_module, "CONNECT_SECONDS", 1)
    nowhere = f"postgresql://payments_application@127.0.0.1:{free_port()}/x"
    async with serving(data_center=data_center.application, aurora=aurora.application, nowhere=nowhere) as application:
        for name in ("unheard of", "nowhere"):
            assert not await application.database.follow(name)
            assert (await application.pay())[0] == 201
        assert await application.database.follow("aurora")
        _, ready = await application.get("/actuator/health/readiness")
        assert ready["components"]["db"]["details"] == {"database": "aurora"}
        assert (await application.pay())[0] == 503
        aurora.open_gate()
        aurora.run("INSERT INTO account (id, name) VALUES (7, 'seven')")

        async def paid():
            return (await application.pay())[0] == 201

        await until(paid)
    assert aurora.value("SELECT count(*) FROM payment") == 1


@in_loop
async def test_without_a_database_it_lives_is_not_ready_and_comes_back_by_itself(data_center, monkeypatch):
    monkeypatch.setattr(pools_module, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(database_module, "_READ_SECONDS", 0.3)
    async with serving(data_center=data_center.application) as application:
        _, paid, _ = await application.pay()
        data_center.admit(False)
        data_center.server.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{data_center.database}'"
        )
        assert (await application.pay("other"))[0] == 503
        status, said = await application.get(f"/payments/{paid['id']}")
        assert status == 503
        assert said["message"].startswith("the database does not answer")
        assert await application.get("/actuator/health/liveness") == (200, {"status": "UP"})
        status, said = await application.get("/actuator/health/readiness")
        assert (status, said["status"]) == (503, "DOWN")
        data_center.admit(True)

        async def ready():
            return (await application.get("/actuator/health"))[0] == 200

        await until(ready)
        assert (await application.get(f"/payments/{paid['id']}"))[0] == 200


@in_loop
async def test_after_a_database_was_away_for_long_payments_go_on_however_many_have_waited(data_center, monkeypatch):
    monkeypatch.setattr(pools_module, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(pools_module, "WAITING_WRITES", 1)
    async with serving(data_center=data_center.application) as application:
        data_center.admit(False)
        data_center.server.run(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{data_center.database}'"
        )

        async def given_up():
            answers = await asyncio.gather(*(application.pay(f"key-{number}") for number in range(4)))
            assert {answer[0] for answer in answers} == {503}
            pool = application.database._pools.writes.get_stats()
            return not pool["pool_size"] and pool["requests_waiting"]

        await until(given_up)
        data_center.admit(True)

        async def paid():
            return (await application.pay())[0] == 201

        await until(paid)
        assert application.database.name == "data_center"


@in_loop
async def test_who_comes_back_does_not_undo_what_the_pointer_has_done_meanwhile(data_center, aurora):
    async with serving(data_center=data_center.application, aurora=aurora.application) as application:
        database = application.database
        before = database._pools
        assert await database.follow("aurora")
        assert await database._use("data_center", before)
        assert database.name == "aurora"
        await database._come_back(before)
        assert (database.name, database._pools is before) == ("aurora", False)


@in_loop
async def test_a_read_that_no_connection_may_make_is_refused_and_looks_at_the_pointer(data_center):
    data_center.run("REVOKE SELECT ON payment FROM payments_application")
    async with serving(data_center=data_center.application) as application:
        assert await application.get("/payments/1") == (503, {"message": "the database does not answer (42501)"})
        assert len(application.looks) == 4


@in_loop
async def test_before_any_database_was_reached_it_says_so():
    async with serving(first="nowhere") as application:
        assert await application.get("/payments/1") == (503, {"message": "no database was reached yet"})
        assert (await application.pay())[1] == {"message": "no database was reached yet"}
        assert (await application.get("/actuator/health/readiness"))[0] == 503
