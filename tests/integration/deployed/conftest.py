"""One deployment for all tests of this folder: of the embedded AWS, made by the real commands, or of a real account.

    pytest tests/integration/deployed                          builds and deploys dev to an embedded AWS of its own
    pytest tests/integration/deployed --stack payments-dev     reads a stack that stands in the account of your credentials

Nothing here names an endpoint, an id or an account: boto3 reads AWS_ENDPOINT_URL itself, and the tests find everything
through the flattened outputs. What the emulator cannot do stands in emulator_gaps.toml, strictly: a gap that is closed
fails until its line is removed.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from settings.load import load

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
ENV = "dev"


@dataclass(frozen=True)
class Deployed:
    """What the tests look at: the outputs, and the settings that they must agree with."""

    stack: str
    outputs: dict[str, str]
    settings: object

    def __getitem__(self, name):
        return self.outputs[name]

    def client(self, service):
        return boto3.client(service, region_name=self.settings.region)


def pytest_collection_modifyitems(config, items):
    if config.getoption("--stack"):
        skip = pytest.mark.skip(reason="changes what is deployed; only on the embedded AWS")
        for item in items:
            if item.get_closest_marker("mutating"):
                item.add_marker(skip)
        return
    gaps = tomllib.loads((HERE / "emulator_gaps.toml").read_text())["gaps"]
    for item in items:
        if item.path.parent == HERE and item.name in gaps:
            item.add_marker(pytest.mark.xfail(reason=gaps.pop(item.name), strict=True))


@pytest.fixture(scope="session")
def deployed(request, tmp_path_factory):
    stack = request.config.getoption("--stack")
    if stack:
        yield read_deployed(stack)
        return
    # Workers of pytest-xdist share one deployment: the first makes it, the last one ends it.
    shared = tmp_path_factory.getbasetemp()
    shared = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "deployed"
    with in_environment(shared), shared_by_workers(shared):
        outputs = json.loads((shared / "out" / ENV / "flat-outputs.json").read_text())
        yield Deployed(f"payments-{ENV}", outputs, load(ROOT / "params", ENV, None, {}))


def read_deployed(stack):
    """A stack of a real account; the environment is told by its tags."""
    region = boto3.session.Session().region_name
    found = boto3.client("cloudformation", region_name=region).describe_stacks(StackName=stack)["Stacks"][0]
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    settings = load(ROOT / "params", tags["Environment"], tags["EnvironmentSuffix"], {})
    account = boto3.client("sts", region_name=region).get_caller_identity()["Account"]
    print(f"testing {stack} in account {account}, {region}", file=sys.stderr)
    command = [sys.executable, "deploy.py", "outputs", "--env", tags["Environment"]]
    command += ["--suffix", tags["EnvironmentSuffix"]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Deployed(stack, json.loads(done.stdout), settings)


@contextmanager
def in_environment(shared):
    """Variables as `--local` would set them, for boto3 in this process."""
    from localaws import process

    shared.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCALAWS_STATE", str(shared / "localaws" / "state.json"))
        with locked(shared):
            if not (shared / "out" / ENV / "flat-outputs.json").exists():
                run("build.py", "--env", ENV, "--out", str(shared / "out"))
                run("deploy.py", "--env", ENV, "--out", str(shared / "out"), "--local", "--yes")
        endpoint = process.up(ROOT)
        for name, value in process.environment(endpoint.url).items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        yield


@contextmanager
def shared_by_workers(shared):
    from localaws import process

    users = shared / "users"
    with locked(shared):
        users.write_text(str(int(users.read_text() if users.exists() else 0) + 1))
    try:
        yield
    finally:
        with locked(shared):
            left = int(users.read_text()) - 1
            users.write_text(str(left))
            if not left:
                process.stop(ROOT)


@contextmanager
def locked(shared):
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(*command):
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def settings(deployed):
    return deployed.settings
