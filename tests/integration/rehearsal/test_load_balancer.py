"""The load balancer obeys the listeners of the embedded AWS, and fails as the real one does."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from botocore.exceptions import EndpointConnectionError

from rehearsal import balancer as balancer_module
from rehearsal import load_balancer
from rehearsal.balancer import Balancer, Group, Target
from rehearsal.events import EventFile, Routed, Weighed, read_events
from rehearsal.load_balancer import ControlPlane, main, obey
from rehearsal.ports import free_port
from rehearsal.serving import listen
from tests.integration.rehearsal.conftest import in_loop


class Site:
    """A process that stands in for a target; tells what it was asked, and can be made ill or mute."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.healthy = True
        self.mute = False
        self.asked: list[web.BaseRequest] = []
        self.left = asyncio.Event()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/ready":
            return web.Response(status=200 if self.healthy else 503)
        if self.mute:
            try:
                await asyncio.Event().wait()
            finally:
                self.left.set()
        self.asked.append(request)
        body = await request.read()
        headers = {"X-Name": self.name, "Connection": "keep-alive", "X-Length": str(len(body))}
        return web.Response(status=201, body=self.name.encode() + body, headers=headers)


@asynccontextmanager
async def serve(handler):
    runner = web.ServerRunner(web.Server(handler, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    try:
        yield f"127.0.0.1:{await listen(runner, 0)}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def balancing(aws, path, **sites):
    """A balancer in front of sites, and a function that asks it."""
    async with AsyncExitStack() as stack:
        places = {
            name: site if isinstance(site, str) else await stack.enter_async_context(serve(site))
            for name, site in sites.items()
        }
        groups = {aws.groups[name]: [place] for name, place in places.items()}
        balancer = Balancer([aws.listener], groups, EventFile(path))
        balancer.session = await stack.enter_async_context(aiohttp.ClientSession(auto_decompress=False))
        client = await stack.enter_async_context(aiohttp.ClientSession())
        url = await stack.enter_async_context(serve(balancer.handler(aws.listener)))
        plane = ControlPlane("us-east-1", [aws.listener], list(groups))

        async def ask(path="/payments", method="GET", **named):
            async with client.request(method, f"http://{url}{path}", **named) as answer:
                return answer.status, await answer.text(), answer.headers

        ask.balancer, ask.plane = balancer, plane
        ask.obey = lambda: obey(balancer, plane, 0)
        yield ask


@in_loop
async def test_requests_are_shared_by_the_weights_of_the_listener_as_they_change(aws, tmp_path):
    path = tmp_path / "record"
    async with balancing(aws, path, dc=Site("dc"), blue=Site("blue")) as ask:
        assert (await ask())[0] == 503  # nothing is known yet
        shares = []
        for weights in ({"dc": 100, "blue": 0}, {"dc": 75, "blue": 25}, {"dc": 0, "blue": 100}):
            aws.weigh(**weights)
            await ask.obey()
            await ask.obey()
            shares.append(Counter([(await ask())[1] for _ in range(20)]))
        assert shares == [{"dc": 20}, {"dc": 15, "blue": 5}, {"blue": 20}]
        status, text, headers = await ask("/elsewhere")
        assert (status, text, headers["Content-Type"]) == (503, "No route. Try again.", "text/plain; charset=utf-8")
        ask.balancer.tell()
    *weighed, routed = read_events([path])
    assert [event.weights for event in weighed] == [
        {"dc": 100, "blue": 0},
        {"dc": 75, "blue": 25},
        {"dc": 0, "blue": 100},
    ]
    assert isinstance(routed, Routed)
    assert (routed.requests, routed.by_group) == (62, {"": 2, "dc": 35, "blue": 25})
    assert routed.by_status == {"201": 60, "503": 2}
    assert 0 < routed.p50 <= routed.p99


@in_loop
async def test_of_too_many_writes_at_once_some_are_told_to_come_again_and_reads_pass(aws, tmp_path, monkeypatch):
    monkeypatch.setattr(balancer_module, "_MOST_WRITES", 1)
    site = Site("dc")
    site.mute = True
    async with balancing(aws, tmp_path / "record", dc=site) as ask:
        await ask.obey()
        first = asyncio.create_task(ask(method="POST"))
        while not ask.balancer._writing:  # noqa: ASYNC110 - a balancer sets no event
            await asyncio.sleep(0.01)
        status, _, headers = await ask(method="POST")
        assert (status, headers["Retry-After"]) == (503, "2")
        site.mute = False
        assert (await ask())[0] == 201
        first.cancel()
        await site.left.wait()
        while ask.balancer._writing:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        assert (await ask(method="POST"))[0] == 201


@in_loop
async def test_a_request_arrives_as_it_was_sent_and_so_does_the_answer(aws, tmp_path):
    site = Site("dc")
    async with balancing(aws, tmp_path / "record", dc=site) as ask:
        await ask.obey()
        path, headers = "/payments/a%2Fb?x=%20", {"Idempotency-Key": "k", "Keep-Alive": "9", "Host": "payments.example"}
        status, text, answered = await ask(path, "POST", data=b"body", headers=headers)
        assert (status, text, answered["X-Name"], answered["X-Length"]) == (201, "dcbody", "dc", "4")
        await ask(headers={"X-Forwarded-For": "192.0.2.1"})
        first, second = site.asked
        assert (first.method, first.raw_path, first.headers["Idempotency-Key"]) == ("POST", path, "k")
        assert "Keep-Alive" not in first.headers
        assert first.headers["Host"] == "payments.example"
        assert first.headers["X-Forwarded-For"] == "127.0.0.1"
        assert second.headers["X-Forwarded-For"] == "192.0.2.1, 127.0.0.1"


@in_loop
async def test_it_fails_as_the_real_one_does(aws, tmp_path, monkeypatch):
    monkeypatch.setattr(balancer_module, "_TARGET_TIMEOUT", aiohttp.ClientTimeout(total=0.2))
    site = Site("dc")
    async with balancing(aws, tmp_path / "record", dc=site, blue=f"127.0.0.1:{free_port()}") as ask:
        await ask.obey()
        site.mute = True
        assert (await ask())[0] == 504
        site.mute = False
        aws.weigh(dc=0, blue=1)
        await ask.obey()
        assert (await ask())[0] == 502  # its target is not there, and nobody steps in
        aws.deregister("blue")
        await ask.obey()
        assert (await ask())[0] == 503
        aws.weigh(dc=0, blue=0)
        await ask.obey()
        assert (await ask())[0] == 503
    aws.weigh(dc=1, blue=1)
    async with balancing(aws, tmp_path / "record", dc=site) as ask:
        await ask.obey()
        assert [(await ask())[0] for _ in range(4)] == [201, 503, 201, 503]  # nobody stands in for blue


@in_loop
async def test_what_a_client_no_longer_waits_for_is_dropped(aws, tmp_path):
    site = Site("dc")
    async with balancing(aws, tmp_path / "record", dc=site) as ask:
        await ask.obey()
        site.mute = True
        with pytest.raises(TimeoutError):
            await ask(timeout=aiohttp.ClientTimeout(total=0.1))
        await site.left.wait()
        ask.balancer.tell()
    routed = list(read_events([tmp_path / "record"]))[-1]
    assert routed.by_status == {"460": 1}


def test_a_listener_that_forwards_nothing_has_no_weights(tmp_path):
    balancer = Balancer(["listener"], {}, EventFile(tmp_path / "record"))
    group = {"TargetGroupArn": "x:targetgroup/dc/1", "Weight": 5}
    forward = {"Type": "forward", "ForwardConfig": {"TargetGroups": [group]}}
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
    for action in (forward, forward, answer, answer):
        balancer.take_rules("listener", [{"RuleArn": "rule", "Priority": "default", "Actions": [action]}])
    assert [event.weights for event in read_events([tmp_path / "record"])] == [{"dc": 5}, {}]


def test_some_checks_in_a_row_change_the_opinion_of_a_target():
    target = Target("http://x")
    opinions = []
    for passed in (True, True, False, True, False, False, True, True):
        target.note(passed=passed)
        opinions.append(target.healthy)
    assert opinions == [False, True, True, True, True, False, False, True]


def test_a_group_asks_its_healthy_targets_in_turn_and_all_of_them_when_none_is():
    first, second = Target("first"), Target("second")
    group = Group([first, second])
    assert group.next() is None
    group.registered = True
    assert {group.next().url for _ in range(2)} == {"first", "second"}
    second.healthy = True
    assert {group.next().url for _ in range(4)} == {"second"}


@in_loop
async def test_health_is_asked_for_where_the_target_group_says(aws, tmp_path):
    site = Site("dc")
    async with balancing(aws, tmp_path / "record", dc=site, blue=f"127.0.0.1:{free_port()}") as ask:
        await ask.obey()
        healths = []
        for site.healthy in (True, False, True):
            await ask.balancer.check_health()
            await ask.balancer.check_health()
            healths.append([group.targets[0].healthy for group in ask.balancer.groups.values()])
        assert healths == [[True, False], [False, False], [True, False]]


@in_loop
async def test_targets_are_looked_at_less_often_than_rules(aws, tmp_path):
    async with balancing(aws, tmp_path / "record", dc=Site("dc")) as ask:
        await ask.obey()
        aws.deregister("dc")
        await obey(ask.balancer, ask.plane, 9)
        assert (await ask())[0] == 201
        await obey(ask.balancer, ask.plane, 10)
        assert (await ask())[0] == 503


def test_the_process_goes_on_with_what_it_knows_while_aws_does_not_answer(alone, aws, tmp_path, monkeypatch, capsys):
    path, port, site_port, seen = tmp_path / "record", free_port(), free_port(), []
    silent = threading.Event()
    missed = threading.Event()
    rules = ControlPlane.rules

    def read(plane):
        if silent.is_set():
            missed.set()
            raise EndpointConnectionError(endpoint_url=aws.url)
        return rules(plane)

    monkeypatch.setattr(ControlPlane, "rules", read)

    async def operate():
        runner = web.ServerRunner(web.Server(Site("blue")), shutdown_timeout=0.1)
        await runner.setup()
        await listen(runner, site_port)
        try:
            async with aiohttp.ClientSession() as client:

                async def ask():
                    async with client.get(f"http://127.0.0.1:{port}/payments") as answer:
                        return answer.status

                async def until(wanted):
                    status = 0
                    while status != wanted:
                        try:
                            status = await ask()
                        except aiohttp.ClientError:
                            await asyncio.sleep(0.01)

                await until(503)  # dc, which nobody stands in for
                aws.weigh(dc=0, blue=1)
                await until(201)
                silent.set()
                await asyncio.to_thread(missed.wait)
                seen.append(await ask())
                silent.clear()
                aws.weigh(dc=1, blue=0)
                await until(503)
        finally:
            await runner.cleanup()
            os.kill(os.getpid(), signal.SIGTERM)

    operator = threading.Thread(target=lambda: asyncio.run(operate()))
    operator.start()
    arguments = ["--listener", f"{aws.listener}={port}", "--group", f"{aws.groups['blue']}=127.0.0.1:{site_port}"]
    assert main([*arguments, "--record", str(path)]) == 0
    operator.join()
    assert seen == [201]
    assert capsys.readouterr().out == f"{aws.listener} listens on 127.0.0.1:{port}\n"
    events = list(read_events([path]))
    assert [event.weights["blue"] for event in events if isinstance(event, Weighed)] == [0, 1, 0]
    assert sum(event.requests for event in events if isinstance(event, Routed)) >= 4


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"--listener": "arn"}, "'arn' is no ARN=VALUE"),
        ({"--listener": "arn=http"}, "'http' is no port"),
        ({"--group": "=127.0.0.1:1"}, "'=127.0.0.1:1' is no ARN=VALUE"),
        ({"--listener": "arn:aws:x=0"}, "the listeners and target groups cannot be read ("),
        ({"--record": "/missing/record"}, "/missing/record cannot be written"),
    ],
)
def test_what_keeps_the_process_from_starting_is_one_sentence_and_a_next_step(
    alone, aws, tmp_path, capsys, change, problem
):
    group = f"{aws.groups['dc']}=127.0.0.1:{free_port()}"
    given = {"--listener": f"{aws.listener}=0", "--group": group, "--record": str(tmp_path / "record"), **change}
    assert load_balancer.main([word for pair in given.items() for word in pair]) == 1
    said = capsys.readouterr().err
    assert said.startswith(problem)
    assert "\n  " in said
