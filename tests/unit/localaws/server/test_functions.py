"""Lambda functions as processes of this machine."""

from __future__ import annotations

import base64
import io
import json
import os
import queue
import signal
import socket
import sys
import threading
import time
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import function_process, gate
from localaws.shims import invocation, sandbox

_ROLE = "arn:aws:iam::123456789012:role/role"


@pytest.fixture(scope="module")
def functions_role(remote: Any) -> None:
    remote("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")


@pytest.fixture
def make(remote: Any, functions_role: None) -> Any:
    def make(source: str, **more: Any) -> str:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("code.py", source)
            archive.writestr("package/__init__.py", "")
            archive.writestr("package/inner.py", "def handle(event, context): return __name__")
        name = f"f-{uuid.uuid4().hex[:8]}"
        given = {"Runtime": "python3.13", "Role": _ROLE, "Handler": "code.handle", "Timeout": 30, **more}
        given.setdefault("Code", {"ZipFile": buffer.getvalue()})
        remote("lambda").create_function(FunctionName=name, **given)
        return name

    return make


def _invoke(remote: Any, name: str, payload: bytes = b"", **more: Any) -> tuple[Any, dict[str, Any]]:
    answer = remote("lambda").invoke(FunctionName=name, Payload=payload, **more)
    body = answer["Payload"].read()
    return (json.loads(body) if body else None), answer


