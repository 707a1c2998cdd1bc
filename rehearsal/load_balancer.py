"""The data plane of the Application Load Balancer, which the embedded AWS has not: a proxy that obeys its listeners.

Five times a second it reads the rules of its listeners and their weights, once a second which target groups have
targets, and forwards by them to processes of this machine. What stands in for the targets of a group is told at the
start. While the embedded AWS does not answer, what was last read holds.

    python -m rehearsal.load_balancer --listener ARN=8080 --group ARN=127.0.0.1:9001 --record balancer.jsonl
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from rehearsal.balancer import Balancer
from rehearsal.errors import RehearsalError
from rehearsal.events import EventFile
from rehearsal.serving import complain, listen, until_told

_READ_SECONDS = 0.2
# Targets come and go with deployments, not with weights.
_TARGETS_EVERY = 5
# The real one checks every 10 s (templates/load_balancer_targets.py); a rehearsal is over in a minute.
_CHECK_SECONDS = 0.5


class ControlPlane:
    """Reads what the embedded AWS says of listeners and groups; blocking, for a thread of its own."""

    def __init__(self, region: str, listeners: Sequence[str], groups: Sequence[str]) -> None:
        import boto3
        from botocore.config import Config

        brief = Config(connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 1})
        self._client: Any = boto3.client("elbv2", region_name=region, config=brief)
        self._listeners, self._groups = listeners, groups

    def rules(self) -> dict[str, list[dict[str, Any]]]:
        """The rules of each listener."""
        return {arn: self._client.describe_rules(ListenerArn=arn)["Rules"] for arn in self._listeners}

    def targets(self) -> tuple[dict[str, bool], dict[str, str]]:
        """Whether each group has targets, and the path of its health check."""
        told = self._client.describe_target_groups(TargetGroupArns=list(self._groups))["TargetGroups"]
        paths = {group["TargetGroupArn"]: group.get("HealthCheckPath", "/") for group in told}
        health = {arn: self._client.describe_target_health(TargetGroupArn=arn) for arn in self._groups}
        return {arn: bool(found["TargetHealthDescriptions"]) for arn, found in health.items()}, paths


async def obey(balancer: Balancer, plane: ControlPlane, count: int) -> None:
    """Read once what the embedded AWS says; of `count` readings every fifth looks at the targets too."""
    if count % _TARGETS_EVERY == 0:
        balancer.take_targets(*await asyncio.to_thread(plane.targets))
    for listener, rules in (await asyncio.to_thread(plane.rules)).items():
        balancer.take_rules(listener, rules)


async def _obey_always(balancer: Balancer, plane: ControlPlane) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    count = 0
    while True:
        count += 1
        with suppress(BotoCoreError, ClientError):
            await obey(balancer, plane, count)
        await asyncio.sleep(_READ_SECONDS)


async def _every(seconds: float, act: Callable[[], Awaitable[None]]) -> None:
    while True:
        await act()
        await asyncio.sleep(seconds)


async def run(
    region: str, listeners: Mapping[str, int], groups: Mapping[str, Sequence[str]], record: EventFile
) -> None:
    """Serve until told to end."""
    from botocore.exceptions import BotoCoreError, ClientError

    plane = ControlPlane(region, list(listeners), list(groups))
    balancer = Balancer(list(listeners), groups, record)
    try:
        await obey(balancer, plane, 0)
    except (BotoCoreError, ClientError) as problem:
        raise RehearsalError(
            f"the listeners and target groups cannot be read ({problem})",
            hint="deploy first, and set AWS_ENDPOINT_URL to the embedded AWS",
        ) from None

    async def tell() -> None:
        balancer.tell()

    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
    async with aiohttp.ClientSession(
        connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    ) as balancer.session:  # fmt: skip
        await balancer.check_health()
        await balancer.check_health()
        loops = [
            asyncio.create_task(loop)
            for loop in (
                _obey_always(balancer, plane),
                _every(_CHECK_SECONDS, balancer.check_health),
                _every(1.0, tell),
            )
        ]
        runners = []
        try:
            for listener, port in listeners.items():
                runner = web.ServerRunner(
                    web.Server(balancer.handler(listener), handler_cancellation=True, access_log=None),
                    shutdown_timeout=5,
                )
                await runner.setup()
                runners.append(runner)
                print(f"{listener} listens on 127.0.0.1:{await listen(runner, port)}", flush=True)
            await until_told(*loops)
        finally:
            for loop in loops:
                loop.cancel()
            for runner in runners:
                await runner.cleanup()
            balancer.tell()


def main(arguments: Sequence[str] | None = None) -> int:
    """The process; its first lines say where each listener is."""
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal.load_balancer", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--listener", action="append", required=True, metavar="ARN=PORT", help="0: any free port")
    parser.add_argument("--group", action="append", required=True, metavar="ARN=HOST:PORT,…", help="its stand-ins")
    parser.add_argument("--record", type=Path, required=True, help="file of events that is appended to")
    parser.add_argument("--region", default="us-east-1")
    given = parser.parse_args(arguments)
    try:
        listeners = {arn: _port(port) for arn, port in map(_pair, given.listener)}
        groups = {arn: places.split(",") for arn, places in map(_pair, given.group)}
        asyncio.run(run(given.region, listeners, groups, EventFile(given.record)))
    except RehearsalError as error:
        return complain(error)
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.rpartition("=")
    if not equals or not name or not value:
        raise RehearsalError(f"{text!r} is no ARN=VALUE", hint="write --listener ARN=PORT, --group ARN=HOST:PORT")
    return name, value


def _port(text: str) -> int:
    if not text.isdecimal():
        raise RehearsalError(f"{text!r} is no port", hint="write --listener ARN=PORT")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
