"""The server as a process of its own: found by others, one of it, and its account survives its end, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from localaws import process
from localaws.errors import SavedStateError
from localaws.record import beside, locate, read_record, try_lock

_ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A root of its own, whose server ends with the test."""
    monkeypatch.delenv("LOCALAWS_STATE", raising=False)
    yield tmp_path
    record = read_record(locate(tmp_path))
    if record is not None:
        os.kill(record.pid, signal.SIGKILL)
        _ended(tmp_path)


def _ended(root: Path) -> None:
    """Wait until no server of `root` lives."""
    until = time.monotonic() + 60
    while (lock := try_lock(locate(root))) is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    os.close(lock)


def _client(endpoint: str, service: str) -> Any:
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
    return boto3.client(service, region_name="us-east-1", endpoint_url=endpoint, **keys)


def _topics(endpoint: str) -> list[str]:
    return [topic["TopicArn"].rpartition(":")[2] for topic in _client(endpoint, "sns").list_topics()["Topics"]]


def test_is_started_once_found_by_others_and_keeps_its_account(place: Path) -> None:
    first = process.up(place)
    assert first.started
    assert process.up(place) == process.Endpoint(first.url, first.pid, started=False)
    code = f"from localaws import process; from pathlib import Path; print(process.find(Path({str(place)!r})).url)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=_ROOT, text=True)
    assert other.stdout.strip() == first.url
    told = process.status(place)
    assert told is not None
    assert (told["pid"], told["endpoint"]) == (first.pid, first.url)
    template = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "kept"}}}})
    cloudformation = _client(first.url, "cloudformation")
    cloudformation.create_stack(StackName="stack", TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="stack", WaiterConfig={"Delay": 1})
    before = cloudformation.describe_stack_resources(StackName="stack")["StackResources"]
    assert process.stop(place)
    assert process.find(place) is None
    assert not locate(place).exists()
    second = process.up(place)
    assert second.started
    assert second.pid != first.pid
    assert _topics(second.url) == ["kept"]
    assert _client(second.url, "cloudformation").describe_stack_resources(StackName="stack")["StackResources"] == before
    process.reset(place)
    assert _topics(second.url) == []
    process.stop(place)
    assert _topics(process.up(place).url) == []


def test_two_at_once_make_one(place: Path) -> None:
    together, found = threading.Barrier(4), []

    def up() -> None:
        together.wait()
        found.append(process.up(place))

    threads = [threading.Thread(target=up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(one.url, one.pid) for one in found}) == 1
    assert [one.started for one in found].count(True) == 1


def test_a_start_whose_parent_is_killed_is_found_by_the_next(place: Path) -> None:
    code = (
        "import os, subprocess\nfrom localaws import process\nfrom pathlib import Path\n"
        # The parent ends the moment it has started its child: nothing that it would do afterwards happens.
        "class Started(subprocess.Popen):\n"
        "    def __init__(self, *given, **named):\n"
        "        super().__init__(*given, **named)\n"
        "        print(self.pid, flush=True)\n"
        "        os.kill(os.getpid(), 9)\n"
        "subprocess.Popen = Started\n"
        f"process.up(Path({str(place)!r}))\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False, cwd=_ROOT, text=True)
    assert killed.returncode == -signal.SIGKILL
    found = process.up(place)
    assert (found.pid, found.started) == (int(killed.stdout), False)


def test_a_server_that_is_killed_leaves_what_it_saved(place: Path) -> None:
    first = process.up(place)
    _client(first.url, "sns").create_topic(Name="saved")
    process.ask(first.url, "POST", "/localaws/save")
    _client(first.url, "sns").create_topic(Name="lost")
    os.kill(first.pid, signal.SIGKILL)
    _ended(place)
    assert read_record(locate(place)) is not None  # its record stays, and deceives nobody
    assert process.find(place) is None
    second = process.up(place)
    assert second.started
    assert _topics(second.url) == ["saved"]


def test_a_server_that_is_asked_to_end_saves(place: Path) -> None:
    first = process.up(place)
    _client(first.url, "sns").create_topic(Name="saved")
    os.kill(first.pid, signal.SIGTERM)
    _ended(place)
    assert _topics(process.up(place).url) == ["saved"]


def test_a_server_saves_by_itself_when_it_has_come_to_rest(place: Path) -> None:
    first = process.up(place)
    _client(first.url, "sns").create_topic(Name="saved")
    until = time.monotonic() + 60
    while not beside(locate(place), ".account").exists():
        assert time.monotonic() < until
        time.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    _ended(place)
    assert _topics(process.up(place).url) == ["saved"]


def test_a_server_whose_cache_is_removed_ends(place: Path) -> None:
    process.up(place)
    locate(place).unlink()
    _ended(place)


@pytest.mark.parametrize(
    "content", ["", '{"pid": 1', '{"pid": 1, "endpoint": "http://127.0.0.1:1", "started": "", "token": ""}']
)
def test_a_record_of_no_server_is_replaced(place: Path, content: str) -> None:
    path = locate(place)
    path.parent.mkdir(parents=True)
    path.write_text(content)
    found = process.up(place)
    assert found.started
    assert process.find(place) == process.Endpoint(found.url, found.pid)


def test_an_account_that_cannot_be_restored_is_refused_until_it_is_reset(place: Path) -> None:
    saved = beside(locate(place), ".account")
    saved.parent.mkdir(parents=True)
    saved.write_bytes(b"damaged")
    saved.chmod(0o600)
    with pytest.raises(SavedStateError, match="is no saved account") as caught:
        process.up(place)
    assert "local reset" in caught.value.hint
    assert saved.read_bytes() == b"damaged"
    process.reset(place)
    assert process.up(place).started


def test_it_listens_on_this_machine_only(place: Path) -> None:
    found = process.up(place)
    port = int(found.url.rpartition(":")[2])
    table = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    listening = [line.split()[1] for line in table.splitlines() if f":{port:04X} " in line and " 0A " in line]
    assert listening == [f"0100007F:{port:04X}"]


def test_no_account_of_the_user_reaches_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "absent")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://evil.example")
    found = process.up(place)
    environ = Path(f"/proc/{found.pid}/environ").read_bytes().decode().split("\0")
    assert not [name for name in environ if name.startswith("AWS_")]
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    template = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}})
    cloudformation = _client(found.url, "cloudformation")
    cloudformation.create_stack(StackName="stack", TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="stack", WaiterConfig={"Delay": 1})