class TestAnswers:
    def test_the_handler_gets_its_event_and_its_context(self, make: Any, remote: Any) -> None:
        name = make(
            "def handle(event, context):\n"
            "    left = context.get_remaining_time_in_millis()\n"
            "    assert 0 < left <= 30_000, left\n"
            "    return [event, context.function_name, context.memory_limit_in_mb, context.invoked_function_arn,"
            " context.function_version, context.log_group_name, len(context.aws_request_id), context.client_context]\n",
            MemorySize=256,
        )
        answer, told = _invoke(remote, name, b'{"a": [1, null]}')
        arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
        assert answer == [{"a": [1, None]}, name, "256", arn, "$LATEST", f"/aws/lambda/{name}", 36, None]
        assert "FunctionError" not in told
        assert told["StatusCode"] == 200

    def test_without_a_payload_the_event_is_empty(self, make: Any, remote: Any) -> None:
        assert _invoke(remote, make("def handle(event, context): return event"))[0] == {}

    def test_a_handler_may_be_in_a_package(self, make: Any, remote: Any) -> None:
        assert _invoke(remote, make("", Handler="package/inner.handle"))[0] == "package.inner"

    def test_it_runs_in_its_own_environment(
        self, make: Any, remote: Any, endpoint: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OF_THE_SERVER", "secret")
        name = make(
            "import os, sys\ndef handle(event, context): return [dict(os.environ), sys.path[0], os.getcwd()]",
            Environment={"Variables": {"OWN": "value", "AWS_REGION": "elsewhere"}},
        )
        (environ, first, directory), _ = _invoke(remote, name)
        assert environ["OWN"] == "value"
        assert environ["AWS_REGION"] == "us-east-1"
        assert environ["AWS_ENDPOINT_URL"] == endpoint
        assert environ["AWS_LAMBDA_FUNCTION_NAME"] == name
        assert first == directory == environ["LAMBDA_TASK_ROOT"]
        assert "OF_THE_SERVER" not in environ

    def test_it_calls_back_into_the_account(self, make: Any, remote: Any) -> None:
        name = make(
            "import boto3\ndef handle(event, context): return boto3.client('sts').get_caller_identity()['Account']\n"
        )
        assert _invoke(remote, name)[0] == "123456789012"

    def test_what_it_prints_is_its_log(self, make: Any, remote: Any) -> None:
        name = make(
            "import sys\ndef handle(event, context):\n    print('on stdout')\n    print('on stderr', file=sys.stderr)\n",
            LoggingConfig={"LogGroup": f"/own/{uuid.uuid4().hex}"},
        )
        answer, told = _invoke(remote, name, LogType="Tail")
        assert answer is None
        log = base64.b64decode(told["LogResult"]).decode()
        lines = log.splitlines()
        assert lines[0].startswith("START RequestId: ")
        assert {"on stdout", "on stderr"} <= set(lines)
        assert lines[-1].startswith("REPORT RequestId: ")
        group = remote("lambda").get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
        messages = [event["message"] for event in remote("logs").filter_log_events(logGroupName=group)["events"]]
        assert messages == lines

    def test_an_event_is_not_waited_for(self, make: Any, remote: Any, tmp_path: Path) -> None:
        goes, done = tmp_path / "goes", tmp_path / "done"
        os.mkfifo(goes)
        os.mkfifo(done)
        name = make(f"def handle(event, context): open({str(goes)!r}).read(); open({str(done)!r}, 'w').write('x')")
        answer, told = _invoke(remote, name, InvocationType="Event")
        assert (answer, told["StatusCode"]) == (None, 202)
        goes.write_text("go")
        assert done.read_text() == "x"

    def test_an_event_writes_its_log_while_nobody_saves(
        self, make: Any, remote: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from moto.awslambda.models import LambdaFunction

        found: queue.Queue[bool] = queue.Queue()
        monkeypatch.setattr(
            LambdaFunction, "save_logs", lambda *_: found.put(gate._inside_of.get() is not None), raising=True
        )
        _invoke(remote, make("def handle(event, context): pass"), InvocationType="Event")
        assert found.get(timeout=30)

    def test_a_dry_run_runs_nothing(self, make: Any, remote: Any) -> None:
        answer, told = _invoke(remote, make("raise RuntimeError"), InvocationType="DryRun")
        assert (answer, told["StatusCode"], told.get("FunctionError")) == (None, 204, None)

    def test_other_services_invoke_it_too(self, make: Any, remote: Any) -> None:
        from moto.awslambda.utils import get_backend

        name = make("def handle(event, context): return event")
        found = get_backend("123456789012", "us-east-1").get_function(name)
        answer, failed, log = found._invoke_lambda(None)
        assert (answer, failed) == ("{}", False)
        assert log.startswith("START")


class TestErrors:
    @pytest.mark.parametrize(
        ("source", "kind", "message"),
        [
            ("def handle(event, context): raise KeyError('x')", "KeyError", "'x'"),
            ("raise OSError('at import')", "OSError", "at import"),
            (
                "import nosuchmodule",
                "Runtime.ImportModuleError",
                "Unable to import module 'code': No module named 'nosuchmodule'",
            ),
            ("", "Runtime.HandlerNotFound", "Handler 'handle' missing on module 'code'"),
            ("def handle(event, context): return object()", "Runtime.MarshalError", "Unable to marshal response: "),
            ("def handle(event, context): raise SystemExit(3)", "Runtime.ExitError", "Runtime exited (3)"),
            ("import os\ndef handle(event, context): os._exit(7)", "Runtime.ExitError", "exit status 7"),
            ("import os\ndef handle(event, context): os.kill(os.getpid(), 9)", "Runtime.ExitError", "exit status -9"),
            ("import os\nos._exit(0)", "Runtime.ExitError", "exit status 0"),
        ],
    )
    def test_an_error_is_the_answer(self, make: Any, remote: Any, source: str, kind: str, message: str) -> None:
        answer, told = _invoke(remote, make(source))
        assert told["FunctionError"] == "Unhandled"
        assert told["StatusCode"] == 200
        assert answer["errorType"] == kind
        assert message in answer["errorMessage"]
        assert "LogResult" not in told

    def test_the_trace_is_the_functions_own(self, make: Any, remote: Any) -> None:
        name = make("def inner():\n    raise ValueError('x')\ndef handle(event, context):\n    inner()\n")
        answer, _ = _invoke(remote, name)
        assert len(answer["stackTrace"]) == 2
        assert "inner()" in answer["stackTrace"][0]
        assert "function_process" not in str(answer["stackTrace"])

    def test_time_that_is_up_ends_it_and_what_it_started(self, make: Any, remote: Any, tmp_path: Path) -> None:
        started = tmp_path / "started"
        name = make(
            "import subprocess, sys, time\n"
            "def handle(event, context):\n"
            "    print('before', flush=True)\n"
            "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
            f"    open({str(started)!r}, 'w').write(str(child.pid))\n"
            "    time.sleep(600)\n",
            Timeout=1,
        )
        answer, told = _invoke(remote, name, LogType="Tail")
        assert told["FunctionError"] == "Unhandled"
        assert answer["errorType"] == "Sandbox.Timedout"
        assert "Task timed out after 1.00 seconds" in answer["errorMessage"]
        assert "before" in base64.b64decode(told["LogResult"]).decode()
        child = int(started.read_text())
        with pytest.raises(ProcessLookupError):
            while True:  # an orphan's end is its new parent's to notice
                os.kill(child, 0)
                if _is_zombie(child):
                    raise ProcessLookupError

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"Runtime": "nodejs22.x"}, "nodejs22.x"),
            ({"PackageType": "Image"}, "an image"),
            ({"Layers": ["layer"]}, "python3.13 with layers"),
        ],
    )
    def test_what_cannot_run_here_says_so(self, make: Any, remote: Any, given: dict[str, Any], said: str) -> None:
        if "Layers" in given:
            made = remote("lambda").publish_layer_version(LayerName="layer", Content={"ZipFile": b"PK"})
            given = {"Layers": [made["LayerVersionArn"]]}
        if "PackageType" in given:
            given = {**given, "Code": {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/i:1"}}
        answer, told = _invoke(remote, make("", **given))
        assert (told["FunctionError"], answer["errorType"]) == ("Unhandled", "Runtime.NotEmulated")
        assert answer["errorMessage"].endswith(f"this one is {said}")

    def test_code_that_is_no_zip_file_says_so(self, make: Any, remote: Any) -> None:
        answer, _ = _invoke(remote, make("", Code={"ZipFile": b"no zip"}))
        assert answer["errorType"] == "Runtime.InvalidCode"

    def test_an_event_that_is_no_json_is_refused(self, make: Any, remote: Any) -> None:
        with pytest.raises(ClientError) as caught:
            _invoke(remote, make(""), b"{")
        assert caught.value.response["Error"]["Code"] == "InvalidRequestContentException"

    def test_no_more_run_at_once_than_are_reserved(self, make: Any, remote: Any, tmp_path: Path) -> None:
        began, goes = tmp_path / "began", tmp_path / "goes"
        os.mkfifo(began)
        os.mkfifo(goes)
        name = make(
            f"def handle(event, context):\n    open({str(began)!r}, 'w').write('x')\n    return open({str(goes)!r}).read()\n"
        )
        remote("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(_invoke(remote, name)[0]))
        thread.start()
        assert began.read_text() == "x"
        from moto.awslambda.utils import get_backend

        other = get_backend("123456789012", "us-east-1").get_function(name)
        with pytest.raises(Exception, match="429") as caught:
            invocation.run(other, {})
        assert caught.value.error_type == "TooManyRequestsException"
        goes.write_text("gone")
        thread.join(30)
        assert answers == ["gone"]
        assert invocation._running[other.function_arn] == 0


def _is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


class TestWarm:
    """What a function has loaded and connected is there the next time."""

    _COUNTS = (
        "import os, sys\ncount = 0\ndef handle(event, context):\n    global count\n    count += 1\n"
        "    print('call', count)\n    if event.get('end'): sys.exit()\n    if event.get('fail'): raise KeyError\n"
        "    return [count, os.getpid(), context.aws_request_id, event.get('given')]\n"
    )

    def test_the_same_process_is_invoked_again_with_a_log_of_its_own(self, make: Any, remote: Any) -> None:
        name = make(self._COUNTS)
        (first, pid, request, given), _ = _invoke(remote, name, b'{"given": 1}')
        (second, again, other, then), told = _invoke(remote, name, b'{"given": "x"}', LogType="Tail")
        assert (first, second, pid == again, request == other, given, then) == (1, 2, True, False, 1, "x")
        assert base64.b64decode(told["LogResult"]).decode().splitlines()[1:-2] == ["call 2"]

    def test_all_that_it_printed_before_it_answered_is_of_this_invocation(self, make: Any, remote: Any) -> None:
        name = make("def handle(event, context): print('x' * 200_000, flush=True); print('y' * 3000)")
        for _ in range(2):
            log = _invoke(remote, name, LogType="Tail")[1]["LogResult"]
            assert base64.b64decode(log).count(b"y") == 3000

    def test_an_event_larger_than_a_pipe_arrives_whole(self, make: Any, remote: Any) -> None:
        name = make("def handle(event, context): return len(event)")
        for length in (1_000_000, 2):
            assert _invoke(remote, name, json.dumps("x" * length).encode())[0] == length

    def test_nobody_but_the_runtime_reads_what_is_asked(self, make: Any, remote: Any) -> None:
        name = make(
            "import subprocess, sys\nreads = [sys.executable, '-c', 'import sys; print(sys.stdin.read())']\n"
            "def handle(event, context): return [sys.stdin.read(), subprocess.check_output(reads).decode(), event]\n"
        )
        for number in (b"1", b"2"):
            assert _invoke(remote, name, number)[0] == ["", "\n", int(number)]

    def test_what_it_started_does_not_keep_it_from_having_ended(self, make: Any, remote: Any) -> None:
        name = make(
            "import os, subprocess, sys\n"
            "def handle(event, context):\n"
            "    sleeps = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
            "    subprocess.Popen(sleeps, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
            "    os._exit(9)\n"
        )
        assert "exit status 9" in _invoke(remote, name)[0]["errorMessage"]

    def test_one_that_prints_for_ever_has_its_time_up(self, make: Any, remote: Any) -> None:
        name = make(
            "import time\ndef handle(event, context):\n    while True: print('x', flush=True) or time.sleep(0.001)\n",
            Timeout=1,
        )
        assert _invoke(remote, name)[0]["errorType"] == "Sandbox.Timedout"

    def test_one_that_has_closed_its_output_can_still_answer(self, make: Any, remote: Any) -> None:
        name = make(
            "import os, time\ndef handle(event, context):\n    print('closes', flush=True)\n    os.close(1)\n"
            "    os.close(2)\n    time.sleep(0.2)\n    return 1\n"
        )
        assert _invoke(remote, name)[0] == 1

    def test_several_at_once_have_a_process_each_and_all_wait_afterwards(
        self, make: Any, remote: Any, tmp_path: Path
    ) -> None:
        name = make(
            "import os\ndef handle(event, context):\n    if event: open(event['began'], 'w').write('x')\n"
            "    if event: open(event['goes']).read()\n    return os.getpid()\n"
        )
        answers: list[Any] = []
        threads = []
        for number in range(2):
            places = {what: str(tmp_path / f"{what}{number}") for what in ("began", "goes")}
            for place in places.values():
                os.mkfifo(place)
            payload = json.dumps(places).encode()
            threads.append(
                threading.Thread(target=lambda payload=payload: answers.append(_invoke(remote, name, payload)[0]))
            )
            threads[-1].start()
            assert (tmp_path / f"began{number}").read_text() == "x"
        for number, thread in enumerate(threads):
            (tmp_path / f"goes{number}").write_text("goes")
            thread.join(30)
        assert len(set(answers)) == 2
        assert _invoke(remote, name)[0] == answers[1]  # the one that waited last

    def test_an_error_of_the_handler_does_not_end_it(self, make: Any, remote: Any) -> None:
        name = make(self._COUNTS)
        assert _invoke(remote, name, b'{"fail": true}')[0]["errorType"] == "KeyError"
        assert _invoke(remote, name)[0][0] == 2

    def test_one_that_has_ended_is_not_used_again(self, make: Any, remote: Any) -> None:
        name = make(self._COUNTS)
        pid = _invoke(remote, name)[0][1]
        assert _invoke(remote, name, b'{"end": true}')[0]["errorType"] == "Runtime.ExitError"
        count, other, *_ = _invoke(remote, name)[0]
        assert (count, other == pid) == (1, False)
        os.kill(other, signal.SIGKILL)
        while not _is_zombie(other):
            pass
        assert _invoke(remote, name)[0][0] == 1

    def test_another_configuration_is_another_process_and_the_old_one_ends(self, make: Any, remote: Any) -> None:
        name = make(self._COUNTS)
        pid = _invoke(remote, name)[0][1]
        remote("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": {"NEW": "1"}})
        assert _invoke(remote, name)[0][0] == 1
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    def test_one_that_was_changed_while_it_ran_is_not_used_again(self, make: Any, remote: Any, tmp_path: Path) -> None:
        began, goes = tmp_path / "began", tmp_path / "goes"
        os.mkfifo(began)
        os.mkfifo(goes)
        name = make(
            f"import os\ndef handle(event, context):\n    if event: open({str(began)!r}, 'w').write('x')\n"
            f"    return [os.environ.get('NEW'), open({str(goes)!r}).read() if event else '', os.getpid()]\n"
        )
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(_invoke(remote, name, b'{"wait": 1}')[0]))
        thread.start()
        assert began.read_text() == "x"
        remote("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": {"NEW": "1"}})
        assert _invoke(remote, name)[0][0] == "1"
        goes.write_text("gone")
        thread.join(30)
        ((new, text, pid),) = answers
        assert (new, text) == (None, "gone")  # it goes on to its end as it was
        assert _invoke(remote, name)[0][0] == "1"
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    def test_one_that_is_deleted_and_made_anew_begins_anew(self, make: Any, remote: Any) -> None:
        name = make(self._COUNTS)
        _invoke(remote, name)
        from moto.awslambda.utils import get_backend

        found = get_backend("123456789012", "us-east-1").get_function(name)
        remote("lambda").delete_function(FunctionName=name)
        remote("lambda").create_function(
            FunctionName=name, Runtime="python3.13", Role=_ROLE, Handler="code.handle", Timeout=30,
            Code={"ZipFile": found.code_bytes},
        )  # fmt: skip
        assert _invoke(remote, name)[0][0] == 1

    def test_none_waits_for_ever(self, make: Any, remote: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        sandbox.end_waiting()
        first, second = (_invoke(remote, make(self._COUNTS))[0][1] for _ in range(2))
        monkeypatch.setattr(sandbox, "_IDLE_SECONDS", 0.2)
        monkeypatch.setattr(sandbox._waiting[0], "waits_since", 0.0)
        monkeypatch.setattr(sandbox._waiting[1], "waits_since", time.monotonic())
        ended: list[int] = []
        end = sandbox.Sandbox.end

        def note(one: sandbox.Sandbox) -> int:
            ended.append(one._process.pid)
            return end(one)

        monkeypatch.setattr(sandbox.Sandbox, "end", note)
        began = time.monotonic()
        sandbox._reap()
        assert ended == [first, second]
        assert time.monotonic() - began >= 0.2 - 0.05
        assert sandbox._waiting == []

    def test_only_so_many_wait(self, make: Any, remote: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sandbox, "_MOST_WAITING", 1)
        first, second = make(self._COUNTS), make(self._COUNTS)
        pid = _invoke(remote, first)[0][1]
        _invoke(remote, second)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert _invoke(remote, second)[0][0] == 2


class TestEnd:
    def test_the_servers_end_is_the_functions(
        self, make: Any, remote: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pid = _invoke(remote, make("import os\ndef handle(event, context): return os.getpid()"))[0]
        code = tmp_path / "code"
        code.mkdir()
        monkeypatch.setattr(invocation, "_unpacked", {"digest": code})
        invocation.clean_up()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert not code.exists()
        assert (sandbox._all, sandbox._waiting) == (set(), [])

    def test_who_waits_for_an_answer_at_the_servers_end_is_told(self, make: Any, remote: Any, tmp_path: Path) -> None:
        began = tmp_path / "began"
        os.mkfifo(began)
        name = make(
            f"import time\ndef handle(event, context):\n    open({str(began)!r}, 'w').write('x')\n    time.sleep(600)\n"
        )
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(_invoke(remote, name)[0]))
        thread.start()
        assert began.read_text() == "x"
        sandbox.end_all()
        thread.join(30)
        assert "exit status -9" in answers[0]["errorMessage"]
        assert sandbox._all == set()

    def test_one_that_does_not_read_its_event_is_not_waited_for(self, tmp_path: Path) -> None:
        one = sandbox.take("owner", "kind", {}, tmp_path)
        assert one.is_usable
        assert one.kill() == -signal.SIGKILL
        assert not one.is_usable
        with pytest.raises(sandbox.EndedError):
            one.invoke({"event": "x" * 1_000_000}, lambda: 5.0)
        assert sandbox.discard(one) == -signal.SIGKILL

    def test_the_same_code_is_unpacked_once(self, make: Any, remote: Any) -> None:
        name = make("import os\ndef handle(event, context): return os.getcwd()")
        assert _invoke(remote, name)[0] == _invoke(remote, name)[0]


class TestRuntime:
    """The process's own program, in this one, for what a process does not tell of its coverage."""

    def _run(self, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, event: Any = None) -> tuple[int, Any]:
        module = f"code_{uuid.uuid4().hex}"
        (tmp_path / f"{module}.py").write_text(source)
        for name in ("FUNCTION_NAME", "FUNCTION_VERSION", "LOG_GROUP_NAME", "LOG_STREAM_NAME", "FUNCTION_MEMORY_SIZE"):
            monkeypatch.setenv(f"AWS_LAMBDA_{name}", "1")
        monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
        monkeypatch.setenv("_HANDLER", f"{module}.handle")
        monkeypatch.setattr(sys, "path", ["", *sys.path])
        receiver, sender = os.pipe()
        about = {"event": event, "request_id": "r", "arn": "a", "until": time.time() + 5, "answer_descriptor": sender}
        code = function_process.main([f"{json.dumps(about)}\n"])
        os.close(sender)
        with open(receiver, encoding="utf-8") as answer:
            told = answer.read()
        assert int(told[1]) == code  # whether it is the last one
        return int(told[0]), json.loads(told[2:])

    def test_answers(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        source = "def handle(event, context): return event + (context.get_remaining_time_in_millis() > 0)"
        assert self._run(source, tmp_path, monkeypatch, 41) == (0, 42)

    def test_requests_are_read_by_nobody_else(self) -> None:
        receiver, sender = os.pipe()
        os.write(sender, b"request\n")
        with function_process.keep_to_oneself(receiver) as requests:
            assert requests.readline() == "request\n"
            assert os.read(receiver, 1) == b""
        for descriptor in (receiver, sender):
            os.close(descriptor)

    def test_is_led_to_where_hosts_really_listen(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", socket.getaddrinfo)
        monkeypatch.setenv("LOCALAWS_HOSTS", '{"db.example:5432": "127.0.0.1:1"}')
        source = "import socket\ndef handle(event, context): return socket.getaddrinfo('db.example', 5432)[0][4]"
        assert self._run(source, tmp_path, monkeypatch) == (0, ["127.0.0.1", 1])

    @pytest.mark.parametrize(
        ("source", "kind"),
        [
            ("import nosuchmodule", "Runtime.ImportModuleError"),
            ("", "Runtime.HandlerNotFound"),
            ("raise OSError", "OSError"),
            ("def handle(event, context): raise KeyError", "KeyError"),
            ("def handle(event, context): raise SystemExit", "Runtime.ExitError"),
            ("def handle(event, context): return {1, 2}", "Runtime.MarshalError"),
        ],
    )
    def test_errors(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, kind: str) -> None:
        code, answer = self._run(source, tmp_path, monkeypatch)
        assert (code, answer["errorType"], answer["requestId"]) == (1, kind, "r")
