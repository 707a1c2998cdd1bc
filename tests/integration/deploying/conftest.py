"""The real commands, in this process, over real HTTP, on an embedded AWS.

Tests share the account as teams do, each with a suffix of its own; `empty` is one in which nothing was ever deployed.
"""

from __future__ import annotations

import importlib
import io
import itertools
import json
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
from botocore.session import Session

from deployer.aws import _read_time
from deployer.clock import CLOCK
from deployer.command import main
from localaws import process
from localaws.server import running
from tests.integration.deploying.small import Build

_SHORT = 0.02
_numbers = itertools.count(1)
_clients: dict = {}
_maker = Session()  # one for all clients: each session reads the lists of services and of endpoints for itself
_maker.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_read_time)  # as `connect` does


@pytest.fixture(scope="session")
def endpoint():
    with running() as url:
        yield url


@pytest.fixture(autouse=True, scope="module")
def quick():
    """Pauses are short, and clients are made once: to read the models of the services takes longer than a deployment."""
    real, made = CLOCK.sleep, Session.create_client

    def client(session, service, **named):
        region = session.get_config_variable("region")
        if region is None:  # the embedded AWS's own, which it makes for each region
            return made(session, service, **named)
        place = service, region, os.environ["AWS_ENDPOINT_URL"]
        if place not in _clients:
            _clients[place] = made(_maker, service, **{**named, "region_name": region})
            # Who connects registers the same handler each time: after some hundred runs that takes longer than the calls.
            events = _clients[place].meta.events
            events.register = lambda name, handler: type(events).register(events, name, handler, unique_id=handler)
        return _clients[place]

    object.__setattr__(CLOCK, "sleep", lambda seconds: time.sleep(min(seconds, _SHORT)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "create_client", client)
        patch.setattr("botocore.endpoint.time", mock.Mock(wraps=time, sleep=lambda seconds: None))
        yield
    object.__setattr__(CLOCK, "sleep", real)


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    code: int
    out: str
    err: str
    calls: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.calls.values())


class Terminal(io.StringIO):
    def isatty(self):
        return True


