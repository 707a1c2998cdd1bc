"""What an Application Load Balancer does with a request: rule, weights, a target of the group, and the answer.

As the real one does: 503 for a group without targets or a rule whose weights are all 0, 502 for a target that hangs up,
504 for one that says nothing. A request is tried once. A group whose targets are all unhealthy gets requests anyway.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from rehearsal.clock import now
from rehearsal.events import EventFile, Routed, Weighed
from rehearsal.measures import percentile
from rehearsal.routing import Fixed, Forward, Route, Split, choose_route, group_name, read_rules

_HEALTHY_AFTER, _UNHEALTHY_AFTER = 2, 2
_CHECK_TIMEOUT = aiohttp.ClientTimeout(total=2)
_TARGET_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)
# Of one connection, not of the message. https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"})
_OWN = frozenset({"content-length", "date", "server"})
_PATH_THAT_DECIDES = "/payments"
_OK = 200
# The real one grows with its load; this one has a core at most, and whoever waits for it longer than a client does was
# worked for in vain, again and again, until nothing gets through. So of requests that can be made again it passes on
# so many at once, and tells the others at once to come again. It passes on every read.
_MOST_WRITES = 128
_COME_AGAIN_SECONDS = "2"
_READS = ("GET", "HEAD")
# What its log says of a client that did not wait. The server must cancel the request then (handler_cancellation).
_CLIENT_GONE = 460


@dataclass(slots=True)
class Target:
    """A process that stands in for a target, and what its health checks found; `streak` > 0 counts successes."""

    url: str
    healthy: bool = False
    streak: int = 0

    def note(self, *, passed: bool) -> None:
        """Take in one check: some in a row change the opinion."""
        self.streak = max(self.streak, 0) + 1 if passed else min(self.streak, 0) - 1
        if self.streak >= _HEALTHY_AFTER or self.streak <= -_UNHEALTHY_AFTER:
            self.healthy = self.streak > 0


@dataclass(slots=True)
class Group:
    """A target group: what stands in for its targets, whether it has any, and the path of its health check."""

    targets: list[Target]
    registered: bool = False
    check_path: str = "/"
    _turn: itertools.count[int] = field(default_factory=itertools.count)

    def next(self) -> Target | None:
        """The target of the next request; where none is healthy all are asked, where none is registered nobody."""
        if not self.registered:
            return None
        able = [target for target in self.targets if target.healthy] or self.targets
        return able[next(self._turn) % len(able)]


class Balancer:
    """Listeners, groups, and what passed since the last record."""

    def __init__(self, listeners: Sequence[str], groups: Mapping[str, Sequence[str]], record: EventFile) -> None:
        self.groups = {arn: Group([Target(f"http://{place}") for place in places]) for arn, places in groups.items()}
        self._routes: dict[str, tuple[Route, ...]] = dict.fromkeys(listeners, ())
        self._splits: dict[str, Split] = defaultdict(Split)
        self._weights: dict[str, dict[str, int]] = {}
        self._record = record
        self._passed: list[tuple[str, int, float]] = []
        self._writing = 0
        self.session: aiohttp.ClientSession

    # --- what the embedded AWS says -----------------------------------------------------------------------------------
    def take_rules(self, listener: str, rules: Sequence[Mapping[str, Any]]) -> None:
        """The rules of a listener as they stand now."""
        self._routes[listener] = read_rules(rules)
        deciding = choose_route(self._routes[listener], _PATH_THAT_DECIDES)
        weights: dict[str, int] = {}
        if deciding and isinstance(deciding.action, Forward):
            weights = {group_name(arn): weight for arn, weight in deciding.action.weights}
        if weights != self._weights.get(listener):
            self._weights[listener] = weights
            self._record.write(Weighed(now(), listener, weights))

    def take_targets(self, registered: Mapping[str, bool], check_paths: Mapping[str, str]) -> None:
        """Which groups have targets, and where their health is asked for."""
        for arn, group in self.groups.items():
            group.registered = registered[arn]
            group.check_path = check_paths[arn]

    # --- requests -----------------------------------------------------------------------------------------------------
    def handler(self, listener: str) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
        """What answers the requests of a listener."""

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            started, name, status = now(), "", _CLIENT_GONE
            try:
                name, response = await self._answer(listener, request)
                status = response.status
            finally:
                self._passed.append((name, status, now() - started))
            return response

        return handle

    async def _answer(self, listener: str, request: web.BaseRequest) -> tuple[str, web.Response]:
        route = choose_route(self._routes[listener], request.path)
        if route is None:
            return "", web.Response(status=503)
        if isinstance(route.action, Fixed):
            fixed = route.action
            return "", web.Response(status=fixed.status, text=fixed.body, content_type=fixed.content_type)
        arn = self._splits[f"{listener} {route.priority}"].choose(route.action)
        target = self.groups[arn].next() if arn in self.groups else None
        name = group_name(arn) if arn else ""
        if target is None:
            return name, web.Response(status=503)
        if request.method in _READS:
            return name, await self._forward(request, target)
        if self._writing >= _MOST_WRITES:
            return name, web.Response(status=503, headers={"Retry-After": _COME_AGAIN_SECONDS}, text="too much at once")
        self._writing += 1
        try:
            return name, await self._forward(request, target)
        finally:
            self._writing -= 1

    async def _forward(self, request: web.BaseRequest, target: Target) -> web.Response:
        headers = _end_to_end(request.headers)
        before = headers.get("X-Forwarded-For")
        headers["X-Forwarded-For"] = f"{before}, {request.remote}" if before else str(request.remote)
        url = URL(f"{target.url}{request.raw_path}", encoded=True)
        body = await request.read()
        try:
            async with self.session.request(
                request.method, url, headers=headers, data=body or None, allow_redirects=False, timeout=_TARGET_TIMEOUT
            ) as answer:
                content = await answer.read()
        except TimeoutError:
            return web.Response(status=504)
        except (aiohttp.ClientError, ConnectionError):
            return web.Response(status=502)
        return web.Response(status=answer.status, headers=_end_to_end(answer.headers), body=content)

    # --- what it does on its own --------------------------------------------------------------------------------------
    async def check_health(self) -> None:
        """One round of health checks."""
        await asyncio.gather(
            *(self._check(target, group.check_path) for group in self.groups.values() for target in group.targets)
        )

    async def _check(self, target: Target, path: str) -> None:
        passed = False
        with suppress(aiohttp.ClientError, ConnectionError, TimeoutError):
            async with self.session.get(f"{target.url}{path}", timeout=_CHECK_TIMEOUT) as answer:
                passed = answer.status == _OK
        target.note(passed=passed)

    def tell(self) -> None:
        """Record what has passed since the last time."""
        passed, self._passed = self._passed, []
        times = sorted(seconds for _, _, seconds in passed)
        by_group = Counter(name for name, _, _ in passed)
        by_status = Counter(str(status) for _, status, _ in passed)
        p50, p99 = percentile(times, 50), percentile(times, 99)
        self._record.write(Routed(now(), len(passed), dict(by_group), dict(by_status), p50, p99))


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """The headers that go further than one connection."""
    return CIMultiDict((k, v) for k, v in headers.items() if (low := k.lower()) not in _HOP and low not in _OWN)
