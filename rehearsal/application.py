"""The payments application of the rehearsal, in place of the Java one: what the runbook of the cutover asks of it.

    POST /payments         with Idempotency-Key and {"account", "amount", "currency"}: 201, and for the same key again
    GET  /payments/{id}    200 or 404
    GET  /actuator/health, /actuator/health/liveness, /actuator/health/readiness

503 with Retry-After: not now, come again with the same key. It follows the pointer, and reads go on meanwhile.

    python -m rehearsal.application --port 9001 --pointer /payments/dev/database

The DSNs of its databases are in the environment, as a container's secrets: DATABASE_DATA_CENTER, DATABASE_AURORA.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import psycopg
from aiohttp import web

from rehearsal.database import Database, KeyReused, Order, Unavailable
from rehearsal.errors import RehearsalError
from rehearsal.pointer import Pointer, reader
from rehearsal.serving import complain, listen, until_told

PLACES = {"data_center": "DATABASE_DATA_CENTER", "aurora": "DATABASE_AURORA"}
# A freeze lasts seconds. Of 200 payments a second that are refused for five, each that came again every second would be
# a thousand requests a second at its end: more than the payments themselves ever are.
_RETRY_AFTER_SECONDS = "2"
_CURRENCY = re.compile(r"[A-Z]{3}")
_KEY = re.compile(r"[!-~]{1,200}")
_LARGEST_AMOUNT = Decimal(10**12)


class Refusal(Exception):  # noqa: N818 - it is an answer, not a defect
    """The request makes no sense; the message says why."""


def read_order(key: str | None, body: bytes) -> Order:
    """The payment that a request asks for; raises Refusal."""
    if key is None or not _KEY.fullmatch(key):
        raise Refusal("give an Idempotency-Key of 1 to 200 visible characters")
    try:
        asked = json.loads(body, parse_float=Decimal)
        account, currency, details = asked["account"], asked["currency"], asked.get("details", {})
        amount = Decimal(str(asked["amount"]))
    except (ValueError, LookupError, TypeError, AttributeError, InvalidOperation):
        raise Refusal("the body must be a JSON object with account, amount and currency") from None
    if type(account) is not int:
        raise Refusal("account must be a number")
    if not amount.is_finite() or not 0 < amount < _LARGEST_AMOUNT or amount != round(amount, 2):
        raise Refusal("amount must be above 0, with two decimal places at most")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise Refusal("currency must be three capital letters")
    if not isinstance(details, dict):
        raise Refusal("details must be a JSON object")
    same = json.dumps([account, str(round(amount, 2)), currency, details], sort_keys=True, default=str)
    return Order(key, hashlib.sha256(same.encode()).digest(), account, amount, currency, details)


class Application:
    """The handlers; `database` is followed elsewhere."""

    def __init__(self, name: str, database: Database) -> None:
        self._name = name
        self._database = database

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/payments", self.pay),
            web.get("/payments/{id:[0-9]{1,18}}", self.read),
            web.get("/actuator/health/liveness", self.alive),
            web.get("/actuator/health/readiness", self.ready),
            web.get("/actuator/health", self.ready),
        ]

    async def pay(self, request: web.Request) -> web.Response:
        try:
            order = read_order(request.headers.get("Idempotency-Key"), await request.read())
            return self._tell(201, await self._database.pay(order))
        except Refusal as refusal:
            return self._tell(400, {"message": str(refusal)})
        except KeyReused:
            return self._tell(422, {"message": "this Idempotency-Key has made another payment"})
        except Unavailable as unavailable:
            return self._tell(503, {"message": str(unavailable)})
        except (psycopg.DataError, psycopg.IntegrityError) as refused:
            # An unknown account is the client's doing, an id that is there already is ours: a sequence stands wrong.
            status = 400 if isinstance(refused, psycopg.errors.ForeignKeyViolation) else 500
            return self._tell(status, {"message": f"the database refused the payment ({refused.sqlstate})"})

    async def read(self, request: web.Request) -> web.Response:
        try:
            found = await self._database.read(int(request.match_info["id"]))
        except Unavailable as unavailable:
            return self._tell(503, {"message": str(unavailable)})
        return self._tell(404, {"message": "no such payment"}) if found is None else self._tell(200, found)

    async def alive(self, _: web.Request) -> web.Response:
        """Whether this process answers, whatever its database does."""
        return self._tell(200, {"status": "UP"})

    async def ready(self, _: web.Request) -> web.Response:
        """Whether its database answers, and which one that is."""
        await self._database.check()
        up = "UP" if self._database.answers else "DOWN"
        components = {"db": {"status": up, "details": {"database": self._database.name}}}
        return self._tell(200 if up == "UP" else 503, {"status": up, "components": components})

    def _tell(self, status: int, document: Mapping[str, Any]) -> web.Response:
        headers = {"X-Instance": self._name}
        if status == web.HTTPServiceUnavailable.status_code:
            headers["Retry-After"] = _RETRY_AFTER_SECONDS
        return web.Response(
            body=json.dumps(document).encode(), status=status, headers=headers, content_type="application/json"
        )


async def run(name: str, port: int, places: Mapping[str, str], follower: tuple[str, str, float]) -> None:
    """Serve until told to end; `follower` is the pointer's parameter, its region and the seconds between two looks."""
    parameter, region, interval = follower
    pointer: Pointer

    async def moved(to: str) -> None:
        if to != database.name:
            await database.follow(to)

    database = Database(places, refused=lambda: pointer.look())  # noqa: PLW0108 - the two know each other
    pointer = Pointer(reader(parameter, region), moved, interval)
    await pointer.once()
    following = asyncio.create_task(pointer.run())
    served = web.Application()
    served.add_routes(Application(name, database).routes())
    runner = web.AppRunner(served, access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        print(f"{name} listens on 127.0.0.1:{await listen(runner, port)}", flush=True)
        await until_told(following)
    finally:
        await runner.cleanup()
        following.cancel()
        await database.close()


def read_places(environment: Mapping[str, str]) -> dict[str, str]:
    """The DSN of each database that the application may use; RehearsalError where there is none."""
    places = {place: environment[name] for place, name in PLACES.items() if name in environment}
    if not places:
        raise RehearsalError(
            "the application was given no database", hint=f"set {' and '.join(PLACES.values())} to their DSNs"
        )
    return places


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """The process; its first line says where it listens."""
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal.application", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--name", default="application", help="what it calls itself in X-Instance")
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; 0: any that is free")
    parser.add_argument("--pointer", required=True, help="the SSM parameter that names the database")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--interval", type=float, default=0.2, help="seconds between two looks at the pointer")
    given = parser.parse_args(arguments)
    try:
        follower = (given.pointer, given.region, given.interval)
        asyncio.run(run(given.name, given.port, read_places(environment), follower))
    except RehearsalError as error:
        return complain(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
