"""The server's own resources, whom it refuses, and when it saves."""

from __future__ import annotations

import http.client
import json
import logging
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from localaws import server as module
from localaws.errors import SavedStateError
from localaws.process import ask
from localaws.record import read_record, write_record
from localaws.server import Keeper, Server, listening, running


def _request(endpoint: str, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=30)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), dict(answer.getheaders())
    connection.close()
    return found


class TestOwnResources:
    def test_health_says_who_answers(self, endpoint: str) -> None:
        found = ask(endpoint, "GET", "/localaws/health")
        assert found["pid"] == os.getpid()
        assert found["endpoint"] == endpoint
        assert found["busy"] is False
        assert len(found["token"]) == 32

    def test_calls_from_outside_are_counted(self, endpoint: str, remote: Any) -> None:
        ask(endpoint, "DELETE", "/localaws/counters")
        remote("sts").get_caller_identity()
        body = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}})
        remote("cloudformation").create_stack(StackName="counted", TemplateBody=body)
        waiter = remote("cloudformation").get_waiter("stack_create_complete")
        waiter.wait(StackName="counted", WaiterConfig={"Delay": 1})
        counted = ask(endpoint, "GET", "/localaws/counters")["calls"]
        assert counted["sts"] == {"GetCallerIdentity": 1}
        assert counted["cloudformation"]["CreateStack"] == 1
        assert "sns" not in counted  # what CloudFormation itself calls is not

    def test_faults_strike(self, endpoint: str, remote: Any) -> None:
        fault = {"address": "faulty/T", "operation": "create", "message": "no luck", "times": 1}
        assert ask(endpoint, "POST", "/localaws/faults", {"add": [fault]})["faults"] == [fault]
        assert ask(endpoint, "POST", "/localaws/faults", {"region": "eu-west-1"})["faults"] == []
        status, text, _ = _request(endpoint, "POST", "/localaws/faults", '{"add": [{"address": ""}]}')
        assert (status, "A fault is" in text) == (400, True)
        assert ask(endpoint, "POST", "/localaws/faults", {"clear": True}) == {"faults": []}

    def test_latency_is_added_to_calls_from_outside(
        self, endpoint: str, remote: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        slept: list[float] = []
        monkeypatch.setattr(module.time, "sleep", slept.append)
        assert ask(endpoint, "POST", "/localaws/latency", {"ms": 50}) == {"ms": 50}
        remote("sts").get_caller_identity()
        assert ask(endpoint, "POST", "/localaws/latency", {"ms": 0}) == {"ms": 0}
        remote("sts").get_caller_identity()
        assert slept == [0.05]

    def test_latency_can_be_there_from_the_start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LOCALAWS_LATENCY_MS", "20")
        assert Server(SimpleNamespace())._latency == 0.02

    @pytest.mark.parametrize(("method", "path"), [("GET", "/localaws/other"), ("GET", "/localaws/stop")])
    def test_what_it_does_not_have_it_says(self, endpoint: str, method: str, path: str) -> None:
        status, text, _ = _request(endpoint, method, path)
        assert status == 404
        assert "GET health" in json.loads(text)["message"]

    @pytest.mark.parametrize("body", ["{", "{}"])
    def test_a_request_that_makes_no_sense_is_refused(self, endpoint: str, body: str) -> None:
        assert _request(endpoint, "POST", "/localaws/latency", body or "{}")[0] == 400

    def test_nothing_is_forgotten_under_a_deployment(self) -> None:
        account = Double()
        account.busy = True
        with listening(Server(account)) as endpoint:
            status, text, _ = _request(endpoint, "POST", "/localaws/reset")
        assert (status, json.loads(text)["message"]) == (409, "CloudFormation is at work")

    def test_without_a_place_nothing_is_saved(self, endpoint: str) -> None:
        assert ask(endpoint, "POST", "/localaws/save") == {"bytes": None}


class TestRefusals:
    @pytest.mark.parametrize(
        "host", ["evil.example", "127.0.0.1.evil.example", "s3.us-east-1.amazonaws.com", "", "127.0.0.2"]
    )
    def test_another_name_for_this_machine_is_refused(self, endpoint: str, host: str) -> None:
        for path in ("/", "/localaws/health"):
            assert _request(endpoint, "GET", path, Host=host)[0] == 403

    @pytest.mark.parametrize("host", ["localhost", "localhost:5000", "[::1]:5000", "127.0.0.1:80"])
    def test_its_own_names_are_not(self, endpoint: str, host: str) -> None:
        assert _request(endpoint, "GET", "/localaws/health", Host=host)[0] == 200

    @pytest.mark.parametrize(
        "header", [{"Origin": "null"}, {"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}]
    )
    def test_a_web_page_is_refused(self, endpoint: str, header: dict[str, str]) -> None:
        status, _, headers = _request(endpoint, "POST", "/lambda_us-east-1/2015-03-31/functions", "{}", **header)
        assert status == 403
        assert not [name for name in headers if name.lower().startswith("access-control")]

    def test_a_person_at_a_browser_is_not(self, endpoint: str) -> None:
        assert _request(endpoint, "GET", "/localaws/health", Sec_Fetch_Site="none")[0] == 200

    def test_motos_own_reset_is_not_there(self, endpoint: str) -> None:
        assert _request(endpoint, "POST", "/moto-api/reset")[0] == 404


class TestRunning:
    def test_the_account_ends_with_the_block(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MOTO_PORT", "1")
        saved = tmp_path / "state.account"
        with running(saved=saved) as first:
            assert os.environ["MOTO_PORT"] == first.rpartition(":")[2]
            _topic(first)
            assert ask(first, "POST", "/localaws/save")["bytes"] > 0
        assert os.environ["MOTO_PORT"] == "1"
        monkeypatch.delenv("MOTO_PORT")
        with running() as second:
            assert _topics(second) == []
        assert "MOTO_PORT" not in os.environ
        with running(saved=saved) as third:
            assert len(_topics(third)) == 1
            ask(third, "POST", "/localaws/reset")
            assert _topics(third) == []
            assert not saved.exists()

    def test_a_reset_without_a_place_forgets_as_well(self) -> None:
        with running() as endpoint:
            _topic(endpoint)
            ask(endpoint, "POST", "/localaws/reset")
            assert _topics(endpoint) == []


def _client(endpoint: str) -> Any:
    import boto3

    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "example"}
    return boto3.client("sns", region_name="us-east-1", endpoint_url=endpoint, **keys)


def _topic(endpoint: str) -> None:
    _client(endpoint).create_topic(Name="topic")


def _topics(endpoint: str) -> list[Any]:
    return _client(endpoint).list_topics()["Topics"]


class Double:
    """An account that counts how often it is saved."""

    def __init__(self) -> None:
        self.changed, self.busy = True, False
        self.gate = SimpleNamespace(last_passed=0.0)
        self.saves = 0
        self.problem: Exception | None = None

    def save(self, _: Path) -> int:
        if self.problem:
            raise self.problem
        self.saves += 1
        self.changed = False
        return 1


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Keeper, Double, Server, Path]:
    account, path = Double(), tmp_path / "state.json"
    server = Server(account, tmp_path / "state.account")
    write_record(path, server.record())
    monkeypatch.setattr(module.time, "monotonic", lambda: 100.0)
    return Keeper(server, path), account, server, path


class TestKeeper:
    def test_saves_what_has_come_to_rest_once(self, kept: Any) -> None:
        keeper, account, _, _ = kept
        keeper.tick()
        keeper.tick()
        assert account.saves == 1

    def test_waits_for_whoever_is_at_work(self, kept: Any) -> None:
        keeper, account, server, _ = kept
        account.gate.last_passed = 99.5
        keeper.tick()
        account.gate.last_passed, account.busy = 0.0, True
        keeper.tick()
        assert account.saves == 0
        assert not server.stopping.is_set()

    @pytest.mark.parametrize("problem", [SavedStateError("not picklable", hint="h"), OSError("disk full")])
    def test_goes_on_when_it_cannot_save(self, kept: Any, problem: Exception, caplog: pytest.LogCaptureFixture) -> None:
        keeper, account, server, _ = kept
        account.problem = problem
        with caplog.at_level(logging.ERROR):
            keeper.tick()
        assert str(problem) in caplog.text
        assert not server.stopping.is_set()
        account.problem = None
        keeper.tick()
        assert account.saves == 1

    def test_a_server_that_nobody_can_find_ends(self, kept: Any) -> None:
        keeper, account, server, path = kept
        path.unlink()
        keeper.tick()
        assert server.stopping.is_set()
        assert account.saves == 0

    def test_a_server_in_whose_place_is_another_ends(self, kept: Any) -> None:
        keeper, _, server, path = kept
        write_record(path, Server(Double()).record())
        keeper.tick()
        assert server.stopping.is_set()

    def test_a_stop_that_cannot_save_is_refused(self, kept: Any) -> None:
        _, account, server, _ = kept
        account.problem = SavedStateError("not picklable", hint="a hint")
        with listening(server) as endpoint:
            status, text, _ = _request(endpoint, "POST", "/localaws/stop")
            assert (status, json.loads(text)) == (409, {"message": "not picklable", "hint": "a hint"})
            assert not server.stopping.is_set()
            account.problem = None
            assert ask(endpoint, "POST", "/localaws/stop") == {"bytes": 1}
            assert server.stopping.is_set()


class TestMain:
    """The whole of it in this process; the detached one is tested as such in tests/integration."""

    def _start(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
        monkeypatch.setattr(module.signal, "signal", lambda *_: None)  # only the main thread may
        return os.pipe()

    def test_serves_until_it_is_told_to_stop(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "state.json"
        monkeypatch.setattr(module, "_SERVICES", ())
        for number in range(2):
            receiver, sender = self._start(tmp_path, monkeypatch)
            arguments = ["--state", str(path), "--lock-descriptor", "0", "--ready-descriptor", str(sender)]
            codes: list[int] = []
            thread = threading.Thread(
                target=lambda arguments=arguments, codes=codes: codes.append(module.main(arguments))
            )
            thread.start()
            with open(receiver, encoding="utf-8") as words:
                endpoint = json.loads(words.readline())["endpoint"]
            record = read_record(path)
            assert record is not None
            assert record.endpoint == endpoint
            assert len(_topics(endpoint)) == number
            _topic(endpoint)
            ask(endpoint, "POST", "/localaws/stop")
            thread.join(30)
            assert codes == [0]
            assert not path.exists()

    @pytest.mark.parametrize("end", ["signal", "removed"])
    def test_other_ends(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
        """A signal saves what has changed since; a record that is gone has nobody to save for."""
        handlers: dict[int, Any] = {}
        monkeypatch.setattr(module, "_SERVICES", ())
        monkeypatch.setattr(module, "_TICK_SECONDS", 0.01)
        monkeypatch.setattr(module, "_SETTLED_SECONDS", 3600.0)
        monkeypatch.setattr(module.signal, "signal", handlers.__setitem__)
        receiver, sender = os.pipe()
        path, saved = tmp_path / "state.json", tmp_path / "state.account"
        thread = threading.Thread(target=module._serve, args=(path, sender))
        thread.start()
        with open(receiver, encoding="utf-8") as words:
            endpoint = json.loads(words.readline())["endpoint"]
        _topic(endpoint)
        if end == "signal":
            handlers[module.signal.SIGTERM](module.signal.SIGTERM, None)
        else:
            path.unlink()
        thread.join(30)
        assert not thread.is_alive()
        assert saved.exists() == (end == "signal")
        assert not path.exists()

    def test_a_signal_when_nothing_has_changed_saves_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        handlers: dict[int, Any] = {}
        monkeypatch.setattr(module, "_SERVICES", ())
        monkeypatch.setattr(module.signal, "signal", handlers.__setitem__)
        receiver, sender = os.pipe()
        thread = threading.Thread(target=module._serve, args=(tmp_path / "state.json", sender))
        thread.start()
        with open(receiver, encoding="utf-8") as words:
            words.readline()
        handlers[module.signal.SIGINT](module.signal.SIGINT, None)
        thread.join(30)
        assert os.listdir(tmp_path) == []

    def test_a_saved_account_that_it_cannot_take_is_told_to_who_started_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        receiver, sender = self._start(tmp_path, monkeypatch)
        (tmp_path / "state.account").write_bytes(b"x")
        arguments = [
            "--state",
            str(tmp_path / "state.json"),
            "--lock-descriptor",
            "0",
            "--ready-descriptor",
            str(sender),
        ]
        assert module.main(arguments) == 1
        with open(receiver, encoding="utf-8") as words:
            said = json.loads(words.readline())
        assert "is no saved account" in said["problem"][0]
        assert "local reset" in said["hint"]

    def test_what_is_not_installed_is_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        receiver, sender = self._start(tmp_path, monkeypatch)
        monkeypatch.setitem(module.sys.modules, "localaws.account", None)
        arguments = [
            "--state",
            str(tmp_path / "state.json"),
            "--lock-descriptor",
            "0",
            "--ready-descriptor",
            str(sender),
        ]
        assert module.main(arguments) == 1
        with open(receiver, encoding="utf-8") as words:
            said = json.loads(words.readline())
        assert said["problem"] == ["the embedded AWS needs localaws.account, which is not installed"]
        assert "requirements-local.txt" in said["hint"]

    def test_nobody_need_be_there_to_be_told(self) -> None:
        receiver, sender = os.pipe()
        os.close(receiver)
        module._say(sender, {"endpoint": "e"})
