"""The pointer is followed, at once when that is asked for, and the process of the application obeys it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
import urllib.error
import urllib.request
from contextlib import suppress

import pytest
from botocore.exceptions import EndpointConnectionError

from rehearsal.application import main
from rehearsal.pointer import Pointer, reader
from rehearsal.ports import free_port
from tests.integration.rehearsal.conftest import POINTER, in_loop

_FOREVER = 10_000


class Told:
    """Takes what a pointer says."""

    def __init__(self, wanted: int) -> None:
        self.values: list[str] = []
        self.enough = asyncio.Event()
        self._wanted = wanted

    async def __call__(self, value: str) -> None:
        self.values.append(value)
        if len(self.values) == self._wanted:
            self.enough.set()


async def _follow(pointer: Pointer, told: Told) -> None:
    following = asyncio.create_task(pointer.run())
    await told.enough.wait()
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following


@in_loop
async def test_it_is_read_again_and_again():
    told = Told(3)
    await _follow(Pointer(lambda: "aurora", told, interval=0), told)
    assert told.values == ["aurora"] * 3


@in_loop
async def test_it_is_read_at_once_when_that_is_asked_for():
    told = Told(2)

    async def moved(value):
        await told(value)
        pointer.look()

    pointer = Pointer(lambda: "aurora", moved, _FOREVER)
    await _follow(pointer, told)
    assert told.values == ["aurora"] * 2


@in_loop
async def test_a_read_that_fails_says_nothing_and_is_made_again():
    answers = iter([EndpointConnectionError(endpoint_url="x"), "aurora"])

    def read():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    told = Told(1)
    await _follow(Pointer(read, told, interval=0), told)
    assert told.values == ["aurora"]


def test_it_is_the_parameter_of_the_account(aws):
    read = reader(POINTER, "us-east-1")
    assert read() == "data_center"
    aws.point("aurora")
    assert read() == "aurora"


def _get(url):
    try:
        with urllib.request.urlopen(url) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return json.load(refused)


def test_the_process_serves_follows_the_pointer_and_ends_when_told(alone, aws, data_center, aurora, capsys):
    port, seen = free_port(), []

    def operate():
        try:
            for place in ("data_center", "aurora"):
                aws.point(place)
                found = {}
                while found.get("components", {}).get("db", {}).get("details") != {"database": place}:
                    with suppress(urllib.error.URLError):
                        found = _get(f"http://127.0.0.1:{port}/actuator/health")
                seen.append(found["status"])
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    operator = threading.Thread(target=operate)
    environment = {"DATABASE_DATA_CENTER": data_center.application, "DATABASE_AURORA": aurora.application}
    operator.start()
    arguments = ["--name", "blue", "--port", str(port), "--pointer", POINTER, "--interval", "0"]
    assert main(arguments, environment) == 0
    operator.join()
    assert seen == ["UP", "UP"]
    assert capsys.readouterr().out == f"blue listens on 127.0.0.1:{port}\n"


def test_what_keeps_the_process_from_starting_is_one_sentence_and_a_next_step(alone, aws, data_center, capsys):
    assert main(["--pointer", POINTER], {}) == 1
    assert capsys.readouterr().err == (
        "the application was given no database\n  set DATABASE_DATA_CENTER and DATABASE_AURORA to their DSNs\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        arguments = ["--pointer", POINTER, "--port", str(port)]
        assert main(arguments, {"DATABASE_DATA_CENTER": data_center.application}) == 1
    assert f"port {port} of this machine cannot be listened on (" in capsys.readouterr().err


def test_a_loop_that_breaks_ends_the_process_loudly(alone, aws, data_center, monkeypatch):
    def broken(parameter, region):
        answers = ["data_center"]
        return answers.pop

    monkeypatch.setattr("rehearsal.application.reader", broken)
    with pytest.raises(IndexError, match="pop from empty list"):
        main(["--pointer", POINTER], {"DATABASE_DATA_CENTER": data_center.application})