@dataclass
class World:
    """A repository with a build of the small system, an account, and what can be seen of both."""

    root: Path
    endpoint: str
    capsys: pytest.CaptureFixture
    build: Build

    @property
    def stack(self) -> str:
        return self.build.stack

    @property
    def where(self) -> str:
        """How a command line names this build."""
        return f"--env dev --suffix {self.build.suffix}"

    def run(self, *arguments: str, local: bool = True, typed: str | None = None) -> Run:
        """`python deploy.py …`; `typed` is what a person types, None where there is no terminal."""
        verb = arguments[:1] if arguments and not arguments[0].startswith("-") else ()
        rest = [*arguments[len(verb) :], *self.where.split(), *(["--local"] if local else [])]
        return self.main(*verb, *rest, typed=typed)

    def main(self, *arguments: str, typed: str | None = None) -> Run:
        self.capsys.readouterr()
        process.ask(self.endpoint, "DELETE", "/localaws/counters")
        stdin = io.StringIO() if typed is None else Terminal(typed)
        with mock.patch.object(sys, "stdin", stdin):
            code = main([*arguments], str(self.root))
        captured = self.capsys.readouterr()
        counted = process.ask(self.endpoint, "GET", "/localaws/counters")["calls"]
        calls = {name: number for service in counted.values() for name, number in service.items()}
        return Run(code, captured.out, captured.err, calls)

    def deployed(self) -> World:
        """With the small system deployed, so that what follows is a change."""
        done = self.run("--yes")
        assert done.code == 0, done.err
        return self

    def client(self, service: str):
        place = "test", service, os.environ["AWS_ENDPOINT_URL"]
        if place not in _clients:
            _clients[place] = _maker.create_client(service, region_name="us-east-1")
        return _clients[place]

    def forget(self) -> None:
        """Empty the account, and the folder of all that tells of a deployment."""
        process.ask(self.endpoint, "POST", "/localaws/reset")
        for name in self.files():
            (self.build.folder / name).unlink()

    @property
    def cloudformation(self):
        return self.client("cloudformation")

    def status(self, stack: str | None = None) -> str | None:
        """Of the stack, None where there is none."""
        stacks = self.cloudformation.describe_stacks()["Stacks"]
        return next((one["StackStatus"] for one in stacks if one["StackName"] == (stack or self.build.stack)), None)

    def leftovers(self) -> list[str]:
        """Change sets, and shells of stacks.

        Not those that AWS itself leaves in a nested stack that a deployment did not change: they go with the next one
        that does. https://github.com/aws/copilot-cli/issues/5614
        """
        found = []
        for stack in self.cloudformation.describe_stacks()["Stacks"]:
            if not f"{stack['StackName']}-".startswith(f"{self.stack}-"):
                continue
            if stack["StackStatus"] == "REVIEW_IN_PROGRESS":
                found.append(stack["StackName"])
            change_sets = self.cloudformation.list_change_sets(StackName=stack["StackId"])["Summaries"]
            found += [
                one["ChangeSetName"]
                for one in change_sets
                if "ParentChangeSetId" not in one or one["Status"] != "FAILED"
            ]
        return found

    def files(self) -> set[str]:
        """What stands beside the build, hidden files too."""
        manifest = json.loads((self.build.folder / "manifest.json").read_text())
        return {path.name for path in self.build.folder.iterdir()} - manifest["files"].keys() - {"manifest.json"}

    def outputs(self) -> dict[str, str]:
        return json.loads((self.build.folder / "flat-outputs.json").read_text())

    def log_groups(self) -> dict[str, int]:
        """Retention in days of the stack's, by the end of the name."""
        prefix = f"/shop/{self.build.suffix}/"
        groups = self.client("logs").describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]
        return {group["logGroupName"].removeprefix(prefix): group.get("retentionInDays", 0) for group in groups}

    def change(self, days: int = 60) -> World:
        """Edit the build: one property of one resource of one tier."""
        self.build.properties("logs.Requests")["RetentionInDays"] = days
        self.build.write()
        return self

    def title(self, text: str) -> World:
        """Edit the build: what may change again and again, and nobody asks."""
        self.build.properties("topics.Orders")["DisplayName"] = text
        self.build.write()
        return self

    def titled(self) -> str:
        arn = self.outputs()["OrdersArn"]
        return self.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"]

    def replace(self) -> World:
        """Edit the build: a resource that holds data is replaced."""
        self.build.properties("logs.Requests")["LogGroupName"] = f"/shop/{self.build.suffix}/other"
        self.build.write()
        return self

    def inject(self, address: str, operation: str, message: str = "Injected fault", times: int | None = 1) -> None:
        fault = {"address": f"{self.stack}/{address}", "operation": operation, "message": message, "times": times}
        process.ask(self.endpoint, "POST", "/localaws/faults", {"add": [fault]})


@pytest.fixture
def world(endpoint, tmp_path, capsys):
    (tmp_path / "policies").mkdir()
    with mock.patch.dict(os.environ):
        for name in ("NO_COLOR", "CI", "GITHUB_ACTIONS", "ENVIRONMENT_SUFFIX"):
            os.environ.pop(name, None)
        process.adopt(os.environ, endpoint)
        os.environ["COLUMNS"] = "100"
        yield World(tmp_path, endpoint, capsys, Build(tmp_path / "out", suffix=f"t{next(_numbers)}").write())


@pytest.fixture
def empty(world):
    process.ask(world.endpoint, "POST", "/localaws/reset")
    return world


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch):
    """Have `held` set when a module first calls one of its functions: what it waits for ends while it waits."""

    def arrange(held: threading.Event, module: str, function: str) -> None:
        found = importlib.import_module(module)
        real = getattr(found, function)

        def releasing(*arguments, **named):
            held.set()
            return real(*arguments, **named)

        monkeypatch.setattr(found, function, releasing)

    return arrange
