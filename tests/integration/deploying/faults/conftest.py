"""Deployments as processes of their own, which reach AWS through a proxy that breaks what passes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from localaws import process
from tests.integration.deploying.faults.proxy import Proxy, proxying

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def proxied(endpoint):
    with proxying(endpoint) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def zygote(proxied):
    with born(proxied.url) as made:
        yield made


@contextmanager
def born(endpoint, **environ):
    """A process that begets deployments; `environ` is read by what is made once, the clients."""
    command = [sys.executable, str(Path(__file__).parent / "zygote.py"), endpoint]
    environ = {**os.environ, **environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ) as made:
        yield made
        made.stdin.close()


@dataclass
class Child:
    """A deployment in a process of its own."""

    zygote: subprocess.Popen
    number: int
    files: dict[str, str]

    def end(self) -> Child:
        """Wait for it."""
        self.code = ask(self.zygote, {"wait": self.number})
        self.out, self.err = (Path(self.files[name]).read_text() for name in ("out", "err"))
        return self


def ask(zygote, request):
    zygote.stdin.write(json.dumps(request) + "\n")
    zygote.stdin.flush()
    return int(zygote.stdout.readline())


@dataclass
class Faulty:
    """The world of a test, and what breaks in it."""

    world: object
    zygote: subprocess.Popen
    proxy: Proxy
    started: int = 0

    def start(self, *arguments, **how) -> Child:
        self.started += 1
        files = {name: str(self.world.root / f"{self.started}.{name}") for name in ("out", "err")}
        request = {
            "arguments": [*(arguments or ("--yes",)), *self.world.where.split(), "--local"],
            "root": str(self.world.root),
            "environ": process.environment(self.proxy.url),
            **files,
            **how,
        }
        return Child(self.zygote, ask(self.zygote, {"start": request}), files)

    def run(self, *arguments, **how) -> Child:
        return self.start(*arguments, **how).end()

    def run_until(self, number: int, signal: int, *arguments) -> Child:
        """A deployment that gets a signal when AWS has worked on its n-th call, and before it hears of that."""
        child = None

        def after(call):
            if call.number == number:
                os.kill(child.number, signal)

        self.proxy.clear()
        self.proxy.plan = lambda call: "dropped after" if call.number == number else None
        self.proxy.after = after
        gate = self.proxy
        gate._lock.acquire()  # until `child` is known
        child = self.start(*arguments)
        gate._lock.release()
        child.end()
        self.proxy.clear()
        return child

    def is_right(self, title: str = "") -> None:
        """The state that a deployment is to end in: all deployed, all told, nothing left over."""
        world = self.world
        assert world.status() in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        assert world.log_groups() == {"requests": 30}
        assert world.leftovers() == []
        assert set(world.outputs()) == {"OrdersArn", "Alarms.AlarmArn", "Topics.OrdersArn", "Logs.RequestsName"}
        assert world.titled() == title
        assert world.files() <= {"flat-outputs.json", "deployed.json", "review.md", "review.html"}
        assert json.loads((world.build.folder / "deployed.json").read_text())["stack"] == world.stack


@pytest.fixture
def faulty(world, zygote, proxied):
    proxied.clear()
    return Faulty(world, zygote, proxied)
